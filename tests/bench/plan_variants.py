"""Compares what could steer a search at equal schedules: a population, annealing, tempering.

    python tests/bench/plan_variants.py j120.zip --best best_known.csv
        [--schedules 5000 50000] [--draw 20] [--seed 1]

All make the same schedules with the same kernels: a list is changed and scheduled in the other
direction, and what comes of it, sorted by falling finish, is the list for the way back. They
differ in what changes a list and in what is kept of it:

* population: what `sdlc plan` does; two lists recombine, a place keeps what is no worse
* annealing: a task of one list moves; worse is kept as often as a falling temperature allows
* tempering: eight lists, each at a temperature of its own, exchanged with that of a neighbour
* independent: eight lists annealed each for itself
* descent: a task of one list moves, worse is never kept

Drawn are projects whose best known makespan is above the critical path. The printed figures are
mean percents over the best known and over the critical path, and schedules a CPU second.
"""

import argparse
import math
import random
import sys
import time
from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[2]))
from sdlc_cli.plan import evolve, plain
from sdlc_cli.plan.bounds import makespan as lower_bound
from sdlc_cli.plan.compiled import jit
from sdlc_cli.plan.compiling import compile_
from sdlc_cli.plan.effort import Effort
from sdlc_cli.plan.evolve import Block, Net, draw, random_list
from sdlc_cli.plan.instance import Instance
from sdlc_cli.plan.serial import latest_first, serial
from tests.bench.plan_psplib import archived, known

VARIANTS = ("population", "annealing", "tempering", "independent", "descent")
WARM = 3.0  # slots, the first or the highest temperature; of 0.3 to 10 the best on other projects


@jit
def move(net: Net, block: Block, side: int, task_list: Any) -> None:
    """Write to the block's child the list with one task at another place that it may have."""
    child, n = block.child, len(task_list)
    place = draw(block.state, n)
    task = task_list[place]
    pointer, pred = net.pred_ptr[side], net.pred[side]
    after, succ = net.pred_ptr[1 - side], net.pred[1 - side]
    for i in range(n):
        block.marks[task_list[i]] = i
        child[i] = task_list[i]
    first, last = 0, n - 1
    for i in range(pointer[task], pointer[task + 1]):
        first = max(first, block.marks[pred[i]] + 1)
    for i in range(after[task], after[task + 1]):
        last = min(last, block.marks[succ[i]] - 1)
    target = first + draw(block.state, last - first + 1)
    step = 1 if target > place else -1
    while place != target:
        child[place] = child[place + step]
        place += step
    child[target] = task


@jit
def temper(
    count: int, bound: int, cooling: bool, heats: Any, net: Net, lists: Any, states: Any, block: Any
) -> int:
    """Make `count` schedules; `states` holds side, makespan of each list. The best makespan."""
    size, best, none = len(heats), 2**40, 2**40
    for i in range(size):
        random_list(net, block.state, 2, block.marks, block.pool, lists[i])
        states[i][0], states[i][1] = 0, none
    for made in range(count):
        i = made % size
        side = states[i][0]
        if states[i][1] == none:
            for k in range(len(block.child)):
                block.child[k] = lists[i][k]
        else:
            move(net, block, side, lists[i])
        last = serial(
            block.child,
            net.duration,
            net.words,
            net.pred_ptr[side],
            net.pred[side],
            block.free,
            net.guards,
            net.full,
            block.finish,
        )
        best = min(best, last)
        if best <= bound:
            return int(best)
        heat = heats[i] * (1 - made / count) if cooling else heats[i]
        worse = last - states[i][1]
        chance = 1.0 if worse <= 0 else math.exp(-worse / max(heat, 1e-9))
        if draw(block.state, 1_000_000) < chance * 1_000_000:
            ties = net.ties[1 - side]
            latest_first(block.finish, last, ties, block.heads, lists[i])
            states[i][0], states[i][1] = 1 - side, last
        if not cooling and i == size - 1 and size > 1:
            exchange(heats, states, block)
    return int(best)


@jit
def exchange(heats: Any, states: Any, block: Any) -> None:
    """Let two lists swap temperatures, as often as keeps the balance of both (Geyer 1991)."""
    a = draw(block.state, len(heats))
    b = draw(block.state, len(heats))
    if heats[a] <= 0 or heats[b] <= 0:
        return
    gain = (1 / heats[a] - 1 / heats[b]) * (states[a][1] - states[b][1])
    if gain >= 0 or draw(block.state, 1_000_000) < math.exp(gain) * 1_000_000:
        heats[a], heats[b] = heats[b], heats[a]


def run(variant: str, instance: Instance, schedules: int, seed: int) -> tuple[int, float]:
    """The makespan that a variant finds, and the CPU seconds it takes."""
    begin = time.process_time()
    if variant == "population":
        found = plain.search(instance, Effort(schedules=schedules, seed=seed))
        return found.makespan, time.process_time() - begin
    heats = {
        "annealing": [WARM],
        "tempering": [WARM * 0.6**k for k in range(8)],
        "independent": [WARM] * 8,
        "descent": [0.0],
    }[variant]
    net = plain.net(instance, 1)
    lists = np.zeros((len(heats), instance.n), dtype=np.int32)
    states = np.zeros((len(heats), 2), dtype=np.int64)
    block = evolve.block(net, instance.n, seed, 0, 0)
    cooling = variant != "tempering"
    best = temper(
        schedules,
        lower_bound(instance),
        cooling,
        np.array(heats),
        net,
        lists,
        states,
        block,
    )
    return best, time.process_time() - begin


def main(words: list[str]) -> None:
    """Print a line for each variant and budget."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("archive", type=Path)
    parser.add_argument("--best", type=Path, required=True)
    parser.add_argument("--schedules", type=int, nargs="+", default=[5_000, 50_000])
    parser.add_argument("--draw", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args(words)
    aims = known(asked.best, asked.archive.stem)
    hard = sorted(name for name, (best, path) in aims.items() if best > path)
    names = random.Random(asked.seed).sample(hard, min(asked.draw, len(hard)))
    instances = [(name, compile_(p)) for name, p in archived(asked.archive, names)]
    for variant in VARIANTS:
        run(variant, instances[0][1], 10, 0)  # compiled, or loaded
    for schedules in asked.schedules:
        for variant in VARIANTS:
            results = [(name, *run(variant, i, schedules, asked.seed)) for name, i in instances]
            best = fmean(100 * (m / aims[name][0] - 1) for name, m, _ in results)
            path = fmean(100 * (m / aims[name][1] - 1) for name, m, _ in results)
            speed = schedules * len(results) / sum(cpu for _, _, cpu in results)
            print(f"{schedules:9,} {variant:12} {best:6.2f} {path:7.2f} {speed:10,.0f}", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
