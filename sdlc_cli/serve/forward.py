"""Copies calls into PostgreSQL, later and as often as it takes; the service never waits for it.

The store itself is the outbox: rows have numbers that only grow, and how far they were copied is
noted in PostgreSQL in the transaction that copied them, so nothing is left out or copied twice. A
row that the server refuses goes to the dead letters, and the rest goes on.
"""

import random
import sqlite3
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, Literal

from sdlc_cli.core.errors import SdlcError
from sdlc_cli.cost.store import COLUMNS, TABLE, letters
from sdlc_cli.cost.store.ledger import Ledger
from sdlc_cli.serve import log
from sdlc_cli.serve.refusal import Refusal

Breaker = Literal["closed", "open", "half-open"]

BATCH = 5_000  # rows in a transaction
_IDLE_S = 0.5  # between two looks when all is copied
_FIRST_WAIT_S = 0.5
_LONGEST_WAIT_S = 15.0
_PATIENCE_S = 30.0  # with the writer of the store
_FAILURES = 3  # in a row, after which the breaker opens
_NAMES = ", ".join(f'"{name}"' for name in COLUMNS)


class Forwarder(threading.Thread):
    """One thread. `state` may be asked from any other."""

    def __init__(self, file: Path, address: str, ask: Callable[..., Any]) -> None:
        """`ask` has the writer of the store do something, as `Writer.ask` does."""
        super().__init__(name="sdlc-forward", daemon=True)
        self._file = file
        self._address = address
        self._ask = ask
        self._ending = threading.Event()
        self._failures = 0
        self._forwarded = 0
        self._lag = 0
        self._dead = 0
        self._problem = ""
        self._server: Any = None

    def state(self) -> dict[str, Any]:
        """How it stands: for health and metrics."""
        return {
            "breaker": self.breaker,
            "lag": self._lag,
            "forwarded": self._forwarded,
            "dead_letters": self._dead,
            "problem": self._problem,
        }

    @property
    def breaker(self) -> Breaker:
        """Closed while all is well; open after some failures; half-open while one try is made."""
        if self._failures < _FAILURES:
            return "closed"
        return "half-open" if self._trying else "open"

    _trying = False

    def stop(self) -> None:
        """Ends after the batch that is under way. What is not copied is copied next time."""
        self._ending.set()

    def run(self) -> None:
        """The thread's work."""
        uri = f"{self._file.absolute().as_uri()}?mode=ro"
        with closing(sqlite3.connect(uri, uri=True, timeout=10)) as con:
            while not self._ending.is_set():
                self._trying = True
                copied, failed = 0, ""
                try:
                    copied = self._turn(con)
                except (SdlcError, OSError, sqlite3.Error) as error:
                    failed = str(error) or type(error).__name__
                except Exception as error:  # noqa: BLE001 - it is tried again, and told
                    failed = type(error).__name__
                    log.bug(error)
                self._trying = False
                self._count(con)
                if failed:
                    self._fail(failed)
                    self._ending.wait(self._wait())
                else:
                    self._well()
                    if not copied:
                        self._ending.wait(_IDLE_S)
        if self._server is not None:
            self._server.close()

    def _wait(self) -> float:
        """Longer with each failure, and never the same for two services."""
        doubled = _FIRST_WAIT_S * float(2 ** min(self._failures, 10))
        return min(_LONGEST_WAIT_S, doubled) * random.uniform(0.5, 1)

    def _fail(self, why: str) -> None:
        self._failures += 1
        self._problem = why
        if self._failures in (1, _FAILURES):
            log.say("forward", "warning", problem=why, breaker=self.breaker)
        if self._server is not None:
            self._server.close()
            self._server = None

    def _well(self) -> None:
        if self._failures:
            log.say("forward", problem="", breaker="closed")
        self._failures = 0
        self._problem = ""

    def _turn(self, con: sqlite3.Connection) -> int:
        """Copies one batch; how many rows and removals it was."""
        if self._server is None:
            from sdlc_cli.serve.postgres import Target

            (identity,) = con.execute("SELECT value FROM sdlc_meta WHERE name = 'store'").fetchone()
            self._server = Target(self._address, str(identity))
        seq, gone = self._server.copied()
        rows = con.execute(
            f"SELECT seq, {_NAMES} FROM {TABLE} WHERE seq > ? AND NOT EXISTS "
            "(SELECT 1 FROM sdlc_dead_letter AS d WHERE d.seq = sdlc_usage.seq) "
            "ORDER BY seq LIMIT ?",
            (seq, BATCH),
        ).fetchall()
        removed = con.execute(
            "SELECT n, h FROM sdlc_gone WHERE n > ? ORDER BY n LIMIT ?", (gone, BATCH)
        ).fetchall()
        if rows or removed:
            self._copy(rows, removed)
        return len(rows) + len(removed)

    def _copy(self, rows: Sequence[tuple[Any, ...]], removed: Sequence[tuple[int, int]]) -> None:
        try:
            self._server.copy(rows, removed)
            self._forwarded += len(rows)
        except Refusal as refusal:
            if len(rows) < 2:
                self._bury(rows, str(refusal))
                return
            middle = len(rows) // 2
            self._copy(rows[:middle], ())
            self._copy(rows[middle:], ())

    def _bury(self, rows: Sequence[tuple[Any, ...]], reason: str) -> None:
        """A row that is refused by itself is a dead letter."""
        at = int(time.time())
        for seq, *_ in rows:
            self._ask(_burial(seq, reason, at)).result(_PATIENCE_S)
            log.say("dead letter", "warning", seq=seq)

    def _count(self, con: sqlite3.Connection) -> None:
        try:
            (self._dead,) = con.execute("SELECT count(*) FROM sdlc_dead_letter").fetchone()
            if self._server is None or not self._server.known:
                return
            (self._lag,) = con.execute(
                f"SELECT count(*) FROM {TABLE} WHERE seq > ? AND seq NOT IN "
                "(SELECT seq FROM sdlc_dead_letter)",
                (self._server.known[0],),
            ).fetchone()
        except sqlite3.Error:
            return


def _burial(seq: int, reason: str, at: int) -> Callable[[Ledger], None]:
    return lambda ledger: letters.bury(ledger.con, seq, reason, at)
