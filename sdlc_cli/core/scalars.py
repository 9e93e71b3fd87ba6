"""What a written word means: numbers and truth by YAML 1.2's core rules, `${NAME}` replaced.

YAML 1.1 reads `on`, `no`, `1:30` and `010` as true, false, 90 and 8; here they are text, text,
text and 10 (YAML 1.2.2, section 10.3.2).
"""

import math
import re
from collections.abc import Mapping

from sdlc_cli.core.i18n import Message, msg
from sdlc_cli.core.printable import visible

NAME = r"[A-Za-z0-9_]+"
_VARIABLE = re.compile(
    rf"\$(?P<literal>\$\{{)|\$\{{(?P<name>{NAME})(?P<default>:-(?:[^}}$]|\$(?!\{{))*)?\}}"
    r"|(?P<broken>\$\{)"
)
_INT = re.compile(r"[-+]?[0-9]+", re.ASCII)
_BASED = re.compile(r"0o[0-7]+|0x[0-9a-fA-F]+", re.ASCII)
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?", re.ASCII)
_INFINITE = re.compile(r"[-+]?\.(?:inf|Inf|INF)")
_NAN = re.compile(r"\.(?:nan|NaN|NAN)")
_TRUE = ("true", "True", "TRUE")
_FALSE = ("false", "False", "FALSE")
_NULL = ("", "~", "null", "Null", "NULL")
_TELLING = frozenset("+-.0123456789~tTfFnN")  # what a word that is no text begins with
_LONGEST_NUMBER = 400  # digits; the largest float has 309


class VariableError(Exception):
    """A `${NAME}` that cannot be replaced."""

    def __init__(self, message: Message) -> None:
        super().__init__(message)
        self.message = message


def resolve(text: str) -> bool | int | float | str | None:
    """The value of an unquoted word. A number beyond float is an infinity."""
    if text and text[0] not in _TELLING:
        return text
    if text in _NULL:
        return None
    if text in _TRUE or text in _FALSE:
        return text in _TRUE
    if _INFINITE.fullmatch(text):
        return -math.inf if text.startswith("-") else math.inf
    if _NAN.fullmatch(text):
        return math.nan
    if _INT.fullmatch(text) or _BASED.fullmatch(text):
        return _integer(text)
    if _FLOAT.fullmatch(text):
        return float(text)
    return text


def _integer(text: str) -> int | float:
    if len(text) > _LONGEST_NUMBER:
        return -math.inf if text.startswith("-") else math.inf
    value = int(text, {"0o": 8, "0x": 16}.get(text[:2], 10))
    try:
        float(value)
    except OverflowError:
        return -math.inf if value < 0 else math.inf
    return value


def substitute(text: str, environ: Mapping[str, str]) -> str:
    """`text` with `${NAME}` and `${NAME:-default}` replaced and `$${` as `${`.

    As in a shell, the default also stands in for a variable that is empty. Raises VariableError.
    """

    def replace(match: re.Match[str]) -> str:
        if match["literal"]:
            return "${"
        if match["broken"]:
            raise VariableError(
                msg("'${' starts no variable such as ${NAME}; write $${ for the text ${")
            )
        name, default = match["name"], match["default"]
        if default is not None:
            return environ.get(name) or default[2:]
        if name not in environ:
            raise VariableError(
                msg(
                    "the environment variable {name} is not set; set it,"
                    " or write ${{{name}:-default}}",
                    name=name,
                )
            )
        return environ[name]

    return _VARIABLE.sub(replace, text)


def shown(text: str, longest: int = 60) -> str:
    """`text` fit for one line of an error: shortened, control characters escaped."""
    if len(text) > longest:
        text = text[: longest - 1] + "…"
    return visible(text)
