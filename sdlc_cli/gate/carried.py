"""Our values as JSON that gives them back exactly: sentences stay translatable, names whole."""

import math
import re
import string
from collections.abc import Mapping, Sequence, Set
from dataclasses import MISSING, fields, is_dataclass
from functools import lru_cache
from pathlib import PurePath

import msgspec

from sdlc_cli.core.i18n import Message, rebuild

_TEMPLATE = "$template"
TEMPLATE = _TEMPLATE.encode()  # JSON without these bytes holds no sentence to thaw
_ARGS = "args"
SENTENCE = {
    "type": "object",
    "properties": {_TEMPLATE: {"type": "string"}, _ARGS: {"type": "object"}},
    "required": [_TEMPLATE],
    "additionalProperties": False,
    "description": "An English sentence with {names}, and the values they stand for.",
}
_SPEC = re.compile(r",?(?:\.[0-9]{1,2})?[a-z%]?")
Scalar = str | int | float | bool | None


def plain(value: object) -> object:
    """`value` as dicts, lists and scalars. Dataclasses and Structs leave out their defaults.

    A `Message` keeps its template and values. Numbers that JSON does not have become None.
    """
    if isinstance(value, Message):
        return _sentence(value)
    if isinstance(value, str):
        return str(value)
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, PurePath):
        return value.as_posix()
    if isinstance(value, Mapping):
        return {str(key): plain(one) for key, one in value.items()}
    if isinstance(value, Set):
        return sorted(str(one) for one in value)
    if isinstance(value, Sequence):
        return [plain(one) for one in value]
    if is_dataclass(value) and not isinstance(value, type):
        return {
            field.name: plain(one)
            for field in fields(value)
            if (one := getattr(value, field.name)) != _default(field.default)
            and not (field.default_factory is not MISSING and one == field.default_factory())
        }
    if isinstance(value, msgspec.Struct):
        return {
            name: plain(one)
            for name, one in msgspec.structs.asdict(value).items()
            if name not in _optional(type(value)) or one != _optional(type(value))[name]
        }
    return value


def _default(value: object) -> object:
    return value if value is not MISSING else _NOTHING


_NOTHING = object()


def _optional(kind: type[msgspec.Struct]) -> dict[str, object]:
    names = kind.__struct_fields__
    defaults = kind.__struct_defaults__
    return dict(zip(names[len(names) - len(defaults) :], defaults, strict=True))


def _sentence(message: Message) -> object:
    if any(not isinstance(one, Scalar | Message) for one in message.args.values()):
        return str(message)
    args = {name: plain(one) for name, one in message.args.items()}
    return {_TEMPLATE: message.template} | ({_ARGS: args} if args else {})


def thawed(value: object) -> object:
    """What `plain` made, with its sentences; the rest is as JSON has it. Raises ValueError."""
    if isinstance(value, dict):
        if _TEMPLATE in value:
            return _message(value)
        return {key: thawed(one) for key, one in value.items()}
    if isinstance(value, list):
        return [thawed(one) for one in value]
    return value


def is_sentence(value: Mapping[str, object]) -> bool:
    """True for what `plain` makes of a `Message`."""
    return _TEMPLATE in value


def _message(value: Mapping[str, object]) -> Message:
    """A template comes from a file: it may name its values, and not reach into them."""
    template, args = value[_TEMPLATE], value.get(_ARGS, {})
    if not isinstance(template, str) or not isinstance(args, dict):
        raise ValueError("a sentence is not made of a template and its values")
    values = {str(name): thawed(one) for name, one in args.items()}
    if values and not _names(template) <= values.keys():
        raise ValueError(f"a sentence without its values: {template[:80]}")
    return rebuild(template, values)


@lru_cache(maxsize=1000)
def _names(template: str) -> frozenset[str]:
    """The values that a sentence names. Raises ValueError where it does more than that."""
    names = set()
    for _text, name, spec, conversion in string.Formatter().parse(template):
        if name is None:
            continue
        if not name.isidentifier() or conversion or not _SPEC.fullmatch(spec or ""):
            raise ValueError(f"a sentence with an odd value: {template[:80]}")
        names.add(name)
    return frozenset(names)
