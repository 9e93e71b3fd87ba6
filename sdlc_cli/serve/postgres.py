"""The table in PostgreSQL that a service copies its calls to: each call once, the better row."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import psycopg

from sdlc_cli.core.errors import WorkError
from sdlc_cli.core.i18n import msg
from sdlc_cli.cost import store
from sdlc_cli.cost.engine import remote
from sdlc_cli.cost.merge import TIERS
from sdlc_cli.cost.model import COUNTS, TOKENS
from sdlc_cli.cost.store import COLUMNS
from sdlc_cli.serve.refusal import Refusal

_CONNECT_S = 5
_STATEMENT_MS = 60_000
_FORWARDED = "sdlc_forwarded"
_NAMES = ", ".join(f'"{name}"' for name in COLUMNS)
_LOCK = 0x5D1C  # of ours alone: several services make the same tables


class Target:
    """A connection, and how far this store was copied: `known`."""

    def __init__(self, address: str, identity: str) -> None:
        """Makes the tables where there are none. Raises WorkError."""
        where, _, table = address.partition("#")
        self._table = store.checked(table or store.TABLE)
        self._identity = identity
        self.known: tuple[int, int] | None = None
        options = (
            f"-c statement_timeout={_STATEMENT_MS} -c idle_in_transaction_session_timeout=60000"
        )
        with _told():
            self._con = psycopg.connect(
                where, connect_timeout=_CONNECT_S, options=options, autocommit=True,
                keepalives=1, keepalives_idle=5, keepalives_interval=2, keepalives_count=3,
            )  # fmt: skip
            self._prepare(remote.shown(where))

    def close(self) -> None:
        """Lets go of the connection."""
        self._con.close()

    def copied(self) -> tuple[int, int]:
        """The last row, and the last removal, that are there."""
        with _told():
            found = self._con.execute(
                f"SELECT seq, gone FROM {_FORWARDED} WHERE store = %s AND target = %s",
                (self._identity, self._table),
            ).fetchone()
        self.known = (int(found[0]), int(found[1])) if found else (0, 0)
        return self.known

    def copy(self, rows: Sequence[tuple[Any, ...]], removed: Sequence[tuple[int, int]]) -> None:
        """Adds rows and takes off removed calls, all of it or nothing.

        Raises Refusal where a row is not to be had at all, WorkError where it may be later.
        """
        with _told(), self._con.transaction(), self._con.cursor() as cursor:
            cursor.execute(f"CREATE TEMP TABLE arrived ON COMMIT DROP AS SELECT {_NAMES} FROM "
                           f"{self._table} LIMIT 0".encode())  # fmt: skip
            with cursor.copy(f"COPY arrived ({_NAMES}) FROM STDIN".encode()) as copy:
                for record in _records(rows):
                    copy.write_row(record)
            cursor.execute(self._merged().encode())
            if removed:
                hashes = [h for _, h in removed]
                cursor.execute(f"DELETE FROM {self._table} WHERE h = ANY(%s)".encode(), (hashes,))
            seq = rows[-1][0] if rows else 0
            gone = removed[-1][0] if removed else 0
            cursor.execute(
                f"INSERT INTO {_FORWARDED} (store, target, seq, gone) VALUES (%s, %s, %s, %s) "
                "ON CONFLICT (store, target) DO UPDATE SET "
                f"seq = greatest({_FORWARDED}.seq, excluded.seq), "
                f"gone = greatest({_FORWARDED}.gone, excluded.gone)",
                (self._identity, self._table, seq, gone),
            )

    def _merged(self) -> str:
        """SQL that adds what arrived: of two rows of a call the better one stays."""
        mine = ", ".join(_merit("excluded"))
        theirs = ", ".join(_merit(self._table))
        changed = ", ".join(f'"{name}" = excluded."{name}"' for name in COLUMNS)
        return (
            f"INSERT INTO {self._table} ({_NAMES}) SELECT {_NAMES} FROM arrived "
            f"ON CONFLICT (h) DO UPDATE SET {changed} WHERE ({mine}) >= ({theirs})"
        )

    def _prepare(self, shown: str) -> None:
        """Makes the tables, one service at a time."""
        with self._con.transaction():
            self._con.execute("SELECT pg_advisory_xact_lock(%s)", (_LOCK,))
            for statement in store.ddl("postgresql", self._table):
                self._con.execute(statement.encode())
            index = f"{self._table.rpartition('.')[2]}_h"
            try:
                with self._con.transaction():
                    self._con.execute(
                        f"CREATE UNIQUE INDEX IF NOT EXISTS {index} ON {self._table} (h)".encode()
                    )
            except psycopg.errors.UniqueViolation:
                raise WorkError(
                    msg(
                        "{table} in {address} holds a call twice", table=self._table, address=shown
                    ),
                    hint=msg("forward into a table of its own: #{name}", name="calls"),
                ) from None
            self._con.execute(
                f"CREATE TABLE IF NOT EXISTS {_FORWARDED} (store text, target text, "
                "seq bigint NOT NULL, gone bigint NOT NULL, PRIMARY KEY (store, target))"
            )


def _merit(table: str) -> list[str]:
    """What decides between two rows of a call, as `merge.merit` has it."""

    def column(name: str) -> str:
        return f'{table}."{name}"'

    tiers = ", ".join(f"'{tier}'" for tier in TIERS)
    return [
        column("rank"),
        f"{column('known')}::int",
        " + ".join(f"{column(name)}::numeric" for name in TOKENS),
        f"({column('tier')} IN ({tiers}))::int",
        " + ".join(f"({column(name)} > 0)::int" for name in COUNTS),
        f"({column('cache_write_1h')} > 0)::int",
        f"({column('ts')} IS NOT NULL)::int",
        f"({column('project')} IS NOT NULL)::int",
    ]


@contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except (psycopg.DataError, psycopg.IntegrityError) as error:
        raise Refusal(_first_line(error)) from None
    except psycopg.Error as error:
        raise WorkError(msg("PostgreSQL says: {why}", why=_first_line(error))) from None


def _first_line(error: Exception) -> str:
    """Of a server's message only the first: the next ones may hold values."""
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return lines[0][:300]


def _records(rows: Sequence[tuple[Any, ...]]) -> list[store.Record]:
    """Rows of the store without their numbers, as the table takes them."""
    truth = list(COLUMNS).index("known") + 1
    return [(*row[1:truth], bool(row[truth]), *row[truth + 1 :]) for row in rows]
