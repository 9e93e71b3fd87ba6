"""Calls in the user's own columns: classes as declared, ids as declared, counts strict."""

import gzip
import io
from pathlib import Path

import pytest

from sdlc_cli.cost.model import Rejected, Row
from sdlc_cli.cost.options import Columns
from sdlc_cli.cost.readers import Record, mapped, records, tables

COLUMNS = Columns(
    ts="when",
    model="model",
    tier="tier",
    project="app",
    call_id="id",
    status="status",
    input="prompt",
    cache_read="cached",
    output="answer",
    reasoning="thought",
    cost_usd="cost",
    tags={"env": "stage"},
    fixed={"provider": "openai"},
    input_includes_cache=True,
    output_includes_reasoning=True,
)
CALL: Record = {
    "when": "2026-05-01 10:00:00.5",
    "model": "gpt-4o",
    "tier": "batch",
    "app": "shop",
    "id": "r1",
    "status": "200",
    "prompt": 100,
    "cached": 40,
    "answer": 30,
    "thought": 10,
    "cost": "0.5",
    "stage": "prod",
}


def only(record: Record, columns: Columns = COLUMNS, *, table: bool = False) -> Row:
    (row,) = mapped.parser(columns, table=table)(record)
    return row


def test_columns_fill_the_row_as_declared() -> None:
    row = only(CALL)

    assert (row.input, row.cache_read, row.output, row.reasoning) == (60, 40, 20, 10)
    assert (row.provider, row.model, row.tier, row.project) == ("openai", "gpt-4o", "batch", "shop")
    assert (row.ts, row.tags, row.dedupe) == (1_777_629_600_500_000, '{"env":"prod"}', "r1")
    assert (row.logged_pico, row.status) == (500_000_000_000, "ok")


def test_classes_that_are_declared_apart_stay_as_they_are() -> None:
    apart = Columns(
        input="prompt",
        cache_read="cached",
        output="answer",
        reasoning="thought",
        input_includes_cache=False,
        output_includes_reasoning=False,
    )

    row = only(CALL, apart)

    assert (row.input, row.cache_read, row.output, row.reasoning) == (100, 40, 30, 10)


def test_a_column_may_stand_inside_an_object() -> None:
    columns = Columns(input="usage.in", output="usage.out")

    row = only({"usage": {"in": 3, "out": 4}, "usage.out": 5}, columns)

    assert (row.input, row.output) == (3, 5)


def test_a_call_without_counts_is_unknown() -> None:
    assert not only({**CALL, "prompt": None, "answer": "", "cached": 0, "thought": None}).known


@pytest.mark.parametrize(
    ("told", "status", "rank"),
    [("ok", "ok", 0), ("cache_hit", "cached", -2), ("FAILED", "error", -3), (429, "error", -3)],
)
def test_the_status_decides_the_rank(told: object, status: str, rank: int) -> None:
    row = only({**CALL, "status": told})

    assert (row.status, row.rank) == (status, rank)


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        ({**CALL, "prompt": True}, "prompt"),
        ({**CALL, "prompt": "100"}, "prompt"),
        ({**CALL, "prompt": -1}, "prompt"),
        ({**CALL, "prompt": 1.5}, "prompt"),
        ({**CALL, "prompt": 10**40}, "prompt"),
        ({**CALL, "prompt": 39}, "prompt is less"),
        ({**CALL, "answer": 9}, "answer is less"),
        ({**CALL, "when": "soon"}, "when"),
        ({**CALL, "model": ["gpt-4o"]}, "model"),
        ({**CALL, "cost": "-1"}, "cost"),
    ],
)
def test_wrong_values_are_refused_by_their_column(record: Record, reason: str) -> None:
    with pytest.raises(Rejected, match=reason):
        only(record)


@pytest.mark.parametrize(("cell", "tokens"), [("12", 12), (" 12 ", 12), ("12.0", 12), ("", 0)])
def test_in_a_table_digits_are_a_count(cell: str, tokens: int) -> None:
    columns = Columns(input="in", output="out")

    assert only({"in": cell, "out": "1"}, columns, table=True).input == tokens


@pytest.mark.parametrize("cell", ["1.5", "-1", "1e3", "0x1", "1_000", "NaN", "٣", "1,000", "x"])
def test_in_a_table_nothing_else_is_a_count(cell: str) -> None:
    with pytest.raises(Rejected, match="in is"):
        only({"in": cell, "out": "1"}, Columns(input="in", output="out"), table=True)


def test_without_an_id_equal_rows_of_one_file_are_calls_of_two_files_the_same() -> None:
    columns = Columns(ts="t", input="in", output="out")
    row = {"t": 1_777_629_600, "in": 1, "out": 2, "note": "x"}

    first = mapped.parser(columns, table=False)
    other = mapped.parser(columns, table=False)
    here = [found.dedupe for _ in range(2) for found in first(row)]
    there = [found.dedupe for _ in range(2) for found in other(row)]
    different = only({**row, "note": "y"}, columns).dedupe

    assert len(set(here)) == 2
    assert here == there
    assert different not in here


def test_without_an_id_and_a_time_no_row_is_left_out() -> None:
    assert only({"in": 1}, Columns(input="in")).dedupe == ""


def test_what_stands_for_a_request_is_never_its_text() -> None:
    columns = Columns(input="in", request_hash="prompt")

    text = only({"in": 1, "prompt": "tell me a secret"}, columns).request_hash
    blocks = only({"in": 1, "prompt": [1, 2, 3]}, columns).request_hash
    token = only({"in": 1, "prompt": "sha256:ab12"}, columns).request_hash

    assert "secret" not in text
    assert len(text) == len(blocks) == 32
    assert token == "sha256:ab12"


AZURE = Columns(ts="TIMESTAMP", input="ContextTokens", output="GeneratedTokens")
MOONCAKE = Columns(
    ts="timestamp",
    ts_unit="ms",
    input="input_length",
    output="output_length",
    request_hash="hash_ids",
)


def test_a_trace_of_arrivals_as_csv_is_read_to_the_token(tmp_path: Path) -> None:
    path = tmp_path / "trace.csv.gz"
    lines = ["TIMESTAMP,ContextTokens,GeneratedTokens"]
    lines += [f"2023-11-16 18:17:0{n % 10}.9799600,{n},{2 * n}" for n in range(500)]
    path.write_bytes(gzip.compress("\r\n".join(lines).encode()))
    parse = mapped.parser(AZURE, table=True)

    stream = io.BytesIO(gzip.decompress(path.read_bytes()))
    found = [row for _, told in tables.csv_rows(stream) for row in _good(told, parse)]

    assert len(found) == len({row.dedupe for row in found}) == 500
    assert sum(row.input for row in found) == 500 * 499 // 2
    assert found[0].ts == 1_700_158_620_979_960


def test_a_trace_of_offsets_as_json_lines_is_read_to_the_token(tmp_path: Path) -> None:
    path = tmp_path / "trace.jsonl"
    line = '{"timestamp": 27000, "input_length": 6758, "output_length": 500, "hash_ids": [0, 1]}\n'
    path.write_text(line * 2, encoding="utf-8")
    parse = mapped.parser(MOONCAKE, table=False)

    with path.open("rb") as stream:
        found = [row for _, told in records.read(stream) for row in _good(told, parse)]

    assert [(row.input, row.output, row.ts) for row in found] == [(6_758, 500, 27_000_000)] * 2
    assert found[0].request_hash == found[1].request_hash != ""
    assert found[0].dedupe != found[1].dedupe


def _good(told: object, parse: object) -> list[Row]:
    assert isinstance(told, dict)
    assert callable(parse)
    return list(parse(told))
