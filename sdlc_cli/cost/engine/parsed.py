"""Lines of a shape as DuckDB's own reader of JSON gives them: where `scan` was not built.

It parses all of a line, and knows of no types but text and JSON: whether a value is what it should
be is SQL here.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from sdlc_cli.cost.engine.shapes import Kind, Shape, Sql, at, fields
from sdlc_cli.cost.engine.table import listed, quoted

# Bytes of a line. DuckDB takes twice that for each file it has open; a longer line goes through the
# exact reader with the lines around it.
LONGEST = 4 * 2**20


def lines(file: Path, chosen: Shape) -> Sql:
    """The fields of each line with `odd`, step by step: fields out of objects, numbers out of
    fields. Taken out once, a field is a column: a CASE over a field of an object copies objects.
    """
    leaves = {path: kind for path, kind in fields(chosen.columns) if kind is not Kind.OBJECT}
    taken = [f"{_dotted(path)} AS {quoted(path)}" for path in leaves]
    taken += [f"{_dotted(path)} IS NOT NULL AS {quoted(path + '/?')}" for path in chosen.there]
    told = {name: _told_time(_best(names)) for name, names in chosen.times.items()}
    reals = [
        f"try_cast({leaf}::VARCHAR AS DOUBLE) AS {_real(name)}"
        for name, leaf in chosen.numbers.items()
    ]
    reals += [f"{text} AS {name}" for name, text in told.items()]
    wholes = [
        f"coalesce(try_cast({_real(name)} AS BIGINT), 0) AS {name}" for name in chosen.numbers
    ]
    odd = [*_odd(leaves), *_odd_numbers(chosen.numbers)]
    odd += [f"{name} IS NULL AND {_best(names)} <> ''" for name, names in chosen.times.items()]
    keep = f" WHERE {chosen.keep}" if chosen.keep else ""
    return (
        f"SELECT *, ({' OR '.join(f'({text})' for text in odd)}) AS odd FROM ("
        f"SELECT *, {', '.join(wholes)} FROM (SELECT *, {', '.join(reals)} FROM ("
        f"SELECT {', '.join(taken)} FROM read_json({listed([file])}, "
        f"format='newline_delimited', maximum_object_size={LONGEST}, "
        f"columns={chosen.schema()})){keep}))"
    )


def _dotted(path: str) -> Sql:
    return ".".join(map(quoted, path.split("/")))


def _best(names: Sequence[str]) -> Sql:
    """What the best of these fields says; empty text is no time to `_told_time` either."""
    if len(names) == 1:
        return at(names[0])
    said = ", ".join(f"nullif({at(name)}, '')" for name in names)
    return f"coalesce({said})"


def _odd(leaves: Mapping[str, Kind]) -> Iterator[Sql]:
    for path, kind in leaves.items():
        if kind in (Kind.TEXT, Kind.PLAIN):
            yield _odd_text(at(path))
        if kind is Kind.PLAIN:
            yield f"contains({at(path)}, '\"') OR contains({at(path)}, '\\') OR {at(path)} < ' '"
        if kind is Kind.AMOUNT:
            yield _odd_amount(at(path))
        elif kind is Kind.ZERO:
            yield f"{at(path)}::VARCHAR <> '0'"
        elif kind is Kind.NEVER:
            yield f"{at(path)} IS NOT NULL"


def _real(name: str) -> str:
    """What the number `name` is before it is made a whole one."""
    return f"{name}_as_read"


def _odd_numbers(numbers: Mapping[str, Sql]) -> list[Sql]:
    """Doubts that all leaves are whole numbers from 0 to below 2**53: each such is a DOUBLE."""
    broken = [
        f"{_real(name)} <> {name} OR ({_real(name)} IS NULL AND {leaf} IS NOT NULL)"
        for name, leaf in numbers.items()
    ]
    return [*broken, f"({' | '.join(numbers)}) NOT BETWEEN 0 AND {2**53 - 1}"]


def _odd_text(leaf: Sql) -> Sql:
    """Doubts that a leaf was text or a whole number: other JSON looks so when read as text."""
    return (
        f"CASE WHEN {leaf} < ':' THEN contains({leaf}, '.') "
        f"AND try_cast({leaf} AS DOUBLE) IS NOT NULL ELSE {leaf} >= '{{' "
        f"OR ({leaf} >= '[' AND {leaf} < '\\') OR {leaf} = 'true' OR {leaf} = 'false' END"
    )


def _odd_amount(leaf: Sql) -> Sql:
    """Doubts that a leaf is an amount of dollars."""
    return (
        f"({leaf} IS NOT NULL AND (coalesce(try_cast({leaf}::VARCHAR AS DOUBLE), -1) "
        f"NOT BETWEEN 0 AND 999999999 OR contains({leaf}::VARCHAR, 'n')))"
    )


def _told_time(leaf: Sql) -> Sql:
    """Microseconds of a time in UTC as nearly all logs write it, or a number of seconds."""
    written = " OR ".join(f"{leaf} LIKE '20__-__-__T__:__:__{end}'" for end in _ENDS)
    return (
        f"CASE WHEN {written} THEN epoch_us(try_cast({leaf} AS TIMESTAMP)) "
        f"WHEN length({leaf}) = 10 THEN try_cast({leaf} AS UINTEGER)::BIGINT * 1000000 "
        f"WHEN length({leaf}) = 13 AND NOT contains({leaf}, '.') "
        f"THEN try_cast({leaf} AS UBIGINT)::BIGINT * 1000 END"
    )


_ENDS = ("Z", ".___Z", ".______Z")
