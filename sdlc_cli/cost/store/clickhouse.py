"""ClickHouse as a store of usage, through its HTTP interface and nothing but the standard library.

Protocol: https://clickhouse.com/docs/en/interfaces/http
"""

import http.client
import json
import os
import secrets
from collections.abc import Callable, Iterable
from itertools import islice
from typing import Literal
from urllib.parse import SplitResult, parse_qs, unquote, urlencode, urlsplit

import msgspec

from sdlc_cli.core.errors import WorkError
from sdlc_cli.core.i18n import msg
from sdlc_cli.cost import store
from sdlc_cli.cost.model import Row
from sdlc_cli.cost.store import COLUMNS, Value

_PORT, _TLS_PORT = 8123, 8443
_SECONDS = 600  # until an answer begins; a scan of a large table takes its time
_BATCH = 50_000  # rows in an INSERT
_FORMAT = "JSONCompactEachRowWithNamesAndTypes"
_WRAPPED = ("Nullable(", "LowCardinality(")
_SETTINGS = {
    "default_format": _FORMAT,
    "wait_end_of_query": "1",  # an error half-way is then told as one
    # sum("input") AS "input" must not change what "input" means elsewhere in the query.
    "prefer_column_name_to_alias": "1",
    "join_use_nulls": "0",
    "enable_positional_arguments": "1",
    "output_format_json_quote_64bit_integers": "1",
    "max_query_size": str(64 * 2**20),  # tables of prices are written into the query
    "session_timeout": "600",
}


class ClickHouse:
    """A server, asked in one session, which keeps the tables that are made for the answers."""

    dialect: Literal["clickhouse"] = "clickhouse"

    def __init__(self, address: str) -> None:
        """`clickhouse://user:password@host:8123/database?secure=true`."""
        self._at = urlsplit(address)
        self._session = f"sdlc-{secrets.token_hex(8)}"

    def run(self, sql: str) -> list[tuple[Value, ...]]:
        """The rows of the answer, none for a statement that has no answer."""
        lines = self._answer(sql.encode()).splitlines()
        if not lines:
            return []
        kinds = [_reader(kind) for kind in json.loads(lines[1])]
        decoded = (msgspec.json.decode(line) for line in lines[2:])
        return [tuple(read(v) for read, v in zip(kinds, row, strict=True)) for row in decoded]

    def remark(self, table: str) -> str | None:
        """The table's comment; None where there is no table."""
        database, _, name = table.rpartition(".")
        where = f"'{database}'" if database else "currentDatabase()"
        sql = "SELECT comment FROM system.tables WHERE "
        found = self.run(f"{sql}database = {where} AND name = '{name}'")
        return str(found[0][0] or "") if found else None

    def load(self, table: str, rows: Iterable[Row], *, make: bool) -> int:
        """Adds rows, batch by batch, and makes the table; how many they were."""
        for statement in store.ddl("clickhouse", table) if make else ():
            self.run(statement)
        copied = 0
        records = store.records(rows)
        while batch := list(islice(records, _BATCH)):
            data = b"\n".join(map(msgspec.json.encode, batch))
            columns = ", ".join(f'"{name}"' for name in COLUMNS)
            # One block in one thread keeps the order of the rows in `seq`.
            head = (
                f"INSERT INTO {table} ({columns}) SETTINGS input_format_parallel_parsing = 0, "
                "async_insert = 0, max_insert_threads = 1 FORMAT JSONCompactEachRow\n"
            )
            self._answer(head.encode() + data)
            copied += len(batch)
        return copied

    def close(self) -> None:
        """Nothing to let go of: the server forgets the session by itself."""

    def _answer(self, body: bytes) -> bytes:
        con = _connection(self._at)
        settings = {"session_id": self._session, **_SETTINGS}
        if database := self._at.path.strip("/"):
            settings["database"] = unquote(database)
        try:
            con.request("POST", f"/?{urlencode(settings)}", body, _credentials(self._at))
            answer = con.getresponse()
            text = answer.read()
        except (OSError, http.client.HTTPException) as error:
            why = str(error) or type(error).__name__
            raise WorkError(
                msg("ClickHouse at {host} does not answer: {why}", host=_host(self._at), why=why)
            ) from None
        finally:
            con.close()
        if answer.status != 200:
            lines = text.decode(errors="replace").strip().splitlines()
            why = lines[0][:500] if lines else f"HTTP {answer.status}"
            raise WorkError(msg("ClickHouse says: {why}", why=why))
        return text


def _host(at: SplitResult) -> str:
    return at.hostname or "localhost"


def _connection(at: SplitResult) -> http.client.HTTPConnection:
    host = _host(at)
    if parse_qs(at.query).get("secure", [""])[-1].lower() in ("1", "true", "yes"):
        return http.client.HTTPSConnection(host, at.port or _TLS_PORT, timeout=_SECONDS)
    return http.client.HTTPConnection(host, at.port or _PORT, timeout=_SECONDS)


def _credentials(at: SplitResult) -> dict[str, str]:
    password = unquote(at.password) if at.password else os.environ.get("CLICKHOUSE_PASSWORD", "")
    user = unquote(at.username) if at.username else os.environ.get("CLICKHOUSE_USER", "")
    found = {"X-ClickHouse-User": user, "X-ClickHouse-Key": password}
    return {name: value for name, value in found.items() if value}


def _reader(kind: str) -> Callable[[Value], Value]:
    """How a cell of a column of this type is read. Whole numbers of any size stay exact."""
    bare = kind
    while bare.startswith(_WRAPPED):
        bare = bare.partition("(")[2][:-1]
    if bare.startswith(("Int", "UInt")):
        return lambda value: None if value is None else int(value)
    return lambda value: value
