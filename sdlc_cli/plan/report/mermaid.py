"""Sheet -> a Mermaid gantt chart, which GitHub and many wikis draw."""

import re
from collections.abc import Iterator

from sdlc_cli.core.i18n import _
from sdlc_cli.core.printable import one_line
from sdlc_cli.core.view import DEFAULT, View
from sdlc_cli.plan.report import Sheet, summary, tables
from sdlc_cli.plan.report.clock import Clock

# What Mermaid's grammar would take for more than text; there is no way to escape all of it.
_GRAMMAR = re.compile(r"[:;#,%{}<>\[\]()\"'`\\|$&~^]+|--+|==+")
_MOST = 120  # letters of a name
_SHAPE = "%Y-%m-%dT%H:%M:%S"


def render(sheet: Sheet, view: View = DEFAULT) -> str:
    """A section for each person, then for what no person does; times in the project's zone."""
    del view
    return "".join(f"{line}\n" for line in _lines(sheet))


def _lines(sheet: Sheet) -> Iterator[str]:
    clock = Clock(sheet.project)
    yield "gantt"
    if sheet.project.name:
        yield f"  title {plain(sheet.project.name)}"
    yield "  dateFormat YYYY-MM-DDTHH:mm:ss"
    yield "  axisFormat %m-%d %H:%M"
    sections: dict[str, list[int]] = {}
    for i in tables.order(sheet):
        who = summary.people(sheet.schedule.placements[i], sheet.project)
        sections.setdefault(who[0] if who else "", []).append(i)
    for name in sorted(sections, key=lambda one: (not one, one)):
        yield f"  section {plain(name) if name else _('Others')}"
        for i in sections[name]:
            yield f"    {_task(sheet, i, clock)}"


def _task(sheet: Sheet, i: int, clock: Clock) -> str:
    task, placed = sheet.project.tasks[i], sheet.schedule.placements[i]
    tags = []
    if tables.is_critical(sheet, i):
        tags.append("crit")
    if task.status == "done":
        tags.append("done")
    elif task.status == "running":
        tags.append("active")
    if placed.start == placed.finish:
        tags.append("milestone")
    moments = [f"{clock.local(slot):{_SHAPE}}" for slot in (placed.start, placed.finish)]
    return f"{plain(summary.name(task))} :{', '.join([*tags, f't{i + 1}', *moments])}"


def plain(text: str) -> str:
    """`text` without what Mermaid would read as its own."""
    cleaned = " ".join(_GRAMMAR.sub(" ", one_line(text)).split())
    if cleaned.lower() in ("", "end") or cleaned.lower().startswith(_WORDS):
        cleaned = f"_ {cleaned}".rstrip()
    return cleaned[:_MOST].rstrip()


# Words that begin a statement, where a task's name would stand.
_WORDS = (
    "section", "title", "dateformat", "axisformat", "tickinterval", "excludes", "includes",
    "todaymarker", "weekday", "weekend", "click", "acctitle", "accdescr", "inclusiveenddates",
    "topaxis", "gantt",
)  # fmt: skip
