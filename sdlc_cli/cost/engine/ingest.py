"""Paths -> a Store: each source in its format, by the exact way or, where it is large, in bulk."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

import duckdb

from sdlc_cli.core.errors import NothingToDo, UsageError
from sdlc_cli.core.i18n import msg
from sdlc_cli.core.nearest import nearest
from sdlc_cli.cost.config import CostConfig
from sdlc_cli.cost.engine import exact, refusals, table
from sdlc_cli.cost.engine.sources import Source, find
from sdlc_cli.cost.engine.store import Opened, Store
from sdlc_cli.cost.model import SourceRead
from sdlc_cli.cost.readers import Format, detect

SMALL = 4 * 2**20  # bytes in all sources up to which Parquet and the cache would only cost time
MEMORY_MIB = 250
_LOAD_EVERY = 64  # files of written rows


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
    con = table.connect(tmp, threads=2, memory_mib=MEMORY_MIB)
    try:
        small = _Fresh(con, tmp)
        for source in sources:
            small.add(source, wanted or _detected(source, forms))
        opened = small.finish()
        if all(each.form is None for each in opened) and any(each.read.rows for each in opened):
            raise _unknown(opened)
        return Store(con=con, opened=opened, memory=True)
    except BaseException:
        con.close()
        raise


def formats(config: CostConfig) -> dict[str, Format]:
    """All formats by name."""
    return dict(detect.FORMATS)


def _named(name: str, forms: dict[str, Format]) -> Format | None:
    if not name:
        return None
    if name not in forms:
        near = nearest(name, forms)
        hint = msg("did you mean '{nearest}'?", nearest=near) if near else ""
        raise UsageError(msg("there is no log format '{name}'", name=name), hint=hint)
    return forms[name]


def _detected(source: Source, forms: dict[str, Format]) -> Format | None:
    return detect.detect(exact.sniffed(source), source.file.name)


def _unknown(opened: Sequence[Opened]) -> NothingToDo:
    return NothingToDo(msg("no log format fits"))


@dataclass(slots=True)
class _Fresh:
    """Reads small sources exactly, into the table `fresh`."""

    con: duckdb.DuckDBPyConnection
    tmp: Path
    opened: list[Opened] = field(default_factory=list)
    written: list[tuple[int, Path]] = field(default_factory=list)

    def __post_init__(self) -> None:
        table.create(self.con, "fresh")

    def add(self, source: Source, form: Format | None) -> None:
        place = len(self.opened)
        rows = self.tmp / f"{place}.rows"
        refused = self.tmp / f"{place}.refused"
        count = rejected = 0
        if form is not None:
            for batch in exact.batches(exact.numbered(source), form):
                count += len(batch.rows)
                rejected += len(batch.rejected)
                if batch.rows:
                    table.write_rows(rows, batch.rows)
                if batch.rejected:
                    refusals.write(refused, batch.rejected)
        if count:
            self.written.append((place, rows))
        read = SourceRead(
            path=source.shown,
            format=form.name if form else "",
            rows=count,
            rejected=rejected,
            reused=False,
        )
        files = (refused,) if rejected else ()
        self.opened.append(Opened(source=source, form=form, read=read, refused=files))
        if len(self.written) >= _LOAD_EVERY:
            self._load()

    def finish(self) -> tuple[Opened, ...]:
        self._load()
        return tuple(self.opened)

    def _load(self) -> None:
        if not self.written:
            return
        files = [file for _, file in self.written]
        self.con.execute(f"INSERT INTO fresh {table.selected_rows(files)}")
        for file in files:
            file.unlink()
        self.written.clear()
