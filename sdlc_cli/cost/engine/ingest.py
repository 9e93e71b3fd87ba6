"""Paths -> a Store: each source in its format, by the exact way or, where it is large, in bulk."""

import shlex
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from sdlc_cli.core.errors import NothingToDo, UsageError
from sdlc_cli.core.i18n import msg
from sdlc_cli.core.nearest import nearest
from sdlc_cli.cost.config import CostConfig
from sdlc_cli.cost.duck import duckdb
from sdlc_cli.cost.engine import exact, refusals, table
from sdlc_cli.cost.engine.answers import Answers
from sdlc_cli.cost.engine.sources import Source, find
from sdlc_cli.cost.engine.store import Opened, Store
from sdlc_cli.cost.model import COUNTS, SourceRead
from sdlc_cli.cost.readers import Format, detect, mapped

SMALL = 4 * 2**20  # bytes in all sources up to which Parquet and the cache would only cost time
MEMORY_MIB = 250
ALONE = 2 * 2**30  # bytes up to which one thread reads: two take a fifth more work for the same
TABLES = (".csv", ".parquet")
MOST_NAMED = 3  # sources in a message


def ingest(
    paths: Sequence[str],
    *,
    config: CostConfig,
    source_format: str,
    cache: Path | None,
    tmp: Path,
    stdin: IO[bytes] | None,
) -> Store:
    """Reads all sources. Raises UsageError and NothingToDo as `usage.open_usage` does."""
    forms = formats(config)
    wanted = _named(source_format, forms)
    sources = find(paths, tmp, stdin)
    size = sum(source.size for source in sources)
    con = table.connect(tmp, threads=1 if size <= ALONE else 2, memory_mib=MEMORY_MIB)
    try:
        if size > SMALL:
            return _large(con, sources, wanted, config, cache, tmp)
        table.plan_little(con)
        small = _Fresh(con, tmp)
        for source in sources:
            small.add(source, _form(source, wanted, config)[0])
        opened = small.finish()
        if all(each.form is None for each in opened):
            raise _unknown(opened)
        return Store(con=con, opened=opened, memory=True, fresh=small.counts)
    except BaseException:
        con.close()
        raise


def _large(
    con: duckdb.DuckDBPyConnection,
    sources: Sequence[Source],
    wanted: Format | None,
    config: CostConfig,
    cache: Path | None,
    tmp: Path,
) -> Store:
    from sdlc_cli.cost.engine.keep import Keep
    from sdlc_cli.cost.engine.large import Large

    setting = f"{wanted.name if wanted else ''} {config.columns!r}"
    keep = Keep(tmp / "parts", lasting=False)
    passing = any(source.file.is_relative_to(tmp) for source in sources)  # gone after the run
    if cache is not None and not passing:
        with suppress(OSError):  # a full or read-only disk: then nothing is kept
            keep = Keep(cache, lasting=True, setting=setting)
    reading = Large(con, tmp, keep, lambda source: _form(source, wanted, config))
    opened, parts = reading.read(sources, formats(config))
    if all(each.form is None for each in opened):
        raise _unknown(opened)
    answers = Answers(keep.folder / "answers", tmp) if keep.lasting else None
    store = Store(con=con, opened=opened, parts=parts, answers=answers)
    if not reading.reused:  # then nobody has asked about them before
        store.settle()
    return store


def formats(config: CostConfig) -> dict[str, Format]:
    """All formats by name, with the user's own columns."""
    own = [mapped.format_of(config.columns, table=False)] if config.columns else []
    return {form.name: form for form in (*detect.FORMATS.values(), *own)}


def _named(name: str, forms: dict[str, Format]) -> Format | None:
    if not name:
        return None
    if name not in forms:
        near = nearest(name, forms)
        hint = msg("did you mean '{nearest}'?", nearest=near) if near else ""
        raise UsageError(msg("there is no log format '{name}'", name=name), hint=hint)
    return forms[name]


def _form(
    source: Source, wanted: Format | None, config: CostConfig
) -> tuple[Format | None, bool | None]:
    """How to read a source: as asked, as its first records look, else by the user's columns.

    And whether it has a record a line, where that was seen on the way.
    """
    own = config.columns
    mine = mapped.format_of(own, table=source.suffix in TABLES) if own else None
    if wanted is not None:
        return (mine if mine and wanted.name == mine.name else wanted), None
    records, lines = exact.glanced(source)
    found = detect.detect(records, source.file.name)
    if found is None or not all(map(_matches(found), records)):
        records = exact.sniffed(source)
        found = detect.detect(records, source.file.name)
    if found is None and mine is not None:
        told = [record for record in records if isinstance(record, dict)]
        return (mine if any(map(mine.matches, told)) else None), lines
    return found, lines


def _matches(form: Format) -> Callable[[object], bool]:
    return lambda record: isinstance(record, dict) and form.matches(record)


def _unknown(opened: Sequence[Opened]) -> NothingToDo:
    """None of the sources can be read: what to do about the first."""
    held = [each.source for each in opened if each.source.size]
    if not held:
        return NothingToDo(msg("there is no call in {paths}", paths=_named_few(opened)))
    return NothingToDo(
        msg("nothing was counted: no log format fits {paths}", paths=_named_few(opened)),
        hint=f"sdlc cost map {shlex.quote(held[0].shown)}",
    )


def _named_few(opened: Sequence[Opened]) -> str:
    shown = [each.source.shown for each in opened[:MOST_NAMED]]
    return ", ".join(shown) + (", ..." if len(opened) > MOST_NAMED else "")


@dataclass(slots=True)
class _Fresh:
    """Reads small sources exactly, into the table `fresh`."""

    con: duckdb.DuckDBPyConnection
    tmp: Path
    opened: list[Opened] = field(default_factory=list)
    counts: set[str] = field(default_factory=set)  # that any row has

    def __post_init__(self) -> None:
        table.create(self.con, "fresh")

    def add(self, source: Source, form: Format | None) -> None:
        place = len(self.opened)
        refused = self.tmp / f"{place}.refused"
        count = rejected = 0
        if form is not None:
            for batch in exact.batches(exact.numbered(source), form):
                count += len(batch.rows)
                rejected += len(batch.rejected)
                self.counts |= {n for n in COUNTS if any(getattr(row, n) for row in batch.rows)}
                if batch.rows:
                    table.write_rows(self._rows, place, batch.rows)
                if batch.rejected:
                    refusals.write(refused, batch.rejected)
        read = SourceRead(
            path=source.shown,
            format=form.name if form else "",
            rows=count,
            rejected=rejected,
            reused=False,
        )
        files = (refused,) if rejected else ()
        self.opened.append(Opened(source=source, form=form, read=read, refused=files))

    def finish(self) -> tuple[Opened, ...]:
        if self._rows.exists():
            self.con.execute(f"INSERT INTO fresh {table.selected_rows(self._rows)}")
            self._rows.unlink()
        return tuple(self.opened)

    @property
    def _rows(self) -> Path:
        return self.tmp / "rows"
