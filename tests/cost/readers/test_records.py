"""Records of JSON lines and documents, and why a line is none."""

import gzip
import io
import json
import tracemalloc
from collections.abc import Iterator
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sdlc_cli.cost.model import Rejected
from sdlc_cli.cost.readers import records, strict

GOOD = b'{"a": 1, "b": {"c": [1, 2.5, "x"]}}'


def read(data: bytes, limit: int = records.LIMIT) -> list[tuple[int, object]]:
    """Numbers with records, or with the reason as text."""
    return [
        (number, str(found) if isinstance(found, Rejected) else found)
        for number, found in records.read(io.BytesIO(data), limit=limit)
    ]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        pytest.param(b'{"a": 1', "cut off in the middle of the record", id="cut"),
        pytest.param(b'{"a": "x', "cut off in the middle of the record", id="cut in a string"),
        pytest.param(b'{"a": NaN}', "NaN is not a number in JSON", id="NaN"),
        pytest.param(b'{"a": -Infinity}', "-Infinity is not a number in JSON", id="infinity"),
        pytest.param(b'{"a": 1, "a": 2}', "the key a stands twice in one object", id="same key"),
        pytest.param(b'{"a" :1,"b": {"a":1,"a" :1}}', "the key a stands", id="same key, blanks"),
        pytest.param(b'{"x\\\\" :1,"a":1,"a":2}', "the key a stands", id="same key, backslash"),
        pytest.param(b'{"\\u0061":1,"a":2}', "the key a stands", id="same key, escaped"),
        pytest.param(b'{"a": "\xff"}', "invalid UTF-8", id="invalid UTF-8"),
        pytest.param(b'{"a": "\xed\xa0\x80"}', "invalid UTF-8", id="surrogate in UTF-8"),
        pytest.param(b'{"a": "\\ud800"}', "not valid JSON", id="half a surrogate pair"),
        pytest.param(b'{"a": "x\x01"}', "not valid JSON at byte 9", id="control character"),
        pytest.param(b"{'a': 1}", "not valid JSON at byte 2", id="Python's quotes"),
        pytest.param(b'{"a": 1,}', "not valid JSON at byte 9", id="trailing comma"),
        pytest.param(b'{"a": 01}', "not valid JSON at byte 8", id="leading zero"),
        pytest.param(b'{"a": 1} x', "not valid JSON at byte 10", id="more after the record"),
        pytest.param(b"\x00\x00\x00", "not valid JSON at byte 1", id="zeros of a crashed disk"),
        pytest.param(b'{"a":' * 100_000, "nested too deeply", id="nesting bomb"),
        pytest.param(b"[" * 100_000, "nested too deeply", id="nesting bomb of arrays"),
        pytest.param(b'{"a": 1' + b"0" * 5000 + b"}", "a number is out of range", id="5000 digits"),
        pytest.param(b'{"a": 1e99999999999999999999}', "a number is out of range", id="exponent"),
        pytest.param(b'"text"', "not a JSON object", id="text"),
        pytest.param(b"17", "not a JSON object", id="number"),
    ],
)
def test_a_bad_line_costs_itself_and_says_why(line: bytes, reason: str) -> None:
    found = read(GOOD + b"\n" + line + b"\n" + GOOD + b"\n")

    assert [number for number, _ in found] == [1, 2, 3]
    assert isinstance(found[0][1], dict)
    assert isinstance(found[2][1], dict)
    assert str(found[1][1]).startswith(reason)


@pytest.mark.parametrize(
    ("data", "numbers"),
    [
        pytest.param(b"", [], id="empty"),
        pytest.param(b"\xef\xbb\xbf", [], id="only a BOM"),
        pytest.param(b"\n \r\n\t\n", [], id="blank lines"),
        pytest.param(b"\xef\xbb\xbf" + GOOD, [1], id="BOM"),
        pytest.param(GOOD + b"\r\n" + GOOD + b"\r\n", [1, 2], id="CRLF"),
        pytest.param(GOOD + b"\n\n\n" + GOOD, [1, 4], id="blank lines are counted"),
        pytest.param(b"\n" + GOOD + b"\n", [2], id="begins blank"),
        pytest.param(GOOD, [1], id="no newline at the end"),
    ],
)
def test_lines_keep_their_numbers(data: bytes, numbers: list[int]) -> None:
    found = read(data)

    assert [number for number, _ in found] == numbers
    assert all(isinstance(record, dict) for _, record in found)


def test_a_thousand_good_lines_survive_thirteen_bad_ones() -> None:
    bad = [
        *(b'{"a":', b"[", b"nonsense", b'{"a":NaN}', b'{"a":1,"a":1}', b'{"a":"\xff"}', b"null"),
        *(b'{"a":' * 9999, b"\x00", b'{"a":1}{', b"{a:1}", b'{"a":tru}', b'{"a":"\\x"}'),
    ]
    lines = [GOOD] * 1000
    for place, line in enumerate(bad):
        lines.insert(place * 77 + 3, line)

    found = read(b"\n".join(lines))

    assert sum(isinstance(record, dict) for _, record in found) == 1000
    refused = [number for number, record in found if isinstance(record, str)]
    assert refused == [place * 77 + 4 for place in range(13)]


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b'[{"n":1},{"n":2},{"n":3}]', id="array"),
        pytest.param(b'[\n{"n":1},\n{"n":2},\n{"n":3}\n]\n', id="array over lines"),
        pytest.param(b'\xef\xbb\xbf[{"n":1},{"n":2},{"n":3}]', id="array after a BOM"),
        pytest.param(json.dumps([{"n": n} for n in (1, 2, 3)], indent=2).encode(), id="indented"),
        pytest.param(b'{"data":[{"n":1},{"n":2},{"n":3}],"has_more":false}', id="wrapper"),
        pytest.param(
            b'{\n "object": "list",\n "data": [{"n":1},\n {"n":2},{"n":3}],\n "total": 3}',
            id="wrapper over lines",
        ),
        pytest.param(b'{\n "n": 1}\n{\n "n": 2}\n{"n":\n3}', id="records over lines"),
    ],
)
def test_a_document_gives_its_elements(data: bytes) -> None:
    assert read(data) == [(1, {"n": 1}), (2, {"n": 2}), (3, {"n": 3})]


def test_a_bad_element_costs_itself_and_not_the_rest_of_the_document() -> None:
    found = read(b'[\n{"n":1},\n{"n":NaN},\n{"n":1,"n":2},\n{"n":"\xff}"},\n7,\n{"n":6}\n]')

    assert found == [
        (1, {"n": 1}),
        (2, "NaN is not a number in JSON"),
        (3, "the key n stands twice in one object"),
        (4, "invalid UTF-8"),
        (5, "not a JSON object"),
        (6, {"n": 6}),
    ]


@pytest.mark.parametrize(
    "data",
    [b'[{"n":1},{"n":2}', b'[{"n":1},{"n":2},{"n":', b'[{"n":1},{"n":2},', b'[{"n":1},{"n":2},{"'],
)
def test_a_document_that_is_cut_off_says_so(data: bytes) -> None:
    found = read(data)

    assert found[:2] == [(1, {"n": 1}), (2, {"n": 2})]
    assert found[2][1] == "the document is cut off; its records before this one were read"


def test_an_answer_with_data_in_it_is_one_record() -> None:
    answer = {"object": "list", "data": [{"index": 0}], "model": "m", "usage": {"prompt_tokens": 5}}

    assert read(json.dumps(answer).encode()) == [(1, answer)]


def test_a_first_line_that_is_cut_off_leaves_a_file_of_lines() -> None:
    assert read(b'{"n": 1, "x\n{"n":2}\n{"n":3}\n') == [
        (1, "cut off in the middle of the record"),
        (2, {"n": 2}),
        (3, {"n": 3}),
    ]


@pytest.mark.parametrize("bom", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("extra", [-1, 0, 1, 2, 3, 4, 5])
def test_the_limit_holds_to_the_byte(bom: bytes, extra: int) -> None:
    line = b'{"n":"' + b"x" * (100 + extra - 8) + b'"}'
    assert len(line) == 100 + extra

    found = read(bom + line + b"\n" + GOOD + b"\n", limit=100)

    assert len(found) == 2
    assert found[1][0] == 2
    assert (found[0][1] == "longer than 100 bytes") == (extra > 0)


class Endless(io.RawIOBase):
    """A first line of 100 MB, then a good one, never held as a whole."""

    def __init__(self, head: bytes, tail: bytes) -> None:
        self._parts = self._made(head, tail)
        self._rest = b""

    @staticmethod
    def _made(head: bytes, tail: bytes) -> Iterator[bytes]:
        yield head
        for _ in range(100):
            yield b"x" * 2**20
        yield tail

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: object) -> int:
        view = memoryview(buffer)  # type: ignore[arg-type]
        part = self._rest or next(self._parts, b"")
        size = min(len(part), len(view))
        view[:size] = part[:size]
        self._rest = part[size:]
        return size


@pytest.mark.parametrize("head", [b'{"n":"', b'[{"n":1},{"n":"', b"x"])
def test_a_line_of_a_hundred_megabytes_costs_itself_and_little_memory(head: bytes) -> None:
    stream = io.BufferedReader(Endless(head, b'"}\n{"n":2}\n'))
    tracemalloc.start()
    found = list(records.read(stream))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert peak < 100 * 2**20
    refused = [str(record) for _, record in found if isinstance(record, Rejected)]
    assert len(refused) == 1
    assert "long" in refused[0]
    if not head.startswith(b"["):
        assert found[-1] == (2, {"n": 2})


def test_a_wrapper_of_any_size_is_read_piece_by_piece() -> None:
    data = b'{"data": [' + b", ".join(b'{"n": %d}' % n for n in range(1000)) + b'], "total": 1000}'

    assert read(data, limit=100) == [(n + 1, {"n": n}) for n in range(1000)]


@pytest.mark.parametrize("cut", [1, 9, 500])
def test_a_gzip_that_ends_early_costs_the_record_it_ends_in(cut: int) -> None:
    whole = gzip.compress(b"".join(b'{"n": %d}\n' % n for n in range(10_000)))
    with gzip.open(io.BytesIO(whole[:-cut])) as stream:
        found = list(records.read(stream))

    kept = [record for _, record in found if not isinstance(record, Rejected)]
    assert kept == [{"n": n} for n in range(len(kept))]
    number, refusal = found[-1]
    assert isinstance(refusal, Rejected)
    assert str(refusal) == "the compressed file ends early"
    assert number == len(kept) + 1


@pytest.mark.parametrize("place", [0.2, 0.5, 0.9])
def test_a_damaged_gzip_says_so(place: float) -> None:
    whole = bytearray(gzip.compress(b"".join(b'{"n": %d}\n' % n for n in range(10_000))))
    whole[int(len(whole) * place)] ^= 0xFF
    with gzip.open(io.BytesIO(bytes(whole))) as stream:
        found = list(records.read(stream))

    assert isinstance(found[-1][1], Rejected)


def test_numbers_keep_their_text() -> None:
    value = strict.decode(b'{"spend": 0.1000000000000000055511151231257827, "n": 10000000000}')

    assert value == {
        "spend": Decimal("0.1000000000000000055511151231257827"),
        "n": 10_000_000_000,
    }


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=8,
)


@settings(max_examples=50)
@given(st.dictionaries(st.text(max_size=8), JSON), st.booleans(), st.sampled_from([None, 1]))
def test_whatever_json_writes_comes_back(
    value: dict[str, object], ascii_only: bool, indent: int | None
) -> None:
    text = json.dumps(value, ensure_ascii=ascii_only, indent=indent).encode()

    assert strict.decode(text) == value


@settings(max_examples=50)
@given(st.dictionaries(st.text(max_size=8), JSON, min_size=1), st.data())
def test_a_key_is_found_twice_wherever_it_stands(
    value: dict[str, object], data: st.DataObject
) -> None:
    key = data.draw(st.sampled_from(sorted(value)))
    blank = data.draw(st.sampled_from(["", " ", "\t", "\r\n"]))
    inside = json.dumps(value)[:-1] + f", {json.dumps(key)}{blank}: 1}}"
    text = f'{{"outer": [{inside}]}}'.encode()

    with pytest.raises(Rejected, match="stands twice"):
        strict.decode(text)


@given(st.lists(st.binary(max_size=30), max_size=10))
def test_no_bytes_end_in_anything_but_records_and_reasons(lines: list[bytes]) -> None:
    for _, found in records.read(io.BytesIO(b"\n".join(lines)), limit=20):
        assert isinstance(found, dict | Rejected)
