"""Counts the machine instructions of a benchmark with valgrind's callgrind: the exact mode.

The count does not depend on the machine's load, and with a fixed hash seed it is the same each
time (about 100 times slower than a plain run). What starting up takes is counted too, and taken
off.
"""

import re
import shutil
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from sdlc_cli.core.errors import WorkError
from sdlc_cli.core.i18n import msg
from sdlc_cli.gate import benchmarks, pycommand
from sdlc_cli.gate.options import Benchmark
from sdlc_cli.gate.sampling import Side

SLOWDOWN = 200  # how much longer than usual a run may take
_TOTAL = re.compile(rb"^(?:summary|totals): (\d+)", re.MULTILINE)


def available() -> bool:
    """Whether valgrind is installed."""
    return shutil.which("valgrind") is not None


def count(benchmark: Benchmark, side: Side) -> float:
    """Instructions of one iteration, without starting up. Raises WorkError."""
    if benchmark.callable:
        once, more = (
            _counted(benchmark, side, _harness(benchmark, side, iterations))
            for iterations in (1, 1 + benchmark.iterations)
        )
        return _positive(benchmark, (more - once) / benchmark.iterations)
    words = side.environment.command(benchmark.command)
    total = _counted(benchmark, side, words)
    program = pycommand.parse(benchmark.command, side.environment, side.cwd)
    if program is None:
        return _positive(benchmark, total)
    nothing = (*program.interpreter, "-c", "pass")
    return _positive(benchmark, total - _counted(benchmark, side, nothing))


def _harness(benchmark: Benchmark, side: Side, iterations: int) -> tuple[str, ...]:
    text = benchmarks.HARNESS.read_text(encoding="utf-8")
    words = benchmarks.arguments(benchmark, Path("/dev/null"), iterations=iterations)
    return (str(side.environment.python), "-c", text, *words)


def _counted(benchmark: Benchmark, side: Side, words: Sequence[str]) -> int:
    variables = side.environ(0)
    variables["PYTHONHASHSEED"] = "0"
    until = time.monotonic() + benchmark.timeout
    benchmarks.command_once(benchmark, words, side.cwd, variables, until)  # compiles modules
    with tempfile.TemporaryDirectory(prefix="sdlc-") as folder:
        tool = (
            "valgrind", "--quiet", "--tool=callgrind", "--trace-children=yes",
            f"--callgrind-out-file={folder}/out.%p",
        )  # fmt: skip
        until = time.monotonic() + benchmark.timeout * SLOWDOWN
        benchmarks.command_once(benchmark, (*tool, *words), side.cwd, variables, until)
        return sum(_total(file) for file in Path(folder).iterdir())


def _total(file: Path) -> int:
    match = _TOTAL.search(file.read_bytes())
    return int(match[1]) if match else 0


def _positive(benchmark: Benchmark, number: float) -> float:
    if number <= 0:
        raise WorkError(
            msg("benchmark {name} took no instructions beyond its start", name=benchmark.name),
            hint=msg("give the benchmark more to do"),
        )
    return number
