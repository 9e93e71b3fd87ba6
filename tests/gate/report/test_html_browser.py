"""The page in a real browser: its script runs, nobody else's does."""

import re
from collections.abc import Callable

import pytest

from sdlc_cli.gate.model import GateReport
from sdlc_cli.gate.report import html

Reports = dict[str, Callable[[], GateReport]]


def visible_severities(tree: str) -> list[str]:
    rows = re.findall(r"<li (data-severity=[^>]*)>", tree)
    return [re.findall(r'severity="(\w+)"', row)[0] for row in rows if "hidden" not in row]


def test_the_script_runs_and_all_findings_show(
    reports: Reports, browsed: Callable[[str, str], str]
) -> None:
    tree = browsed(html.render(reports["realistic"]()), "")

    assert ">5 of 5 shown</output>" in tree
    assert visible_severities(tree) == ["critical", "high", "medium", "medium", "low"]


@pytest.mark.parametrize(
    ("fragment", "expected"),
    [
        pytest.param("severity=medium", ["medium", "medium"], id="severity"),
        pytest.param("gate=security", ["high", "low"], id="gate"),
        pytest.param("search=aws", ["critical"], id="search"),
        pytest.param("gate=security&severity=critical", [], id="nothing fits"),
        pytest.param(
            "severity=nonsense", ["critical", "high", "medium", "medium", "low"], id="odd"
        ),
        pytest.param("sort=place&gate=security", ["high", "low"], id="sorted by place"),
        pytest.param("sort=rule", ["low", "high", "medium", "medium", "critical"], id="by rule"),
    ],
)
def test_the_address_filters_and_sorts(
    reports: Reports,
    browsed: Callable[[str, str], str],
    fragment: str,
    expected: list[str],
) -> None:
    tree = browsed(html.render(reports["realistic"]()), fragment)

    assert visible_severities(tree) == expected
    empty = re.findall(r'<p id="none"[^>]*>', tree)[0]
    assert ("hidden" in empty) is bool(expected)


def test_hostile_text_stays_text(
    reports: Reports, browsed: Callable[[str, str], str], hostile_text: str
) -> None:
    tree = browsed(html.render(reports["hostile"]()), "severity=critical")

    assert len(re.findall(r"<script\b", tree)) == 1
    assert len(re.findall(r"<style\b", tree)) == 1
    assert visible_severities(tree) == ["critical", "critical"]
    assert "&lt;script&gt;alert('x')&lt;/script&gt;" in tree
    assert hostile_text.split(" ")[0] not in tree


def test_six_thousand_findings_can_be_filtered(
    reports: Reports, browsed: Callable[[str, str], str]
) -> None:
    tree = browsed(html.render(reports["huge"]()), "severity=low&gate=security")

    assert len(visible_severities(tree)) > 100
    assert set(visible_severities(tree)) == {"low"}
