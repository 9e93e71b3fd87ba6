"""Takes the figures of benchmarks: commands, Python functions, pytest-benchmark reports."""

import os
import statistics
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import msgspec

from sdlc_cli.core import proc
from sdlc_cli.core.errors import WorkError
from sdlc_cli.core.i18n import msg
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
    runs: list[proc.Finished] = []
    for _ in range(benchmark.warmup + benchmark.iterations):
        done = proc.run(
            found.command(benchmark.command),
            cwd=cwd,
            environment=found.variables(os.environ),
            timeout=max(until - time.monotonic(), 0),
            output_limit=_OUTPUT,
            measured=True,
        )
        _check(benchmark, done)
        runs.append(done)
    runs = runs[benchmark.warmup :]
    return Figures(
        name=benchmark.name,
        kind="command",
        iterations=len(runs),
        seconds=_spread([run.seconds for run in runs]),
        cpu_s=statistics.median(run.cpu_s for run in runs),
        peak_bytes=max(run.peak_bytes for run in runs),
    )


class _Harnessed(msgspec.Struct):
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
    with tempfile.TemporaryDirectory(prefix="sdlc-") as folder:
        out = Path(folder) / "figures.json"
        numbers = (str(benchmark.iterations), str(benchmark.warmup))
        done = proc.run(
            [str(found.python), "-c", HARNESS.read_text(encoding="utf-8"),
             benchmark.callable, *numbers, str(out), *also],
            cwd=cwd,
            environment=found.variables(os.environ),
            timeout=benchmark.timeout,
            output_limit=_OUTPUT,
        )  # fmt: skip
        figures = _harnessed(out)
    if figures and figures.error:
        raise WorkError(msg("benchmark {name}: {why}", name=benchmark.name, why=figures.error))
    _check(benchmark, done)
    if not figures or not figures.wall_ns:
        raise WorkError(msg("benchmark {name} ended before it was measured", name=benchmark.name))
    return Figures(
        name=benchmark.name,
        kind="callable",
        iterations=len(figures.wall_ns),
        seconds=_spread([ns / 1e9 for ns in figures.wall_ns]),
        cpu_s=statistics.median(figures.cpu_ns) / 1e9,
        peak_bytes=max(figures.memory, default=None),
        objects=figures.objects,
    )


def _harnessed(out: Path) -> _Harnessed | None:
    try:
        return msgspec.json.decode(out.read_bytes(), type=_Harnessed)
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


def read_report(path: Path) -> list[Figures]:
    """The benchmarks in pytest-benchmark's JSON. Raises WorkError when it cannot be read."""
    try:
        report = msgspec.json.decode(path.read_bytes(), type=_Report)
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
    return [
        Figures(
            name=entry.name,
            kind="report",
            iterations=entry.stats.rounds,
            seconds=Spread(median=entry.stats.median, least=entry.stats.min, most=entry.stats.max),
            full_name=entry.fullname,
        )
        for entry in report.benchmarks
    ]
