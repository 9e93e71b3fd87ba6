"""Text for people, at any width and in any encoding."""

import re
from collections.abc import Callable
from dataclasses import replace

import pytest
from rich.cells import cell_len

from sdlc_cli.core import i18n
from sdlc_cli.core.view import View
from sdlc_cli.gate.model import GateReport
from sdlc_cli.gate.report import text

Reports = dict[str, Callable[[], GateReport]]
WIDTHS = (40, 60, 80, 120)


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", ["realistic", "hostile", "huge", "empty", "only_skipped"])
def test_no_line_is_wider_than_the_terminal(reports: Reports, name: str, width: int) -> None:
    printed = text.render(reports[name](), View(width=width))

    assert max(map(cell_len, printed.split("\n"))) <= width


@pytest.mark.parametrize("width", [20, 30, 40])
def test_no_word_of_the_gates_is_split(reports: Reports, width: int) -> None:
    report = reports["realistic"]()
    printed = text.render(report, View(width=width))

    assert max(map(cell_len, printed.split("\n"))) <= width
    words = set(printed.split())
    for result in report.results:
        assert {result.name, result.status} <= words


@pytest.mark.parametrize("width", WIDTHS)
def test_wide_letters_of_a_pseudo_language_fit_too(reports: Reports, width: int) -> None:
    i18n.use(i18n.PSEUDO)
    try:
        printed = text.render(reports["realistic"](), View(width=width))
    finally:
        i18n.use("en")

    assert max(map(cell_len, printed.split("\n"))) <= width


def test_the_verdict_and_the_score_stand_first(reports: Reports) -> None:
    lines = text.render(reports["realistic"]()).split("\n")

    assert lines[0] == "Could not be judged: score 69.9, 80.0 needed"
    assert lines[1].startswith("3 of 8 gates passed, 66 % of the weight judged")


def test_without_color_there_is_no_escape_code(reports: Reports) -> None:
    assert "\x1b" not in text.render(reports["realistic"]())


def test_color_only_adds_escape_codes(reports: Reports) -> None:
    painted = text.render(reports["realistic"](), View(color=True))
    plain = re.sub(r"\x1b\[[0-9;]*m", "", painted)

    assert "\x1b[" in painted
    assert [line.rstrip() for line in plain.split("\n")] == text.render(
        reports["realistic"]()
    ).split("\n")


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8"])
def test_what_the_encoding_lacks_is_escaped(reports: Reports, encoding: str) -> None:
    printed = text.render(reports["realistic"](), View(encoding=encoding))

    assert printed.encode(encoding)
    assert ("実行" in printed) is (encoding == "utf-8")
    assert ("─" in printed) is (encoding == "utf-8")


def test_markup_in_a_message_is_text(reports: Reports) -> None:
    assert "[bold red]x[/]" in text.render(reports["hostile"](), View(width=200))


def test_ten_findings_are_shown_and_verbose_shows_all(reports: Reports) -> None:
    short = text.render(reports["huge"]())
    long = text.render(reports["huge"](), View(verbose=True))

    assert short.count("has complexity") == 10
    assert "What to fix first (10 of 6,000 findings)" in short
    assert "All findings: --verbose" in short
    assert long.count("has complexity") == 6_000
    assert "f499.py" in long


def test_a_score_just_under_the_minimum_is_not_rounded_up(reports: Reports) -> None:
    assert "89.9" in text.render(reports["realistic"]())
    assert "90.0" not in text.render(reports["realistic"]())


def test_a_change_that_concerns_no_gate_passes_and_says_so(reports: Reports) -> None:
    report = replace(reports["only_skipped"](), exit_code=0, reasons=("skipped: no changes",))
    lines = text.render(report).split("\n")

    assert lines[0] == "Passed: no score"
    assert "- skipped: no changes" in lines
