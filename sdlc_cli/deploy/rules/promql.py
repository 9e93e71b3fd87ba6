"""What a PromQL expression names: its metrics, its label matchers; and whether it is closed."""

import re
from dataclasses import dataclass
from functools import lru_cache

_TOKEN = re.compile(
    r"(?P<text>\"(?:\\.|[^\"\\])*\"|'(?:\\.|[^'\\])*'|`[^`]*`)"
    r"|(?P<comment>#[^\n]*)"
    r"|(?P<range>\[[^\]\[]*\])"
    r"|(?P<name>[A-Za-z_:][A-Za-z0-9_:]*)"
    r"|(?P<number>[0-9][0-9A-Za-z_.]*)"
    r"|(?P<mark>=~|!~|!=|==|>=|<=|[-+*/%^(){}=<>,@.])"
    r"|(?P<space>\s+)"
    r"|(?P<other>.)",
    re.DOTALL,
)
_WORDS = frozenset({
    "by", "without", "on", "ignoring", "group_left", "group_right", "bool", "offset", "and", "or",
    "unless", "atan2", "inf", "nan", "start", "end", "fill", "fill_left", "fill_right",
})  # fmt: skip
_LISTS = frozenset({"by", "without", "on", "ignoring", "group_left", "group_right"})
_CLOSES = {")": "(", "}": "{"}


@dataclass(frozen=True, slots=True)
class Named:
    """`metrics` in order; `matchers` as (metric, label, operator, value); `broken` says why."""

    metrics: tuple[str, ...]
    matchers: tuple[tuple[str, str, str, str], ...]
    broken: str = ""


@lru_cache(maxsize=4096)
def read(expression: str) -> Named:
    """Never raises; what is no PromQL is `broken`."""
    tokens: list[tuple[str, str]] = []
    for match in _TOKEN.finditer(expression):
        if match.lastgroup not in ("space", "comment"):
            tokens.append((str(match.lastgroup), match[0]))
        if match.lastgroup == "other":
            break  # an open quote: nothing after it can be told
    metrics: list[str] = []
    matchers: list[tuple[str, str, str, str]] = []
    open_: list[str] = []
    place = 0
    while place < len(tokens):
        kind, text = tokens[place]
        after = tokens[place + 1][1] if place + 1 < len(tokens) else ""
        if kind == "other":
            return Named(tuple(metrics), tuple(matchers), text)
        if text in ("(", "{"):
            open_.append(text)
        elif text in _CLOSES and kind == "mark":
            if not open_ or open_.pop() != _CLOSES[text]:
                return Named(tuple(metrics), tuple(matchers), text)
        elif kind == "name" and open_[-1:] == ["{"]:
            if after in ("=", "!=", "=~", "!~"):
                if place + 2 >= len(tokens) or tokens[place + 2][0] != "text":
                    return Named(tuple(metrics), tuple(matchers), text)
                metric = metrics[-1] if metrics else ""
                matchers.append((metric, text, after, tokens[place + 2][1][1:-1]))
                place += 2
        elif kind == "name" and text.lower() in _WORDS:
            if text.lower() in _LISTS and after == "(":
                place = _end(tokens, place + 1)
        elif kind == "name" and after != "(" and after.lower() not in ("by", "without"):
            metrics.append(text)
        place += 1
    broken = open_[-1] if open_ else "" if tokens else "empty"
    return Named(tuple(metrics), tuple(matchers), broken)


def _end(tokens: list[tuple[str, str]], place: int) -> int:
    """The place of the `)` that closes a list of labels."""
    while place < len(tokens) and tokens[place][1] != ")":
        place += 1
    return place
