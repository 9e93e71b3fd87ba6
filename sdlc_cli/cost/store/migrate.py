"""The versions of a SQLite file of usage, and the way from each to the next."""

import secrets
import sqlite3
from collections.abc import Callable
from pathlib import Path

from sdlc_cli.core.errors import WorkError
from sdlc_cli.core.i18n import msg
from sdlc_cli.cost import store
from sdlc_cli.cost.merge import merged
from sdlc_cli.cost.store import COLUMNS, TABLE, rollup

LOG = 1  # every record is kept, duplicates too: what `sdlc cost load` makes
LEDGER = 2  # every call once, with sums: what `sdlc serve` keeps
NEWEST = LEDGER

_NAMES = ", ".join(f'"{name}"' for name in COLUMNS)
_LEDGER = f"""
CREATE UNIQUE INDEX sdlc_usage_h ON {TABLE} (h) WHERE h IS NOT NULL;
DROP INDEX sdlc_usage_call_id;
CREATE INDEX sdlc_usage_ts ON {TABLE} (ts);
{rollup.ddl()};
CREATE TABLE sdlc_meta (name TEXT PRIMARY KEY, value) WITHOUT ROWID;

-- Requests that shall be done once.
CREATE TABLE sdlc_request (
  key TEXT PRIMARY KEY, said BLOB NOT NULL, answer BLOB NOT NULL, at INTEGER NOT NULL
) WITHOUT ROWID;

-- Where calls stand in their traces, for a restart.
CREATE TABLE sdlc_span (
  n INTEGER PRIMARY KEY, h INTEGER NOT NULL, span TEXT NOT NULL, above TEXT
);

-- Calls that turned out to be others, for whoever copied them already.
CREATE TABLE sdlc_gone (n INTEGER PRIMARY KEY AUTOINCREMENT, h INTEGER NOT NULL);

-- Hours and days that stand in a Parquet file, too.
CREATE TABLE sdlc_sealed (
  since INTEGER PRIMARY KEY, until INTEGER NOT NULL, file TEXT NOT NULL, rows INTEGER NOT NULL
);

-- Rows that the server which they are copied to refuses.
CREATE TABLE sdlc_dead_letter (
  seq INTEGER PRIMARY KEY, reason TEXT NOT NULL, at INTEGER NOT NULL
);

CREATE TABLE sdlc_key (
  id TEXT PRIMARY KEY, hash BLOB NOT NULL, scopes TEXT NOT NULL, projects TEXT NOT NULL,
  note TEXT NOT NULL, at INTEGER NOT NULL, revoked INTEGER
)
"""


def version(con: sqlite3.Connection) -> int:
    """The version of a file; 0 of an empty one."""
    (found,) = con.execute("PRAGMA user_version").fetchone()
    return int(found)


def refuse_later(con: sqlite3.Connection, file: Path) -> None:
    """Raises WorkError for a file that a later sdlc wrote."""
    if version(con) > NEWEST:
        raise WorkError(
            msg("{path} was written by a later sdlc", path=str(file)),
            hint="pip install --upgrade sdlc-cli",
        )


def migrate(con: sqlite3.Connection, file: Path) -> None:
    """Brings a file to the newest version, step by step, each whole or not at all."""
    try:
        refuse_later(con, file)
        while (found := version(con)) < NEWEST:
            con.execute("BEGIN IMMEDIATE")
            try:
                if version(con) == found:  # nobody else did it meanwhile
                    _STEPS[found](con)
                    con.execute(f"PRAGMA user_version = {found + 1}")
                con.execute("COMMIT")
            finally:
                if con.in_transaction:
                    con.execute("ROLLBACK")
    except sqlite3.Error as error:
        raise WorkError(
            msg("SQLite says: {why} ({path})", why=str(error), path=str(file))
        ) from None


def _log(con: sqlite3.Connection) -> None:
    for statement in store.ddl("sqlite"):
        con.execute(statement)


def _ledger(con: sqlite3.Connection) -> None:
    """One row for each call: of several the one that counts, with what the others know."""
    twice = con.execute(
        f"SELECT h FROM {TABLE} WHERE h IS NOT NULL GROUP BY h HAVING count(*) > 1"
    ).fetchall()
    duplicates = 0
    marks = ", ".join("?" * len(COLUMNS))
    for (h,) in twice:
        found = con.execute(f"SELECT {_NAMES} FROM {TABLE} WHERE h = ? ORDER BY seq", (h,))
        rows = [store.row(values) for values in found]
        duplicates += len(rows) - 1
        con.execute(f"DELETE FROM {TABLE} WHERE h = ?", (h,))
        con.execute(f"INSERT INTO {TABLE} ({_NAMES}) VALUES ({marks})", store.record(merged(*rows)))
    for statement in _LEDGER.split(";\n"):
        con.execute(statement)
    meta = [("store", secrets.token_hex(16)), ("duplicates", duplicates)]
    con.executemany("INSERT INTO sdlc_meta VALUES (?, ?)", meta)


_STEPS: dict[int, Callable[[sqlite3.Connection], None]] = {0: _log, LOG: _ledger}
