"""Terraform's HCL -> blocks, attributes and their lines: as much of the language as rules read.

https://github.com/hashicorp/hcl/blob/main/hclsyntax/spec.md. Expressions are not evaluated: an
attribute keeps its tokens, and a literal can be read back from them.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from sdlc_cli.core.i18n import Message, msg

MOST_DEPTH = 60
_TOKEN = re.compile(
    r"(?P<space>[ \t\r]+|(?:#|//)[^\n]*|/\*.*?\*/)"
    r"|(?P<newline>\n)"
    r"|(?P<heredoc><<-?[A-Za-z_][\w-]*[ \t\r]*\n)"
    r"|(?P<name>[A-Za-z_][\w-]*)"
    r"|(?P<number>[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?)"
    r'|(?P<quote>")'
    r"|(?P<mark>==|!=|<=|>=|&&|\|\||=>|\.\.\.|::|[-+*/%<>!?:=.,()\[\]{}])",
    re.DOTALL,
)
_OPEN = {"(": ")", "[": "]", "{": "}"}
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", '"': '"', "\\": "\\"}
_PLAIN_PART = re.compile(r'[^"\\$%\n]+')


class HclError(ValueError):
    """Not HCL that we read."""

    def __init__(self, line: int, message: Message) -> None:
        super().__init__(message)
        self.line = line
        self.message = message


@dataclass(frozen=True, slots=True)
class Token:
    """`kind`: name, number, text, template (text with `${` in it), mark or newline."""

    kind: str
    text: str
    line: int

    def marks(self, text: str) -> bool:
        """Whether it is this mark, and no text that says the same."""
        return self.kind == "mark" and self.text == text


@dataclass(frozen=True, slots=True)
class Attribute:
    """`name = expression`."""

    line: int
    tokens: tuple[Token, ...]

    @property
    def literal(self) -> object:
        """The text, number or truth it says; None where it is any other expression."""
        if len(self.tokens) != 1:
            return None
        token = self.tokens[0]
        if token.kind == "text":
            return token.text
        if token.kind == "number":
            return float(token.text) if re.search(r"[.eE]", token.text) else int(token.text)
        return {"true": True, "false": False}.get(token.text) if token.kind == "name" else None

    @property
    def source(self) -> str:
        """The expression, one space between its tokens."""
        return " ".join(token.text for token in self.tokens if token.kind != "newline")

    @property
    def strings(self) -> list[str]:
        """Every text in it."""
        return [token.text for token in self.tokens if token.kind in ("text", "template")]

    @property
    def is_null(self) -> bool:
        """Whether it says `null`, which is as good as not there."""
        return [token.text for token in self.tokens] == ["null"]

    def refers(self, to: str) -> bool:
        """Whether the name `to` (dotted) occurs in it, also inside a text's `${…}`."""
        compact = "".join(token.text for token in self.tokens)
        return re.search(rf"(?<![\w.]){re.escape(to)}(?![\w-])", compact) is not None


@dataclass(frozen=True, slots=True)
class Block:
    """`kind "label" "label" { … }`."""

    line: int
    kind: str
    labels: tuple[str, ...]
    attributes: Mapping[str, Attribute] = field(default_factory=dict)
    blocks: tuple["Block", ...] = ()

    def get(self, name: str) -> Attribute | None:
        """The attribute, unless it is `null`."""
        found = self.attributes.get(name)
        return None if found is None or found.is_null else found

    def literal(self, name: str) -> object:
        """What the attribute says, where that is a literal."""
        found = self.attributes.get(name)
        return found.literal if found else None

    def all(self, kind: str) -> Iterator["Block"]:
        """The blocks of this kind directly in it, `dynamic` ones by their content."""
        for block in self.blocks:
            if block.kind == kind:
                yield block
            elif block.kind == "dynamic" and block.labels == (kind,):
                yield from (inner for inner in block.blocks if inner.kind == "content")

    def walk(self) -> Iterator["Block"]:
        """This block and all below."""
        yield self
        for block in self.blocks:
            yield from block.walk()


def parse(text: str) -> Block:
    """The file as one block without a name. Raises HclError."""
    tokens = list(_tokens(text))
    body, place = _body(tokens, 0, 0, "", 1, ())
    if place < len(tokens):
        raise HclError(tokens[place].line, msg("a '}}' too many"))
    return body


def _tokens(text: str) -> Iterator[Token]:
    place, line = 0, 1
    while place < len(text):
        match = _TOKEN.match(text, place)
        if match is None:
            raise HclError(line, msg("'{letter}' cannot stand here", letter=text[place]))
        if match[0] == "/" and text.startswith("/*", place):
            raise HclError(line, msg("the comment that opens here is never closed"))
        kind = str(match.lastgroup)
        place = match.end()
        if kind == "quote":
            token, place = _string(text, place, line)
            yield token
            line += text.count("\n", match.start(), place)
            continue
        if kind == "heredoc":
            token, place = _heredoc(text, match, line)
            yield token
        elif kind != "space":
            yield Token(kind, match[0], line)
        line += text.count("\n", match.start(), place)


def _string(text: str, place: int, line: int) -> tuple[Token, int]:
    """The quoted text that began before `place`. Its escapes are undone, its `${…}` are kept."""
    parts: list[str] = []
    template = False
    while place < len(text):
        if match := _PLAIN_PART.match(text, place):
            parts.append(match[0])
            place = match.end()
            continue
        letter = text[place]
        if letter == '"':
            return Token("template" if template else "text", "".join(parts), line), place + 1
        if letter == "\\":
            parts.append(_ESCAPES.get(text[place + 1 : place + 2], text[place : place + 2]))
            place += 2
        elif text.startswith(("$${", "%%{"), place):
            parts.append(text[place + 1 : place + 3])
            place += 3
        elif text.startswith(("${", "%{"), place):
            template = True
            end = _interpolated(text, place + 2, line)
            parts.append(text[place:end])
            place = end
        elif letter == "\n":
            break
        else:
            parts.append(letter)
            place += 1
    raise HclError(line, msg("the quote that opens here is never closed"))


def _interpolated(text: str, place: int, line: int) -> int:
    """The place after the `}` that ends an interpolation, with texts and braces inside it."""
    depth, quotes = 1, False
    stack: list[int] = []  # depths outside the texts that are open
    while place < len(text):
        letter = text[place]
        if quotes:
            if letter == "\\":
                place += 1
            elif letter == '"':
                quotes = False
            elif text.startswith("${", place):
                stack.append(depth)
                depth, quotes = 1, False
                place += 1
        elif letter == '"':
            quotes = True
        elif letter == "{":
            depth += 1
        elif letter == "}":
            depth -= 1
            if not depth and not stack:
                return place + 1
            if not depth:
                depth, quotes = stack.pop(), True
        place += 1
    raise HclError(line, msg("the '${{' that opens here is never closed"))


def _heredoc(text: str, match: re.Match[str], line: int) -> tuple[Token, int]:
    name = match[0].lstrip("<-").strip()
    end = re.compile(rf"^[ \t]*{re.escape(name)}[ \t\r]*$", re.MULTILINE).search(text, match.end())
    if end is None:
        raise HclError(line, msg("the here-document {name} never ends", name=name))
    held = text[match.end() : end.start()]
    kind = "template" if re.search(r"(?<!\$)\$\{|(?<!%)%\{", held) else "text"
    return Token(kind, held, line), end.end()


def _body(
    tokens: list[Token], place: int, depth: int, kind: str, line: int, labels: tuple[str, ...]
) -> tuple[Block, int]:
    """Attributes and blocks up to the `}` that closes this body, or the end of the file."""
    if depth > MOST_DEPTH:
        raise HclError(line, msg("nested deeper than {limit} levels", limit=MOST_DEPTH))
    attributes: dict[str, Attribute] = {}
    blocks: list[Block] = []
    while place < len(tokens) and not tokens[place].marks("}"):
        token = tokens[place]
        if token.kind == "newline":
            place += 1
            continue
        if token.kind not in ("name", "text"):
            raise HclError(token.line, msg("'{letter}' cannot stand here", letter=token.text[:20]))
        after = tokens[place + 1] if place + 1 < len(tokens) else None
        if after is not None and after.marks("="):
            end = _expression(tokens, place + 2)
            attributes[token.text] = Attribute(token.line, tuple(tokens[place + 2 : end]))
            place = end
            continue
        names, place = _labels(tokens, place + 1, token.line)
        inner, place = _body(tokens, place, depth + 1, token.text, token.line, names)
        if place >= len(tokens):
            raise HclError(token.line, msg("the block '{name}' is never closed", name=token.text))
        blocks.append(inner)
        place += 1
    return Block(line, kind, labels, attributes, tuple(blocks)), place


def _labels(tokens: list[Token], place: int, line: int) -> tuple[tuple[str, ...], int]:
    """The words before a block's `{`, and the place after it."""
    names: list[str] = []
    while place < len(tokens) and tokens[place].kind in ("text", "name"):
        names.append(tokens[place].text)
        place += 1
    if place >= len(tokens) or not tokens[place].marks("{"):
        raise HclError(line, msg("neither '=' nor '{{' comes after the name"))
    return tuple(names), place + 1


def _expression(tokens: list[Token], place: int) -> int:
    """The place where the expression ends: its line's end, outside all brackets."""
    open_: list[str] = []
    began = tokens[place - 1].line
    while place < len(tokens):
        token = tokens[place]
        if token.kind == "mark":
            if token.text in _OPEN:
                open_.append(_OPEN[token.text])
            elif token.text in _OPEN.values():
                if not open_:
                    return place
                if open_.pop() != token.text:
                    raise HclError(token.line, msg("'{letter}' closes no bracket of its kind",
                                                   letter=token.text))  # fmt: skip
        elif token.kind == "newline" and not open_:
            return place
        place += 1
    if open_:
        raise HclError(began, msg("the bracket that opens here is not closed, or lacks a ','"))
    return place
