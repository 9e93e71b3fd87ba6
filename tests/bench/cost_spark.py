"""The query over usage in Apache Spark, held against DuckDB: equal to the pico-dollar, or exit 1.

    python tests/bench/cost_spark.py [ROWS]

Needs pyspark and a Java. The SQL is the one of the servers, in sqlglot's Spark dialect.
"""

import importlib.util
import sys
import tempfile
import time
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from sdlc_cli.cost import store  # noqa: E402
from sdlc_cli.cost.config import CostConfig  # noqa: E402
from sdlc_cli.cost.engine import remote  # noqa: E402
from sdlc_cli.cost.engine.usage import Usage  # noqa: E402
from sdlc_cli.cost.model import Row  # noqa: E402

BY = ("day", "model", "project")
ZONE = "Europe/Berlin"


def _contract() -> Any:
    """The log that all engines are held to, and DuckDB's answers to it."""
    file = ROOT / "tests" / "contract" / "test_cost_stores.py"
    spec = importlib.util.spec_from_file_location("test_cost_stores", file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Spark:
    """A session in this process. `sdlc_usage` is a view of Parquet files."""

    dialect: Literal["spark"] = "spark"

    def __init__(self, session: Any) -> None:
        self.session = session

    def run(self, sql: str) -> list[tuple[store.Value, ...]]:
        """The rows of the answer."""
        if sql.startswith("DROP TABLE"):
            return []  # tables are views here, made again where they are asked; one needs the other
        return [tuple(map(_plain, line)) for line in self.session.sql(sql).collect()]

    def remark(self, table: str) -> str:
        """Written a moment ago, by this version."""
        return store.REMARK

    def load(self, table: str, rows: Iterable[Row], *, make: bool) -> int:
        """Not asked here."""
        raise NotImplementedError

    def close(self) -> None:
        """Ends the session."""
        self.session.stop()


def _plain(cell: Any) -> store.Value:
    return cell if cell is None or isinstance(cell, str | int) else int(cell)


def written(rows: list[Row], folder: Path) -> Path:
    """The rows as a Parquet file with the columns of `sdlc_usage`."""
    from sdlc_cli.cost.store import sqlite

    kept = folder / "usage.db"
    sqlite.load(kept, rows)
    return _parquet(kept, folder / "usage.parquet")


def _parquet(kept: Path, file: Path) -> Path:
    import sqlite3

    import duckdb

    kinds = {"name": "VARCHAR", "text": "VARCHAR", "truth": "BOOLEAN"}
    columns = {"seq": "BIGINT"}
    columns |= {name: kinds.get(kind, "BIGINT") for name, kind in store.COLUMNS.items()}
    con = duckdb.connect()
    made = ", ".join(f'"{name}" {kind}' for name, kind in columns.items())
    con.execute(f"CREATE TABLE u ({made})")
    marks = ", ".join("?" * len(columns))
    with sqlite3.connect(kept) as source:
        rows = source.execute("SELECT * FROM sdlc_usage").fetchall()
    con.executemany(f"INSERT INTO u VALUES ({marks})", rows)
    con.execute(f"COPY u TO '{file}' (FORMAT parquet)")
    con.close()
    return file


def main() -> int:
    if importlib.util.find_spec("pyspark") is None:
        print("pyspark is not installed: pip install pyspark, and a Java that it supports")
        return 3
    from pyspark.sql import SparkSession  # type: ignore[import-not-found,unused-ignore]

    contract = _contract()
    rows = contract.mixed(4, int(sys.argv[1]) if len(sys.argv) > 1 else contract.ROWS)
    session = (
        SparkSession.builder.master("local[2]")
        .config("spark.sql.ansi.enabled", "true")  # an overflow is an error, no NULL
        .config("spark.sql.session.timeZone", "UTC")
        .getOrCreate()
    )
    with tempfile.TemporaryDirectory() as folder:
        tmp = Path(folder)
        session.read.parquet(str(written(rows, tmp))).createOrReplaceTempView("sdlc_usage")
        here = contract.in_duckdb(rows, tmp, CostConfig()).report(BY, timezone=ZONE)
        start = time.perf_counter()
        calls = remote.over(Spark(session), "spark", ["sdlc_usage"], tmp)
        with Usage(calls, CostConfig(), contract.Book()) as usage:
            there = usage.report(BY, timezone=ZONE)
        print(f"{len(rows):,} rows in {time.perf_counter() - start:.1f} s of wall time")
    equal = replace(there, sources=()) == replace(here, sources=())
    print(f"DuckDB {here.totals.pico} pico-dollars, Spark {there.totals.pico}")
    print("equal" if equal else "NOT equal")
    return 0 if equal else 1


if __name__ == "__main__":
    sys.exit(main())
