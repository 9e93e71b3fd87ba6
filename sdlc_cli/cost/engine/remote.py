"""Usage where it already lies: in PostgreSQL, ClickHouse or an SQLite file.

A server deduplicates its rows, chooses the rate of each call and sums them: the query over logs,
in the server's dialect. What comes back is a row for each group and rate, with counts and no
money. It is priced here, in DuckDB, as groups of logs are, so that no figure can differ.
SQLite has no numbers that large; its rows are read into DuckDB as a log's are.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import urlsplit, urlunsplit

import msgspec

from sdlc_cli.core.errors import UsageError, WorkError
from sdlc_cli.core.i18n import msg
from sdlc_cli.cost import store
from sdlc_cli.cost.engine import table
from sdlc_cli.cost.engine.settle import settle
from sdlc_cli.cost.engine.store import Part, Store
from sdlc_cli.cost.engine.table import COLUMNS, PARTING, literal, quoted
from sdlc_cli.cost.model import COUNTS, Rejection, Row, SourceRead
from sdlc_cli.cost.store import TABLE, Value

if TYPE_CHECKING:
    import sqlite3

    from sdlc_cli.cost.duck import duckdb
    from sdlc_cli.cost.engine.dialect import Dialect
    from sdlc_cli.cost.engine.transfer import Written

SERVERS = ("postgresql", "postgres", "clickhouse")
SQLITE = "sqlite"
FORMAT = "sdlc-store"  # what `SourceRead` says of a table
_MEMORY_MIB = 250
_BATCH = 20_000

_encoder = msgspec.json.Encoder()


class Server(Protocol):
    """What is asked of a server."""

    @property
    def dialect(self) -> "Dialect":
        """sqlglot's name of its SQL."""
        ...

    def run(self, sql: str) -> list[tuple[Value, ...]]:
        """The rows of the answer, none for a statement that has no answer."""
        ...

    def remark(self, table: str) -> str | None:
        """The table's comment; None where there is no table."""
        ...

    def load(self, table: str, rows: Iterable[Row], *, make: bool) -> int:
        """Adds rows, and makes the table where `make` says so; how many they were."""
        ...

    def close(self) -> None:
        """Lets go of the connection."""
        ...


def is_address(path: str) -> bool:
    """Whether a PATH is the address of a store."""
    return path.partition("://")[0].lower() in (*SERVERS, SQLITE) and "://" in path


def opened(paths: Sequence[str], tmp: Path) -> "Remote | Kept":
    """The calls in one server's tables, or in SQLite files. `tmp` is as `usage.open_usage` says.

    `#name` at the end of an address names a table that is not called `sdlc_usage`. Raises
    UsageError for addresses that cannot be counted in one, WorkError when a server does not answer.
    """
    ends = [_parted(path) for path in paths if is_address(path)]
    places = list(dict.fromkeys(ends))
    first = places[0][0]
    if len(ends) < len(paths) or len({server for server, _ in places if not _lite(server)}) > 1:
        raise _apart()
    if all(_lite(server) for server, _ in places):
        return _kept(places, tmp)
    if any(_lite(server) for server, _ in places):
        raise _apart()
    server = connected(first)
    try:
        return over(server, shown(first), [name for _, name in places], tmp)
    except BaseException:
        server.close()
        raise


def over(server: Server, address: str, names: Sequence[str], tmp: Path) -> "Remote":
    """The calls in tables of a server that is connected. `address` is how reports name it."""
    for name in names:
        _check(server, name, address)
    ends = [server.run(f"SELECT count(*), min(seq), max(seq) FROM {name}")[0] for name in names]
    read = [
        SourceRead(
            path=address if name == TABLE else f"{address}#{name}",
            format=FORMAT,
            rows=int(count or 0),
            rejected=0,
            reused=False,
        )
        for name, (count, _, _) in zip(names, ends, strict=True)
    ]
    con = table.connect(tmp, threads=2, memory_mib=_MEMORY_MIB)
    table.create(con, "counted")
    found = Remote(
        con=con, tmp=tmp, server=server, tables=tuple(names), read=tuple(read), pms=(), span=(0, 0)
    )
    found.views["rows"] = _all_rows(names, [(int(a or 0), int(z or 0)) for _, a, z in ends])
    found.pms = tuple(sorted(pm for (pm,) in found.ask("SELECT DISTINCT pm FROM rows")))
    ((first, last),) = found.ask("SELECT min(ts), max(ts) FROM rows")
    found.span = (first or 0, last or 0)
    found.duplicates = settle(_Speaker(found), COLUMNS)
    return found


def load(address: str, rows: Iterable[Row]) -> int:
    """Adds rows to the table of a store, and makes the table where there is none; how many.

    All rows are added or none, but for ClickHouse, which takes them by 50,000.
    """
    where, name = _parted(address)
    if _lite(where):
        from sdlc_cli.cost.store import sqlite

        return sqlite.load(sqlite.file_of(where), rows, name)
    server = connected(where)
    try:
        make = server.remark(name) is None
        if not make:
            _check(server, name, shown(where))
        return server.load(name, rows, make=make)
    finally:
        server.close()


def rows(
    paths: Sequence[str],
    tmp: Path,
    source_format: str = "",
    refused: Callable[[Rejection], None] | None = None,
) -> Iterator[Row]:
    """The rows of logs, duplicates too, read one by one: what `load` takes.

    Records that cannot be counted are left out; `refused` is told each of them. Raises as
    `usage.open_usage` does.
    """
    from sdlc_cli.cost.engine import exact, sources
    from sdlc_cli.cost.readers import detect

    if source_format and source_format not in detect.FORMATS:
        raise UsageError(msg("there is no log format '{name}'", name=source_format))
    for source in sources.find(paths, tmp):
        form = detect.FORMATS.get(source_format)
        form = form or detect.detect(exact.sniffed(source), source.file.name)
        if form is None:
            raise UsageError(msg("{path} is in no known log format", path=source.shown))
        for batch in exact.batches(exact.numbered(source), form):
            if refused:
                for line, reason in batch.rejected:
                    refused(Rejection(path=source.shown, line=line, reason=reason))
            yield from batch.rows


def connected(address: str) -> Server:
    """A connection to the server. Raises WorkError where a package is missing or nobody answers."""
    if urlsplit(address).scheme == "clickhouse":
        _needed("sqlglot", "clickhouse", address)
        from sdlc_cli.cost.store.clickhouse import ClickHouse

        return ClickHouse(address)
    _needed("sqlglot", "postgres", address)
    _needed("psycopg", "postgres", address)
    from sdlc_cli.cost.store.postgres import Postgres

    return Postgres(address)


def shown(address: str) -> str:
    """The address without its password."""
    if _lite(address):
        return address
    at = urlsplit(address)
    user, sign, host = at.netloc.rpartition("@")
    return urlunsplit(at._replace(netloc=f"{user.partition(':')[0]}{sign}{host}", query=""))


@dataclass(kw_only=True)
class Remote:
    """Tables of one server. `con` is a DuckDB of its own, for what is made of the answers."""

    con: "duckdb.DuckDBPyConnection"
    tmp: Path
    server: Server
    tables: tuple[str, ...]
    read: tuple[SourceRead, ...]
    pms: tuple[str, ...]
    span: tuple[int, int]
    counts: tuple[str, ...] = COUNTS
    views: dict[str, str] = field(default_factory=dict)
    duplicates: int = 0

    def group(self, sql: str) -> None:
        """Makes the table `grouped` in `con` of the server's answer."""
        # Of no calls: so the table has the names and types that the answer has for logs.
        self.con.execute(f"CREATE OR REPLACE TEMP TABLE grouped AS {sql}")
        if found := self.ask(sql):
            self._insert(found)

    def ask(self, sql: str) -> list[tuple[Any, ...]]:
        """The server's answer to a query written for DuckDB."""
        from sdlc_cli.cost.engine.dialect import translate

        return self.server.run(translate(sql, self.server.dialect, self.views))

    def _insert(self, found: Sequence[tuple[Value, ...]]) -> None:
        """Adds an answer to `grouped`: by way of a file, which DuckDB reads far faster than SQL.

        Everything is text in it, so that no number goes by way of a fraction.
        """
        answer = self.tmp / "answer"
        answer.write_bytes(b"\n".join(_encoder.encode(list(map(_text, line))) for line in found))
        columns = range(len(found[0]))
        chosen = ", ".join(f"row[{place + 1}]" for place in columns)
        self.con.execute(
            f"INSERT INTO grouped SELECT {chosen} FROM (SELECT json::VARCHAR[] AS row FROM "
            f"read_json({table.listed([answer])}, format='newline_delimited', "
            f"records=false, columns={{json: 'VARCHAR[]'}}, maximum_object_size={2**24}))"
        )
        answer.unlink()

    def find(self, call_id: str) -> Iterator[tuple[Row, str, str]]:
        """Rows of a call, each with the table and the columns as JSON: there is no other text."""
        names = ", ".join(map(quoted, store.COLUMNS))
        wanted = f'"call_id" = {literal(call_id)} OR "dedupe" = {literal(call_id)}'
        for name, source in zip(self.tables, self.read, strict=True):
            sql = f"SELECT seq, {names} FROM {name} WHERE {wanted} ORDER BY seq"
            for seq, *values in self.ask(sql):
                row = store.row(values, seq)
                yield row, source.path, _json(row)

    def rejections(self) -> Iterator[Rejection]:
        """None: what could not be counted never came into the table."""
        return iter(())

    def first_rejections(self, most: int) -> tuple[Rejection, ...]:
        """None, as `rejections`."""
        return ()

    def close(self) -> None:
        """Lets go of the connections."""
        self.con.close()
        self.server.close()


@dataclass(kw_only=True)
class Kept(Store):
    """SQLite files, read into DuckDB. The rows of a ledger, `single`, are each a call."""

    places: tuple[tuple[Path, str], ...]
    told: tuple[SourceRead, ...]

    @property
    def read(self) -> tuple[SourceRead, ...]:
        """What was read, file by file."""
        return self.told

    def find(self, call_id: str) -> Iterator[tuple[Row, str, str]]:
        """Rows of a call, each with the file and the columns as JSON."""
        from sdlc_cli.cost.store import sqlite

        for (file, name), source in zip(self.places, self.told, strict=True):
            for row in sqlite.find(file, call_id, name):
                yield row, source.path, _json(row)


@dataclass(slots=True)
class _Speaker:
    """A server to whom `settle` speaks as if to DuckDB."""

    remote: Remote
    found: Sequence[tuple[Any, ...]] = ()

    def execute(self, query: str, /) -> "_Speaker":
        words = query.split(" ", 5)
        if words[:3] == ["CREATE", "TEMP", "VIEW"]:
            self.remote.views[words[3]] = words[5]
            return self
        return _Speaker(self.remote, self.remote.ask(query))

    def fetchone(self) -> tuple[int, ...] | None:
        return self.found[0] if self.found else None


def _all_rows(names: Sequence[str], ends: Sequence[tuple[int, int]]) -> str:
    """SQL of the tables' rows as the columns of the query.

    Rows that arrive from now on are left out: a call must not change between two questions.
    """
    first = min(low for low, _ in ends)
    if (max(high for _, high in ends) - first + 1) * len(names) >= 2**63:
        raise UsageError(msg("{n} tables are too many to be counted in one", n=len(names)))
    parts: list[str] = []
    for place, (name, (_, last)) in enumerate(zip(names, ends, strict=True)):
        # 63 bits, taken apart as the rank of a row has them.
        at = f"((seq - {first}) * {len(names)} + {place})"
        made = {
            "src": f"({at} // {2**32}) % {2**17}",
            "line": f"{at} % {2**32}",
            "pm": f"provider || {literal(PARTING)} || model || {literal(PARTING)} || tier",
        }
        chosen = ", ".join(f"{made.get(one, quoted(one))} AS {quoted(one)}" for one in COLUMNS)
        parts.append(f"SELECT {chosen}, {at} // {2**49} AS part FROM {name} WHERE seq <= {last}")
    return " UNION ALL ".join(parts)


def _kept(places: Sequence[tuple[str, str]], tmp: Path) -> Kept:
    from sdlc_cli.cost.store import migrate, sqlite

    con = table.connect(tmp, threads=2, memory_mib=_MEMORY_MIB)
    try:
        table.create(con, "fresh")
        files: list[tuple[Path, str]] = []
        read: list[SourceRead] = []
        parts: tuple[Part, ...] = ()
        again = 0
        fresh: tuple[str, ...] = COUNTS
        for address, name in places:
            file = sqlite.file_of(address)
            with sqlite.reading(file) as kept:
                alone = len(places) == 1 and name == TABLE
                ledger = alone and migrate.version(kept) >= migrate.LEDGER
                if ledger:
                    from sdlc_cli.cost.engine import seal

                    sealed = seal.read(kept, file)
                    parts, again = sealed.parts, sealed.duplicates
                    written = _transferred(con, kept, sealed.rest, tmp)
                    count = sealed.rows + written.rows
                    fresh = written.columns
                else:
                    count = _copied(con, sqlite.rows(kept, name), tmp, len(files))
            files.append((file, name))
            path = address if name == TABLE else f"{address}#{name}"
            told = SourceRead(path=path, format=FORMAT, rows=count, rejected=0, reused=False)
            read.append(told)
        return Kept(
            con=con, opened=(), parts=parts, memory=True, places=tuple(files), told=tuple(read),
            fresh=fresh, single=ledger, again=again,
        )  # fmt: skip
    except BaseException:
        con.close()
        raise


def _transferred(
    con: "duckdb.DuckDBPyConnection", kept: "sqlite3.Connection", wanted: str, tmp: Path
) -> "Written":
    """Rows of a ledger into the table `fresh`; what they were."""
    from sdlc_cli.cost.engine import transfer

    written = transfer.write(kept, wanted, tmp / "lines")
    if written.rows:
        con.execute(f"INSERT INTO fresh {transfer.read(written, tuple(COLUMNS))}")
    written.file.unlink()
    return written


def _copied(con: "duckdb.DuckDBPyConnection", found: Iterator[Row], tmp: Path, place: int) -> int:
    """Rows into the table `fresh`; how many."""
    count = 0
    written = tmp / f"{place}.rows"
    while batch := list(islice(found, _BATCH)):
        table.write_rows(written, place, batch)
        count += len(batch)
    if count:
        con.execute(f"INSERT INTO fresh {table.selected_rows(written)}")
        written.unlink()
    return count


def _check(server: Server, name: str, address: str) -> None:
    remark = server.remark(name)
    if remark is None:
        raise UsageError(
            msg("there is no table {table} in {address}", table=name, address=address),
            hint=msg("#{table} at the end of the address names another", table="name"),
        )
    found = store.version(remark)
    if found > store.VERSION:
        raise WorkError(
            msg("{path} was written by a later sdlc", path=f"{address}#{name}"),
            hint="pip install --upgrade sdlc-cli",
        )
    if not found:
        raise UsageError(
            msg("{table} in {address} is no table of usage", table=name, address=address)
        )


def _parted(path: str) -> tuple[str, str]:
    """The address of a server or file, and the table in it."""
    address, _, name = path.partition("#")
    return address, store.checked(name or TABLE)


def _lite(address: str) -> bool:
    return address.partition("://")[0].lower() == SQLITE


def _apart() -> UsageError:
    return UsageError(
        msg("a server is counted alone: calls in two places could not be told to be one"),
        hint=msg("name one server, or load all logs into it"),
    )


def _needed(package: str, extra: str, address: str) -> None:
    from importlib.util import find_spec

    if find_spec(package) is None:
        raise WorkError(
            msg(
                "{address} needs the package {package}, which is not installed",
                address=shown(address),
                package=package,
            ),
            hint=f"pip install 'sdlc-cli[{extra}]'",
        )


def _text(value: Value) -> str | None:
    return value if value is None or isinstance(value, str) else str(value)


def _json(row: Row) -> str:
    return _encoder.encode(row).decode()
