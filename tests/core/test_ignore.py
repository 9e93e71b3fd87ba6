"""Ignore patterns decide as git's do."""

import pytest

from sdlc_cli.core.ignore import rules, rules_in


@pytest.mark.parametrize(
    ("patterns", "path", "ignored"),
    [
        pytest.param(["*.log"], "a/b.log", True, id="a name at any depth"),
        pytest.param(["/b.log"], "a/b.log", False, id="a leading slash anchors"),
        pytest.param(["a/*.log"], "x/a/b.log", False, id="a slash inside anchors too"),
        pytest.param(["a/*"], "a/b/c", True, id="with its folder"),
        pytest.param(["build/"], "build", False, id="only folders"),
        pytest.param(["build/"], "build/x", True, id="what is in the folder"),
        pytest.param(["*", "!*.py"], "x.py", False, id="the last line wins"),
        pytest.param(["a", "!a/x"], "a/x", True, id="nothing comes back from an ignored folder"),
        pytest.param(["**/x"], "x", True, id="any number of folders, also none"),
        pytest.param(["a/**/x"], "a/b/c/x", True, id="folders in between"),
        pytest.param(["a/**"], "a/b/c", True, id="all that is inside"),
        pytest.param(["[!a-c]"], "d", True, id="a set turned round"),
        pytest.param(["[]-]"], "]", True, id="a bracket in a set"),
        pytest.param(["[[:digit:]]x"], "7x", True, id="a named set"),
        pytest.param(["[a"], "[a", False, id="a set that never ends fits nothing"),
        pytest.param(["a\\"], "a\\", False, id="a last backslash fits nothing"),
        pytest.param(["\\#x"], "#x", True, id="an escaped hash"),
        pytest.param(["#x"], "#x", False, id="a comment"),
        pytest.param(["x  "], "x", True, id="spaces at the end fall away"),
        pytest.param(["x\\ "], "x ", True, id="an escaped space stays"),
        pytest.param(["caf??"], "café", True, id="bytes are what is counted"),
        pytest.param(["*a*b"], "xaybzb", True, id="the end counts, not the first fit"),
        pytest.param(["f?.py"], "f/.py", False, id="no wildcard takes a slash"),
    ],
)
def test_a_pattern_ignores(patterns: list[str], path: str, ignored: bool) -> None:
    assert rules(patterns).covers(path) is ignored


def test_a_file_with_windows_line_ends_and_a_byte_order_mark_reads_alike() -> None:
    lines = rules_in(b"\xef\xbb\xbf*.log\r\nb\r\n")

    assert lines.covers("x.log")
    assert lines.covers("b")


def test_a_hostile_pattern_takes_no_time() -> None:
    lines = rules(["*a" * 60 + "b", "/".join(["**/a"] * 40) + "/b"])

    assert not lines.covers("a" * 250)
    assert not lines.covers("a/" * 1000 + "c")
