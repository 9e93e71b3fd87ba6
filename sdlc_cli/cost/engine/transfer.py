"""Calls of a ledger from SQLite into DuckDB, as JSON lines that SQLite itself writes.

A row never becomes a Python object on the way, and what no row has is not written: a call has a
third of the columns.
"""

import sqlite3
from dataclasses import dataclass
from pathlib import Path

from sdlc_cli.cost.engine import table
from sdlc_cli.cost.engine.table import COLUMNS, PARTING, literal, quoted
from sdlc_cli.cost.model import COUNTS
from sdlc_cli.cost.store import TABLE

_BATCH = 20_000
_LARGEST = 2**24  # bytes of a line
_ALWAYS = ("line", "ts", "pm", "rank", "status", "known", "calls")
_MAYBE = (*table.TEXTS, *COUNTS, "max_output", *table.HASHES, "prefix_tokens")
_MADE = {
    "line": "seq",
    "pm": f"provider || {literal(PARTING)} || model || {literal(PARTING)} || tier",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """A file of lines, and the columns that they have. `top` and `total` are of rows' numbers."""

    file: Path
    columns: tuple[str, ...]
    rows: int
    top: int
    total: int


def write(con: sqlite3.Connection, wanted: str, file: Path) -> Written:
    """Writes the rows that a condition holds for, of one moment."""
    has = ", ".join(f"max({quoted(name)} IS NOT NULL AND {quoted(name)} <> 0)" for name in _MAYBE)
    rows, top, total, *given = con.execute(
        f"SELECT count(*), coalesce(max(seq), 0), coalesce(sum(seq), 0), {has} "
        f"FROM {TABLE} WHERE {wanted}"
    ).fetchone()
    there = [name for name, one in zip(_MAYBE, given, strict=True) if one]
    columns = tuple(name for name in COLUMNS if name in (*_ALWAYS, *there))
    pairs = ", ".join(f"{literal(name)}, {_MADE.get(name, quoted(name))}" for name in columns)
    found = con.execute(f"SELECT json_object({pairs}) FROM {TABLE} WHERE {wanted}")
    with open(file, "w", encoding="utf-8") as out:
        while batch := found.fetchmany(_BATCH):
            out.write("\n".join(line for (line,) in batch))
            out.write("\n")
    return Written(file=file, columns=columns, rows=rows, top=top, total=total)


def read(written: Written, columns: tuple[str, ...]) -> str:
    """SQL of what was written, as these columns; one that no row has holds its default."""
    kinds = {name: COLUMNS[name][0] for name in written.columns}
    told = ", ".join(
        f"{quoted(name)}: {literal('BIGINT' if kind == 'BOOLEAN' else kind)}"
        for name, kind in kinds.items()
    )
    chosen = ", ".join(
        f"{quoted(name)}::{COLUMNS[name][0]} AS {quoted(name)}"
        if name in kinds
        else f"{COLUMNS[name][1]}::{COLUMNS[name][0]} AS {quoted(name)}"
        for name in columns
    )
    return (
        f"SELECT {chosen} FROM read_json({table.listed([written.file])}, "
        f"format='newline_delimited', columns={{{told}}}, maximum_object_size={_LARGEST})"
    )
