"""Sheet -> one HTML page that needs nothing but itself: an interactive Gantt chart, the answers.

Without its script the page shows the same chart and tables.
"""

import json
from collections.abc import Mapping
from pathlib import Path

from markupsafe import Markup

from sdlc_cli import __version__
from sdlc_cli.core import onepage
from sdlc_cli.core.i18n import _, language, local
from sdlc_cli.core.printable import one_line
from sdlc_cli.core.table import Table, shown
from sdlc_cli.core.view import DEFAULT, View
from sdlc_cli.plan.explain import Explainer
from sdlc_cli.plan.report import Sheet, answers, summary, svg, tables
from sdlc_cli.plan.report.axis import Axis, load
from sdlc_cli.plan.report.clock import Clock

MOST_TASKS = 2000  # a browser stays quick with these
ROW = 30  # pixels
_BINS = 400
_STATES = ("critical", "loose", "late", "done")
_TEMPLATES = Path(__file__).parent / "templates"


def render(sheet: Sheet, view: View = DEFAULT) -> str:
    """The page in the user's language, with the `MOST_TASKS` that start first."""
    del view
    return onepage.render(_TEMPLATES, _values(sheet))


def _values(sheet: Sheet) -> dict[str, object]:
    listed = tables.order(sheet)[:MOST_TASKS]
    axis = Axis(sheet)
    more = len(sheet.schedule.placements) - len(listed)
    return {
        "language": language(),
        "words": _words(),
        "version": __version__,
        "state": "passed" if sheet.passed else "failed",
        "name": one_line(sheet.project.name or sheet.project.source),
        "headline": summary.headline(sheet),
        "interrupted": sheet.interrupted,
        "facts": [summary.bound_line(sheet), *summary.facts(sheet)],
        "misses": [local(summary.miss(one, sheet.project)) for one in sheet.misses],
        "row": ROW,
        "charts": _charts(sheet, listed, axis),
        "rows": [_row(sheet, i) for i in listed],
        "states": [state for state in _STATES if any(svg.state(sheet, i) == state for i in listed)],
        "resources": [tables.resource_name(one) for one in svg.resources(sheet)],
        "people": sorted({w for i in listed for w in _who(sheet, i)}),
        "data": _data(sheet, listed),
        "more": _("and {n} more").format(n=f"{more:,}") if more > 0 else "",
        "tasks": _cells(tables.tasks(sheet, MOST_TASKS)),
        "parts": [
            {
                "key": part.key,
                "title": part.title,
                "lines": part.lines,
                "table": _cells(part.table) if part.table and part.table.rows else None,
            }
            for part in answers.parts(sheet)
        ],
        "search": summary.search_line(sheet),
    }


def _words() -> Mapping[str, str]:
    return {
        "title": _("Plan"),
        "skip": _("Skip to the tasks"),
        "misses": _("What is missed"),
        "interrupted": _("Interrupted: the best plan so far"),
        "chart": _("Over time"),
        "load": _("Load"),
        "tasks": _("Tasks"),
        "task": _("Task"),
        "search": _("Search"),
        "who": _("Who"),
        "everybody": _("everybody"),
        "order": _("Order"),
        "by_start": _("by start"),
        "by_who": _("by person"),
        "by_slack": _("by slack"),
        "critical": _("critical"),
        "loose": _("has slack"),
        "late": _("late"),
        "done": _("done"),
        "only_critical": _("Only critical tasks"),
        "all_hours": _("All hours"),
        "closer": _("Zoom in"),
        "wider": _("Zoom out"),
        "shown": _("{shown} of {total} shown"),
        "hint": _("Choose a task to see why it starts then, and what it waits for."),
        "after": _("after {task}"),
        "hands": _("{resource} from {task}"),
        "none": _("No task fits."),
        "close": _("Close"),
    }


def _charts(sheet: Sheet, listed: list[int], axis: Axis) -> list[dict[str, object]]:
    """The chart over the hours worked, and where these are not all, the one over all hours."""
    found = [_chart(sheet, listed, axis)]
    if axis.worked is not None:
        found.append(_chart(sheet, listed, Axis(sheet, whole=True)))
    return found


def _chart(sheet: Sheet, listed: list[int], axis: Axis) -> dict[str, object]:
    rough = axis.ticks(0.09)
    fine = [tick for tick in axis.ticks(0.02) if tick not in rough]
    return {
        "height": ROW * len(listed),
        "ticks": [
            {"x": _percent(tick.x), "label": tick.label, "fine": tick in fine}
            for tick in (*rough, *fine)
        ],
        "rows": [_bars(sheet, i, axis) for i in listed],
        "loads": [_area(sheet, axis, one.id, one.capacity) for one in svg.resources(sheet)],
    }


def _bars(sheet: Sheet, i: int, axis: Axis) -> dict[str, object]:
    placed = sheet.schedule.placements[i]
    return {
        "state": svg.state(sheet, i),
        "tip": svg.tip(sheet, i),
        "first": _percent(axis.x(placed.start)),
        "last": _percent(axis.x(placed.finish)),
        "point": placed.start == placed.finish,
        "bars": [(_percent(a), _percent(b - a)) for a, b in svg.bars(sheet, i, axis)],
    }


def _area(sheet: Sheet, axis: Axis, resource: str, capacity: int) -> dict[str, object]:
    """The load as a path in a box that is 100 high, with some room above."""
    bins = min(_BINS, axis.length)
    shares = [min(1.0, mean / capacity) for mean in load(sheet, axis, resource, bins)]
    steps = [f"L{k} {100 - 84 * share:.0f}H{k + 1}" for k, share in enumerate(shares)]
    return {"wide": bins, "path": f"M0 100{''.join(steps)}V100z"}


def _percent(share: float) -> str:
    return f"{100 * share:.3f}".rstrip("0").rstrip(".") + "%"


def _row(sheet: Sheet, i: int) -> dict[str, object]:
    task = sheet.project.tasks[i]
    return {"name": summary.name(task), "state": svg.state(sheet, i)}


def _who(sheet: Sheet, i: int) -> tuple[str, ...]:
    return summary.people(sheet.schedule.placements[i], sheet.project)


def _data(sheet: Sheet, listed: list[int]) -> Markup:
    """What the script tells of each task: only text, which it shows as text."""
    explainer, clock = Explainer(sheet.network), Clock(sheet.project)
    place = {i: row for row, i in enumerate(listed)}
    found = []
    for i in listed:
        task, placed = sheet.project.tasks[i], sheet.schedule.placements[i]
        why = summary.step(explainer.reason(i), clock)
        lines = [
            (_("Start"), clock.moment(placed.start)),
            (_("Finish"), clock.moment(placed.finish)),
            (_("Who"), ", ".join(_who(sheet, i))),
            (_("Needs"), ", ".join(summary.others(placed, sheet.project))),
            (_("Mode"), summary.mode(placed, task)),
            (_("Slack"), tables.slack_text(sheet, i, clock)),
            (_("Note"), tables.note(task, placed, clock)),
            (_("Starts then because"), local(why)),
        ]
        arcs = {
            # the resource that is handed on; nothing for a link
            (place[arc.before], one_line(arc.resource)): None
            for arc in sheet.network.into[i]
            if arc.before in place
        }
        found.append(
            {
                "lines": [[title, value] for title, value in lines if value],
                "who": list(_who(sheet, i)),
                "slack": sheet.slack[i],
                "from": [list(one) for one in arcs],
            }
        )
    text = json.dumps(found, ensure_ascii=False, separators=(",", ":"))
    # Within <script> nothing but its end tag and comments are read; JSON may escape any letter.
    for letter in "<>&\u2028\u2029":
        text = text.replace(letter, f"\\u{ord(letter):04x}")
    return Markup(text)


def _cells(table: Table) -> dict[str, object]:
    """A table's heads and rows as the template draws them."""
    return {
        "title": table.title,
        "heads": [{"title": one_line(c.title), "kind": c.kind} for c in table.columns],
        "rows": [
            [
                {"text": one_line(shown(cell, column)), "kind": column.kind}
                for cell, column in zip(row, table.columns, strict=True)
            ]
            for row in table.rows
        ],
    }
