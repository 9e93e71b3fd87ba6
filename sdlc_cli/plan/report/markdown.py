"""Sheet -> Markdown for a pull request or a wiki."""

from collections.abc import Iterator

from sdlc_cli.core import render as out
from sdlc_cli.core.i18n import _, local
from sdlc_cli.core.view import DEFAULT, View
from sdlc_cli.plan.report import Sheet, answers, summary, tables

MOST_TASKS = 500


def render(sheet: Sheet, view: View = DEFAULT) -> str:
    """The verdict, what is missed, the tasks by their starts, the answers."""
    del view
    return "\n".join(_parts(sheet))


def _parts(sheet: Sheet) -> Iterator[str]:
    if sheet.interrupted:
        yield f"{out.markdown_text(_('Interrupted: the best plan so far'))}\n"
    yield f"**{out.markdown_text(summary.headline(sheet))}**\n"
    yield _listed([summary.bound_line(sheet), *summary.facts(sheet)])
    if sheet.misses:
        yield _listed([local(summary.miss(one, sheet.project)) for one in sheet.misses])
    yield out.markdown(tables.tasks(sheet, MOST_TASKS))
    more = len(sheet.schedule.placements) - MOST_TASKS
    if more > 0:
        yield out.markdown_text(_("and {n} more").format(n=f"{more:,}")) + "\n"
    for part in answers.parts(sheet):
        yield f"**{out.markdown_text(part.title)}**\n"
        if part.lines:
            yield _listed(part.lines)
        if part.table is not None and part.table.rows:
            yield out.markdown(part.table)
    yield out.markdown_text(summary.search_line(sheet)) + "\n"


def _listed(lines: "list[str] | tuple[str, ...]") -> str:
    return "".join(f"- {out.markdown_text(line)}\n" for line in lines)
