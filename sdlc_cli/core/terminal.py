"""Prints for a terminal of any width: tables and text through rich, into a string."""

import io
from collections.abc import Callable, Collection, Iterable
from dataclasses import replace

from rich.box import SIMPLE_HEAD, Box
from rich.console import Console, RenderableType
from rich.table import Table as RichTable
from rich.text import Text

from sdlc_cli.core.columns import columns, cut
from sdlc_cli.core.printable import one_line
from sdlc_cli.core.table import Cell, Column, Table, shown

Style = Callable[[Column, Cell], str]

# SIMPLE_HEAD in letters that every encoding has.
_PLAIN = Box("    \n    \n -- \n    \n    \n    \n    \n    \n", ascii=True)


def paint(parts: Iterable[RenderableType], *, width: int, color: bool, encoding: str) -> str:
    """All parts as text of at most `width` columns, with escape codes only if `color`.

    What `encoding` lacks is shown as backslash escapes, so that printing cannot fail.
    """
    out = io.StringIO()
    console = Console(
        file=out,
        width=max(width, 20),
        color_system="standard" if color else None,
        force_terminal=color,
        no_color=not color,
        markup=False,
        emoji=False,
        highlight=False,
        legacy_windows=False,
        _environ={},
    )
    for part in parts:
        console.print(part)
    lines = out.getvalue().split("\n")
    text = "\n".join(line if color else line.rstrip() for line in lines)
    return text.encode(encoding, "backslashreplace").decode(encoding)


def item(text: Text, bullet: str = "- ") -> RenderableType:
    """A list item whose later lines stand under its first word."""
    pair = RichTable.grid()
    pair.add_column(width=len(bullet), no_wrap=True)
    pair.add_column(overflow="fold")
    pair.add_row(Text(bullet), text)
    return pair


def grid(
    table: Table,
    *,
    encoding: str,
    style: Style | None = None,
    width: int = 0,
    whole: Collection[str] = (),
) -> RichTable:
    """`table` with a line under its heads; `style` gives a cell's rich style or nothing.

    Within `width`, where it is given, no word is split as long as `least_width` allows that. The
    columns called `whole` keep their cells on one line, as the first column always does.
    """
    plain = not encoding.lower().replace("-", "").startswith("utf")
    drawn = RichTable(box=_PLAIN if plain else SIMPLE_HEAD, pad_edge=False, padding=(0, 1))
    drawn.show_edge = False
    fixed = _shared(table, width, whole) if width else None
    for i, column in enumerate(table.columns):
        drawn.add_column(
            Text(column.title),
            justify="right" if column.kind == "number" else "left",
            overflow="fold",
            no_wrap=(i == 0 or column.key in whole) and fixed is None,
            width=fixed[i] if fixed else None,
        )
    for row in table.rows:
        drawn.add_row(
            *(
                Text(one_line(shown(cell, column)), style=style(column, cell) if style else "")
                for cell, column in zip(row, table.columns, strict=True)
            )
        )
    return drawn


def least_width(table: Table, whole: Collection[str] = ()) -> int:
    """The columns that `grid` needs before a word in `table` is split."""
    wide = _tight(table, whole)
    return sum(wide) + _BETWEEN * (len(wide) - 1)


def fitted(table: Table, width: int, least: int = 12) -> Table:
    """`table` with names cut, to no less than `least` columns, so that `grid` fits into `width`.

    Only words that are too long are cut, in columns of text; sentences wrap.
    """
    made, room = table, max(width, least)
    while room > least and least_width(made) > width:
        room = max(least, room - 4)
        made = replace(table, rows=tuple(_cut_row(row, table, room) for row in table.rows))
    return made


def _cut_row(row: tuple[Cell, ...], table: Table, room: int) -> tuple[Cell, ...]:
    return tuple(
        " ".join(cut(word, room) for word in one_line(cell).split(" "))
        if column.kind == "text" and isinstance(cell, str)
        else cell
        for cell, column in zip(row, table.columns, strict=True)
    )


def reads_well(table: Table, width: int) -> bool:
    """True when `grid` can show `table` in `width` columns without a cell of many lines."""
    if least_width(table) > width:
        return False
    given = _shared(table, width, ())
    return given is None or all(
        -(-want // max(got, 1)) <= _MOST_LINES
        for want, got in zip(_wanted(table), given, strict=True)
    )


_MOST_LINES = 4  # of a cell
_BETWEEN = 3  # columns between each two of a grid


def _tight(table: Table, whole: Collection[str]) -> list[int]:
    """The least width of each column: its longest word, or cell where cells stay whole."""
    wide: list[int] = []
    for i, column in enumerate(table.columns):
        cells = [one_line(shown(row[i], column)) for row in table.rows]
        keeps = i == 0 or column.key in whole
        words = cells if keeps else [word for cell in cells for word in cell.split()]
        head = [column.title] if i == 0 else column.title.split()
        wide.append(max(map(columns, (*head, *words)), default=0))
    return wide


def _shared(table: Table, width: int, whole: Collection[str]) -> list[int] | None:
    """The width of each column where not all have what they want; first numbers get it."""
    wanted = _wanted(table)
    room = width - _BETWEEN * (len(wanted) - 1)
    if sum(wanted) <= room:
        return None
    given = _tight(table, whole)
    spare = max(0, room - sum(given))
    numbers = [i for i, column in enumerate(table.columns) if column.kind == "number"]
    for i in numbers:
        more = min(wanted[i] - given[i], spare)
        given[i] += more
        spare -= more
    texts = [i for i in range(len(given)) if i not in numbers]
    while spare and any(given[i] < wanted[i] for i in texts):
        neediest = max(texts, key=lambda i: wanted[i] / max(given[i], 1))
        given[neediest] += 1
        spare -= 1
    return given


def _wanted(table: Table) -> list[int]:
    """The width at which each column breaks no line."""
    return [
        max(map(columns, (c.title, *(one_line(shown(row[i], c)) for row in table.rows))))
        for i, c in enumerate(table.columns)
    ]
