"""Reads what `git diff` prints: files from its raw form, line numbers from its patch form."""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass

_HUNK = re.compile(rb"@@ -\d+(?:,(\d+))? \+(\d+)(?:,(\d+))? @@")
_ESCAPE = re.compile(rb'\\([0-7]{3}|[abtnvfr"\\])')
_LETTERS = dict(zip(b"abtnvfr", b"\a\b\t\n\v\f\r", strict=True))


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One file of `git diff --raw --numstat -z`.

    `status` is git's letter: A added, D deleted, M modified, R renamed, T another kind of file,
    U not merged. `old_path` is empty unless it was renamed; `old_blob` is its object before.
    """

    status: str
    path: str
    old_path: str
    old_blob: str
    modes: tuple[str, str]
    binary: bool = False


@dataclass(frozen=True, slots=True)
class Lines:
    """Lines of the new text: those `added`, and those after which some were `cut` out."""

    added: frozenset[int]
    cut: frozenset[int]


def entries(data: bytes) -> list[Entry]:
    """The files in the output of `git diff --raw --numstat -z --no-abbrev`."""
    words = iter(data.split(b"\0"))
    found: list[Entry] = []
    binary: set[str] = set()
    for word in words:
        if word.startswith(b":"):
            found.append(_entry(word[1:].decode("ascii").split(" "), words))
        elif word:
            added, _, rest = word.partition(b"\t")
            name = rest.partition(b"\t")[2]
            if not name:  # a renamed file: the old name and the new one follow
                next(words)
                name = next(words)
            if added == b"-":
                binary.add(os.fsdecode(name))
    return [_marked(entry) if entry.path in binary else entry for entry in found]


def _entry(record: list[str], words: Iterator[bytes]) -> Entry:
    old_mode, new_mode, old_blob, _new_blob, status = record
    path = os.fsdecode(next(words))
    old_path = ""
    if status[0] in "RC":
        old_path, path = path, os.fsdecode(next(words))
    return Entry(
        status=status[0],
        path=path,
        old_path=old_path,
        old_blob=old_blob,
        modes=(old_mode, new_mode),
    )


def _marked(entry: Entry) -> Entry:
    return Entry(
        status=entry.status,
        path=entry.path,
        old_path=entry.old_path,
        old_blob=entry.old_blob,
        modes=entry.modes,
        binary=True,
    )


def lines(data: bytes) -> dict[str, Lines]:
    """Changed lines by new path, from a patch without context (`--unified=0`)."""
    found: dict[str, tuple[set[int], set[int]]] = {}
    path = ""
    rows = data.split(b"\n")
    at = 0
    while at < len(rows):
        row = rows[at]
        at += 1
        if row.startswith(b"+++ "):
            path = _name(row[4:])
        elif path and (hunk := _HUNK.match(row)):
            removed, start, count = (int(word) if word else 1 for word in hunk.groups())
            added, cut = found.setdefault(path, (set(), set()))
            added.update(range(start, start + count))
            if not count:
                cut.add(start)
            # What follows is the files' own text: counted, never read.
            at += removed + count
    return {name: Lines(frozenset(added), frozenset(cut)) for name, (added, cut) in found.items()}


def _name(word: bytes) -> str:
    """The path behind `+++`: git quotes unusual ones, and marks the end of ones with spaces."""
    word = word.removesuffix(b"\t")
    if word.startswith(b'"'):
        word = _ESCAPE.sub(_unescaped, word[1:-1])
    return os.fsdecode(word[2:]) if word.startswith(b"b/") else ""


def _unescaped(match: re.Match[bytes]) -> bytes:
    escape = match[1]
    if len(escape) == 3:
        return bytes([int(escape, 8)])
    return bytes([_LETTERS.get(escape[0], escape[0])])
