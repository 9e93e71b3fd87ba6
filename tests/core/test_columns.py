"""Text in terminals: widths and line breaks in any script."""

import pytest

from sdlc_cli.core.columns import columns, cut, wrap


@pytest.mark.parametrize(
    ("text", "expected"),
    [("", 0), ("abc", 3), ("é", 1), ("e\u0301", 1), ("日本", 4), ("ｱ", 1), ("Ａ", 2), ("…", 1)],
)
def test_columns_counts_what_a_terminal_shows(text: str, expected: int) -> None:
    assert columns(text) == expected


@pytest.mark.parametrize(
    ("text", "width", "expected"),
    [
        ("one two three", 7, ["one two", "three"]),
        ("one two three", 8, ["one two", "three"]),
        ("unbreakable", 4, ["unbreakable"]),
        ("  much   space ", 40, ["much space"]),
        ("日本語の文章です。", 8, ["日本語の", "文章で", "す。"]),
        ("gates.yaml を読む", 12, ["gates.yaml", "を読む"]),
        ("", 10, [""]),
    ],
)
def test_wrap_breaks_where_the_script_allows(text: str, width: int, expected: list[str]) -> None:
    assert wrap(text, width) == expected


def test_wrap_indents_all_lines_but_the_first() -> None:
    assert wrap("one two three", 7, hang=2) == ["one two", "  three"]


@pytest.mark.parametrize("width", range(8, 40))
def test_wrap_loses_nothing(width: int) -> None:
    text = "Judge 日本語 text、and (mixed) words of several lengths, 全部。"

    assert "".join("".join(wrap(text, width)).split()) == "".join(text.split())


@pytest.mark.parametrize(
    ("text", "width", "expected"),
    [("short", 9, "short"), ("longer text", 8, "longe..."), ("日本語文", 7, "日本...")],
)
def test_cut_says_that_something_is_missing(text: str, width: int, expected: str) -> None:
    assert cut(text, width) == expected
