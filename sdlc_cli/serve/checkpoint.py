"""Writes the store's log into its file beside the commits: nobody waits for it who waits for one.

A commit that finds the log long does the rest itself, which is little then: only a log that is in
the file as a whole begins anew.
"""

import sqlite3
import threading
import time
from contextlib import closing, suppress
from pathlib import Path

_PAGES = 1_500  # of the log, about, that are worth it
_OF_COMMIT = 6  # pages that a commit writes beside one for each row
_EVERY_S = 0.2  # at most


class Checkpoints(threading.Thread):
    """Told of commits by `note`, in the writer's thread; works in its own."""

    def __init__(self, file: Path) -> None:
        super().__init__(name="sdlc-checkpoint", daemon=True)
        self._file = file
        self._pages = 0
        self._due = threading.Event()
        self._stopping = False

    def note(self, rows: int) -> None:
        """A commit wrote so many rows."""
        self._pages += rows + _OF_COMMIT
        if self._pages >= _PAGES:
            self._due.set()

    def stop(self) -> None:
        """Ends it. Blocks until it has."""
        self._stopping = True
        self._due.set()
        if self.is_alive():
            self.join()

    def run(self) -> None:
        """The thread's work."""
        # Whatever the disk refuses: the log keeps all, commits write it, and the writer tells.
        with suppress(sqlite3.Error), closing(_connected(self._file)) as con:
            while True:
                self._due.wait()
                if self._stopping:
                    return
                self._due.clear()
                self._pages = 0
                with suppress(sqlite3.Error):
                    con.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
                time.sleep(_EVERY_S)


def _connected(file: Path) -> sqlite3.Connection:
    con = sqlite3.connect(file, isolation_level=None, check_same_thread=False)
    con.execute("PRAGMA synchronous = FULL")
    return con
