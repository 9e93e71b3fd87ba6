"""Past days of a ledger as Parquet files beside it, which reports read many times faster.

The ledger stays the truth: a day that calls are added to later is unsealed in the same transaction,
and a file that is gone costs nothing but time.
"""

import json
import os
import sqlite3
import sys
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory

from sdlc_cli.cost import store
from sdlc_cli.cost.engine import table
from sdlc_cli.cost.engine.store import Part
from sdlc_cli.cost.engine.table import COLUMNS, literal, quoted
from sdlc_cli.cost.model import COUNTS, Row
from sdlc_cli.cost.store.rollup import DAY

SUFFIX = ".days"  # of the folder beside the file
_BATCH = 20_000
_MEMORY_MIB = 200
_NAMES = ", ".join(f'"{name}"' for name in store.COLUMNS)
# Columns that reports do without: rows of a ledger are known to be calls of their own.
_LEFT_OUT = ("src", "h", "line")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sealed:
    """A day that was written, and what tells whether it is still as it was."""

    file: str
    rows: int
    top: int  # the highest number of a row
    total: int  # the sum of all numbers


def folder_of(file: Path) -> Path:
    """Where the days of a ledger lie."""
    return file.with_name(file.name + SUFFIX)


def seal(file: Path, day: int) -> Sealed:
    """Writes the calls of one day (UTC, days since 1970), as they are at this moment."""
    folder = folder_of(file)
    folder.mkdir(exist_ok=True)
    uri = f"{file.absolute().as_uri()}?mode=ro"
    with closing(sqlite3.connect(uri, uri=True)) as con, TemporaryDirectory(dir=folder) as name:
        found = con.execute(
            f"SELECT seq, {_NAMES} FROM {store.TABLE} WHERE ts >= ? AND ts < ? ORDER BY seq",
            (day * DAY, (day + 1) * DAY),
        )
        work = Path(name)
        seen = _write(work, (store.row(values, seq) for seq, *values in found))
        target = folder / f"{day}-{seen[1]}-{seen[2]}.parquet"
        with open(work / "day.parquet", "rb") as made:
            os.fsync(made.fileno())
        os.replace(work / "day.parquet", target)
    return Sealed(file=target.name, rows=seen[0], top=seen[1], total=seen[2])


def parts(con: sqlite3.Connection, file: Path) -> dict[int, Part]:
    """The days of a ledger that are sealed and whose files are there."""
    folder = folder_of(file)
    pms = tuple(
        f"{provider}{table.PARTING}{model}{table.PARTING}{tier}"
        for provider, model, tier in con.execute(
            "SELECT DISTINCT provider, model, tier FROM sdlc_rollup WHERE scope = ''"
        )
    )
    found: dict[int, Part] = {}
    for day, name in con.execute("SELECT day, file FROM sdlc_sealed ORDER BY day"):
        if (folder / name).is_file():
            found[day] = Part(
                file=folder / name,
                columns=_columns(folder / name),
                pms=pms,
                first=day * DAY,
                last=(day + 1) * DAY - 1,
                numbered=True,
            )
    return found


def counted(con: sqlite3.Connection, days: Iterable[int]) -> tuple[int, int]:
    """How many calls these sealed days have, and how many records of a ledger were duplicates."""
    listed = ", ".join(map(str, days))
    found = con.execute(f"SELECT sum(rows) FROM sdlc_sealed WHERE day IN ({listed})").fetchone()
    again = con.execute("SELECT value FROM sdlc_meta WHERE name = 'duplicates'").fetchone()
    return int(found[0] or 0), int(again[0]) if again else 0


def _write(work: Path, rows: Iterator[Row]) -> tuple[int, int, int]:
    count = top = total = 0
    given: set[str] = set()
    written = work / "rows"
    with closing(table.connect(work, threads=1, memory_mib=_MEMORY_MIB)) as con:
        table.create(con, "day")
        while batch := list(islice(rows, _BATCH)):
            table.write_rows(written, 0, batch)
            con.execute(f"INSERT INTO day {table.selected_rows(written)}")
            written.unlink()
            count += len(batch)
            top = max(top, batch[-1].line)
            total += sum(row.line for row in batch)
            given |= {name for name in COUNTS if any(getattr(row, name) for row in batch)}
        left = (*_LEFT_OUT, *(name for name in COUNTS if name not in given))
        kept = [name for name in COLUMNS if name not in left]
        target = literal(str(work / "day.parquet"))
        con.execute(
            f"COPY (SELECT {', '.join(map(quoted, kept))} FROM day ORDER BY ts) TO {target} "
            "(FORMAT parquet, COMPRESSION zstd)"
        )
    return count, top, total


def _columns(file: Path) -> tuple[str, ...]:
    import duckdb

    with closing(duckdb.connect()) as con:
        found = con.execute(f"SELECT name FROM parquet_schema({literal(str(file))})").fetchall()
    return tuple(name for (name,) in found if name in COLUMNS)


def main() -> int:
    """`python -m sdlc_cli.cost.engine.seal FILE DAY`: the service's child, which prints JSON."""
    from dataclasses import asdict

    os.nice(10)
    sealed = seal(Path(sys.argv[1]), int(sys.argv[2]))
    sys.stdout.write(json.dumps(asdict(sealed)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
