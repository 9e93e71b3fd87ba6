"""Runs a benchmark once on one side of a comparison: a Sampler for `gate.paired`."""

import math
import os
import statistics
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from sdlc_cli.gate import benchmarks
from sdlc_cli.gate.environment import Environment
from sdlc_cli.gate.options import Benchmark
from sdlc_cli.gate.paired import Sample, Sampler

# A test is run once for each pair, so a shorter time than pytest-benchmark's usual second will do.
_TEST_OPTIONS = (
    "--benchmark-timer=time.process_time",
    "--benchmark-max-time=0.25",
    "--benchmark-min-rounds=3",
)
_HASH_SEED = "PYTHONHASHSEED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """One state of the project: the folder its benchmarks run in, and their environment.

    `root` is the state's top folder, `cwd` the one that gates.yaml lies in. `paths` are imported
    from before anything that is installed; `variables` stand on top of the environment's own.
    """

    root: Path
    cwd: Path
    environment: Environment
    paths: tuple[Path, ...] = ()
    variables: Mapping[str, str] = field(default_factory=dict)

    def environ(self, hash_seed: int) -> dict[str, str]:
        """The variables of a child. A PYTHONHASHSEED that the user has set stays."""
        found = self.environment.variables(os.environ)
        if self.paths:
            known = found.get("PYTHONPATH", "")
            found["PYTHONPATH"] = os.pathsep.join([*map(str, self.paths), *filter(None, [known])])
        # A fresh checkout has no compiled files yet; not to keep them would count compiling.
        found.pop("PYTHONDONTWRITEBYTECODE", None)
        found.setdefault(_HASH_SEED, str(hash_seed))
        return found | dict(self.variables)


def sampler(benchmark: Benchmark, side: Side) -> Sampler:
    """One run of `benchmark` on `side`; it raises WorkError when the run fails.

    Both sides of a pair get the same hash seed, each pair another one: what hashing costs by
    chance cancels out within a pair, and is not the same chance all along.
    """
    if benchmark.callable:
        return lambda pair: _call(benchmark, side, pair)
    if benchmark.test:
        return lambda pair: _test(benchmark, side, pair)
    return lambda pair: _command(benchmark, side, pair)


def _command(benchmark: Benchmark, side: Side, pair: int) -> Sample:
    done = benchmarks.command_once(
        benchmark,
        side.environment.command(benchmark.command),
        side.cwd,
        side.environ(pair + 1),
        time.monotonic() + benchmark.timeout,
    )
    return Sample(cpu_s=done.cpu_s, wall_s=done.seconds, peak_bytes=done.peak_bytes)


def _call(benchmark: Benchmark, side: Side, pair: int) -> Sample:
    """The median of the iterations; memory is the whole process's."""
    figures, done = benchmarks.harness(
        benchmark, side.environment.python, side.cwd, side.environ(pair + 1)
    )
    return Sample(
        cpu_s=statistics.median(figures.cpu_ns) / 1e9,
        wall_s=statistics.median(figures.wall_ns) / 1e9,
        peak_bytes=done.peak_bytes,
    )


def _test(benchmark: Benchmark, side: Side, pair: int) -> Sample:
    """The median of the rounds, in CPU time; wall time of a round is not known."""
    figures, done = benchmarks.pytest_benchmark(
        benchmark, side.environment.python, side.cwd, side.environ(pair + 1), _TEST_OPTIONS
    )
    return Sample(cpu_s=figures.seconds.median, wall_s=math.nan, peak_bytes=done.peak_bytes)
