"""A parsed document as plain values that still know their lines, and ways through it.

`Mapped` is a dict and `Listed` a list. What is not there, or is of another type, reads as empty:
a rule asks for what it needs, and a hostile document cannot break it.
"""

import re
from collections.abc import Iterator

from sdlc_cli.core.yaml_tree import Node, Scalar, Section

Value = "Mapped | Listed | str | int | float | bool | None"
Step = str | int

_NOTHING = {"", "~", "null", "Null", "NULL"}
# YAML 1.1, which Kubernetes and compose read: yes and on are true.
_TRUE = {"true", "True", "TRUE", "yes", "Yes", "YES", "on", "On", "ON"}
_FALSE = {"false", "False", "FALSE", "no", "No", "NO", "off", "Off", "OFF"}
_INTEGER = re.compile(r"[-+]?[0-9]{1,18}")
_NUMBER = re.compile(r"[-+]?[0-9]{1,18}\.[0-9]{0,18}")


class Mapped(dict[str, object]):
    """A mapping. `line` is where it starts, `lines` where each key stands."""

    __slots__ = ("line", "lines")

    def __init__(self, line: int = 0) -> None:
        super().__init__()
        self.line = line
        self.lines: dict[str, int] = {}


class Listed(list[object]):
    """A sequence, and the line of each item."""

    __slots__ = ("line", "lines")

    def __init__(self, line: int = 0) -> None:
        super().__init__()
        self.line = line
        self.lines: list[int] = []


def build(node: Node) -> tuple[object, tuple[tuple[int, str], ...]]:
    """The node as values, and the keys that are written twice, with the line of the second.

    An alias is the same object as what it stands for, so bombs of aliases cost nothing.
    """
    twice: list[tuple[int, str]] = []
    return _build(node, {}, twice), tuple(twice)


def _build(node: Node, made: dict[int, object], twice: list[tuple[int, str]]) -> object:
    if isinstance(node, Scalar):
        return scalar(node.text) if node.plain else node.text
    if id(node) in made:
        return made[id(node)]
    if isinstance(node, Section):
        section = Mapped(node.line)
        made[id(node)] = section
        for key, value in node.pairs:
            if key.text in section:
                twice.append((key.line, key.text))
            section[key.text] = _build(value, made, twice)
            section.lines[key.text] = key.line
        return section
    listed = Listed(node.line)
    made[id(node)] = listed
    for item in node.items:
        listed.append(_build(item, made, twice))
        listed.lines.append(item.line)
    return listed


def scalar(text: str) -> object:
    """A word without quotes, as YAML reads it."""
    if text in _NOTHING:
        return None
    if text in _TRUE:
        return True
    if text in _FALSE:
        return False
    if _INTEGER.fullmatch(text):
        return int(text)
    if _NUMBER.fullmatch(text):
        return float(text)
    return text


def at(value: object, *path: Step) -> object:
    """What stands at `path`; None when nothing does."""
    for step in path:
        if isinstance(value, dict) and isinstance(step, str):
            value = value.get(step)
        elif isinstance(value, list) and isinstance(step, int) and -len(value) <= step < len(value):
            value = value[step]
        else:
            return None
    return value


def section(value: object, *path: Step) -> Mapped:
    """The mapping at `path`, or an empty one."""
    found = at(value, *path)
    return found if isinstance(found, Mapped) else Mapped(line(value, *path))


def sections(value: object, *path: Step) -> Iterator[Mapped]:
    """The mappings in the list at `path`."""
    found = at(value, *path)
    if isinstance(found, list):
        yield from (one for one in found if isinstance(one, Mapped))


def items(value: object, *path: Step) -> list[object]:
    """The list at `path`, or an empty one."""
    found = at(value, *path)
    return found if isinstance(found, list) else []


def words(value: object, *path: Step) -> list[str]:
    """The texts and numbers in the list at `path`, or its one text, as texts."""
    found = at(value, *path)
    if isinstance(found, str):
        return [found]
    return [str(one) for one in items(found) if isinstance(one, str | int) and one is not None]


def text(value: object, *path: Step) -> str:
    """The text or number at `path`, as text; '' when there is none."""
    found = at(value, *path)
    if isinstance(found, str):
        return found
    if isinstance(found, int | float) and not isinstance(found, bool):
        return str(found)
    return ""


def number(value: object, *path: Step) -> int | None:
    """The whole number at `path`, also where it stands in quotes."""
    found = at(value, *path)
    if isinstance(found, bool):
        return None
    if isinstance(found, int):
        return found
    if isinstance(found, str) and re.fullmatch(r"[0-9]{1,18}", found, re.ASCII):
        return int(found)
    return None


def line(value: object, *path: Step) -> int:
    """The line of what stands at `path`, or of the nearest above it that is there."""
    best = value.line if isinstance(value, Mapped | Listed) else 0
    for step in path:
        if isinstance(value, Mapped) and isinstance(step, str) and step in value:
            best = value.lines.get(step, best)
        elif isinstance(value, Listed) and isinstance(step, int) and 0 <= step < len(value):
            best = value.lines[step]
        else:
            return best
        value = value[step]  # type: ignore[index]
    return best


def texts(value: object, most: int = 100_000) -> Iterator[tuple[int, str]]:
    """Every text below, with its line; each collection once, however many aliases it has."""
    seen: set[int] = set()
    stack: list[tuple[int, object]] = [(0, value)]
    while stack and most > 0:
        where, one = stack.pop()
        most -= 1
        if isinstance(one, str):
            yield where, one
        elif isinstance(one, Mapped) and id(one) not in seen:
            seen.add(id(one))
            stack += [(one.lines.get(key, one.line), inner) for key, inner in one.items()]
        elif isinstance(one, Listed) and id(one) not in seen:
            seen.add(id(one))
            stack += list(zip(one.lines, one, strict=True))
