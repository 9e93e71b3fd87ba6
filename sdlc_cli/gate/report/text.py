"""GateReport -> text for people at a terminal of any width."""

from collections.abc import Iterator

from rich.console import RenderableType
from rich.padding import Padding
from rich.table import Table as RichTable
from rich.text import Text

from sdlc_cli.core.finding import Finding, Severity
from sdlc_cli.core.i18n import _, local, ngettext
from sdlc_cli.core.printable import one_line, visible
from sdlc_cli.core.sheet import least_width
from sdlc_cli.core.table import Cell, Column
from sdlc_cli.core.terminal import grid, paint
from sdlc_cli.core.view import DEFAULT, View
from sdlc_cli.gate import summary, verdicts
from sdlc_cli.gate.model import CheckResult, GateReport

MOST_FINDINGS = 10
MOST_FILES = 3  # shown of each reason
WIDE = 110  # columns from which the reasons fit beside the gates
NARROW = 60  # columns from which weight and minimum fit beside the score

_STATUS_STYLE = {
    "passed": "green",
    "failed": "bold red",
    "error": "bold magenta",
    "skipped": "dim",
    "inconclusive": "yellow",
}
_SEVERITY_STYLE = {
    Severity.CRITICAL: "bold red",
    Severity.HIGH: "red",
    Severity.MEDIUM: "yellow",
    Severity.LOW: "cyan",
}
_VERDICT_STYLE = {0: "bold green", 1: "bold red", 3: "bold magenta", 4: "bold yellow"}


def render(report: GateReport, view: View = DEFAULT) -> str:
    """The verdict first, then the gates, then what to fix first, then what was not judged."""
    return paint(_parts(report, view), width=view.width, color=view.color, encoding=view.encoding)


def _parts(report: GateReport, view: View) -> Iterator[RenderableType]:
    yield from _verdict(report)
    yield from _gates(report, view)
    yield from _compared(report)
    yield from _findings(report, view)
    yield from _skipped(report, view)


def _verdict(report: GateReport) -> Iterator[RenderableType]:
    line = Text(summary.verdict(report), style=_VERDICT_STYLE.get(report.exit_code, "bold red"))
    line.append(f": {summary.score_line(report)}", style="bold")
    yield line
    facts = [summary.passed_line(report), summary.judged_line(report)]
    facts += [summary.generation_line(report), summary.size_line(report)]
    yield Text(one_line(", ".join(facts)))
    for reason in report.reasons:
        yield _item(Text(one_line(local(reason))))


def _item(text: Text, bullet: str = "- ") -> RenderableType:
    """A list item whose later lines stand under its first word."""
    pair = RichTable.grid()
    pair.add_column(width=len(bullet), no_wrap=True)
    pair.add_column(overflow="fold")
    pair.add_row(Text(bullet), text)
    return pair


def _title(text: str) -> Iterator[RenderableType]:
    yield Text()
    yield Text(text, style="bold")


def _gates(report: GateReport, view: View) -> Iterator[RenderableType]:
    if not report.results:
        return
    yield Text()
    words = {summary.status_word(r.status): _STATUS_STYLE[r.status] for r in report.results}

    def style(column: Column, cell: Cell) -> str:
        return words.get(str(cell), "") if column.key == "status" else ""

    left_out = {"findings"} if view.width < 80 else set()
    left_out |= {"minimum", "weight"} if view.width < NARROW else set()
    left_out |= {"why"} if view.width < WIDE else set()
    table = summary.gates(report).without(left_out)
    if least_width(table) <= view.width:
        yield grid(table, encoding=view.encoding, style=style)
    else:
        yield from _pairs(report)
    if "why" not in left_out:
        return
    # What failed or broke is already told beside the verdict.
    told = {str(reason) for reason in report.reasons}
    rest = [r for r in report.results if r.reason and not _told(r, told)]
    if rest:
        yield Text()
    for result in rest:
        yield _item(Text(one_line(f"{result.name}: {summary.why(result)}")))


def _pairs(report: GateReport) -> Iterator[RenderableType]:
    """Each gate's name, and below it what became of it, for a very narrow terminal."""
    for result in report.results:
        yield Text(one_line(result.name))
        word = summary.status_word(result.status)
        line = Text.assemble(
            (word, _STATUS_STYLE[result.status]), " ", summary.points(result.score)
        )
        yield Padding(line, (0, 0, 0, 2))


def _told(result: CheckResult, reasons: set[str]) -> bool:
    return any(r.startswith(f"{result.name} ") and r.endswith(result.reason) for r in reasons)


def _compared(report: GateReport) -> Iterator[RenderableType]:
    title = verdicts.title(report)
    if title:
        yield from _title(title)
        for line in verdicts.lines(report):
            yield _item(Text(one_line(line)))


def _findings(report: GateReport, view: View) -> Iterator[RenderableType]:
    pairs = summary.worst(report)
    if not pairs:
        return
    listed = pairs if view.verbose else pairs[:MOST_FINDINGS]
    title = _("What to fix first")
    if len(listed) < len(pairs):
        title = _("What to fix first ({shown} of {total} findings)").format(
            shown=len(listed), total=f"{len(pairs):,}"
        )
    yield from _title(title)
    for _gate, finding in listed:
        yield from _finding(finding)
    if len(listed) < len(pairs):
        yield Text()
        yield Text(_("All findings: --verbose"), style="dim")


def _finding(finding: Finding) -> Iterator[RenderableType]:
    yield Text.assemble(
        (summary.severity_word(finding.severity), _SEVERITY_STYLE[finding.severity]),
        " ",
        (summary.place(finding.location), "bold"),
        " ",
        (visible(finding.rule), "dim"),
    )
    yield Padding(Text(one_line(local(finding.message))), (0, 0, 0, 2))


def _skipped(report: GateReport, view: View) -> Iterator[RenderableType]:
    total = len(report.skipped_files)
    if not total:
        return
    line = ngettext("{n} file could not be judged", "{n} files could not be judged", total)
    yield from _title(line.format(n=f"{total:,}"))
    for reason, paths in summary.skipped_by_reason(report):
        names = [visible(path) for path in (paths if view.verbose else paths[:MOST_FILES])]
        if len(names) < len(paths):
            names.append(_("and {n} more").format(n=f"{len(paths) - len(names):,}"))
        yield _item(Text(f"{one_line(reason)}: {', '.join(names)}"))
