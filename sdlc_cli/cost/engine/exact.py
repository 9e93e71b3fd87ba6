"""Reads a file record by record, strictly: slow, exact, and what the fast way is measured by."""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import IO, Protocol

from sdlc_cli.core.errors import UsageError
from sdlc_cli.core.i18n import Message, msg
from sdlc_cli.cost.engine.sources import Source, opened
from sdlc_cli.cost.model import Rejected, Row
from sdlc_cli.cost.readers import Format, records

SNIFFED = 64  # records that a format is told by
_FIELD_LIMIT = 2**24

Record = dict[str, object]
Numbered = tuple[int, object]  # a record or the Rejected that says why there is none


@dataclass(slots=True)
class Batch:
    """Rows and refusals in the order of the file."""

    rows: list[Row]
    rejected: list[tuple[int, Message]]


def numbered(source: Source) -> Iterator[Numbered]:
    """The records of a file, each with its line, row or element."""
    if source.suffix == ".parquet":
        return _parquet(source)
    return _csv(source) if source.suffix == ".csv" else _json(source)


def sniffed(source: Source) -> list[object]:
    """The first good records of a file."""
    found: list[object] = []
    for _, record in islice(numbered(source), 4 * SNIFFED):
        if not isinstance(record, Rejected):
            found.append(record)
            if len(found) == SNIFFED:
                break
    return found


def batches(found: Iterable[Numbered], form: Format, size: int = 20_000) -> Iterator[Batch]:
    """What a format makes of records, `size` rows at a time; at least one batch."""
    parse = form.start()
    rows: list[Row] = []
    rejected: list[tuple[int, Message]] = []
    for line, record in found:
        if isinstance(record, Rejected):
            rejected.append((line, record.reason))
            continue
        try:
            for row in parse(record):  # type: ignore[arg-type] # whatever is no Rejected is a record
                row.line = line
                rows.append(row)
        except Rejected as refusal:
            rejected.append((line, refusal.reason))
        if len(rows) + len(rejected) >= size:
            yield Batch(rows, rejected)
            rows, rejected = [], []
    yield Batch(rows, rejected)


def _json(source: Source) -> Iterator[Numbered]:
    with opened(source) as stream:
        yield from records.read(stream)


def _csv(source: Source) -> Iterator[Numbered]:
    """Records of a table; the header is row 1, as editors and spreadsheets show it."""
    csv.field_size_limit(_FIELD_LIMIT)
    with (
        opened(source) as raw,
        io.TextIOWrapper(raw, encoding="utf-8-sig", errors="surrogateescape", newline="") as text,
    ):
        head = text.read(1)
        if not head:
            return
        lines = _Lines(head, text)
        yield from _rows(csv.reader(lines, strict=True, delimiter=_delimiter(lines)))


class _Reader(Protocol):
    """What `csv.reader` gives."""

    @property
    def line_num(self) -> int: ...

    def __iter__(self) -> Iterator[list[str]]: ...

    def __next__(self) -> list[str]: ...


class _Lines:
    """A text's lines, of which the first can be looked at before it is read."""

    def __init__(self, head: str, text: IO[str]) -> None:
        self.first = head + ("" if head == "\n" else text.readline())
        self._text = text
        self._begun = False

    def __iter__(self) -> "_Lines":
        return self

    def __next__(self) -> str:
        if not self._begun:
            self._begun = True
            return self.first
        return next(self._text)


def _delimiter(lines: _Lines) -> str:
    return max(",;\t", key=lines.first.count)


def _rows(reader: "_Reader") -> Iterator[Numbered]:
    header: Sequence[str] | None = None
    while True:
        try:
            row = next(reader, None)
        except csv.Error as error:
            yield reader.line_num, Rejected(msg("not valid CSV: {why}", why=str(error)))
            continue
        except EOFError:
            yield reader.line_num + 1, Rejected(msg("the compressed file ends early"))
            return
        if row is None:
            return
        if not row:
            continue
        if not _utf8(row):
            yield reader.line_num, Rejected(msg("invalid UTF-8"))
        elif header is None:
            header = row
        elif len(row) != len(header):
            reason = msg("{n} fields under {columns} columns", n=len(row), columns=len(header))
            yield reader.line_num, Rejected(reason)
        else:
            yield reader.line_num, dict(zip(header, row, strict=True))


def _utf8(row: Sequence[str]) -> bool:
    try:
        "".join(row).encode()
    except UnicodeEncodeError:  # the letters that stood for bytes
        return False
    return True


def _parquet(source: Source) -> Iterator[Numbered]:
    import duckdb

    from sdlc_cli.cost.engine.table import listed

    con = duckdb.connect(":memory:", config={"threads": 1})
    try:
        found = con.execute(f"SELECT * FROM read_parquet({listed([source.file])})")
        columns = [column[0] for column in found.description or ()]
        number = 0
        while block := found.fetchmany(2048):
            for values in block:
                number += 1
                yield number, dict(zip(columns, values, strict=True))
    except duckdb.Error as error:
        why = str(error).splitlines()[0]
        raise UsageError(
            msg("{path} is not a Parquet file: {why}", path=source.shown, why=why)
        ) from None
    finally:
        con.close()
