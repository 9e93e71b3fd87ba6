"""Git's ignore patterns, as `gitignore(5)` words them, over bytes as git reads them."""

import os
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

_STAR = None  # a segment `**`: any number of folders
_CLASSES = {
    b"alnum": rb"0-9A-Za-z", b"alpha": rb"A-Za-z", b"blank": rb" \t", b"cntrl": rb"\x00-\x1f\x7f",
    b"digit": rb"0-9", b"graph": rb"!-~", b"lower": rb"a-z", b"print": rb" -~",
    b"punct": rb"!-/:-@\[-`{-~", b"space": rb"\s", b"upper": rb"A-Z", b"xdigit": rb"0-9A-Fa-f",
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class _Pattern:
    """One line. A single segment that is not `anchored` matches a name at any depth."""

    segments: tuple[re.Pattern[bytes] | None, ...]
    anchored: bool
    only_folders: bool
    negated: bool

    def matches(self, path: Sequence[bytes]) -> bool:
        if not self.anchored:
            wanted = self.segments[0]
            return wanted is _STAR or wanted.fullmatch(path[-1]) is not None
        return _glob(self.segments, path)


class Rules:
    """The patterns of one file, in its order. Patterns that git could not read never match."""

    def __init__(self, lines: Iterable[bytes]) -> None:
        patterns = [_parse(line) for line in lines]
        self._patterns = [pattern for pattern in reversed(patterns) if pattern]
        self._of_files = [pattern for pattern in self._patterns if not pattern.only_folders]
        self._covered = {"": False}  # by folder: what `covers` found out of it and those above

    def __bool__(self) -> bool:
        return bool(self._patterns)

    def decide(self, path: str, *, is_folder: bool = False) -> bool | None:
        """True: ignored, False: kept by a `!` line, None: not named. The last line wins.

        `path` is relative to the patterns' folder; what holds for a folder is not handed
        down to what is in it.
        """
        patterns = self._patterns if is_folder else self._of_files
        if not patterns:
            return None
        parts = os.fsencode(path).split(b"/")
        for pattern in patterns:  # `only_folders` ones stand here only for a folder
            if pattern.matches(parts):
                return not pattern.negated
        return None

    def covers(self, path: str) -> bool:
        """True when the file at `path` is ignored, by itself or with a folder above it."""
        if not self._patterns:
            return False
        folder = path[: max(path.rfind("/"), 0)]
        covered = self._covered.get(folder)
        if covered is None:
            covered = self._covers_folder(folder)
        return covered or (bool(self._of_files) and bool(self.decide(path)))

    def _covers_folder(self, folder: str) -> bool:
        """The same of a folder; each one is decided once, from the top down."""
        at = max(folder.rfind("/"), 0)
        covered = self._covered.get(folder[:at])
        if covered is None:
            covered = False
            at = 0
        while at < len(folder):
            at = folder.find("/", at + 1)
            at = len(folder) if at < 0 else at
            one = folder[:at]
            if one not in self._covered:
                self._covered[one] = covered or bool(self.decide(one, is_folder=True))
            covered = self._covered[one]
        return covered


def rules(lines: Iterable[str]) -> Rules:
    """Rules from patterns that the user wrote in a config file."""
    return Rules(os.fsencode(line) for line in lines)


def rules_in(data: bytes) -> Rules:
    """Rules from the bytes of a .gitignore; a byte order mark and CRLF are passed over."""
    lines = data.removeprefix(b"\xef\xbb\xbf").split(b"\n")
    return Rules(line.removesuffix(b"\r") for line in lines)


def _parse(line: bytes) -> _Pattern | None:
    if line.startswith(b"#"):
        return None
    text = _without_trailing_spaces(line)
    negated = text.startswith(b"!")
    text = text.removeprefix(b"!")
    only_folders = text.endswith(b"/")
    text = text.removesuffix(b"/")
    anchored = b"/" in text
    text = text.removeprefix(b"/")
    if not text:
        return None
    segments: list[re.Pattern[bytes] | None] = []
    for segment in text.split(b"/"):
        if len(segment) > 1 and not segment.strip(b"*"):
            segments.append(_STAR)
            continue
        wanted = _compile(segment)
        if wanted is None:
            return None
        segments.append(wanted)
    return _Pattern(
        segments=tuple(segments), anchored=anchored, only_folders=only_folders, negated=negated
    )


def _without_trailing_spaces(line: bytes) -> bytes:
    end = len(line)
    while end and line[end - 1 : end] == b" " and line[end - 2 : end - 1] != b"\\":
        end -= 1
    return line[:end]


def _compile(segment: bytes) -> re.Pattern[bytes] | None:
    """One path segment as an expression, or None for what git calls malformed.

    Each star with the fixed text after it is an atomic group: the first fit is as good as any
    later one, and so matching takes no time to speak of whatever the pattern.
    """
    out, at, open_groups = b"", 0, 0
    while at < len(segment):
        letter = segment[at : at + 1]
        at += 1
        if letter == b"*":
            out += b")" * open_groups + b"(?>[^/]*?"
            open_groups = 1
            at += len(segment[at:]) - len(segment[at:].lstrip(b"*"))
            if at == len(segment):  # the last star takes all that is left
                return re.compile(out.removesuffix(b"(?>[^/]*?") + b"[^/]*", re.DOTALL)
        elif letter == b"?":
            out += b"[^/]"
        elif letter == b"[":
            group, at = _bracket(segment, at)
            if not group:
                return None
            out += group
        else:
            if letter == b"\\":
                letter = segment[at : at + 1]
                at += 1
                if not letter:
                    return None
            out += re.escape(letter)
    # The last fixed text has to end where the name ends, not at its first fit.
    return re.compile(out + (rb"\Z)" if open_groups else b""), re.DOTALL)


def _bracket(segment: bytes, at: int) -> tuple[bytes, int]:
    """The set that opens before `at` as an expression, and the place after it."""
    negated = segment[at : at + 1] in (b"!", b"^")
    at += negated
    items, first = b"", True
    while at < len(segment) and (first or segment[at : at + 1] != b"]"):
        first = False
        named = re.compile(rb"\[:([a-z]*):\]").match(segment, at)
        if named:
            if named[1] not in _CLASSES:
                return b"", at
            items += _CLASSES[named[1]]
            at = named.end()
            continue
        low, at = _set_letter(segment, at)
        high = low
        if segment[at : at + 1] == b"-" and segment[at + 1 : at + 2] not in (b"]", b""):
            high, at = _set_letter(segment, at + 1)
        if low and high and low <= high:
            items += re.escape(low) + b"-" + re.escape(high)
    if at >= len(segment):
        return b"", at
    if not items:
        return (b"[^/]" if negated else b"(?!)"), at + 1
    return (b"(?!/)[" + (b"^" if negated else b"") + items + b"]"), at + 1


def _set_letter(segment: bytes, at: int) -> tuple[bytes, int]:
    if segment[at : at + 1] == b"\\":
        at += 1
    return segment[at : at + 1], at + 1


def _glob(pattern: Sequence[re.Pattern[bytes] | None], path: Sequence[bytes]) -> bool:
    """Fit segments to segments; on a misfit the last `**` takes one folder more."""
    want, have = 0, 0
    star, taken = -1, 0
    while have < len(path):
        if want < len(pattern) and (wanted := pattern[want]) is _STAR:
            if want == len(pattern) - 1:
                return True  # what a last `**` stands for is at least one name: this one
            star, taken = want, have
            want += 1
        elif want < len(pattern) and wanted and wanted.fullmatch(path[have]):
            want, have = want + 1, have + 1
        elif star >= 0:
            taken += 1
            want, have = star + 1, taken
        else:
            return False
    return want == len(pattern)
