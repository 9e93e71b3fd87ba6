"""Takes the figures of benchmarks: commands, Python functions, pytest-benchmark reports."""

import math
import os
import statistics
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

import msgspec

from sdlc_cli.core import proc
from sdlc_cli.core.errors import WorkError
from sdlc_cli.core.i18n import msg
from sdlc_cli.gate import evidence
from sdlc_cli.gate.environment import Environment
from sdlc_cli.gate.options import Benchmark

HARNESS = Path(__file__).with_name("harness.py")
_OUTPUT = 20_000  # bytes kept of what a benchmark prints


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """Several samples of one thing, in seconds."""

    median: float
    least: float
    most: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """One benchmark's figures for one iteration; None where they were not taken.

    `seconds` is wall time. `cpu_s` is the median. `peak_bytes` is the
    most: of a command, resident memory of its largest process (getrusage(2)); of a function,
    what its Python objects took above the start of the call (tracemalloc). `objects` is the mean.
    """

    name: str
    kind: Literal["command", "callable", "report"]
    iterations: int
    seconds: Spread
    cpu_s: float | None = None
    peak_bytes: int | None = None
    objects: float | None = None
    full_name: str = ""


def run_command(benchmark: Benchmark, found: Environment, cwd: Path) -> Figures:
    """Run the command as often as it says; `timeout` is for all runs together.

    Raises WorkError when a run fails or the time is up.
    """
    until = time.monotonic() + benchmark.timeout
    runs = [
        command_once(
            benchmark, found.command(benchmark.command), cwd, found.variables(os.environ), until
        )
        for _ in range(benchmark.warmup + benchmark.iterations)
    ][benchmark.warmup :]
    return Figures(
        name=benchmark.name,
        kind="command",
        iterations=len(runs),
        seconds=_spread([run.seconds for run in runs]),
        cpu_s=statistics.median(run.cpu_s for run in runs),
        peak_bytes=max(run.peak_bytes for run in runs),
    )


def command_once(
    benchmark: Benchmark,
    words: Sequence[str],
    cwd: Path,
    environment: Mapping[str, str],
    until: float,
) -> proc.Finished:
    """Run `words` for `benchmark` until the monotonic time `until`. Raises WorkError."""
    done = proc.run(
        words,
        cwd=cwd,
        environment=environment,
        timeout=max(until - time.monotonic(), 0),
        output_limit=_OUTPUT,
        measured=True,
    )
    _check(benchmark, done)
    return done


class Harnessed(msgspec.Struct):
    """What the harness tells of a function: one entry for each iteration."""

    wall_ns: list[int] = []
    cpu_ns: list[int] = []
    memory: list[int] = []
    objects: float | None = None
    error: str = ""


def run_callable(benchmark: Benchmark, found: Environment, cwd: Path) -> Figures:
    """Have the project's interpreter measure the function; `timeout` is for all of it.

    Raises WorkError when it cannot be imported, raises, or leaves before it is measured.
    """
    also = [name for name in ("memory", "objects") if getattr(benchmark, name) is not None]
    figures, _ = harness(benchmark, found.python, cwd, found.variables(os.environ), also)
    return Figures(
        name=benchmark.name,
        kind="callable",
        iterations=len(figures.wall_ns),
        seconds=_spread([ns / 1e9 for ns in figures.wall_ns]),
        cpu_s=statistics.median(figures.cpu_ns) / 1e9,
        peak_bytes=max(figures.memory, default=None),
        objects=figures.objects,
    )


def harness(
    benchmark: Benchmark,
    python: Path,
    cwd: Path,
    environment: Mapping[str, str],
    also: Sequence[str] = (),
) -> tuple[Harnessed, proc.Finished]:
    """The function's figures as `python` takes them, and those of the whole process.

    `also` may ask for memory and objects. Raises WorkError as `run_callable` does.
    """
    with tempfile.TemporaryDirectory(prefix="sdlc-") as folder:
        out = Path(folder) / "figures.json"
        done = proc.run(
            [str(python), "-c", HARNESS.read_text(encoding="utf-8"), *arguments(benchmark, out),
             *also],
            cwd=cwd,
            environment=environment,
            timeout=benchmark.timeout,
            output_limit=_OUTPUT,
            measured=True,
        )  # fmt: skip
        figures = _harnessed(out)
    if figures and figures.error:
        raise WorkError(msg("benchmark {name}: {why}", name=benchmark.name, why=figures.error))
    _check(benchmark, done)
    if not figures or not figures.wall_ns:
        raise WorkError(msg("benchmark {name} ended before it was measured", name=benchmark.name))
    return figures, done


def arguments(benchmark: Benchmark, out: Path, *, iterations: int = 0) -> tuple[str, ...]:
    """The harness's words for `benchmark`; without `iterations`, as many as it says."""
    numbers = (str(iterations or benchmark.iterations), str(benchmark.warmup))
    return (benchmark.callable, *numbers, str(out))


def run_test(benchmark: Benchmark, found: Environment, cwd: Path) -> Figures:
    """Have pytest-benchmark time the test; seconds are wall time. Raises WorkError."""
    figures, _ = pytest_benchmark(benchmark, found.python, cwd, found.variables(os.environ))
    return replace(figures, name=benchmark.name)


def pytest_benchmark(
    benchmark: Benchmark,
    python: Path,
    cwd: Path,
    environment: Mapping[str, str],
    options: Sequence[str] = (),
) -> tuple[Figures, proc.Finished]:
    """pytest-benchmark's figures of the one test, and those of the whole process.

    The project's own `addopts` are left out: they may switch benchmarks off. Raises WorkError
    when the test fails, is no benchmark, or is more than one.
    """
    with tempfile.TemporaryDirectory(prefix="sdlc-") as folder:
        out = Path(folder) / "report.json"
        words = (
            str(python), "-m", "pytest", "-q", "-o", "addopts=", "-p", "no:cacheprovider",
            f"--benchmark-json={out}", *options, benchmark.test,
        )  # fmt: skip
        foreign = ("PYTEST_ADDOPTS", "PYTEST_XDIST")  # of a pytest that we run below
        variables = {k: v for k, v in environment.items() if not k.startswith(foreign)}
        until = time.monotonic() + benchmark.timeout
        done = command_once(benchmark, words, cwd, variables, until)
        rows = read_report(out).rows
    if len(rows) != 1:
        raise WorkError(
            msg("{test} holds {count} benchmarks, not one", test=benchmark.test, count=len(rows)),
            hint=msg("name one test, with its parameters as in 'pytest --collect-only -q'"),
        )
    return rows[0], done


def _harnessed(out: Path) -> Harnessed | None:
    try:
        return msgspec.json.decode(out.read_bytes(), type=Harnessed)
    except (OSError, msgspec.MsgspecError):
        return None


def _check(benchmark: Benchmark, done: proc.Finished) -> None:
    if done.timed_out:
        raise WorkError(
            msg(
                "benchmark {name} did not end within {seconds:g} s",
                name=benchmark.name,
                seconds=benchmark.timeout,
            )
        )
    if done.code:
        raise WorkError(
            msg(
                "benchmark {name} ended with exit code {code}. The last lines: {lines}",
                name=benchmark.name,
                code=done.code,
                lines=done.last_lines() or msg("none"),
            )
        )


def _spread(seconds: Sequence[float]) -> Spread:
    return Spread(median=statistics.median(seconds), least=min(seconds), most=max(seconds))


class _Stats(msgspec.Struct):
    median: float
    min: float
    max: float
    rounds: int
    iterations: int = 1


class _Entry(msgspec.Struct):
    name: str
    stats: _Stats
    fullname: str = ""


class _Report(msgspec.Struct):
    benchmarks: list[_Entry]
    datetime: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What pytest-benchmark measured, and when."""

    rows: tuple[Figures, ...]
    made_at: datetime


def read_report(path: Path) -> Report:
    """The benchmarks in pytest-benchmark's JSON.

    Raises WorkError when it cannot be read, does not say when it was made, or holds figures that
    no measurement gives.
    """
    try:
        report = msgspec.json.decode(evidence.read(path, path.name), type=_Report)
    except OSError as error:
        raise WorkError(
            msg("the benchmark report {file} cannot be read: {why}", file=path.name,
                why=error.strerror or str(error)),
            hint=msg("run 'pytest --benchmark-json={file}' first", file=path.name),
        ) from error  # fmt: skip
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as error:
        raise WorkError(
            msg("{file} is not pytest-benchmark's JSON: {why}", file=path.name, why=str(error)),
            hint=msg("write it with 'pytest --benchmark-json={file}'", file=path.name),
        ) from error
    rows = tuple(_figures(entry) for entry in report.benchmarks)
    return Report(rows=rows, made_at=_made_at(report.datetime, path.name))


def _made_at(text: str, file: str) -> datetime:
    try:
        made_at = datetime.fromisoformat(text)
    except ValueError:
        raise WorkError(
            msg("{file} does not say when it was made: its datetime is '{text}'", file=file,
                text=text[:40]),
            hint=msg("write it with 'pytest --benchmark-json={file}'", file=file),
        ) from None  # fmt: skip
    # Up to release 3 pytest-benchmark wrote UTC without saying so.
    return made_at if made_at.tzinfo else made_at.replace(tzinfo=UTC)


def _figures(entry: _Entry) -> Figures:
    stats = entry.stats
    if stats.rounds < 1:
        raise WorkError(msg("benchmark {name} was never run", name=entry.name))
    if not (0 <= stats.min <= stats.median <= stats.max < math.inf and stats.median):
        raise WorkError(
            msg(
                "benchmark {name} has a time that no clock shows: min {least}, median {median},"
                " max {most}",
                name=entry.name,
                least=stats.min,
                median=stats.median,
                most=stats.max,
            )
        )
    return Figures(
        name=entry.name,
        kind="report",
        iterations=stats.rounds,
        seconds=Spread(median=stats.median, least=stats.min, most=stats.max),
        full_name=entry.fullname,
    )
