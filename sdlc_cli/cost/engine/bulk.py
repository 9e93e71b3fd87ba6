"""Large files of common shapes, read by DuckDB straight into Parquet.

DuckDB reads strictly: a line that is no JSON fails the whole reading, which is then done in
smaller pieces down to those that the exact reader takes. Rows in doubt are read again, exactly.
So the result is that of the exact reader, but for one thing: what stands in parts of a line that
no count is taken from must be JSON, yet a doubled key or a NaN in there goes unnoticed.
"""

import os
import secrets
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from io import FileIO
from itertools import accumulate
from pathlib import Path
from typing import BinaryIO

import duckdb
import msgspec

from sdlc_cli.cost.engine import bodies, claude, lines, shapes
from sdlc_cli.cost.engine.shapes import Shape
from sdlc_cli.cost.engine.store import Part
from sdlc_cli.cost.engine.table import COLUMNS, listed, literal, names, quoted, selected_rows
from sdlc_cli.cost.model import Rejected
from sdlc_cli.cost.readers import Format, envelope, openai_chat
from sdlc_cli.cost.readers.strict import decode

SAMPLED = ("openai-chat", "envelope")  # formats whose shape depends on the fields in a file
MOST_TAGS = 50_000  # distinct ones in a file
# Bytes of a line. DuckDB takes twice that for each file it has open; a longer line goes through the
# exact reader with the lines around it.
LONGEST = 4 * 2**20
# Compressing, and dictionaries of numbers, cost a quarter of a part's writing; without them it is
# twice as large.
_PARQUET = "(FORMAT parquet, COMPRESSION uncompressed, DICTIONARY_SIZE_LIMIT 2000)"
_BLOCK = 2**20
_BOM = b"\xef\xbb\xbf"
FEW = 0.02  # of the rows: more in doubt, and the exact reader had better read all


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """What came of a reading: the part, and of each file its rows.

    `doubtful` rows, by file and place among its rows, are in `bounds` but not in `rows`.
    """

    part: Part
    bounds: tuple[tuple[int, int], ...]  # places of a file's rows in the part, from and to before
    rows: tuple[int, ...]  # how many count
    doubtful: tuple[tuple[int, int], ...]


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


def read(
    con: duckdb.DuckDBPyConnection, file: Path, chosen: Shape, part: Path, mark: str = ""
) -> Read | None:
    """Reads a file into `part`; None where a line of it is no JSON or of another make.

    With `mark` it is a file that `joined` made.
    """
    try:
        con.execute(_copy(file, chosen, part))
    except (
        duckdb.InvalidInputException,
        duckdb.ConversionException,
        duckdb.OutOfRangeException,
        duckdb.OutOfMemoryException,
    ):
        part.unlink(missing_ok=True)
        return None
    found = _weighed(con, tuple(chosen.select), part, mark)
    return _tagged(con, found) if chosen.raw_tags else found


def _copy(file: Path, chosen: Shape, part: Path) -> str:
    """Step by step: fields out of their objects, numbers out of fields, columns out of both.

    A row in doubt has less than no output tokens: such a mark costs next to nothing, and a sum
    costs less than a CASE.
    """
    fields = [f"{sql} AS {quoted(path)}" for path, sql in shapes.leaves(chosen.columns)]
    for path in chosen.there:
        sql = ".".join(map(quoted, path.split("/")))
        fields.append(f"{sql} IS NOT NULL AS {quoted(path + '/?')}")
    reals = [
        f"try_cast({leaf}::VARCHAR AS DOUBLE) AS {shapes.real(name)}"
        for name, leaf in chosen.numbers.items()
    ]
    reals += [f"{text} AS {name}" for name, text in chosen.times.items()]
    wholes = [
        f"coalesce(try_cast({shapes.real(name)} AS BIGINT), 0) AS {name}" for name in chosen.numbers
    ]
    doubt = " OR ".join(f"({text})" for text in chosen.doubt)
    mark = f"{2**60} * coalesce(doubtful, false)::TINYINT"
    marked = {"output": f"least({chosen.select['output']}, {2**53}) - {mark}"}
    select = [f"{text} AS {quoted(name)}" for name, text in {**chosen.select, **marked}.items()]
    if chosen.raw_tags:
        said = [f"{literal(f'{chr(34)}{n}{chr(34)}:')} || {quoted(n)}" for n in chosen.raw_tags]
        select.append(f"concat('{{', concat_ws(',', {', '.join(said)}), '}}') AS raw")
    keep = f" WHERE {chosen.keep}" if chosen.keep else ""
    return (
        f"COPY (SELECT {', '.join(select)} FROM ("
        f"SELECT *, ({doubt}) AS doubtful FROM ("
        f"SELECT *, {', '.join(wholes)} FROM (SELECT *, {', '.join(reals)} FROM ("
        f"SELECT {', '.join(fields)} FROM read_json({listed([file])}, "
        f"format='newline_delimited', maximum_object_size={LONGEST}, "
        f"columns={chosen.schema()})){keep})))) "
        f"TO {literal(str(part))} {_PARQUET}"
    )


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


def write(con: duckdb.DuckDBPyConnection, file: Path, part: Path) -> Read:
    """Makes a part of a file of written rows; its sources are numbered from 0."""
    con.execute(f"COPY ({selected_rows(file)}) TO {literal(str(part))} {_PARQUET}")
    found = _weighed(con, tuple(COLUMNS), part, "")
    counted = con.execute(
        f"SELECT count(*) FROM read_parquet({listed([part])}) GROUP BY src ORDER BY src"
    ).fetchall()
    ends = list(accumulate(count for (count,) in counted))
    return replace(found, bounds=tuple(zip([0, *ends[:-1]], ends, strict=True)))


def _weighed(
    con: duckdb.DuckDBPyConnection, columns: tuple[str, ...], part: Path, mark: str
) -> Read:
    """Looks at what was written: the models in it, its times, and what is in doubt."""
    source = f"read_parquet({listed([part])})"
    exactly = "line" in columns  # then there is no doubt
    found = con.execute(
        f"SELECT pm, count(*), min(ts), max(ts), count(*) FILTER (output < 0) FROM {source} "
        "GROUP BY pm"
    ).fetchall()
    pms = {pm for pm, *_ in found}
    odd = set() if exactly else {pm for pm in pms if _odd(pm)}
    unsure = [count if pm in odd else wrong for pm, count, _, _, wrong in found]
    places: list[tuple[int, bool]] = []
    if sum(unsure):
        places = con.execute(
            f"SELECT file_row_number, coalesce(h IN (hash(?), hash(?)), false) FROM {source} "
            "WHERE output < 0 OR list_contains(?, pm) ORDER BY file_row_number",
            [mark, f"msg_{mark}", sorted(odd)],
        ).fetchall()
    times = [at for _, _, *span, _ in found for at in span if at is not None]
    begins = [place + 1 for place, marked in places if marked] if mark else [0]
    ends = [begin - 1 for begin in begins[1:]] + [sum(count for _, count, *_ in found)]
    doubtful = [place for place, marked in places if not (mark and marked)]
    numbers = [bisect_right(begins, place) - 1 for place in doubtful]
    return Read(
        part=Part(
            file=part,
            columns=columns,
            pms=tuple(sorted(pms - odd)),
            first=min(times, default=None),
            last=max(times, default=None),
            numbered=exactly,
            flawed=bool(places),
            odd=tuple(sorted(odd)),
        ),
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
