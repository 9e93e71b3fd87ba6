"""Dead letters of a ledger: rows that the server which it is copied to refuses."""

import sqlite3

from sdlc_cli.cost import store
from sdlc_cli.cost.model import Row
from sdlc_cli.cost.store import COLUMNS, TABLE

_NAMES = ", ".join(f'"{name}"' for name in COLUMNS)


def bury(con: sqlite3.Connection, seq: int, reason: str, at: int) -> None:
    """Notes that a server will not take a row."""
    con.execute("INSERT OR REPLACE INTO sdlc_dead_letter VALUES (?, ?, ?)", (seq, reason, at))


def listed(con: sqlite3.Connection) -> list[tuple[Row, str, int]]:
    """The rows, why each was refused, and when (seconds since 1970)."""
    found = con.execute(
        f"SELECT reason, at, {_NAMES} FROM sdlc_dead_letter JOIN {TABLE} USING (seq) ORDER BY seq"
    )
    return [(store.row(values), reason, at) for reason, at, *values in found]


def replay(con: sqlite3.Connection) -> int:
    """Has them copied once more, by giving their rows new numbers; how many they were."""
    con.execute("BEGIN IMMEDIATE")
    try:
        found = con.execute(
            f"SELECT seq, {_NAMES} FROM {TABLE} WHERE seq IN (SELECT seq FROM sdlc_dead_letter)"
        ).fetchall()
        marks = ", ".join("?" * len(COLUMNS))
        for seq, *values in found:
            con.execute(f"DELETE FROM {TABLE} WHERE seq = ?", (seq,))
            con.execute(f"INSERT INTO {TABLE} ({_NAMES}) VALUES ({marks})", values)
        con.execute("DELETE FROM sdlc_dead_letter")
        con.execute("COMMIT")
    finally:
        if con.in_transaction:
            con.execute("ROLLBACK")
    return len(found)
