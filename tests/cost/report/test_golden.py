"""The very files users get, kept where one can open them."""

from collections.abc import Callable

import pytest

from sdlc_cli.core.view import View
from sdlc_cli.cost.report import FORMATS, Sheet, load

# Vega's drawings change with its version; test_page.py looks into them.
pytestmark = pytest.mark.usefixtures("plain")

Sheets = dict[str, Callable[[], Sheet]]
Golden = Callable[[str, str], None]

FILES = {
    "table": "report.txt",
    "json": "report.json",
    "csv": "report.csv",
    "markdown": "report.md",
    "html": "report.html",
    "focus": "report.focus.csv",
}


@pytest.mark.parametrize("name", FORMATS)
def test_each_format_is_as_reviewed(name: str, sheets: Sheets, golden: Golden) -> None:
    golden(f"cost/{FILES[name]}", load(name).render(sheets["realistic"]()))


@pytest.mark.parametrize("width", [24, 40, 60, 120])
def test_the_table_is_as_reviewed_at_each_width(width: int, sheets: Sheets, golden: Golden) -> None:
    golden(
        f"cost/report.{width}.txt", load("table").render(sheets["realistic"](), View(width=width))
    )


@pytest.mark.parametrize("name", FORMATS)
def test_hostile_names_are_shown_as_reviewed(name: str, sheets: Sheets, golden: Golden) -> None:
    golden(f"cost/hostile.{FILES[name]}", load(name).render(sheets["hostile"]()))
