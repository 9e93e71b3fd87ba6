"""Counts schedules a CPU second, beside the same generation in Python, and large projects' plans.

    python tests/bench/plan_speed.py [--archive j120.zip] [--tasks 1000 10000] [--seconds 0.5]
                                     [--cp-sat 10] [--seeds 10] [--short]

First the serial generation, alone and with forward-backward improvement, of the same random lists
on one core: by our kernels, by the same kernels run as Python, and by a generation as it is
usually written, with a list of free units for each resource; by turns, the least of three rounds.
Without an archive the projects are generated ones of 120 tasks.

Then generated projects of so many tasks: how long the kernels take to compile into an empty cache
folder, the plan after `--seconds`, and with `--cp-sat` what CP-SAT finds in so many seconds with
the same number of workers, two. `--short` is for CI.
"""

import argparse
import os
import random
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable, Sequence
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[2]))
from sdlc_cli.plan import evolve, plain
from sdlc_cli.plan.bounds import makespan as lower_bound
from sdlc_cli.plan.compiled import jit
from sdlc_cli.plan.compiling import compile_
from sdlc_cli.plan.effort import Effort
from sdlc_cli.plan.evolve import Block, Net, random_list
from sdlc_cli.plan.instance import Instance
from sdlc_cli.plan.search import ready
from sdlc_cli.plan.serial import latest_first, serial
from tests.bench.plan_psplib import archived, cp_sat
from tests.plan.instances import plain as written

COMPILE = """
import time
begin = time.process_time()
from sdlc_cli.plan import plain
from sdlc_cli.plan.effort import Effort
from tests.plan.instances import plain as written
loaded = time.process_time()
plain.search(written([2, 3], [[1], [1]], [1]), Effort(schedules=8))
print(loaded - begin, time.process_time() - loaded)
"""


def generated(tasks: int, seed: int) -> Instance:
    """A project whose tasks wait for one to three of the sixty before them.

    Durations are 1 to 10; each of four resources of 20 units is asked by four tasks in five, for
    5 units at most.
    """
    rng = random.Random(seed)
    return written(
        [rng.randint(1, 10) for _ in range(tasks)],
        [[rng.randint(0, 5) if rng.random() < 0.8 else 0 for _ in range(4)] for _ in range(tasks)],
        [20] * 4,
        [
            (before, task)
            for task in range(1, tasks)
            for before in {rng.randrange(max(0, task - 60), task) for _ in range(rng.randint(1, 3))}
        ],
    )


@jit
def generate(times: int, net: Net, lists: Any, block: Block) -> int:
    """Schedule each of the lists `times` over; a checksum."""
    total = 0
    for _ in range(times):
        for task_list in lists:
            total += forward(net, task_list, block)
    return total


@jit
def improve(times: int, net: Net, lists: Any, block: Block) -> int:
    """Schedule each of the lists forward, backward, and forward again."""
    total = 0
    for _ in range(times):
        for task_list in lists:
            last = forward(net, task_list, block)
            latest_first(block.finish, last, net.ties[1], block.heads, block.child)
            last = serial(
                block.child,
                net.duration,
                net.words,
                net.pred_ptr[1],
                net.pred[1],
                block.free,
                net.guards,
                net.full,
                block.finish,
            )
            latest_first(block.finish, last, net.ties[0], block.heads, block.child)
            total += forward(net, block.child, block)
    return total


@jit
def forward(net: Net, task_list: Any, block: Block) -> int:
    """The makespan of a list."""
    return serial(
        task_list,
        net.duration,
        net.words,
        net.pred_ptr[0],
        net.pred[0],
        block.free,
        net.guards,
        net.full,
        block.finish,
    )


class Usual:
    """The generation as it is usually written in Python."""

    def __init__(self, instance: Instance) -> None:
        self.length = instance.mode_duration.tolist()
        self.demand = instance.mode_demand.tolist()
        self.capacity = instance.capacity.tolist()
        self.before, self.after = (
            [links[a:b].tolist() for a, b in pairwise(ptr)]
            for ptr, links in (
                (instance.pred_ptr, instance.pred_task),
                (instance.succ_ptr, instance.succ_task),
            )
        )

    def schedule(self, order: Sequence[int], before: Sequence[Sequence[int]]) -> list[int]:
        """The finish of each task."""
        slots = sum(self.length) + 1
        free = [[units] * slots for units in self.capacity]
        finish = [0] * len(order)
        for task in order:
            needs = [(free[k], units) for k, units in enumerate(self.demand[task]) if units]
            start = max((finish[other] for other in before[task]), default=0)
            end = start + self.length[task]
            slot = start
            while slot < end:
                if any(row[slot] < units for row, units in needs):
                    start = slot + 1
                    end = start + self.length[task]
                slot += 1
            for row, units in needs:
                for slot in range(start, end):
                    row[slot] -= units
            finish[task] = end
        return finish

    def generate(self, lists: Sequence[Sequence[int]]) -> int:
        return sum(max(self.schedule(order, self.before)) for order in lists)

    def improve(self, lists: Sequence[Sequence[int]]) -> int:
        total = 0
        for order in lists:
            finish = self.schedule(order, self.before)
            for links in (self.after, self.before):
                mirrored = order[::-1]  # what follows in no time comes first
                order = sorted(mirrored, key=finish.__getitem__, reverse=True)
                finish = self.schedule(order, links)
            total += max(finish)
        return total


def least(work: Callable[[], int]) -> tuple[float, int]:
    """CPU seconds of the best of three rounds, and the checksum."""
    best, answer = float("inf"), 0
    for _ in range(3):
        begin = time.thread_time()
        answer = work()
        best = min(best, time.thread_time() - begin)
    return best, answer


def speed(instances: Sequence[Instance], times: int) -> None:
    """Print how many schedules a second each way makes, over all the projects."""
    print(f"{len(instances)} projects of {instances[0].n} tasks: schedules a CPU second, one core")
    for name, compiled in (
        ("serial generation", generate),
        ("forward-backward improvement", improve),
    ):
        seconds = [0.0, 0.0]
        for instance in instances:
            net = plain.net(instance, 1)
            block = evolve.block(net, instance.n, 1, 0, 0)
            lists = np.zeros((20, instance.n), dtype=np.int32)
            for row in lists:
                random_list(net, block.state, 2, block.marks, block.pool, row)
            compiled(1, net, lists, block)
            usual, same = Usual(instance), lists.tolist()
            python = usual.generate if compiled is generate else usual.improve
            ours, answer = least(partial(compiled, times, net, lists, block))
            theirs, total = least(partial(python, same))
            if compiled is generate and answer != times * total:
                raise SystemExit("the two generations differ")
            seconds = [seconds[0] + ours / times, seconds[1] + theirs]
        ours, theirs = (20 * len(instances) / s for s in seconds)
        print(f"  {name}: {ours:,.0f}; in Python {theirs:,.0f}; {ours / theirs:.0f} times")


def compiling() -> None:
    """Print what a first start and a later one take."""
    with tempfile.TemporaryDirectory() as folder:
        for which in ("an empty cache", "a warm cache"):
            result = subprocess.run(
                [sys.executable, "-c", COMPILE],
                env={**os.environ, "SDLC_CACHE_DIR": folder, "PYTHONPATH": sys.path[0]},
                capture_output=True,
                text=True,
                check=True,
            )
            loaded, planned = map(float, result.stdout.split())
            print(f"from {which}: {loaded:.1f} CPU s to import, {planned:.1f} to the first plan")


def large(tasks: int, seconds: float, limit: float, seeds: int) -> None:
    """Print plans of generated projects, CP-SAT's beside them."""
    ready("plain")  # loaded, as the command does before its clock
    won = 0
    for seed in range(seeds):
        instance = generated(tasks, seed)
        begin = time.monotonic()
        found = plain.search(instance, Effort(seconds=seconds, jobs=2))
        took = time.monotonic() - begin
        line = f"{tasks} tasks, seed {seed}: {found.makespan} in {took:.2f} s"
        line += f" (bound {lower_bound(instance)}, {found.schedules} schedules)"
        if limit:
            other = cp_sat(instance, limit, None, 2)
            won += not other["cp_sat"] or found.makespan < other["cp_sat"]
            line += f"; CP-SAT {other['cp_sat'] or 'none'} in {other['cp_sat_wall']} s"
        print(line, flush=True)
    if limit:
        print(f"{tasks} tasks: better than CP-SAT with {won} of {seeds} seeds")


def main(words: list[str]) -> None:
    """Run what is asked for."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--archive", type=Path)
    parser.add_argument("--tasks", type=int, nargs="*", default=[1_000, 10_000])
    parser.add_argument("--seconds", type=float, default=0.5)
    parser.add_argument("--cp-sat", type=float, default=0.0)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--short", action="store_true")
    asked = parser.parse_args(words)
    instances = [generated(120, seed) for seed in range(2 if asked.short else 5)]
    if asked.archive:
        with zipfile.ZipFile(asked.archive) as files:
            members = sorted(Path(name).name for name in files.namelist() if name[-1] != "/")
        drawn = random.Random(1).sample(members, 10)
        instances = [compile_(project) for _, project in archived(asked.archive, drawn)]
    speed(instances, 10 if asked.short else 200)
    if asked.short:
        return
    compiling()
    for tasks in asked.tasks:
        large(tasks, asked.seconds, asked.cp_sat, asked.seeds)


if __name__ == "__main__":
    main(sys.argv[1:])
