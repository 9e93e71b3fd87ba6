"""Reads JUnit XML, as pytest and most test runners write it.

Counts come from the test cases, not from the attributes of their suites: those are absent, or
wrong, in the files of many writers. What the attributes claim beyond the cases is told apart.
"""

import heapq
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal
from xml.parsers import expat  # nosec B407: a document type, and so any entity, is refused

Result = Literal["passed", "failed", "error", "skipped"]

LARGEST = 100_000_000  # bytes of a report: some 500,000 tests with a few words each
KEPT = 1000  # tests of a kind that are held; all are counted
SLOWEST = 5
LONGEST_NAME = 1000  # characters
LONGEST_MESSAGE = 500  # characters kept of what a test said
LONGEST_TEXT = 20_000  # characters kept of a failure's text: its end, where the place stands
DEEPEST = 100_000  # elements within each other; expat holds each open one in memory
_SLICE = 1 << 20  # bytes given to the parser at a time
_RESULTS: Mapping[str, Result] = {"failure": "failed", "error": "error", "skipped": "skipped"}
_WORST: tuple[Result, ...] = ("passed", "skipped", "failed", "error")
_SUITES = ("testsuites", "testsuite")
_NOT_RUN = ("notrun", "disabled", "skipped", "ignored")


@dataclass(frozen=True, slots=True, kw_only=True)
class TestCase:
    """One test and how it ended. `path` and `line` are as the file says, else "" and 0.

    `text` is the end of what the failure's element holds, a traceback as a rule.
    """

    name: str
    classname: str = ""
    result: Result = "passed"
    message: str = ""
    text: str = ""
    path: str = ""
    line: int = 0
    seconds: float = 0.0

    __test__ = False  # else pytest takes it for a class of tests

    @property
    def title(self) -> str:
        """The test's name with its class before it."""
        return f"{self.classname}::{self.name}" if self.classname else self.name


@dataclass(frozen=True, slots=True, kw_only=True)
class TestRun:
    """All tests of one report.

    `counts` holds how many ended in each result. `failing` are the first KEPT that failed or
    broke, `others` the first KEPT that did not, `slowest` the SLOWEST ones. `claimed` is the
    largest number of failures and errors that one suite's attributes speak of, `lost` how many
    tests its `tests` attribute counts beyond those it holds.
    """

    counts: Mapping[Result, int]
    failing: tuple[TestCase, ...]
    others: tuple[TestCase, ...] = ()
    slowest: tuple[TestCase, ...] = ()
    claimed: int = 0
    lost: int = 0

    __test__ = False

    def count(self, *results: Result) -> int:
        """How many tests ended in one of `results`."""
        return sum(self.counts.get(result, 0) for result in results)

    @property
    def total(self) -> int:
        """How many tests the report holds."""
        return sum(self.counts.values())

    @property
    def failed(self) -> int:
        """How many tests failed or broke."""
        return self.count("failed", "error")

    @property
    def ran(self) -> int:
        """How many tests were run: all but the skipped ones."""
        return self.total - self.count("skipped")


def read(data: bytes) -> TestRun:
    """The tests in `data`. Raises ValueError with what is wrong.

    A document type declaration is refused, and with it every entity. Nothing is built but the
    tests that are kept.
    """
    reader = _Reader()
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = _refuse
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.text
    try:
        for start in range(0, len(data), _SLICE):
            parser.Parse(data[start : start + _SLICE], False)
        parser.Parse(b"", True)
    except expat.ExpatError as error:
        raise ValueError(str(error)) from error
    except LookupError as error:  # an encoding nobody knows
        raise ValueError(str(error)) from error
    return reader.run()


def place(case: TestCase, root: Path, base: Path) -> tuple[str, int]:
    """The test's file relative to `root` and its line, or "" and 0 where it is not there.

    `case.path` is looked for under `base`, where the tests ran; without one, and for pytest,
    `tests.unit.test_app.TestX` is looked for as `tests/unit/test_app.py`.
    """
    for words, line in ((case.path, case.line), *((path, 0) for path in _modules(case.classname))):
        path = base / words
        try:
            found = bool(words) and ".." not in Path(words).parts and path.is_file()
        except (OSError, ValueError):
            continue
        if found and path.is_relative_to(root):
            return path.relative_to(root).as_posix(), line
    return "", 0


def _modules(classname: str) -> list[str]:
    parts = classname.split(".")
    return ["/".join(parts[:n]) + ".py" for n in range(len(parts), 0, -1) if all(parts[:n])]


def _refuse(*_: object) -> None:
    raise ValueError("it has a document type declaration, which no test report needs")


@dataclass(slots=True)
class _Suite:
    name: str
    tests: int  # as its attribute says
    counted: bool
    seen: int = 0  # tests in it and below
    results: int = 0  # failures, errors and skips in it and below


class _Reader:
    """Follows the elements; remembers the open test and the words of its failure."""

    def __init__(self) -> None:
        self._counts: dict[Result, int] = {}
        self._failing: list[TestCase] = []
        self._others: list[TestCase] = []
        self._slowest: list[tuple[float, int, TestCase]] = []
        self._total = 0
        self._claimed = 0
        self._lost = 0
        self._case: TestCase | None = None
        self._suites: list[_Suite] = []
        self._said: list[str] | None = None
        self._length = 0
        self._depth = 0

    def run(self) -> TestRun:
        """What was read."""
        return TestRun(
            counts=self._counts,
            failing=tuple(self._failing),
            others=tuple(self._others),
            slowest=tuple(case for _, _, case in sorted(self._slowest, reverse=True)),
            claimed=self._claimed,
            lost=self._lost,
        )

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        name = tag.rpartition(":")[2]
        if not self._depth and name not in _SUITES:
            raise ValueError(f"<{name[:40]}> is neither <testsuites> nor <testsuite>")
        self._depth += 1
        if self._depth > DEEPEST:
            raise ValueError(f"its elements are nested deeper than {DEEPEST:,}")
        if name in _SUITES:
            self._open(attributes)
        elif name == "testcase":
            self._case = _case(attributes)
        elif name in _RESULTS:
            self._ended(_RESULTS[name], attributes.get("message", ""))

    def _open(self, attributes: Mapping[str, str]) -> None:
        claims = (_number(attributes.get(name, "")) for name in ("failures", "errors"))
        self._claimed = max(self._claimed, sum(claims))
        name = attributes.get("name", "")[:LONGEST_NAME]
        # pytest counts each subtest in `tests` and writes one element for all of a test.
        counted = not name.startswith("pytest") and (not self._suites or self._suites[-1].counted)
        tests = _number(attributes.get("tests", ""))
        self._suites.append(_Suite(name=name, tests=tests, counted=counted))

    def _ended(self, result: Result, message: str) -> None:
        self._suites[-1].results += 1
        if self._case is None:  # a suite that broke before or after its tests
            name = self._suites[-1].name
            self._keep(TestCase(name=name, result=result, message=_short(message)))
            return
        if _WORST.index(result) > _WORST.index(self._case.result):
            self._case = replace(self._case, result=result, message=_short(message), text="")
            if len(self._failing) < KEPT:
                self._said, self._length = [], 0

    def _keep(self, case: TestCase) -> None:
        self._counts[case.result] = self._counts.get(case.result, 0) + 1
        kept = self._failing if case.result in ("failed", "error") else self._others
        if len(kept) < KEPT:
            kept.append(case)
        self._total += 1
        place = (case.seconds, -self._total, case)  # of two as slow, the first
        if len(self._slowest) < SLOWEST:
            heapq.heappush(self._slowest, place)
        elif place > self._slowest[0]:
            heapq.heapreplace(self._slowest, place)

    def text(self, words: str) -> None:
        if self._said is None:
            return
        self._said.append(words)
        self._length += len(words)
        if self._length > 2 * LONGEST_TEXT:
            whole = "".join(self._said)
            self._said = [whole[:LONGEST_MESSAGE], whole[-LONGEST_TEXT:]]
            self._length = LONGEST_MESSAGE + LONGEST_TEXT

    def end(self, tag: str) -> None:
        name = tag.rpartition(":")[2]
        self._depth -= 1
        if name in _SUITES:
            self._close(self._suites.pop())
        elif name == "testcase" and self._case is not None:
            self._suites[-1].seen += 1
            self._keep(self._case)
            self._case = None
        elif name in _RESULTS:
            if self._said and self._case is not None:
                said = "".join(self._said)
                message = self._case.message or _short(said)
                self._case = replace(self._case, message=message, text=said[-LONGEST_TEXT:])
            self._said = None

    def _close(self, suite: _Suite) -> None:
        # Some writers count a test twice that failed and then broke: a result makes up for one.
        if suite.counted:
            self._lost = max(self._lost, suite.tests - suite.seen - suite.results)
        if self._suites:
            self._suites[-1].seen += suite.seen
            self._suites[-1].results += suite.results


def _case(attributes: Mapping[str, str]) -> TestCase:
    states = (attributes.get("status", "").lower(), attributes.get("result", "").lower())
    return TestCase(
        name=attributes.get("name", "")[:LONGEST_NAME],
        classname=attributes.get("classname", "")[:LONGEST_NAME],
        result="skipped" if any(state in _NOT_RUN for state in states) else "passed",
        path=attributes.get("file", "")[: 4 * LONGEST_NAME],
        line=_number(attributes.get("line", "")),
        seconds=_seconds(attributes.get("time", "")),
    )


def _short(text: str) -> str:
    lines = [line.strip() for line in text.strip().splitlines()]
    return " ".join(line for line in lines if line)[:LONGEST_MESSAGE]


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0


def _seconds(text: str) -> float:
    try:
        seconds = float(text.replace(",", ""))
    except ValueError:
        return 0.0
    return seconds if 0 <= seconds < 1e9 else 0.0
