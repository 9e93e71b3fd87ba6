"""Common log formats as SQL over JSON lines: what the exact readers make of them, in columns.

A shape only promises rows that are plainly right. Whatever it is not sure of (a value of another
type, a field that it cannot express) it marks, and the exact reader decides.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from sdlc_cli.cost.engine.table import PARTING, literal, quoted

Sql = str
# Tiers that are the standard one, as `readers.fields.tier` has them.
STANDARD = "('', 'standard', 'default', 'auto', 'scale', 'on_demand', 'ondemand')"
Columns = Mapping[str, "str | Columns"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """How lines of a format are read. `doubt` is true for rows that the exact reader must see.

    `keep` is true for lines that tell of a call or are in doubt; "" when all lines do.
    """

    columns: Columns  # SQL has a field in an object under its path: "response/usage/cost"
    numbers: Mapping[str, Sql]  # name -> leaf: `select` and `doubt` have whole numbers, 0 for none
    times: Mapping[str, Sql]  # name -> SQL of microseconds, for the same use
    select: Mapping[str, Sql]
    doubt: Sequence[Sql]
    keep: Sql = ""
    there: Sequence[str] = ()  # objects of which SQL asks whether they are there: "message/?"
    # A line that stands before a file where several are read as one: of no call, but with this id.
    mark: Callable[[str], Mapping[str, object]]
    raw_tags: Sequence[str] = field(default=())  # fields that tags are made of, outside SQL

    def schema(self) -> Sql:
        """The columns as `read_json` takes them."""
        inner = ", ".join(f"{quoted(k)}: {literal(_kind(v))}" for k, v in self.columns.items())
        return f"{{{inner}}}"


def leaves(columns: Columns, path: tuple[str, ...] = ()) -> Iterator[tuple[str, Sql]]:
    """Each field that is no object, with SQL that takes it out of its object.

    Taken out once, it is a column of its own: a CASE over a field of an object copies objects.
    """
    for name, kind in columns.items():
        inner = (*path, name)
        if isinstance(kind, str):
            yield "/".join(inner), ".".join(map(quoted, inner))
        else:
            yield from leaves(kind, inner)


def _kind(columns: "str | Columns") -> str:
    if isinstance(columns, str):
        return columns
    inner = ", ".join(f"{quoted(name)} {_kind(kind)}" for name, kind in columns.items())
    return f"STRUCT({inner})"


def counts(*names: str) -> dict[str, str]:
    """Columns of counts: as JSON text, which shows whether a number was a number."""
    return dict.fromkeys(names, "JSON")


def paths_of(record: object, prefix: str = "") -> Iterator[str]:
    """The dotted paths of all fields in a record that are not null, lists left out.

    A number above 0 comes twice, the second time after a `+`.
    """
    if isinstance(record, dict):
        for name, value in record.items():
            if value is not None:
                yield prefix + name
                if isinstance(value, int) and value > 0:
                    yield f"+{prefix}{name}"
                yield from paths_of(value, f"{prefix}{name}.")


def texts(*names: str) -> dict[str, str]:
    """Columns of text."""
    return dict.fromkeys(names, "VARCHAR")


def at(*path: str) -> Sql:
    """A field by its path; empty steps are left out."""
    return quoted("/".join(step for step in path if step))


def real(name: str) -> str:
    """What the number `name` is before it is made a whole one."""
    return f"{name}_as_read"


def odd_numbers(numbers: Mapping[str, Sql]) -> list[Sql]:
    """Doubts that all leaves are whole numbers from 0 to below 2**53: each such is a DOUBLE."""
    broken = [
        f"{real(name)} <> {name} OR ({real(name)} IS NULL AND {leaf} IS NOT NULL)"
        for name, leaf in numbers.items()
    ]
    return [*broken, f"({' | '.join(numbers)}) NOT BETWEEN 0 AND {2**53 - 1}"]


def odd_text(leaf: Sql) -> Sql:
    """Doubts that a leaf was text or a whole number: other JSON looks so when read as text."""
    return (
        f"CASE WHEN {leaf} < ':' THEN contains({leaf}, '.') "
        f"AND try_cast({leaf} AS DOUBLE) IS NOT NULL ELSE {leaf} >= '{{' "
        f"OR ({leaf} >= '[' AND {leaf} < '\\') OR {leaf} = 'true' OR {leaf} = 'false' END"
    )


def oddly_read(text: str) -> bool:
    """As `odd_text`, for one of few distinct texts."""
    if text.startswith(("{", "[")) or text in ("true", "false"):
        return True
    try:
        float(text)
    except ValueError:
        return False
    return not text.isdigit()


def absent(*leaves: Sql) -> Sql:
    """Doubts that none of these is there."""
    return " OR ".join(f"{leaf} IS NOT NULL" for leaf in leaves) or "false"


def zero(*leaves: Sql) -> Sql:
    """Doubts that counts that are seldom used are missing or 0."""
    return " OR ".join(f"{leaf}::VARCHAR <> '0'" for leaf in leaves) or "false"


def odd_amount(leaf: Sql) -> Sql:
    """Doubts that a leaf is an amount of dollars."""
    return (
        f"({leaf} IS NOT NULL AND (coalesce(try_cast({leaf}::VARCHAR AS DOUBLE), -1) "
        f"NOT BETWEEN 0 AND 999999999 OR contains({leaf}::VARCHAR, 'n')))"
    )


def told_time(leaf: Sql) -> Sql:
    """Microseconds of a time in UTC as nearly all logs write it, or a number of seconds."""
    written = " OR ".join(f"{leaf} LIKE '20__-__-__T__:__:__{end}'" for end in _ENDS)
    return (
        f"CASE WHEN {written} THEN epoch_us(try_cast({leaf} AS TIMESTAMP)) "
        f"WHEN length({leaf}) = 10 THEN try_cast({leaf} AS UINTEGER)::BIGINT * 1000000 "
        f"WHEN length({leaf}) = 13 AND NOT contains({leaf}, '.') "
        f"THEN try_cast({leaf} AS UBIGINT)::BIGINT * 1000 END"
    )


_ENDS = ("Z", ".___Z", ".______Z")


def odd_time(leaf: Sql, told: Sql) -> Sql:
    """Doubts about `told`, which is `told_time` of the leaf."""
    return f"{told} IS NULL AND {leaf} <> ''"


def pm(provider: Sql, model: Sql, tier: Sql) -> Sql:
    """The column of provider, model and tier."""
    return f"concat({provider}, {_PARTING}, {model}, {_PARTING}, {tier})"


_PARTING = literal(PARTING)


def hashed(name: Sql) -> Sql:
    """The hash that makes rows one call."""
    return f"CASE WHEN {name} <> '' THEN hash({name}) END"


@dataclass(frozen=True, slots=True, kw_only=True)
class Body:
    """A provider's answer as SQL. Texts are SQL of text, `time` of microseconds."""

    columns: Columns
    name: Sql  # the id
    model: Sql
    tier: Sql
    time: Sql  # microseconds, from `numbers`
    provider: Sql
    numbers: Mapping[str, Sql]
    select: Mapping[str, Sql]
    doubt: Sequence[Sql]


def alone(body: Body) -> Shape:
    """The shape of lines that are an answer each."""
    select = {
        "ts": body.time,
        "pm": pm(body.provider, body.model, body.tier),
        "h": hashed(body.name),
        **body.select,
    }
    return Shape(
        columns=body.columns,
        numbers=body.numbers,
        times={},
        select=select,
        doubt=body.doubt,
        mark=lambda name: {"id": name},
    )
