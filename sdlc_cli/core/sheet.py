"""Text and tables as lines for a terminal of any width, in any script. Loads nothing heavy."""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, replace

from sdlc_cli.core.columns import columns, cut, wrap
from sdlc_cli.core.printable import one_line
from sdlc_cli.core.table import Cell, Column, Table, shown

Style = Callable[[Column, Cell], str]

LEAST = 20  # columns of the narrowest terminal that is heeded
_BETWEEN = 3  # columns between each two of a table
_MOST_LINES = 4  # of a cell, before a table is hard to read
_CODES = {"bold": "1", "dim": "2", "red": "31", "green": "32", "yellow": "33", "cyan": "36"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """How the reader sees it: columns, colours, the letters that the encoding has."""

    width: int = 80
    color: bool = False
    encoding: str = "utf-8"

    @property
    def room(self) -> int:
        """The columns that lines may take."""
        return max(self.width, LEAST)

    @property
    def has_blocks(self) -> bool:
        """True when lines and blocks can be drawn with more than ASCII."""
        return self.encoding.lower().replace("-", "").startswith("utf")


def joined(lines: Iterable[str], look: Look) -> str:
    """All lines as one text; what the encoding lacks shows as backslash escapes."""
    text = "".join(f"{line.rstrip()}\n" for line in lines)
    return text.encode(look.encoding, "backslashreplace").decode(look.encoding)


def text(sentence: str, look: Look, style: str = "", *, indent: int = 0) -> list[str]:
    """A sentence as lines, each `indent` columns from the edge."""
    lines = _folded(one_line(sentence), look.room - indent)
    return [" " * indent + painted(line, style, look) for line in lines]


def item(sentence: str, look: Look, style: str = "") -> list[str]:
    """A list item; its later lines stand under its first word."""
    first, *rest = text(sentence, look, style, indent=2)
    return ["- " + first[2:], *rest]


def painted(line: str, style: str, look: Look) -> str:
    """`line` in a style as `bold red`, where colour is wanted."""
    if not style or not look.color or not line:
        return line
    codes = ";".join(_CODES[word] for word in style.split())
    return f"\x1b[{codes}m{line}\x1b[0m"


def grid(
    table: Table, look: Look, *, style: Style | None = None, whole: Collection[str] = ()
) -> list[str]:
    """`table` with a line under its heads; `style` gives a cell's style or nothing.

    No word is split as long as `least_width` allows that. The columns called `whole` keep their
    cells on one line, as the first column always does.
    """
    given = _given(table, look.room, whole)
    heads = [
        _folded(column.title, width) for column, width in zip(table.columns, given, strict=True)
    ]
    lines = _row(heads, given, table, bottom=True)
    lines.append(("─" if look.has_blocks else "-") * (sum(given) + _BETWEEN * (len(given) - 1)))
    for row in table.rows:
        cells = [
            _folded(one_line(shown(cell, column)), width)
            for cell, column, width in zip(row, table.columns, given, strict=True)
        ]
        styles = [
            style(c, cell) if style else "" for cell, c in zip(row, table.columns, strict=True)
        ]
        lines += _row(cells, given, table, styles=styles, look=look)
    return lines


def pairs(table: Table, look: Look) -> list[str]:
    """Each row's first cell, and below it the others by name, for a narrow terminal."""
    lines: list[str] = []
    for row in table.rows:
        first, *others = zip(row, table.columns, strict=True)
        lines += text(shown(*first), look)
        for cell, column in others:
            if cell not in (None, ""):
                lines += text(f"{column.title}: {shown(cell, column)}", look, indent=2)
    return lines


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


def reads_well(table: Table, width: int) -> bool:
    """True when `grid` can show `table` in `width` columns without a cell of many lines."""
    if least_width(table) > width:
        return False
    return all(
        -(-want // max(got, 1)) <= _MOST_LINES
        for want, got in zip(_wanted(table), _given(table, width, ()), strict=True)
    )


def _row(
    cells: Sequence[Sequence[str]],
    given: Sequence[int],
    table: Table,
    *,
    styles: Sequence[str] = (),
    look: Look | None = None,
    bottom: bool = False,
) -> list[str]:
    """Cells side by side; with `bottom` short ones stand at the last line, not at the first."""
    height = max(map(len, cells))
    lines: list[str] = []
    for at in range(height):
        parts: list[str] = []
        for i, (cell, width, column) in enumerate(zip(cells, given, table.columns, strict=True)):
            place = at - (height - len(cell)) if bottom else at
            line = cell[place] if 0 <= place < len(cell) else ""
            pad = " " * max(0, width - columns(line))
            shade = painted(line, styles[i], look) if look and styles else line
            parts.append(pad + shade if column.kind == "number" else shade + pad)
        lines.append((" " * _BETWEEN).join(parts))
    return lines


def _folded(line: str, width: int) -> list[str]:
    """Lines of at most `width` columns; a word that is longer is split."""
    if columns(line) <= width:
        return [line]
    found: list[str] = []
    for part in wrap(line, width):
        rest = part
        while columns(rest) > width:
            end = _end(rest, width)
            found.append(rest[:end])
            rest = rest[end:]
        found.append(rest)
    return found or [""]


def _end(line: str, width: int) -> int:
    """How many letters of `line` fit into `width` columns; at least one."""
    used = 0
    for place, letter in enumerate(line):
        used += columns(letter)
        if used > width:
            return max(place, 1)
    return len(line)


def _given(table: Table, width: int, whole: Collection[str]) -> list[int]:
    """The width of each column; where not all have what they want, numbers get it first."""
    wanted = _wanted(table)
    room = width - _BETWEEN * (len(wanted) - 1)
    if sum(wanted) <= room:
        return wanted
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
    return _squeezed(given, room)


def _squeezed(given: list[int], room: int) -> list[int]:
    """Where even the least is too much, the widest give way."""
    while sum(given) > room and max(given) > 1:
        given[given.index(max(given))] -= 1
    return given


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


def _wanted(table: Table) -> list[int]:
    """The width at which each column breaks no line."""
    return [
        max(map(columns, (c.title, *(one_line(shown(row[i], c)) for row in table.rows))))
        for i, c in enumerate(table.columns)
    ]


def _cut_row(row: tuple[Cell, ...], table: Table, room: int) -> tuple[Cell, ...]:
    return tuple(
        " ".join(cut(word, room) for word in one_line(cell).split(" "))
        if column.kind == "text" and isinstance(cell, str)
        else cell
        for cell, column in zip(row, table.columns, strict=True)
    )
