"""Rows of CSV and Parquet files: strict, and a bad row costs itself alone."""

import io
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pytest

from sdlc_cli.core.errors import WorkError
from sdlc_cli.cost.model import Rejected
from sdlc_cli.cost.readers.tables import csv_rows, parquet_rows


def told(text: str | bytes, limit: int = 1_000) -> list[tuple[int, object]]:
    data = text if isinstance(text, bytes) else text.encode()
    return [
        (number, str(found.reason) if isinstance(found, Rejected) else tuple(found.values()))
        for number, found in csv_rows(io.BytesIO(data), limit=limit)
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("a,b\n1,2\n", [(2, ("1", "2"))], id="plain"),
        pytest.param("\ufeffa,b\r\n1,2\r\n", [(2, ("1", "2"))], id="byte order mark and CRLF"),
        pytest.param("a;b\n1;2", [(2, ("1", "2"))], id="semicolons, no last newline"),
        pytest.param("a\tb\n1\t2\n", [(2, ("1", "2"))], id="tabs"),
        pytest.param('a,b\n"x,""y""",2\n', [(2, ('x,"y"', "2"))], id="quotes"),
        pytest.param('a,b\n"x\ny",2\n3,4\n', [(2, ("x\ny", "2")), (4, ("3", "4"))], id="newlines"),
        pytest.param("a,b\n\n1,2\n", [(3, ("1", "2"))], id="blank lines"),
        pytest.param(
            'a,b\n5" pipe,1\n3,4\n', [(2, ('5" pipe', "1")), (3, ("3", "4"))], id="inches"
        ),
    ],
)
def test_rows_come_with_the_line_they_begin_in(text: str, expected: list[object]) -> None:
    assert told(text) == expected


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"1", "1 cells where the header has 2"),
        (b"1,2,3", "3 cells where the header has 2"),
        (b'"1,2', "not valid CSV"),
        (b'"1"x,2', "not valid CSV"),
        (b"\xff,2", "invalid UTF-8"),
        (b"1," + b"2" * 2_000, "longer than 1000 bytes"),
    ],
)
def test_a_bad_row_is_refused_and_the_rows_around_it_are_read(line: bytes, reason: str) -> None:
    found = told(b"a,b\n1,2\n" + line + b"\n3,4\n5,6\n")

    assert [number for number, _ in found] == [2, 3, 4, 5]
    assert str(found[1][1]).startswith(reason)
    assert [row for _, row in (found[0], *found[2:])] == [("1", "2"), ("3", "4"), ("5", "6")]


@pytest.mark.parametrize("header", ["", "\n", "a,,b", "a,b,a", b"\xff\xfe"])
def test_a_header_that_names_no_columns_is_an_error(header: str | bytes) -> None:
    with pytest.raises(WorkError, match="header"):
        told(header)


@pytest.fixture
def parquet(tmp_path: Path) -> Path:
    path = tmp_path / "calls.parquet"
    duckdb.execute(
        "COPY (SELECT TIMESTAMP '2026-05-01 10:00:00.5' AS at,"
        " TIMESTAMPTZ '2026-05-01 12:00:00+02' AS tz, 7::BIGINT AS tokens,"
        " 2.5::DECIMAL(9, 2) AS cost, [1, 2] AS blocks, {'in': 3} AS usage,"
        f" uuid() AS id, 'x' AS note FROM range(3)) TO '{path}' (FORMAT parquet)"
    )
    return path


def test_parquet_rows_have_times_as_text_in_utc(parquet: Path) -> None:
    found = list(parquet_rows(parquet))
    number, row = found[2]

    assert isinstance(row, dict)
    assert (len(found), number, row["tokens"], row["blocks"]) == (3, 3, 7, [1, 2])
    assert datetime.fromisoformat(row["tz"]) == datetime(2026, 5, 1, 10, tzinfo=UTC)
    assert row["at"] == "2026-05-01 10:00:00.5"
    assert isinstance(row["id"], str)


def test_only_the_columns_that_are_asked_for_are_read(parquet: Path) -> None:
    _, row = next(parquet_rows(parquet, ("tokens", "usage.in", "missing")))

    assert row == {"tokens": 7, "usage": {"in": 3}}


def test_a_broken_parquet_file_is_an_error_in_one_line(tmp_path: Path) -> None:
    path = tmp_path / "calls.parquet"
    path.write_bytes(b"PAR1 nothing PAR1")

    with pytest.raises(WorkError, match="cannot read") as raised:
        list(parquet_rows(path))
    assert "\n" not in str(raised.value)
