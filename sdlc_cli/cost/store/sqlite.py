"""SQLite as a store of usage: one file, no server."""

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import unquote, urlsplit

from sdlc_cli.core.errors import UsageError, WorkError
from sdlc_cli.core.i18n import msg
from sdlc_cli.cost import store
from sdlc_cli.cost.model import Row
from sdlc_cli.cost.store import COLUMNS, TABLE, migrate

_BATCH = 5_000
_NAMES = ", ".join(f'"{name}"' for name in COLUMNS)


def file_of(address: str) -> Path:
    """`sqlite:///usage.db` is a file here, `sqlite:////var/usage.db` one by its whole path."""
    try:
        at = urlsplit(address)
        path = "" if at.netloc else unquote(at.path)[1:]
    except ValueError:
        path = ""
    if not path or "\0" in path or path == ":memory:":  # what is in memory is gone at the end
        raise UsageError(msg("{address} names no file", address=address), hint="sqlite:///usage.db")
    return Path(path)


def load(file: Path, rows: Iterable[Row], table: str = TABLE) -> int:
    """Adds rows, all or none of them, to a file that is made where there is none."""
    with _told(file), closing(sqlite3.connect(file)) as con, con:
        if (found := migrate.version(con)) >= migrate.LEDGER:
            migrate.refuse_later(con, file)
            raise UsageError(
                msg("{path} is kept by `sdlc serve`: its calls come by HTTP", path=str(file)),
                hint=msg("load the logs into a file of their own"),
            )
        for statement in store.ddl("sqlite", table):
            con.execute(statement)
        if not found:
            con.execute(f"PRAGMA user_version = {migrate.LOG}")
        marks = ", ".join("?" * len(COLUMNS))
        sql = f"INSERT INTO {table} ({_NAMES}) VALUES ({marks})"
        return con.executemany(sql, store.records(rows)).rowcount


def read(file: Path, table: str = TABLE) -> Iterator[Row]:
    """All rows in the order they arrived, `line` being their place; of one moment."""
    with reading(file) as con:
        yield from rows(con, table)


@contextmanager
def reading(file: Path) -> Iterator[sqlite3.Connection]:
    """A connection to what the file holds at one moment."""
    if not file.exists():
        raise UsageError(msg("there is no file or folder {path}", path=str(file)))
    with _told(file), closing(_read_only(file)) as con:
        migrate.refuse_later(con, file)
        con.execute("BEGIN")
        yield con


def rows(con: sqlite3.Connection, table: str) -> Iterator[Row]:
    """All rows in the order they arrived."""
    found = con.execute(f"SELECT seq, {_NAMES} FROM {store.checked(table)} ORDER BY seq")
    while batch := found.fetchmany(_BATCH):
        for seq, *values in batch:
            yield store.row(values, seq)


def find(file: Path, call_id: str, table: str = TABLE) -> Iterator[Row]:
    """The rows of a call, by its id or by what makes its rows one call."""
    with _told(file), closing(_read_only(file)) as con:
        found = con.execute(
            f"SELECT seq, {_NAMES} FROM {table} WHERE call_id = ? OR dedupe = ? ORDER BY seq",
            (call_id, call_id),
        )
        for seq, *values in found.fetchall():
            yield store.row(values, seq)


def _read_only(file: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True)


@contextmanager
def _told(file: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        raise WorkError(
            msg("SQLite says: {why} ({path})", why=str(error), path=str(file))
        ) from None
