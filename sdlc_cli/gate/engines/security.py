"""Security: bandit's findings on every Python file, weighed by severity and size."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sdlc_cli.core.finding import Finding, Location, Severity
from sdlc_cli.core.i18n import msg
from sdlc_cli.gate import formula, installed
from sdlc_cli.gate.config import Security
from sdlc_cli.gate.model import Measurement, Outcome, SkippedFile
from sdlc_cli.gate.source import Project, Unit, is_test_file, unreadable

# 25 points per 1,000 lines leave a score of 50: one finding of high severity in a service of that
# length leaves 57. Django 5.1.4 has 7.0 points per 1,000 lines (82), SQLAlchemy 2.1 3.6 (91).
HALF = 25.0
ASSERT = "B101"
# bandit has no "critical": its highest says what may be wrong, not that it can be exploited here.
SEVERITIES = {
    "HIGH": Severity.HIGH,
    "MEDIUM": Severity.MEDIUM,
    "LOW": Severity.LOW,
    "UNDEFINED": Severity.LOW,
}
# bandit gives some calls the line of one argument, but the column of the call. These tests look
# at strings, where line and column belong together, though the lines of their statement differ.
_OWN_COLUMN = {"B104", "B105", "B108", "B608", "B613"}
_PASSWORDS = {"B105", "B106", "B107"}  # their messages quote the string that they found
_QUOTED = re.compile(r"'(.*)'", re.DOTALL)
_ADDRESS = re.compile(r" at 0x[0-9A-Fa-f]+(?=>)")


@dataclass(frozen=True, slots=True)
class State:
    """Made once in each process: bandit's tests, and why they run slowly, if they do."""

    project: Project
    setup: Any  # analysis.bandit_setup.Setup; bandit loads in `prepare`, not with this module
    screen: Any  # analysis.bandit_screen.Screen, or None: then bandit's own driver runs


def prepare(project: Project, options: Security) -> State:
    """Load bandit with the user's configuration. Raises ConfigError."""
    from sdlc_cli.gate.analysis import bandit_setup

    setup = bandit_setup.load(project.root, project.base, options.config)
    screen = None
    if not unsupported():
        from sdlc_cli.gate.analysis.bandit_screen import Screen

        screen = Screen(setup.tests)
    return State(project, setup, screen)


def unsupported() -> str:
    """Why bandit's own, slower driver has to run; "" when ours can."""
    from sdlc_cli.gate.analysis.bandit_setup import version

    installed = version()
    try:
        from sdlc_cli.gate.analysis import bandit_walk
        from sdlc_cli.gate.analysis.bandit_screen import TESTED
    except (ImportError, AttributeError) as error:
        return msg("bandit {version} has changed inside: {error}", version=installed, error=error)
    numbers = tuple(int(n) for n in re.findall(r"\d+", installed)[:3])
    if not TESTED[0] <= numbers <= TESTED[1] or bandit_walk.missing():
        return msg("bandit {version} is not among the versions compared", version=installed)
    return ""


def inspect(state: State, unit: Unit) -> Outcome | None:
    """bandit's findings in one file."""
    if unit.kind != "python" or state.setup.excludes(unit.path):
        return None
    from sdlc_cli.gate.analysis import bandit_stock

    if state.screen is None:
        seen, why = bandit_stock.judge(state.setup, state.project.root / unit.path)
    else:
        seen, why = issues(state, unit)
    if seen is None:
        return Outcome(skipped=why)
    return Outcome(
        findings=tuple(_finding(issue, unit) for issue in seen.issues),
        numbers={
            "lines": unit.line_count,
            "nosec": seen.nosec + seen.skipped_tests,
            "errors": seen.errors,
            "stock": state.screen is None,
        },
    )


def issues(state: State, unit: Unit) -> tuple[Any, str]:
    """What bandit sees in the file (`bandit_walk.Seen`), or None and why it can't be judged."""
    from sdlc_cli.gate.analysis.bandit_walk import TooSlowError, Walk

    state.setup.activate()
    try:
        tree = unit.tree
        return Walk(state.setup, state.screen, unit).run(tree), ""
    except (SyntaxError, ValueError, LookupError, RecursionError, MemoryError) as error:
        return None, unreadable(error)
    except TooSlowError:
        return None, msg("bandit's tests take too long on this file")


def _finding(issue: Any, unit: Unit) -> Finding:
    from bandit.core.docs_utils import get_url

    first, last = (min(issue.linerange), max(issue.linerange)) if issue.linerange else (0, 0)
    line = max(issue.lineno, 0)
    placed = line == first or issue.test_id in _OWN_COLUMN
    one_line = placed and line == last and issue.end_col_offset > issue.col_offset
    return Finding(
        rule=issue.test_id,
        severity=SEVERITIES[issue.severity],
        message=_message(issue),
        help=get_url(issue.test_id),
        location=Location(
            path=unit.path,
            line=line,
            column=_column(unit, line, issue) if placed else 0,
            end_line=max(line, last),
            end_column=_character(unit, line, issue.end_col_offset) if one_line else 0,
        ),
    )


def _message(issue: Any) -> str:
    """bandit's message; a password in it is masked as the secrets gate masks one."""
    if issue.test_id not in _PASSWORDS:
        return without_addresses(issue.text)
    return _QUOTED.sub(lambda m: f"'****' ({len(m[1])} characters)", issue.text)


def without_addresses(text: str) -> str:
    """A message of bandit's without the addresses in memory that some show by mistake."""
    return _ADDRESS.sub("", text)


def _column(unit: Unit, line: int, issue: Any) -> int:
    if issue.test_id == "B613":
        return int(issue.col_offset)  # the one test that counts characters from 1
    return _character(unit, line, issue.col_offset)


def _character(unit: Unit, line: int, offset: int) -> int:
    """The column, from 1, of an offset in UTF-8 bytes, as Python's trees count."""
    if offset < 0 or not 0 < line <= len(unit.lines):
        return 0
    text = unit.lines[line - 1]
    return (
        offset + 1 if text.isascii() else len(text.encode()[:offset].decode(errors="replace")) + 1
    )


def conclude(
    project: Project, options: Security, outcomes: Sequence[tuple[str, Outcome]]
) -> Measurement:
    """Score the density of findings in the files that could be judged."""
    skipped = tuple(SkippedFile(path=p, reason=o.skipped) for p, o in outcomes if o.skipped)
    judged = [(path, outcome) for path, outcome in outcomes if not outcome.skipped]
    if not outcomes:
        return _nothing(project, options)
    if not judged:
        reason = msg("none of the {n} Python files could be judged", n=len(outcomes))
        return Measurement(outcome="error", reason=reason, skipped_files=skipped)
    findings: list[Finding] = []
    asserts = 0
    for path, outcome in judged:
        leave_out = options.skip_test_asserts and is_test_file(path)
        kept = [f for f in outcome.findings if not (leave_out and f.rule == ASSERT)]
        asserts += len(outcome.findings) - len(kept)
        findings += kept
    numbers = _sum(outcome for _, outcome in judged)
    return Measurement(
        score=formula.density((f.severity for f in findings), int(numbers["lines"]), HALF),
        findings=tuple(findings),
        skipped_files=skipped,
        metrics=_metrics(findings, asserts, len(judged), numbers)
        | {"formula": formula.density_terms(int(numbers["lines"]), HALF)},
        tool_versions={"bandit": installed.version("bandit")},
    )


def _nothing(project: Project, options: Security) -> Measurement:
    """Without a file: a skip, or an error where bandit's own configuration leaves all out."""
    from sdlc_cli.gate.analysis import bandit_setup

    python = [path for path in project.files if path.lower().endswith((".py", ".pyw"))]
    setup = bandit_setup.load(project.root, project.base, options.config) if python else None
    if setup is not None and any(setup.excludes(path) for path in python):
        return Measurement(
            outcome="error",
            reason=msg(
                "nothing was looked at: bandit's own configuration excludes all Python files;"
                " correct exclude_dirs or exclude in it"
            ),
        )
    return Measurement(outcome="skipped", reason=msg("there is no Python file"))


def _sum(outcomes: Iterable[Outcome]) -> Counter[str]:
    names = ("lines", "nosec", "errors", "stock")
    numbers = [outcome.numbers for outcome in outcomes]
    return Counter({name: int(sum([one.get(name, 0) for one in numbers])) for name in names})


def _metrics(
    findings: Sequence[Finding], asserts: int, files: int, numbers: Counter[str]
) -> dict[str, object]:
    severities = Counter(finding.severity for finding in findings)
    points = sum(formula.POINTS[finding.severity] for finding in findings)
    metrics: dict[str, object] = {
        "files": files,
        "lines": numbers["lines"],
        "low": severities[Severity.LOW],
        "medium": severities[Severity.MEDIUM],
        "high": severities[Severity.HIGH],
        "points_per_1000_lines": round(points * 1000 / max(numbers["lines"], 1), 2),
        "test_asserts_left_out": asserts,
        "nosec": numbers["nosec"],
        "test_errors": numbers["errors"],
        "driver": "bandit" if numbers["stock"] else "sdlc",
    }
    if numbers["stock"]:
        metrics["driver_reason"] = unsupported()
    return metrics
