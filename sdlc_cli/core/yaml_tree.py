"""YAML text -> a tree of nodes that know their line, and nothing is ever constructed.

The tree is built from the parser's events with an own stack, so that neither deep nesting nor
anchors that multiply cost more than the text itself: an alias points to its node, and the size
it would unfold to is counted while building.
"""

import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import msgspec
import yaml

from sdlc_cli.core.i18n import Message, msg
from sdlc_cli.core.sections import Key

MAX_NODES = 100_000  # values in a file, an alias counted as all that it stands for
MAX_DEPTH = 100
_LONGEST_PATH = 20  # keys that a person can follow
LOADER: type[yaml.SafeLoader | yaml.CSafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

_UNPRINTABLE = re.compile(
    "[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]"
)  # what YAML 1.2 allows in a file, section 5.1
_ESCAPED = re.compile("[\0\ud800-\udfff]")  # no path and no argument can hold these
_CORE = "tag:yaml.org,2002:"
_PLAIN_TAGS = {_CORE + name for name in ("null", "bool", "int", "float")}
_COLLECTION_TAGS = {_CORE + "map", _CORE + "seq"}
_BEGINS = {yaml.MappingStartEvent, yaml.SequenceStartEvent}
_ENDS = {yaml.MappingEndEvent, yaml.SequenceEndEvent}


class TreeError(Exception):
    """The text is not YAML that we read. Only the first such place is known.

    `path` leads to a value that is written in a way we do not read; () for the file's own form.
    """

    def __init__(self, line: int, message: Message) -> None:
        super().__init__(message)
        self.line = line
        self.message = message
        self.path: Key = ()


class Scalar(msgspec.Struct, frozen=True):
    """One value as it is written. `plain` is False where quotes or a tag make it text."""

    line: int
    text: str
    plain: bool


class Listing(msgspec.Struct, frozen=True):
    """A YAML sequence."""

    line: int
    items: "tuple[Node, ...]"


class Section(msgspec.Struct, frozen=True):
    """A YAML mapping, duplicate keys and all; `<<` is already merged in."""

    line: int
    pairs: "tuple[tuple[Scalar, Node], ...]"


Node = Scalar | Listing | Section


@dataclass(slots=True)
class _Open:
    """A collection whose end has not come yet. `size` counts it and all below."""

    line: int
    mapping: bool
    anchor: str | None
    children: list[Node] = field(default_factory=list)
    size: int = 1


def compose(
    text: str,
    loader: type[yaml.SafeLoader | yaml.CSafeLoader] = LOADER,
    *,
    most: int = MAX_NODES,
) -> Node | None:
    """The one document in `text`; None when there is none. Raises TreeError."""
    root: Node | None = None
    for line, document in compose_all(text, loader, most=most):
        if root is not None:
            raise TreeError(line, msg("a second document starts here; keep one file for each"))
        root = document
    return root


def compose_all(
    text: str,
    loader: type[yaml.SafeLoader | yaml.CSafeLoader] = LOADER,
    *,
    most: int = MAX_NODES,
) -> Iterator[tuple[int, Node]]:
    """Each document of `text` that holds something, with its first line. Raises TreeError."""
    if bad := _UNPRINTABLE.search(text):
        raise _unprintable(text, bad, loader)
    try:
        yield from _parsed(text, loader, most)
    except yaml.MarkedYAMLError as error:
        raise _in_words(error, text) from None
    except yaml.YAMLError as error:
        raise TreeError(1, msg("is not YAML: {reason}", reason=str(error))) from None


def _unprintable(
    text: str, bad: re.Match[str], loader: type[yaml.SafeLoader | yaml.CSafeLoader]
) -> TreeError:
    """The complaint about a character, with the value that it stands in where one can be told."""
    error = TreeError(
        text.count("\n", 0, bad.start()) + 1,
        msg("holds the character U+{code}, which YAML does not allow", code=_code(bad[0])),
    )
    mark = next((chr(n) for n in range(0xE000, 0xF900) if chr(n) not in text), "")
    with suppress(TreeError, yaml.YAMLError):
        if mark:
            for _, tree in compose_all(_UNPRINTABLE.sub(mark, text), loader):
                error.path = error.path or _path_of(mark, tree) or ()
    return error


def _path_of(mark: str, node: Node, path: Key = ()) -> Key | None:
    """Where the first value with `mark` in it stands; a key's own place is its section's."""
    if isinstance(node, Scalar):
        return path if mark in node.text else None
    below: Iterable[tuple[str | int, Node]]
    if isinstance(node, Listing):
        below = enumerate(node.items)
    else:
        if any(mark in key.text for key, _ in node.pairs):
            return path
        below = ((key.text, value) for key, value in node.pairs)
    found = (_path_of(mark, item, (*path, key)) for key, item in below)
    return next((one for one in found if one is not None), None)


def _parsed(
    text: str, loader: type[yaml.SafeLoader | yaml.CSafeLoader], most: int
) -> Iterator[tuple[int, Node]]:
    parser = loader(text)
    try:
        yield from _build(iter(parser.get_event, None), most)
    finally:
        parser.dispose()


def _build(events: Iterator[Any], most: int) -> Iterator[tuple[int, Node]]:
    """Collect events into nodes; a node is complete when its end event comes.

    Big files have a million events: what most of them are is asked first.
    """
    anchors: dict[str, tuple[Node, int] | None] = {}  # None: still open, so an alias would loop
    stack: list[_Open] = []
    began = 1
    for event in events:
        kind = type(event)
        try:
            if kind is yaml.ScalarEvent:
                done: tuple[Node, int] = (_scalar(event), 1)
                anchor = event.anchor
            elif kind in _ENDS:
                top = stack.pop()
                anchor = top.anchor
                done = _closed(top), top.size
            elif kind in _BEGINS:
                stack.append(_open(event, len(stack)))
                if event.anchor:
                    anchors[event.anchor] = None
                continue
            elif kind is yaml.AliasEvent:
                done = _aliased(event, anchors)
                anchor = None
            elif kind is yaml.StreamEndEvent:
                return
            else:
                if kind is yaml.DocumentStartEvent:
                    began = _line(event)
                    anchors.clear()
                continue
        except TreeError as error:
            error.path = _path(stack)
            raise
        if anchor:
            anchors[anchor] = done
        if stack:
            around = stack[-1]
            around.children.append(done[0])
            around.size += done[1]
            if around.size > most:
                raise _too_many(most, _line(event))
        else:
            yield began, done[0]


def _path(stack: list[_Open]) -> Key:
    """Where the next node would stand: below the key, or as the item, that each level is at."""
    path: list[str | int] = []
    for level in stack:
        if not level.mapping:
            path.append(len(level.children))
        elif len(level.children) % 2 and isinstance(key := level.children[-1], Scalar):
            path.append(key.text)
    return tuple(path) if len(path) <= _LONGEST_PATH else ()


def _open(event: yaml.CollectionStartEvent, depth: int) -> _Open:
    if depth >= MAX_DEPTH:
        raise TreeError(_line(event), msg("nested deeper than {limit} levels", limit=MAX_DEPTH))
    if event.tag not in (None, "!", *_COLLECTION_TAGS):
        raise _tagged(event)
    return _Open(_line(event), isinstance(event, yaml.MappingStartEvent), event.anchor)


def _closed(top: _Open) -> Node:
    return _section(top) if top.mapping else Listing(top.line, tuple(top.children))


def _aliased(
    event: yaml.AliasEvent, anchors: dict[str, tuple[Node, int] | None]
) -> tuple[Node, int]:
    name = event.anchor
    if name not in anchors:
        raise TreeError(_line(event), msg("there is no anchor '&{name}' before this", name=name))
    found = anchors[name]
    if found is None:
        message = msg("the alias '*{name}' stands inside its own anchor and never ends", name=name)
        raise TreeError(_line(event), message)
    return found


def _too_many(most: int, line: int) -> TreeError:
    message = msg(
        "holds more than {limit} values, each alias counted as all it stands for", limit=f"{most:,}"
    )
    return TreeError(line, message)


def _scalar(event: yaml.ScalarEvent) -> Scalar:
    if event.style == '"' and (bad := _ESCAPED.search(event.value)):
        message = msg("holds the character U+{code}, written as \\…", code=_code(bad[0]))
        raise TreeError(_line(event), message)
    if event.tag is None or event.tag in _PLAIN_TAGS:
        return Scalar(_line(event), event.value, plain=not event.style)
    if event.tag in ("!", _CORE + "str"):
        return Scalar(_line(event), event.value, plain=False)
    raise _tagged(event)


def _section(top: _Open) -> Section:
    """Pairs from the flat children, with what `<<` brings in for keys that are not written."""
    pairs: list[tuple[Scalar, Node]] = []
    merged: list[tuple[Scalar, Node]] = []
    for key, value in zip(top.children[::2], top.children[1::2], strict=True):
        if not isinstance(key, Scalar):
            raise TreeError(key.line, msg("a key must be one word, not a list or a section"))
        if key.plain and key.text == "<<":
            merged += _merge(key.line, value)
        else:
            pairs.append((key, value))
    seen = {key.text for key, _ in pairs}
    for key, value in merged:
        if key.text not in seen:
            seen.add(key.text)
            pairs.append((key, value))
    return Section(top.line, tuple(pairs))


def _merge(line: int, value: Node) -> list[tuple[Scalar, Node]]:
    parts = value.items if isinstance(value, Listing) else (value,)
    pairs: list[tuple[Scalar, Node]] = []
    for part in parts:
        if not isinstance(part, Section):
            message = msg("'<<' merges a section of keys, or a list of them; this is neither")
            raise TreeError(line, message)
        pairs += part.pairs
    return pairs


def _tagged(event: yaml.NodeEvent) -> TreeError:
    shown = event.tag.removeprefix(_CORE)[:40]  # type: ignore[attr-defined]
    return TreeError(_line(event), msg("the tag '!{tag}' is not supported", tag=shown.lstrip("!")))


def _in_words(error: yaml.MarkedYAMLError, text: str) -> TreeError:
    """The parser's complaint, in words for people who do not know its grammar."""
    mark = error.problem_mark or error.context_mark
    line = mark.line if mark else 0
    problem = error.problem or ""
    lines = re.split(r"\r\n|[\r\n\x85\u2028\u2029]", text)
    written = lines[line] if line < len(lines) else ""
    indent = written[: len(written) - len(written.lstrip(" \t"))]
    if "\t" in indent or "tab character" in problem or "'\\t'" in problem:
        return TreeError(line + 1, msg("a tab stands where YAML wants spaces"))
    began = error.context_mark.line if error.context_mark else line
    if "quoted scalar" in (error.context or "") and "end of stream" in problem:
        return TreeError(began + 1, msg("the quote that opens here is never closed"))
    if "a flow " in (error.context or ""):
        return TreeError(
            began + 1, msg("the bracket that opens here is not closed, or lacks a ','")
        )
    return TreeError(line + 1, _explained(problem))


def _explained(problem: str) -> Message:
    if "mapping values are not allowed" in problem:
        return msg("a ':' too many, or the line is indented wrongly; quote text that holds ': '")
    if "cannot start any token" in problem:
        return msg("a value starts with a character that needs quotes around the value")
    if "nesting depth" in problem:  # libyaml's own limit; it looks further ahead than we do
        return msg("nested deeper than {limit} levels", limit=MAX_DEPTH)
    if "could not find expected ':'" in problem:
        return msg("a key without its ':'")
    if "block end" in problem or "expected key" in problem or "'-' indicator" in problem:
        return msg("the line does not fit the lines above; is it indented as they are?")
    return msg("is not YAML: {reason}", reason=problem)


def _line(event: yaml.Event) -> int:
    return event.start_mark.line + 1 if event.start_mark else 1


def _code(letter: str) -> str:
    return f"{ord(letter):04X}"
