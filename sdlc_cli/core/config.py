"""YAML files that users write -> frozen msgspec Structs, with every mistake at once.

A file is described by Structs alone: `Annotated` limits, the units of `core.units`, and two
hooks. `Sections` in `Meta.extra` makes a mapping whose keys choose the type of their values;
a Struct's method `mistakes` says what its fields cannot say one by one (see `Checked`).

How values are read:

* words mean what YAML 1.2 says (`core.scalars`);
* text fields take an unquoted number as it is written: `3.10` stays `"3.10"`;
* a section that is written without content has all its defaults;
* `${NAME}` is replaced in values, never in keys and never in commands; what comes out is text,
  and is read as a number or as true or false where the field wants that.
"""

import contextlib
import os
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import NoReturn, Protocol, TypeVar, cast, runtime_checkable

import msgspec
from msgspec import inspect

from sdlc_cli.core import values
from sdlc_cli.core.errors import ConfigError
from sdlc_cli.core.files import read_regular
from sdlc_cli.core.i18n import Message, msg, rebuild
from sdlc_cli.core.nearest import nearest
from sdlc_cli.core.scalars import VariableError, shown, substitute
from sdlc_cli.core.sections import Key, Sections
from sdlc_cli.core.values import Refused, Word
from sdlc_cli.core.yaml_tree import MAX_NODES, Listing, Node, Scalar, Section, TreeError, compose

T = TypeVar("T", bound=msgspec.Struct)

MAX_BYTES = 1_000_000
MAX_PROBLEMS = 100


@runtime_checkable
class Checked(Protocol):
    """A Struct whose fields must fit together. Called once all of them have a value.

    A mistake is told with the path below the Struct that it belongs to, `()` for itself. It
    is dropped where something at, above or below that path was wrong already, because the
    value is then only a stand-in.
    """

    def mistakes(self) -> Iterable[tuple[Key, Message]]:
        """What is wrong with the fields together."""
        ...


def load(
    path: Path, type_: type[T], environ: Mapping[str, str] | None = os.environ, *, hint: str = ""
) -> T:
    """The file at `path` as a `type_`. `environ` None: `${NAME}` is left as it is.

    Raises ConfigError with one problem `FILE:LINE: key.path: what is wrong` for each mistake.
    """
    return read(_text(path, hint), _displayed(path), type_, environ, hint=hint)


def read(
    text: str,
    name: str,
    type_: type[T],
    environ: Mapping[str, str] | None = os.environ,
    *,
    hint: str = "",
    most: int = MAX_NODES,
) -> T:
    """`text` as a `type_`; `name` is what its problems call the file. Raises ConfigError.

    A text of more than `most` values is refused.
    """
    return _checked(lambda: compose(text, most=most), name, type_, environ, hint)


def read_tree(tree: Section, name: str, type_: type[T], *, hint: str = "") -> T:
    """As `read`, of a tree that was made from another kind of file. No variable is replaced."""
    return _checked(lambda: tree, name, type_, None, hint)


def _checked(
    tree_of: Callable[[], Node | None],
    name: str,
    type_: type[T],
    environ: Mapping[str, str] | None,
    hint: str,
) -> T:
    reader = _Reader(environ, name)
    try:
        tree = tree_of()
        if tree is None or (isinstance(tree, Scalar) and tree.plain and not tree.text):
            reader.report(1, (), msg("the file is empty"))
        elif not isinstance(tree, Section):
            reader.report(tree.line, (), msg("the file must be made of keys and their values"))
        else:
            value = reader.read(inspect.type_info(type_), tree, (), tree.line)
    except TreeError as error:
        reader.report(error.line, error.path, error.message)
    except _Enough:
        pass
    if reader.problems:
        raise _as_error(reader.problems, name, hint)
    return cast(T, value)


def place(path: Key) -> str:
    """`("gates", "performance", "benchmarks", 0)` as `gates.performance.benchmarks[0]`."""
    text = ""
    for key in path:
        if isinstance(key, int):
            text += f"[{key}]"
            continue
        word = shown(key, 40)
        plain = word.replace("-", "_").isalnum() or word.replace("-", "_").isidentifier()
        text += ("." if text else "") + (word if plain else f"'{word}'")
    return text


@dataclass(frozen=True, slots=True, kw_only=True)
class _Problem:
    line: int
    path: Key
    message: str


class _Enough(Exception):
    """So many problems that more would not help."""


@dataclass(frozen=True, slots=True)
class _Fields:
    """The fields of a Struct: those that are read, by key; where its place goes; the needed."""

    read: Mapping[str, inspect.Field]
    places: tuple[str, ...]
    needed: tuple[inspect.Field, ...]

    @classmethod
    def of(cls, type_: inspect.StructType) -> "_Fields":
        places = tuple(f.name for f in type_.fields if values.is_place(f.type))
        read = {f.encode_name: f for f in type_.fields if f.name not in places}
        return cls(read, places, tuple(f for f in type_.fields if f.required))


class _Reader:
    """Walks types and nodes together. A value that is wrong is reported, and a stand-in given."""

    def __init__(self, environ: Mapping[str, str] | None, name: str) -> None:
        self.environ = environ
        self.name = name  # of the file, for those who want to know where a value stands
        self.problems: list[_Problem] = []
        self.secrets: dict[str, str] = {}  # what variables were replaced by -> as it is written
        self._options: dict[int, tuple[values.Option, ...]] = {}  # by the id of a type
        self._fields: dict[int, _Fields] = {}  # as well
        self._checked: dict[type, bool] = {}

    def report(self, line: int, path: Key, message: str) -> None:
        self.problems.append(_Problem(line=line, path=path, message=message))
        if len(self.problems) >= MAX_PROBLEMS:
            raise _Enough

    def read(self, type_: inspect.Type, node: Node, path: Key, line: int) -> object:
        """The value of `node`; `line` is where a person would look for it."""
        try:
            return self._convert(type_, node, path, line)
        except (Refused, VariableError) as error:
            self.report(line, path, error.message)
            return stand_in(type_)

    def _convert(self, type_: inspect.Type, node: Node, path: Key, line: int) -> object:
        options = self._options.get(id(type_))
        if options is None:
            options = self._options[id(type_)] = values.choices(type_)
        word = self._word(node, options)
        chosen = values.choose(options, node, word)
        match chosen.type:
            case inspect.StructType() as struct:
                return self._struct(struct, node, path, line)
            case inspect.DictType() as table:
                sections = chosen.extra.get("sections")
                values.check_length(table, cast(Section, node).pairs)
                if isinstance(sections, Sections):
                    return self._sections(sections, cast(Section, node), path)
                return self._dict(table, cast(Section, node), path)
            case inspect.VarTupleType() | inspect.ListType() as many if not chosen.unit:
                items = tuple(
                    self.read(many.item_type, item, (*path, i), item.line)
                    for i, item in enumerate(cast(Listing, node).items)
                )
                values.check_length(many, items)
                return list(items) if isinstance(many, inspect.ListType) else items
        return values.convert(chosen, node, word)

    def _word(self, node: Node, options: tuple[values.Option, ...]) -> Word | None:
        if not isinstance(node, Scalar):
            return None
        if (
            "${" not in node.text
            or self.environ is None
            or any(option.unit == "command" for option in options)
        ):
            return Word(node.text, node.plain, replaced=False)
        text = substitute(node.text, self.environ)
        if text != node.text:
            self.secrets[text] = node.text
        return Word(text, node.plain, replaced=True, written=node.text)

    def _entries(self, node: Section, path: Key) -> list[tuple[str, Scalar, Node]]:
        """Pairs by their key's text; a second one of the same name is reported and dropped."""
        found: dict[str, tuple[Scalar, Node]] = {}
        for key, value in node.pairs:
            if key.text in found:
                first = found[key.text][0].line
                message = msg("written twice, first in line {line}", line=first)
                self.report(key.line, (*path, key.text), message)
            else:
                found[key.text] = (key, value)
        return [(name, key, value) for name, (key, value) in found.items()]

    def _struct(self, type_: inspect.StructType, node: Node, path: Key, line: int) -> object:
        known = self._fields.get(id(type_))
        if known is None:
            known = self._fields[id(type_)] = _Fields.of(type_)
        fields = known.read
        entries = self._entries(node, path) if isinstance(node, Section) else []
        given: dict[str, object] = dict.fromkeys(known.places, f"{self.name}:{line}")
        for name, key, value in entries:
            if name in fields:
                field = fields[name]
                given[field.name] = self.read(field.type, value, (*path, name), key.line)
            else:
                self.report(key.line, (*path, name), unknown_key(name, fields))
        written = {name for name, _, _ in entries} if known.needed else set()
        for field in known.needed:
            if field.encode_name not in written:
                self.report(line, (*path, field.encode_name), msg("missing, and needed here"))
            if field.name not in given:
                given[field.name] = stand_in(field.type)
        made = type_.cls(**given)
        if self._is_checked(type_.cls) and isinstance(made, Checked):
            self._cross_check(made, node, path, line)
        return made

    def _is_checked(self, cls: type) -> bool:
        """Asked once of each class: the protocol itself takes long to answer."""
        if cls not in self._checked:
            self._checked[cls] = issubclass(cls, Checked)
        return self._checked[cls]

    def _cross_check(self, made: Checked, node: Node, path: Key, line: int) -> None:
        wrong = [problem.path for problem in self.problems]
        for below, message in made.mistakes():
            full = (*path, *below)
            if not any(_overlap(full, other) for other in wrong):
                self.report(_line_of(node, below, line), full, self._unsubstituted(message))

    def _unsubstituted(self, message: Message) -> Message:
        """`message` with values that came from variables as they are written in the file."""
        args = {
            name: self.secrets.get(value, value) if isinstance(value, str) else value
            for name, value in message.args.items()
        }
        return rebuild(message.template, args)

    def _dict(self, type_: inspect.DictType, node: Section, path: Key) -> dict[object, object]:
        made: dict[object, object] = {}
        lines: dict[object, int] = {}
        for name, key, value in self._entries(node, path):
            here = (*path, name)
            try:
                word = Word(key.text, plain=False, replaced=True)  # `true: x` and `"1": x` too
                wanted = values.choose(values.choices(type_.key_type), key, word)
                read_key = values.convert(wanted, key, word)
            except Refused as error:
                self.report(key.line, here, error.message)
                continue
            if read_key in made:  # 1 and 0x1
                message = msg("written twice, first in line {line}", line=lines[read_key])
                self.report(key.line, here, message)
                continue
            lines[read_key] = key.line
            made[read_key] = self.read(type_.value_type, value, here, key.line)
        return made

    def _sections(self, sections: Sections, node: Section, path: Key) -> dict[str, object]:
        made: dict[str, object] = {}
        for name, key, value in self._entries(node, path):
            here = (*path, name)
            chosen = sections.known.get(name)
            if chosen is None:
                tagged = isinstance(value, Section) and any(
                    inner.text == sections.tag for inner, _ in value.pairs
                )
                if not tagged:
                    message = sections.refuse(shown(name, 40), nearest(name, sections.known))
                    self.report(key.line, here, message)
                    continue
                if not re.fullmatch(sections.name, name):
                    self.report(key.line, here, sections.misnamed(shown(name, 40)))
                chosen = sections.other
            made[name] = self.read(inspect.type_info(chosen), value, here, key.line)
        return made


def unknown_key(name: str, known: Iterable[str]) -> Message:
    """The complaint about a key that is none of `known`."""
    known = list(known)
    if near := nearest(name, known):
        return msg("unknown key (nearest: '{nearest}')", nearest=near)
    return msg("unknown key; there are: {known}", known=", ".join(known))


def stand_in(type_: inspect.Type) -> object:
    """Some value of `type_`, so that what is around a wrong value can still be checked."""
    match type_:
        case inspect.Metadata():
            return stand_in(type_.type)
        case inspect.UnionType():
            return stand_in(type_.types[-1])
        case inspect.LiteralType():
            return type_.values[0]
        case inspect.StructType():
            needed = {f.name: stand_in(f.type) for f in type_.fields if f.required}
            return type_.cls(**needed)
        case inspect.VarTupleType():
            return ()
        case inspect.ListType():
            return []
        case inspect.DictType():
            return {}
        case inspect.StrType():
            return ""
        case inspect.NoneType():
            return None
        case inspect.DecimalType():
            return Decimal(0)
        case inspect.DateType():
            return date.min
    return 0


def _overlap(one: Key, other: Key) -> bool:
    shared = min(len(one), len(other))
    return one[:shared] == other[:shared]


def _line_of(node: Node, path: Key, line: int) -> int:
    """The line of what lies at `path` below `node`, as deep as it is written."""
    for key in path:
        if isinstance(node, Section) and isinstance(key, str):
            found = next(((k, v) for k, v in node.pairs if k.text == key), None)
            if found is None:
                return line
            line, node = found[0].line, found[1]
        elif isinstance(node, Listing) and isinstance(key, int) and key < len(node.items):
            node = node.items[key]
            line = node.line
        else:
            return line
    return line


def _as_error(problems: list[_Problem], name: str, hint: str) -> ConfigError:
    lines: list[Message] = []
    for problem in sorted(problems, key=lambda problem: problem.line):
        at = f"{name}:{problem.line}"
        if problem.path:
            at += f": {place(problem.path)}"
        lines.append(msg("{at}: {problem}", at=at, problem=problem.message))
    if len(problems) >= MAX_PROBLEMS:
        lines.append(msg("{file}: only the first {n} mistakes are shown", file=name, n=len(lines)))
    if len(problems) == 1:
        return ConfigError(msg("{file} has a mistake", file=name), hint=hint, problems=lines)
    summary = msg("{file} has {n} mistakes", file=name, n=len(problems))
    return ConfigError(summary, hint=hint, problems=lines)


def _displayed(path: Path) -> str:
    with contextlib.suppress(ValueError, OSError):
        path = path.relative_to(Path.cwd())
    return shown(str(path), 300)


def _text(path: Path, hint: str) -> str:
    name = _displayed(path)

    def refuse(message: Message, line: int = 0) -> NoReturn:
        at = f"{name}:{line}" if line else name
        raise ConfigError(msg("{at}: {problem}", at=at, problem=message), hint=hint)

    try:
        if path.is_dir():
            refuse(msg("is a folder, not a file"))
        data = read_regular(os.path.realpath(path), MAX_BYTES + 1)
        if data is None:
            refuse(msg("is not a regular file"))
        if len(data) > MAX_BYTES:
            refuse(msg("is larger than {limit} bytes", limit=f"{MAX_BYTES:,}"))
    except FileNotFoundError:
        refuse(msg("there is no such file"))
    except OSError as error:
        refuse(msg("cannot be read: {reason}", reason=error.strerror or str(error)))
    except ValueError:  # a NUL in the name
        refuse(msg("there is no such file"))
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        refuse(msg("is not UTF-8 text"), data.count(b"\n", 0, error.start) + 1)
