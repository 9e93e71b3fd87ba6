"""YAML text that `core.config` reads back as it was: words quoted where they need it."""

import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import TypeAlias

from sdlc_cli.core.scalars import resolve

WIDTH = 100

_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9_./-]*( [A-Za-z0-9][A-Za-z0-9_./-]*)*", re.ASCII)
_ELSEWHERE = frozenset(("y", "n", "yes", "no", "on", "off"))  # truths to readers of YAML 1.1
_ESCAPED = re.compile('["\\\\\x00-\x1f\x7f-\xa0\u2028\u2029\ufeff\ud800-\udfff\ufffe\uffff]')
_SHORT = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t"}


class Word(str):
    """Text that is safe as it stands: a time, an amount."""

    __slots__ = ()


Value: TypeAlias = "str | int | float | bool | Decimal | list[Value] | Mapping[str, Value]"


def text(value: str) -> str:
    """`value` in quotes, or without where it is read as text all the same."""
    if isinstance(value, Word):
        return value
    value = value.replace("${", "$${")
    return value if _is_plain(value) else _quoted(value)


def key(value: str) -> str:
    """As `text`; variables are not replaced in keys."""
    return value if _is_plain(value) else _quoted(value)


def flow(value: Value) -> str:
    """`value` on one line."""
    match value:
        case str():
            return text(value)
        case bool():
            return "true" if value else "false"
        case int():
            return str(value)
        case float():
            return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
        case Decimal():
            return f"{value:f}"
        case list():
            return f"[{', '.join(map(flow, value))}]"
    return "{" + ", ".join(f"{key(name)}: {flow(one)}" for name, one in value.items()) + "}"


def block(name: str, value: Value, indent: int = 0) -> Iterator[str]:
    """The lines of `name: value`: one where it fits, else one or more for each part."""
    start = " " * indent + key(name) + ":"
    line = f"{start} {flow(value)}"
    if len(line) <= WIDTH or not isinstance(value, list | Mapping):
        yield line
    elif isinstance(value, list):
        yield start
        for one in value:
            yield f"{' ' * indent}  - {flow(one)}"
    else:
        yield start
        for inner, one in value.items():
            yield from block(inner, one, indent + 2)


def _is_plain(value: str) -> bool:
    return (
        bool(_PLAIN.fullmatch(value))
        and isinstance(resolve(value), str)
        and value.lower() not in _ELSEWHERE
    )


def _quoted(value: str) -> str:
    return '"' + _ESCAPED.sub(_escape, value) + '"'


def _escape(found: re.Match[str]) -> str:
    letter = found[0]
    return _SHORT.get(letter) or f"\\u{ord(letter):04x}"
