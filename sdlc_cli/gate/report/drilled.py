"""What became of the defects that a drill planted: for people, as Markdown, as JSON."""

import json
from collections.abc import Iterator

from rich.console import RenderableType
from rich.text import Text

from sdlc_cli.core import render as tables
from sdlc_cli.core.i18n import _, local
from sdlc_cli.core.printable import one_line
from sdlc_cli.core.terminal import grid, paint
from sdlc_cli.gate.drill import DrillReport, as_json, as_table
from sdlc_cli.gate.report import View


def render(report: DrillReport, form: str, view: View) -> str:
    """The drill's result as `text`, `markdown` or `json`."""
    if form == "json":
        return json.dumps(as_json(report), indent=2, ensure_ascii=False) + "\n"
    if form == "markdown":
        return f"**{verdict(report)}**\n\n" + tables.markdown(as_table(report))
    return paint(_parts(report, view), width=view.width, color=view.color, encoding=view.encoding)


def verdict(report: DrillReport) -> str:
    """How many of the defects were caught, in a sentence."""
    return _("{caught} of {total} defects caught, {seen} reported only, {missed} missed").format(
        caught=report.count("caught"),
        seen=report.count("seen"),
        missed=report.count("missed"),
        total=len(report.planted),
    )


def _parts(report: DrillReport, view: View) -> Iterator[RenderableType]:
    yield Text(verdict(report), style="bold green" if report.passed else "bold red")
    yield Text()
    yield grid(as_table(report), encoding=view.encoding)
    for note in report.notes:
        yield Text(f"- {one_line(local(note))}")
