"""What the benchmarks promise, in short: faster than Python by far, and the same without numba."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SAME = """
from sdlc_cli.plan import plain
from sdlc_cli.plan.effort import Effort
from sdlc_cli.plan.trees import Trees
from tests.bench.plan_speed import generated
found = plain.search(generated(40, 1), Effort(schedules=400, seed=3, jobs=2))
print(found.makespan, found.schedules, found.start.tolist())
plain.APART = 50  # several populations, which meet
found = plain.search(generated(80, 1), Effort(schedules=400, seed=3, jobs=2))
print(found.makespan, found.schedules, found.start.tolist())
project = generated(40, 1)
trees = Trees(project, plain.net(project, 1), found.makespan)
run = plain._Run(project, 1, 0, Effort(schedules=100, seed=3), None, 0.0)
run.populations(100, float("inf"))
trees.known = run.population
for one in range(4):
    trees.count(one, 2000)
    tree = trees.trees[one]
    print(list(map(int, tree.state)), list(map(int, tree.finish)), sum(map(int, tree.seen)))
"""


def run(*words: str, **environ: str) -> str:
    return subprocess.run(
        [sys.executable, *words],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), **environ},
        capture_output=True,
        text=True,
        check=True,
        timeout=300,
    ).stdout


def test_without_numba_the_plan_is_the_same() -> None:
    pytest.importorskip("numba")

    assert run("-c", SAME) == run("-c", SAME, NUMBA_DISABLE_JIT="1")


def test_kernels_are_faster_than_python_by_far() -> None:
    pytest.importorskip("numba")

    lines = run("tests/bench/plan_speed.py", "--short").splitlines()

    times = [float(line.split()[-2]) for line in lines if line.endswith("times")]
    assert len(times) == 2
    assert times[0] > 50  # 150 and more on a quiet machine
    assert times[1] > 30
