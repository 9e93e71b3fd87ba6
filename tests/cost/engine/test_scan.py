"""The compiled reader gives what stands in a line, and marks each line that is not plainly right.

What it gives is held against a decoder that knows nothing of speed, over lines of all formats that
were damaged at random.
"""

import json
import random
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import msgspec
import pytest

from sdlc_cli.cost.engine import bodies, claude, lines, scan, shapes
from sdlc_cli.cost.engine.shapes import Kind, Shape
from tests.cost.engine.test_bulk import MAKERS, exactly, read, same, small_limits

__all__ = ["small_limits"]  # a fixture
SEED = 11
LINES = 3_000
# What damage is made of: all that JSON's grammar, UTF-8 and our own limits turn on.
SCRAPS = [
    *(
        b'"',
        b"\\",
        b"{",
        b"}",
        b"[",
        b"]",
        b",",
        b":",
        b" ",
        b"\t",
        b"\r",
        b"\x00",
        b"\x1f",
        b"\x7f",
    ),
    *(b"0", b"9", b"-", b"+", b".", b"e", b"E1", b"00", b"1.5", b"null", b"true", b"NaN", b"1e400"),
    *(b"\\u00e9", b"\\ud83d\\ude00", b"\\ud83d", b"\\n", b"\\x", b"\\u12", b"\\u0000", b"\\/"),
    *(
        "é".encode(),
        "😀".encode(),
        b"\xff",
        b"\xc0\xaf",
        b"\xed\xa0\x80",
        b"\xe2\x82",
        b"\xf4\x90\x80\x80",
    ),
    *(
        b'"id":"twice",',
        b'"usage":{},',
        b'"model":null,',
        b'"x":[{"a":[]},{}],',
        b'"":0,',
        b'"\\u0069d":1,',
    ),
    *(b"9007199254740991", b"9007199254740992", b"123456789012345678901234567890"),
]


def shape_of(kind: str, records: list[dict[str, object]]) -> Shape:
    seen = {path for record in records for path in shapes.paths_of(record)}
    if kind == "claude":
        return claude.SHAPE
    if kind == "chat":
        return shapes.alone(bodies.chat("", seen))
    found = lines.around(seen, bodies.chat)
    assert found is not None
    return found


def damaged(rng: random.Random, line: bytes) -> bytes:
    """A line in which up to three places are not as they were; one in five is whole."""
    for _ in range(rng.choice((0, 1, 1, 2, 3))):
        at = rng.randrange(len(line) + 1)
        end = at + rng.choice((0, 0, 1, 1, 3, 20))
        line = line[:at] + rng.choice((b"", rng.choice(SCRAPS))) + line[end:]
    return line.replace(b"\n", b" ")


EXACT = msgspec.json.Decoder(float_hook=Decimal)


class Odd(Exception):
    """The exact reader has to look at the line."""


def expected(line: bytes, shape: Shape) -> dict[str, object]:
    """The columns of a line. Raises Odd."""
    try:
        EXACT.decode(line)
        value = json.loads(line, object_pairs_hook=Pairs, parse_float=Number, parse_int=Number)
    except (ValueError, ArithmeticError, RecursionError, msgspec.DecodeError):
        raise Odd from None
    if not isinstance(value, Pairs):
        raise Odd
    return dict(columns(value, shape.columns, "", shape, line))


class Pairs(list[tuple[str, object]]):
    """An object as it stands there, keys that stand twice among it."""


class Number(str):
    """A number as it stands there."""


def columns(
    found: Pairs, wanted: Mapping[str, Any], path: str, shape: Shape, line: bytes
) -> Iterator[tuple[str, object]]:
    known = dict(found)
    for key, kind in wanted.items():
        if sum(name == key for name, _ in found) > 1:
            raise Odd
        value = known.get(key)
        if isinstance(kind, Kind):
            taken = None if value is None else READ[kind](value)
            if kind not in (Kind.AMOUNT, Kind.ZERO, Kind.NEVER):
                yield path + key, taken
            continue
        if path + key in shape.there:
            yield f"{path}{key}/?", value is not None
        if value is not None and not isinstance(value, Pairs):
            raise Odd
        yield from columns(value or Pairs(), kind, f"{path}{key}/", shape, line)


def count(value: object) -> int:
    if not isinstance(value, Number) or not value.isdigit() or int(value) >= 2**53:
        raise Odd
    return int(value)


def zero(value: object) -> None:
    if value != "0" or not isinstance(value, Number):
        raise Odd


def text(value: object) -> str:
    if not isinstance(value, str) or isinstance(value, Number):
        raise Odd
    return value


def loose(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if not isinstance(value, str):
        raise Odd
    return str(value)


def amount(value: object) -> None:
    if not isinstance(value, Number) or not re.fullmatch(r"\d{1,9}(\.\d+)?", value):
        raise Odd


def never(value: object) -> None:
    raise Odd


def time(value: object) -> int | None:
    told = loose(value)
    if not told:
        return None
    if re.fullmatch(r"\d{10}|[1-9]\d{12}|0[1-9]\d{11}", told, re.ASCII):
        return int(told) * (10**6 if len(told) == 10 else 1_000)
    if not re.fullmatch(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{3}|\.\d{6})?Z", told, re.ASCII):
        raise Odd
    try:
        when = datetime.fromisoformat(told)
    except ValueError:
        raise Odd from None
    return (when - datetime(1970, 1, 1, tzinfo=UTC)) // (datetime.resolution)


def raw(value: object) -> object:
    return RAW  # its text is compared by what it means


RAW = object()
READ: Mapping[Kind, Callable[[object], object]] = {
    Kind.COUNT: count,
    Kind.TIME: time,
    Kind.TEXT: text,
    Kind.NAME: text,
    Kind.LOOSE: loose,
    Kind.RAW: raw,
    Kind.AMOUNT: amount,
    Kind.ZERO: zero,
    Kind.NEVER: never,
    Kind.PLAIN: text,
}


def rows(files: list[Path], shape: Shape, select: str = "*") -> list[dict[str, object]]:
    con = duckdb.connect()
    with scan.lines(con, files, shape):
        found = con.execute(f"SELECT {select} FROM scanned ORDER BY src, line")
        names = [column[0] for column in found.description or ()]
        return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


@pytest.fixture(autouse=True)
def needs_a_compiler(compiled: Path | None) -> None:
    if compiled is None:
        pytest.skip("there is no C compiler")


@pytest.mark.parametrize("kind", list(MAKERS))
def test_each_line_is_as_a_plain_decoder_has_it_or_marked(kind: str, tmp_path: Path) -> None:
    rng = random.Random(SEED)
    records = [MAKERS[kind](rng, number) for number in range(LINES)]
    shape = shape_of(kind, records)
    dense = {"separators": (",", ":")}
    written = [
        damaged(rng, json.dumps(r, ensure_ascii=n % 2 == 0, **(dense if n % 3 else {})).encode())  # type: ignore[arg-type]
        for n, r in enumerate(records)
    ]
    log = tmp_path / "log.jsonl"
    log.write_bytes(b"".join(line + b"\n" for line in written))

    found = {row["line"]: row for row in rows([log], shape)}

    odd = 0
    for number, line in enumerate(written, 1):
        row = found.pop(number, None)
        try:
            wanted = expected(line, shape)
        except Odd:
            odd += 1
            assert row is None if not line.strip() else row and row["odd"], line
            continue
        if row is None:  # of no call
            assert not any(wanted.get(name) for name in (*shape.told, "message/usage/?")), line
            assert any(wanted.get(name) is not None for name in shape.usual), line
            continue
        if row["odd"]:  # a key with an escape may be any, and some text must have none
            assert b"\\" in line, line
            continue
        for name, value in wanted.items():
            if value is RAW:
                assert json.loads(str(row[name])) is not None, line
            else:
                assert row[name] == value, (name, line)
    assert not found
    assert LINES // 10 < odd < LINES * 9 // 10


def snapshots(rng: random.Random, count: int) -> Iterator[dict[str, object]]:
    """Records of a session; some tell of one call as it grows, again, or with a change."""
    number = 0
    while number < count:
        line: dict[str, object] = json.loads(json.dumps(MAKERS["claude"](rng, number)))
        for _ in range(rng.choice((1, 1, 2, 3, 5))):
            number += 1
            message = line["message"]
            assert isinstance(message, dict)
            usage = message.get("usage", {})
            usage["output_tokens"] = rng.choice((0, 5, 5, 70, 900))
            if rng.random() < 0.1:
                usage["output_tokens_details"] = {"thinking_tokens": rng.choice((0, 5, 80))}
            if rng.random() < 0.2:
                line["timestamp"] = f"2026-03-09T10:00:00.{number % 1000:03}Z"
            if rng.random() < 0.05:
                change = rng.choice(CHANGES)
                change(line, message, usage)
            yield json.loads(json.dumps(line))


CHANGES: tuple[Callable[[dict[str, Any], dict[str, Any], dict[str, Any]], object], ...] = (
    lambda line, message, usage: message.pop("id", None),
    lambda line, message, usage: message.update(id=""),
    lambda line, message, usage: line.pop("timestamp", None),
    lambda line, message, usage: line.update(cwd="/é\n"),
    lambda line, message, usage: line.update(isApiErrorMessage=True),
    lambda line, message, usage: line.update(sessionId='a"b'),
    lambda line, message, usage: usage.update(output_tokens=1.5),
    lambda line, message, usage: usage.update(cache_creation_input_tokens=3),
    lambda line, message, usage: usage.update(iterations=[{"type": "advisor_message"}]),
    lambda line, message, usage: message.pop("usage", None),
    lambda line, message, usage: line.update(isSidechain=not line.get("isSidechain")),
)


@pytest.mark.usefixtures("small_limits")
@pytest.mark.parametrize("seed", range(4))
def test_records_that_say_the_same_are_counted_as_the_exact_reader_does(
    seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = random.Random(seed)
    logs = []
    for place in range(4):
        logs.append(tmp_path / f"{place}.jsonl")
        logs[-1].write_text("".join(json.dumps(r) + "\n" for r in snapshots(rng, 400)))

    found = read(logs, tmp_path / "a", tmp_path / "cache")
    wanted = exactly(logs, tmp_path / "b", monkeypatch)

    same(found, wanted)
    assert [s.rows for s in found[0].sources] == [s.rows for s in wanted[0].sources]
    with logs[1].open("a") as more:
        more.writelines(json.dumps(r) + "\n" for r in snapshots(rng, 40))
    logs[2].write_text("")
    same(read(logs, tmp_path / "c", tmp_path / "cache"), exactly(logs, tmp_path / "d", monkeypatch))


def test_of_records_that_say_the_same_the_largest_is_left(tmp_path: Path) -> None:
    log = tmp_path / "log.jsonl"
    usage = {"input_tokens": 1}
    log.write_text(
        "".join(
            json.dumps(
                {
                    "type": "assistant",
                    "timestamp": f"2026-03-09T10:00:0{n}Z",
                    "sessionId": "s",
                    "message": {"id": name, "model": "m", "usage": {**usage, "output_tokens": out}},
                }
            )
            + "\n"
            for n, (name, out) in enumerate((("a", 5), ("a", 5), ("a", 9), ("a", 7), ("b", 9)))
        )
    )

    found = rows(
        [log], claude.SHAPE, '"message/id", line, repeats, timestamp % 10000000 // 1000000'
    )

    assert [tuple(row.values()) for row in found] == [("a", 3, 3, 2), ("b", 5, 0, 4)]


def chat() -> Shape:
    return shapes.alone(bodies.chat("", {"usage.total_tokens"}))


def test_lines_are_found_across_blocks_and_files(tmp_path: Path) -> None:
    rng = random.Random(SEED)
    logs = []
    wanted = []
    for place in range(4):
        names = [f"{place}-{n}-" + "x" * rng.choice((0, 9, 70_000)) for n in range(40)]
        text = "\n".join(json.dumps({"id": name}) for name in names)
        logs.append(tmp_path / f"{place}.jsonl")
        logs[-1].write_bytes([b"", b"\xef\xbb\xbf", b"\n \n", b""][place] + text.encode())
        wanted += [(place, n + (3 if place == 2 else 1), name) for n, name in enumerate(names)]
    logs.insert(2, tmp_path / "empty.jsonl")
    logs[2].touch()

    found = rows(logs, chat())

    assert [(row["src"], row["line"], row["id"]) for row in found] == [
        (place + (place >= 2), line, name) for place, line, name in wanted
    ]


@pytest.mark.parametrize("more", [-1, 0, 1, 40 * 2**20])
def test_a_line_longer_than_any_record_is_marked_and_memory_is_bounded(
    more: int, tmp_path: Path
) -> None:
    around = len('{"id":"a","_":""}')
    long = '{"id":"a","_":"%s"}' % ("y" * (16 * 2**20 - around + more))
    log = tmp_path / "log.jsonl"
    short = ['{"id":"b"}'] * 3
    log.write_text("\n".join([*short, long, *short]))

    found = rows([log], chat(), "line, odd")

    assert [row["line"] for row in found] == [1, 2, 3, 4, 5, 6, 7]
    assert [row["odd"] for row in found] == [False] * 3 + [more > 0] + [False] * 3


def test_a_file_that_cannot_be_read_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(duckdb.Error):
        rows([tmp_path / "missing.jsonl"], chat())


def test_long_texts_do_not_add_up(tmp_path: Path) -> None:
    log = tmp_path / "log.jsonl"
    data = {"type": "progress", "data": {"text": "z" * 2**20}}
    log.write_text("".join(json.dumps(data) + "\n" for _ in range(64)))

    con = duckdb.connect(config={"memory_limit": "100MiB", "threads": 1})
    with scan.lines(con, [log], claude.SHAPE):
        found = con.execute("SELECT count(*), sum(length(data)) FROM scanned").fetchall()

    assert found == [(64, 64 * len('{"text": ""}') + 64 * 2**20)]
