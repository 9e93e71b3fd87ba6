"""Rows of CSV and Parquet files as records, each with its number."""

import csv
import zlib
from collections import deque
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO

from sdlc_cli.core.errors import WorkError
from sdlc_cli.core.i18n import msg
from sdlc_cli.cost.model import Rejected
from sdlc_cli.cost.readers.records import LIMIT, Found

_DELIMITERS = ",;\t|"
_LINES = 10_000  # of one row: a cell with more in it is taken for a quote that nobody closed
_BATCH = 10_000
_PLAIN = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER")
_ZONED = "TIMESTAMP WITH TIME ZONE"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_KEPT = frozenset((*_PLAIN, "UBIGINT", "HUGEINT", "UHUGEINT", "FLOAT", "DOUBLE", "BOOLEAN"))


def csv_rows(stream: IO[bytes], *, limit: int = LIMIT) -> Iterator[Found]:
    """Each row with the number of its first line; the header is line 1.

    The header's names must be there, and differ; WorkError says so. A row with more or fewer
    cells than the header, with a quote that is never closed, invalid UTF-8 or more than `limit`
    bytes comes as the Rejected that says why. Blank lines are nothing.
    """
    csv.field_size_limit(max(limit, csv.field_size_limit()))
    lines = _Lines(stream, limit)
    first = lines.next()
    header, delimiter = _header(first)
    number = 2
    while (line := lines.next()) is not None:
        if isinstance(line, Rejected):
            yield number, line
        elif line.strip():
            row, taken = _row(line, lines, header, delimiter)
            yield number, row
            number += taken - 1
        number += 1


class _Lines:
    """The lines of a file as text; some can be given back."""

    def __init__(self, stream: IO[bytes], limit: int) -> None:
        self._readline = stream.readline
        self._limit = limit
        self._ahead: deque[str | Rejected] = deque()
        self._begun = False
        self._ended = False

    def next(self) -> str | Rejected | None:
        """The next line, None at the end."""
        if self._ahead:
            return self._ahead.popleft()
        if self._ended:
            return None
        try:
            data = self._readline(self._limit + 1)
            if len(data) > self._limit and not data.endswith(b"\n"):
                while (rest := self._readline(2**20)) and not rest.endswith(b"\n"):
                    pass
                return Rejected(msg("longer than {limit} bytes", limit=self._limit))
        except (EOFError, zlib.error):
            self._ended = True
            return Rejected(msg("the compressed file is damaged or ends early"))
        self._ended = not data
        encoding = "utf-8" if self._begun else "utf-8-sig"
        self._begun = True
        try:
            return data.decode(encoding) if data else None
        except UnicodeDecodeError:
            return Rejected(msg("invalid UTF-8"))

    def give_back(self, lines: Sequence[str | Rejected]) -> None:
        """These lines come next, again."""
        self._ahead.extendleft(reversed(lines))

    def cell(self, first: str) -> list[str] | None:
        """The lines after `first` up to the one that closes its quote; None where none does.

        Where none does, or where there are more than a cell has, all of them are given back.
        """
        taken: list[str | Rejected] = []
        size = len(first)
        while len(taken) < _LINES and size < self._limit:
            line = self.next()
            if line is None:
                break
            taken.append(line)
            if isinstance(line, Rejected):
                break
            size += len(line)
            if line.count('"') % 2:
                return [text for text in taken if isinstance(text, str)]
        self.give_back(taken)
        return None


def _header(line: str | Rejected | None) -> tuple[list[str], str]:
    if not isinstance(line, str) or not line.strip():
        raise WorkError(msg("the table has no header line"), hint=msg("name its columns in line 1"))
    delimiter = max(_DELIMITERS, key=line.count)
    header = _cells(line, delimiter)
    names = [name.strip() for name in header] if isinstance(header, list) else [""]
    if "" in names or len(set(names)) < len(names):
        raise WorkError(
            msg("the table's header has an empty name, or one name twice"),
            hint=msg("give each column a name of its own"),
        )
    return names, delimiter


def _row(
    line: str, lines: _Lines, header: list[str], delimiter: str
) -> tuple[dict[str, object] | Rejected, int]:
    """The row that begins with a line, and how many lines it takes.

    A cell in quotes may go on in the lines below. Where that makes no row of them, the quote was
    a letter like others, or a mistake in this line alone.
    """
    if line.count('"') % 2 == 0:
        return _record(line, header, delimiter), 1
    more = lines.cell(line)
    if more is not None:
        record = _record("".join((line, *more)), header, delimiter)
        if not isinstance(record, Rejected):
            return record, 1 + len(more)
        lines.give_back(more)
    return _record(line, header, delimiter), 1


def _record(text: str, header: list[str], delimiter: str) -> dict[str, object] | Rejected:
    cells = _cells(text, delimiter)
    if isinstance(cells, Rejected):
        return cells
    if len(cells) != len(header):
        return Rejected(
            msg("{found} cells where the header has {wanted}", found=len(cells), wanted=len(header))
        )
    return dict(zip(header, cells, strict=True))


def _cells(text: str, delimiter: str) -> list[str] | Rejected:
    try:
        rows = list(csv.reader(text.splitlines(keepends=True), delimiter=delimiter, strict=True))
    except csv.Error:
        return Rejected(msg("not valid CSV: a quote is not closed, or more follows one"))
    return rows[0] if len(rows) == 1 else Rejected(msg("not valid CSV"))


def parquet_rows(path: Path, columns: Sequence[str] = ()) -> Iterator[Found]:
    """Each row of a Parquet file with its number, of the `columns` those that are there, or all.

    Times come as ISO 8601 in UTC. Raises WorkError where DuckDB cannot read the file.
    """
    from sdlc_cli.cost.duck import duckdb

    # Without this, DuckDB would fetch extensions from the network for what it cannot do itself.
    connection = duckdb.connect(config={"autoinstall_known_extensions": False})
    try:
        kinds = connection.execute("DESCRIBE SELECT * FROM read_parquet(?)", [str(path)]).fetchall()
        tops = {name.partition(".")[0] for name in columns} | set(columns)
        chosen = [(name, kind) for name, kind, *_ in kinds if not columns or name in tops]
        if not chosen:
            return
        listed = ", ".join(_expression(name, kind) for name, kind in chosen)
        rows = connection.execute(f"SELECT {listed} FROM read_parquet(?)", [str(path)])
        names = [name for name, _ in chosen]
        moments = [name for name, kind in chosen if kind == _ZONED]
        number = 0
        while batch := rows.fetchmany(_BATCH):
            for values in batch:
                number += 1
                row = dict(zip(names, values, strict=True))
                for name in moments:
                    row[name] = _iso(row[name])
                yield number, row
    except duckdb.Error as error:
        raise WorkError(
            msg("cannot read {path}: {problem}", path=str(path), problem=_first_line(error)),
            hint=msg("check that it is a Parquet file that was written to its end"),
        ) from None
    finally:
        connection.close()


def _expression(name: str, kind: str) -> str:
    quoted = '"' + name.replace('"', '""') + '"'
    if kind == _ZONED:  # as text it would need an extension
        return f"epoch_us({quoted})"
    plain = kind in _KEPT or kind.startswith(("DECIMAL", "STRUCT", "MAP")) or kind.endswith("[]")
    return quoted if plain else f"CAST({quoted} AS VARCHAR)"


def _iso(microseconds: object) -> str | None:
    if not isinstance(microseconds, int):
        return None
    try:
        return (_EPOCH + timedelta(microseconds=microseconds)).isoformat()
    except OverflowError:
        return str(microseconds)  # infinity; whoever wants a time refuses it


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0]
