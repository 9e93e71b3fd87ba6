"""The table in which a server keeps usage: its columns, how it is made, and rows in and out of it.

One record of a log is one row, duplicates too: which of them counts is asked when they are read,
so that a record that arrives late can still win.
"""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from hashlib import blake2b
from operator import attrgetter
from typing import Any, Literal

from sdlc_cli.core.errors import UsageError
from sdlc_cli.core.i18n import msg
from sdlc_cli.cost.model import COUNTS, Row, Status

TABLE = "sdlc_usage"
VERSION = 1  # of the columns; a table of a later one is refused, never guessed at
REMARK = f"sdlc usage, version {VERSION}"  # the table's comment, where `version` finds it

Engine = Literal["postgresql", "clickhouse", "sqlite"]
Value = str | int | bool | None
Record = tuple[Value, ...]

STATUSES: tuple[Status, ...] = ("ok", "error", "cached")
_UNKNOWN = ("project", "user", "key", "path", "tags", "call_id", "dedupe")  # NULL, never ""
_HASHES = ("request_hash", "prefix_hash")

# What each column holds. `h` is a hash of `dedupe` that is the same on every machine and in every
# version: eight bytes are grouped and joined with less memory than text, and DuckDB's own `hash` is
# private to DuckDB, another number after an upgrade. Equal hashes of different calls would hide a
# call: among ten million calls the odds of one such pair are 1 to 370,000. The text stays beside
# it, so that the hash can be made anew.
COLUMNS: dict[str, str] = {
    "ts": "time",
    **dict.fromkeys(("provider", "model", "tier"), "name"),
    **dict.fromkeys(_UNKNOWN, "text"),
    "h": "hash",
    **dict.fromkeys(("rank", "status"), "small"),
    "known": "truth",
    **dict.fromkeys(("calls", *COUNTS), "count"),
    "max_output": "limit",
    **dict.fromkeys(_HASHES, "text"),
    "prefix_tokens": "count",
}

# Text is compared byte by byte everywhere: with a language's order, `min` would lend a call
# another project than DuckDB does.
_KINDS: dict[Engine, dict[str, str]] = {
    "postgresql": {
        **dict.fromkeys(("time", "hash", "limit"), "bigint"),
        "name": 'text COLLATE "C" NOT NULL',
        "text": 'text COLLATE "C"',
        "small": "smallint NOT NULL",
        "truth": "boolean NOT NULL",
        "count": "bigint NOT NULL",
    },
    "clickhouse": {
        **dict.fromkeys(("time", "hash", "limit"), "Nullable(Int64)"),
        "name": "LowCardinality(String)",
        "text": "Nullable(String)",
        "small": "Int8",
        "truth": "Bool",
        "count": "Int64",
    },
    "sqlite": {
        **dict.fromkeys(("time", "hash", "limit"), "INTEGER"),
        "name": "TEXT NOT NULL",
        "text": "TEXT",
        **dict.fromkeys(("small", "truth", "count"), "INTEGER NOT NULL"),
    },
}
# The order in which rows arrived, given by the engine: of two rows alike the first one counts.
_PLACES: dict[Engine, str] = {
    "postgresql": "bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY",
    "clickhouse": "Int64 DEFAULT toInt64(generateSnowflakeID())",
    "sqlite": "INTEGER PRIMARY KEY AUTOINCREMENT",
}
# Where they stand, for what is done a million times; PostgreSQL has no text with a NUL in it.
held: Callable[[Row], tuple[Any, ...]] = attrgetter(*(n if n != "h" else "dedupe" for n in COLUMNS))
_H, _STATUS, _TAGS = (list(COLUMNS).index(name) for name in ("h", "status", "tags"))
_NAMES = [place for place, kind in enumerate(COLUMNS.values()) if kind == "name"]
_TEXTS = [place for place, kind in enumerate(COLUMNS.values()) if kind == "text"]
_NO_NUL = "\N{REPLACEMENT CHARACTER}"
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)?")


def checked(table: str) -> str:
    """`table` as SQL takes it, `schema.table` too. Raises UsageError for what is no plain name."""
    if not _NAME.fullmatch(table):
        raise UsageError(
            msg("'{table}' is no name of a table", table=table),
            hint=msg("letters, digits and _, as in #{table}", table=TABLE),
        )
    return table


def ddl(engine: Engine, table: str = TABLE) -> tuple[str, ...]:
    """The statements that make the table where there is none."""
    kinds = _KINDS[engine]
    columns = [f"seq {_PLACES[engine]}"]
    columns += [f'"{name}" {kinds[kind]}' for name, kind in COLUMNS.items()]
    made = f"CREATE TABLE IF NOT EXISTS {checked(table)} ({', '.join(columns)})"
    if engine == "clickhouse":
        return (f"{made} ENGINE = MergeTree ORDER BY (provider, model, seq) COMMENT '{REMARK}'",)
    index = f"{table.rpartition('.')[2]}_call_id"
    found = f'CREATE INDEX IF NOT EXISTS {index} ON {table} ("call_id")'
    if engine == "sqlite":
        return (made, found)
    return (made, found, f"COMMENT ON TABLE {table} IS '{REMARK}'")


def version(remark: str) -> int:
    """The version that a table's comment tells; 0 for a table that is not ours."""
    told = re.fullmatch(r"sdlc usage, version (\d+)", remark)
    return int(told[1]) if told else 0


def digest(dedupe: str) -> int | None:
    """The column `h`: a signed number of 64 bits, None for a row that is a call of its own."""
    if not dedupe:
        return None
    return int.from_bytes(blake2b(dedupe.encode(), digest_size=8).digest(), "big", signed=True)


def record(row: Row) -> Record:
    """A row as the table holds it, in the order of COLUMNS."""
    values = list(held(row))
    values[_H] = digest(row.dedupe)
    values[_STATUS] = STATUSES.index(row.status)
    for place in _NAMES:
        if "\0" in values[place]:
            values[place] = values[place].replace("\0", _NO_NUL)
    for place in _TEXTS:
        text = values[place]
        if not text:
            values[place] = None
        elif "\0" in text:
            values[place] = text.replace("\0", _NO_NUL)
    if "\\u0000" in row.tags:
        values[_TAGS] = _sound_tags(row.tags)
    return tuple(values)


def records(rows: Iterable[Row]) -> Iterator[Record]:
    """Rows as the table holds them."""
    return map(record, rows)


def sound(name: str, text: str) -> str:
    """The text of a column without the letter NUL."""
    return _sound_tags(text) if name == "tags" else text.replace("\0", _NO_NUL)


def _sound_tags(tags: str) -> str:
    tags = tags.replace("\0", _NO_NUL)
    if "\\u0000" not in tags:
        return tags
    sound = {
        name.replace("\0", _NO_NUL): str(value).replace("\0", _NO_NUL)
        for name, value in json.loads(tags).items()
    }
    return json.dumps(sound, ensure_ascii=False, separators=(",", ":"), sort_keys=True)


def row(values: Sequence[Value], line: int = 0) -> Row:
    """The Row of a record."""
    told = dict(zip(COLUMNS, values, strict=True))
    del told["h"]
    told["status"] = STATUSES[int(told["status"] or 0)]
    told["known"] = bool(told["known"])
    known = {
        name: value if value is not None else ""
        for name, value in told.items()
        if value is not None or COLUMNS[name] in ("name", "text")
    }
    return Row(line=line, **known)  # type: ignore[arg-type] # the columns are those of Row
