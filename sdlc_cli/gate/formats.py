"""TOML, YAML and JSON: does a file parse, and if not, where does it stop making sense.

The parsers load with the first file of their kind: a run over unchanged files parses nothing.
"""

import codecs
import json
import re
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any, Protocol

from sdlc_cli.core.i18n import msg

# libyaml takes time quadratic in the depth of flow collections; nobody nests this deep.
YAML_DEPTH = 200
# tomllib takes time quadratic in the parts of a dotted key.
_LONG_KEY = re.compile(rb"(?<![\w\"'-])(?:[\w\"'-]++[ \t]*+\.[ \t]*+){200}")
_TOML_PLACE = re.compile(r"\s*\(at (?:line (\d+), column (\d+)|end of document)\)$")
_JSON_NOISE = re.compile(
    r'"(?:[^"\\\n]|\\.)*+"?'  # a string, kept
    r"|//[^\n]*+|/\*(?:[^*]|\*(?!/))*+(?:\*/)?"  # comments
    r"|,(?=(?:\s|//[^\n]*+\n|/\*(?:[^*]|\*(?!/))*+\*/)*+[\]}])"  # a comma before the end
)
# Known to be read with comments and trailing commas allowed, whatever their ending says.
_JSON_WITH_COMMENTS = (
    "tsconfig*.json", "jsconfig*.json", "devcontainer.json", "*/.vscode/*.json",
    ".vscode/*.json", "*.code-workspace", "pyrightconfig.json", "api-extractor*.json",
    ".eslintrc.json", ".babelrc.json", ".swcrc.json", "turbo.json", "deno.json", "renovate.json",
)  # fmt: skip


class _Mark(Protocol):
    """A place in YAML, counted from 0."""

    line: int
    column: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """Why a file does not parse, and where; line and column from 1, 0 where unknown."""

    message: str
    line: int = 0
    column: int = 0
    encoding: bool = False  # its bytes are no text; else its text is no TOML, YAML, JSON, Python


def fault_in(kind: str, path: str, data: bytes) -> Fault | None:
    """What is wrong with the TOML, YAML or JSON in `data`; None when it parses.

    Nothing is built from YAML, so that no tag is acted on and no alias unfolded. Raises
    RecursionError for what is nested too deeply to tell.
    """
    import tomllib

    try:
        if kind == "toml":
            load_toml(data)
        elif kind == "json":
            _check_json(path, _decode(data))
        else:
            return _yaml_fault(data)
    except UnicodeDecodeError as error:
        return not_text(error, data)
    except tomllib.TOMLDecodeError as error:
        return _toml_fault(str(error), data)
    except json.JSONDecodeError as error:
        return Fault(message=error.msg, line=error.lineno, column=error.colno)
    except ValueError as error:  # a number too long for Python to turn into one
        return Fault(message=str(error))
    return None


def not_text(error: UnicodeDecodeError, data: bytes) -> Fault:
    """The fault of bytes that are not in the encoding that they should be in."""
    start = data.rfind(b"\n", 0, error.start) + 1
    return Fault(
        message=msg(
            "not valid {encoding}: byte {byte}",
            encoding=error.encoding.upper(),
            byte=f"0x{error.object[error.start]:02x}",
        ),
        line=data.count(b"\n", 0, error.start) + 1,
        column=error.start - start + 1,
        encoding=True,
    )


def load_toml(data: bytes) -> dict[str, Any]:
    """The tables of a TOML file. Raises ValueError, or RecursionError for hostile nesting."""
    if data.count(b".") > 200 and _LONG_KEY.search(data):
        raise RecursionError("a dotted key of more than 200 parts")
    import tomllib

    return tomllib.loads(data.decode("utf-8"))


def _toml_fault(text: str, data: bytes) -> Fault:
    place = _TOML_PLACE.search(text)
    message = text[: place.start()] if place else text
    if place and place[1]:
        return Fault(message=message, line=int(place[1]), column=int(place[2]))
    return Fault(message=message, line=data.count(b"\n") + 1)


def _decode(data: bytes) -> str:
    """JSON is UTF-8 by RFC 8259; a byte order mark of UTF-16 or UTF-32 is believed."""
    for mark, name in (
        (codecs.BOM_UTF32_LE, "utf-32"),
        (codecs.BOM_UTF32_BE, "utf-32"),
        (codecs.BOM_UTF16_LE, "utf-16"),
        (codecs.BOM_UTF16_BE, "utf-16"),
    ):
        if data.startswith(mark):
            return data.decode(name)
    return data.decode("utf-8-sig")


def _check_json(path: str, text: str) -> None:
    try:
        json.loads(text, parse_int=len)  # a long number takes Python quadratic time
    except json.JSONDecodeError:
        name = path.rpartition("/")[2]
        if not any(fnmatchcase(path, p) or fnmatchcase(name, p) for p in _JSON_WITH_COMMENTS):
            raise
        json.loads(_JSON_NOISE.sub(_keep_strings, text), parse_int=len)


def _keep_strings(match: re.Match[str]) -> str:
    """Noise becomes spaces, so that places stay the same."""
    found = match[0]
    return found if found.startswith('"') else re.sub(r"[^\n]", " ", found)


def _yaml_fault(data: bytes) -> Fault | None:
    import yaml

    utf16 = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    if not utf16:
        data.decode("utf-8")  # the reader's own error does not know the line
    try:
        return _undefined_alias(data)
    except yaml.MarkedYAMLError as error:
        if "nesting depth" in (error.problem or ""):  # libyaml's own limit, met before ours
            raise RecursionError("nested too deeply") from None
        said = ", ".join(part for part in (error.context, error.problem) if part)
        return _marked(said, error.problem_mark or error.context_mark)
    except yaml.YAMLError as error:
        return Fault(message=_one_line(str(error)))


def _undefined_alias(data: bytes) -> Fault | None:
    """Read all events. Raises yaml.YAMLError, RecursionError."""
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)(data)
    anchors: set[str] = set()
    depth = 0
    try:
        while loader.check_event():
            event = loader.get_event()
            if isinstance(event, yaml.AliasEvent):
                if event.anchor not in anchors:
                    message = msg("undefined alias {name}", name=str(event.anchor))
                    return _marked(message, event.start_mark)
            elif isinstance(event, yaml.DocumentStartEvent):
                anchors.clear()
            elif isinstance(event, yaml.CollectionEndEvent):
                depth -= 1
            elif isinstance(event, yaml.NodeEvent):
                if event.anchor:
                    anchors.add(event.anchor)
                depth += isinstance(event, yaml.CollectionStartEvent)
                if depth > YAML_DEPTH:
                    raise RecursionError("nested too deeply")
    finally:
        loader.dispose()
    return None


def _marked(message: str, mark: _Mark | None) -> Fault:
    if mark is None:
        return Fault(message=message)
    return Fault(message=message, line=mark.line + 1, column=mark.column + 1)


def _one_line(text: str) -> str:
    return " ".join(text.split())
