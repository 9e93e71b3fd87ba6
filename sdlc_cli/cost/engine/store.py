"""The rows of all sources in DuckDB: some in its memory, the rest in Parquet parts."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Any

from sdlc_cli.core.errors import WorkError
from sdlc_cli.core.i18n import msg
from sdlc_cli.cost.duck import duckdb
from sdlc_cli.cost.engine import refusals
from sdlc_cli.cost.engine.answers import Answers
from sdlc_cli.cost.engine.settle import settle
from sdlc_cli.cost.engine.sources import Source
from sdlc_cli.cost.engine.table import COLUMNS, default, listed, literal, quoted
from sdlc_cli.cost.model import COUNTS, Rejection, Row, SourceRead
from sdlc_cli.cost.readers import Format

REPEATS = "repeats"  # a column of some parts: the records that a row stands for beside its own


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A Parquet file of rows.

    Lines of a part with `numbered` false are not written: they follow from the row's place.
    `left` are rows that do not count, from and to before a place: of files that have changed.
    """

    file: Path
    columns: tuple[str, ...]
    pms: tuple[str, ...]
    first: int | None  # microseconds
    last: int | None
    numbered: bool = True
    flawed: bool = False  # has rows that were read again, exactly: their output is below 0
    odd: tuple[str, ...] = ()  # models whose rows are such, too
    left: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """A source with the format it was read in, None where none fits."""

    source: Source
    form: Format | None
    read: SourceRead
    refused: tuple[Path, ...] = ()  # files of refusals


@dataclass(kw_only=True)
class Store:
    """Everything that was read. `rows` in the connection are all rows, `counted` those of calls."""

    con: duckdb.DuckDBPyConnection
    opened: tuple[Opened, ...]
    parts: tuple[Part, ...] = ()
    memory: bool = False  # the table `fresh` has rows
    fresh: Collection[str] = COUNTS  # the counts that any of them has
    single: bool = False  # every row is a call of its own
    again: int = 0  # records of calls that are left out already
    answers: Answers | None = None  # where answers about `parts` are kept
    _duplicates: int | None = field(default=None, init=False)
    _settled: bool = field(default=False, init=False)

    def settle(self) -> None:
        """Tells calls apart from records, unless it is done."""
        if self._settled:
            return
        try:
            self.con.execute(f"CREATE TEMP VIEW rows AS {self._rows()}")
            again = self.again + self._repeated()
            if self.single:
                self.con.execute("CREATE TEMP VIEW counted AS SELECT * EXCLUDE (part) FROM rows")
            else:
                again += settle(self.con, self._given, self.pms)
        except duckdb.OutOfMemoryException as error:
            raise WorkError(
                msg("the logs need more memory or temporary disk than there is"),
                hint=msg("set TMPDIR to a folder with more space"),
            ) from error
        self._duplicates = again
        self._settled = True

    @property
    def duplicates(self) -> int:
        """Records of calls that another record told of."""
        if self._duplicates is None:
            self.settle()
        return self._duplicates or 0

    def _repeated(self) -> int:
        if REPEATS not in self._given:
            return 0
        (found,) = self.con.execute(f"SELECT sum({REPEATS}) FROM rows").fetchone() or (0,)
        return int(found or 0)

    @property
    def read(self) -> tuple[SourceRead, ...]:
        """What was read, source by source."""
        return tuple(each.read for each in self.opened)

    def close(self) -> None:
        """Lets go of memory and files."""
        self.con.close()

    @cached_property
    def pms(self) -> tuple[str, ...]:
        """The distinct provider, model and tier, sorted."""
        found = {pm for part in self.parts for pm in part.pms}
        if self.memory:
            found |= {pm for (pm,) in self.con.execute("SELECT DISTINCT pm FROM fresh").fetchall()}
        return tuple(sorted(found))

    @property
    def counts(self) -> tuple[str, ...]:
        """The counts that any row may have."""
        return tuple(name for name in COUNTS if name in self._given)

    @cached_property
    def span(self) -> tuple[int, int]:
        """Microseconds of the first and the last row; (0, 0) where none has a time."""
        times = [t for part in self.parts for t in (part.first, part.last) if t is not None]
        if self.memory:
            (pair,) = self.con.execute("SELECT min(ts), max(ts) FROM fresh").fetchall()
            times += [t for t in pair if t is not None]
        return (min(times), max(times)) if times else (0, 0)

    def group(self, sql: str) -> None:
        """Makes the table `grouped` of an answer about the calls in `counted`."""
        question = f"{self.parts!r}\n{sql}"
        if self.answers is not None:
            found = self.answers.find(self.con, question)
            if found is not None:
                self._duplicates = found
                return
        self.settle()
        self.con.execute(f"CREATE OR REPLACE TEMP TABLE grouped AS {sql}")
        if self.answers is not None:
            self.answers.keep(self.con, question, self.duplicates)

    def ask(self, sql: str) -> list[tuple[Any, ...]]:
        """The rows of an answer about the calls in `counted`."""
        self.settle()
        return self.con.execute(sql).fetchall()

    def find(self, call_id: str) -> Iterator[tuple[Row, str, str]]:
        """Rows of a call, each with the path and the text of its record."""
        from sdlc_cli.cost.engine.find import find

        return find(self.opened, call_id)

    def rejections(self) -> Iterator[Rejection]:
        """All of them, in the order of the sources."""
        for each in self.opened:
            for file in each.refused:
                for line, reason in refusals.read(file):
                    yield Rejection(path=each.source.shown, line=line, reason=reason)

    def first_rejections(self, most: int) -> tuple[Rejection, ...]:
        """As many as that."""
        return tuple(islice(self.rejections(), most))

    @property
    def _given(self) -> set[str]:
        found = {name for part in self.parts for name in part.columns}
        if not self.memory:
            return found
        return found | (COLUMNS.keys() - set(COUNTS)) | set(self.fresh)

    def _rows(self) -> str:
        alike: dict[tuple[tuple[str, ...], bool, bool], list[tuple[int, Part]]] = {}
        for place, part in enumerate(self.parts):
            key = (part.columns, part.numbered, part.flawed)
            alike.setdefault(key, []).append((place, part))
        selects = [_selected(parts) for parts in alike.values()]
        if self.memory or not selects:
            columns = ", ".join(quoted(name) for name in COLUMNS)
            selects.append(
                f"SELECT {columns}, 0 AS {REPEATS}, {len(self.parts)} AS part FROM fresh"
            )
        return " UNION ALL ".join(selects)


def _selected(parts: Sequence[tuple[int, Part]]) -> str:
    """SQL of parts that have the same columns."""
    sample = parts[0][1]
    columns: list[str] = []
    for name, (kind, _) in COLUMNS.items():
        if name == "line" and not sample.numbered:
            columns.append('file_row_number AS "line"')
        elif name in sample.columns:
            columns.append(f"{quoted(name)}::{kind} AS {quoted(name)}")
        else:
            columns.append(f"{default(name)} AS {quoted(name)}")
    columns.append(REPEATS if REPEATS in sample.columns else f"0 AS {REPEATS}")
    places = [place for place, _ in parts]
    if places == list(range(places[0], places[0] + len(places))):
        number = f"(file_index + {places[0]})::BIGINT"
    else:
        number = f"[{', '.join(map(str, places))}][file_index::BIGINT + 1]"
    gone = [
        f"NOT (filename = {literal(str(part.file))} "
        f"AND file_row_number BETWEEN {first} AND {end - 1})"
        for _, part in parts
        for first, end in part.left
    ]
    odd = sorted({pm for _, part in parts for pm in part.odd})
    conditions = [*gone, *(["output >= 0"] if sample.flawed else [])]
    if odd:
        conditions.append(f"pm NOT IN ({', '.join(map(literal, odd))})")
    where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
    files = listed([part.file for _, part in parts])
    return f"SELECT {', '.join(columns)}, {number} AS part FROM read_parquet({files}){where}"
