"""Amounts in config files that must not pass through a float: money, shares, days."""

import re
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Annotated

from msgspec import Meta

# `extra` tells `core.config` how to read the value. `least` and `most` are in the value's own
# measure: a share of 1 is written as 100%.
Dollars = Annotated[Decimal, Meta(extra={"unit": "dollars", "least": 0, "most": 10**9})]
Share = Annotated[Decimal, Meta(extra={"unit": "share", "least": 0, "most": 10})]

# A field of this type cannot be written: it is filled with where its section stands, "FILE:LINE",
# which is its key's line where it has one.
Place = Annotated[str, Meta(extra={"unit": "place"})]

_NUMBER = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]{1,3})?", re.ASCII)
_SHARE = re.compile(r"([0-9]+(?:\.[0-9]+)?)\s*%", re.ASCII)
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
_LONGEST = 40  # letters; what is longer is no amount of money


def decimal(text: str) -> Decimal:
    """`"2.50"` as exactly that. Raises ValueError."""
    if len(text) > _LONGEST or not _NUMBER.fullmatch(text):
        raise ValueError(f"not a number: {text!r}")
    try:
        return Decimal(text)
    except InvalidOperation:  # pragma: no cover - the pattern lets nothing of this kind through
        raise ValueError(f"not a number: {text!r}") from None


def share(text: str) -> Decimal:
    """`"80%"` as 0.8. Raises ValueError: without the sign nobody knows whether 1 is all of it."""
    found = _SHARE.fullmatch(text.strip())
    if found is None or len(text) > _LONGEST:
        raise ValueError(f"not a percentage: {text!r}")
    return Decimal(found[1]).scaleb(-2)


def percentage(value: Decimal) -> str:
    """0.8 as `80%`, with no more digits than it has."""
    text = f"{value.scaleb(2):f}"
    return (text.rstrip("0").rstrip(".") if "." in text else text) + "%"


def day(text: str) -> date:
    """`"2026-01-31"`. Raises ValueError."""
    if not _DAY.fullmatch(text):
        raise ValueError(f"not a day: {text!r}")
    return date.fromisoformat(text)
