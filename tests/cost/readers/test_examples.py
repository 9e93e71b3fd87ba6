"""The logs in examples/cost: totals as worked out by hand in their README, and privacy."""

import re
from pathlib import Path

import pytest

from sdlc_cli.cost.model import INPUTS, OUTPUTS, Rejected, Row
from sdlc_cli.cost.readers import detect, records

FOLDER = Path(__file__).parents[3] / "examples" / "cost"
_COLUMNS = 10  # of the table of totals, before the cost
_LINE = re.compile(r"^\| `([\w.-]+)` \|" + r" (\d+) \|" * (_COLUMNS - 1) + r" [\d.]+ \|$", re.M)
BY_HAND = {
    name: tuple(int(count) for count in counts)
    for name, *counts in _LINE.findall((FOLDER / "README.md").read_text(encoding="utf-8"))
}


def rows_of(path: Path) -> list[Row]:
    with path.open("rb") as stream:
        found = list(records.read(stream))
    form = detect.detect([record for _, record in found], path.name)
    assert form is not None
    parse = form.start()
    rows: list[Row] = []
    for _, record in found:
        assert not isinstance(record, Rejected)
        rows += parse(record)
    return rows


def total(rows: list[Row], *names: str) -> int:
    return sum(getattr(row, name) for row in rows for name in names)


@pytest.mark.parametrize("name", sorted(BY_HAND))
def test_an_example_has_the_totals_worked_out_by_hand(name: str) -> None:
    rows = rows_of(FOLDER / name)
    calls: dict[str, Row] = {}
    for place, row in enumerate(rows):
        key = row.dedupe or f"line {place}"
        calls[key] = max(calls.get(key, row), row, key=lambda r: total([r], *INPUTS, *OUTPUTS))
    paid = [row for row in calls.values() if row.status == "ok"]

    assert all(row.known for row in rows)
    assert BY_HAND[name] == (
        len(paid),
        sum(row.status == "cached" for row in calls.values()),
        sum(row.status == "error" for row in calls.values()),
        len(rows) - len(calls),
        total(paid, "input", "audio_in", "image_in"),
        total(paid, "cache_read", "audio_cached"),
        total(paid, "cache_write_5m", "cache_write_1h"),
        total(paid, *OUTPUTS),
        total(paid, "reasoning"),
    )


def test_the_table_has_every_format_of_this_kind() -> None:
    formats = {"anthropic-stream.jsonl", "bedrock.jsonl", "envelope.jsonl", "litellm-spend.json"}

    assert formats <= BY_HAND.keys()
    assert len(BY_HAND) >= 10
    assert all((FOLDER / name).is_file() for name in BY_HAND)
