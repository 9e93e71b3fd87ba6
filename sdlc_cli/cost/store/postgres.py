"""PostgreSQL as a store of usage: one connection, one snapshot."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Literal, cast

import psycopg

from sdlc_cli.core.errors import WorkError
from sdlc_cli.core.i18n import msg
from sdlc_cli.cost import store
from sdlc_cli.cost.model import Row
from sdlc_cli.cost.store import COLUMNS, Value

_CONNECT_SECONDS = 10


class Postgres:
    """A server, asked in one transaction: all answers are about the same rows."""

    dialect: Literal["postgres"] = "postgres"

    def __init__(self, address: str) -> None:
        """`address` is what libpq takes. Raises WorkError when nobody answers."""
        with _told():
            self._con = psycopg.connect(address, connect_timeout=_CONNECT_SECONDS)
        self._con.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ

    def run(self, sql: str) -> list[tuple[Value, ...]]:
        """The rows of the answer, none for a statement that has no answer."""
        with _told():
            found = self._con.execute(sql.encode())
            if found.description is None:
                return []
            return [tuple(_plain(cell) for cell in line) for line in found.fetchall()]

    def remark(self, table: str) -> str | None:
        """The table's comment; None where there is no table."""
        sql = f"SELECT obj_description(to_regclass('{table}'), 'pg_class'), to_regclass('{table}')"
        sql += " IS NULL"
        ((told, missing),) = self.run(sql)
        return None if missing else str(told or "")

    def load(self, table: str, rows: Iterable[Row], *, make: bool) -> int:
        """Adds rows, all or none of them, and makes the table; how many they were."""
        columns = ", ".join(f'"{name}"' for name in COLUMNS)
        copied = 0
        with _told(), self._con.transaction():
            for statement in store.ddl("postgresql", table) if make else ():
                self._con.execute(statement.encode())
            with (
                self._con.cursor() as cursor,
                cursor.copy(f"COPY {table} ({columns}) FROM STDIN".encode()) as copy,
            ):
                for values in store.records(rows):
                    copy.write_row(values)
                    copied += 1
        with _told():
            self._con.commit()
        return copied

    def close(self) -> None:
        """Forgets the tables that were made for the answers."""
        self._con.close()


def _plain(cell: object) -> Value:
    """Numbers of any size are `numeric` there and Decimal here; ours are whole."""
    return cell if cell is None or isinstance(cell, str | int) else int(cast(int, cell))


@contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except psycopg.Error as error:
        lines: Sequence[str] = str(error).strip().splitlines() or [type(error).__name__]
        raise WorkError(msg("PostgreSQL says: {why}", why=lines[0])) from None
