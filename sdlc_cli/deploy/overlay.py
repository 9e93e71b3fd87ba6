"""Structs of which every key may be left out, and how one is laid over the whole."""

import types
from collections.abc import Callable, Mapping
from functools import cache, reduce
from operator import or_
from typing import Annotated, Any, TypeVar, Union, cast, get_args, get_origin, get_type_hints

import msgspec
from msgspec import UNSET, UnsetType

from sdlc_cli.core.config import stand_in
from sdlc_cli.core.i18n import Message, msg
from sdlc_cli.core.sections import Key

S = TypeVar("S", bound=msgspec.Struct)
Missing = list[tuple[Key, Message]]

_TWINS: dict[type[msgspec.Struct], type[msgspec.Struct]] = {}


def partial(whole: type[msgspec.Struct], name: str = "") -> type[msgspec.Struct]:
    """The twin of `whole` without a needed key, in all sections below too.

    Entries of its mappings may be null, which takes them away. `name` is its own in a schema.
    """
    if whole not in _TWINS:
        hints = get_type_hints(whole, include_extras=True)
        fields = [(key, _loose(hints[key]) | UnsetType, UNSET) for key in whole.__struct_fields__]
        _TWINS[whole] = msgspec.defstruct(
            name or f"{whole.__name__}Override",
            fields,
            namespace={"__doc__": f"{whole.__doc__ or ''}\n\n    Only what differs."},
            frozen=True,
            kw_only=True,
            forbid_unknown_fields=True,
        )
    return _TWINS[whole]


def twins() -> Mapping[str, type[msgspec.Struct]]:
    """The names of all twins, and what they are twins of."""
    return {twin.__name__: whole for whole, twin in _TWINS.items()}


def lasting(whole: type[msgspec.Struct]) -> frozenset[str]:
    """The keys of `whole` that null does not take away."""
    fields = msgspec.structs.fields(whole)
    return frozenset(f.encode_name for f in fields if type(None) not in get_args(f.type))


def merge(base: object, over: msgspec.Struct, whole: type[S], missing: Missing, at: Key = ()) -> S:
    """`over`, a twin of `whole`, laid over `base`: a `whole`, or anything else for none.

    Needed keys that neither has are told in `missing`, with a stand-in in their place, and so
    is a section without content: whether it meant all defaults or no change, nobody could tell.
    """
    made: dict[str, object] = {}
    for field in _fields(whole):
        value = getattr(over, field.name)
        below = getattr(base, field.name) if isinstance(base, whole) else UNSET
        if below is UNSET and not field.required:
            below = _default(field)
        if value is None and field.encode_name in lasting(whole):
            missing.append(((*at, field.encode_name), msg("holds nothing: leave it out instead")))
            value = UNSET
        if value is UNSET and below is UNSET:
            missing.append(((*at, field.encode_name), msg("missing, and needed here")))
            made[field.name] = stand_in(msgspec.inspect.type_info(cast(type, field.type)))
        else:
            made[field.name] = _over(below, value, missing, (*at, field.encode_name))
    return whole(**made)


@cache
def _fields(whole: type[msgspec.Struct]) -> tuple[msgspec.structs.FieldInfo, ...]:
    return msgspec.structs.fields(whole)  # it evaluates every annotation anew


def _default(field: msgspec.structs.FieldInfo) -> object:
    if field.default is not msgspec.NODEFAULT:
        return field.default
    return cast(Callable[[], object], field.default_factory)()


def _over(base: object, value: object, missing: Missing, at: Key) -> object:
    if value is UNSET:
        return base
    if isinstance(value, msgspec.Struct) and type(value) in _TWINS.values():
        whole = next(one for one, twin in _TWINS.items() if twin is type(value))
        return merge(base, value, whole, missing, at)
    if not isinstance(value, Mapping):
        return value
    made = dict(cast(Mapping[str, object], base)) if isinstance(base, Mapping) else {}
    for key, entry in value.items():
        if entry is None:
            made.pop(key, None)
        else:
            made[key] = _over(made.get(key), entry, missing, (*at, key))
    return made


def _loose(hint: Any) -> Any:  # what annotations may be has no narrower type
    """`hint` with every Struct in it replaced by its twin."""
    origin = get_origin(hint)
    if isinstance(hint, type) and issubclass(hint, msgspec.Struct):
        return partial(hint) | None
    if origin is dict:
        key, value = get_args(hint)
        return dict.__class_getitem__((key, _loose(value) | None))
    if origin in (Union, types.UnionType):
        return reduce(or_, map(_loose, get_args(hint)))
    if origin is Annotated and get_origin(hint.__origin__) is dict:
        return _loose(hint.__origin__)
    return hint
