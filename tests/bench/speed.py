"""Compares the CPU time (user and system) of our engines with that of the tools they stand for.

    python tests/bench/speed.py [--rounds N] PATH...

Ours is one process that reads and parses each file once for both engines; the tools are
`bandit -r -q -f json`, `radon cc -s -a` and `radon mi`. All are started anew each time, by turns,
so that a busy machine slows all of them; the least time of each counts.
"""

import argparse
import resource
import subprocess
import sys
from pathlib import Path

OURS = """
import gc, sys
from pathlib import Path
from sdlc_cli.gate.config import Maintainability, Security
from sdlc_cli.gate.engines import maintainability, security
from sdlc_cli.gate.source import Project, Unit

root = Path(sys.argv[1])
project = Project(root=root, base=root, files=())
chosen = [(security, Security()), (maintainability, Maintainability())]
states = [(engine, engine.prepare(project, options)) for engine, options in chosen]
outcomes = {engine: [] for engine, _ in states}
gc.disable()
for path in sorted(root.rglob("*.py")):
    unit = Unit(str(path.relative_to(root)), path.read_bytes())
    for engine, state in states:
        outcomes[engine].append((unit.path, engine.inspect(state, unit)))
for engine, options in chosen:
    print(engine.__name__, engine.conclude(project, options, outcomes[engine]).score)
"""
TOOLS = {
    "bandit": ["bandit", "-r", "-q", "-f", "json"],
    "radon cc": ["radon", "cc", "-s", "-a"],
    "radon mi": ["radon", "mi"],
}


def cpu_seconds(command: list[str]) -> float:
    """User and system time of the command. Raises RuntimeError when it crashes."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode not in (0, 1):
        raise RuntimeError(f"{command[:4]} ended with {done.returncode}: {done.stderr[-500:]}")
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def measure(path: Path, rounds: int) -> dict[str, float]:
    """The least CPU time of each, all of them once a round."""
    python = [sys.executable, "-P"]
    commands = {"ours": [*python, "-W", "ignore", "-c", OURS, str(path)]}
    commands |= {name: [*python, "-m", *words, str(path)] for name, words in TOOLS.items()}
    times: dict[str, list[float]] = {name: [] for name in commands}
    for _ in range(rounds):
        for name, command in commands.items():
            times[name].append(cpu_seconds(command))
    return {name: min(seconds) for name, seconds in times.items()}


def main() -> int:
    """Measure each tree and print the ratios."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("path", type=Path, nargs="+")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    for path in options.path:
        seconds = measure(path.resolve(), options.rounds)
        tools = sum(seconds[name] for name in TOOLS)
        listed = ", ".join(f"{name} {value:.2f}" for name, value in seconds.items())
        print(f"{path}: CPU seconds: {listed}")
        print(
            f"  ours / the three tools: {seconds['ours'] / tools:.3f}; "
            f"ours / bandit alone: {seconds['ours'] / seconds['bandit']:.3f}"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
