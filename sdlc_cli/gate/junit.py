"""Reads JUnit XML, as pytest and most test runners write it.

Counts come from the test cases, not from the attributes of their suites: those are absent, or
wrong, in the files of many writers.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal
from xml.parsers import expat  # nosec B407: a document type, and so any entity, is refused

Result = Literal["passed", "failed", "error", "skipped"]

LONGEST_MESSAGE = 500  # characters kept of what a test said
LONGEST_TEXT = 20_000  # characters kept of a failure's text: its end, where the place stands
_RESULTS: Mapping[str, Result] = {"failure": "failed", "error": "error", "skipped": "skipped"}
_WORST: tuple[Result, ...] = ("passed", "skipped", "failed", "error")
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
    """All tests of one report, in its order.

    `claimed` is the largest number of failures and errors that one suite's attributes speak of.
    """

    cases: tuple[TestCase, ...]
    claimed: int = 0

    __test__ = False

    def count(self, *results: Result) -> int:
        """How many tests ended in one of `results`."""
        return sum(case.result in results for case in self.cases)

    @property
    def failing(self) -> tuple[TestCase, ...]:
        """The tests that failed or broke."""
        return tuple(case for case in self.cases if case.result in ("failed", "error"))

    @property
    def ran(self) -> int:
        """How many tests were run: all but the skipped ones."""
        return len(self.cases) - self.count("skipped")


def read(data: bytes) -> TestRun:
    """The tests in `data`. Raises ValueError with what is wrong.

    A document type declaration is refused, and with it every entity. Nothing is built but the
    tests themselves, so depth costs nothing.
    """
    reader = _Reader()
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = _refuse
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.text
    try:
        parser.Parse(data, True)
    except expat.ExpatError as error:
        raise ValueError(str(error)) from error
    except LookupError as error:  # an encoding nobody knows
        raise ValueError(str(error)) from error
    return TestRun(cases=tuple(reader.cases), claimed=reader.claimed)


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


class _Reader:
    """Follows the elements; remembers the open test and the words of its failure."""

    def __init__(self) -> None:
        self.cases: list[TestCase] = []
        self._case: TestCase | None = None
        self._suites: list[str] = []
        self.claimed = 0
        self._said: str | None = None
        self._depth = 0

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        name = tag.rpartition(":")[2]
        if not self._depth and name not in ("testsuites", "testsuite"):
            raise ValueError(f"<{name[:40]}> is neither <testsuites> nor <testsuite>")
        self._depth += 1
        if name in ("testsuites", "testsuite"):
            self._suites.append(attributes.get("name", ""))
            claims = (_number(attributes.get(name, "")) for name in ("failures", "errors"))
            self.claimed = max(self.claimed, sum(claims))
        elif name == "testcase":
            self._case = _case(attributes)
        elif name in _RESULTS:
            self._ended(_RESULTS[name], attributes.get("message", ""))

    def _ended(self, result: Result, message: str) -> None:
        if self._case is None:  # a suite that broke before or after its tests
            self.cases.append(
                TestCase(name=self._suites[-1], result=result, message=_short(message))
            )
            return
        if _WORST.index(result) > _WORST.index(self._case.result):
            self._case = replace(self._case, result=result, message=_short(message), text="")
            self._said = ""

    def text(self, words: str) -> None:
        if self._said is None:
            return
        if len(self._said) > 2 * LONGEST_TEXT:
            self._said = self._said[:LONGEST_MESSAGE] + self._said[-LONGEST_TEXT:]
        self._said += words

    def end(self, tag: str) -> None:
        name = tag.rpartition(":")[2]
        self._depth -= 1
        if name in ("testsuites", "testsuite"):
            self._suites.pop()
        elif name == "testcase" and self._case is not None:
            self.cases.append(self._case)
            self._case = None
        elif name in _RESULTS:
            if self._said and self._case is not None:
                message = self._case.message or _short(self._said)
                text = self._said[-LONGEST_TEXT:]
                self._case = replace(self._case, message=message, text=text)
            self._said = None


def _case(attributes: Mapping[str, str]) -> TestCase:
    states = (attributes.get("status", "").lower(), attributes.get("result", "").lower())
    return TestCase(
        name=attributes.get("name", ""),
        classname=attributes.get("classname", ""),
        result="skipped" if any(state in _NOT_RUN for state in states) else "passed",
        path=attributes.get("file", ""),
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
