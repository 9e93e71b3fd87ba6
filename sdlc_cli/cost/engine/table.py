"""The canonical table in DuckDB: its columns, and how rows get into it."""

from collections.abc import Iterable
from pathlib import Path

import msgspec

from sdlc_cli.cost.duck import duckdb
from sdlc_cli.cost.model import COUNTS, Row
from sdlc_cli.cost.readers import fields

# Provider, model and tier stand in one column, parted by this: a string column costs as much as
# five of numbers. `names` takes them apart.
PARTING = "\x1f"

# The columns of a part. What a part lacks has the value that stands here.
TEXTS = ("project", "user", "key", "path", "tags")
HASHES = ("request_hash", "prefix_hash")
COLUMNS: dict[str, tuple[str, str]] = {
    "src": ("INTEGER", "0"),
    "line": ("BIGINT", "0"),
    "ts": ("BIGINT", "NULL"),
    "pm": ("VARCHAR", "NULL"),
    **dict.fromkeys(TEXTS, ("VARCHAR", "NULL")),
    "h": ("UBIGINT", "NULL"),
    "rank": ("TINYINT", "0"),
    "status": ("TINYINT", "0"),
    "known": ("BOOLEAN", "true"),
    "calls": ("BIGINT", "1"),
    **dict.fromkeys(COUNTS, ("BIGINT", "0")),
    "max_output": ("BIGINT", "NULL"),
    **dict.fromkeys(HASHES, ("VARCHAR", "NULL")),
    "prefix_tokens": ("BIGINT", "0"),
}
STATUSES = ("ok", "error", "cached")
FAILED = STATUSES.index("error")
CACHED = STATUSES.index("cached")

# How a written Row is read back. Money that the log states is not kept: no sum is made of it.
_WRITTEN: dict[str, str] = {
    **dict.fromkeys(("line", "ts", "calls", *COUNTS, "max_output", "prefix_tokens"), "BIGINT"),
    **dict.fromkeys(("provider", "model", "tier", "dedupe", "status"), "VARCHAR"),
    **dict.fromkeys((*TEXTS, *HASHES), "VARCHAR"),
    "rank": "TINYINT",
    "known": "BOOLEAN",
}
_SELECTED: dict[str, str] = {
    "pm": "provider || chr(31) || model || chr(31) || tier",
    **{name: f"nullif(\"{name}\", '')" for name in (*TEXTS, *HASHES)},
    "h": "CASE WHEN dedupe <> '' THEN hash(dedupe) END",
    "status": "CASE status WHEN 'ok' THEN 0 WHEN 'error' THEN 1 ELSE 2 END",
}
_LARGEST_ROW = 2**24  # bytes as JSON: no record is larger

_encoder = msgspec.json.Encoder()


def literal(text: str) -> str:
    """`text` as an SQL string."""
    return "'" + text.replace("'", "''") + "'"


def quoted(name: str) -> str:
    """`name` as an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def default(column: str) -> str:
    """SQL of the value of a column that a part lacks."""
    kind, value = COLUMNS[column]
    return f"{value}::{kind}"


def listed(paths: Iterable[Path]) -> str:
    """Paths as an SQL list. DuckDB would read a glob in them, so letters of globs are classes."""
    return "[" + ", ".join(literal(_plain(str(path))) for path in paths) + "]"


def _plain(path: str) -> str:
    return "".join(f"[{letter}]" if letter in "*?[" else letter for letter in path)


def names(pm: str) -> tuple[str, str, str]:
    """Provider, model and tier as they were logged, the tier by its canonical name."""
    provider, _, rest = pm.partition(PARTING)
    model, _, tier = rest.rpartition(PARTING)
    return provider, model, fields.tier(tier)


def connect(tmp: Path, *, threads: int, memory_mib: int) -> duckdb.DuckDBPyConnection:
    """A DuckDB in memory that fetches nothing and spills into `tmp`."""
    con = duckdb.connect(
        ":memory:",
        config={
            "threads": threads,
            "memory_limit": f"{memory_mib}MiB",
            "temp_directory": str(tmp / "spill"),
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
        },
    )
    con.execute("SET enable_progress_bar = false")  # in `python -c` it would write to stdout
    return con


def plan_little(con: duckdb.DuckDBPyConnection) -> None:
    """Has queries run as they are written: over a few rows, to improve them takes longer."""
    found = con.execute("SELECT name FROM duckdb_optimizers()").fetchall()
    con.execute(f"SET disabled_optimizers = {literal(','.join(name for (name,) in found))}")


def create(con: duckdb.DuckDBPyConnection, table: str) -> None:
    """An empty table of the canonical columns."""
    columns = ", ".join(f"{quoted(name)} {kind}" for name, (kind, _) in COLUMNS.items())
    con.execute(f"CREATE TABLE {table} ({columns})")


class Written(msgspec.Struct):
    """A row on its way into DuckDB, with the number of its source."""

    src: int
    row: Row


def write_rows(file: Path, src: int, rows: Iterable[Row]) -> None:
    """Add rows to a file that `selected_rows` reads."""
    with open(file, "ab") as out:
        out.write(_encoder.encode_lines([Written(src, row) for row in rows]))


def selected_rows(file: Path) -> str:
    """SQL that reads written rows as canonical columns, in their order."""
    written = ", ".join(f"{quoted(name)} {kind}" for name, kind in _WRITTEN.items())
    taken = ", ".join(f'"row".{quoted(name)} AS {quoted(name)}' for name in _WRITTEN)
    chosen = ", ".join(f"{_SELECTED.get(name, quoted(name))} AS {quoted(name)}" for name in COLUMNS)
    return (
        f"SELECT {chosen} FROM (SELECT src, {taken} FROM read_json({literal(_plain(str(file)))}, "
        f"format='newline_delimited', maximum_object_size={_LARGEST_ROW}, "
        f"columns={{src: 'INTEGER', \"row\": {literal(f'STRUCT({written})')}}}))"
    )
