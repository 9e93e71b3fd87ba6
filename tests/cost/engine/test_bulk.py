"""Large files are read in bulk: the result is that of the exact reader, whatever is in them."""

import gzip
import json
import random
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from sdlc_cli.cost.config import CostConfig
from sdlc_cli.cost.engine import bulk, ingest, large, scan
from sdlc_cli.cost.engine.usage import Usage, open_usage
from sdlc_cli.cost.model import CostReport, Price
from sdlc_cli.cost.readers import Format

SEED = 4
BY = ("day", "model", "provider", "tier", "project", "user", "key", "path", "tag:env", "status")


class NoPrices:
    """Of no interest here."""

    def price(self, provider: str, model: str, tier: str = "") -> Price:
        return Price(provider=provider, model=model, rates=(), source="")


@pytest.fixture
def small_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files of some hundred lines go the way of those of a gigabyte."""
    monkeypatch.setattr(ingest, "SMALL", 0)
    monkeypatch.setattr(large, "ALONE", 10_000)
    monkeypatch.setattr(large, "PIECE", 20_000)
    monkeypatch.setattr(large, "SPLINTER", 3_000)


READERS = ("scanned", "read")  # of `bulk`: the compiled one, and DuckDB's own


@pytest.fixture
def taken(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Of each reading in bulk, whether its reader took it."""
    told: list[bool] = []

    def watched(real: Callable[..., object]) -> Callable[..., object]:
        def read(*args: object) -> object:
            found = real(*args)
            told.append(found is not None)
            return found

        return read

    for name in READERS:
        monkeypatch.setattr(bulk, name, watched(getattr(bulk, name)))
    return told


@pytest.fixture(params=READERS)
def reader(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Has one of the two do the work."""
    chosen = str(request.param)
    use(chosen, monkeypatch)
    return chosen


def use(reader: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if reader == "read":
        monkeypatch.setattr(scan, "reads", lambda shape: False)
    elif not scan.built():
        pytest.skip("the reader was not compiled")


def read(paths: list[Path], tmp: Path, cache: Path | None = None) -> tuple[CostReport, object]:
    tmp.mkdir()
    names = [str(path) for path in paths]
    with open_usage(names, config=CostConfig(), prices=NoPrices(), tmp=tmp, cache=cache) as usage:
        return usage.report(BY), rejected(usage)


def rejected(usage: Usage) -> list[tuple[str, int, str]]:
    return sorted((Path(r.path).name, r.line, str(r.reason)) for r in usage.rejections())


def exactly(
    paths: list[Path], tmp: Path, monkeypatch: pytest.MonkeyPatch
) -> tuple[CostReport, object]:
    def no_shape(form: Format, records: object) -> None:
        return None

    with monkeypatch.context() as patch:
        patch.setattr(bulk, "shape", no_shape)
        return read(paths, tmp)


def same(one: tuple[CostReport, object], other: tuple[CostReport, object]) -> None:
    assert one[1] == other[1]
    assert one[0].groups == other[0].groups
    assert one[0].totals == other[0].totals
    assert one[0].duplicates == other[0].duplicates
    assert (one[0].since, one[0].until) == (other[0].since, other[0].until)


def body(rng: random.Random, number: int) -> dict[str, object]:
    """A chat completion; some share their id."""
    prompt, reasoning = rng.randint(0, 9_000), rng.choice((0, 0, rng.randint(0, 50)))
    usage: dict[str, object] = {
        "prompt_tokens": prompt,
        "completion_tokens": rng.randint(50, 500),
        "total_tokens": 0,
        "prompt_tokens_details": {"cached_tokens": rng.randint(0, prompt), "audio_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": reasoning, "audio_tokens": 0},
    }
    return {
        "id": f"chatcmpl-{number - rng.choice((0, 0, 0, 7))}",
        "object": "chat.completion",
        "created": 1_764_000_000 + number,
        "model": rng.choice(("gpt-4o", "o3", "gpt-4.1")),
        "service_tier": rng.choice(("default", "flex", None)),
        "choices": [{"message": {"content": 'a "quoted": {text} \\ \n é'}}],
        "usage": usage,
    }


def around(rng: random.Random, number: int) -> dict[str, object]:
    """A line that a team writes around a chat completion."""
    return {
        "ts": f"2026-0{rng.randint(1, 9)}-1{rng.randint(0, 9)}T04:12:0{rng.randint(0, 9)}Z",
        "project": rng.choice(("shop", "blog", "", None)),
        "user": f"u{rng.randint(0, 5)}",
        "request_id": f"req_{number}",
        "provider": "openai",
        "env": rng.choice(("prod", "test", "déjà")),
        "tags": rng.choice(({"team": "web"}, ["beta"], None)),
        "cache_hit": rng.random() < 0.1,
        "response": body(rng, number),
    }


def session(rng: random.Random, number: int) -> dict[str, object]:
    """A line of a session of Claude Code."""
    line: dict[str, object] = {
        "type": "assistant",
        "timestamp": f"2026-03-0{rng.randint(1, 9)}T10:00:00.{rng.randint(0, 999):03}Z",
        "sessionId": f"s-{number // 50}",
        "cwd": "/home/dev/shop",
        "requestId": f"req_{number}",
        "isSidechain": rng.random() < 0.1,
        "uuid": str(number),
    }
    if rng.random() < 0.5:
        return line | {"type": "user", "message": {"role": "user", "content": "hello"}}
    line["message"] = {
        "id": f"msg_{number - rng.choice((0, 0, 5))}",
        "model": rng.choice(("claude-sonnet-4-5", "claude-opus-4-1", "<synthetic>")),
        "usage": {
            "input_tokens": rng.randint(0, 100),
            "cache_creation_input_tokens": rng.randint(9, 100),
            "cache_read_input_tokens": rng.randint(0, 9000),
            "cache_creation": {"ephemeral_5m_input_tokens": 0, "ephemeral_1h_input_tokens": 9},
            "server_tool_use": {"web_search_requests": 0},
            "output_tokens": rng.randint(0, 900),
            "service_tier": rng.choice(("standard", "batch")),
        },
    }
    return line


MAKERS = {"chat": body, "envelope": around, "claude": session}
# What the exact reader refuses, or reads in a way that SQL does not.
SPOILED = [
    pytest.param(lambda line: "nonsense", id="no JSON"),
    pytest.param(lambda line: line[: len(line) // 2], id="cut off"),
    pytest.param(lambda line: "", id="blank"),
    pytest.param(lambda line: "  \t", id="white space"),
    pytest.param(lambda line: "null", id="null"),
    pytest.param(lambda line: "[1, 2]", id="an array"),
    pytest.param(lambda line: f"[{line}]", id="a record in an array"),
    pytest.param(lambda line: line + " " + line, id="two records in a line"),
    pytest.param(lambda line: line + "\r", id="CRLF"),
    pytest.param(lambda line: "\ufeff" + line, id="a BOM in the middle"),
    pytest.param(lambda line: line.replace(": 0", ": NaN", 1), id="NaN"),
    pytest.param(lambda line: line.replace(": 0", ": -1", 1), id="negative"),
    pytest.param(lambda line: line.replace(": 0", ": 1e40", 1), id="1e40"),
    pytest.param(lambda line: line.replace(": 0", ": 1.5", 1), id="a fraction"),
    pytest.param(lambda line: line.replace(": 0", ": 2.0", 1), id="a float that is whole"),
    pytest.param(lambda line: line.replace(": 0", ": 1e-12", 1), id="nearly nothing"),
    pytest.param(lambda line: line.replace(": 0", f": {10**40}", 1), id="10^40"),
    pytest.param(lambda line: line.replace(": 0", f": {2**53}", 1), id="2^53"),
    pytest.param(
        lambda line: re.sub(r'((completion|output)_tokens": )\d+', rf"\g<1>{6 * 10**18}", line),
        id="nearly 2^63",
    ),
    pytest.param(lambda line: line.replace(": 0", ": true", 1), id="a bool"),
    pytest.param(lambda line: line.replace(": 0", ': "12"', 1), id="a text"),
    pytest.param(lambda line: line.replace(": 0", ": null", 1), id="no count"),
    pytest.param(lambda line: line.replace('"id": "', '"id": "x", "id": "', 1), id="a key twice"),
    pytest.param(lambda line: line.replace('"id": "', '"id": {"a": 1}, "_": "', 1), id="id object"),
    pytest.param(lambda line: line.replace('"id": "', '"id": 17, "_": "', 1), id="a number as id"),
    pytest.param(lambda line: line.replace('"model": "', '"model": ["m"], "_": "', 1), id="models"),
    pytest.param(lambda line: line.replace('"usage": {', '"usage": "much", "_": {', 1), id="usage"),
    pytest.param(lambda line: line.replace('"usage": {', '"usage": null, "_": {', 1), id="unknown"),
    pytest.param(
        lambda line: line.replace('"created": ', '"created": "soon", "_": ', 1), id="created"
    ),
    pytest.param(lambda line: line.replace("2026-0", "2026-1", 1), id="another month"),
    pytest.param(lambda line: line.replace('Z"', '+02:00"', 1), id="an offset"),
]


def lines_of(kind: str, count: int = 200) -> list[str]:
    rng = random.Random(SEED)
    return [json.dumps(MAKERS[kind](rng, n), ensure_ascii=n % 2 == 0) for n in range(count)]


@pytest.mark.usefixtures("small_limits")
@pytest.mark.parametrize("kind", list(MAKERS))
@pytest.mark.parametrize("spoil", SPOILED)
def test_bulk_reads_what_the_exact_reader_reads(
    kind: str, spoil: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, taken: list[bool]
) -> None:
    lines = lines_of(kind)
    assert callable(spoil)
    for place in (50, 51, 120):
        lines[place] = spoil(lines[place])
    log = tmp_path / "log.jsonl"
    log.write_text("\n".join(lines) + "\n", encoding="utf-8")

    wanted = exactly([log], tmp_path / "b", monkeypatch)
    for name in READERS if scan.built() else ("read",):
        with monkeypatch.context() as patch:
            use(name, patch)
            taken.clear()
            same(read([log], tmp_path / name), wanted)
        assert any(taken)


@pytest.mark.usefixtures("small_limits", "reader")
@pytest.mark.parametrize("kind", list(MAKERS))
def test_a_good_file_is_read_at_once(kind: str, tmp_path: Path, taken: list[bool]) -> None:
    log = tmp_path / "log.jsonl"
    log.write_text("".join(line + "\n" for line in lines_of(kind)))

    report, refused = read([log], tmp_path / "a")

    assert report.totals.calls > 60
    assert refused == []
    assert taken == [True]


@pytest.mark.usefixtures("small_limits", "reader")
def test_many_small_files_are_read_together(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, taken: list[bool]
) -> None:
    lines = lines_of("claude")
    lines[77] = "nonsense"
    logs = []
    for start in range(0, len(lines), 20):
        logs.append(tmp_path / f"{start:03}.jsonl")
        logs[-1].write_text("".join(line + "\n" for line in lines[start : start + 20]))

    same(read(logs, tmp_path / "a"), exactly(logs, tmp_path / "b", monkeypatch))

    assert sum(taken) < 8


@pytest.mark.usefixtures("small_limits", "reader")
@pytest.mark.parametrize("lost", [0, 30])
def test_packed_files_are_read_in_pieces(
    lost: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, taken: list[bool]
) -> None:
    log = tmp_path / "log.jsonl.gz"
    packed = gzip.compress("".join(line + "\n" for line in lines_of("chat")).encode())
    log.write_bytes(packed[: len(packed) - lost])

    found = read([log], tmp_path / "a")

    same(found, exactly([log], tmp_path / "b", monkeypatch))
    assert found[0].rejected_count == (1 if lost else 0)
    assert all(taken)


@pytest.mark.usefixtures("small_limits", "reader")
def test_a_line_too_long_is_rejected_and_the_rest_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = lines_of("chat")
    lines[100] = json.dumps({"id": "x" * (17 * 2**20)})
    log = tmp_path / "log.jsonl"
    log.write_text("\n".join(lines))

    found = read([log], tmp_path / "a")

    same(found, exactly([log], tmp_path / "b", monkeypatch))
    assert [r.line for r in found[0].rejected] == [101]
