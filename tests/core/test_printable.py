"""Text that is safe to show, whatever it was."""

import pytest

from sdlc_cli.core import printable


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("plain 実行 é", "plain 実行 é", id="kept"),
        pytest.param("a\nb\tc\r", "a\\nb\\tc\\r", id="white space"),
        pytest.param("\x1b[31m", "\\x1b[31m", id="terminal escape"),
        pytest.param("caf\udce9", "caf\\xe9", id="byte that is no UTF-8"),
        pytest.param("\ud800", "\\ud800", id="lone surrogate"),
        pytest.param("a\u202eb", "a\\u202eb", id="text that turns around"),
    ],
)
def test_visible_escapes_what_cannot_be_seen(text: str, expected: str) -> None:
    assert printable.visible(text) == expected


def test_encodable_changes_only_surrogates() -> None:
    assert printable.encodable("a\n\x1b\udcff\ud800é") == "a\n\x1b\\xff\\ud800é"


def test_one_line_joins_lines() -> None:
    assert printable.one_line("  a\r\n  b\x00 ") == "a b\\x00"


@pytest.mark.parametrize(
    ("path", "expected"),
    [("é", b"\xc3\xa9"), ("caf\udce9", b"caf\xe9"), ("\ud800", b"\\ud800")],
)
def test_path_bytes_are_those_of_the_file_system(path: str, expected: bytes) -> None:
    assert printable.path_bytes(path) == expected
