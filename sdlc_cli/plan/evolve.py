"""A search over two populations: lists that schedule forward, and lists that schedule backward.

Each schedule, its tasks sorted by falling finish, is a list for the other direction, where the
same order is squeezed once more: forward-backward improvement, with a recombination on the way
(the bi-population genetic algorithm of Debels and Vanhoucke, 2005).

A child takes the place of one list only, and only where it is not much worse. How much depends on
the place, as replicas of parallel tempering each have a temperature, and falls to nothing by the
end of the population, as in annealing: accepted is what is worse by less than a threshold (Dueck
and Scheuer 1990).

The places are dealt to blocks, each with its own random numbers. While one direction is made, the
other is only read, so that blocks run side by side without a lock, and to the same end as one
after the other.
"""

from typing import Any, NamedTuple

import numpy as np

from sdlc_cli.plan.compiled import given, inlined, jit
from sdlc_cli.plan.serial import Ints, latest_first, serial

RANDOM, PLACE, END, BEST, BEST_SIDE, COUNT, FIELDS = 0, 1, 2, 3, 4, 5, 6  # of Block.state
NONE_YET = 2**40  # the makespan of what is not there
RIVALS = 3  # lists that vie to be a partner
GREEDY = 50  # ready tasks of which the first list takes the most urgent


class Net(NamedTuple):
    """A project as the kernels see it; what has two rows is for forward and for backward."""

    duration: Ints
    words: Ints  # (words, n)
    pred_ptr: Ints  # (2, n+1)
    pred: Ints  # (2, links)
    ties: Ints  # (2, n) in which order a list has the tasks that finish together
    urgency: Ints  # (n) the longest path from the start of a task to the end
    guards: Ints  # (words)
    full: Ints  # (words)


class Population(NamedTuple):
    """What schedules of both directions are as lists for the other one, and how long they are."""

    lists: Ints  # (2, size, n)
    makespan: Ints  # (2, size)


class Block(NamedTuple):
    """Some places of a population, the best list made there, and room to work in."""

    state: Ints
    best: Ints  # (n)
    free: Ints
    heads: Ints
    finish: Ints
    child: Ints
    marks: Ints
    pool: Ints


def zeros(*shape: int, kind: type = np.int64) -> Any:
    """Zeros for kernels."""
    return given(np.zeros(shape, dtype=kind))


def block(net: Net, n: int, seed: int, number: int, end: int) -> Block:
    """A block with random numbers of its own, of the places before `end`."""
    state = np.zeros(FIELDS, dtype=np.int64)
    state[RANDOM] = int(np.random.SeedSequence([seed, number]).generate_state(1)[0]) | 1
    state[BEST], state[END] = NONE_YET, end
    slots = int(sum(net.duration)) + int(max(net.duration)) + 2
    return Block(
        state=given(state),
        best=zeros(n, kind=np.int32),
        free=given(np.tile(np.asarray(net.full, dtype=np.int64), slots)),
        heads=zeros(slots),
        finish=zeros(n),
        child=zeros(n, kind=np.int32),
        marks=zeros(n),
        pool=zeros(n),
    )


@jit
def draw(state: Ints, below: int) -> int:
    """A random number from 0 to below - 1 (xorshift32; Marsaglia 2003)."""
    x = state[RANDOM]
    x ^= (x << 13) & 0xFFFFFFFF
    x ^= x >> 17
    x ^= (x << 5) & 0xFFFFFFFF
    state[RANDOM] = x
    return int((x * below) >> 32)


@jit
def random_list(net: Net, state: Ints, rivals: int, left: Ints, pool: Ints, out: Ints) -> None:
    """Write a list that keeps precedence, each time with the most urgent of some ready tasks."""
    pred_ptr, succ_ptr, succ = net.pred_ptr[0], net.pred_ptr[1], net.pred[1]
    ready = 0
    for task in range(len(out)):
        left[task] = pred_ptr[task + 1] - pred_ptr[task]
        if left[task] == 0:
            pool[ready] = task
            ready += 1
    for place in range(len(out)):
        chosen = draw(state, ready)
        for _ in range(rivals - 1):
            other = draw(state, ready)
            if net.urgency[pool[other]] > net.urgency[pool[chosen]]:
                chosen = other
        task = pool[chosen]
        out[place] = task
        ready -= 1
        pool[chosen] = pool[ready]
        for i in range(succ_ptr[task], succ_ptr[task + 1]):
            left[succ[i]] -= 1
            if left[succ[i]] == 0:
                pool[ready] = succ[i]
                ready += 1


@jit
def cross(mother: Ints, father: Ints, begin: int, end: int, marks: Ints, child: Ints) -> None:
    """The mother's list but for [begin, end), which the father's order fills (Hartmann 1998)."""
    for i in range(len(child)):
        marks[i] = 0
    for i in range(begin):
        child[i] = mother[i]
        marks[mother[i]] = 1
    place = begin
    i = 0
    while place < end:
        task = father[i]
        i += 1
        if marks[task] == 0:
            marks[task] = 1
            child[place] = task
            place += 1
    for i in range(begin, len(child)):
        task = mother[i]
        if marks[task] == 0:
            child[place] = task
            place += 1


@inlined
def fittest(makespan: Ints, state: Ints) -> int:
    """The place of the shortest of some rivals."""
    chosen = draw(state, len(makespan))
    for _ in range(RIVALS - 1):
        rival = draw(state, len(makespan))
        if makespan[rival] < makespan[chosen]:
            chosen = rival
    return chosen


@jit
def breed(population: Population, block: Block, side: int, place: int) -> None:
    """Write a child from two lists of `side`: that of `place`, and the fittest of some rivals."""
    lists, makespan, state = population.lists[side], population.makespan[side], block.state
    size, n = len(makespan), len(block.child)
    other = fittest(makespan, state)
    if other == place:
        other = (other + 1) % size
    width = n // 4 + draw(state, n // 2 + 1)
    begin = draw(state, n - width + 1)
    cross(lists[other], lists[place], begin, begin + width, block.marks, block.child)


@jit
def evolve(
    count: int,
    bound: int,
    side: int,
    fresh: int,
    heat: int,
    net: Net,
    population: Population,
    block: Block,
) -> None:
    """Make at most `count` schedules of `side` for the block's places; none once `bound` is met.

    A fresh population is filled: at random forward, and backward from the lists of that. `heat`,
    in thousandths of a slot, is by how much a child may be worse at the last place.
    """
    state = block.state
    lists, makespan = population.lists[side], population.makespan[side]
    step = heat // len(makespan)
    for _ in range(count):
        place = state[PLACE]
        if place >= state[END] or state[BEST] <= bound:
            return
        if not fresh:
            breed(population, block, 1 - side, place)
        elif side == 0:
            rivals = GREEDY if place == 0 else 1 + draw(state, 4)
            random_list(net, state, rivals, block.marks, block.pool, block.child)
        else:
            for i in range(len(block.child)):
                block.child[i] = population.lists[0][place][i]
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
        state[COUNT] += 1
        state[PLACE] += 1
        if last < state[BEST]:
            state[BEST] = last
            state[BEST_SIDE] = side
            for i in range(len(block.child)):
                block.best[i] = block.child[i]
        if fresh or (last - makespan[place]) * 1000 <= step * place:
            latest_first(block.finish, last, net.ties[1 - side], block.heads, lists[place])
            makespan[place] = last
