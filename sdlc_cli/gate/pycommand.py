"""Reads a command line that runs Python: which interpreter, with what options, and what code."""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from sdlc_cli.gate.environment import Environment

Mode = Literal["code", "module", "script"]
_WITH_VALUE = ("-W", "-X", "--check-hash-based-pycs")
_SHEBANG_BYTES = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """`interpreter` with its options; then code, a module's name or a script's path, and words."""

    interpreter: tuple[str, ...]
    mode: Mode
    target: str
    arguments: tuple[str, ...]

    @property
    def isolated(self) -> bool:
        """Whether the interpreter is told not to look at PYTHONPATH (-I, -E)."""
        return any(
            word[:1] == "-" and word[1:2] not in ("-", "W", "X") and set(word) & {"I", "E"}
            for word in self.interpreter[1:]
        )


def parse(command: Sequence[str], found: Environment, cwd: Path) -> Program | None:
    """What `command` runs in the environment `found`; None when it is not plainly Python."""
    words = found.command(command)
    name = Path(words[0]).name
    if words[0] == str(found.python) or name.startswith("python"):
        return _of_interpreter(words)
    return _of_script(words, found, cwd)


def _of_interpreter(words: Sequence[str]) -> Program | None:
    options = [words[0]]
    rest = list(words[1:])
    while rest:
        word = rest.pop(0)
        if word in _WITH_VALUE and rest:
            options += [word, rest.pop(0)]
        elif word.startswith("-") and word[1:2] not in ("", "-", "W", "X") and word[-1] in "cm":
            options += [word[:-1]] if len(word) > 2 else []
            mode: Mode = "code" if word[-1] == "c" else "module"
            return _program(options, mode, rest)
        elif word == "-":
            return None
        elif word.startswith("-"):
            options.append(word)
        else:
            return _program(options, "script", [word, *rest])
    return None


def _program(options: Sequence[str], mode: Mode, rest: Sequence[str]) -> Program | None:
    if not rest:
        return None
    return Program(interpreter=tuple(options), mode=mode, target=rest[0], arguments=tuple(rest[1:]))


def _of_script(words: Sequence[str], found: Environment, cwd: Path) -> Program | None:
    """A program of the environment, or a file, whose first line names a Python."""
    place = shutil.which(words[0], path=str(found.bin)) or str(cwd / words[0])
    try:
        with open(place, "rb") as file:
            first = file.read(_SHEBANG_BYTES).partition(b"\n")[0]
    except OSError:
        return None
    if not first.startswith(b"#!") or b"python" not in first:
        return None
    interpreter = first[2:].decode("utf-8", "replace").split()
    if Path(interpreter[0]).name == "env" or not Path(interpreter[0]).exists():
        interpreter = [str(found.python)]
    return Program(
        interpreter=tuple(interpreter), mode="script", target=place, arguments=tuple(words[1:])
    )
