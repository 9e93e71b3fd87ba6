"""What every report says of a GateReport in the same words: verdict, counts, what to fix first."""

from collections.abc import Mapping

from sdlc_cli.core.finding import WORDS, Finding, Location, Severity, worst_first
from sdlc_cli.core.findings_out import FileNotRead, FindingSet
from sdlc_cli.core.i18n import _, local, msg, ngettext
from sdlc_cli.core.printable import visible
from sdlc_cli.core.table import Column, Table
from sdlc_cli.gate import formula
from sdlc_cli.gate.model import CheckResult, GateReport, Status

TOOL = "sdlc"
SECURITY_GATES = frozenset({"security", "secrets", "dependencies", "deploy"})
DESCRIPTIONS: Mapping[str, str] = {
    "syntax": "Every file compiles or parses.",
    "security": "Insecure code, found by bandit.",
    "secrets": "Keys, tokens and passwords in files.",
    "maintainability": "Complexity of functions and maintainability of files, by radon.",
    "coverage": "Lines and branches that the tests reach.",
    "integration": "The project's own tests.",
    "performance": "Benchmarks held against budgets of time and memory.",
    "load": "The running service under load: latency, errors, recovery.",
    "dependencies": "Known vulnerabilities of the packages in use.",
    "docs": "Public docstrings and links between local files.",
    "deploy": "Manifests, Dockerfiles, workflows and Terraform, held against rules.",
    "budget": "What the model calls cost, held against the budgets of cost.yaml.",
}


def verdict(report: GateReport) -> str:
    """The verdict in two or three words."""
    words = {
        0: _("Passed"),
        1: _("Did not pass"),
        3: _("Could not be judged"),
        4: _("Nothing to judge"),
    }
    return words.get(report.exit_code, _("Did not pass"))


def status_word(status: Status) -> str:
    """A gate's status for people."""
    words: Mapping[Status, str] = {
        "passed": _("passed"),
        "failed": _("failed"),
        "error": _("error"),
        "skipped": _("skipped"),
        "inconclusive": _("inconclusive"),
    }
    return words[status]


def severity_word(severity: Severity) -> str:
    """A severity for people."""
    return local(WORDS[severity])


def points(score: float | None) -> str:
    """A score for people, `-` where there is none."""
    return "-" if score is None else formula.points(score)


def score_line(report: GateReport) -> str:
    """The score beside what was asked for."""
    if report.score is None and report.passed:
        return _("no score")  # nothing of the change concerns a gate
    if report.score is None:
        return _("no score, {threshold} needed").format(threshold=points(report.threshold))
    return _("score {score}, {threshold} needed").format(
        score=points(report.score), threshold=points(report.threshold)
    )


def passed_line(report: GateReport) -> str:
    """`5 of 7 gates passed`."""
    passed = sum(result.status == "passed" for result in report.results)
    total = len(report.results)
    return ngettext(
        "{passed} of {total} gate passed", "{passed} of {total} gates passed", total
    ).format(passed=passed, total=total)


def judged_line(report: GateReport) -> str:
    """The judged share of the weight, so that leaving a gate out shows."""
    # Rounded down: 99.6 % must not read as all.
    percent = int(report.judged_weight * 100 + 1e-6)
    return _("{percent} % of the weight judged").format(percent=percent)


def generation_line(report: GateReport) -> str:
    """The generation's number and name."""
    return _("generation {number}: {name}").format(
        number=report.generation, name=local(report.generation_name)
    )


def size_line(report: GateReport) -> str:
    """How much was looked at."""
    files = ngettext("{n} file", "{n} files", report.files).format(n=f"{report.files:,}")
    lines = ngettext("{n} line", "{n} lines", report.lines).format(n=f"{report.lines:,}")
    return f"{files}, {lines}"


def gates(report: GateReport) -> Table:
    """A row for each gate. The column `why` is the last."""
    return Table(
        columns=(
            Column(key="name", title=_("Gate")),
            Column(key="status", title=_("Status")),
            Column(key="score", title=_("Score"), kind="number"),
            Column(key="minimum", title=_("Minimum"), kind="number"),
            Column(key="weight", title=_("Weight"), kind="number"),
            Column(key="findings", title=_("Findings"), kind="number"),
            Column(key="why", title=_("Why")),
        ),
        rows=tuple(
            (
                result.name,
                status_word(result.status),
                points(result.score),
                points(result.minimum or None),
                f"{result.weight:g}",
                len(result.findings),
                why(result),
            )
            for result in report.results
        ),
    )


def why(result: CheckResult) -> str:
    """The gate's reason in the user's language, and whether the generation requires it."""
    reason = local(result.reason)
    if result.required and not result.unchanged and result.status in ("skipped", "inconclusive"):
        return _("required; {why}").format(why=reason)
    return reason


def worst(report: GateReport) -> list[tuple[str, Finding]]:
    """All findings with their gate's name, worst first."""
    pairs = [(result.name, finding) for result in report.results for finding in result.findings]
    pairs.sort(key=lambda pair: (worst_first(pair[1]), pair[0], pair[1].message))
    return pairs


def place(location: Location) -> str:
    """`path:line:column`, as far as it is known."""
    if not location.path:
        return _("the whole project")
    numbers = [str(number) for number in (location.line, location.column) if number > 0]
    return ":".join([visible(location.path), *(numbers if location.line else [])])


def skipped_by_reason(report: GateReport) -> list[tuple[str, list[str]]]:
    """Reasons in the user's language with the files skipped for them, the rarest first."""
    by_reason: dict[str, list[str]] = {}
    for file in report.skipped_files:
        by_reason.setdefault(local(file.reason), []).append(file.path)
    return sorted(by_reason.items(), key=lambda item: (len(item[1]), item[0]))


def finding_sets(report: GateReport) -> list[FindingSet]:
    """The gates as `core.findings_out` takes them, in the report's order."""
    return [
        FindingSet(
            name=result.name,
            status=result.status,
            reason=result.reason,
            description=DESCRIPTIONS.get(result.name, ""),
            findings=result.findings,
            security=result.name in SECURITY_GATES,
            duration_s=result.duration_s,
        )
        for result in report.results
    ]


def whole(report: GateReport) -> FindingSet:
    """The verdict of the run as a set without findings, for formats that only show sets."""
    status: Mapping[int, Status] = {0: "passed", 1: "failed", 4: "skipped"}
    reason = "; ".join(str(reason) for reason in report.reasons)
    return FindingSet(
        name="verdict",
        status=status.get(report.exit_code, "error"),
        reason=reason or str(msg("no reason was given")),
        description="The score and the rules of the generation.",
    )


def not_read(report: GateReport) -> list[FileNotRead]:
    """The skipped files as `core.findings_out` takes them."""
    return [FileNotRead(path=file.path, reason=file.reason) for file in report.skipped_files]
