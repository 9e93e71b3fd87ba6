"""Reads sources that are large together: in bulk where there is a shape, into parts that are kept.

Whatever the bulk way cannot read or is not sure of goes through the exact reader: single lines, or
pieces of a file, or all of it.
"""

import io
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from sdlc_cli.core.i18n import Message
from sdlc_cli.cost.duck import duckdb
from sdlc_cli.cost.engine import bulk, exact, pieces, refusals, scan, table
from sdlc_cli.cost.engine.keep import Keep, Member, member_of
from sdlc_cli.cost.engine.shapes import Shape
from sdlc_cli.cost.engine.sources import Source, opened
from sdlc_cli.cost.engine.store import Opened, Part
from sdlc_cli.cost.model import Row, SourceRead
from sdlc_cli.cost.readers import Format, records

ALONE = 8 * 2**20  # bytes from which on a file is a reading of its own
TOGETHER = 512 * 2**20  # bytes of smaller files in one reading
COPIED = 128 * 2**20  # and where they are copied into one file for it
MOST_FILES = 2_000
PIECE = 64 * 2**20  # bytes of a file that DuckDB refused, read again at once
SPLINTER = 4 * 2**20  # and of such a piece
_WRITTEN = 64 * 2**20  # bytes of written rows that make a part
_FEW_LINES = 1_000

# The format, and whether there is a record a line; None where that was not looked at.
Detect = Callable[[Source], tuple[Format | None, bool | None]]


@dataclass(slots=True, kw_only=True)
class Result:
    """What came of one source so far."""

    source: Source
    form: Format | None = None
    rows: int = 0
    rejected: int = 0
    refused: list[Path] = field(default_factory=list)
    places: list[tuple[str, int]] = field(default_factory=list)
    reused: bool = False
    begun: int = 0  # bytes that were read another time
    lines: bool | None = None  # whether the file has a record a line; None as long as nobody asked


@dataclass(slots=True, kw_only=True)
class Text:
    """Lines to be read: a source, or the part of it that lies in `file`, after `before` lines."""

    result: Result
    file: Path
    size: int
    before: int = 0
    splinter: bool = False  # the smallest piece there is


@dataclass(slots=True)
class Batch:
    """Smaller files that wait to be read in one go."""

    shape: Shape
    room: int  # bytes that may still come
    texts: list[Text] = field(default_factory=list)


class Large:
    """One reading of many sources."""

    def __init__(
        self, con: duckdb.DuckDBPyConnection, tmp: Path, keep: Keep, detect: Detect
    ) -> None:
        self._con = con
        self._tmp = tmp
        self._keep = keep
        self._detect = detect
        self._batches: dict[str, Batch] = {}
        self._joined = tmp / "joined"  # files that are read as one, one such after another
        self._rows = tmp / "rows"  # not yet in a part: of these results
        self._written: list[Result] = []
        self._serial = 0
        self.reused = True  # nothing had to be read

    def read(
        self, sources: Sequence[Source], forms: dict[str, Format]
    ) -> tuple[tuple[Opened, ...], tuple[Part, ...]]:
        """Each source with its format, and the parts that hold their rows."""
        results = [self._known(source, forms) for source in sources]
        for result in results:
            if not result.reused:
                self._one(result)
            elif result.source.size > result.begun:
                self._grown(result)
            else:
                continue
            self.reused = False
        for key in list(self._batches):
            self._batch(key)
        self._joined.unlink(missing_ok=True)
        self._flush()
        self._keep.remember(
            (result.source, member)
            for result in results
            if (member := self._member(result)) is not None
        )
        places = [place for result in results for place in result.places]
        return tuple(map(_opened, results)), self._keep.parts(places)

    def _known(self, source: Source, forms: dict[str, Format]) -> Result:
        """What an earlier run read of the source."""
        member = self._keep.find(source)
        if member is None or (member.form and member.form not in forms):
            return Result(source=source)
        return Result(
            source=source,
            form=forms[member.form] if member.form else None,
            rows=member.rows,
            rejected=member.rejected,
            refused=[self._keep.folder / name for name in member.refused],
            places=list(member.places),
            reused=True,
            begun=member.size,
        )

    def _member(self, result: Result) -> Member | None:
        """What to keep of a result; None where it is kept already, or the file is changing."""
        source = result.source
        if not self._keep.lasting or (result.reused and result.begun == source.size):
            return None
        try:
            now = source.file.stat()
        except OSError:
            return None
        if (now.st_size, now.st_mtime_ns) != (source.size, source.mtime_ns):
            return None
        return member_of(
            source,
            lines=_grows(result),
            form=result.form.name if result.form else "",
            rows=result.rows,
            rejected=result.rejected,
            places=result.places,
            refused=[file.name for file in result.refused],
        )

    def _one(self, result: Result) -> None:
        result.form, result.lines = self._detect(result.source)
        if result.form is None:
            return
        shape = self._shape(result)
        if shape is None:
            self._exact(result, exact.numbered(result.source))
        elif result.source.packed:
            with opened(result.source) as stream:
                self._pieces(result, pieces.cut(stream, PIECE), shape)
        else:
            self._bulk(Text(result=result, file=result.source.file, size=result.source.size), shape)

    def _shape(self, result: Result) -> Shape | None:
        source, form = result.source, result.form
        if form is None or form.stateful or form.layout != "records":
            return None
        if source.suffix in (".csv", ".parquet") or source.file.name.startswith("stdin."):
            return None
        if not _has_lines(result):
            return None
        if form.name not in bulk.SAMPLED:
            return bulk.shape(form, ())
        found = exact.sniffed(source)
        if not source.packed and source.size >= ALONE:
            found += pieces.sample(source.file, source.size)
        return bulk.shape(form, found)

    def _grown(self, result: Result) -> None:
        """Reads what was added to a file."""
        source = result.source
        shape = self._shape(result)
        with open(source.file, "rb") as stream:
            stream.seek(result.begun)
            if shape is None or source.size - result.begun < ALONE:
                before = _Lines(source.file, result.begun)
                self._exact(result, records.read_lines(stream), before)
            else:
                cut = pieces.cut(stream, PIECE, source.size - result.begun)
                self._pieces(result, cut, shape, _Lines(source.file, result.begun).count)

    # In bulk

    def _bulk(self, text: Text, shape: Shape) -> None:
        if text.size >= ALONE:
            self._files([text], shape)
            return
        form = text.result.form
        assert form is not None
        key = repr(shape) if form.name in bulk.SAMPLED else form.name
        if key not in self._batches:
            self._batches[key] = Batch(shape, TOGETHER if scan.reads(shape) else COPIED)
        batch = self._batches[key]
        batch.texts.append(text)
        batch.room -= text.size
        if batch.room <= 0 or len(batch.texts) >= MOST_FILES:
            self._batch(key)

    def _batch(self, key: str) -> None:
        batch = self._batches.pop(key)
        self._files(batch.texts, batch.shape)

    def _files(self, texts: Sequence[Text], shape: Shape) -> None:
        """Reads files in one go; where that cannot be, by halves."""
        part = self._keep.name(".parquet")
        if scan.reads(shape):
            read = bulk.scanned(self._con, [text.file for text in texts], shape, part)
        elif len(texts) == 1:
            read = bulk.read(self._con, texts[0].file, shape, part)
        else:
            mark = bulk.joined((text.file for text in texts), shape, self._joined)
            read = bulk.read(self._con, self._joined, shape, part, mark)
        if read is not None:
            self._take(texts, shape, read)
        elif len(texts) > 1:
            half = len(texts) // 2
            self._files(texts[:half], shape)
            self._files(texts[half:], shape)
        elif texts[0].size > SPLINTER and not texts[0].splinter:
            (text,) = texts
            size = PIECE if text.size > 2 * PIECE else SPLINTER
            with open(text.file, "rb") as stream:
                self._pieces(text.result, pieces.cut(stream, size), shape, text.before, size)
        else:
            self._again(texts[0])

    def _take(self, texts: Sequence[Text], shape: Shape, read: bulk.Read) -> None:
        """Keeps what was read in bulk, and has the exact reader look at what is in doubt."""
        doubtful: dict[int, list[int]] = {}
        for number, place in read.doubtful:
            doubtful.setdefault(number, []).append(place)
        most = {n: max(_FEW_LINES, bulk.FEW * read.rows[n]) for n in doubtful}
        findable = read.lines or not shape.keep
        again = [
            n
            for n, places in doubtful.items()
            if not findable or n in read.unclear or len(places) > most[n]
        ]
        good = [n for n in range(len(texts)) if n not in again and read.rows[n]]
        if good:
            name = self._keep.seal(read.part, read.bounds)
            for number in good:
                texts[number].result.places.append((name, number))
                texts[number].result.rows += read.rows[number]
        else:
            self._keep.drop(read.part.file)
        for number, places in doubtful.items():
            text = texts[number]
            if number in again:
                self._again(text)
            else:
                found = pieces.lines_at if read.lines else bulk.lines_at
                self._exact(text.result, _records(found(text.file, places)), text.before)

    def _pieces(
        self,
        result: Result,
        cut: Iterable[pieces.Piece],
        shape: Shape,
        before: "int | Callable[[], int]" = 0,
        size: int = PIECE,
    ) -> None:
        """Reads a file piece by piece, each in bulk where that can be."""
        start = before if isinstance(before, int) else before()
        for piece in cut:
            if piece.reason is not None:
                self._refuse(result, [(start + piece.before + 1, piece.reason)])
                continue
            file = self._temporary("piece")
            file.write_bytes(piece.data)
            text = Text(
                result=result,
                file=file,
                size=len(piece.data),
                before=start + piece.before,
                splinter=size == SPLINTER,  # a single line can be longer, and is cut no smaller
            )
            self._files([text], shape)
            file.unlink()

    # Exactly

    def _again(self, text: Text) -> None:
        with open(text.file, "rb") as stream:
            self._exact(text.result, records.read_lines(stream), text.before)

    def _exact(
        self,
        result: Result,
        found: Iterable[exact.Numbered],
        before: "int | _Lines" = 0,
    ) -> None:
        assert result.form is not None
        for batch in exact.batches(found, result.form):
            if batch.rows:
                self._write(result, batch.rows)
            if batch.rejected:
                offset = before if isinstance(before, int) else before.count()
                self._refuse(result, [(offset + n, reason) for n, reason in batch.rejected])

    def _write(self, result: Result, rows: Sequence[Row]) -> None:
        """Puts rows aside for the next part."""
        if not self._written or self._written[-1] is not result:
            self._written.append(result)
        table.write_rows(self._rows, len(self._written) - 1, rows)
        result.rows += len(rows)
        if self._rows.stat().st_size >= _WRITTEN:
            self._flush()

    def _refuse(self, result: Result, refused: Sequence[tuple[int, Message]]) -> None:
        if not result.refused or result.reused:
            result.refused.append(self._keep.name(".refused"))
        refusals.write(result.refused[-1], refused)
        result.rejected += len(refused)

    def _flush(self) -> None:
        if not self._written:
            return
        made = bulk.write(self._con, self._rows, self._keep.name(".parquet"), len(self._written))
        name = self._keep.seal(made.part, made.bounds)
        for number, result in enumerate(self._written):
            result.places.append((name, number))
        self._rows.unlink()
        self._written.clear()

    def _temporary(self, kind: str) -> Path:
        self._serial += 1
        return self._tmp / f"{self._serial}.{kind}"


class _Lines:
    """How many lines stand before a place in a file; counted when somebody asks."""

    def __init__(self, file: Path, end: int) -> None:
        self._file = file
        self._end = end
        self._counted: int | None = None

    def count(self) -> int:
        if self._counted is None:
            self._counted = pieces.newlines(self._file, self._end)
        return self._counted


def _records(lines: Iterable[tuple[int, bytes]]) -> Iterator[exact.Numbered]:
    for number, line in lines:
        before = b"" if number == 1 else b"\n"  # a mark of the byte order is one at the start only
        for _, record in records.read_lines(io.BytesIO(before + line)):
            yield number, record


def _grows(result: Result) -> bool:
    """Whether later lines of a file can be read without those before, once it ends with a line."""
    source, form = result.source, result.form
    if form is None or form.stateful or form.layout != "records" or source.packed:
        return False
    if source.suffix in (".csv", ".parquet") or not source.size:
        return False
    return _has_lines(result)


def _has_lines(result: Result) -> bool:
    if result.lines is None:
        with opened(result.source) as stream:
            result.lines = records.is_lines(stream)
    return result.lines


def _opened(result: Result) -> Opened:
    read = SourceRead(
        path=result.source.shown,
        format=result.form.name if result.form else "",
        rows=result.rows,
        rejected=result.rejected,
        reused=result.reused,
    )
    return Opened(source=result.source, form=result.form, read=read, refused=tuple(result.refused))
