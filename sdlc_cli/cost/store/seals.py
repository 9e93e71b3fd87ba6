"""Which past days of a ledger stand in a Parquet file, too."""

import sqlite3

from sdlc_cli.cost.store import TABLE, rollup


def open_days(con: sqlite3.Connection, until: int, least: int) -> list[int]:
    """Days up to `until` (UTC, since 1970) with at least so many calls that are not sealed."""
    found = con.execute(
        f"SELECT utc FROM {rollup.TABLE} WHERE scope = '' AND utc BETWEEN 0 AND ? "
        "AND utc NOT IN (SELECT day FROM sdlc_sealed) GROUP BY utc HAVING sum(records) >= ?",
        (until, least),
    )
    return [day for (day,) in found]


def seal(con: sqlite3.Connection, day: int, file: str, seen: tuple[int, int, int]) -> bool:
    """Notes that `file` holds the calls of a day; False where they have changed since.

    `seen` is how many rows were written, the highest of their numbers, and the sum of them.
    """
    con.execute("BEGIN IMMEDIATE")
    try:
        found = con.execute(
            f"SELECT count(*), coalesce(max(seq), 0), coalesce(sum(seq), 0) FROM {TABLE} "
            "WHERE ts >= ? AND ts < ?",
            (day * rollup.DAY, (day + 1) * rollup.DAY),
        ).fetchone()
        if found == seen:
            con.execute("INSERT OR REPLACE INTO sdlc_sealed VALUES (?, ?, ?)", (day, file, seen[0]))
        con.execute("COMMIT")
    finally:
        if con.in_transaction:
            con.execute("ROLLBACK")
    return bool(found == seen)


def files(con: sqlite3.Connection) -> set[str]:
    """The names of the files that hold sealed days."""
    return {name for (name,) in con.execute("SELECT file FROM sdlc_sealed")}
