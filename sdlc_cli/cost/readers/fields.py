"""Takes text, sections, times and amounts out of decoded records, and refuses what is neither."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Literal

from sdlc_cli.core import money
from sdlc_cli.core.i18n import msg
from sdlc_cli.cost.model import Rejected
from sdlc_cli.cost.readers import Record

Unit = Literal["", "s", "ms", "us", "ns"]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_LAST = 9_999_999_999_999_999  # the last microsecond whose second has ten digits, in 2286
_LONGEST_TIME = 40  # letters; what is longer is no time
_IN_SECOND = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}
# Numbers without a unit: from 2001 on these do not overlap until the year 5138.
_SIZES: tuple[tuple[int, Unit], ...] = ((10**11, "s"), (10**14, "ms"), (10**17, "us"))
_MOST_DOLLARS = 10**9  # of one record


def text(record: Record, key: str) -> str:
    """The text under `key`; "" where it is missing or null. Whole numbers stand for ids."""
    value = record.get(key)
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    raise Rejected(msg("{key} is not text", key=key))


def identity(record: Record, key: str) -> str:
    """The id under `key`; "" where it is missing, or one of the words for nothing.

    Some clients print the null of their language: taken for an id, it would make one call of all.
    """
    return said(text(record, key))


def said(told: str) -> str:
    """An id without space around it; "" for the words for nothing."""
    told = told.strip()
    return "" if len(told) <= _LONGEST_NOTHING and told.lower() in _NOTHING else told


_NOTHING = frozenset(("", "none", "null", "nil", "undefined", "nan", "n/a", "unknown"))
_LONGEST_NOTHING = max(map(len, _NOTHING))


def section(record: Record, key: str) -> Record:
    """The object under `key`; an empty one where it is missing or null."""
    value = record.get(key)
    if type(value) is dict or isinstance(value, Mapping):
        return value
    if value is None:
        return {}
    raise Rejected(msg("{key} is not an object", key=key))


def moment(value: object, key: str, unit: Unit = "") -> int | None:
    """Microseconds since 1970 in UTC of a time in ISO 8601 or a number; None where it is missing.

    A time without an offset is in UTC. The unit of a number is told from its size where `unit`
    is "". Raises Rejected for anything else and for times outside the years 1970 to 2286.
    """
    if type(value) is int and not unit and 10**9 <= value < 10**10:
        return value * 10**6  # nearly all logs count seconds so
    if value is None or value == "":
        return None
    moment = _told(value, unit) if isinstance(value, str) else _counted(value, unit)
    if moment is None or not 0 <= moment <= _LAST:
        raise Rejected(msg("{key} is not a time", key=key))
    return moment


def _told(value: str, unit: Unit) -> int | None:
    value = value.strip()
    if len(value) > _LONGEST_TIME:
        return None
    # A compact ISO day ("20260512") looks like a number; where there is a unit it is one.
    number = value.isascii() and value.replace(".", "", 1).isdigit()
    if number and (unit or len(value.partition(".")[0]) > len("20260512")):
        return _counted(Decimal(value), unit)
    if value.endswith((" UTC", " utc")):
        value = value[:-4] + "+00:00"
    try:
        when = datetime.fromisoformat(value)
        if when.tzinfo is None:
            when = when.replace(tzinfo=UTC)
        return (when - _EPOCH) // _MICROSECOND
    except (ValueError, OverflowError):
        return None


def _counted(value: object, unit: Unit) -> int | None:
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        return None
    if isinstance(value, float):
        value = Decimal(repr(value))
    if isinstance(value, Decimal) and (not value.is_finite() or value.adjusted() > 20):
        return None
    if not 0 <= value < 10**20:
        return None
    if not unit:
        unit = next((name for limit, name in _SIZES if value < limit), "ns")
    return int(value * 10**6 // _IN_SECOND[unit])


def dollars(value: object, key: str) -> int | None:
    """Pico-dollars of an amount of US dollars, None where it is missing. Never below zero."""
    if value is None or value == "":
        return None
    if isinstance(value, str):
        value = _decimal(value)
    if isinstance(value, float):
        value = Decimal(repr(value))
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise Rejected(msg("{key} is not an amount", key=key))
    value = Decimal(value)
    if not value.is_finite() or not 0 <= value <= _MOST_DOLLARS:
        raise Rejected(msg("{key} is not an amount", key=key))
    # Nothing below a pico-dollar is kept, so digits beyond it need not be multiplied out.
    return 0 if value.adjusted() < -20 else money.pico(value)


def _decimal(value: str) -> Decimal | None:
    value = value.strip()
    plain = value.isascii() and len(value) <= _LONGEST_TIME
    try:
        return Decimal(value) if plain and "_" not in value else None
    except ArithmeticError:
        return None


def labels(pairs: Mapping[str, str]) -> str:
    """`Row.tags`: a JSON object with sorted keys of the tags that say something, or ""."""
    said = {name: value for name, value in pairs.items() if value}
    if not said:
        return ""
    if len(said) > 1:
        said = dict(sorted(said.items()))
    return json.dumps(said, ensure_ascii=False, separators=(",", ":"))


def tier(told: str) -> str:
    """A service tier as `Row.tier` has it: "" is standard."""
    told = told.strip().lower()
    return "" if told in _STANDARD else told


_STANDARD = frozenset(("", "standard", "default", "auto", "on_demand", "ondemand"))
