"""TOML, YAML and JSON parse or say where they stop making sense, however hostile."""

import pytest

from sdlc_cli.gate.formats import fault_in

DEEP = 1_000_000


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        pytest.param("toml", b'[a]\nb = "x"\r\n', id="toml"),
        pytest.param("json", b'\xef\xbb\xbf{"a": [1, 2.5, null]}', id="json with a mark"),
        pytest.param("json", '{"a": 1}'.encode("utf-16"), id="json in UTF-16"),
        pytest.param("json", b"9" * 100_000, id="a long number"),
        pytest.param("yaml", b"a: 1\n---\nb: !Ref x\n", id="two documents and a tag of its own"),
        pytest.param("yaml", b"!!python/object/apply:os.system [x]\n", id="a tag nobody acts on"),
        pytest.param("yaml", b"a: &x [1]\nb: *x\n", id="an alias"),
        pytest.param("yaml", "a: ö\n".encode("utf-16"), id="yaml in UTF-16"),
        pytest.param("yaml", b"", id="no yaml at all"),
    ],
)
def test_what_parses_has_no_fault(kind: str, data: bytes) -> None:
    assert fault_in(kind, "x", data) is None


@pytest.mark.parametrize(
    ("kind", "data", "place", "message"),
    [
        pytest.param("toml", b"a = 1\nb =\n", (2, 4), "Invalid value", id="toml"),
        pytest.param("toml", b"a = 1\na = 2\n", (2, 6), "Cannot overwrite a value", id="twice"),
        pytest.param("json", b'{"a": 1,}', (1, 9), "Expecting property name", id="json"),
        pytest.param("json", b"", (1, 1), "Expecting value", id="an empty file is no JSON"),
        pytest.param("yaml", b"a: 1\n b: 2\n", (2, 3), "mapping values", id="yaml"),
        pytest.param("yaml", b"a: *b\n", (1, 4), "undefined alias b", id="alias of nothing"),
        pytest.param("yaml", b"a: &b 1\n---\nc: *b\n", (3, 4), "undefined", id="other document"),
        pytest.param("yaml", b"a: \0\n", (0, 0), "control characters", id="a NUL"),
        pytest.param("json", b'{"a":\n "\xff"}', (2, 3), "not valid UTF-8: byte 0xff", id="bytes"),
    ],
)
def test_a_fault_is_placed(kind: str, data: bytes, place: tuple[int, int], message: str) -> None:
    fault = fault_in(kind, "x", data)

    assert fault is not None
    assert (fault.line, fault.column) == place
    assert message in fault.message


@pytest.mark.parametrize(
    "path",
    ["tsconfig.json", "web/tsconfig.base.json", ".vscode/settings.json", ".eslintrc.json"],
)
def test_comments_are_allowed_in_json_where_its_readers_allow_them(path: str) -> None:
    text = b'{\n  // a comment\n  "a": "//x, ]", /* b */\n  "c": [1, 2,], // d\n}'

    assert fault_in("json", path, text) is None
    assert fault_in("json", "data.json", text) is not None


def test_a_fault_after_a_comment_keeps_its_place() -> None:
    fault = fault_in("json", "tsconfig.json", b'{ /* c */ "a": }')

    assert fault is not None
    assert fault.column == 16


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        pytest.param("yaml", b"[" * DEEP, id="yaml flow"),
        pytest.param("yaml", b"{a: " * DEEP, id="yaml maps"),
        pytest.param("yaml", b"- " * DEEP, id="yaml block"),
        pytest.param("json", b"[" * DEEP, id="json"),
        pytest.param("toml", b"a = " + b"[" * DEEP, id="toml"),
        pytest.param("toml", b"a." * DEEP + b"a = 1", id="a toml key of a million parts"),
    ],
)
def test_nesting_without_end_is_told_soon(kind: str, data: bytes) -> None:
    with pytest.raises(RecursionError):
        fault_in(kind, "x", data)


def test_a_billion_laughs_cost_nothing() -> None:
    laughs = "a: &a [lol, lol]\n" + "".join(
        f"{name}: &{name} [{', '.join(['*' + before] * 9)}]\n"
        for before, name in zip("abcdefgh", "bcdefghi", strict=True)
    )

    assert fault_in("yaml", "x", laughs.encode()) is None
