"""Markdown for a comment on a pull request."""

import html
import re
from collections.abc import Callable

import pytest

from sdlc_cli.gate.model import GateReport
from sdlc_cli.gate.report import markdown

Reports = dict[str, Callable[[], GateReport]]


@pytest.mark.parametrize("name", ["realistic", "huge", "hostile", "empty"])
def test_a_comment_fits_into_what_github_takes(reports: Reports, name: str) -> None:
    assert len(markdown.render(reports[name]())) < 65_536


def test_long_text_everywhere_still_fits(reports: Reports) -> None:
    report = reports["huge"]()
    wordy = {name: getattr(report, name) for name in report.__slots__}
    wordy["reasons"] = ("<" * 9_000,) * 20
    text = markdown.render(GateReport(**wordy))

    assert len(text) < 65_536
    assert text.count("<details") == text.count("</details>") == 2


def test_nobody_is_notified_and_nothing_is_linked(reports: Reports) -> None:
    text = markdown.render(reports["hostile"]())
    outside_code = html.unescape(re.sub(r"<code>.*?</code>", "", text))

    assert not re.search(r"[@#]\w", outside_code)


def test_no_tag_but_ours_is_in_it(reports: Reports) -> None:
    tags = set(re.findall(r"</?(\w+)", markdown.render(reports["hostile"]())))

    assert tags == {"details", "summary", "code"}


def test_a_pipe_in_a_reason_does_not_add_a_column(reports: Reports) -> None:
    rows = [r for r in markdown.render(reports["hostile"]()).split("\n") if r.startswith("|")]

    assert {row.count("|") for row in rows} == {8}


def test_what_is_left_out_is_counted(reports: Reports) -> None:
    text = markdown.render(reports["huge"]())

    assert "6,000 findings, worst first" in text
    assert "5,900 more are not shown here." in text
