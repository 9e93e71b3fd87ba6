"""GateReport -> one HTML page that needs nothing but itself.

The page asks for nothing: its policy allows only the style and the script inside it, by hash.
"""

from collections.abc import Mapping
from pathlib import Path

from sdlc_cli import __version__
from sdlc_cli.core import onepage
from sdlc_cli.core.finding import Finding, Severity
from sdlc_cli.core.i18n import _, language, local, ngettext
from sdlc_cli.core.printable import one_line, visible
from sdlc_cli.core.view import DEFAULT, View
from sdlc_cli.gate import summary, verdicts
from sdlc_cli.gate.model import CheckResult, GateReport

MOST_FINDINGS = 5000  # a browser stays quick with these
MOST_FILES = 200  # shown of each reason

_TEMPLATES = Path(__file__).parent / "templates"
_RING = 2 * 3.14159265 * 52  # the ring's length, in the drawing's units


def render(report: GateReport, view: View = DEFAULT) -> str:
    """The page in the user's language. Worst findings first, at most `MOST_FINDINGS`."""
    del view
    return onepage.render(_TEMPLATES, _values(report))


def _values(report: GateReport) -> dict[str, object]:
    pairs = summary.worst(report)
    shown = pairs[:MOST_FINDINGS]
    return {
        "language": language(),
        "words": _words(),
        "version": __version__,
        "state": {0: "passed", 1: "failed", 4: "skipped"}.get(report.exit_code, "error"),
        "verdict": summary.verdict(report),
        "score_line": summary.score_line(report),
        "score": summary.points(report.score),
        "ring": _ring(report),
        "facts": [summary.passed_line(report), summary.judged_line(report)],
        "generation": visible(summary.generation_line(report)),
        "size": summary.size_line(report),
        "reasons": [one_line(local(reason)) for reason in report.reasons],
        "gates": [_gate(result) for result in report.results],
        "compared_title": verdicts.title(report),
        "compared": [one_line(line) for line in verdicts.lines(report)],
        "findings": [_finding(gate, finding) for gate, finding in shown],
        "findings_title": _findings_title(len(shown), len(pairs)),
        "severities": _severities([finding for _gate, finding in shown]),
        "gate_names": sorted({visible(gate) for gate, _finding in shown}),
        "skipped_title": _skipped_title(len(report.skipped_files)),
        "skipped": [_skipped(*item) for item in summary.skipped_by_reason(report)],
        "tools": [f"{visible(k)} {visible(v)}" for k, v in report.tool_versions.items()],
    }


def _words() -> Mapping[str, str]:
    return {
        "title": _("Quality gates"),
        "skip": _("Skip to the findings"),
        "reasons": _("Why it did not pass"),
        "notes": _("Notes"),
        "gates": _("Gates"),
        "gate": _("Gate"),
        "status": _("Status"),
        "score": _("Score"),
        "findings": _("Findings"),
        "required": _("required"),
        "filter": _("Filter the findings"),
        "severity": _("Severity"),
        "all": _("all"),
        "all_gates": _("all gates"),
        "search": _("Search"),
        "sort": _("Sort by"),
        "place": _("place"),
        "rule": _("rule"),
        # The script fills these in.
        "shown": _("{shown} of {total} shown"),
        "none_found": _("No findings."),
        "none_left": _("No finding matches the filter."),
        "more": _("More about this"),
    }


def _ring(report: GateReport) -> dict[str, str]:
    score = min(max(report.score or 0.0, 0.0), 100.0)
    return {
        "length": f"{_RING:.2f}",
        "filled": f"{_RING * score / 100:.2f}",
        "threshold": f"{report.threshold * 3.6 - 90:.1f}",
    }


def _gate(result: CheckResult) -> dict[str, object]:
    notes = []
    if result.minimum:
        notes.append(_("minimum {minimum}").format(minimum=summary.points(result.minimum)))
    notes.append(_("weight {weight}").format(weight=f"{result.weight:g}"))
    return {
        "name": visible(result.name),
        "status": result.status,
        "status_word": summary.status_word(result.status),
        "score": summary.points(result.score),
        "bar": f"{min(max(result.score or 0.0, 0.0), 100.0):.1f}",
        "minimum": f"{result.minimum:.1f}" if result.minimum else "",
        "notes": ", ".join(notes),
        "why": one_line(local(result.reason)),
        "required": result.required,
        "findings": f"{len(result.findings):,}" if result.findings else "",
        "findings_label": _count(len(result.findings)),
    }


def _finding(gate: str, finding: Finding) -> dict[str, object]:
    text = one_line(local(finding.help))
    return {
        "gate": visible(gate),
        "severity": finding.severity.value,
        "rank": finding.severity.rank,
        "severity_word": summary.severity_word(finding.severity),
        "place": summary.place(finding.location),
        "rule": visible(finding.rule),
        "message": one_line(local(finding.message)),
        "help": "" if text.startswith("https://") else text,
        "link": text if text.startswith("https://") else "",
    }


def _severities(findings: list[Finding]) -> list[dict[str, object]]:
    counts = dict.fromkeys(reversed(Severity), 0)
    for finding in findings:
        counts[finding.severity] += 1
    return [
        {"name": severity.value, "word": summary.severity_word(severity), "count": f"{n:,}"}
        for severity, n in counts.items()
    ]


def _findings_title(shown: int, total: int) -> str:
    if shown < total:
        return _("The worst {shown} of {total} findings").format(
            shown=f"{shown:,}", total=f"{total:,}"
        )
    return _count(total)


def _count(findings: int) -> str:
    return ngettext("{n} finding", "{n} findings", findings).format(n=f"{findings:,}")


def _skipped_title(total: int) -> str:
    title = ngettext("{n} file could not be judged", "{n} files could not be judged", total)
    return title.format(n=f"{total:,}")


def _skipped(reason: str, paths: list[str]) -> dict[str, object]:
    more = len(paths) - MOST_FILES
    return {
        "reason": one_line(reason),
        "paths": [visible(path) for path in paths[:MOST_FILES]],
        "more": _("and {n} more").format(n=f"{more:,}") if more > 0 else "",
    }
