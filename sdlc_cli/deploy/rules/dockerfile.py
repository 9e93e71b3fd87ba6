"""Dockerfile -> instructions with their lines, as BuildKit splits it.

https://docs.docker.com/reference/dockerfile/: line continuation, comments between the lines of
an instruction, here-documents and the `escape` directive.
"""

import json
import re
from dataclasses import dataclass

from sdlc_cli.core.i18n import Message, msg

_WORDS = frozenset({
    "ADD", "ARG", "CMD", "COPY", "ENTRYPOINT", "ENV", "EXPOSE", "FROM", "HEALTHCHECK", "LABEL",
    "MAINTAINER", "ONBUILD", "RUN", "SHELL", "STOPSIGNAL", "USER", "VOLUME", "WORKDIR",
})  # fmt: skip
_HEREDOC = re.compile(r"<<-?\s*(['\"]?)([A-Za-z_][A-Za-z0-9_]*)\1")
_ESCAPE = re.compile(r"#\s*escape\s*=\s*([\\`])\s*", re.IGNORECASE)
_FLAG = re.compile(r"--([a-z-]+)(?:=(\S*))?\s+")


class DockerfileError(ValueError):
    """Not a Dockerfile."""

    def __init__(self, line: int, message: Message) -> None:
        super().__init__(message)
        self.line = line
        self.message = message


@dataclass(frozen=True, slots=True)
class Instruction:
    """`word` in capitals; `rest` without the flags, its continued lines joined by spaces.

    `body` is the text of the here-documents; `stage` the number of the FROM it belongs to, from
    0, and -1 before the first.
    """

    line: int
    word: str
    rest: str
    flags: tuple[tuple[str, str], ...]
    body: str
    stage: int

    @property
    def exec_form(self) -> tuple[str, ...] | None:
        """The words of a JSON array; None for the shell form."""
        if not self.rest.startswith("["):
            return None
        try:
            found = json.loads(self.rest)
        except (ValueError, RecursionError):
            return None
        if isinstance(found, list) and all(isinstance(one, str) for one in found):
            return tuple(found)
        return None


def parse(text: str) -> tuple[Instruction, ...]:
    """The instructions in order. Raises DockerfileError."""
    lines = text.splitlines()
    escape = next((m[1] for m in [_ESCAPE.fullmatch(lines[0].strip())] if m), "\\") if lines else ""
    found: list[Instruction] = []
    place, stage = 0, -1
    while place < len(lines):
        began = place
        place, logical = _logical(lines, place, escape)
        if not logical:
            continue
        word, _space, rest = logical.partition(" ")
        word = word.upper()
        if word not in _WORDS:
            raise DockerfileError(
                began + 1, msg("'{word}' is no instruction of a Dockerfile", word=word[:40])
            )
        place, body = _bodies(lines, place, rest) if word in ("RUN", "COPY", "ADD") else (place, "")
        stage += word == "FROM"
        flags, rest = _flags(rest.strip())
        found.append(Instruction(began + 1, word, rest, flags, body, stage))
    if stage < 0:
        raise DockerfileError(1, msg("there is no FROM in it"))
    return tuple(found)


def _logical(lines: list[str], place: int, escape: str) -> tuple[int, str]:
    """The next instruction, continued lines joined; '' for a blank line or a comment."""
    parts: list[str] = []
    while place < len(lines):
        line = lines[place].strip()
        place += 1
        if line.startswith("#") or (parts and not line):
            if parts:
                continue
            return place, ""
        if not line.endswith(escape):
            parts.append(line)
            break
        parts.append(line[:-1].strip())
    return place, " ".join(part for part in parts if part).replace("\t", " ")


def _bodies(lines: list[str], place: int, rest: str) -> tuple[int, str]:
    """What the here-documents hold that `rest` opens, and the line after them."""
    held: list[str] = []
    for mark in _HEREDOC.finditer(rest):
        end = next((i for i in range(place, len(lines)) if lines[i].strip() == mark[2]), None)
        if end is None:
            raise DockerfileError(place, msg("the here-document {name} never ends", name=mark[2]))
        held += lines[place:end]
        place = end + 1
    return place, "\n".join(held)


def _flags(rest: str) -> tuple[tuple[tuple[str, str], ...], str]:
    flags: list[tuple[str, str]] = []
    while match := _FLAG.match(rest):
        flags.append((match[1], match[2] or ""))
        rest = rest[match.end() :]
    return tuple(flags), rest


@dataclass(frozen=True, slots=True)
class Stage:
    """One FROM and what follows it. `base` is as written; `name` what AS calls it."""

    line: int
    base: str
    name: str
    instructions: tuple[Instruction, ...]


def stages(instructions: tuple[Instruction, ...]) -> tuple[Stage, ...]:
    """The stages in order; the last is what `docker build` makes."""
    found: list[Stage] = []
    for one in instructions:
        if one.word != "FROM":
            continue
        parts = one.rest.split()
        name = parts[2] if len(parts) > 2 and parts[1].upper() == "AS" else ""
        mine = tuple(other for other in instructions if other.stage == one.stage)
        found.append(Stage(one.line, parts[0] if parts else "", name, mine))
    return tuple(found)


def parents(every: tuple[Stage, ...], last: Stage) -> tuple[Stage, ...]:
    """`last` and the stages it is built on, nearest first."""
    by_name = {stage.name.lower(): stage for stage in every if stage.name}
    chain = [last]
    while (above := by_name.get(chain[-1].base.lower())) and above not in chain:
        chain.append(above)
    return tuple(chain)
