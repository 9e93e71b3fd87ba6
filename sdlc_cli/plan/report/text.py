"""Sheet -> text for people at a terminal of any width: the verdict, a Gantt chart, the answers."""

from collections.abc import Iterator

from sdlc_cli.core import sheet as lines
from sdlc_cli.core.i18n import _, local
from sdlc_cli.core.sheet import Look, fitted, grid, item, joined, pairs, reads_well
from sdlc_cli.core.table import Table
from sdlc_cli.core.view import DEFAULT, View
from sdlc_cli.plan.report import Sheet, answers, gantt, summary


def render(sheet: Sheet, view: View = DEFAULT) -> str:
    """When it is done and what is missed first, then the chart, then the answers."""
    look = Look(width=view.width, color=view.color, encoding=view.encoding)
    return joined(_parts(sheet, view, look), look)


def _parts(sheet: Sheet, view: View, look: Look) -> Iterator[str]:
    if sheet.interrupted:
        yield from lines.text(_("Interrupted: the best plan so far"), look, "bold yellow")
    yield from lines.text(
        summary.headline(sheet), look, "bold green" if sheet.passed else "bold red"
    )
    yield from lines.text(summary.bound_line(sheet), look)
    yield from lines.text("; ".join(summary.facts(sheet)), look)
    for miss in sheet.misses:
        style = "red" if miss.fails else "yellow"
        yield from item(local(summary.miss(miss, sheet.project)), look, style)
    if sheet.schedule.placements:
        yield ""
        yield from gantt.rows(sheet, look, verbose=view.verbose)
    for part in answers.parts(sheet):
        yield ""
        yield from lines.text(part.title, look, "bold")
        for line in part.lines:
            yield from item(line, look)
        if part.table is not None and part.table.rows:
            yield ""
            yield from _table(part.table, look)


def _table(table: Table, look: Look) -> Iterator[str]:
    short = fitted(table, look.room)
    yield from (
        grid(short, look, whole=("start", "finish", "moved"))
        if reads_well(short, look.room)
        else pairs(table, look)
    )
