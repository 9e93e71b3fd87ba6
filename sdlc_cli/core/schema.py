"""The JSON Schema of a config file, from the same Structs that `core.config` reads it by.

What JSON Schema cannot say is left to the loader: fields that must fit together, amounts with
a unit against their limits, and the pattern of text that is written as a number.
"""

import re
from decimal import Decimal
from inspect import getdoc
from typing import Any

import msgspec
from msgspec import NODEFAULT, inspect

from sdlc_cli.core.exact import percentage
from sdlc_cli.core.scalars import NAME
from sdlc_cli.core.sections import Sections
from sdlc_cli.core.units import BYTE_UNITS, SECOND_UNITS
from sdlc_cli.core.values import Option, is_place, options

DRAFT = "https://json-schema.org/draft/2020-12/schema"
Schema = dict[str, Any]  # JSON has no narrower type: values are nested at will


def build(type_: type[msgspec.Struct], title: str, *, variables: bool = True) -> Schema:
    """The schema of a file that is read as `type_`. `variables`: `${NAME}` is replaced in it."""
    builder = _Builder(variables)
    info = inspect.type_info(type_)
    assert isinstance(info, inspect.StructType)
    top = builder.struct(info)
    shared = dict(sorted(builder.definitions.items()))
    return {"$schema": DRAFT, "title": title, **top, "$defs": shared}


class _Builder:
    def __init__(self, variables: bool) -> None:
        self.variables = variables
        self.definitions: dict[str, Schema] = {}

    def struct(self, type_: inspect.StructType) -> Schema:
        """The object that `type_` is written as."""
        needed = [field.encode_name for field in type_.fields if field.required]
        made: Schema = {
            "type": "object",
            "description": " ".join((getdoc(type_.cls) or "").split()),
            "properties": {
                field.encode_name: self._field(field)
                for field in type_.fields
                if not is_place(field.type)
            },
            "additionalProperties": False,
        }
        if needed:
            made["required"] = needed
        return made

    def _field(self, field: inspect.Field) -> Schema:
        made = self.value(field.type)
        if field.default not in (NODEFAULT, None, ()):  # an empty command may not be written
            made["default"] = _default(field)
        return made

    def value(self, type_: inspect.Type) -> Schema:
        """What may be written for `type_`."""
        members: list[Schema] = []
        for option in options(type_):
            members += [m for m in self._option(option) if m not in members]
        return members[0] if len(members) == 1 else {"anyOf": members}

    def _option(self, option: Option) -> list[Schema]:
        type_ = option.type
        if option.unit:
            return self._unit(option)
        match type_:
            case inspect.NoneType():
                return [{"type": "null"}]
            case inspect.DateType():
                return [{"type": "string", "format": "date", "pattern": _DAY}, *self._variable()]
            case inspect.StructType():
                optional = not any(field.required for field in type_.fields)
                return [self._reference(type_), *([{"type": "null"}] if optional else [])]
            case inspect.DictType():
                return [self._mapping(option, type_)]
            case inspect.VarTupleType() | inspect.ListType():
                return [_sized({"type": "array", "items": self.value(type_.item_type)}, type_)]
            case inspect.StrType():
                return self._text(type_)
            case inspect.LiteralType():
                return [{"enum": _words(type_)}, *self._variable()]
            case inspect.BoolType():
                return [{"type": "boolean"}, *self._variable()]
            case inspect.IntType() | inspect.FloatType():
                return [_number(type_), *self._variable()]
        raise TypeError(f"config files do not read {type_}")

    def _text(self, type_: inspect.StrType) -> list[Schema]:
        made: Schema = {"type": ["string", "number"]}  # 3.12 is read as it is written
        if type_.min_length:
            made["minLength"] = type_.min_length
        if type_.max_length is not None:
            made["maxLength"] = type_.max_length
        if not type_.pattern:
            return [made]
        return [made | {"pattern": type_.pattern}, *self._variable()]

    def _mapping(self, option: Option, type_: inspect.DictType) -> Schema:
        sections = option.extra.get("sections")
        if isinstance(sections, Sections):
            made: Schema = {
                "properties": {
                    name: self.value(inspect.type_info(known))
                    for name, known in sections.known.items()
                },
                "additionalProperties": self.value(inspect.type_info(sections.other)),
                "propertyNames": {"pattern": f"^(?:{sections.name})$"},
            }
        else:
            made = {"additionalProperties": self.value(type_.value_type)}
            (key,) = options(type_.key_type)
            if isinstance(key.type, inspect.LiteralType):
                made["propertyNames"] = {"enum": [str(value) for value in key.type.values]}
            elif isinstance(key.type, inspect.StrType) and key.type.pattern:
                made["propertyNames"] = {"pattern": key.type.pattern}
        return _sized({"type": "object", **made}, type_)

    def _unit(self, option: Option) -> list[Schema]:
        if option.unit == "command":
            return [self._share("Command", _COMMAND)]
        if option.unit == "share":
            return [self._share("Percentage", _PERCENTAGE), *self._variable()]
        if option.unit == "dollars":
            limits = {"minimum": option.extra["least"], "maximum": option.extra["most"]}
            return [{"type": "number", **limits}, *self._variable()]
        name = "Seconds" if option.unit == "seconds" else "Bytes"
        written = self._share(name, _amount(name))
        assert isinstance(option.type, inspect.IntType | inspect.FloatType)
        number = _number(option.type)
        if not number.keys() & {"minimum", "exclusiveMinimum"}:
            number["exclusiveMinimum"] = 0
        return [number, written, *self._variable()]

    def _variable(self) -> list[Schema]:
        return [self._share("Variable", _VARIABLE)] if self.variables else []

    def _reference(self, type_: inspect.StructType) -> Schema:
        name = type_.cls.__name__
        if name not in self.definitions:
            self.definitions[name] = {}  # taken, in case it holds itself
            self.definitions[name] = self.struct(type_)
        return {"$ref": f"#/$defs/{name}"}

    def _share(self, name: str, schema: Schema) -> Schema:
        self.definitions[name] = schema
        return {"$ref": f"#/$defs/{name}"}


_VARIABLE: Schema = {
    "type": "string",
    "description": "${NAME} or ${NAME:-default}, read from the environment.",
    "pattern": rf"\$\{{{NAME}(:-[^}}]*)?\}}",
}
_COMMAND: Schema = {
    "description": "A command line, or the list of its words. No shell reads it.",
    "anyOf": [
        {"type": "string", "pattern": r"\S"},
        {"type": "boolean", "description": "The programs true and false."},
        {"type": "array", "items": {"type": ["string", "number", "boolean"]}, "minItems": 1},
    ],
}


_PERCENTAGE: Schema = {
    "type": "string",
    "description": "A share in percent, with its sign: 80%.",
    "pattern": r"^\s*[0-9]+(\.[0-9]+)?\s*%\s*$",
}
_DAY = "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"


def _words(type_: inspect.LiteralType) -> list[object]:
    """The words, and numbers for those that are read as they are written: 1.34 for "1.34"."""
    words = [str(word) for word in type_.values]
    return [*type_.values, *(float(w) for w in words if re.fullmatch(r"[0-9]+\.[0-9]+", w))]


def _default(field: inspect.Field) -> object:
    """The default as a person would write it."""
    if isinstance(field.default, Decimal):
        share = options(field.type)[0].unit == "share"
        return percentage(field.default) if share else float(field.default)
    return msgspec.to_builtins(field.default)


def _amount(name: str) -> Schema:
    known = SECOND_UNITS if name == "Seconds" else BYTE_UNITS
    return {
        "type": "string",
        "description": f"A number with a unit: {', '.join(known)}.",
        "pattern": rf"^\s*(?=.*[1-9])[0-9]+(\.[0-9]+)?\s*({'|'.join(known)})\s*$",
    }


def _number(type_: inspect.IntType | inspect.FloatType) -> Schema:
    limits = {
        "minimum": type_.ge,
        "exclusiveMinimum": type_.gt,
        "maximum": type_.le,
        "exclusiveMaximum": type_.lt,
    }
    kind = "integer" if isinstance(type_, inspect.IntType) else "number"
    return {"type": kind, **{key: limit for key, limit in limits.items() if limit is not None}}


def _sized(
    made: Schema, type_: inspect.VarTupleType | inspect.ListType | inspect.DictType
) -> Schema:
    what = "Properties" if isinstance(type_, inspect.DictType) else "Items"
    if type_.min_length:
        made[f"min{what}"] = type_.min_length
    if type_.max_length is not None:
        made[f"max{what}"] = type_.max_length
    return made
