"""The files of a baseline: one small one for each fingerprint, so that branches never meet in one.

.sdlc/baseline/security/3f2a….yaml       an accepted finding, and how many alike
.sdlc/baseline/coverage/score-84.21.yaml  an accepted score
"""

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Annotated

from msgspec import Meta, Struct

from sdlc_cli.core import config
from sdlc_cli.core.errors import ConfigError
from sdlc_cli.core.i18n import msg
from sdlc_cli.core.printable import encodable
from sdlc_cli.gate.options import Mistakes, Text

FOLDER = ".sdlc/baseline"
_GATE = re.compile(r"[a-z][a-z0-9_-]*")
_ENTRY = re.compile(r"[0-9a-f]{8,64}")
_SCORE = re.compile(r"score-(?:100|[0-9]{1,2})\.[0-9]{2}")
_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_./-]*")
# YAML reads these words as something else than text, in one version of it or another.
_WORDS = frozenset({"true", "false", "null", "yes", "no", "on", "off", "y", "n"})


class Entry(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An accepted finding, as its file has it. `path` is where it was when it was accepted.

    `count` findings alike are accepted; `at_most` limits how much of it each may be (a
    function's complexity), largest first. `expires` is the last day on which it counts.
    """

    rule: Text
    count: Annotated[int, Meta(ge=1, le=1_000_000)] = 1
    at_most: tuple[Annotated[float, Meta(ge=0)], ...] = ()
    path: str = ""
    owner: str = ""
    reason: str = ""
    expires: Annotated[str, Meta(pattern=r"^([0-9]{4}-[0-9]{2}-[0-9]{2})?$")] = ""
    id: str = ""

    def mistakes(self) -> Mistakes:
        """A limit for each of the accepted ones, and a date that the calendar has."""
        if self.at_most and len(self.at_most) != self.count:
            yield ("at_most",), msg("needs {n} numbers, one for each accepted", n=self.count)
        try:
            self.expires_on()
        except ValueError:
            yield ("expires",), msg("the calendar has no such day")

    def expires_on(self) -> date | None:
        """The last day, or None for ever. Raises ValueError for a day that is none."""
        return date.fromisoformat(self.expires) if self.expires else None


class ScoreEntry(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An accepted score."""

    score: Annotated[float, Meta(ge=0, le=100)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """What is accepted of one gate. Of several scores, as a merge leaves them, the least holds."""

    entries: Mapping[str, Entry] = field(default_factory=dict)  # by fingerprint
    scores: tuple[float, ...] = ()

    @property
    def score(self) -> float | None:
        """The score that the gate may not fall under."""
        return min(self.scores, default=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Baseline:
    """The accepted state of the gates that have one. `folder` is where it was read from."""

    folder: Path
    gates: Mapping[str, Accepted] = field(default_factory=dict)


def load(folder: Path) -> Baseline | None:
    """The baseline in `folder`; None when there is no such folder.

    Raises ConfigError with every mistake in every file.
    """
    if not folder.is_dir():
        return None
    problems: list[str] = []
    gates: dict[str, Accepted] = {}
    for place in sorted(folder.iterdir()):
        if place.is_dir() and _GATE.fullmatch(place.name):
            gates[place.name] = _gate(place, problems)
        elif place.suffix == ".yaml":
            problems.append(msg("{file}: belongs into the folder of a gate", file=str(place)))
    if problems:
        raise ConfigError(
            msg("the baseline {folder} has {n} mistakes", folder=str(folder), n=len(problems)),
            hint=msg("'sdlc gate baseline' writes these files; mend or delete the ones named"),
            problems=problems,
        )
    return Baseline(folder=folder, gates=gates)


def _gate(place: Path, problems: list[str]) -> Accepted:
    entries: dict[str, Entry] = {}
    scores: list[float] = []
    for file in sorted(place.glob("*.yaml")):
        name = file.stem
        try:
            if _SCORE.fullmatch(name):
                scores.append(_score(file))
            elif _ENTRY.fullmatch(name):
                entries[name] = read_entry(file)
            else:
                problems.append(msg("{file}: is named after no fingerprint", file=str(file)))
        except ConfigError as error:
            problems.extend(error.problems)
    return Accepted(entries=entries, scores=tuple(scores))


def read_entry(file: Path) -> Entry:
    """The entry in one file. Raises ConfigError."""
    entry = config.load(file, Entry, None)
    if entry.id and entry.id != identity(file.parent.name, file.stem):
        raise ConfigError(
            msg("{file}: id: belongs to another entry; was the file copied?", file=str(file))
        )
    return entry


def _score(file: Path) -> float:
    return config.load(file, ScoreEntry, None).score


def files(baseline: Baseline) -> dict[str, str]:
    """All files of the baseline: path below its folder -> text. The same state, the same text."""
    return dict(_files(baseline))


def _files(baseline: Baseline) -> Iterator[tuple[str, str]]:
    for gate, accepted in sorted(baseline.gates.items()):
        for score in accepted.scores:
            yield f"{gate}/score-{score:.2f}.yaml", f"score: {score:.2f}\n"
        for mark, entry in sorted(accepted.entries.items()):
            yield f"{gate}/{mark}.yaml", entry_text(gate, mark, entry)


def entry_text(gate: str, mark: str, entry: Entry) -> str:
    """The text of an entry's file."""
    return "".join(_lines(gate, mark, entry))


def _lines(gate: str, mark: str, entry: Entry) -> Iterator[str]:
    yield f"rule: {_text(entry.rule)}\n"
    yield f"count: {entry.count}\n"
    if entry.at_most:
        yield f"at_most: [{', '.join(f'{number:g}' for number in entry.at_most)}]\n"
    for name in ("path", "owner", "reason"):
        if value := getattr(entry, name):
            yield f"{name}: {_text(value)}\n"
    if entry.expires:
        yield f"expires: {entry.expires}\n"
    yield f"id: {identity(gate, mark)}\n"


def identity(gate: str, mark: str) -> str:
    """What makes each file unlike every other, by more than half of its text.

    Without it git would take a removed entry and a new one for a renamed file, and two branches
    that did so would conflict.
    """
    return "x" + hashlib.sha512(f"{gate}\n{mark}".encode()).hexdigest()


def _text(text: str) -> str:
    """As YAML: plain where that is safe, else in double quotes."""
    if _PLAIN.fullmatch(text) and text.lower() not in _WORDS:
        return text
    shown = encodable(text).replace("\0", "\\x00")  # no YAML of ours may hold a NUL
    return '"' + "".join(map(_character, shown)) + '"'


def _character(letter: str) -> str:
    if letter in '"\\':
        return f"\\{letter}"
    if letter == " " or (letter.isprintable() and ord(letter) <= 0xFFFF):
        return letter
    code = ord(letter)
    return f"\\x{code:02x}" if code < 256 else f"\\U{code:08x}"
