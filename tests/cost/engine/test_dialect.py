"""The query's SQL in other dialects: what sqlglot reads back, and what must not be in it."""

import importlib.util
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest

if importlib.util.find_spec("sqlglot") is None:
    pytest.skip("sqlglot is not installed", allow_module_level=True)

import sqlglot

from sdlc_cli.cost.config import CostConfig, Match, Rule
from sdlc_cli.cost.engine import remote
from sdlc_cli.cost.engine.dialect import Dialect, translate
from sdlc_cli.cost.engine.usage import Usage
from sdlc_cli.cost.model import Where
from sdlc_cli.cost.prices.resolve import Prices
from sdlc_cli.cost.store import REMARK, Value

DIALECTS: tuple[Dialect, ...] = ("postgres", "clickhouse", "spark")


class Told:
    """A server that writes down what it is asked, and knows one model."""

    def __init__(self, dialect: Dialect) -> None:
        self.dialect: Dialect = dialect
        self.asked: list[str] = []

    def run(self, sql: str) -> list[tuple[Value, ...]]:
        self.asked.append(sql)
        if sql.startswith("SELECT DISTINCT"):
            return [("openai\x1fgpt-4o\x1f",), ("google\x1fgemini-2.5-pro\x1fbatch",)]
        if sql.startswith("SELECT count(*), min(seq)"):
            return [(3, 1, 3)]
        counted = sql.upper().startswith("SELECT COUNT(*)")
        spans = sql.upper().startswith("SELECT MIN(TS)")
        return [(1,)] if counted else [(0, 10**15)] if spans else []

    def remark(self, table: str) -> str | None:
        return REMARK

    def load(self, table: str, rows: object, *, make: bool) -> int:
        raise NotImplementedError

    def close(self) -> None:
        pass


def everything(dialect: Dialect, tmp: Path) -> Sequence[str]:
    """All that a server is asked, from opening to the requests."""
    server = Told(dialect)
    rules = (Rule(match=Match(tag={"env": "prod"}, model="gpt*"), project="shop"),)
    calls = remote.over(server, "here", ["sdlc_usage"], tmp)
    with Usage(calls, CostConfig(attribute=rules), Prices()) as usage:
        usage.report(("day", 'tag:a"b', "bucket", "status"), timezone="Europe/Berlin")
        usage.slices(("hour",), Where(since=datetime(2026, 1, 1, tzinfo=UTC), user="o'dd"))
        usage.requests(Where(tag=("env", "\\")))
        list(calls.find("call-1"))
    return server.asked


@pytest.mark.parametrize("dialect", DIALECTS)
def test_all_that_a_server_is_asked_is_valid_in_its_dialect(
    dialect: Dialect, tmp_path: Path
) -> None:
    asked = everything(dialect, tmp_path)

    assert len(asked) > 10
    for sql in asked:
        assert sqlglot.parse_one(sql, read=dialect).sql(dialect=dialect)


@pytest.mark.parametrize(
    ("dialect", "foreign"),
    [
        pytest.param("postgres", r"INT128|HUGEINT|\bDIV\(|SEMI JOIN|ANTI JOIN|//", id="postgres"),
        # A quotient by way of a fraction, sums of 64 bits, joins that a table in parts cannot do.
        pytest.param(
            "clickhouse",
            r"Int128|//| / |SUM\((?!CAST)|(?<!GLOBAL )(SEMI|ANTI) JOIN",
            id="clickhouse",
        ),
        pytest.param("spark", r"INT128|HUGEINT|//| / ", id="spark"),
    ],
)
def test_nothing_overflows_or_becomes_a_fraction(
    dialect: Dialect, foreign: str, tmp_path: Path
) -> None:
    found = [sql for sql in everything(dialect, tmp_path) if re.search(foreign, sql)]

    assert found == []


def test_a_table_of_values_is_one_table_in_clickhouse() -> None:
    sql = translate(
        "SELECT * FROM (VALUES ('a', -1, NULL), ('b', 3000000000, 2)) AS v(x, y, z)",
        "clickhouse",
        {},
    )

    assert "UNION" not in sql
    assert "'x Nullable(String), y Nullable(Int64), z Nullable(Int32)'" in sql


def test_names_stand_for_what_they_were_made_of() -> None:
    views = {"rows": "SELECT 1 AS h FROM t", "counted": "SELECT h FROM rows"}

    sql = translate("SELECT h FROM counted AS c", "postgres", views)

    assert sql == "SELECT h FROM (SELECT h FROM (SELECT 1 AS h FROM t) AS rows) AS c"
