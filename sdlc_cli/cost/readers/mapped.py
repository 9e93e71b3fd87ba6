"""Calls in columns that the user names: CSV, Parquet and JSON lines of any layout."""

import hashlib
import re
from collections.abc import Mapping
from datetime import date

import msgspec

from sdlc_cli.core.i18n import msg
from sdlc_cli.cost.model import Rejected, Row, Status
from sdlc_cli.cost.options import Columns
from sdlc_cli.cost.readers import Format, Parse, Record
from sdlc_cli.cost.readers.counts import whole
from sdlc_cli.cost.readers.fields import dollars, labels, moment, tier

_DIGITS = re.compile(r"\s*([0-9]{1,20})(?:\.0*)?\s*", re.ASCII)
_TOKEN = re.compile(r"[\w:+/=.@-]{1,128}", re.ASCII)  # a hash or an id, no prompt
_DIGEST = 12  # bytes: of 10^12 rows two that differ share one with a chance of 10^-5
_REMEMBERED = 100_000  # rows, to tell calls that look the same from calls written twice
_FAILED = frozenset(("error", "failed", "failure", "timeout", "cancelled", "canceled", "rejected"))
_CACHED = frozenset(("cached", "cache_hit", "hit", "cache-hit"))
_TEXTS = ("provider", "model", "tier", "project", "user", "key", "path")
_COUNTS = (  # column in `Columns`, class in `Row`
    ("cache_read", "cache_read"),
    ("cache_write", "cache_write_5m"),
    ("cache_write_1h", "cache_write_1h"),
    ("audio_in", "audio_in"),
    ("audio_cached", "audio_cached"),
    ("image_in", "image_in"),
    ("reasoning", "reasoning"),
    ("audio_out", "audio_out"),
    ("image_out", "image_out"),
    ("web_searches", "web_searches"),
    ("prefix_tokens", "prefix_tokens"),
)


def format_of(columns: Columns, *, table: bool) -> Format:
    """The format of files with these columns: rows of a CSV or Parquet `table`, or JSON lines."""
    needed = [name for name in (columns.input, columns.output) if name]

    def matches(record: Record) -> bool:
        return any(_look(record, name) is not None for name in needed)

    return Format(
        name="mapped",
        title=msg("your own columns"),
        matches=matches,
        start=lambda: parser(columns, table=table),
        layout="table" if table else "records",
        stateful=True,
    )


def parser(columns: Columns, *, table: bool) -> Parse:
    """A parse for one file. In a `table` digits are a number even where they are text."""
    return _Parser(columns, table).parse


def names(columns: Columns) -> tuple[str, ...]:
    """The columns that a map reads, each once, in the order of its fields."""
    found: dict[str, None] = {}
    for field in columns.__struct_fields__:
        value = getattr(columns, field)
        if field not in ("ts_unit", "fixed") and isinstance(value, str) and value:
            found[value] = None
    found.update(dict.fromkeys(columns.tags.values()))
    return tuple(found)


class _Parser:
    def __init__(self, columns: Columns, table: bool) -> None:
        self.columns = columns
        self.table = table
        self.texts = [(name, getattr(columns, name)) for name in _TEXTS if getattr(columns, name)]
        self.counts = [(to, getattr(columns, name)) for name, to in _COUNTS]
        self.counts = [(to, column) for to, column in self.counts if column]
        self.seen: dict[bytes, int] = {}

    def parse(self, record: Record) -> tuple[Row]:
        row = Row()
        for fixed, value in self.columns.fixed.items():
            setattr(row, fixed, value)
        for name, column in self.texts:
            setattr(row, name, _text(record, column))
        row.tier = tier(row.tier)
        self._describe(row, record)
        self._fill(row, record)
        row.dedupe = self._dedupe(row, record)
        return (row,)

    def _describe(self, row: Row, record: Record) -> None:
        columns = self.columns
        if columns.ts:
            value = _look(record, columns.ts)
            value = value.isoformat() if isinstance(value, date) else value
            row.ts = moment(value, columns.ts, columns.ts_unit)
        if columns.call_id:
            row.call_id = _text(record, columns.call_id)
        if columns.status:
            row.status = _status(_text(record, columns.status))
            row.rank = {"ok": 0, "cached": -2, "error": -3}[row.status]
        if columns.tags:
            row.tags = labels({tag: _text(record, name) for tag, name in columns.tags.items()})
        if columns.request_hash:
            row.request_hash = _hash(_look(record, columns.request_hash))
        if columns.prefix_hash:
            row.prefix_hash = _hash(_look(record, columns.prefix_hash))
        if columns.max_output:
            row.max_output = self._count(record, columns.max_output)
        if columns.cost_usd:
            row.logged_pico = dollars(_look(record, columns.cost_usd), columns.cost_usd)
        if columns.calls:
            calls = self._count(record, columns.calls)
            row.calls = 1 if calls is None else calls

    def _fill(self, row: Row, record: Record) -> None:
        """The token classes, disjoint, by what the user says that the columns contain."""
        columns = self.columns
        given = self._count(record, columns.input)
        made = self._count(record, columns.output)
        row.known = given is not None or made is not None
        for name, column in self.counts:
            setattr(row, name, self._count(record, column) or 0)
        row.input = given or 0
        if columns.input_includes_cache:
            row.input -= row.cache_read + row.cache_write_5m + row.cache_write_1h
        if columns.input_includes_audio:
            row.input -= row.audio_in + row.audio_cached
        row.output = made or 0
        if columns.output_includes_reasoning:
            row.output -= row.reasoning
        if columns.output_includes_audio:
            row.output -= row.audio_out
        if row.input < 0 or row.output < 0:
            name = columns.input if row.input < 0 else columns.output
            raise Rejected(msg("{key} is less than what it should include", key=name))

    def _count(self, record: Record, name: str) -> int | None:
        """A count, or None where there is none."""
        value = _look(record, name) if name else None
        if value is None:
            return None
        if self.table and isinstance(value, str):
            found = _DIGITS.fullmatch(value)
            return whole(int(found[1]) if found else value, name)
        return whole(value, name)

    def _dedupe(self, row: Row, record: Record) -> str:
        """What makes two rows one call: the user's id, else the whole row.

        Calls of one file that look the same are told apart by counting them: the second such row
        here is the second such row of another file. Without a time too many calls look the same,
        and none is left out.
        """
        if self.columns.call_id:
            return row.call_id
        if row.ts is None:
            return ""
        told = msgspec.json.encode(record, order="sorted", enc_hook=str)
        digest = hashlib.blake2b(told, digest_size=_DIGEST).digest()
        number = self.seen.pop(digest, 0) + 1
        self.seen[digest] = number
        if len(self.seen) > _REMEMBERED:
            del self.seen[next(iter(self.seen))]
        return f"row:{digest.hex()}:{number}"


def _look(record: Record, name: str) -> object:
    """The value of a column, None where it is missing or empty; `a.b` may be `b` inside `a`."""
    value: object = record
    if name in record:
        value = record[name]
    else:
        for part in name.split("."):
            if not isinstance(value, Mapping):
                return None
            value = value.get(part)
    return None if value == "" else value


def _text(record: Record, name: str) -> str:
    value = _look(record, name)
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    raise Rejected(msg("{key} is not text", key=name))


def _status(told: str) -> Status:
    word = told.strip().lower()
    if word in _CACHED:
        return "cached"
    if word in _FAILED or (word.isdigit() and len(word) == 3 and word >= "400"):
        return "error"
    return "ok"


def _hash(value: object) -> str:
    """What stands for a request: an id as it is, a text or a list of blocks as its hash."""
    if value is None:
        return ""
    if isinstance(value, str) and _TOKEN.fullmatch(value):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    told = msgspec.json.encode(value, order="sorted", enc_hook=str)
    return hashlib.blake2b(told, digest_size=16).hexdigest()
