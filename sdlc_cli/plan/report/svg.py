"""Sheet -> one SVG: the tasks over time, and the load of the resources below."""

from collections.abc import Iterator
from html import escape

from sdlc_cli.core.columns import columns, cut
from sdlc_cli.core.i18n import _
from sdlc_cli.core.printable import one_line
from sdlc_cli.core.view import DEFAULT, View
from sdlc_cli.plan.model import Resource
from sdlc_cli.plan.report import Sheet, summary, tables
from sdlc_cli.plan.report.axis import Axis, load
from sdlc_cli.plan.report.clock import Clock

MOST_TASKS = 2000
MOST_RESOURCES = 200
_LEFT, _WIDTH, _RIGHT = 300, 1000, 24  # names, the axis, room for the last label
_ROW, _BAR, _TOP, _LOAD = 26, 14, 92, 30
_NAME = 36  # columns of a name
_BINS = 250
_FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', 'Noto Sans CJK JP', sans-serif"
_STYLE = f"""
svg {{ --page: #ffffff; --line: #dfe3e8; --text: #1b2330; --soft: #566072; --bar: #2f6fd6;
  --critical: #c4521a; --done: #8a94a3; --late: #bf2330; font: 13px {_FONT}; }}
@media (prefers-color-scheme: dark) {{ svg {{ --page: #1a202a; --line: #2d3644; --text: #e8ecf2;
  --soft: #a5afbf; --bar: #6ea3f5; --critical: #f0955c; --done: #6b7687; --late: #ff8f8c; }} }}
.page {{ fill: var(--page); }} text {{ fill: var(--text); }}
.head {{ font-size: 17px; font-weight: 700; }} .soft {{ fill: var(--soft); }}
.line {{ stroke: var(--line); }} .bar, .load {{ fill: var(--bar); }} .load {{ opacity: .55; }}
.pause {{ stroke: var(--bar); stroke-width: 2; }}
.critical .bar {{ fill: var(--critical); }} .critical .pause {{ stroke: var(--critical); }}
.done .bar {{ fill: var(--done); }} .done .pause {{ stroke: var(--done); }}
.late .bar {{ fill: var(--late); }} .late .pause {{ stroke: var(--late); }}
"""


def render(sheet: Sheet, view: View = DEFAULT) -> str:
    """A drawing of its own, light or dark as its reader has it; at most `MOST_TASKS` tasks."""
    del view
    return "".join(f"{line}\n" for line in _lines(sheet))


def _lines(sheet: Sheet) -> Iterator[str]:
    axis = Axis(sheet)
    listed = tables.order(sheet)[:MOST_TASKS]
    used = resources(sheet)[:MOST_RESOURCES]
    bottom = _TOP + _ROW * len(listed)
    height = bottom + (_LOAD * len(used) + 24 if used else 0) + 20
    width = _LEFT + _WIDTH + _RIGHT
    title = summary.headline(sheet)
    yield (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}"'
        f' height="{height}" role="img" aria-label="{text(title)}">'
    )
    yield f"<title>{text(title)}</title>"
    yield f"<style>{_STYLE}</style>"
    yield f'<rect class="page" width="{width}" height="{height}"/>'
    yield f'<text class="head" x="16" y="30">{text(title)}</text>'
    about = "; ".join(summary.facts(sheet))
    yield f'<text class="soft" x="16" y="52">{text(cut(about, 170))}</text>'
    for tick in axis.ticks(56 / _WIDTH):
        x = _LEFT + tick.x * _WIDTH
        yield f'<line class="line" x1="{x:.1f}" x2="{x:.1f}" y1="{_TOP - 14}" y2="{height - 20}"/>'
        yield f'<text class="soft" x="{x + 3:.1f}" y="{_TOP - 6}">{text(tick.label)}</text>'
    for row, i in enumerate(listed):
        yield from _task(sheet, i, axis, _TOP + row * _ROW)
    for row, resource in enumerate(used):
        yield from _load(sheet, axis, resource, bottom + 24 + row * _LOAD)
    yield "</svg>"


def _task(sheet: Sheet, i: int, axis: Axis, top: float) -> Iterator[str]:
    task, placed = sheet.project.tasks[i], sheet.schedule.placements[i]
    middle = top + _ROW / 2
    who = ", ".join(summary.people(placed, sheet.project))
    name = cut(summary.name(task), _NAME)
    yield f'<g class="{state(sheet, i)}"><title>{text(tip(sheet, i))}</title>'
    yield f'<text x="16" y="{middle + 4.5:.1f}">{text(name)}</text>'
    first, last = (_LEFT + axis.x(slot) * _WIDTH for slot in (placed.start, placed.finish))
    if placed.start == placed.finish:
        yield (f'<path class="bar" d="M{first:.1f} {middle - 7:.1f}l7 7l-7 7l-7-7z"/>')
    else:
        yield (
            f'<line class="pause" x1="{first:.1f}" x2="{last:.1f}" y1="{middle:.1f}"'
            f' y2="{middle:.1f}"/>'
        )
        for a, b in bars(sheet, i, axis):
            yield (
                f'<rect class="bar" x="{_LEFT + a * _WIDTH:.1f}" y="{middle - _BAR / 2:.1f}"'
                f' width="{max((b - a) * _WIDTH, 1.5):.1f}" height="{_BAR}" rx="2"/>'
            )
    room = _LEFT + _WIDTH + _RIGHT - last
    if who and room > 7 * min(columns(who), 24) + 8:
        y = middle + 4.5
        yield f'<text class="soft" x="{last + 6:.1f}" y="{y:.1f}">{text(cut(who, 24))}</text>'
    yield "</g>"


def _load(sheet: Sheet, axis: Axis, resource: Resource, top: float) -> Iterator[str]:
    bins = min(_BINS, axis.length)
    means = load(sheet, axis, resource.id, bins)
    tall = _LOAD - 8
    points = [
        f"{_LEFT + k * _WIDTH / bins:.1f} {top + tall * (1 - share):.1f}"
        f"H{_LEFT + (k + 1) * _WIDTH / bins:.1f}"
        for k, share in enumerate(min(1.0, mean / resource.capacity) for mean in means)
    ]
    name = cut(tables.resource_name(resource), _NAME)
    yield f'<text x="16" y="{top + tall - 5:.1f}">{text(name)}</text>'
    yield (
        f'<path class="load" d="M{_LEFT} {top + tall:.1f}L{"L".join(points)}V{top + tall:.1f}z"/>'
    )
    yield (
        f'<line class="line" x1="{_LEFT}" x2="{_LEFT + _WIDTH}" y1="{top + tall:.1f}"'
        f' y2="{top + tall:.1f}"/>'
    )


def resources(sheet: Sheet) -> list[Resource]:
    """The resources that the plan uses, in the project's order."""
    used = {name for placed in sheet.schedule.placements for name, _amount in placed.resources}
    return [resource for resource in sheet.project.resources if resource.id in used]


def state(sheet: Sheet, i: int) -> str:
    """What a task's colour tells: `late`, `done`, `critical` or `loose`."""
    task, placed = sheet.project.tasks[i], sheet.schedule.placements[i]
    if task.deadline is not None and placed.finish > task.deadline:
        return "late"
    if task.status == "done":
        return "done"
    return "critical" if tables.is_critical(sheet, i) else "loose"


def bars(sheet: Sheet, i: int, axis: Axis) -> list[tuple[float, float]]:
    """Where on the axis there is work on a task."""
    placed, work = sheet.schedule.placements[i], sheet.network.worktimes[i]
    return axis.stretches(work.between(placed.start, placed.finish))


def tip(sheet: Sheet, i: int) -> str:
    """What pointing at a task tells."""
    clock = Clock(sheet.project)
    task, placed = sheet.project.tasks[i], sheet.schedule.placements[i]
    parts = [
        summary.name(task),
        _("{start} to {finish}").format(
            start=clock.moment(placed.start), finish=clock.moment(placed.finish)
        ),
        ", ".join((*summary.people(placed, sheet.project), *summary.others(placed, sheet.project))),
    ]
    slack = tables.slack_text(sheet, i, clock)
    if slack:
        parts.append(f"{_('Slack')}: {slack}")
    return "; ".join(part for part in parts if part)


def text(words: str) -> str:
    """`words` as XML text or within an attribute."""
    return escape(one_line(words))
