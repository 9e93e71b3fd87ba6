"""One written value against one type: does it fit, what does it become, what is wrong with it."""

import math
import re
from collections.abc import Mapping, Sized
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from difflib import get_close_matches

from msgspec import Struct, inspect

from sdlc_cli.core import exact, units
from sdlc_cli.core.i18n import Message, msg
from sdlc_cli.core.scalars import resolve, shown
from sdlc_cli.core.yaml_tree import Listing, Node, Scalar, Section


class Refused(Exception):
    """The value does not fit."""

    def __init__(self, message: Message) -> None:
        super().__init__(message)
        self.message = message


class Word(Struct, frozen=True):
    """A scalar's text once variables are replaced. What was replaced is never null.

    `written` is the text before that: variables may hold secrets, so it is what errors show.
    """

    text: str
    plain: bool
    replaced: bool
    written: str | None = None

    @property
    def told(self) -> str:
        """The text that an error may show."""
        return self.text if self.written is None else self.written

    @property
    def value(self) -> bool | int | float | str | None:
        """What the word means where quotes or their absence decide."""
        return resolve(self.text) if self.plain and not self.replaced else self.text

    @property
    def loose(self) -> bool | int | float | str | None:
        """As `value`, but text from a variable may mean a number or a truth too."""
        value = resolve(self.text) if self.replaced else self.value
        return self.text if value is None and self.replaced else value


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """One member of a type, with what `Meta` says about it beside its limits.

    `unit` is `seconds`, `bytes`, `command`, one of those in `core.exact`, or nothing.
    """

    type: inspect.Type
    extra: Mapping[str, object] = field(default_factory=dict)
    example: str = ""
    unit: str = ""


def options(type_: inspect.Type) -> tuple[Option, ...]:
    """The types that a value may have; one unless `type_` is a union."""
    if isinstance(type_, inspect.UnionType):
        return tuple(option for part in type_.types for option in options(part))
    if not isinstance(type_, inspect.Metadata):
        return (Option(type=type_),)
    examples = (type_.extra_json_schema or {}).get("examples") or [""]
    return tuple(
        Option(
            type=o.type,
            extra=type_.extra or o.extra,
            example=str(examples[0]) or o.example,
            unit=str((type_.extra or o.extra).get("unit", "")),
        )
        for o in options(type_.type)
    )


def choices(type_: inspect.Type) -> tuple[Option, ...]:
    """The options in the order in which a value is held against them: nothing first."""
    return tuple(sorted(options(type_), key=lambda o: not isinstance(o.type, inspect.NoneType)))


def is_place(type_: inspect.Type) -> bool:
    """True for a field that the reader fills with where its section stands."""
    return isinstance(type_, inspect.Metadata) and (type_.extra or {}).get("unit") == "place"


def choose(among: tuple[Option, ...], node: Node, word: Word | None) -> Option:
    """The one of `choices` that `node` is written as. Raises Refused when it is none of them.

    Null is nothing where that is an option, else a section with all its defaults.
    """
    for option in among:
        if _fits(option, node, word):
            return option
    named = [o for o in among if not isinstance(o.type, inspect.NoneType)] or list(among)
    wanted = _wanted(named[0])
    for option in named[1:]:
        wanted = msg("{one} or {other}", one=wanted, other=_wanted(option))
    raise Refused(msg("wants {wanted}, found {found}", wanted=wanted, found=_found(node, word)))


def _fits(option: Option, node: Node, word: Word | None) -> bool:
    """True when it is the right kind of thing; its limits are `convert`'s to check."""
    if word is None:
        if isinstance(node, Section):
            return isinstance(option.type, inspect.StructType | inspect.DictType)
        return isinstance(option.type, inspect.VarTupleType | inspect.ListType)
    value = word.value
    loose = word.loose if word.replaced else value  # the same, and dear to find
    match option.type:
        case inspect.NoneType() | inspect.StructType():
            return value is None
        case _ if option.unit == "command":
            return isinstance(value, str | bool)  # `true` and `false` are programs too
        case inspect.BoolType():
            return isinstance(loose, bool)
        case inspect.IntType() | inspect.FloatType():
            return _is_number(loose) or (bool(option.unit) and isinstance(value, str))
        case inspect.DecimalType():
            return isinstance(loose, str) if option.unit == "share" else _is_number(loose)
        case inspect.DateType():
            return isinstance(value, str)
        case inspect.StrType():
            return isinstance(value, str) or _is_number(value)
        case inspect.LiteralType():
            return value is not None
    return False


def convert(option: Option, node: Node, word: Word | None) -> object:
    """The value. `option` was chosen for it. Raises Refused when it breaks a limit."""
    match option.type:
        case _ if option.unit == "command":
            return _command(node, word)
        case inspect.NoneType():
            return None
        case inspect.BoolType() if word:
            return word.loose
        case inspect.IntType() | inspect.FloatType() as number if word:
            return _number(option, number, word)
        case inspect.DecimalType() if word:
            return _exact(option, word)
        case inspect.DateType() if word:
            return _day(word)
        case inspect.StrType() as text if word:
            return _text(option, text, word)
        case inspect.LiteralType() as literal if word:
            return _literal(literal, node, word)
    raise TypeError(f"config files do not read {option.type}")


def check_length(
    type_: inspect.VarTupleType | inspect.ListType | inspect.DictType, value: Sized
) -> None:
    """Raises Refused when there are too few or too many items."""
    least, most = type_.min_length, type_.max_length
    if least is not None and len(value) < least:
        if least == 1:
            raise Refused(msg("must not be empty"))
        raise Refused(msg("must hold at least {n} items, found {m}", n=least, m=len(value)))
    if most is not None and len(value) > most:
        raise Refused(msg("must hold at most {n} items, found {m}", n=most, m=len(value)))


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _number(option: Option, type_: inspect.IntType | inspect.FloatType, word: Word) -> int | float:
    whole = isinstance(type_, inspect.IntType)
    value = word.loose
    if isinstance(value, str):
        value = _amount(option.unit, value, word)
    assert isinstance(value, int | float)
    if not math.isfinite(value):
        raise Refused(msg("must be a finite number, found {found}", found=shown(word.told)))
    if whole and value != int(value):
        raise Refused(msg("wants a whole number, found {found}", found=shown(word.told)))
    value = int(value) if whole else float(value)
    _check_range(option, type_, value, word)
    return value


def _amount(unit: str, text: str, word: Word) -> float:
    try:
        return units.seconds(text) if unit == "seconds" else units.size(text)
    except OverflowError:
        return math.inf
    except ValueError:
        wanted = _wanted_amount(unit)
        raise Refused(
            msg("wants {wanted}, found {found}", wanted=wanted, found=_quoted(word.told))
        ) from None


def _check_range(
    option: Option, type_: inspect.IntType | inspect.FloatType, value: float, word: Word
) -> None:
    above = 0 if type_.gt is None and type_.ge is None and option.unit else type_.gt
    least, most, below = type_.ge, type_.le, type_.lt
    if (
        (above is None or value > above)
        and (least is None or value >= least)
        and (most is None or value <= most)
        and (below is None or value < below)
    ):
        return
    found = shown(word.told)
    unit = {"seconds": " s", "bytes": " B"}.get(option.unit, "")
    if least is not None and most is not None:
        raise Refused(
            msg(
                "must be from {least} to {most}{unit}, found {found}",
                least=least, most=most, unit=unit, found=found,
            )
        )  # fmt: skip
    if most is not None and value > most:
        raise Refused(
            msg("must be at most {most}{unit}, found {found}", most=most, unit=unit, found=found)
        )
    if below is not None and value >= below:
        raise Refused(
            msg("must be below {below}{unit}, found {found}", below=below, unit=unit, found=found)
        )
    if least is not None:
        raise Refused(
            msg(
                "must be at least {least}{unit}, found {found}", least=least, unit=unit, found=found
            )
        )
    raise Refused(
        msg("must be above {above}{unit}, found {found}", above=above, unit=unit, found=found)
    )


def _exact(option: Option, word: Word) -> Decimal:
    """The number as it is written, never by way of a float."""
    try:
        value = (exact.share if option.unit == "share" else exact.decimal)(word.text)
    except ValueError:
        raise _not(_wanted(option), word) from None
    least, most = option.extra.get("least", -math.inf), option.extra.get("most", math.inf)
    assert isinstance(least, int | float)
    assert isinstance(most, int | float)
    if least <= value <= most:
        return value
    found = shown(word.told)
    if option.unit == "share":
        low, high = exact.percentage(Decimal(least)), exact.percentage(Decimal(most))
        raise Refused(
            msg("must be from {least} to {most}, found {found}", least=low, most=high, found=found)
        )
    if value < least:
        raise Refused(msg("must be at least {least}, found {found}", least=least, found=found))
    raise Refused(msg("must be at most {most}, found {found}", most=f"{most:,}", found=found))


def _day(word: Word) -> date:
    try:
        return exact.day(word.text)
    except ValueError:
        raise _not(_wanted_day(), word) from None


def _not(wanted: Message, word: Word) -> Refused:
    return Refused(msg("wants {wanted}, found {found}", wanted=wanted, found=_quoted(word.told)))


def _text(option: Option, type_: inspect.StrType, word: Word) -> str:
    text = word.text
    if type_.min_length and len(text) < type_.min_length:
        if type_.min_length == 1:
            raise Refused(msg("must not be empty"))
        raise Refused(
            msg("must have at least {n} letters, found {found}",
                n=type_.min_length, found=_quoted(word.told))
        )  # fmt: skip
    if type_.max_length is not None and len(text) > type_.max_length:
        raise Refused(msg("must have at most {n} letters", n=type_.max_length))
    if type_.pattern and not re.search(type_.pattern, text):
        if option.example:
            raise Refused(
                msg("must look like '{example}', found {found}",
                    example=option.example, found=_quoted(word.told))
            )  # fmt: skip
        raise Refused(
            msg("must match the pattern {pattern}, found {found}",
                pattern=type_.pattern, found=_quoted(word.told))
        )  # fmt: skip
    return text


def _literal(type_: inspect.LiteralType, node: Node, word: Word) -> int | str:
    for wanted in type_.values:
        value = word.text if isinstance(wanted, str) else word.loose
        if wanted is not None and value == wanted and not isinstance(value, bool):
            return wanted
    found = _found(node, word)
    if len(type_.values) == 1:
        raise Refused(msg("must be {wanted}, found {found}", wanted=type_.values[0], found=found))
    known = [str(value) for value in type_.values]
    near = get_close_matches(word.told.lower(), known, 1) if len(word.told) < 100 else []
    values = ", ".join(known)
    if near:
        raise Refused(
            msg("must be one of {known}, found {found} (nearest: '{nearest}')",
                known=values, found=found, nearest=near[0])
        )  # fmt: skip
    raise Refused(msg("must be one of {known}, found {found}", known=values, found=found))


def _command(node: Node, word: Word | None) -> tuple[str, ...]:
    if word is not None:
        try:
            return units.command(word.text)
        except ValueError as error:
            if not word.text.strip():
                raise Refused(msg("the command is empty")) from None
            raise Refused(msg("is not a command line: {reason}", reason=str(error))) from None
    assert isinstance(node, Listing)
    words: list[str] = []
    for item in node.items:
        if not isinstance(item, Scalar) or (item.plain and resolve(item.text) is None):
            word = Word(item.text, True, False) if isinstance(item, Scalar) else None
            raise Refused(
                msg("every word of a command must be text, found {found}", found=_found(item, word))
            )
        words.append(item.text)
    if not words or not words[0].strip():
        raise Refused(msg("the command is empty"))
    return tuple(words)


def _wanted(option: Option) -> Message:
    if option.unit:
        return _wanted_amount(option.unit)
    match option.type:
        case inspect.NoneType():
            return msg("nothing")
        case inspect.BoolType():
            return msg("true or false")
        case inspect.IntType():
            return msg("a whole number")
        case inspect.FloatType() | inspect.DecimalType():
            return msg("a number")
        case inspect.DateType():
            return _wanted_day()
        case inspect.VarTupleType() | inspect.ListType():
            return msg("a list")
        case inspect.StructType() | inspect.DictType():
            return msg("a section of keys")
        case inspect.LiteralType():
            known = ", ".join(str(value) for value in option.type.values)
            return msg("one of {known}", known=known)
    return msg("text")


def _wanted_amount(unit: str) -> Message:
    if unit == "seconds":
        return msg("a time such as 250ms, 30s or 10m")
    if unit == "bytes":
        return msg("a size such as 512kB or 50MiB")
    if unit == "share":
        return msg("a percentage such as 80%")
    if unit == "dollars":
        return msg("an amount of US dollars such as 2.50")
    return msg("a command line, or the list of its words")


def _wanted_day() -> Message:
    return msg("a day such as 2026-01-31")


def _found(node: Node, word: Word | None) -> Message:
    if isinstance(node, Section):
        return msg("a section of keys")
    if isinstance(node, Listing) or word is None:
        return msg("a list")
    value = word.value
    if value is None:
        return msg("nothing")
    if isinstance(value, str):
        return msg("the text {text}", text=_quoted(word.told))
    if isinstance(value, bool):
        return msg("{text}, which means true or false (quote it for text)", text=word.told)
    return msg("the number {text}", text=shown(word.told))


def _quoted(text: str) -> str:
    return f"'{shown(text)}'"
