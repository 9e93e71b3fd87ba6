"""Runs the project's tests in the project's own environment and reads what they report.

Score: the share of passed tests among those that ran. The report decides, never the exit code
alone: a suite that ran nothing, crashed, or contradicts itself is an error, not a pass.
"""

import contextlib
import itertools
import os
import re
import shlex
import tempfile
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from sdlc_cli.core import proc
from sdlc_cli.core.errors import WorkError
from sdlc_cli.core.finding import Finding, Location, Severity
from sdlc_cli.core.i18n import msg
from sdlc_cli.core.service import Service
from sdlc_cli.gate import environment, evidence, formula, junit
from sdlc_cli.gate.environment import Environment
from sdlc_cli.gate.junit import TestCase, TestRun
from sdlc_cli.gate.model import Measurement
from sdlc_cli.gate.options import Integration
from sdlc_cli.gate.source import Project

MENTIONS = 100  # places in one traceback that are looked at
_CLOCK_S = 2.0  # file times may be this coarse
_PYTEST = ("pytest", "py.test")
_RUNNERS = ("uv", "poetry", "pdm", "hatch", "pipenv", "rye", "conda", "pixi")
_JUNIT_OPTIONS = ("--junit-xml", "--junitxml")
# `tests/test_app.py:12: AssertionError`, and `File "tests/test_app.py", line 12, in test_x`
_PLACE = re.compile(
    r'^(?:\s*File "(?P<file>[^"\n]+)", line (?P<at>\d{1,9})'
    r"|(?P<path>[^\s:][^:\n]*):(?P<line>\d{1,9}):)",
    re.MULTILINE,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Plan:
    """What is run, and where its report will be; `is_pytest` tells how to read exit codes.

    `shown` is the command as the user wrote it.
    """

    shown: str
    command: tuple[str, ...]
    report: Path
    is_pytest: bool


def check(project: Project, name: str, options: Integration) -> Measurement:
    """Run the tests once. Raises WorkError when they cannot be started."""
    if not project.configured:
        reason = msg("nothing of the repository is run without gates.yaml")
        return Measurement(outcome="skipped", reason=reason)
    found = environment.resolve(options.python, project.base, os.environ)
    with tempfile.TemporaryDirectory(prefix="sdlc-") as folder:
        plan = _plan(project, options, found, Path(folder))
        started = time.time()
        with evidence.set_aside(plan.report) as was_there:
            finished = _run(project, options, found, plan)
            written = plan.report.exists()
        metrics: dict[str, object] = {
            "command": plan.shown,
            "python": found.label,
            "exit_code": finished.code,
            "seconds": round(finished.seconds, 3),
        }
        if finished.timed_out:
            reason = msg("the tests did not end within {seconds:g} s", seconds=options.timeout)
            return _error(reason, finished, metrics)
        try:
            tests = _read(plan.report, was_there and not written, started)
        except WorkError as error:
            return _error(error.message, finished, metrics)
    return _judge(project, plan, finished, tests, metrics)


def _judge(
    project: Project,
    plan: _Plan,
    finished: proc.Finished,
    tests: TestRun,
    metrics: Mapping[str, object],
) -> Measurement:
    metrics = {**metrics, **_numbers(tests)}
    findings = tuple(_finding(case, project, plan) for case in tests.failing)
    trouble = _trouble(plan, finished, tests)
    if trouble:
        return _error(trouble, finished, metrics, findings)
    passed = tests.count("passed")
    score = formula.share(passed, tests.ran)
    metrics["formula"] = formula.share_terms(passed, tests.ran, "finding")
    return Measurement(score=score, findings=findings, metrics=metrics)


def _trouble(plan: _Plan, finished: proc.Finished, tests: TestRun) -> str:
    """Why this run proves nothing, or "" when its tests may be judged."""
    if not tests.total:
        return msg("the test command ran no test")
    if not tests.ran:
        return msg("all {count} tests were skipped: nothing was tested", count=tests.total)
    if tests.claimed and not tests.failing:
        return msg(
            "the test report contradicts itself: it counts {count} failures and shows none",
            count=tests.claimed,
        )
    if tests.lost and not plan.is_pytest:
        return msg(
            "the test report contradicts itself: it counts {count} tests more than it holds",
            count=tests.lost,
        )
    if finished.code and not tests.failing:
        return msg(
            "no test failed, yet the test command ended with exit code {code}", code=finished.code
        )
    if _stopped_early(plan, finished, tests):
        return msg(
            "the test run broke off with exit code {code}: more tests may fail", code=finished.code
        )
    return ""


def _stopped_early(plan: _Plan, finished: proc.Finished, tests: TestRun) -> bool:
    """A crash, or pytest's own word that it did not come to the end (exit codes over 1).

    pytest ends with 2 as well when a test module does not import; then nothing ran, and the
    broken module is the finding. https://docs.pytest.org/en/stable/reference/exit-codes.html
    """
    if finished.code < 0:
        return True
    if not plan.is_pytest or finished.code in (0, 1):
        return False
    return finished.code != 2 or bool(tests.count("passed"))


def _plan(project: Project, options: Integration, found: Environment, scratch: Path) -> _Plan:
    words = options.command or _default(project, found)
    shown = shlex.join(words)
    command = found.command(words)
    at = _pytest_word(words)
    named = options.junit or _named_report(words)
    if named:
        report = project.base / named
        return _Plan(shown=shown, command=command, report=report, is_pytest=at >= 0)
    if at < 0:
        raise WorkError(
            msg(
                "nothing says where '{command}' writes its JUnit report, and its exit code alone"
                " cannot tell whether a test ran",
                command=shown,
            ),
            hint=msg("let it write one, and name the file with 'junit:' in gates.yaml"),
        )
    report = scratch / "junit.xml"
    # xunit1 is the form that says in which file a test stands.
    asked = (f"--junit-xml={report}", "-o", "junit_family=xunit1")
    command = (*command[: at + 1], *asked, *command[at + 1 :])
    return _Plan(shown=shown, command=command, report=report, is_pytest=True)


def _default(project: Project, found: Environment) -> tuple[str, ...]:
    if found.has("pytest", cwd=project.base, environ=os.environ):
        return ("python", "-m", "pytest")
    raise WorkError(
        msg("no test command is set, and {python} has no pytest", python=found.label),
        hint=msg("install pytest there, or set 'command:' (and 'python:') in gates.yaml"),
    )


def _pytest_word(words: Sequence[str]) -> int:
    """The position of the word after which pytest's own options stand, or -1."""
    for at, (before, word) in enumerate(itertools.pairwise(words), 1):
        if (before, word) == ("-m", "pytest"):
            return at
    if Path(words[0]).name in _PYTEST:
        return 0
    if Path(words[0]).name in _RUNNERS and "run" in words[1:2]:
        return next((at for at, word in enumerate(words) if Path(word).name in _PYTEST), -1)
    return -1


def _named_report(words: Sequence[str]) -> str:
    """The report that the command asks pytest for itself."""
    for word, after in zip(words, [*words[1:], ""], strict=True):
        option, equals, value = word.partition("=")
        if option in _JUNIT_OPTIONS:
            return value if equals else after
    return ""


def _run(project: Project, options: Integration, found: Environment, plan: _Plan) -> proc.Finished:
    """The test command's end; services are stopped in reverse order whatever happens."""
    with contextlib.ExitStack() as stack:
        for service in options.services:
            stack.enter_context(
                Service(
                    service.name,
                    found.command(service.command),
                    cwd=project.base,
                    environment=found.variables(os.environ, service.environment),
                    port=service.port,
                    url=service.url,
                    timeout=service.timeout,
                )
            )
        return proc.run(
            plan.command,
            cwd=project.base,
            environment=found.variables(os.environ, options.environment),
            timeout=options.timeout,
        )


def _read(path: Path, is_old: bool, started: float) -> TestRun:
    """Raises WorkError when the report is not there, not of this run, or not readable."""
    try:
        if is_old or path.stat().st_mtime < started - _CLOCK_S:
            raise WorkError(
                msg(
                    "the test report {file} is older than this run: it was not written",
                    file=path.name,
                )
            )
        return junit.read(evidence.read(path, path.name, junit.LARGEST))
    except FileNotFoundError as error:
        raise WorkError(msg("the test command wrote no report ({file})", file=path.name)) from error
    except (OSError, ValueError) as error:
        raise WorkError(
            msg("the test report {file} cannot be read: {why}", file=path.name, why=str(error))
        ) from error


def _numbers(tests: TestRun) -> dict[str, object]:
    return {
        "tests": tests.total,
        "passed": tests.count("passed"),
        "failed": tests.count("failed"),
        "errors": tests.count("error"),
        "skipped": tests.count("skipped"),
        "failures_left_out": tests.failed - len(tests.failing),
        "slowest": [{"name": case.title, "seconds": case.seconds} for case in tests.slowest],
    }


def _finding(case: TestCase, project: Project, plan: _Plan) -> Finding:
    path, line = _place(case, project, plan)
    broke = case.result == "error"
    why = case.message or msg("it gave no message")
    return Finding(
        rule="test-error" if broke else "test-failed",
        severity=Severity.HIGH,
        message=msg("{test} broke: {why}", test=case.title, why=why)
        if broke
        else msg("{test} failed: {why}", test=case.title, why=why),
        location=Location(path=path, line=line),
        context=case.title,
    )


def _place(case: TestCase, project: Project, plan: _Plan) -> tuple[str, int]:
    """The first line of the traceback in the test's own file, else what the report says."""
    path, line = junit.place(case, project.root, project.base)
    if plan.is_pytest and line:
        line += 1  # pytest counts from 0 here: _pytest/junitxml.py, record_testreport
    for file, at in itertools.islice(_mentions(case.text), MENTIONS):
        mentioned, _ = junit.place(TestCase(name="", path=file), project.root, project.base)
        if mentioned and mentioned == (path or mentioned):
            return mentioned, at
    return path, line


def _mentions(text: str) -> Iterable[tuple[str, int]]:
    for match in _PLACE.finditer(text):
        yield match["file"] or match["path"], int(match["at"] or match["line"])


def _error(
    reason: str,
    finished: proc.Finished,
    metrics: Mapping[str, object],
    findings: tuple[Finding, ...] = (),
) -> Measurement:
    lines = finished.last_lines()
    return Measurement(
        outcome="error",
        reason=msg("{reason}. The last lines: {lines}", reason=reason, lines=lines)
        if lines
        else reason,
        findings=findings,
        metrics=metrics,
    )
