"""Templates: read once, printed with values. What they print went through a filter of `escape`.

The language is a part of Jinja2's: `{{ value|filter }}`, `if`, `for`, `include` and comments, with
trim_blocks and lstrip_blocks. What this prints, Jinja2 prints the same; what it refuses in a user's
template, Jinja2 decides. A template can call nothing and change nothing, so its time and its size
are bounded by counting loops and letters.
"""

import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from sdlc_cli.core.i18n import msg
from sdlc_cli.deploy import escape, syntax
from sdlc_cli.deploy.syntax import Beyond, Expression, Scope

MOST_ROUNDS = 1_000_000  # of all loops of a file together
MOST_LETTERS = 10_000_000  # of a file
MOST_SECONDS = 10.0  # for a file
MOST_DEPTH = 20  # of templates that include each other
TOO_LONG = msg("it takes too long")
TOO_LARGE = msg("the file grows too large")

_TAG = re.compile(
    r"""(?P<lead>[ \t]*)(?:\{%(?P<left>-?)\s*(?P<tag>(?:"[^"]*"|'[^']*'|[^"'])*?)\s*"""
    r"""(?P<right>-?)%\}|(?P<note>\{\#.*?\#\}))(?P<end>\n?)"""
    r"""|\{\{(?P<before>-?)(?P<value>(?:"[^"]*"|'[^']*'|[^"'])*?)(?P<after>-?)\}\}""",
    re.S,
)
_HALF = re.compile(r"\{[{%#]")
_FOR = re.compile(r"for\s+(\w+(?:\s*,\s*\w+)*)\s+in\s+(.*)", re.S)
_FOR_IF = re.compile(r"(.*?)\s+if\s+(.*)", re.S)
_INCLUDE = re.compile(r"""include\s+["']([^"']+)["']""")


class Broken(Exception):
    """A template that cannot be printed. `template` and `line` say where."""

    def __init__(self, problem: str, template: str, line: int) -> None:
        super().__init__(problem)
        self.problem = problem
        self.template = template
        self.line = line


@dataclass(slots=True, eq=False, repr=False)
class Text:
    """What stands between the tags."""

    text: str


@dataclass(slots=True, eq=False, repr=False)
class Printed:
    """`{{ of }}`."""

    of: Expression
    line: int


@dataclass(slots=True, eq=False, repr=False)
class If:
    """`{% if %}`, each `{% elif %}` and `{% else %}`: the last one's test is None."""

    branches: list[tuple[Expression | None, list["Node"]]]
    line: int


@dataclass(slots=True, eq=False, repr=False)
class For:
    """`{% for names in over if test %}`."""

    names: Sequence[str]
    over: Expression
    test: Expression | None
    body: list["Node"]
    line: int


@dataclass(slots=True, eq=False, repr=False)
class Include:
    """`{% include "name" %}`."""

    name: str
    line: int


Node = Text | Printed | If | For | Include


@dataclass(slots=True, eq=False, repr=False)
class Template:
    """A template that was read."""

    name: str
    body: list[Node]


def parse(text: str, name: str) -> Template:
    """Read a template. Raises Broken, with Beyond as its cause where Jinja2 might read it."""
    return Template(name, _Reader(text, name).whole())


class _Reader:
    """Turns the text into nodes; the innermost open tag is the last of `open`."""

    def __init__(self, text: str, name: str) -> None:
        self.text, self.name = text, name
        self.body: list[Node] = []
        self.open: list[tuple[If | For, list[Node]]] = []
        self.line = 1

    def whole(self) -> list[Node]:
        place, strip = 0, False
        for found in _TAG.finditer(self.text):
            start, alone = found.start(), self._at_line_start(found)
            is_value = found["value"] is not None
            if not is_value and not alone:
                start += len(found["lead"])
            before = self.text[place:start]
            before = before.lstrip() if strip else before
            if (found["before"] if is_value else found["left"]) == "-":
                before = before.rstrip()
            self._text(before, open_=self.text[start - 1 : start + 1] == "{{")
            self.line = self.text.count("\n", 0, found.start()) + 1
            self._tag(found)
            strip = (found["after"] if is_value else found["right"]) == "-"
            place = found.end()
        rest = self.text[place:].lstrip() if strip else self.text[place:]
        self._text(rest)
        if self.open:
            raise Broken(msg("a tag is not closed"), self.name, self.open[-1][0].line)
        return self.body

    def _text(self, text: str, *, open_: bool = False) -> None:
        """`open_`: the text's last letter and the next one begin a tag together."""
        if open_ or _HALF.search(text):
            problem = msg("a tag is not closed")
            raise Broken(problem, self.name, self.line) from Beyond(problem)
        if text:
            self.body.append(Text(text))

    def _at_line_start(self, found: re.Match[str]) -> bool:
        start = found.start()
        return start == 0 or self.text[start - 1] == "\n"

    def _tag(self, found: re.Match[str]) -> None:
        try:
            if found["value"] is not None:
                self.body.append(Printed(syntax.parse(found["value"]), self.line))
            elif found["tag"] is not None:
                self._statement(found["tag"])
        except Beyond as error:
            raise Broken(error.problem, self.name, self.line) from error

    def _statement(self, tag: str) -> None:
        word, _, rest = tag.partition(" ")
        if word == "if":
            branch: list[Node] = []
            self._enter(If([(syntax.parse(rest, choice=False), branch)], self.line), branch)
        elif word == "for":
            self._for(tag)
        elif word in ("elif", "else") and self.open and isinstance(self.open[-1][0], If):
            self.body = []
            test = syntax.parse(rest, choice=False) if word == "elif" else None
            self.open[-1][0].branches.append((test, self.body))
        elif word in ("endif", "endfor") and self.open:
            node, self.body = self.open.pop()
            if isinstance(node, If) is not (word == "endif"):
                raise Beyond(msg("{word} closes another tag", word=word))
        elif include := _INCLUDE.fullmatch(tag):
            self.body.append(Include(include[1], self.line))
        else:
            raise Beyond(msg("there is no tag {word}", word=word))

    def _for(self, tag: str) -> None:
        found = _FOR.fullmatch(tag)
        if not found:
            raise Beyond(msg("there is no tag {word}", word="for"))
        over, test = found[2], None
        if filtered := _FOR_IF.fullmatch(over):
            over, test = filtered[1], syntax.parse(filtered[2])
        names = [name.strip() for name in found[1].split(",")]
        body: list[Node] = []
        listed = syntax.parse(over, choice=False)
        self._enter(For(names, listed, test, body, self.line), body)

    def _enter(self, node: If | For, body: list[Node]) -> None:
        self.body.append(node)
        self.open.append((node, self.body))
        self.body = body


@dataclass(slots=True, eq=False, repr=False)
class Printer:
    """Prints one file. `load` gives a template by its name."""

    load: Callable[[str], Template]
    out: list[str] = field(default_factory=list)
    letters: int = 0
    rounds: int = 0
    until: float = field(default_factory=lambda: time.monotonic() + MOST_SECONDS)
    depth: int = 0

    def print(self, name: str, values: Mapping[str, object]) -> str:
        """The template's text. Raises Broken."""
        self._template(self.load(name), values)
        return "".join(self.out)

    def _template(self, template: Template, scope: Scope) -> None:
        self.depth += 1
        if self.depth > MOST_DEPTH:
            raise Broken(msg("it includes itself"), template.name, 1)
        self._body(template.body, scope, template.name)
        self.depth -= 1

    def _body(self, body: Iterable[Node], scope: Scope, name: str) -> None:
        for node in body:
            if isinstance(node, Text):
                self._add(node.text, name, 1)
                continue
            try:
                self._node(node, scope, name)
            except syntax.Undefined as error:
                raise Broken(error.problem, name, node.line) from error
            except (escape.NotWritable, TypeError) as error:
                raise Broken(str(error), name, node.line) from error

    def _node(self, node: Printed | If | For | Include, scope: Scope, name: str) -> None:
        if isinstance(node, Printed):
            value = node.of.value(scope)
            if not isinstance(value, escape.Written):
                raise escape.NotWritable(f"printed without a filter: {value!r:.60}")
            self._add(value, name, node.line)
        elif isinstance(node, If):
            for test, body in node.branches:
                if test is None or test.value(scope):
                    self._body(body, scope, name)
                    break
        elif isinstance(node, For):
            self._loop(node, scope, name)
        else:
            self._template(self.load(node.name), scope)

    def _loop(self, node: For, scope: Scope, name: str) -> None:
        inside = dict(scope)
        rounds = list(self._rounds(node, inside, name))
        last = len(rounds) - 1
        for index, values in enumerate(rounds):
            inside.update(values)
            inside["loop"] = {
                "index": index + 1, "index0": index, "first": index == 0, "last": index == last
            }  # fmt: skip
            self._body(node.body, inside, name)

    def _rounds(
        self, node: For, scope: dict[str, object], name: str
    ) -> Iterator[dict[str, object]]:
        """The loop's variables in each of its rounds."""
        over = node.over.value(scope)
        if not isinstance(over, Iterable) or isinstance(over, str):
            raise TypeError(f"a loop over {over!r:.40}")
        for one in over:
            self._count(name, node.line)
            values = (one,) if len(node.names) == 1 else tuple(one)
            if len(values) != len(node.names):
                raise TypeError(f"a loop over {len(values)} things with {len(node.names)} names")
            named = dict(zip(node.names, values, strict=True))
            if node.test is None or node.test.value({**scope, **named}):
                yield named

    def _count(self, name: str, line: int) -> None:
        self.rounds += 1
        if self.rounds > MOST_ROUNDS or time.monotonic() > self.until:
            raise Broken(TOO_LONG, name, line)

    def _add(self, text: str, name: str, line: int) -> None:
        self.letters += len(text)
        if self.letters > MOST_LETTERS:
            raise Broken(TOO_LARGE, name, line)
        self.out.append(text)
