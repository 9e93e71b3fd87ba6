"""The very files users get, kept where one can open them."""

from collections.abc import Callable

import pytest

from sdlc_cli.core.view import View
from sdlc_cli.gate.model import GateReport
from sdlc_cli.gate.report import FORMATS, load

Reports = dict[str, Callable[[], GateReport]]

FILES = {
    "text": "report.txt",
    "json": "report.json",
    "sarif": "report.sarif",
    "junit": "report.junit.xml",
    "github": "report.github.txt",
    "gitlab": "report.gitlab.json",
    "markdown": "report.md",
    "html": "report.html",
}


@pytest.mark.parametrize("name", FORMATS)
def test_each_format_is_as_reviewed(
    name: str, reports: Reports, golden: Callable[[str, str], None]
) -> None:
    golden(f"gate/{FILES[name]}", load(name).render(reports["realistic"]()))


@pytest.mark.parametrize("width", [40, 60, 120])
def test_text_is_as_reviewed_at_each_width(
    width: int, reports: Reports, golden: Callable[[str, str], None]
) -> None:
    text = load("text").render(reports["realistic"](), View(width=width))

    golden(f"gate/report.{width}.txt", text)


@pytest.mark.parametrize("name", ["text", "markdown", "junit", "sarif"])
def test_hostile_text_is_shown_as_reviewed(
    name: str, reports: Reports, golden: Callable[[str, str], None]
) -> None:
    golden(f"gate/hostile.{FILES[name]}", load(name).render(reports["hostile"]()))
