"""A headline, tables, notes: budget, forecast, what-if and the other answers in any form."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from sdlc_cli.core import render as tables_out
from sdlc_cli.core.i18n import local
from sdlc_cli.core.jsontext import dumped
from sdlc_cli.core.printable import visible
from sdlc_cli.core.sheet import Look, fitted, grid, item, joined, pairs, reads_well, text
from sdlc_cli.core.table import Table
from sdlc_cli.core.view import DEFAULT, View

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
    look = Look(width=view.width, color=view.color, encoding=view.encoding)
    return joined(_parts(answer, look), look)


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


def _parts(answer: Answer, look: Look) -> Iterator[str]:
    yield from text(local(answer.headline), look, "bold green" if answer.good else "bold red")
    for table in answer.tables:
        if not table.rows:
            continue
        yield ""
        if table.title:
            yield from text(table.title, look, "bold")
        short = fitted(table, look.room)
        yield from grid(short, look) if reads_well(short, look.room) else pairs(table, look)
    if answer.notes:
        yield ""
    for note in answer.notes:
        yield from item(local(note), look, "dim")
