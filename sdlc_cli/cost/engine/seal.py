"""Past hours and days of a ledger as Parquet beside it, which reports read many times faster.

The ledger stays the truth: what calls are added to later is unsealed in the same transaction, and a
file that is gone costs nothing but time.
"""

import json
import os
import sqlite3
import sys
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from sdlc_cli.cost.engine import clock, table, transfer
from sdlc_cli.cost.engine.store import Part
from sdlc_cli.cost.engine.table import COLUMNS, literal
from sdlc_cli.cost.engine.transfer import Written
from sdlc_cli.cost.store import seals

SUFFIX = ".days"  # of the folder beside the file
_MEMORY_MIB = 200
# Columns that reports do without: rows of a ledger are known to be calls of their own.
_LEFT_OUT = ("src", "h", "line")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sealed:
    """What was written, and what tells whether it is still as it was."""

    file: str
    rows: int
    top: int  # the highest number of a row
    total: int  # the sum of all numbers


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """What of a ledger is sealed, and the condition for its other rows."""

    parts: tuple[Part, ...]
    rows: int
    rest: str
    duplicates: int  # records that were found to tell of a call that was there


def folder_of(file: Path) -> Path:
    """Where the days of a ledger lie."""
    return file.with_name(file.name + SUFFIX)


def seal(file: Path, since: int, until: int) -> Sealed:
    """Writes the calls from `since` until before `until`, as they are at this moment."""
    folder = folder_of(file)
    folder.mkdir(exist_ok=True)
    uri = f"{file.absolute().as_uri()}?mode=ro"
    with closing(sqlite3.connect(uri, uri=True)) as con, TemporaryDirectory(dir=folder) as name:
        work = Path(name)
        con.execute("BEGIN")  # all that is read is of one moment
        seen = _write(con, f"ts >= {since} AND ts < {until}", work)
        begin = clock.moment(since)
        hours = (until - since) // clock.HOUR
        target = folder / f"{begin:%Y-%m-%dT%H}-{hours}h-{seen.top}-{seen.total}.parquet"
        with open(work / "part.parquet", "rb") as made:
            os.fchmod(made.fileno(), file.stat().st_mode & 0o666)  # who may read the ledger
            os.fsync(made.fileno())
        os.replace(work / "part.parquet", target)
    return Sealed(file=target.name, rows=seen.rows, top=seen.top, total=seen.total)


def read(con: sqlite3.Connection, file: Path) -> Kept:
    """What is sealed of a ledger, where its files are there."""
    folder = folder_of(file)
    pms = tuple(
        table.PARTING.join(names)
        for names in con.execute(
            "SELECT DISTINCT provider, model, tier FROM sdlc_rollup WHERE scope = ''"
        )
    )
    there = [one for one in seals.listed(con) if (folder / one[2]).is_file()]
    columns = _columns([folder / name for _, _, name, _ in there])
    parts = tuple(
        Part(
            file=folder / name,
            columns=columns[str(folder / name)],
            pms=pms,
            first=since,
            last=until - 1,
        )
        for since, until, name, _ in there
    )
    again = con.execute("SELECT value FROM sdlc_meta WHERE name = 'duplicates'").fetchone()
    return Kept(
        parts=parts,
        rows=sum(rows for _, _, _, rows in there),
        rest=seals.outside([(since, until) for since, until, _, _ in there]),
        duplicates=int(again[0]) if again else 0,
    )


def _write(con: sqlite3.Connection, wanted: str, work: Path) -> Written:
    written = transfer.write(con, wanted, work / "lines")
    kept = tuple(name for name in written.columns if name not in _LEFT_OUT)
    target = literal(str(work / "part.parquet"))
    with closing(table.connect(work, threads=1, memory_mib=_MEMORY_MIB)) as made:
        made.execute(
            f"COPY (SELECT * FROM ({transfer.read(written, kept)}) ORDER BY ts) TO {target} "
            "(FORMAT parquet, COMPRESSION zstd)"
        )
    return written


def _columns(files: Sequence[Path]) -> dict[str, tuple[str, ...]]:
    """The columns of each file, asked in one question."""
    from sdlc_cli.cost.duck import duckdb

    if not files:
        return {}
    found: dict[str, list[str]] = {}
    with closing(duckdb.connect()) as con:
        for file, name in con.execute(
            f"SELECT file_name, name FROM parquet_schema({table.listed(files)})"
        ).fetchall():
            if name in COLUMNS:
                found.setdefault(file, []).append(name)
    return {file: tuple(names) for file, names in found.items()}


def main() -> int:
    """`python -m sdlc_cli.cost.engine.seal FILE SINCE UNTIL`, the service's child: prints JSON."""
    from dataclasses import asdict

    os.nice(10)
    sealed = seal(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
    sys.stdout.write(json.dumps(asdict(sealed)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
