"""Prints for a terminal of any width: tables and text through rich, into a string."""

import io
from collections.abc import Callable, Iterable

from rich.box import SIMPLE_HEAD, Box
from rich.console import Console, RenderableType
from rich.table import Table as RichTable
from rich.text import Text

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


def grid(table: Table, *, encoding: str, style: Style | None = None) -> RichTable:
    """`table` with a line under its heads; `style` gives a cell's rich style or nothing."""
    plain = not encoding.lower().replace("-", "").startswith("utf")
    drawn = RichTable(box=_PLAIN if plain else SIMPLE_HEAD, pad_edge=False, padding=(0, 1))
    drawn.show_edge = False
    for i, column in enumerate(table.columns):
        drawn.add_column(
            Text(column.title),
            justify="right" if column.kind == "number" else "left",
            overflow="fold",
            no_wrap=i == 0,
        )
    for row in table.rows:
        drawn.add_row(
            *(
                Text(one_line(shown(cell, column)), style=style(column, cell) if style else "")
                for cell, column in zip(row, table.columns, strict=True)
            )
        )
    return drawn
