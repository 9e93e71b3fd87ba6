"""Reads coverage reports (Cobertura XML, coverage.py JSON, LCOV), told apart by their content."""

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Literal
from xml.parsers import expat  # nosec B407: a declared entity is refused, none is fetched

import msgspec

Format = Literal["cobertura", "coverage.py", "lcov"]

_CONDITIONS = re.compile(r"\((\d{1,9})/(\d{1,9})\)")
_DRIVE = re.compile(r"[A-Za-z]:/")


@dataclass(slots=True)
class FileCoverage:
    """One file's coverable lines (True: run), and its branches by line as (taken, all)."""

    lines: dict[int, bool] = field(default_factory=dict)
    branches: dict[int, tuple[int, int]] = field(default_factory=dict)

    def add(self, other: "FileCoverage") -> None:
        """Take what another part of the report says of the same file: run once is run."""
        for line, hit in other.lines.items():
            self.lines[line] = self.lines.get(line, False) or hit
        for line, taken in other.branches.items():
            self.branches[line] = max(self.branches.get(line, (0, 0)), taken)

    def cut(self, end: int, *, whole: bool) -> int:
        """Drop the lines below 1 and beyond `end`; how many there were.

        `whole` keeps the branches of line 0, which coverage.py's JSON gives for the whole file.
        """
        wrong = [line for line in self.lines if not 1 <= line <= end]
        for line in wrong:
            del self.lines[line]
        first = 0 if whole else 1
        for line in [line for line in self.branches if not first <= line <= end]:
            del self.branches[line]
        return len(wrong)

    @property
    def missing(self) -> list[int]:
        """The lines that no test ran, ascending."""
        return sorted(line for line, hit in self.lines.items() if not hit)

    @property
    def branch_count(self) -> tuple[int, int]:
        """Branches taken, and all branches."""
        taken = self.branches.values()
        return sum(done for done, _ in taken), sum(total for _, total in taken)


@dataclass(frozen=True, slots=True, kw_only=True)
class CoverageReport:
    """What a report says, by path as it writes it; `sources` are the folders paths start from."""

    format: Format
    files: Mapping[str, FileCoverage]
    sources: tuple[str, ...] = ()
    has_branches: bool = False


def read(data: bytes) -> CoverageReport:
    """The report in `data`. Raises ValueError saying what is wrong with it."""
    start = data.removeprefix(b"\xef\xbb\xbf").lstrip()[:1]
    if start == b"<":
        return _cobertura(data)
    if start == b"{":
        return _json(data)
    if re.search(rb"^SF:", data, re.MULTILINE):
        return _lcov(data.decode("utf-8", "replace"))
    raise ValueError("it is neither Cobertura XML nor coverage.py's JSON nor LCOV")


class _Cobertura:
    def __init__(self) -> None:
        self.files: dict[str, FileCoverage] = {}
        self.sources: list[str] = []
        self.root = ""
        self.has_branches = False
        self._file = FileCoverage()
        self._text: str | None = None

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        self.root = self.root or tag
        if self.root != "coverage":
            raise ValueError(f"<{tag[:40]}> is not the <coverage> of Cobertura")
        if tag == "coverage":
            self.has_branches = _integer(attributes.get("branches-valid", "0")) > 0
        elif tag == "class":
            self._file = self.files.setdefault(attributes.get("filename", ""), FileCoverage())
        elif tag == "line":
            self._line(attributes)
        elif tag == "source":
            self._text = ""

    def _line(self, attributes: Mapping[str, str]) -> None:
        number = _integer(attributes.get("number", ""))
        part = FileCoverage({number: _integer(attributes.get("hits", "")) > 0})
        conditions = _CONDITIONS.search(attributes.get("condition-coverage", ""))
        if conditions:
            self.has_branches = True
            part.branches[number] = (int(conditions[1]), int(conditions[2]))
        self._file.add(part)  # lines of methods are said again as lines of their class

    def text(self, words: str) -> None:
        if self._text is not None:
            self._text += words

    def end(self, tag: str) -> None:
        if tag == "source" and self._text is not None:
            self.sources += [self._text.strip()] if self._text.strip() else []
            self._text = None


def _cobertura(data: bytes) -> CoverageReport:
    """A document type is allowed (old writers name Cobertura's), an entity in it is not."""
    reader = _Cobertura()
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.EntityDeclHandler = _refuse
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.text
    try:
        parser.Parse(data, True)
    except (expat.ExpatError, LookupError) as error:
        raise ValueError(str(error)) from error
    return CoverageReport(
        format="cobertura",
        files=reader.files,
        sources=tuple(reader.sources),
        has_branches=reader.has_branches,
    )


def _refuse(*_: object) -> None:
    raise ValueError("it declares an entity, which no coverage report needs")


class _Summary(msgspec.Struct):
    num_branches: int = 0
    covered_branches: int = 0


class _JsonFile(msgspec.Struct):
    executed_lines: list[int]
    missing_lines: list[int]
    summary: _Summary = msgspec.field(default_factory=_Summary)


class _Meta(msgspec.Struct):
    branch_coverage: bool = False


class _Json(msgspec.Struct):
    files: dict[str, _JsonFile]
    meta: _Meta = msgspec.field(default_factory=_Meta)


def _json(data: bytes) -> CoverageReport:
    try:
        report = msgspec.json.decode(data.removeprefix(b"\xef\xbb\xbf"), type=_Json)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as error:
        raise ValueError(f"it is not coverage.py's JSON: {error}") from error
    files = {}
    for path, file in report.files.items():
        lines = dict.fromkeys(file.missing_lines, False) | dict.fromkeys(file.executed_lines, True)
        taken = (file.summary.covered_branches, file.summary.num_branches)
        files[path] = FileCoverage(lines, {0: taken} if taken[1] else {})
    branches = report.meta.branch_coverage or any(file.branches for file in files.values())
    return CoverageReport(format="coverage.py", files=files, has_branches=branches)


def _lcov(text: str) -> CoverageReport:
    """Records as `man geninfo` describes them; totals (LF, BRF) are counted, not believed."""
    files: dict[str, FileCoverage] = {}
    file = FileCoverage()
    part = FileCoverage()
    for line in text.splitlines():
        key, _, value = line.strip().partition(":")
        if key == "SF":
            file, part = files.setdefault(value, FileCoverage()), FileCoverage()
        elif key == "DA":
            number, hits = (*value.split(","), "")[:2]
            part.lines[_integer(number)] = _integer(hits) > 0
        elif key == "BRDA":
            number, taken = value.partition(",")[0], value.rpartition(",")[2]
            done, total = part.branches.get(_integer(number), (0, 0))
            part.branches[_integer(number)] = (done + (taken not in ("-", "0")), total + 1)
        elif key == "end_of_record":
            file.add(part)
            part = FileCoverage()
    file.add(part)  # a file that was cut off still counts
    branches = any(file.branches for file in files.values())
    return CoverageReport(format="lcov", files=files, has_branches=branches)


def _integer(text: str) -> int:
    try:
        return int(text) if len(text) < 20 else int(float(text))
    except (ValueError, OverflowError):
        raise ValueError(f"{text[:40]!r} stands where a number belongs") from None


def place(
    report: CoverageReport, files: Sequence[str], root: str, folders: Sequence[str]
) -> dict[str, str]:
    """Which file of the project each path of the report means: report path -> project path.

    `files` are relative to `root`; `folders` are where the report's paths may start. What is not
    found there was written on another machine: the project file is meant whose whole path ends
    the report's, or that ends with the report's whole path. A file name alone is believed only
    under a folder that other files have confirmed.
    """
    known = set(files)
    by_name: dict[str, list[str]] = {}
    for file in files:
        by_name.setdefault(PurePosixPath(file).name, []).append(file)
    found: dict[str, str] = {}
    guesses: list[_Guess] = []
    for path in report.files:
        words = path.replace("\\", "/")
        spellings = _spellings(words, report.sources, folders)
        exact = next((e for e in _below(spellings, root) if e in known), None)
        if exact:
            found[path] = exact
            continue
        names = by_name.get(PurePosixPath(words).name, ())
        guesses += [g for s in (*spellings, words) for g in _guess(path, s, names)]
    return found | _confirmed(guesses)


@dataclass(frozen=True, slots=True)
class _Guess:
    path: str
    file: str
    matching: int  # path components that agree
    prefix: str  # the other machine's folder, or ""


def _spellings(path: str, sources: Iterable[str], folders: Iterable[str]) -> list[str]:
    if _is_absolute(path):
        return [path]
    roots = [source.replace("\\", "/") for source in sources]
    return [f"{root.rstrip('/')}/{path}" for root in (*roots, *folders)]


def _is_absolute(path: str) -> bool:
    return path.startswith("/") or bool(_DRIVE.match(path))


def _below(paths: Iterable[str], root: str) -> list[str]:
    start = root.rstrip("/") + "/"
    normal = (os.path.normpath(path) for path in paths)
    return [path[len(start) :] for path in normal if path.startswith(start)]


def _guess(path: str, spelling: str, files: Iterable[str]) -> Iterable[_Guess]:
    parts = [part for part in spelling.split("/") if part not in ("", ".")]
    for file in files:
        wanted = file.split("/")
        matching = 0
        for one, other in zip(reversed(parts), reversed(wanted), strict=False):
            if one != other:
                break
            matching += 1
        if matching == len(wanted) or (matching == len(parts) and matching > 1):
            yield _Guess(path, file, matching, "/".join(parts[:-matching]))


def _confirmed(guesses: Sequence[_Guess]) -> dict[str, str]:
    sure = {guess.prefix for guess in guesses if guess.matching > 1}
    if not sure and len({guess.prefix for guess in guesses}) == 1:
        sure = {guesses[0].prefix}
    best: dict[str, list[_Guess]] = {}
    for guess in guesses:
        if guess.matching > 1 or guess.prefix in sure:
            best.setdefault(guess.path, []).append(guess)
    found = {}
    for path, candidates in best.items():
        most = max(guess.matching for guess in candidates)
        named = {guess.file for guess in candidates if guess.matching == most}
        if len(named) == 1:  # two that fit equally well: neither
            found[path] = named.pop()
    return found
