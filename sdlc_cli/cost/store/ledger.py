"""The acknowledged log: a SQLite file in which every call stands once, with its sums beside it.

One writer. A commit returns when the disk has the rows: the file is in WAL mode and synchronous
is FULL, so each commit ends with an fsync of the log. What a commit changes it changes whole: rows,
sums, and the keys of requests that shall not be done twice.
"""

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import msgspec

from sdlc_cli.cost import store
from sdlc_cli.cost.merge import join, merged
from sdlc_cli.cost.model import COUNTS, TOKENS, Row, Told
from sdlc_cli.cost.store import COLUMNS, TABLE, columns, migrate, rollup, seals
from sdlc_cli.cost.store.connection import Transaction, opened
from sdlc_cli.cost.store.rollup import Cuts, Scope

Sums = tuple[Any, ...]  # the columns KEYS and SUMS of `rollup`
Owner = Callable[[Row], tuple[str, str]]  # the project and the team of a call, "" for none

_NAMES = ", ".join(f'"{name}"' for name in COLUMNS)
_CONSTANTS = {
    name: "NULL" if value is None else repr(value).replace("True", "1")
    for name, value in zip(COLUMNS, store.record(Row()), strict=True)
}
_SIZES = (768, 128, 32, 8, 2, 1)  # rows in one statement, which takes 32,766 values
_LOOKED_UP = 1_000  # calls in one statement
_TOKENS = ", ".join(f'u."{name}"' for name in TOKENS)
_OWNED = "coalesce(project, '') AS owner_project, '' AS owner_team"
_FACTS = 'project, "user", "key", path, model, tags'
_ASKED = f"sdlc_owner(0, {_FACTS}) AS owner_project, sdlc_owner(1, {_FACTS}) AS owner_team"
_ABOVE = 16  # spans above a call that are known after a restart
_LONGEST_LOG = 8_000  # pages, where another thread writes the log into the file


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """A request that shall be done once: its key, what it said, and what was answered."""

    key: str
    said: bytes
    answer: bytes
    at: int  # seconds since 1970


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """What a commit did. `added` are calls that were not known; `changes` are rows of sums."""

    added: int
    duplicates: int
    changes: tuple[Sums, ...] = ()


class Ledger:
    """A file, open for writing. Use it in one thread."""

    def __init__(
        self,
        file: Path,
        *,
        owner: Owner | None = None,
        rules: str = "",
        cuts: Cuts | None = None,
        scopes: Sequence[Scope] = (),
    ) -> None:
        """`rules` is a text that differs where `owner` does: then all sums are made anew."""
        self.file = file
        self._cuts = cuts or Cuts()
        self._scopes: tuple[Scope, ...] = (Scope(),)
        self.con = opened(file)
        migrate.migrate(self.con, file)
        self.sealed = bool(self.con.execute("SELECT 1 FROM sdlc_sealed LIMIT 1").fetchone())
        self._changes: list[Sums] = []
        self._hashes: dict[str, Any] = {}  # of the calls of a commit: the column `h`
        summed = ", ".join(f'"{name}"' for name in (*rollup.KEYS, *rollup.SUMS))
        self.con.execute(f"CREATE TEMP TABLE delta ({summed})")
        self._owned = _OWNED
        if owner:
            self._owned = _ASKED
            self.con.create_function("sdlc_owner", 7, _asking(owner), deterministic=True)
        self._check_sums(rules)
        self.scope(scopes)

    def close(self) -> None:
        """Writes the log into the file, and lets go of it."""
        with suppress(sqlite3.Error):  # else it stays beside the file, and is read from there
            self.con.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        self.con.close()

    def share_log(self) -> None:
        """Another thread does what commits do else; they do it where that one is behind."""
        self.con.execute(f"PRAGMA wal_autocheckpoint = {_LONGEST_LOG}")

    @property
    def identity(self) -> str:
        """What tells this file from all others."""
        return self.meta("store") or ""

    def meta(self, name: str) -> str | None:
        """A remark in the file."""
        found = self.con.execute("SELECT value FROM sdlc_meta WHERE name = ?", (name,)).fetchone()
        return str(found[0]) if found else None

    def remark(self, name: str, value: str) -> None:
        """Makes a remark, in the transaction that is open or in one of its own."""
        self.con.execute(
            "INSERT INTO sdlc_meta VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value",
            (name, value),
        )

    def scope(self, scopes: Iterable[Scope]) -> None:
        """Has the calls of these scopes summed by themselves, from now on and for the past."""
        wanted = [one for one in dict.fromkeys(scopes) if one.name]
        known = {name for (name,) in self.con.execute(f"SELECT DISTINCT scope FROM {rollup.TABLE}")}
        self._scopes = (Scope(), *wanted)
        names = {one.name for one in self._scopes}
        with self.transaction():
            for gone in known - names:
                self.con.execute(f"DELETE FROM {rollup.TABLE} WHERE scope = ?", (gone,))
            for one in wanted:
                if one.name not in known:
                    self._sum_all(one)

    def commit(self, entries: Sequence[Told], marks: Sequence[Mark] = ()) -> Tally:
        """Adds calls, whole or not at all. When it returns, the disk has them.

        Raises sqlite3.Error; then nothing was added.
        """
        with self.transaction():
            tally = self._added(entries)
            self.con.executemany(
                "INSERT OR IGNORE INTO sdlc_request VALUES (?, ?, ?, ?)",
                [(mark.key, mark.said, mark.answer, mark.at) for mark in marks],
            )
        return tally

    def answered(self, key: str) -> tuple[bytes, bytes] | None:
        """What a request with this key said, and what was answered."""
        found = self.con.execute("SELECT said, answer FROM sdlc_request WHERE key = ?", (key,))
        row = found.fetchone()
        return (row[0], row[1]) if row else None

    def recent(self, most: int) -> Iterator[Told]:
        """The last rows that spans told of, oldest first, with what `Pairs` looks at.

        A start waits for this, so nothing else of them is read.
        """
        found = self.con.execute(
            f"SELECT s.span, s.above, u.ts, u.provider, u.model, u.project, u.dedupe, u.rank, "
            f"u.known, {_TOKENS} FROM (SELECT * FROM sdlc_span ORDER BY n DESC LIMIT ?) AS s "
            f"JOIN {TABLE} AS u ON u.h = s.h ORDER BY s.n",
            (most,),
        )
        for span, above, ts, provider, model, project, dedupe, rank, known, *tokens in found:
            row = Row(
                ts=ts, provider=provider, model=model, project=project or "",
                dedupe=dedupe or "", rank=rank, known=bool(known),
            )  # fmt: skip
            for name, count in zip(TOKENS, tokens, strict=True):
                if count:
                    setattr(row, name, count)
            yield Told(row=row, span=span, above=_above(above))

    def forget(self, before: int, most: int) -> None:
        """Removes what is needed for a while: requests before `before`, spans above calls."""
        with self.transaction():
            self.con.execute("DELETE FROM sdlc_request WHERE at < ?", (before,))
            self.con.execute(
                "DELETE FROM sdlc_span WHERE n < (SELECT max(n) FROM sdlc_span) - ?", (most,)
            )

    def transaction(self) -> "Transaction":
        """`with …:` all of it, or nothing."""
        return Transaction(self.con)

    def _check_sums(self, rules: str) -> None:
        told = f"{self._cuts.text}\n{rules}"
        if self.meta("sums") == told:
            return
        with self.transaction():
            self.con.execute(f"DELETE FROM {rollup.TABLE}")
            self._sum_all(Scope())
            self.remark("sums", told)

    def _sum_all(self, scope: Scope) -> None:
        """Sums all rows that there are."""
        self._sum(1, [scope], "true", COUNTS)

    def _sum(
        self, sign: int, scopes: Iterable[Scope], rows: str, counts: Sequence[str], *values: int
    ) -> None:
        """Adds rows to the sums; `rows` is the condition that they meet."""
        source = f"(SELECT {_NAMES}, {self._owned} FROM {TABLE} WHERE {rows})"
        for scope in scopes:
            condition, words = scope.where()
            sql = rollup.summed(source, self._cuts, sign, condition, counts)
            self.con.execute("DELETE FROM temp.delta")
            self.con.execute(f"INSERT INTO temp.delta {sql}", (scope.name, *values, *words))
            self.con.execute(rollup.added("temp.delta"))
            if not scope.name:
                self._changes += self.con.execute("SELECT * FROM temp.delta").fetchall()

    def _added(self, entries: Sequence[Told]) -> Tally:
        self._changes, self._hashes = [], {}
        rows = _one_each(entries)
        duplicates = len(entries) - len(rows)
        gone: set[int] = set()  # places of rows that no longer count
        for told in entries:
            for old in (*told.replaces, *told.absorbs):
                duplicates += self._replace(old, told, rows, gone)
        fresh = list(rows.values())
        if gone or not self._all_new(fresh):
            fresh, known = self._settle(fresh, gone)
            duplicates += known
            self._take_off(gone)
            self._enter(fresh)
        self._note_spans(entries)
        if duplicates:
            self._count_duplicates(duplicates)
        return Tally(
            added=len(fresh) - len(gone), duplicates=duplicates, changes=tuple(self._changes)
        )

    def _all_new(self, rows: Sequence[Row]) -> bool:
        """Adds rows of calls that are new, as nearly all are; False, and none, where one is not."""
        self.con.execute("SAVEPOINT entering")
        try:
            self._enter(rows)
        except sqlite3.IntegrityError:
            self.con.execute("ROLLBACK TO entering")
            return False
        finally:
            if self.con.in_transaction:
                self.con.execute("RELEASE entering")
        return True

    def _replace(self, old: str, told: Told, rows: dict[str, Row], gone: set[int]) -> int:
        """Has an earlier row, known by `old`, tell of a call in `rows`; how many did."""
        by = told.row.dedupe
        if old == by or by not in rows:
            return 0
        row = rows.pop(old, None)
        if row is None:
            found = self._stored(old)
            if found is None or found[0] in gone:
                return 0
            seq, row = found
            gone.add(seq)
            self.con.execute("INSERT INTO sdlc_gone (h) VALUES (?)", (store.digest(old),))
        mine = rows[by]
        if old in told.absorbs:
            row.dedupe = by
        else:
            join(row, by, mine.rank, mine.known)
        rows[by] = merged(row, mine)
        return 1

    def _stored(self, dedupe: str) -> tuple[int, Row] | None:
        found = self.con.execute(
            f"SELECT seq, {_NAMES} FROM {TABLE} WHERE h = ?", (store.digest(dedupe),)
        ).fetchone()
        return (found[0], store.row(found[1:])) if found else None

    def _settle(self, rows: Sequence[Row], gone: set[int]) -> tuple[list[Row], int]:
        """Of `rows` those that are new or better than what is there; how many calls were there."""
        places = {h: place for place, row in enumerate(rows) if (h := store.digest(row.dedupe))}
        hashes = list(places)
        fresh: list[Row | None] = list(rows)
        known = 0
        for start in range(0, len(hashes), _LOOKED_UP):
            part = hashes[start : start + _LOOKED_UP]
            found = self.con.execute(
                f"SELECT h, seq, {_NAMES} FROM {TABLE} WHERE h IN ({', '.join(map(str, part))})"
            ).fetchall()
            known += len(found)
            for h, seq, *values in found:
                row = merged(store.row(values), rows[places[h]])
                if store.record(row) == tuple(values):
                    fresh[places[h]] = None
                else:
                    fresh[places[h]] = row
                    gone.add(seq)
        return [row for row in fresh if row is not None], known

    def _take_off(self, gone: Iterable[int]) -> None:
        """Removes rows, and what they added to the sums."""
        if not gone:
            return
        rows = f"seq IN ({', '.join(map(str, gone))})"
        self._sum(-1, self._scopes, rows, COUNTS)
        self._unseal(rows)
        self.con.execute(f"DELETE FROM {TABLE} WHERE {rows}")
        self.con.execute(f"DELETE FROM {rollup.TABLE} WHERE records = 0")

    def _enter(self, rows: Sequence[Row]) -> None:
        """Adds rows, many in a statement: each statement lets go of Python's lock while it works.

        Columns that no row has a value in are written as constants: a call has a third of them.
        """
        if not rows:
            return
        used = columns.filled(rows)
        if "h" in used:
            self._hashes.update(zip((row.dedupe for row in rows), used["h"], strict=True))
        lines = list(zip(*used.values(), strict=True)) or [()] * len(rows)
        one = f"({', '.join('?' if name in used else _CONSTANTS[name] for name in COLUMNS)})"
        found = self.con.execute("SELECT seq FROM sqlite_sequence WHERE name = ?", (TABLE,))
        (last,) = found.fetchone() or (0,)
        start = 0
        for size in _SIZES:
            sql = f"INSERT INTO {TABLE} ({_NAMES}) VALUES {', '.join([one] * size)}"
            while len(lines) - start >= size:
                self.con.execute(sql, list(chain.from_iterable(lines[start : start + size])))
                start += size
        counts = [name for name in COUNTS if name in used]
        self._sum(1, self._scopes, "seq > ?", counts, last)
        self._unseal("seq > ?", last)

    def _unseal(self, rows: str, *values: int) -> None:
        """What calls are added to or taken from is no longer as it was written."""
        if self.sealed:
            self.con.execute(seals.unsealing(f"SELECT ts FROM {TABLE} WHERE {rows}"), values)

    def _note_spans(self, entries: Sequence[Told]) -> None:
        """Remembers for a restart where calls stand in their traces."""
        hashes = self._hashes
        known = [
            (
                hashes.get(told.row.dedupe) or store.digest(told.row.dedupe),
                told.span,
                _written(told.above[:_ABOVE]),
            )
            for told in entries
            if told.span
        ]
        for size in _SIZES:
            marks = ", ".join(["(?, ?, ?)"] * size)
            while len(known) >= size:
                values = list(chain.from_iterable(known[:size]))
                self.con.execute(f"INSERT INTO sdlc_span (h, span, above) VALUES {marks}", values)
                del known[:size]

    def _count_duplicates(self, number: int) -> None:
        self.con.execute(
            "INSERT INTO sdlc_meta VALUES ('duplicates', ?) ON CONFLICT DO UPDATE "
            "SET value = value + excluded.value",
            (number,),
        )


def _written(above: Sequence[str]) -> str | None:
    """The keys of the spans above a call as they stand in the file: one as it is, more as JSON."""
    if len(above) > 1:
        return msgspec.json.encode(above).decode()
    return above[0] if above else None


def _above(written: str | None) -> tuple[str, ...]:
    if written and written.startswith("["):
        return msgspec.json.decode(written, type=tuple[str, ...])
    return (written,) if written else ()


def _asking(owner: Owner) -> Callable[..., str]:
    """The SQL function `sdlc_owner(place, …facts)`."""

    def whose(place: int, *facts: str | None) -> str:
        project, user, key, path, model, tags = (fact or "" for fact in facts)
        row = Row(project=project, user=user, key=key, path=path, model=model, tags=tags)
        return owner(row)[place]

    return whose


def _one_each(entries: Sequence[Told]) -> dict[str, Row]:
    """The row of each call; one without an identity has a key that no identity has."""
    rows: dict[str, Row] = {}
    for told in entries:
        row = told.row
        key = row.dedupe or f"\0{len(rows)}"
        before = rows.get(key)
        rows[key] = row if before is None else merged(before, row)
    return rows
