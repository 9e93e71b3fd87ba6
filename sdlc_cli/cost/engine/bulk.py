"""Large files of common shapes, read by DuckDB straight into Parquet.

DuckDB reads strictly: a line that is no JSON fails the whole reading, which is then done in
smaller pieces down to those that the exact reader takes. Rows in doubt are read again, exactly.
So the result is that of the exact reader, but for one thing: what stands in parts of a line that
no count is taken from must be JSON, yet a doubled key or a NaN in there goes unnoticed.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import duckdb

from sdlc_cli.cost.engine import bodies, claude, lines, shapes
from sdlc_cli.cost.engine.shapes import Shape
from sdlc_cli.cost.engine.store import Part
from sdlc_cli.cost.engine.table import COLUMNS, listed, literal, names, quoted, selected_rows
from sdlc_cli.cost.model import Rejected
from sdlc_cli.cost.readers import Format, envelope, openai_chat
from sdlc_cli.cost.readers.strict import decode

MOST_TAGS = 50_000  # distinct ones in a file
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
    fitting = sum(map(_around_chat, records))
    if form.name == "envelope" and fitting >= (1 - FEW) * len(records):
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
    except (
        duckdb.InvalidInputException,
        duckdb.ConversionException,
        duckdb.OutOfRangeException,
    ):
        part.unlink(missing_ok=True)
        return None
    found = _weighed(con, len(files), ("src", *chosen.select), part)
    return _tagged(con, found) if chosen.raw_tags else found


def _copy(files: Sequence[Path], chosen: Shape, part: Path) -> str:
    """Step by step: fields out of their objects, numbers out of fields, columns out of both.

    A row in doubt has no model.
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
    select = [f"{text} AS {quoted(name)}" for name, text in chosen.select.items() if name != "pm"]
    select.append(f"CASE WHEN {doubt} THEN NULL ELSE {chosen.select['pm']} END AS pm")
    if chosen.raw_tags:
        said = [f"{literal(f'{chr(34)}{n}{chr(34)}:')} || {quoted(n)}" for n in chosen.raw_tags]
        select.append(f"concat('{{', concat_ws(',', {', '.join(said)}), '}}') AS raw")
    keep = f" WHERE {chosen.keep}" if chosen.keep else ""
    return (
        f"COPY (SELECT src, {', '.join(select)} FROM ("
        f"SELECT *, {', '.join(wholes)} FROM (SELECT *, {', '.join(reals)} FROM ("
        f"SELECT file_index::INTEGER AS src, {', '.join(fields)} FROM read_json({listed(files)}, "
        f"format='newline_delimited', columns={chosen.schema()})){keep}))) "
        f"TO {literal(str(part))} (FORMAT parquet)"
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
        f"TO {literal(str(part))} (FORMAT parquet)"
    )
    plain.unlink()
    return replace(found, part=replace(found.part, columns=(*found.part.columns, "tags")))


def _tags(raw: str) -> str:
    try:
        record = decode(raw.encode())
    except Rejected:
        return ""
    return envelope.tags_of(record) if isinstance(record, dict) else ""


def write(con: duckdb.DuckDBPyConnection, files: Sequence[Path], part: Path) -> Part:
    """Makes a part of files of written rows."""
    con.execute(f"COPY ({selected_rows(files)}) TO {literal(str(part))} (FORMAT parquet)")
    return _weighed(con, len(files), tuple(COLUMNS), part).part


def _weighed(
    con: duckdb.DuckDBPyConnection, files: int, columns: tuple[str, ...], part: Path
) -> Read:
    """Looks at what was written: the models in it, its times, and what is in doubt."""
    source = f"read_parquet({listed([part])})"
    exactly = "line" in columns  # then there is no doubt
    found = con.execute(
        f"SELECT src, pm, count(*), min(ts), max(ts) FROM {source} GROUP BY src, pm"
    ).fetchall()
    rows = [0] * files
    pms = {pm for _, pm, *_ in found if pm is not None}
    odd = set() if exactly else {pm for pm in pms if _odd(pm)}
    doubtful = 0
    for src, pm, count, _, _ in found:
        if pm is None or pm in odd:
            doubtful += count
        else:
            rows[src] += count
    times = [at for *_, first, last in found for at in (first, last) if at is not None]
    places: list[tuple[int, int]] = []
    if doubtful:
        places = con.execute(
            f"SELECT src, file_row_number FROM {source} WHERE pm IS NULL OR list_contains(?, pm) "
            "ORDER BY src, file_row_number",
            [sorted(odd)],
        ).fetchall()
    return Read(
        part=Part(
            file=part,
            columns=columns,
            pms=tuple(sorted(pms - odd)),
            first=min(times, default=None),
            last=max(times, default=None),
            numbered=exactly,
            flawed=bool(doubtful),
            odd=tuple(sorted(odd)),
        ),
        rows=tuple(rows),
        doubtful=tuple(places),
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
