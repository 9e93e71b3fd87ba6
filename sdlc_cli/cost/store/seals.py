"""Which hours and days of a ledger stand in a Parquet file, too. Times are microseconds in UTC."""

import sqlite3
from collections.abc import Iterable
from itertools import pairwise

from sdlc_cli.cost.store import TABLE, rollup

HOUR = 3_600_000_000
_DAY_OPEN = HOUR  # after its end calls of a day are still to come
_HOUR_OPEN = HOUR // 6

Range = tuple[int, int]  # from, and until before


def unsealing(times: str) -> str:
    """SQL that unseals what the times of a query are in; all that is sealed begins with an hour."""
    hours = f"SELECT DISTINCT ts / {HOUR} * {HOUR} AS hour FROM ({times})"
    return (
        "DELETE FROM sdlc_sealed WHERE since IN (SELECT s.since FROM sdlc_sealed AS s "
        f"JOIN ({hours}) AS h ON h.hour >= s.since AND h.hour < s.until)"
    )


def unsealed(con: sqlite3.Connection, now: int, day: int, hour: int) -> list[Range]:
    """Days that are over with at least `day` calls, and hours of others with at least `hour`."""
    over = (now - _DAY_OPEN) // rollup.DAY  # the first day that is not over
    days = con.execute(
        f"SELECT utc FROM {rollup.TABLE} WHERE scope = '' AND utc >= 0 AND utc < ? AND NOT EXISTS "
        f"(SELECT 1 FROM sdlc_sealed WHERE since = utc * {rollup.DAY} AND until = since + "
        f"{rollup.DAY}) GROUP BY utc HAVING sum(records) >= ?",
        (over, day),
    ).fetchall()
    hours = con.execute(
        f"SELECT ts / {HOUR} FROM {TABLE} WHERE ts >= ? AND ts < ? GROUP BY 1 "
        f"HAVING count(*) >= ? AND ts / {HOUR} * {HOUR} NOT IN (SELECT since FROM sdlc_sealed)",
        (over * rollup.DAY, (now - _HOUR_OPEN) // HOUR * HOUR, hour),
    ).fetchall()
    found = [(one * rollup.DAY, (one + 1) * rollup.DAY) for (one,) in days]
    return found + [(one * HOUR, (one + 1) * HOUR) for (one,) in hours]


def seal(con: sqlite3.Connection, span: Range, file: str, seen: tuple[int, int, int]) -> bool:
    """Notes that `file` holds the calls of a time; False where they have changed since.

    `seen` is how many rows were written, the highest of their numbers, and the sum of them.
    """
    con.execute("BEGIN IMMEDIATE")
    try:
        found = con.execute(
            f"SELECT count(*), coalesce(max(seq), 0), coalesce(sum(seq), 0) FROM {TABLE} "
            "WHERE ts >= ? AND ts < ?",
            span,
        ).fetchone()
        if found == seen:
            con.execute("DELETE FROM sdlc_sealed WHERE since >= ? AND until <= ?", span)
            con.execute("INSERT INTO sdlc_sealed VALUES (?, ?, ?, ?)", (*span, file, seen[0]))
        con.execute("COMMIT")
    finally:
        if con.in_transaction:
            con.execute("ROLLBACK")
    return bool(found == seen)


def listed(con: sqlite3.Connection) -> list[tuple[int, int, str, int]]:
    """What is sealed: from, until before, the name of the file, how many calls."""
    return con.execute("SELECT since, until, file, rows FROM sdlc_sealed ORDER BY since").fetchall()


def drop(con: sqlite3.Connection, names: Iterable[str]) -> None:
    """Unseals what is in these files."""
    con.executemany("DELETE FROM sdlc_sealed WHERE file = ?", [(name,) for name in names])


def files(con: sqlite3.Connection) -> set[str]:
    """The names of the files that hold what is sealed."""
    return {name for _, _, name, _ in listed(con)}


def outside(spans: list[Range]) -> str:
    """SQL of the rows that are in none of these times."""
    joined: list[list[int]] = []
    for since, until in sorted(spans):
        if joined and joined[-1][1] == since:
            joined[-1][1] = until
        else:
            joined.append([since, until])
    if not joined:
        return "true"
    # Each of these is found by the index of times; NOT would look at every row.
    between = [f"(ts >= {a[1]} AND ts < {b[0]})" for a, b in pairwise(joined)]
    ends = [f"ts < {joined[0][0]}", f"ts >= {joined[-1][1]}"]
    return f"({' OR '.join(['ts IS NULL', *ends, *between])})"
