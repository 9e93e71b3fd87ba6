"""Large files of common shapes, read by DuckDB straight into Parquet.

DuckDB reads strictly: a line that is no JSON fails the whole reading, which is then done in
smaller pieces down to those that the exact reader takes. Rows in doubt are read again, exactly.
So the result is that of the exact reader, but for one thing: what stands in parts of a line that
no count is taken from must be JSON, yet a doubled key or a NaN in there goes unnoticed.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import duckdb

from sdlc_cli.cost.engine import bodies, claude, lines, shapes
from sdlc_cli.cost.engine.shapes import Shape
from sdlc_cli.cost.engine.store import Part
from sdlc_cli.cost.engine.table import listed, literal, names, quoted
from sdlc_cli.cost.readers import Format, openai_chat

FEW = 0.02  # of the rows: more in doubt, and the exact reader had better read all


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """What came of a reading: the part, rows of each file, and the rows in doubt."""

    part: Part
    rows: tuple[int, ...]  # of each file, without those in doubt
    doubtful: tuple[tuple[int, int], ...]  # (file, place among its lines that are not blank)


def shape(form: Format, records: Sequence[object]) -> Shape | None:
    """The shape of a file that begins with these records; None for one without a shape."""
    seen = {path for record in records for path in shapes.paths_of(record)}
    if form.name == "claude-code":
        return claude.SHAPE
    if form.name == "openai-chat":
        return shapes.alone(bodies.chat("", seen))
    if form.name == "envelope" and all(_around_chat(record) for record in records):
        return lines.around(seen, bodies.chat)
    return None


def _around_chat(record: object) -> bool:
    if not isinstance(record, dict):
        return False
    inner = next((record[key] for key in lines.BODIES if record.get(key)), None)
    return isinstance(inner, dict) and openai_chat.matches(inner)


def read(
    con: duckdb.DuckDBPyConnection, files: Sequence[Path], chosen: Shape, part: Path
) -> Read | None:
    """Reads the files into `part`; None where a line of them is no JSON or of another make."""
    try:
        con.execute(_copy(files, chosen, part))
    except (duckdb.InvalidInputException, duckdb.ConversionException):
        part.unlink(missing_ok=True)
        return None
    return _weighed(con, len(files), chosen, part)


def _copy(files: Sequence[Path], chosen: Shape, part: Path) -> str:
    """Three steps: fields out of their objects, numbers out of fields, and columns out of both."""
    fields = [f"{sql} AS {quoted(path)}" for path, sql in shapes.leaves(chosen.columns)]
    for path in chosen.there:
        sql = ".".join(map(quoted, path.split("/")))
        fields.append(f"{sql} IS NOT NULL AS {quoted(path + '/?')}")
    numbers = [f"{shapes.number(leaf)} AS {name}" for name, leaf in chosen.numbers.items()]
    numbers += [f"{text} AS {name}" for name, text in chosen.times.items()]
    select = [f"{text} AS {quoted(name)}" for name, text in chosen.select.items()]
    select += [f'{quoted(name)} AS "raw_{name}"' for name in chosen.raw_tags]
    doubt = " OR ".join(f"({text})" for text in chosen.doubt)
    keep = f" WHERE {chosen.keep}" if chosen.keep else ""
    return (
        f"COPY (SELECT src, {', '.join(select)}, coalesce({doubt}, false) AS bad FROM ("
        f"SELECT *, {', '.join(numbers)} FROM ("
        f"SELECT file_index::INTEGER AS src, {', '.join(fields)} FROM read_json({listed(files)}, "
        f"format='newline_delimited', columns={chosen.schema()}))){keep}) "
        f"TO {literal(str(part))} (FORMAT parquet)"
    )


def _weighed(con: duckdb.DuckDBPyConnection, files: int, chosen: Shape, part: Path) -> Read:
    """Looks at what was written: the models in it, its times, and what is in doubt."""
    source = f"read_parquet({listed([part])})"
    found = con.execute(
        f"SELECT src, pm, count(*), count(*) FILTER (bad), min(ts), max(ts) FROM {source} "
        "GROUP BY src, pm"
    ).fetchall()
    rows = [0] * files
    odd = sorted({pm for _, pm, *_ in found if pm is not None and _odd(pm)})
    doubtful = 0
    for src, pm, count, bad, _, _ in found:
        wrong = count if pm in odd or pm is None else bad
        rows[src] += count - wrong
        doubtful += wrong
    times = [at for *_, first, last in found for at in (first, last) if at is not None]
    places: list[tuple[int, int]] = []
    if doubtful:
        condition = "bad OR pm IS NULL OR list_contains(?, pm)"
        places = con.execute(
            f"SELECT src, file_row_number FROM {source} WHERE {condition} ORDER BY 1, 2", [odd]
        ).fetchall()
    return Read(
        part=Part(
            file=part,
            columns=("src", *chosen.select),
            pms=tuple(sorted({pm for _, pm, *_ in found if pm is not None} - set(odd))),
            first=min(times, default=None),
            last=max(times, default=None),
            numbered=False,
            flawed=bool(doubtful),
            odd=tuple(odd),
        ),
        rows=tuple(rows),
        doubtful=tuple(places),
    )


def _odd(pm: str) -> bool:
    return any(shapes.oddly_read(text) for text in names(pm))


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


def first_lines(file: Path, most: int) -> list[bytes]:
    """The first lines of a file."""
    with open(file, "rb") as stream:
        return list(islice(stream, most))
