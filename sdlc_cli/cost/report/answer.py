"""A headline, tables, notes: budget, forecast, what-if and the other answers in any form."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from rich.console import RenderableType
from rich.padding import Padding
from rich.text import Text

from sdlc_cli.core import render as tables_out
from sdlc_cli.core.i18n import local
from sdlc_cli.core.printable import one_line, visible
from sdlc_cli.core.table import Table, shown
from sdlc_cli.core.terminal import fitted, grid, item, paint, reads_well
from sdlc_cli.cost.report import DEFAULT, View
from sdlc_cli.cost.report.json import dumped

__all__ = ["DEFAULT", "Answer", "render"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What is shown. `good` colours the headline; `document` is the JSON result."""

    headline: str
    document: Mapping[str, object]
    tables: tuple[Table, ...] = ()
    notes: tuple[str, ...] = ()
    good: bool = True


def render(answer: Answer, form: str, view: View = DEFAULT) -> str:
    """The answer as `table`, `markdown`, `csv` (its first table) or `json`."""
    if form == "json":
        return dumped(answer.document)
    if form == "csv":
        return tables_out.csv(_visible(answer.tables[0])) if answer.tables else ""
    if form == "markdown":
        return _markdown(answer)
    return paint(_parts(answer, view), width=view.width, color=view.color, encoding=view.encoding)


def _visible(table: Table) -> Table:
    """The table with control characters as they would be typed: a terminal would obey them."""
    rows = tuple(tuple(visible(c) if isinstance(c, str) else c for c in row) for row in table.rows)
    return replace(table, rows=rows)


def _markdown(answer: Answer) -> str:
    parts = [f"**{tables_out.markdown_text(local(answer.headline))}**\n"]
    for table in answer.tables:
        title = f"{tables_out.markdown_text(table.title)}\n\n" if table.title else ""
        parts.append(title + tables_out.markdown(table))
    if answer.notes:
        parts.append("".join(f"- {tables_out.markdown_text(local(n))}\n" for n in answer.notes))
    return "\n".join(parts)


def _parts(answer: Answer, view: View) -> Iterator[RenderableType]:
    yield Text(one_line(local(answer.headline)), style="bold green" if answer.good else "bold red")
    for table in answer.tables:
        if not table.rows:
            continue
        yield Text()
        if table.title:
            yield Text(one_line(table.title), style="bold")
        short = fitted(table, view.width)
        if reads_well(short, view.width):
            yield grid(short, encoding=view.encoding, width=view.width)
        else:
            yield from _pairs(table)
    if answer.notes:
        yield Text()
    for note in answer.notes:
        yield item(Text(one_line(local(note)), style="dim"))


def _pairs(table: Table) -> Iterator[RenderableType]:
    """Each row's first cell, and below it the others by name, for a narrow terminal."""
    for row in table.rows:
        first, *others = zip(row, table.columns, strict=True)
        yield Text(one_line(shown(*first)))
        for cell, column in others:
            if cell not in (None, ""):
                text = f"{column.title}: {one_line(shown(cell, column))}"
                yield Padding(Text(text), (0, 0, 0, 2))
