"""Which Python versions a project declares: pyproject.toml (PEP 621, poetry) or setup.cfg."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from sdlc_cli.core.files import find_upward, read_within

_READ_LIMIT = 1_000_000  # bytes of a settings file
_MINORS = range(41)  # 3.0 to 3.40: an upper bound beyond is none
_MICROS = range(41)
_CLASSIFIER = re.compile(r"Programming Language :: Python :: 3\.(\d{1,2})\s*")
# PEP 440's specifiers, and poetry's `^` and `~`; a pre-release counts as its release.
_CLAUSE = re.compile(
    r"(~=|===?|!=|<=|>=|<|>|\^|~)?\s*v?(\d+(?:\.\d+){0,3})"
    r"(?:\.?(?:a|b|c|rc|dev|post)\d*)*(\.\*)?"
)

Version = tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Declared:
    """Versions as `3.12`, oldest first; `path` is the file that says so, "" when none does."""

    versions: tuple[str, ...]
    path: str = ""


def declared(root: Path, base: Path, own: int, chosen: Sequence[str] = ()) -> Declared:
    """The versions to judge by: `chosen`, else what the project declares, else 3.`own`, ours.

    Of a lower bound alone only the lowest version counts, and ours where it is allowed: nobody
    means all versions to come. A file that cannot be read declares nothing.
    """
    if chosen:
        return Declared(versions=_names({int(one.partition(".")[2]) for one in chosen}))
    for name, read in (("pyproject.toml", _pyproject), ("setup.cfg", _setup_cfg)):
        path = find_upward(name, base, root)
        if path is None:
            continue
        requires, classifiers = read(_bytes(path, root))
        if minors := _minors(requires, classifiers, own):
            return Declared(versions=_names(minors), path=path.relative_to(root).as_posix())
    return Declared(versions=(f"3.{own}",))


def _names(minors: set[int]) -> tuple[str, ...]:
    return tuple(f"3.{minor}" for minor in sorted(minors))


def _bytes(path: Path, root: Path) -> bytes:
    try:
        return read_within(path, root, _READ_LIMIT)
    except OSError:
        return b""


def _minors(requires: str, classifiers: Sequence[str], own: int) -> set[int]:
    within = [minor for minor in _MINORS if allows(requires, minor)]
    listed = {int(match[1]) for one in classifiers if (match := _CLASSIFIER.fullmatch(one))}
    if listed & set(within):
        return listed & set(within)
    if not requires.strip() or not within:
        return set()
    bounded = within[-1] < _MINORS[-1]
    return {within[0], *([within[-1]] if bounded else []), *({own} & set(within))}


def allows(requires: str, minor: int) -> bool:
    """True when some 3.`minor` release fits, as `>=3.10,<3.13` or poetry's `^3.11 || ~3.9`."""
    return any(
        all(_fits((3, minor, micro), clause) for clause in _CLAUSE.finditer(either))
        for either in re.split(r"\|\|?", requires)
        for micro in _MICROS
    )


def _fits(version: Version, clause: re.Match[str]) -> bool:
    operator = clause[1] or "=="
    bound = tuple(int(part) for part in clause[2].split("."))
    full = bound + (0,) * (3 - len(bound))
    # `==3.11` is 3.11.0 to the letter; who writes it means all of 3.11.
    exact = version[: len(bound)] == bound
    upper = {"~=": bound[:-1], "~": bound[:2], "^": bound[:1]}
    match operator:
        case ">=":
            return version >= full
        case "<=":
            return version <= full or (len(bound) < 3 and exact)
        case ">":
            return version > full
        case "<":
            return version < full
        case "!=":
            return not (exact if clause[3] else version == full)
        case "~=" | "~" | "^":
            start = upper[operator]
            return version >= full and version[: len(start)] == start
    return exact


def _pyproject(data: bytes) -> tuple[str, Sequence[str]]:
    from sdlc_cli.gate.formats import load_toml

    try:
        document = load_toml(data)
    except (ValueError, RecursionError):
        return "", ()
    project = _table(document, "project")
    poetry = _table(document, "tool", "poetry")
    requires = project.get("requires-python") or _table(poetry, "dependencies").get("python")
    classifiers = project.get("classifiers") or poetry.get("classifiers")
    return (
        requires if isinstance(requires, str) else "",
        [one for one in classifiers if isinstance(one, str)]
        if isinstance(classifiers, list)
        else (),
    )


def _table(document: Mapping[str, object], *names: str) -> Mapping[str, object]:
    table: object = document
    for name in names:
        table = table.get(name) if isinstance(table, dict) else None
    return table if isinstance(table, dict) else {}


def _setup_cfg(data: bytes) -> tuple[str, Sequence[str]]:
    import configparser  # few projects declare their versions here

    parser = configparser.RawConfigParser(strict=False)
    try:
        parser.read_string(data.decode("utf-8"))
    except (configparser.Error, ValueError):
        return "", ()
    listed = parser.get("metadata", "classifiers", fallback="")
    return (
        parser.get("options", "python_requires", fallback=""),
        [line.strip() for line in listed.splitlines()],
    )
