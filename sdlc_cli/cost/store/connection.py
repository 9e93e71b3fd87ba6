"""A connection to a ledger's file whose commits end on the disk."""

import os
import sqlite3
from contextlib import suppress
from pathlib import Path

from sdlc_cli.core.errors import WorkError
from sdlc_cli.core.i18n import msg

_CACHE_KIB = 48 * 1024
_CHECKPOINT_PAGES = 4_000  # of the log, after which it is written into the file
_BUSY_S = 10.0  # to wait for another process that writes


class Transaction:
    """All or nothing, however it ends."""

    def __init__(self, con: sqlite3.Connection) -> None:
        self._con = con

    def __enter__(self) -> None:
        self._con.execute("BEGIN IMMEDIATE")

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        try:
            if kind is None:
                self._con.execute("COMMIT")
        finally:
            if self._con.in_transaction:
                self._con.execute("ROLLBACK")


def opened(file: Path) -> sqlite3.Connection:
    """A connection whose commits end on the disk. Raises WorkError.

    A file that is made is for its owner alone; SQLite gives its log the mode of the file.
    """
    # A file that is there is never opened here: to close it would end SQLite's own locks on it.
    with suppress(OSError):  # what is wrong with the place SQLite tells
        os.close(os.open(file, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC, 0o600))
    try:
        con = sqlite3.connect(file, timeout=_BUSY_S, isolation_level=None, cached_statements=64)
        for setting in (
            "journal_mode = WAL",
            "synchronous = FULL",  # in WAL mode: an fsync of the log at every commit
            f"cache_size = -{_CACHE_KIB}",
            "temp_store = MEMORY",
            f"wal_autocheckpoint = {_CHECKPOINT_PAGES}",
        ):
            con.execute(f"PRAGMA {setting}")
    except sqlite3.Error as error:
        raise WorkError(
            msg("SQLite says: {why} ({path})", why=str(error), path=str(file))
        ) from None
    return con
