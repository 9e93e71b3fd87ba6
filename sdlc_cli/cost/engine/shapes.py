"""Common log formats as fields of JSON lines, and SQL that says what the exact readers say.

A shape only promises rows that are plainly right. Whatever it is not sure of (a value of another
type, a field that it cannot express) it marks, and the exact reader decides.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum

from sdlc_cli.cost.engine.table import PARTING, literal, quoted

Sql = str
# Tiers that are the standard one, as `readers.fields.tier` has them.
STANDARD = "('', 'standard', 'default', 'auto', 'scale', 'on_demand', 'ondemand')"


class Kind(IntEnum):
    """What a field is; a line where it is something else is in doubt. Null is as missing.

    The numbers are those of `native/scan.c`.
    """

    OBJECT = 0  # with fields of its own
    COUNT = 1  # a whole number from 0 to below 2**53
    TIME = 2  # in UTC as nearly all logs write it, or a number of seconds
    TEXT = 3
    NAME = 4  # text of which there are few distinct ones: these are looked at
    LOOSE = 5  # text, a number, true or false
    RAW = 6  # any value, as JSON
    AMOUNT = 7  # of dollars; its value is not taken
    ZERO = 8  # a count that is seldom used: 0
    NEVER = 9  # nothing
    PLAIN = 10  # text that needs no escape in JSON


Columns = Mapping[str, "Kind | Columns"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """How lines of a format are read. `doubt` is true for rows that the exact reader must see.

    `keep` is true for lines that tell of a call or are in doubt; "" when all lines do. These have
    one of the fields `told` or none of `usual`.
    """

    columns: Columns  # SQL has a field in an object under its path: "response/usage/cost"
    numbers: Mapping[str, Sql]  # name -> leaf: `select` and `doubt` have whole numbers, 0 for none
    times: Mapping[str, Sequence[str]]  # name -> fields, the best first; SQL has microseconds
    select: Mapping[str, Sql]
    doubt: Sequence[Sql]
    keep: Sql = ""
    told: Sequence[str] = ()
    usual: Sequence[str] = ()
    there: Sequence[str] = ()  # objects of which SQL asks whether they are there: "message/?"
    # A line that stands before a file where several are read as one: of no call, but with this id.
    mark: Callable[[str], Mapping[str, object]]
    repeat: Sequence[str] = ()  # of equal records, as `native/rows.h` has it: call, count, its part
    raw_tags: Sequence[str] = field(default=())  # fields that tags are made of, outside SQL

    def schema(self) -> Sql:
        """The columns as `read_json` takes them."""
        inner = ", ".join(f"{quoted(k)}: {literal(_kind(v))}" for k, v in self.columns.items())
        return f"{{{inner}}}"


def fields(columns: Columns, path: str = "") -> Iterator[tuple[str, Kind]]:
    """Each field by its path, objects before what is in them."""
    for name, kind in columns.items():
        if isinstance(kind, Kind):
            yield path + name, kind
        else:
            yield path + name, Kind.OBJECT
            yield from fields(kind, f"{path}{name}/")


def _kind(columns: "Kind | Columns") -> str:
    if isinstance(columns, Kind):  # JSON shows whether a number was a number
        return "VARCHAR" if columns in _TEXTS else "JSON"
    inner = ", ".join(f"{quoted(name)} {_kind(kind)}" for name, kind in columns.items())
    return f"STRUCT({inner})"


_TEXTS = (Kind.TIME, Kind.TEXT, Kind.NAME, Kind.LOOSE, Kind.PLAIN)


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


def at(*path: str) -> Sql:
    """A field by its path; empty steps are left out."""
    return quoted("/".join(step for step in path if step))


def oddly_read(text: str) -> bool:
    """Whether one of few distinct texts looks like other JSON that was read as text."""
    if text.startswith(("{", "[")) or text in ("true", "false"):
        return True
    try:
        float(text)
    except ValueError:
        return False
    return not text.isdigit()


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
