"""CostReport -> text for people at a terminal of any width: groups with bars, days as a line."""

from collections.abc import Iterator
from dataclasses import replace

from sdlc_cli.core import sheet as lines
from sdlc_cli.core.columns import columns, cut
from sdlc_cli.core.i18n import _
from sdlc_cli.core.printable import one_line
from sdlc_cli.core.sheet import Look, grid, item, joined, least_width
from sdlc_cli.core.table import Cell, Column, Table, shown
from sdlc_cli.core.view import DEFAULT, View
from sdlc_cli.cost.model import CostReport, Series
from sdlc_cli.cost.report import Sheet, summary, tables

MOST_GROUPS = 60
LEAST_BAR, MOST_BAR = 6, 24  # columns
_EIGHTHS = " ▏▎▍▌▋▊▉█"
_LEVELS = "▁▂▃▄▅▆▇█"
# What is left out first where the terminal is too narrow for all of it.
_SACRIFICES = (
    ("reasoning_tokens", "web_searches"),
    ("unknown_usage", "unpriced_calls"),
    ("cost_at_most_usd",),
    ("cache_write_tokens", "cache_read_tokens"),
    ("input_tokens", "output_tokens"),
    ("calls",),
)
_FIGURES = 40  # columns kept for numbers when names are cut


def render(sheet: Sheet, view: View = DEFAULT) -> str:
    """The cost first, then what it does not hold, the days, the groups."""
    look = Look(width=view.width, color=view.color, encoding=view.encoding)
    return joined(_parts(sheet, view, look), look)


def _parts(sheet: Sheet, view: View, look: Look) -> Iterator[str]:
    report = sheet.report
    yield from lines.text(summary.headline(report), look, "bold")
    yield from lines.text(summary.coverage_line(report), look)
    for warning in summary.warnings(report):
        yield from item(warning, look, "yellow")
    for note in summary.notes(sheet):
        yield from item(note, look, "dim")
    yield from _days(sheet.daily, look)
    yield from _groups(report, view, look)


def _groups(report: CostReport, view: View, look: Look) -> Iterator[str]:
    if not report.by or not report.groups:
        return
    yield ""
    most = None if view.verbose else MOST_GROUPS
    table = _that_fits(_short(tables.groups(report, people=True, most=most), look), report, look)
    if least_width(table, report.by) <= look.room:
        barred = _with_bars(table, report, most, look)
        yield from grid(barred, look, style=_style, whole=report.by)
    else:
        yield from _pairs(table, look)
    if most is not None and len(report.groups) > most:
        rest = _("{n} more groups: --verbose, or another --format").format(
            n=f"{len(report.groups) - most:,}"
        )
        yield ""
        yield from lines.text(rest, look, "dim")


def _short(table: Table, look: Look) -> Table:
    """Names cut to what leaves room for the figures; other formats have them whole."""
    texts = [i for i, column in enumerate(table.columns) if column.kind == "text"]
    room = max(12, (look.room - _FIGURES) // len(texts))
    rows = tuple(
        tuple(
            cut(one_line(cell), room) or " " if i in texts and isinstance(cell, str) else cell
            for i, cell in enumerate(row)
        )
        for row in table.rows
    )
    return replace(table, rows=rows)


def _that_fits(table: Table, report: CostReport, look: Look) -> Table:
    for gone in _SACRIFICES:
        if least_width(table, report.by) <= look.room:
            break
        table = table.without(gone)
    return table


def _with_bars(table: Table, report: CostReport, most: int | None, look: Look) -> Table:
    """The table with the cost as a bar, where there is room and something to compare."""
    room = min(look.room - least_width(table, report.by) - 3, MOST_BAR)
    listed = summary.ordered(report)[:most]
    dearest = max((group.amounts.pico for group in listed), default=0)
    if room < LEAST_BAR or not dearest or len(listed) < 2:
        return table
    bars = [_bar(group.amounts.pico / dearest, room, look) for group in listed]
    bars += [" "] * (len(table.rows) - len(bars))  # the total has none
    column = Column(key="bar", title="")
    rows = tuple((*row, bar) for row, bar in zip(table.rows, bars, strict=True))
    return Table(title=table.title, columns=(*table.columns, column), rows=rows)


def _bar(share: float, width: int, look: Look) -> str:
    """At least a trace for what costs anything."""
    if not share:
        return " "
    if not look.has_blocks:
        return "#" * max(1, round(share * width))
    full, part = divmod(max(1, round(share * width * 8)), 8)
    return "█" * full + (_EIGHTHS[part] if part else "")


def _style(column: Column, cell: Cell) -> str:
    del cell
    if column.key == "bar":
        return "cyan"
    return "bold" if column.key == "cost_usd" else ""


def _pairs(table: Table, look: Look) -> Iterator[str]:
    """Each group's name, and its cost below it, for a very narrow terminal."""
    cost = next(i for i, column in enumerate(table.columns) if column.key == "cost_usd")
    for row in table.rows:
        names = [str(cell) for cell, c in zip(row, table.columns, strict=True) if c.kind == "text"]
        yield from lines.text(" ".join(name for name in names if name), look)
        yield from lines.text(f"${shown(row[cost], table.columns[cost])}", look, "bold", indent=2)


def _days(daily: Series, look: Look) -> Iterator[str]:
    """The cost of each day as a line of blocks, where there are days to compare."""
    if len(daily) < 3 or not look.has_blocks:
        return
    label = _("By day")
    highest_day, highest = max(daily, key=lambda day: (day[1], day[0]))
    if not highest:
        return
    room = look.room - columns(label) - 1
    line = sparkline([pico for _day, pico in daily], max(10, room))
    yield ""
    yield f"{lines.painted(label, 'dim', look)} {lines.painted(line, 'cyan', look)}"
    yield from lines.text(
        _("{first} to {last}, highest ${cost} on {day}").format(
            first=daily[0][0], last=daily[-1][0], cost=summary.people(highest), day=highest_day
        ),
        look,
        "dim",
    )


def sparkline(values: list[int], width: int) -> str:
    """One block a value; where there are more than `width`, neighbours are added up."""
    step = max(1, -(-len(values) // max(width, 1)))
    sums = [sum(values[i : i + step]) for i in range(0, len(values), step)]
    if step > 1 and len(values) % step:
        sums[-1] = sums[-1] * step // (len(values) % step)  # the last has fewer days
    highest = max(sums, default=0)
    if highest <= 0:
        return _LEVELS[0] * len(sums)
    last = len(_LEVELS) - 1
    return "".join(_LEVELS[-(-value * last // highest)] for value in sums)
