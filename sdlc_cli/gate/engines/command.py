"""Runs any program as a gate, and reads its SARIF, its JUnit, a number in its JSON, or its code."""

import contextlib
import math
import os
import re
import shlex
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import msgspec

from sdlc_cli.core import proc
from sdlc_cli.core.errors import ConfigError, WorkError
from sdlc_cli.core.files import read_regular, repository_root
from sdlc_cli.core.finding import Finding, Location, Severity
from sdlc_cli.core.i18n import msg
from sdlc_cli.gate import environment, evidence, formula, junit, sarif
from sdlc_cli.gate.config import CommandGate, Deploy
from sdlc_cli.gate.model import Measurement
from sdlc_cli.gate.source import MAX_BYTES, Project

HALF = 20  # for SARIF: points per 1,000 lines of Python that leave 50
LONGEST_OUTPUT = 100_000_000  # bytes of standard output or of a report
_PYTHON = (".py", ".pyw", ".pyi")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Answer:
    """What the program said, ready to be read, and how it ended."""

    data: bytes
    done: proc.Finished
    source: str  # the report's path, or "" for standard output


def check(project: Project, name: str, options: CommandGate | Deploy) -> Measurement:
    """Run the program and read its result.

    Scores: SARIF by `formula.density` over the project's Python lines; JUnit by the share of
    tests run that passed; JSON by its place between `worst` and `best`; the code 100 or 0.
    Raises WorkError when the program did not do its work, ConfigError for a wrong `key`.
    """
    place = project.base  # what relative paths in SARIF mean
    if isinstance(options, Deploy):
        place = repository_root(project.base / options.path)
        options = options.as_command()
    report = project.base / options.report if options.report else None
    with evidence.set_aside(report) if report else contextlib.nullcontext(False) as was_there:
        done = _run(project, options)
        is_old = was_there and report is not None and not report.exists()
    _check_ended(options, done)
    if options.reads == "exit":
        return _from_code(options, done)
    if done.code not in options.exit_codes:
        raise _ended_badly(options, done)
    data = done.stdout.encode() if report is None else _written(report, is_old, options)
    answer = _Answer(data=data, done=done, source=options.report)
    if options.reads == "sarif":
        return _from_sarif(project, answer, place)
    if options.reads == "junit":
        return _from_junit(project, answer)
    return _from_json(options, answer)


def _run(project: Project, options: CommandGate) -> proc.Finished:
    words = options.command
    try:
        found = environment.resolve(options.python, project.base, os.environ)
    except WorkError:
        if options.python != "auto":
            raise
        variables = dict(os.environ) | options.environment  # a program need not be Python's
    else:
        variables = found.variables(os.environ, options.environment)
        words = found.command(words)
    if words[0] == "sdlc":  # this very version, wherever it is installed
        words = (sys.executable, "-m", "sdlc_cli", *words[1:])
    return proc.run(
        words,
        cwd=project.base,
        environment=variables,
        timeout=options.timeout,
        output_limit=LONGEST_OUTPUT,
    )


def _spelled(options: CommandGate) -> str:
    return shlex.join(options.command)


def _check_ended(options: CommandGate, done: proc.Finished) -> None:
    """Raises WorkError when the program was cut off instead of ending."""
    if done.timed_out:
        raise WorkError(
            msg(
                "{command} was ended after {seconds} seconds",
                command=_spelled(options),
                seconds=f"{options.timeout:g}",
            ),
            hint=msg("give it more time with 'timeout', or less work"),
        )
    if done.code < 0:
        raise WorkError(
            msg(
                "{command} was killed by signal {signal}: {output}",
                command=_spelled(options),
                signal=-done.code,
                output=done.last_lines(),
            )
        )


def _ended_badly(options: CommandGate, done: proc.Finished) -> WorkError:
    return WorkError(
        msg(
            "{command} ended with code {code}, which is not among exit_codes ({known}): {output}",
            command=_spelled(options),
            code=done.code,
            known=", ".join(map(str, options.exit_codes)),
            output=done.last_lines(),
        )
    )


def _written(report: Path, is_old: bool, options: CommandGate) -> bytes:
    """The report, if this run wrote it: an old one would pass for ever."""
    if is_old:
        raise WorkError(
            msg(
                "{report} is from an earlier run: {command} did not write it",
                command=_spelled(options),
                report=options.report,
            )
        )
    try:
        return evidence.read(report, options.report, LONGEST_OUTPUT)
    except FileNotFoundError as error:
        raise WorkError(
            msg(
                "{command} did not write {report}",
                command=_spelled(options),
                report=options.report,
            ),
            hint=msg("'report' is looked for beside gates.yaml"),
        ) from error
    except OSError as error:
        raise WorkError(
            msg("{report}: {reason}", report=options.report, reason=error.strerror)
        ) from error


def _contradicts(answer: _Answer) -> WorkError:
    return WorkError(
        msg(
            "nothing is reported, yet the program ended with code {code}: {output}",
            code=answer.done.code,
            output=answer.done.last_lines(),
        ),
        hint=msg("let it end with 0 when there is nothing to report"),
    )


def _unreadable(answer: _Answer, form: str, error: ValueError) -> WorkError:
    words = {"form": form, "reason": error, "report": answer.source}
    if answer.source:
        return WorkError(msg("{report} is not {form}: {reason}", **words))
    lines = answer.done.stderr.strip().splitlines()
    if not lines:
        return WorkError(msg("the output is not {form}: {reason}", **words))
    words["output"] = "\n".join(lines[-5:])
    return WorkError(msg("the output is not {form}: {reason}; it said: {output}", **words))


def _from_code(options: CommandGate, done: proc.Finished) -> Measurement:
    metrics = _metrics(done)
    if done.code == 0:
        return Measurement(score=100.0, metrics=metrics)
    finding = Finding(
        rule="exit-code",
        severity=Severity.HIGH,
        message=msg(
            "{command} ended with code {code}: {output}",
            command=_spelled(options),
            code=done.code,
            output=done.last_lines(),
        ),
        context=_spelled(options),
    )
    return Measurement(score=0.0, findings=(finding,), metrics=metrics)


def _metrics(done: proc.Finished) -> dict[str, object]:
    return {"exit_code": done.code, "seconds": round(done.seconds, 3)}


def _from_sarif(project: Project, answer: _Answer, place: Path) -> Measurement:
    try:
        log = sarif.read(answer.data, root=project.root, base=place)
    except ValueError as error:
        raise _unreadable(answer, "SARIF 2.1.0", error) from error
    if log.failures:
        raise WorkError(
            msg("the tool reports that it failed: {tools}", tools="; ".join(log.failures))
        )
    if not log.runs:
        raise WorkError(msg("the SARIF holds no run with results: nothing was looked at"))
    if answer.done.code and not log.findings:
        raise _contradicts(answer)
    lines = _python_lines(project)
    return Measurement(
        score=formula.density((f.severity for f in log.findings), lines, HALF),
        findings=log.findings,
        metrics={
            **_metrics(answer.done),
            "results": len(log.findings),
            "suppressed": log.suppressed,
            "formula": formula.density_terms(lines, HALF),
        },
        tool_versions=log.tool_versions,
    )


def _python_lines(project: Project) -> int:
    lines = 0
    for path in project.files:
        if path.lower().endswith(_PYTHON):
            try:
                lines += (read_regular(project.root / path, MAX_BYTES) or b"").count(b"\n")
            except OSError:  # listed as skipped by whoever judges files
                continue
    return lines


def _from_junit(project: Project, answer: _Answer) -> Measurement:
    try:
        tests = junit.read(answer.data)
    except ValueError as error:
        raise _unreadable(answer, "JUnit XML", error) from error
    _check_tests(tests, answer)
    passed = tests.count("passed")
    return Measurement(
        score=formula.share(passed, tests.ran),
        findings=tuple(_test_finding(project, case) for case in tests.failing),
        metrics={
            **_metrics(answer.done),
            "tests": tests.ran,
            "passed": passed,
            "skipped": tests.count("skipped"),
            "failures_left_out": tests.failed - len(tests.failing),
            "formula": formula.share_terms(passed, tests.ran, "finding"),
        },
    )


def _check_tests(tests: junit.TestRun, answer: _Answer) -> None:
    """Raises WorkError when the report proves nothing."""
    if not tests.total:
        raise WorkError(msg("the report holds no test: nothing was tested"))
    if not tests.ran:
        raise WorkError(msg("every test was skipped: nothing was tested"))
    if tests.claimed > tests.failed:
        raise WorkError(
            msg(
                "the report speaks of {claimed} failures but holds {held} of them",
                claimed=tests.claimed,
                held=tests.failed,
            )
        )
    if tests.lost:
        raise WorkError(msg("the report counts {count} tests more than it holds", count=tests.lost))
    if answer.done.code and not tests.failing:
        raise _contradicts(answer)


def _test_finding(project: Project, case: junit.TestCase) -> Finding:
    path, line = junit.place(case, project.root, project.base)
    words = {"test": case.title, "message": case.message}
    if case.message:
        message = msg("the test {test} failed: {message}", **words)
    else:
        message = msg("the test {test} failed", **words)
    return Finding(
        rule="test-failed",
        severity=Severity.HIGH,
        message=message,
        location=Location(path=path, line=line),
        context=case.title,
    )


def _from_json(options: CommandGate, answer: _Answer) -> Measurement:
    try:
        whole: object = msgspec.json.decode(answer.data.removeprefix(b"\xef\xbb\xbf"))
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise _unreadable(answer, "JSON", ValueError(str(error))) from error
    value = _at(whole, options.key)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise WorkError(
            msg(
                "{key} in the JSON is no number but {value}",
                key=options.key or ".",
                value=msgspec.json.encode(value).decode()[:80],
            )
        )
    return Measurement(
        score=scale(float(value), worst=options.worst, best=options.best),
        metrics={**_metrics(answer.done), "value": value},
    )


def scale(value: float, *, worst: float, best: float) -> float:
    """0 at `worst` and beyond, 100 at `best` and beyond; `best` may be the smaller one.

    Raises ConfigError when they are the same.
    """
    if best == worst:
        raise ConfigError(msg("best and worst must differ, both are {value}", value=f"{best:g}"))
    return min(max(100 * (value - worst) / (best - worst), 0.0), 100.0)


_STEP = re.compile(r'"([^"]*)"|([^."\[\]]+)|\[(-?[0-9]+)\]')


def _steps(key: str) -> list[str]:
    """`runs[0]."a.b".score` as its names: `runs`, `0`, `a.b`, `score`."""
    steps: list[str] = []
    place = 0
    while place < len(key):
        if steps and key[place] == ".":
            place += 1
        match = _STEP.match(key, place)
        if not match:
            raise ConfigError(
                msg("{key} is no path of a value in JSON", key=key),
                hint=msg('write it as totals.score, runs.0.score or "a name.with dots".score'),
            )
        steps.append(next(group for group in match.groups() if group is not None))
        place = match.end()
    return steps


def _at(whole: object, key: str) -> object:
    """The value at `key`. Raises WorkError naming the step that leads nowhere."""
    value = whole
    for step in _steps(key):
        if isinstance(value, Mapping) and step in value:
            value = value[step]
        elif (
            isinstance(value, list)
            and re.fullmatch(r"-?[0-9]{1,9}", step, re.ASCII)
            and -len(value) <= int(step) < len(value)
        ):
            value = value[int(step)]
        else:
            raise WorkError(msg("the JSON has no {key}: nothing at {step}", key=key, step=step))
    return value
