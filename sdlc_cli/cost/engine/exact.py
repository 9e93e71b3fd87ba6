"""Reads a file record by record, strictly: slow, exact, and what the fast way is measured by."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import IO, cast

from sdlc_cli.core.i18n import Message
from sdlc_cli.cost.engine.sources import Source, opened
from sdlc_cli.cost.model import Rejected, Row
from sdlc_cli.cost.readers import Format, records, tables

SNIFFED = 64  # records that a format is told by
GLANCED = 4  # enough where all of them are of one format

Numbered = tuple[int, object]  # a record or the Rejected that says why there is none


@dataclass(slots=True)
class Batch:
    """Rows and refusals in the order of the file."""

    rows: list[Row]
    rejected: list[tuple[int, Message]]


def numbered(source: Source) -> Iterator[Numbered]:
    """The records of a file, each with its line, row or element."""
    if not source.size:
        return iter(())
    if source.suffix == ".parquet":
        return tables.parquet_rows(source.file)
    return _csv(source) if source.suffix == ".csv" else _json(source)


def sniffed(source: Source, most: int = SNIFFED) -> list[object]:
    """The first good records of a file."""
    return _good(numbered(source), most)


def glanced(source: Source) -> tuple[list[object], bool | None]:
    """A few of them, and whether the file has a record a line; None where nobody asked."""
    if not source.size or source.suffix in (".csv", ".parquet"):
        return sniffed(source, GLANCED), None
    with opened(source) as stream:
        lines, found = records.told(stream)
        return _good(found, GLANCED), lines


def _good(found: Iterable[Numbered], most: int) -> list[object]:
    good: list[object] = []
    for _, record in islice(found, 4 * most):
        if not isinstance(record, Rejected):
            good.append(record)
            if len(good) == most:
                break
    return good


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
    with opened(source) as stream:
        yield from tables.csv_rows(cast(IO[bytes], stream))
