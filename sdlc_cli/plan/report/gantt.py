"""The plan as rows of blocks for a terminal, and the load of its resources below."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sdlc_cli.core.columns import columns, cut
from sdlc_cli.core.i18n import _
from sdlc_cli.core.sheet import Look, painted, text
from sdlc_cli.plan.report import Sheet, summary, tables
from sdlc_cli.plan.report.axis import Axis, Tick, load
from sdlc_cli.plan.report.clock import Clock

MOST_TASKS = 60
LEAST_BAR = 20
_GAP = "  "
_LEVELS = " ▁▂▃▄▅▆▇█"
_ASCII_LEVELS = " .:-=+*%@#"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Layout:
    """Columns of the parts of a row; 0: left out."""

    name: int
    who: int = 0
    start: int = 0
    finish: int = 0
    slack: int = 0
    bar: int

    @property
    def before(self) -> int:
        """The columns before the bar."""
        parts = (self.name, self.who, self.start, self.finish, self.slack)
        return sum(part + len(_GAP) for part in parts if part)


def rows(sheet: Sheet, look: Look, *, verbose: bool) -> Iterator[str]:
    """The tasks by their starts, at most `MOST_TASKS` unless `verbose`; then the load."""
    axis = Axis(sheet)
    listed = tables.order(sheet)[: None if verbose else MOST_TASKS]
    layout = _layout(sheet, listed, look)
    ticks = axis.ticks(6 / layout.bar)
    yield painted(_heads(layout) + _labels(ticks, layout.bar), "dim", look)
    for i in listed:
        yield _row(sheet, i, axis, layout, look)
    more = len(sheet.schedule.placements) - len(listed)
    if more:
        rest = _("{n} more tasks: --verbose, or another --format").format(n=f"{more:,}")
        yield from text(rest, look, "dim")
    loads = list(_loads(sheet, axis, layout, look))
    if loads:
        yield ""
        yield from loads
    yield from text(_legend(axis, look), look, "dim")


def _layout(sheet: Sheet, listed: Sequence[int], look: Look) -> _Layout:
    """As much beside the bar as leaves it `LEAST_BAR` and about half of the line."""
    clock, project = Clock(sheet.project), sheet.project
    placed = sheet.schedule.placements
    names = [columns(_("Task")), *(columns(summary.name(project.tasks[i])) for i in listed)]
    names += [columns(tables.resource_name(r)) for r in project.resources]
    who = [columns(", ".join(summary.people(placed[i], project))) for i in listed]
    dates = [columns(clock.short(placed[i].start)) for i in listed]
    dates += [columns(_("Start")), columns(_("Finish"))]
    slack = [columns(tables.slack_text(sheet, i, clock)) for i in listed]
    room = look.room
    wanted = {
        "name": min(max(names), 28 if room >= 100 else max(10, room // 4)),
        "start": max(dates) if room >= 56 else 0,
        "who": min(max(who, default=0), 14 if room >= 100 else 10) if room >= 76 else 0,
        "slack": max(columns(_("Slack")), *slack) if room >= 96 and listed else 0,
        "finish": max(dates) if room >= 112 else 0,
    }
    spent = sum(part + len(_GAP) for part in wanted.values() if part)
    for part in ("finish", "slack", "who", "start"):
        if room - spent >= LEAST_BAR:
            break
        spent -= wanted[part] + len(_GAP) if wanted[part] else 0
        wanted[part] = 0
    if room - spent < LEAST_BAR // 2:
        wanted["name"] = max(6, room - LEAST_BAR // 2 - len(_GAP))
        spent = wanted["name"] + len(_GAP)
    return _Layout(bar=max(4, room - spent), **wanted)


def _heads(layout: _Layout) -> str:
    return _line(layout, _("Task"), _("Start"), _("Who"), _("Slack"), _("Finish"))


def _line(layout: _Layout, name: str, start: str, who: str, slack: str, finish: str) -> str:
    parts = [_left(name, layout.name)]
    if layout.start:
        parts.append(_left(start, layout.start))
    if layout.finish:
        parts.append(_left(finish, layout.finish))
    if layout.who:
        parts.append(_left(who, layout.who))
    if layout.slack:
        parts.append(_right(slack, layout.slack))
    return _GAP.join(parts) + _GAP


def _left(text: str, width: int) -> str:
    short = cut(text, width)
    return short + " " * (width - columns(short))


def _right(text: str, width: int) -> str:
    short = cut(text, width)
    return " " * (width - columns(short)) + short


def _labels(ticks: Sequence[Tick], width: int) -> str:
    line = ""
    for tick in ticks:
        at = min(round(tick.x * width), width - len(tick.label))
        if at >= len(line):
            line = line.ljust(at) + tick.label + " "
    return line


def _row(sheet: Sheet, i: int, axis: Axis, layout: _Layout, look: Look) -> str:
    task, placed = sheet.project.tasks[i], sheet.schedule.placements[i]
    clock = Clock(sheet.project)
    critical = tables.is_critical(sheet, i)
    late = task.deadline is not None and placed.finish > task.deadline
    before = _line(
        layout,
        summary.name(task),
        clock.short(placed.start),
        ", ".join(summary.people(placed, sheet.project)),
        tables.slack_text(sheet, i, clock),
        clock.short(placed.finish),
    )
    style = "red" if late else "yellow" if critical else "dim" if task.status == "done" else "cyan"
    return before + painted(_bar(sheet, i, axis, layout.bar, look), style, look)


def _bar(sheet: Sheet, i: int, axis: Axis, width: int, look: Look) -> str:
    """Full where there is work on the task, a line in its pauses; critical ones are solid."""
    placed, work = sheet.schedule.placements[i], sheet.network.worktimes[i]
    critical = tables.is_critical(sheet, i)
    full, pause, point = ("█" if critical else "▒", "─", "◆") if look.has_blocks else (
        "#" if critical else "=", "-", "*",
    )  # fmt: skip
    if placed.finish == placed.start:
        at = min(width - 1, round(axis.x(placed.start) * width))
        return " " * at + point
    cells = [" "] * width
    first = min(width - 1, round(axis.x(placed.start) * width))
    last = max(first + 1, round(axis.x(placed.finish) * width))
    cells[first:last] = pause * (last - first)
    for a, b in axis.stretches(work.between(placed.start, placed.finish)):
        begin = min(width - 1, round(a * width))
        end = max(begin + 1, round(b * width))
        cells[begin:end] = full * (end - begin)
    return "".join(cells).rstrip()


def _loads(sheet: Sheet, axis: Axis, layout: _Layout, look: Look) -> Iterator[str]:
    """Each resource that the plan uses: how much of its capacity, over time."""
    used = {name for placed in sheet.schedule.placements for name, _amount in placed.resources}
    listed = [resource for resource in sheet.project.resources if resource.id in used]
    levels = _LEVELS if look.has_blocks else _ASCII_LEVELS
    for resource in listed[:MOST_TASKS]:
        means = load(sheet, axis, resource.id, layout.bar)
        shares = [mean / resource.capacity for mean in means]
        top = len(levels) - 1
        line = "".join(levels[min(top, -int(-share * top // 1))] for share in shares)
        busy = summary.share(sum(shares) / len(shares), 0)
        head = _left(tables.resource_name(resource), layout.name) + _GAP
        rest = layout.before - columns(head)
        words = _("{share} busy").format(share=busy)
        busy = words if columns(words) <= rest - len(_GAP) else busy
        head += _left(busy, rest - len(_GAP)) + _GAP if rest > len(_GAP) else ""
        yield head + painted(line, "cyan", look)


def _legend(axis: Axis, look: Look) -> str:
    solid, light = ("█", "▒") if look.has_blocks else ("#", "=")
    words = _("{solid} critical, {light} has slack").format(solid=solid, light=light)
    if axis.worked is None:
        return words
    return _("{words}; hours in which nobody works are not drawn").format(words=words)
