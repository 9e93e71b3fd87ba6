"""Large files of common shapes, read straight into Parquet.

The compiled reader marks lines that are not plainly right. Where it was not built, DuckDB reads:
then a line that is no JSON fails the whole reading, which is done again in smaller pieces down to
those that the exact reader takes. Rows in doubt are read again, exactly. So the result is that of
the exact reader, but for one thing: a key that stands twice in a part of a line that no count is
taken from goes unnoticed.
"""

import os
import secrets
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from io import FileIO
from itertools import accumulate
from pathlib import Path
from typing import BinaryIO

import msgspec

from sdlc_cli.cost.duck import duckdb
from sdlc_cli.cost.engine import bodies, claude, lines, parsed, scan, shapes
from sdlc_cli.cost.engine.shapes import Shape, Sql
from sdlc_cli.cost.engine.store import REPEATS, Part
from sdlc_cli.cost.engine.table import COLUMNS, listed, literal, names, quoted, selected_rows
from sdlc_cli.cost.model import Rejected
from sdlc_cli.cost.readers import Format, envelope, openai_chat
from sdlc_cli.cost.readers.strict import decode

SAMPLED = ("openai-chat", "envelope")  # formats whose shape depends on the fields in a file
MOST_TAGS = 50_000  # distinct ones in a file
# Compressing, and dictionaries of numbers, cost a quarter of a part's writing; without them it is
# twice as large.
_PARQUET = "(FORMAT parquet, COMPRESSION uncompressed, DICTIONARY_SIZE_LIMIT 2000)"
_BLOCK = 2**20
_BOM = b"\xef\xbb\xbf"
FEW = 0.02  # of the rows: more in doubt, and the exact reader had better read all


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """What came of a reading: the part, and of each file its rows.

    `doubtful` rows are in `bounds` but not in `rows`: by file and line, or where `lines` is false
    by file and place among its rows.
    """

    part: Part
    bounds: tuple[tuple[int, int], ...]  # places of a file's rows in the part, from and to before
    rows: tuple[int, ...]  # how many count
    doubtful: tuple[tuple[int, int], ...]
    lines: bool = False
    unclear: frozenset[int] = frozenset()  # files with doubtful rows that stand for several lines


def shape(form: Format, records: Sequence[object]) -> Shape | None:
    """The shape of a file that begins with these records; None for one without a shape."""
    seen = {path for record in records for path in shapes.paths_of(record)}
    if form.name == "claude-code":
        return claude.SHAPE
    if form.name == "openai-chat":
        return shapes.alone(bodies.chat("", seen))
    fitting = sum(map(_around_chat, records))
    if form.name == "envelope" and fitting >= (1 - FEW) * len(records):
        return lines.around(seen, bodies.chat)
    return None


def _around_chat(record: object) -> bool:
    if not isinstance(record, dict):
        return False
    inner = next((record[key] for key in lines.BODIES if record.get(key)), None)
    return isinstance(inner, dict) and openai_chat.matches(inner)


def joined(files: Iterable[Path], chosen: Shape, to: Path) -> str:
    """Writes files one after another into `to`, with a mark before each; the name in the marks.

    DuckDB takes memory and time for each file; this costs less. What `to` held is written over:
    pages that are there already cost half of new ones.
    """
    name = secrets.token_hex(12)
    mark = msgspec.json.encode(chosen.mark(name)) + b"\n"
    with open(to, "r+b" if to.exists() else "wb") as out:
        for file in files:
            out.write(mark)
            out.flush()
            with open(file, "rb", buffering=0) as data:
                start = len(_BOM) if data.read(len(_BOM)) == _BOM else 0
                _copy_rest(data, start, out)
        out.truncate()
    return name


def _copy_rest(data: FileIO, start: int, out: BinaryIO) -> None:
    """Adds a file from `start` on, and the newline that its last line may lack."""
    end = data.seek(0, os.SEEK_END)
    data.seek(start)
    if hasattr(os, "copy_file_range"):  # inside the kernel: half the work of read and write
        with suppress(OSError):
            while start < end:
                done = os.copy_file_range(data.fileno(), out.fileno(), end - start, start)
                if not done:
                    break
                start += done
        out.seek(os.lseek(out.fileno(), 0, os.SEEK_CUR))  # to where the kernel has written
        data.seek(start)
    while block := data.read(_BLOCK):
        out.write(block)
    data.seek(max(0, data.tell() - 1))
    if data.read(1) not in (b"", b"\n"):
        out.write(b"\n")


def scanned(
    con: duckdb.DuckDBPyConnection, files: Sequence[Path], chosen: Shape, part: Path
) -> Read | None:
    """Reads files into `part` by the compiled reader; None where one cannot be read."""
    own = {"src": "src::INTEGER"} if len(files) > 1 else {}
    own |= {"line": "line"} | ({REPEATS: REPEATS} if chosen.repeat else {})
    wanted = {**own, **chosen.select}
    with scan.lines(con, files, chosen) as source:
        if not _copied(con, source, wanted, chosen, part):
            return None
    found = _weighed(con, tuple(wanted), part, len(files))
    return _tagged(con, found) if chosen.raw_tags else found


def read(
    con: duckdb.DuckDBPyConnection, file: Path, chosen: Shape, part: Path, mark: str = ""
) -> Read | None:
    """Reads a file into `part` by DuckDB; None where a line is no JSON or of another make.

    With `mark` it is a file that `joined` made.
    """
    if not _copied(con, parsed.lines(file, chosen), chosen.select, chosen, part):
        return None
    found = _marked(con, tuple(chosen.select), part, mark)
    return _tagged(con, found) if chosen.raw_tags else found


def _copied(
    con: duckdb.DuckDBPyConnection,
    source: Sql,
    columns: Mapping[str, Sql],
    chosen: Shape,
    part: Path,
) -> bool:
    """Writes the rows of a source into a part; whether it could be read.

    A row in doubt has less than no output tokens: such a mark costs next to nothing, and a sum
    costs less than a CASE.
    """
    doubt = " OR ".join(f"({text})" for text in ("odd", *chosen.doubt))
    mark = f"{2**60} * coalesce(doubtful, false)::TINYINT"
    marked = {"output": f"least({columns['output']}, {2**53}) - {mark}"}
    select = [f"{text} AS {quoted(name)}" for name, text in {**columns, **marked}.items()]
    if chosen.raw_tags:
        said = [f"{literal(f'{chr(34)}{n}{chr(34)}:')} || {quoted(n)}" for n in chosen.raw_tags]
        select.append(f"concat('{{', concat_ws(',', {', '.join(said)}), '}}') AS raw")
    sql = (
        f"COPY (SELECT {', '.join(select)} FROM (SELECT *, ({doubt}) AS doubtful FROM ({source}))) "
        f"TO {literal(str(part))} {_PARQUET}"
    )
    try:
        con.execute(sql)
    except (
        duckdb.InvalidInputException,
        duckdb.ConversionException,
        duckdb.OutOfRangeException,
        duckdb.OutOfMemoryException,
    ):
        part.unlink(missing_ok=True)
        return False
    return True


def _tagged(con: duckdb.DuckDBPyConnection, found: Read) -> Read | None:
    """Adds what the exact reader makes of the tags; None where nearly each line has its own."""
    part = found.part.file
    source = f"read_parquet({listed([part])})"
    distinct = con.execute(f"SELECT DISTINCT raw FROM {source} LIMIT {MOST_TAGS + 1}").fetchall()
    if len(distinct) > MOST_TAGS:
        part.unlink()
        return None
    plain = part.with_suffix(".untagged")
    part.rename(plain)
    con.execute("CREATE OR REPLACE TEMP TABLE meant (raw VARCHAR, tags VARCHAR)")
    con.execute(
        "INSERT INTO meant SELECT unnest(?), unnest(?)",
        [[raw for (raw,) in distinct], [_tags(raw) for (raw,) in distinct]],
    )
    con.execute(
        f"COPY (SELECT p.* EXCLUDE (raw), nullif(meant.tags, '') AS tags "
        f"FROM read_parquet({listed([plain])}) AS p LEFT JOIN meant USING (raw)) "
        f"TO {literal(str(part))} {_PARQUET}"
    )
    plain.unlink()
    return replace(found, part=replace(found.part, columns=(*found.part.columns, "tags")))


def _tags(raw: str) -> str:
    try:
        record = decode(raw.encode())
    except Rejected:
        return ""
    return envelope.tags_of(record) if isinstance(record, dict) else ""


def write(con: duckdb.DuckDBPyConnection, file: Path, part: Path, files: int) -> Read:
    """Makes a part of a file of written rows, of so many sources; these are numbered from 0."""
    con.execute(f"COPY ({selected_rows(file)}) TO {literal(str(part))} {_PARQUET}")
    return _weighed(con, tuple(COLUMNS), part, files, sure=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Models:
    """The models in a part, those whose rows are all in doubt apart."""

    plain: tuple[str, ...]
    odd: tuple[str, ...]
    rows: int
    unsure: bool  # some rows are in doubt
    first: int | None
    last: int | None


def _models(con: duckdb.DuckDBPyConnection, part: Path, *, sure: bool) -> _Models:
    found = con.execute(
        "SELECT pm, count(*), min(ts), max(ts), count(*) FILTER (output < 0) "
        f"FROM read_parquet({listed([part])}) GROUP BY pm"
    ).fetchall()
    odd = set() if sure else {pm for pm, *_ in found if _odd(pm)}
    times = [at for _, _, *span, _ in found for at in span if at is not None]
    return _Models(
        plain=tuple(sorted({pm for pm, *_ in found} - odd)),
        odd=tuple(sorted(odd)),
        rows=sum(count for _, count, *_ in found),
        unsure=any(wrong or pm in odd for pm, _, _, _, wrong in found),
        first=min(times, default=None),
        last=max(times, default=None),
    )


def _weighed(
    con: duckdb.DuckDBPyConnection,
    columns: tuple[str, ...],
    part: Path,
    files: int,
    *,
    sure: bool = False,
) -> Read:
    """Looks at a part with lines in it; `sure` where no row is in doubt."""
    models = _models(con, part, sure=sure)
    source = f"read_parquet({listed([part])})"
    number = "src" if "src" in columns else "0"
    repeats = REPEATS if REPEATS in columns else "0"
    counted = {0: (models.rows, 0)}
    if number != "0" or repeats != "0":
        counted = {
            n: (rows, int(more))
            for n, rows, more in con.execute(
                f"SELECT {number}, count(*), sum({repeats}) FROM {source} GROUP BY 1"
            ).fetchall()
        }
    ends = list(accumulate(counted.get(n, (0, 0))[0] for n in range(files)))
    doubtful: list[tuple[int, int, int]] = []
    if models.unsure:
        doubtful = con.execute(
            f"SELECT {number}, line, {repeats} FROM {source} "
            "WHERE output < 0 OR list_contains(?, pm) ORDER BY ALL",
            [models.odd],
        ).fetchall()
    wrong = Counter(n for n, *_ in doubtful)
    return Read(
        part=_part(part, columns, models, numbered=True),
        bounds=tuple(zip([0, *ends[:-1]], ends, strict=True)),
        rows=tuple(sum(counted.get(n, (0, 0))) - wrong[n] for n in range(files)),
        doubtful=tuple((n, line) for n, line, _ in doubtful),
        lines=True,
        unclear=frozenset(n for n, _, more in doubtful if more),
    )


def _marked(
    con: duckdb.DuckDBPyConnection, columns: tuple[str, ...], part: Path, mark: str
) -> Read:
    """Looks at a part without lines, the rows of each file behind its mark."""
    models = _models(con, part, sure=False)
    places: list[tuple[int, bool]] = []
    if models.unsure:
        places = con.execute(
            "SELECT file_row_number, coalesce(h IN (hash(?), hash(?)), false) "
            f"FROM read_parquet({listed([part])}) "
            "WHERE output < 0 OR list_contains(?, pm) ORDER BY file_row_number",
            [mark, f"msg_{mark}", models.odd],
        ).fetchall()
    begins = [place + 1 for place, marked in places if marked] if mark else [0]
    ends = [begin - 1 for begin in begins[1:]] + [models.rows]
    doubtful = [place for place, marked in places if not (mark and marked)]
    numbers = [bisect_right(begins, place) - 1 for place in doubtful]
    return Read(
        part=_part(part, columns, models, numbered=False),
        bounds=tuple(zip(begins, ends, strict=True)),
        rows=tuple(
            end - begin - numbers.count(number)
            for number, (begin, end) in enumerate(zip(begins, ends, strict=True))
        ),
        doubtful=tuple(
            (number, place - begins[number])
            for number, place in zip(numbers, doubtful, strict=True)
        ),
    )


def _part(part: Path, columns: tuple[str, ...], models: _Models, *, numbered: bool) -> Part:
    return Part(
        file=part,
        columns=columns,
        pms=models.plain,
        first=models.first,
        last=models.last,
        numbered=numbered,
        flawed=models.unsure,
        odd=models.odd,
    )


def _odd(pm: str) -> bool:
    """Whether the exact reader must look at rows of this model; one without a name, too."""
    return not names(pm)[1] or any(shapes.oddly_read(text) for text in names(pm))


def lines_at(file: Path, places: Sequence[int]) -> Iterator[tuple[int, bytes]]:
    """The lines of a file that stand at `places` (sorted) among those that are not blank."""
    wanted = iter(places)
    at = next(wanted, None)
    place = 0
    with open(file, "rb") as stream:
        for number, line in enumerate(stream, 1):
            if at is None:
                return
            if line.isspace():
                continue
            if place == at:
                yield number, line
                at = next(wanted, None)
            place += 1
