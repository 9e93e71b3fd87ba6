"""The sessions, spans, exports and columns in examples/cost: totals as worked out by hand."""

import re
from pathlib import Path

import pytest

from sdlc_cli.cost import config
from sdlc_cli.cost.model import INPUTS, OUTPUTS, Rejected, Row
from sdlc_cli.cost.readers import detect, mapped, records, tables

FOLDER = Path(__file__).parents[3] / "examples" / "cost"
_LINE = re.compile(r"^\| `([\w.-]+)` \|" + r" (\d+) \|" * 9 + r" [\d.]+ \|$", re.MULTILINE)
BY_HAND = {
    name: tuple(int(count) for count in counts)
    for name, *counts in _LINE.findall((FOLDER / "SESSIONS.md").read_text(encoding="utf-8"))
}


def rows_of(path: Path) -> list[Row]:
    """The rows of a file, or of all logs in a folder."""
    if path.is_dir():
        inner = sorted((*path.rglob("*.jsonl"), *path.rglob("*.csv")))
        return [row for file in inner for row in rows_of(file)]
    with path.open("rb") as stream:
        if path.suffix == ".csv":
            columns = config.load(path.with_name("cost.yaml"), path.parent, {}).columns
            assert columns is not None
            found, form = list(tables.csv_rows(stream)), mapped.format_of(columns, table=True)
        else:
            found = list(records.read(stream))
            told = detect.detect([record for _, record in found], path.name)
            assert told is not None
            form = told
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
    for row in rows:
        assert row.dedupe
        best = calls.setdefault(row.dedupe, row)
        calls[row.dedupe] = max(best, row, key=lambda r: (r.rank, total([r], *INPUTS, *OUTPUTS)))
    paid = [row for row in calls.values() if row.status == "ok"]

    assert all(row.known for row in rows)
    assert BY_HAND[name] == (
        total(paid, "calls"),
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
    assert len(BY_HAND) == 9
