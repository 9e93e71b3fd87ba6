"""Gives one setting in a configuration file another value, and leaves the rest as it is."""

import configparser
import json
import re
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path

import yaml

from sdlc_cli.core.errors import ConfigError, WorkError
from sdlc_cli.core.files import read_within
from sdlc_cli.core.i18n import msg
from sdlc_cli.gate.source import MAX_BYTES
from sdlc_cli.gate.variants import Setting

Scalar = str | int | float | bool | None
_HEADER = re.compile(r"\s*\[([^\[\]]+)\]\s*([#;].*)?$")
_LINE = re.compile(r"(\s*)([^=:#;\[]+?)(\s*[=:]\s*)(.*)$")


def change(folder: Path, root: Path, setting: Setting) -> None:
    """Write `setting` into its file, relative to `folder`; nothing outside `root` is touched.

    Raises ConfigError when the file has no such key, or when it is in a form that cannot be
    changed surely, and WorkError when it cannot be read.
    """
    path = (folder / setting.file).resolve()
    if not path.is_relative_to(root.resolve()):
        raise ConfigError(msg("{file} lies outside the project", file=setting.file))
    change_text = _KINDS.get(path.suffix.lower())
    if change_text is None:
        raise ConfigError(
            msg("{file} is none of {kinds}", file=setting.file, kinds=", ".join(_KINDS)),
            hint=msg("change it by a patch"),
        )
    try:
        text = read_within(path, root, MAX_BYTES).decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise WorkError(
            msg("{file} cannot be read: {why}", file=setting.file, why=str(error))
        ) from error
    value = str(setting.value).lower() if isinstance(setting.value, bool) else setting.value
    try:
        changed = change_text(text, tuple(setting.key.split(".")), value)
    except (KeyError, ValueError, TypeError, yaml.YAMLError, configparser.Error) as error:
        raise ConfigError(
            msg("{file}: {key} cannot be set to {value}", file=setting.file, key=setting.key,
                value=value),
            hint=msg("the key must stand in the file with a plain value of the same kind;"
                     " anything else needs a patch"),
        ) from error  # fmt: skip
    path.write_text(changed, encoding="utf-8")


def _json(text: str, key: tuple[str, ...], value: str) -> str:
    data = json.loads(text)
    holder = _holder(data, key)
    holder[key[-1]] = _like(holder[key[-1]], value)
    return json.dumps(data, indent=2, ensure_ascii=False) + "\n"


def _yaml(text: str, key: tuple[str, ...], value: str) -> str:
    old = yaml.safe_load(text)
    new = _like(_holder(old, key)[key[-1]], value)
    node = yaml.compose(text, Loader=yaml.SafeLoader)
    for name in key:
        if not isinstance(node, yaml.MappingNode):
            raise KeyError(name)
        node = next((child for held, child in node.value if held.value == name), None)
    if not isinstance(node, yaml.ScalarNode):
        raise TypeError(key)
    start, end = node.start_mark.index, node.end_mark.index
    changed = text[:start] + json.dumps(new, ensure_ascii=False) + text[end:]
    return _sure(changed, old, key, new, yaml.safe_load)


def _toml(text: str, key: tuple[str, ...], value: str) -> str:
    old = tomllib.loads(text)
    new = _like(_holder(old, key)[key[-1]], value)
    written = json.dumps(new, ensure_ascii=False)
    return _sure(_in_lines(text, key, written), old, key, new, tomllib.loads)


def _ini(text: str, key: tuple[str, ...], value: str) -> str:
    old = _sections(text)
    section, name = ".".join(key[:-1]), key[-1]
    _holder(old, (section, name))
    return _sure(_in_lines(text, (section, name), value), old, (section, name), value, _sections)


def _sections(text: str) -> dict[str, dict[str, str]]:
    parser = configparser.RawConfigParser()
    parser.optionxform = str  # type: ignore[assignment, method-assign]
    parser.read_string(text)
    return {name: dict(parser[name]) for name in parser.sections()}


def _in_lines(text: str, key: tuple[str, ...], value: str) -> str:
    """`text` with the value of the one line that sets `key`, under `[header]` or dotted."""
    lines = text.splitlines(keepends=True)
    header = ""
    for i, line in enumerate(lines):
        if match := _HEADER.match(line):
            header = match[1].strip()
        elif match := _LINE.match(line.rstrip("\r\n")):
            name = ".".join(filter(None, [header, match[2].strip()]))
            if name.replace('"', "") == ".".join(key):
                end = line[len(line.rstrip("\r\n")) :]
                lines[i] = f"{match[1]}{match[2]}{match[3]}{value}{end}"
                return "".join(lines)
    raise KeyError(key)


def _holder(data: object, key: tuple[str, ...]) -> dict[str, Scalar]:
    """The mapping that holds the last name of `key`. Raises KeyError."""
    for name in key[:-1]:
        if not isinstance(data, dict) or name not in data:
            raise KeyError(name)
        data = data[name]
    if not isinstance(data, dict) or key[-1] not in data:
        raise KeyError(key[-1])
    return data


def _like(old: object, value: str) -> Scalar:
    """`value` as the kind of thing that `old` is. Raises ValueError and TypeError."""
    if isinstance(old, bool):
        return {"true": True, "false": False}[value.lower()]
    if isinstance(old, int):
        return int(value) if re.fullmatch(r"[+-]?[0-9_]+", value) else float(value)
    if isinstance(old, float):
        return float(value)
    if isinstance(old, str):
        return value
    raise TypeError(f"not a plain value: {old!r}")


def _sure(
    changed: str,
    old: dict[str, object] | Mapping[str, object],
    key: tuple[str, ...],
    new: Scalar,
    parse: Callable[[str], object],
) -> str:
    """`changed`, when reading it shows the new value and all else as it was."""
    expected = json.loads(json.dumps(old, default=str))
    _holder(expected, key)[key[-1]] = new
    if json.loads(json.dumps(parse(changed), default=str)) != expected:
        raise ValueError(changed)
    return changed


_KINDS: Mapping[str, Callable[[str, tuple[str, ...], str], str]] = {
    ".json": _json,
    ".toml": _toml,
    ".yaml": _yaml,
    ".yml": _yaml,
    ".ini": _ini,
    ".cfg": _ini,
}
