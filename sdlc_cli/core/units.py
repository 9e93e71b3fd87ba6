"""Amounts that people write in config files: `250ms`, `10m`, `50MiB`, `pytest -q`."""

import re
import shlex
from typing import Annotated

from msgspec import Meta

# `extra` tells `core.config` how to read the value; the JSON Schema allows both forms.
Seconds = Annotated[float, Meta(extra={"unit": "seconds"})]
Bytes = Annotated[int, Meta(extra={"unit": "bytes"})]
Command = Annotated[tuple[str, ...], Meta(extra={"unit": "command"})]

SECOND_UNITS = {"us": 1e-6, "ms": 1e-3, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
BYTE_UNITS = {
    "B": 1,
    "kB": 10**3, "MB": 10**6, "GB": 10**9,
    "KiB": 2**10, "MiB": 2**20, "GiB": 2**30,
}  # fmt: skip
_AMOUNT = re.compile(r"([0-9]+(?:\.[0-9]+)?)\s*([A-Za-z]+)", re.ASCII)


def seconds(text: str) -> float:
    """`"250ms"` as 0.25. Units: us, ms, s, m, h, d, w. Raises ValueError."""
    return _amount(text, SECOND_UNITS)


def size(text: str) -> int:
    """`"50MiB"` as a number of bytes. Units: B, kB, MB, GB, KiB, MiB, GiB. Raises ValueError."""
    return round(_amount(text, BYTE_UNITS))


def command(text: str) -> tuple[str, ...]:
    """A command line as its words; quotes work as in a shell, nothing else does.

    Raises ValueError on an open quote or no word at all.
    """
    words = tuple(shlex.split(text))
    if not words:
        raise ValueError("empty command")
    return words


def _amount(text: str, units: dict[str, float] | dict[str, int]) -> float:
    match = _AMOUNT.fullmatch(text.strip())
    if not match or match[2] not in units:
        raise ValueError(f"not an amount: {text!r} (units: {', '.join(units)})")
    return float(match[1]) * units[match[2]]
