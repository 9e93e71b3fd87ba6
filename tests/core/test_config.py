"""Config files: what is read, and that every mistake is told with its line."""

import os
import string
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import Meta, Struct

from sdlc_cli.core.config import MAX_PROBLEMS, load, place, read
from sdlc_cli.core.errors import ConfigError
from sdlc_cli.core.i18n import PSEUDO, Message, local, msg, use
from sdlc_cli.core.nearest import nearest
from sdlc_cli.core.units import Bytes, Command, Seconds


class Part(Struct, frozen=True, kw_only=True):
    name: Annotated[str, Meta(min_length=1)]
    size: int = 1


class Sample(Struct, frozen=True, kw_only=True):
    text: str = ""
    version: Annotated[str, Meta(pattern=r"^3\.[0-9]+$", examples=["3.12"])] = "3.11"
    ratio: Annotated[float, Meta(ge=0, le=1)] = 0.5
    count: Annotated[int, Meta(ge=1)] = 1
    below: Annotated[float, Meta(gt=0, lt=10)] = 1
    most: Annotated[int, Meta(le=5)] = 1
    on: bool = False
    level: Literal["low", "high"] = "low"
    number: Literal[1, 2] = 1
    either: float | dict[Literal[1, 2], float] | None = None
    words: tuple[str, ...] = ()
    table: dict[str, str] = {}
    part: Part | None = None
    parts: Annotated[tuple[Part, ...], Meta(max_length=3)] = ()
    wait: Seconds = 1
    room: Bytes = 1
    run: Command = ()

    def mistakes(self) -> list[tuple[tuple[str | int, ...], Message]]:
        if self.count > 5 and self.ratio == 0:
            return [(("count",), msg("count and ratio do not fit"))]
        return []


def problems(text: str, environ: Mapping[str, str] | None = None) -> list[str]:
    """What is wrong with `text`, without the file's name."""
    with pytest.raises(ConfigError) as caught:
        read(text, "f.yaml", Sample, environ or {})
    assert all(problem.startswith("f.yaml:") for problem in caught.value.problems)
    return [problem.removeprefix("f.yaml:") for problem in caught.value.problems]


@pytest.mark.parametrize(
    ("text", "field", "expected"),
    [
        pytest.param("version: 3.10", "version", "3.10", id="a version needs no quotes"),
        pytest.param("text: 010", "text", "010", id="text keeps a number as it is written"),
        pytest.param("text: on", "text", "on", id="on is text"),
        pytest.param("text: no", "text", "no", id="no is text"),
        pytest.param("text: 1:30", "text", "1:30", id="1:30 is text"),
        pytest.param("text: 'true'", "text", "true", id="quoted truth is text"),
        pytest.param("text: !!str true", "text", "true", id="a tag makes it text"),
        pytest.param("text: |\n  a\n  b\n", "text", "a\nb\n", id="a block of text"),
        pytest.param("count: 010", "count", 10, id="010 is ten"),
        pytest.param("count: 0x1F", "count", 31, id="hexadecimal"),
        pytest.param("count: 0o17", "count", 15, id="octal"),
        pytest.param("count: 2.0", "count", 2, id="a whole float"),
        pytest.param("ratio: 1", "ratio", 1.0, id="a whole number for a float"),
        pytest.param("ratio: 5e-1", "ratio", 0.5, id="an exponent"),
        pytest.param("on: true", "on", True, id="true"),
        pytest.param("on: False", "on", False, id="False"),
        pytest.param("level: high", "level", "high", id="a word of a few"),
        pytest.param("number: 2", "number", 2, id="a number of a few"),
        pytest.param("either: 3", "either", 3.0, id="a union's number"),
        pytest.param("either: {1: 2, 0x2: 3}", "either", {1: 2.0, 2: 3.0}, id="a union's table"),
        pytest.param("either:", "either", None, id="a union's nothing"),
        pytest.param("words: [a, 3.10, '']", "words", ("a", "3.10", ""), id="a list"),
        pytest.param("table: {on: 1, true: x}", "table", {"on": "1", "true": "x"}, id="a table"),
        pytest.param("part: {name: x}", "part", Part(name="x"), id="a struct"),
        pytest.param("parts:\n- name: x\n- {name: y, size: 2}", "parts",
                     (Part(name="x"), Part(name="y", size=2)), id="a list of structs"),
        pytest.param("wait: 250ms", "wait", 0.25, id="a time"),
        pytest.param("wait: 3", "wait", 3.0, id="a plain time is seconds"),
        pytest.param("room: 50MiB", "room", 50 * 2**20, id="a size"),
        pytest.param("room: 1.5kB", "room", 1500, id="a broken size"),
        pytest.param("run: pytest -k 'a b'", "run", ("pytest", "-k", "a b"), id="a command line"),
        pytest.param("run: [sleep, 0.50]", "run", ("sleep", "0.50"), id="a command's words"),
        pytest.param("run: true", "run", ("true",), id="the program called true"),
        pytest.param("run: echo ${HOME}", "run", ("echo", "${HOME}"), id="commands stay whole"),
        pytest.param("run: ['${HOME}']", "run", ("${HOME}",), id="their words too"),
        pytest.param("text: a ${NAME} b", "text", "a nine b", id="a variable inside text"),
        pytest.param("text: $${NAME}", "text", "${NAME}", id="a literal"),
        pytest.param("text: $NAME $$", "text", "$NAME $$", id="only braces are replaced"),
        pytest.param("text: ${NOT:-x y}", "text", "x y", id="a default"),
        pytest.param("text: ${NOT:-}", "text", "", id="an empty default is text"),
        pytest.param("text: ${EMPTY:-x}", "text", "x", id="a default for an empty variable"),
        pytest.param("text: ${TRUTH}", "text", "true", id="a variable is always text"),
        pytest.param("count: ${FIVE}", "count", 5, id="a variable read as a number"),
        pytest.param("count: '${FIVE}'", "count", 5, id="quotes do not matter then"),
        pytest.param("on: ${TRUTH}", "on", True, id="a variable read as truth"),
        pytest.param("wait: ${FIVE}m", "wait", 300.0, id="a variable in an amount"),
        pytest.param("number: ${NOT:-2}", "number", 2, id="a variable for one of a few"),
        pytest.param("{<<: {text: a, count: 3}, text: b}", "count", 3, id="merged keys"),
        pytest.param("{<<: [{text: a}, {text: c}]}", "text", "a", id="merged, first wins"),
        pytest.param("\ufefftext: a", "text", "a", id="a byte order mark"),
        pytest.param("text: a\r\ncount: 2\r\n", "count", 2, id="CRLF"),
    ],
)  # fmt: skip
def test_a_value_is_read(text: str, field: str, expected: object) -> None:
    environ = {"NAME": "nine", "FIVE": "5", "TRUTH": "true", "EMPTY": ""}

    value = getattr(read(text, "f.yaml", Sample, environ), field)

    assert value == expected
    assert type(value) is type(expected)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("\ntxet: a", "2: txet: unknown key (nearest: 'text')", id="near miss"),
        pytest.param("part: {name: x, nam: y}", "1: part.nam: unknown key (nearest: 'name')",
                     id="near miss below"),
        pytest.param("part: {name: x, zzz: y}", "1: part.zzz: unknown key; there are: name, size",
                     id="no near key"),
        pytest.param("text: a\ncount: 2\ntext: b", "3: text: written twice, first in line 1",
                     id="written twice"),
        pytest.param("either: {1: 2, 0x1: 3}", "1: either.0x1: written twice, first in line 1",
                     id="one number in two forms"),
        pytest.param("part: {size: 2}", "1: part.name: missing, and needed here", id="missing"),
        pytest.param("parts:\n- name: a\n- size: 2", "3: parts[1].name: missing, and needed here",
                     id="missing in a list"),
        pytest.param("text: [a]", "1: text: wants text, found a list", id="list for text"),
        pytest.param("text: true", "1: text: wants text, found true, which means true or false"
                     " (quote it for text)", id="truth for text"),
        pytest.param("text:", "1: text: wants text, found nothing", id="nothing for text"),
        pytest.param("count: a", "1: count: wants a whole number, found the text 'a'",
                     id="text for a number"),
        pytest.param("count: '5'", "1: count: wants a whole number, found the text '5'",
                     id="quoted number"),
        pytest.param("count: ${NAME}", "1: count: wants a whole number, found the text '${NAME}'",
                     id="replaced text for a number"),
        pytest.param("count: 1.5", "1: count: wants a whole number, found 1.5", id="broken number"),
        pytest.param("count: true", "1: count: wants a whole number, found true, which means true"
                     " or false (quote it for text)", id="truth for a number"),
        pytest.param("on: yes", "1: on: wants true or false, found the text 'yes'", id="yes"),
        pytest.param("on: 1", "1: on: wants true or false, found the number 1", id="1 for truth"),
        pytest.param("ratio: .nan", "1: ratio: must be a finite number, found .nan", id="NaN"),
        pytest.param("ratio: -.inf", "1: ratio: must be a finite number, found -.inf", id="inf"),
        pytest.param("ratio: 1e999", "1: ratio: must be a finite number, found 1e999", id="1e999"),
        pytest.param("count: 1" + "0" * 309, "1: count: must be a finite number, found 1"
                     + "0" * 58 + "…", id="beyond float"),
        pytest.param("count: -" + "9" * 5000, "1: count: must be a finite number, found -"
                     + "9" * 58 + "…", id="beyond what Python converts"),
        pytest.param("ratio: 2", "1: ratio: must be from 0 to 1, found 2", id="out of range"),
        pytest.param("count: 0", "1: count: must be at least 1, found 0", id="too small"),
        pytest.param("most: 6", "1: most: must be at most 5, found 6", id="too large"),
        pytest.param("below: 10", "1: below: must be below 10, found 10", id="not below"),
        pytest.param("below: 0", "1: below: must be above 0, found 0", id="not above"),
        pytest.param("level: hihg", "1: level: must be one of high, low, found the text 'hihg'"
                     " (nearest: 'high')", id="none of a few"),
        pytest.param("level: zzz", "1: level: must be one of high, low, found the text 'zzz'",
                     id="none, and none near"),
        pytest.param("number: 3", "1: number: must be one of 1, 2, found the number 3",
                     id="none of the numbers"),
        pytest.param("number: true", "1: number: must be one of 1, 2, found true, which means true"
                     " or false (quote it for text)", id="true is not 1"),
        pytest.param("either: x", "1: either: wants a number or a section of keys, found the text"
                     " 'x'", id="none of a union"),
        pytest.param("either: {3: 1}", "1: either.3: must be one of 1, 2, found the text '3'",
                     id="a key that is none of the numbers"),
        pytest.param("version: 2.7", "1: version: must look like '3.12', found '2.7'",
                     id="against the pattern"),
        pytest.param("words: a", "1: words: wants a list, found the text 'a'", id="text for list"),
        pytest.param("words:\n- a\n- {b: c}", "3: words[1]: wants text, found a section of keys",
                     id="section for text"),
        pytest.param("part: {name: ''}", "1: part.name: must not be empty", id="empty text"),
        pytest.param("parts: [{name: a}, {name: b}, {name: c}, {name: d}]",
                     "1: parts: must hold at most 3 items, found 4", id="too many"),
        pytest.param("wait: 5", None, id="a plain time is fine"),
        pytest.param("wait: 5x", "1: wait: wants a time such as 250ms, 30s or 10m, found '5x'",
                     id="no unit of time"),
        pytest.param("wait: 0s", "1: wait: must be above 0 s, found 0s", id="no time"),
        pytest.param("wait: -1", "1: wait: must be above 0 s, found -1", id="negative time"),
        pytest.param("wait: .inf", "1: wait: must be a finite number, found .inf", id="for ever"),
        pytest.param("wait: " + "9" * 400 + "s", "1: wait: must be a finite number, found "
                     + "9" * 59 + "…", id="nearly for ever"),
        pytest.param("room: " + "9" * 400 + "B", "1: room: must be a finite number, found "
                     + "9" * 59 + "…", id="no such memory"),
        pytest.param("room: 0.1B", "1: room: must be above 0 B, found 0.1B", id="no memory"),
        pytest.param("room: 5GB/s", "1: room: wants a size such as 512kB or 50MiB, found '5GB/s'",
                     id="no unit of size"),
        pytest.param("run: ''", "1: run: the command is empty", id="empty command"),
        pytest.param("run: []", "1: run: the command is empty", id="no words"),
        pytest.param("run: [a, [b]]", "1: run: every word of a command must be text, found a list",
                     id="list in a command"),
        pytest.param("run: echo 'a", "1: run: is not a command line: No closing quotation",
                     id="open quote"),
        pytest.param("run: 5", "1: run: wants a command line, or the list of its words, found the"
                     " number 5", id="number for a command"),
        pytest.param("\ntext: ${NOT_SET}", "2: text: the environment variable NOT_SET is not set;"
                     " set it, or write ${NOT_SET:-default}", id="no such variable"),
        pytest.param("text: ${NAME", "1: text: '${' starts no variable such as ${NAME}; write $${"
                     " for the text ${", id="open brace"),
        pytest.param("text: ${A:-${NAME}}", "1: text: '${' starts no variable such as ${NAME};"
                     " write $${ for the text ${", id="a default with a variable"),
        pytest.param("ratio: 0\ncount: 6", "2: count: count and ratio do not fit", id="together"),
        pytest.param('table: {"a b.c": [1]}', "1: table.'a b.c': wants text, found a list",
                     id="an odd key is quoted"),
        pytest.param("? [a]\n: b", "1: a key must be one word, not a list or a section",
                     id="a key that is a list"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_with_its_line_and_key(text: str, expected: str | None) -> None:
    if expected is None:
        assert read(text, "f.yaml", Sample, {}) is not None
    else:
        assert problems(text, {"NAME": "nine"}) == [expected]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        pytest.param("ratio: ${TOK}", "wants a number, found the text '${TOK}'", id="a number"),
        pytest.param("on: x${TOK}", "wants true or false, found the text 'x${TOK}'", id="a truth"),
        pytest.param("wait: ${TOK}", "wants a time such as 250ms, 30s or 10m, found '${TOK}'",
                     id="a time"),
        pytest.param("level: ${TOK}", "must be one of high, low, found the text '${TOK}'",
                     id="one of a few"),
        pytest.param("most: ${LONG}", "must be at most 5, found ${LONG}", id="a range"),
        pytest.param("count: ${BROKEN}", "wants a whole number, found ${BROKEN}", id="a whole"),
        pytest.param("ratio: ${HUGE}", "must be a finite number, found ${HUGE}", id="finite"),
        pytest.param("words: ${TOK}", "wants a list, found the text '${TOK}'", id="a list"),
    ],
)  # fmt: skip
def test_the_value_of_a_variable_is_never_shown(text: str, reason: str) -> None:
    environ = {"TOK": "s3cr3t", "LONG": "918273", "BROKEN": "4.7261", "HUGE": "8e9999"}

    (problem,) = problems(text, environ)

    assert problem == f"1: {text.partition(':')[0]}: {reason}"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("text: a\npart:\n\tname: b", "3: a tab stands where YAML wants spaces",
                     id="no YAML"),
        pytest.param("", "1: the file is empty", id="empty"),
        pytest.param("# nothing\n", "1: the file is empty", id="comments only"),
        pytest.param("---\n", "1: the file is empty", id="a marker only"),
        pytest.param("\n- a", "2: the file must be made of keys and their values", id="a list"),
        pytest.param("hello", "1: the file must be made of keys and their values", id="a word"),
    ],
)  # fmt: skip
def test_what_is_no_file_of_keys_is_told(text: str, expected: str) -> None:
    assert problems(text) == [expected]


def test_all_mistakes_are_told_at_once_in_the_order_of_the_file() -> None:
    text = "nmuber: 1\nratio: 7\nparts:\n  - size: x\n  - name: ''\n    nam: y\nratio: 1\non: 3\n"

    with pytest.raises(ConfigError) as caught:
        read(text, "f.yaml", Sample, {})

    assert str(caught.value) == "f.yaml has 8 mistakes"
    assert [problem.split(" ")[:2] for problem in caught.value.problems] == [
        ["f.yaml:1:", "nmuber:"],
        ["f.yaml:2:", "ratio:"],
        ["f.yaml:4:", "parts[0].size:"],
        ["f.yaml:4:", "parts[0].name:"],
        ["f.yaml:5:", "parts[1].name:"],
        ["f.yaml:6:", "parts[1].nam:"],
        ["f.yaml:7:", "ratio:"],
        ["f.yaml:8:", "on:"],
    ]


def test_a_cross_check_keeps_silent_about_a_value_that_is_wrong_already() -> None:
    assert problems("ratio: 0\ncount: 6\ncount: x") == ["3: count: written twice, first in line 2"]


def test_so_many_mistakes_that_more_would_not_help_are_cut_off() -> None:
    found = problems("".join(f"k{i}: 1\n" for i in range(5000)))

    assert len(found) == MAX_PROBLEMS + 1
    assert found[-1].endswith(f"only the first {MAX_PROBLEMS} mistakes are shown")


def test_variables_stay_where_no_environment_is_given() -> None:
    assert read("text: ${HOME} $${X}", "f.yaml", Sample, None).text == "${HOME} $${X}"


def test_mistakes_are_translated_down_to_their_parts() -> None:
    with pytest.raises(ConfigError) as caught:
        read("text: [a]", "f.yaml", Sample, {})
    try:
        use(PSEUDO)
        shown = local(caught.value.problems[0])
    finally:
        use("en")

    assert shown == "f.yaml:1: text: ŵåñţš ţéẋţ, ƒöûñð å ļîšţ"


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        pytest.param(b"a: 1\n\xff", ":2: is not UTF-8 text", id="not UTF-8"),
        pytest.param("a: 1".encode("utf-16"), ":1: is not UTF-8 text", id="UTF-16"),
        pytest.param(b"#" * 1_000_001, ": is larger than 1,000,000 bytes", id="too large"),
        pytest.param(b"", ":1: the file is empty", id="empty"),
    ],
)
def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, content: bytes, expected: str) -> None:
    path = tmp_path / "f.yaml"
    path.write_bytes(content)

    with pytest.raises(ConfigError) as caught:
        load(path, Sample, {}, hint="look here")

    assert caught.value.problems == (f"{path}{expected}",)
    assert caught.value.hint == "look here"


def test_a_place_that_is_no_file_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    os.mkfifo("pipe")
    (tmp_path / "folder").mkdir()
    expected = {
        "missing": "there is no such file",
        "a\0b": "there is no such file",
        "folder": "is a folder, not a file",
        "pipe": "is not a regular file",
        "x" * 300: "cannot be read: File name too long",
    }

    for name, reason in expected.items():
        with pytest.raises(ConfigError, match=reason):
            load(tmp_path / name, Sample, {})


def test_a_file_below_the_current_folder_is_named_from_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "f.yaml").write_text("a: 1")

    with pytest.raises(ConfigError) as caught:
        load(tmp_path / "f.yaml", Sample, {})

    assert caught.value.problems[0].startswith("f.yaml:1: a: unknown key")


def test_paths_of_keys_are_written_as_people_do() -> None:
    assert place(("gates", "a-b", "parts", 0, "x.y")) == "gates.a-b.parts[0].'x.y'"


def test_nothing_is_near_a_word_that_is_far_too_long() -> None:
    assert nearest("text" * 100_000, ["text"]) == ""


VALID = """\
text: &a "some ${NAME:-x} text"
version: 3.12
ratio: 0.5
either: {1: 2, 2: 3}
words: [a, *a, 'c']
table:
  on: yes
  <<: {k: v}
part:
  name: |
    long
parts:
- {name: x, size: 0x10}
wait: 5s
run: echo "a b"
"""
SPICE = [*"\t\n :-[]{}&*!|>'\"%@`,#?$", "${", "<<: ", "- ", "*a", "&a ", "---\n", "1e999", "\x85"]


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet=st.one_of(st.characters(), st.sampled_from(string.punctuation + "\n\t "))))
def test_any_text_is_read_or_refused(text: str) -> None:
    _only_config_errors(text)


@settings(max_examples=300, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.integers(0, len(VALID)), st.integers(0, 8), st.sampled_from(SPICE) | st.text("ab1:")
        ),
        min_size=1,
        max_size=4,
    )
)
def test_a_spoiled_file_is_read_or_refused(edits: list[tuple[int, int, str]]) -> None:
    text = VALID
    for start, length, new in edits:
        text = text[:start] + new + text[start + length :]
    _only_config_errors(text)


def _only_config_errors(text: str) -> None:
    try:
        value: object = read(text, "f.yaml", Sample, {})
    except ConfigError as error:
        value = error
    told = isinstance(value, ConfigError) and all(p.startswith("f.yaml:") for p in value.problems)
    assert told or isinstance(value, Sample)
