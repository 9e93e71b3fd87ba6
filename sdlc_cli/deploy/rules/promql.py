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
    reader = _Reader(tokens)
    broken = reader.read() if tokens else "empty"
    return Named(tuple(reader.metrics), tuple(reader.matchers), broken)


class _Reader:
    """Goes through the tokens once."""

    def __init__(self, tokens: list[tuple[str, str]]) -> None:
        self.tokens = [*tokens, ("end", ""), ("end", ""), ("end", "")]
        self.metrics: list[str] = []
        self.matchers: list[tuple[str, str, str, str]] = []
        self.open: list[str] = []
        self.place = 0

    def read(self) -> str:
        """Fill `metrics` and `matchers`; what is broken, or ''."""
        while self.tokens[self.place][0] != "end":
            kind, text = self.tokens[self.place]
            if kind == "other" or (kind == "mark" and not self._brackets(text)):
                return text
            if kind == "name" and not self._name(text):
                return text
            self.place += 1
        return self.open[-1] if self.open else ""

    def _brackets(self, mark: str) -> bool:
        if mark in _CLOSES.values():
            self.open.append(mark)
        elif mark in _CLOSES:
            return bool(self.open) and self.open.pop() == _CLOSES[mark]
        return True

    def _name(self, text: str) -> bool:
        after = self.tokens[self.place + 1][1]
        if self.open[-1:] == ["{"]:
            return self._matcher(text, after)
        if text.lower() in _LISTS and after == "(":
            self.place = _end(self.tokens, self.place + 1)
        elif text.lower() not in _WORDS and after != "(" and after not in ("by", "without"):
            self.metrics.append(text)
        return True

    def _matcher(self, label: str, operator: str) -> bool:
        if operator in ("=", "!=", "=~", "!~"):
            kind, value = self.tokens[self.place + 2]
            if kind != "text":
                return False
            metric = self.metrics[-1] if self.metrics else ""
            self.matchers.append((metric, label, operator, value[1:-1]))
            self.place += 2
        return True


def _end(tokens: list[tuple[str, str]], place: int) -> int:
    """The place of the `)` that closes a list of labels."""
    while tokens[place][0] != "end" and tokens[place][1] != ")":
        place += 1
    return place if tokens[place][0] != "end" else place - 1
