"""Reports to print: a realistic one, and the odd ones."""

from collections.abc import Callable

import pytest

from sdlc_cli.core.finding import Finding, Location, Severity, fingerprint
from sdlc_cli.core.i18n import msg
from sdlc_cli.gate.model import CheckResult, GateReport, SkippedFile, Status

HOSTILE = (
    "<script>alert('x')</script></style></script></details> [bold red]x[/] `a` | **b** "
    "@octocat #12 % ::error::pwned\r\n::error::pwned \x1b[31m\x00 \u202e ]]> \udcff \ud800"
)
NOT_UTF8 = "data/caf\udce9 list.py"  # as os.fsdecode gives Latin-1 bytes


def finding(
    rule: str,
    severity: str,
    path: str = "app/views.py",
    line: int = 3,
    column: int = 5,
    message: str = "",
    help: str = "",  # noqa: A002 - the field's own name
) -> Finding:
    return Finding(
        rule=rule,
        severity=Severity(severity),
        message=message or msg("function {name} has complexity {n}", name="handle", n=17),
        location=Location(path=path, line=line, column=column, end_line=line),
        help=help,
        fingerprint=fingerprint(ascii(rule), ascii(f"{path} {line} {message}")),
    )


def check(
    name: str,
    status: Status,
    score: float | None = None,
    reason: str = "",
    *findings: Finding,
    minimum: float = 0,
    weight: float = 1,
    required: bool = False,
) -> CheckResult:
    return CheckResult(
        name=name,
        status=status,
        reason=reason,
        score=score,
        weight=weight,
        minimum=minimum,
        required=required,
        duration_s=1.25,
        findings=findings,
        metrics={"files": 214, "worst": {"name": "handle", "complexity": 17}},
    )


def make(
    *results: CheckResult,
    exit_code: int = 0,
    score: float | None = 100.0,
    reasons: tuple[str, ...] = (),
    skipped: tuple[SkippedFile, ...] = (),
) -> GateReport:
    total = sum(result.weight for result in results)
    judged = sum(result.weight for result in results if result.judged)
    return GateReport(
        results=results,
        score=score,
        threshold=80,
        generation=2,
        generation_name="make it robust",
        judged_weight=judged / total if total else 0.0,
        exit_code=exit_code,
        reasons=reasons,
        skipped_files=skipped,
        files=214,
        lines=38_412,
        tool_versions={"bandit": "1.9.4", "radon": "6.0.1"},
    )


B602 = "subprocess call with shell=True identified, security issue."


def realistic() -> GateReport:
    low = msg("score {score} is under the minimum {minimum}", score="61.4", minimum="80.0")
    critical = msg(
        "{n} of severity {severity} or worse, first {rule}",
        n=1,
        severity="critical",
        rule="secrets.aws-access-key",
    )
    crashed = msg("{tool} ended with code {code}", tool="pytest", code=4)
    results = (
        check("syntax", "passed", 100.0, "", required=True),
        check(
            "security",
            "passed",
            84.217,
            "",
            finding(
                "B602", "high", "app/jobs/実行.py", 41, 9, B602, "https://bandit.readthedocs.io/"
            ),
            finding("B101", "low", "app/views.py", 12, 5, "Use of assert detected."),
            required=True,
            weight=2,
        ),
        check(
            "secrets",
            "failed",
            0.0,
            critical,
            finding(
                "secrets.aws-access-key",
                "critical",
                "deploy/settings.py",
                7,
                18,
                msg("an {kind} stands in the code", kind="AWS access key"),
                msg("Revoke it, and read it from the environment."),
            ),
            required=True,
        ),
        check(
            "maintainability",
            "passed",
            89.97,
            "",
            finding("complexity", "medium"),
            finding("complexity", "medium", "app/views.py", 88),
        ),
        check("coverage", "failed", 61.4, low, minimum=80, required=True),
        check("integration", "error", None, crashed, minimum=100, required=True),
        check("performance", "skipped", None, msg("not set up in {file}", file="gates.yaml")),
        check("load", "inconclusive", None, msg("the machine was too busy to tell")),
    )
    return make(
        *results,
        exit_code=3,
        score=69.967,
        reasons=(
            msg("{gate} could not be judged: {why}", gate="integration", why=crashed),
            msg("{gate} failed: {why}", gate="secrets", why=critical),
            msg("{gate} failed: {why}", gate="coverage", why=low),
            msg("score {score} is under the threshold {threshold}", score="69.9", threshold="80.0"),
        ),
        skipped=(
            SkippedFile(path="app/legacy.py", reason=msg("not UTF-8 and no coding line")),
            SkippedFile(path=NOT_UTF8, reason=msg("not UTF-8 and no coding line")),
            SkippedFile(path="fixtures/huge.json", reason=msg("larger than 5 MB")),
        ),
    )


def good() -> GateReport:
    return make(check("syntax", "passed", 100.0), check("security", "passed", 100.0))


def empty() -> GateReport:
    return make(exit_code=4, score=None, reasons=(msg("no gate was judged"),))


def only_skipped() -> GateReport:
    why = msg("not set up in {file}", file="gates.yaml")
    return make(
        check("coverage", "skipped", None, why, required=True),
        check("performance", "skipped", None, why),
        exit_code=4,
        score=None,
        reasons=(msg("no gate was judged"),),
    )


def hostile() -> GateReport:
    bad = finding(HOSTILE, "critical", HOSTILE, 3, 5, HOSTILE, HOSTILE)
    return make(
        check("security", "failed", 0.0, HOSTILE, bad, bad),
        check("my gate]]> <b>", "error", None, HOSTILE),
        exit_code=3,
        score=0.0,
        reasons=(HOSTILE,),
        skipped=(SkippedFile(path=HOSTILE, reason=HOSTILE),),
    )


def huge() -> GateReport:
    severities = ("low", "medium", "high", "critical")
    found = tuple(
        finding(f"R{n % 40:03}", severities[n % 4], f"pkg/module_{n % 300}.py", n + 1)
        for n in range(6_000)
    )
    return make(
        check("security", "failed", 12.0, "", *found[:3_500]),
        check("maintainability", "failed", 30.0, "", *found[3_500:]),
        exit_code=1,
        score=20.0,
        reasons=("too many",),
        skipped=tuple(SkippedFile(path=f"f{n}.py", reason="0 bytes") for n in range(500)),
    )


REPORTS: dict[str, Callable[[], GateReport]] = {
    "realistic": realistic,
    "good": good,
    "empty": empty,
    "only_skipped": only_skipped,
    "hostile": hostile,
    "huge": huge,
}


@pytest.fixture
def reports() -> dict[str, Callable[[], GateReport]]:
    """Builders of reports, by name."""
    return REPORTS


@pytest.fixture
def hostile_text() -> str:
    """Text that tries to be markup, a command or an escape sequence in every format."""
    return HOSTILE
