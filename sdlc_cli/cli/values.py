"""Words of the command line -> values, with every complaint in the user's language.

Typer 0.29 converts through pydantic, whose import costs more than most commands and whose
sentences are English. The types that our commands use need neither.
"""

import math
import os
from dataclasses import dataclass
from pathlib import Path
from typing import get_args, get_origin

from typer._click import Context
from typer._coercion import RuntimeParam
from typer.core import TyperArgument, TyperOption

from sdlc_cli.core.errors import UsageError
from sdlc_cli.core.i18n import Message, msg

Parameter = TyperArgument | TyperOption
Value = str | int | float | bool | Path

_YES = frozenset({"1", "true", "yes", "on"})
_NO = frozenset({"0", "false", "no", "off"})
PLAIN = (str, int, float, bool, Path)


def adopt(parameter: object) -> None:
    """Let `parameter` convert its words with `Plain`, when its type is one of ours."""
    if not isinstance(parameter, Parameter):
        return
    descriptor = parameter.type_descriptor
    if element(descriptor.annotation) in PLAIN and descriptor.parameter_info.parser is None:
        parameter._runtime_param = Plain(
            parameter_info=descriptor.parameter_info, annotation=descriptor.annotation
        )


def element(annotation: object) -> object:
    """The type of one value: `str` for `list[str]`."""
    return get_args(annotation)[0] if get_origin(annotation) is list else annotation


@dataclass(frozen=True)
class Plain(RuntimeParam):
    """Converts str, int, float, bool, Path and lists of them. Raises UsageError."""

    def _coerce_value(self, value: object, param: object, ctx: Context) -> object:
        assert isinstance(param, Parameter)
        kind = element(self.annotation)
        if kind is Path and value == "" and isinstance(param, TyperArgument):
            # pathlib takes it for the present folder; it was a variable without a value
            raise UsageError(
                msg("{name} is empty", name=shown_name(param)), hint=f"{ctx.command_path} ."
            )
        if isinstance(value, list | tuple):
            return tuple(_convert(one, kind, param, ctx) for one in value)
        return _convert(value, kind, param, ctx)


def shown_name(param: Parameter) -> str:
    """The parameter as the user writes it: `--jobs`, or `PATH`."""
    if isinstance(param, TyperOption):
        return max(param.opts, key=len)
    return metavar(param)


def metavar(param: Parameter) -> str:
    """The word that stands for the value in help pages: always in capitals."""
    if param.metavar:
        return param.metavar
    kind = element(param.type_descriptor.annotation)
    if isinstance(param, TyperArgument) or kind is str:
        return param.name.upper()
    return {int: "N", float: "N", Path: "PATH"}.get(kind, "VALUE")  # type: ignore[call-overload, no-any-return]


def _convert(word: object, kind: object, param: Parameter, ctx: Context) -> Value:
    if not isinstance(word, str):
        assert isinstance(word, PLAIN)
        return word  # a default, of the right type already
    if kind is Path:
        return Path(_existing(word, param, ctx))
    if kind is bool:
        return _boolean(word, param, ctx)
    if kind is int or kind is float:
        return _number(word, kind is int, param, ctx)
    return word


def _existing(word: str, param: Parameter, ctx: Context) -> str:
    must_exist = param.type_descriptor.parameter_info.exists
    if must_exist and word != "-" and not os.path.exists(word):
        raise UsageError(
            msg("{name}: there is no file or folder {path}", name=shown_name(param), path=word),
            hint=f"{ctx.command_path} --help",
        )
    return word


def _boolean(word: str, param: Parameter, ctx: Context) -> bool:
    if word.casefold() in _YES | _NO:
        return word.casefold() in _YES
    raise _wrong(word, param, ctx, msg("1 or 0"))


def _number(word: str, whole: bool, param: Parameter, ctx: Context) -> int | float:
    low, high = param.min, param.max
    wanted = _wanted(whole, low, high)
    try:
        number = int(word) if whole else float(word)
    except ValueError:
        raise _wrong(word, param, ctx, wanted) from None
    too_small = low is not None and number < low
    too_large = high is not None and number > high
    if not math.isfinite(number) or too_small or too_large:
        raise _wrong(word, param, ctx, wanted)
    return number


def _wanted(whole: bool, low: float | None, high: float | None) -> Message:
    what = msg("a whole number") if whole else msg("a number")
    if low is not None and high is not None:
        return msg("{what} from {low} to {high}", what=what, low=low, high=high)
    if low is not None:
        return msg("{what} of at least {low}", what=what, low=low)
    if high is not None:
        return msg("{what} of at most {high}", what=what, high=high)
    return what


def _wrong(word: str, param: Parameter, ctx: Context, wanted: Message) -> UsageError:
    return UsageError(
        msg(
            "{name} takes {wanted}, not '{word}'", name=shown_name(param), wanted=wanted, word=word
        ),
        hint=f"{ctx.command_path} --help",
    )
