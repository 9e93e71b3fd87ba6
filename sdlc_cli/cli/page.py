"""Help pages as text: any width, any script, with or without colour. Knows nothing of Typer."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from sdlc_cli.core.columns import columns, wrap
from sdlc_cli.core.i18n import _

WIDEST = 100  # columns; longer lines are hard to read, so wider terminals gain nothing
_SIDE_BY_SIDE = 60  # columns from which terms and texts stand beside each other
_ANSI_BOLD, _ANSI_PLAIN = "\x1b[1m", "\x1b[0m"


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """Terms with their texts, under a title."""

    title: str
    rows: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One help page. In `text` an empty line parts paragraphs; an indented line stays as it is."""

    usage: str
    text: str
    sections: tuple[Section, ...]
    footer: str = ""


def render(page: Page, width: int, *, color: bool = False) -> str:
    """The page, at most `width` columns wide where its words allow it."""
    width = max(20, min(width, WIDEST))
    usage = _("Usage:") + " "
    lines = wrap(usage + page.usage, width, hang=min(columns(usage), 8))
    for paragraph in paragraphs(page.text):
        lines += ["", *_flow(paragraph, width)]
    for section in page.sections:
        title = f"{_ANSI_BOLD}{section.title}{_ANSI_PLAIN}" if color else section.title
        lines += ["", title, *_rows(section.rows, width)]
    if page.footer:
        lines += ["", *wrap(page.footer, width)]
    return "\n".join(lines) + "\n"


def paragraphs(text: str) -> list[str]:
    """The paragraphs of a text, each still with its line breaks."""
    return [part for part in re.split(r"\n[ \t]*\n", text.strip("\n")) if part.strip()]


def _flow(paragraph: str, width: int) -> list[str]:
    lines: list[str] = []
    running: list[str] = []
    for line in paragraph.splitlines():
        if line.startswith("  "):  # an example: its line breaks and blanks mean something
            lines += wrap(" ".join(running), width) if running else []
            running = []
            lines.append(line.rstrip())
        else:
            running.append(line)
    return lines + (wrap(" ".join(running), width) if running else [])


def _rows(rows: Sequence[tuple[str, str]], width: int) -> list[str]:
    lines: list[str] = []
    widest = max((columns(term) for term, _text in rows), default=0)
    column = min(widest, max(16, width // 3)) + 4
    for term, text in rows:
        if width < _SIDE_BY_SIDE:
            lines += wrap("  " + term, width, hang=4) if not term else [f"  {term}"]
            lines += [" " * 6 + line for line in wrap(text, width - 6)] if text else []
            continue
        body = wrap(text, width - column) if text else []
        if columns(term) + 4 <= column and body:
            pad = " " * (column - 2 - columns(term))
            lines.append(f"  {term}{pad}{body.pop(0)}")
        else:
            lines.append(f"  {term}")
        lines += [" " * column + line for line in body]
    return lines
