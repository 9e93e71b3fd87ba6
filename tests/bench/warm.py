"""Holds `sdlc gate run` as a user starts it against bandit and radon: time and memory.

    python tests/bench/warm.py [--rounds N] PATH...

All run on a copy of PATH, by turns, each started anew; the least of each counts. CPU is user and
system time of a process and all that it started. "Warm" is a second run over the same files;
"changed" one with a line added to one Python file of middling size.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

PYTHON = (sys.executable, "-P", "-m")
TOOLS = {
    "bandit": ("bandit", "-r", "-q", "-f", "json"),
    "radon cc": ("radon", "cc", "-s", "-a"),
    "radon mi": ("radon", "mi"),
}
THREE = ("--only", "syntax", "--only", "security", "--only", "maintainability")
RUN = ("sdlc_cli", "gate", "run", "--format", "json", "-o", os.devnull)
OURS = {
    "cold": (*RUN, "-j", "1", "--no-cache", *THREE),
    "cold, secrets": (*RUN, "-j", "1", "--no-cache", *THREE, "--only", "secrets"),
    "cold, 2 workers": (*RUN, "-j", "2", "--no-cache", *THREE),
    "warm": (*RUN, "-j", "1"),
    "changed": (*RUN, "-j", "1"),
}


@dataclass(frozen=True, slots=True)
class Cost:
    """Seconds, and the peak of the largest process in MB."""

    cpu: float
    wall: float
    memory: float


def cost(words: Sequence[str], environ: dict[str, str]) -> Cost:
    """What the command takes. Raises RuntimeError when it crashes."""
    started = time.perf_counter()
    with (
        tempfile.TemporaryFile() as said,
        subprocess.Popen(words, env=environ, stdout=subprocess.DEVNULL, stderr=said) as process,
    ):
        _pid, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        said.seek(0)
        errors = said.read().decode(errors="replace")
    # Exit code 1 is a verdict, and also what Python gives after a traceback.
    if process.returncode not in (0, 1) or "Traceback (most recent" in errors:
        raise RuntimeError(f"{' '.join(words)} ended with {process.returncode}: {errors[-500:]}")
    peak = usage.ru_maxrss / (1e6 if sys.platform == "darwin" else 1e3)
    return Cost(usage.ru_utime + usage.ru_stime, wall, peak)


def measure(path: Path, rounds: int, folder: Path) -> dict[str, Cost]:
    """The least of each, all of them once a round."""
    copy = folder / path.name
    shutil.copytree(path, copy, symlinks=True)
    files = sorted(copy.rglob("*.py"), key=lambda file: file.stat().st_size)
    middling = files[len(files) // 2]
    environ = {**os.environ, "SDLC_CACHE_DIR": str(folder / "cache")}
    environ.pop("PYTHONDONTWRITEBYTECODE", None)  # who has installed us has our bytecode too
    commands = {**TOOLS, **OURS}
    cost([*PYTHON, *OURS["warm"], str(copy)], environ)
    costs: dict[str, list[Cost]] = {name: [] for name in commands}
    for _ in range(rounds):
        for name, words in commands.items():
            if name == "warm":  # the run before this one looked at what changed in the last round
                cost([*PYTHON, *words, str(copy)], environ)
            if name == "changed":
                with middling.open("a", encoding="utf-8") as file:
                    file.write("\n# one line more\n")
            costs[name].append(cost([*PYTHON, *words, str(copy)], environ))
    return {
        name: Cost(
            min(one.cpu for one in some),
            min(one.wall for one in some),
            max(one.memory for one in some),
        )
        for name, some in costs.items()
    }


def show(path: Path, costs: dict[str, Cost]) -> None:
    """Print the costs, and the ratios that the project has bounds for."""
    print(f"{path}\n{'':18}{'CPU s':>8}{'wall s':>8}{'MB':>7}")
    for name, one in costs.items():
        print(f"{name:18}{one.cpu:8.2f}{one.wall:8.2f}{one.memory:7.0f}")
    bandit = costs["bandit"]
    tools = sum(costs[name].cpu for name in TOOLS)
    added = costs["cold, secrets"].cpu - costs["cold"].cpu
    peak = max(costs[name].memory for name in OURS)
    for label, ratio in (
        ("cold / bandit, radon cc and radon mi, CPU", costs["cold"].cpu / tools),
        ("secrets added / the same", added / tools),
        ("cold with two workers / bandit, wall", costs["cold, 2 workers"].wall / bandit.wall),
        ("warm / bandit, CPU", costs["warm"].cpu / bandit.cpu),
        ("one file changed / bandit, CPU", costs["changed"].cpu / bandit.cpu),
        ("largest process / bandit's, peak memory", peak / bandit.memory),
    ):
        print(f"  {label:44}{ratio:7.3f}")


def main() -> int:
    """Measure each tree."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("path", type=Path, nargs="+")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    for path in options.path:
        with tempfile.TemporaryDirectory() as folder:
            show(path, measure(path.resolve(), options.rounds, Path(folder)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
