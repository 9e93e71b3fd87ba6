"""A headline, a table, a few notes: the result of drill, simulate and tune in any form."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from rich.console import RenderableType
from rich.text import Text

from sdlc_cli.core import render as tables
from sdlc_cli.core.i18n import local
from sdlc_cli.core.printable import one_line
from sdlc_cli.core.table import Table
from sdlc_cli.core.terminal import grid, paint
from sdlc_cli.core.view import View

FORMATS = ("text", "markdown", "json")


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """What is shown. `good` colours the headline; `body` is the JSON result."""

    headline: str
    good: bool
    table: Table
    body: Mapping[str, object]
    notes: tuple[str, ...] = ()


def render(page: Page, form: str, view: View) -> str:
    """The page as `text`, `markdown` or `json`."""
    if form == "json":
        return json.dumps(page.body, indent=2, ensure_ascii=False) + "\n"
    if form == "markdown":
        notes = "".join(f"- {tables.markdown_text(local(note))}\n" for note in page.notes)
        return f"**{page.headline}**\n\n{tables.markdown(page.table)}" + (notes and f"\n{notes}")
    return paint(_parts(page, view), width=view.width, color=view.color, encoding=view.encoding)


def _parts(page: Page, view: View) -> Iterator[RenderableType]:
    yield Text(page.headline, style="bold green" if page.good else "bold red")
    yield Text()
    yield grid(page.table, encoding=view.encoding)
    for note in page.notes:
        yield Text(f"- {one_line(local(note))}")
