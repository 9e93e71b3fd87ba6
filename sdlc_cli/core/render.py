"""Table -> Markdown, HTML, CSV or JSON. `core.terminal` prints one for a terminal."""

import csv as _csv
import html as _html
import io
import json as _json
import re
from decimal import Decimal

from sdlc_cli.core.printable import encodable, one_line
from sdlc_cli.core.table import Cell, Table, shown

# What Markdown would read as more than text, and what GitHub turns into a notification or a link
# after Markdown is done.
_MARKUP = re.compile(r"[\\`*_{}\[\]<>|~&$]|:(?=//|[a-z+][\w+-]*:)|[@#](?=\w)")
_NO_WIDTH = "&#8203;"


def markdown_text(text: str) -> str:
    """`text` on one line that shows as it is in Markdown, in a table too, and pings nobody.

    Punctuation becomes character references. They would not keep `@name` from notifying somebody,
    since GitHub looks for names in the finished page: a space of no width does.
    """
    return _MARKUP.sub(_reference, one_line(text))


def markdown_code(text: str) -> str:
    """`text` in a code span that nothing inside can end, in a table too; GitHub links nothing."""
    return f"<code>{_MARKUP.sub(lambda found: f'&#{ord(found[0])};', one_line(text))}</code>"


def _reference(found: re.Match[str]) -> str:
    return f"{found[0]}{_NO_WIDTH}" if found[0] in "@#" else f"&#{ord(found[0])};"


def markdown(table: Table) -> str:
    """A GitHub table. Cells are escaped."""
    heads = [markdown_text(column.title) for column in table.columns]
    rules = ["--:" if column.kind == "number" else "---" for column in table.columns]
    lines = [heads, rules]
    lines += [[markdown_text(text) for text in _texts(row, table)] for row in table.rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def html(table: Table) -> str:
    """A `<table>` without style; cells are escaped."""
    head = "".join(f'<th scope="col">{_text(column.title)}</th>' for column in table.columns)
    body = "".join(f"<tr>{_cells(row, table)}</tr>\n" for row in table.rows)
    caption = f"<caption>{_text(table.title)}</caption>\n" if table.title else ""
    return f"<table>\n{caption}<thead><tr>{head}</tr></thead>\n<tbody>\n{body}</tbody>\n</table>\n"


def _texts(row: tuple[Cell, ...], table: Table) -> list[str]:
    return [shown(cell, column) for cell, column in zip(row, table.columns, strict=True)]


def _cells(row: tuple[Cell, ...], table: Table) -> str:
    return "".join(
        f'<td class="{column.kind}">{_text(text)}</td>'
        for text, column in zip(_texts(row, table), table.columns, strict=True)
    )


def _text(text: str) -> str:
    return _html.escape(encodable(text))


def csv(table: Table) -> str:
    """RFC 4180 with `\\n`; the first row holds the keys; numbers are whole and ungrouped.

    Text that a spreadsheet would run as a formula (it starts with = + - @ or a control
    character) gets an apostrophe in front, as OWASP advises; nothing else is changed.
    """
    out = io.StringIO()
    writer = _csv.writer(out, lineterminator="\n")
    writer.writerow(column.key for column in table.columns)
    for row in table.rows:
        writer.writerow([_csv_cell(cell) for cell in row])
    return out.getvalue()


def _csv_cell(cell: Cell) -> Cell:
    if isinstance(cell, Decimal):
        return f"{cell:f}"
    if not isinstance(cell, str):
        return cell
    text = encodable(cell)
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r", "\n") else text


def json(table: Table) -> str:
    """A list of objects by key. Decimals are strings without an exponent: money stays exact."""
    return _json.dumps(records(table), indent=2, ensure_ascii=False) + "\n"


def records(table: Table) -> list[dict[str, str | int | float | bool | None]]:
    """The rows as JSON has them. NaN and infinity, which JSON lacks, are null."""
    keys = [column.key for column in table.columns]
    return [dict(zip(keys, map(_json_cell, row), strict=True)) for row in table.rows]


def _json_cell(cell: Cell) -> str | int | float | bool | None:
    if isinstance(cell, Decimal):
        return f"{cell:f}"
    if isinstance(cell, float) and cell - cell != 0:
        return None
    return encodable(cell) if isinstance(cell, str) else cell
