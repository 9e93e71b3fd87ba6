"""Searches plain projects: one mode a task, finish-start without lags, nothing else.

Threads share the work: the kernels let go of the interpreter's lock. With a number of schedules
the same seed gives the same plan on any number of jobs, since the blocks of a population, which
are what threads share, follow from that number alone.
"""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import numpy as np

from sdlc_cli.plan import bounds
from sdlc_cli.plan.branching import SERIAL
from sdlc_cli.plan.compiled import given
from sdlc_cli.plan.effort import Effort, Found, Progress, Watch
from sdlc_cli.plan.evolve import (
    BEST,
    BEST_SIDE,
    COUNT,
    END,
    NONE_YET,
    PLACE,
    Block,
    Net,
    Population,
    block,
    evolve,
    zeros,
)
from sdlc_cli.plan.instance import I64, Instance
from sdlc_cli.plan.serial import serial
from sdlc_cli.plan.trees import Trees, fitting

WORD_BITS = 63
TICK = 0.05  # seconds between two looks at the clock
EARLY = 10_000  # schedules before a small project is branched over too
SMALL = 32  # tasks; of a project of no more,
SHARES = 2  # branching has so many times what the population has,
LIFE = 10_000  # and a population makes so many schedules, then another one begins
DIVING = 0.25  # of the branching begins where plans of the population have led
TURN = 0.01  # seconds of branching at a time, at least
APART = 60_000  # schedules; where there are k^2 times as many, k populations come before
MEETING = 0.3  # of the schedules are left for another one, of what these came to
MANY = 300  # tasks; of a project of more, populations are smaller
HEAT = 0.1  # by how much of the makespan a schedule may be worse, at first and at the last place


def search(instance: Instance, effort: Effort, watch: Watch | None = None) -> Found:
    """The best plan that the effort finds. An interrupt ends the search, not the plan."""
    if instance.n == 0:
        nothing = np.zeros(0, dtype=np.int64)
        return Found(start=nothing, finish=nothing, mode=np.zeros(0, dtype=np.int32), proved=True)
    begin = time.monotonic()
    slots = unit(instance)
    bound = -(-bounds.makespan(instance) // slots)
    run = _Run(instance, slots, bound, effort, watch, begin)
    with run.workers() as run.pool:
        try:
            if effort.schedules is not None:
                run.populations(max(1, effort.schedules), float("inf"))
            else:
                run.clock(5.0 if effort.seconds is None else effort.seconds)
        except KeyboardInterrupt:
            if run.shortest >= NONE_YET:
                raise
    return run.found()


def unit(instance: Instance) -> int:
    """What all durations are multiples of, in slots of the instance."""
    return max(1, int(np.gcd.reduce(instance.mode_duration)))


def net(instance: Instance, unit: int) -> Net:
    """The instance for the kernels, in slots of `unit`."""
    order = instance.order.astype(np.int64)
    duration = instance.mode_duration // unit
    tail = np.zeros(instance.n, dtype=np.int64)
    for task in order[::-1]:
        after = instance.succ_task[instance.succ_ptr[task] : instance.succ_ptr[task + 1]]
        tail[task] = duration[task] + max(tail[after], default=0)
    words, guards, full = _words(instance.mode_demand, instance.capacity)
    return Net(
        duration=given(duration),
        words=given(words),
        pred_ptr=given(np.stack([instance.pred_ptr, instance.succ_ptr]).astype(np.int64)),
        pred=given(np.stack([instance.pred_task, instance.succ_task]).astype(np.int64)),
        ties=given(np.stack([_ties(instance, order), _ties(instance, order[::-1])])),
        urgency=given(tail),
        guards=given(guards),
        full=given(full),
    )


def _ties(instance: Instance, order: I64) -> I64:
    """The tasks of most work first; those without length, which others may wait for, before all."""
    length = instance.mode_duration[order]
    share = instance.mode_demand[order] / np.maximum(1, instance.capacity)
    work = np.where(length == 0, np.inf, length * share.sum(axis=1))
    return order[np.argsort(-work, kind="stable")]


def _words(demand: I64, capacity: I64) -> tuple[I64, I64, I64]:
    """The demands as words, their guard bits, and the words of a slot that is all free."""
    words = [np.zeros(len(demand), dtype=np.int64)]
    guards, full, shift = [0], [0], 0
    for of_tasks, limit in zip(demand.T, capacity.tolist(), strict=True):
        if sum(of_tasks.tolist()) <= limit:
            continue
        share = int(np.gcd.reduce(of_tasks))
        units = limit // share
        bits = units.bit_length()
        if shift + bits + 1 > WORD_BITS:
            words.append(np.zeros(len(demand), dtype=np.int64))
            guards, full, shift = [*guards, 0], [*full, 0], 0
        words[-1] += of_tasks // share << shift
        full[-1] |= (units | 1 << bits) << shift
        guards[-1] |= 1 << (shift + bits)
        shift += bits + 1
    return np.stack(words), np.array(guards, dtype=np.int64), np.array(full, dtype=np.int64)


class _Run:
    """A search under way: a population, its blocks, and the pass that they are at."""

    def __init__(
        self,
        instance: Instance,
        unit: int,
        bound: int,
        effort: Effort,
        watch: Watch | None,
        begin: float,
    ) -> None:
        self.instance, self.n, self.unit, self.bound = instance, instance.n, unit, bound
        self.net = net(instance, unit)
        self.small = fitting(instance, self.net)
        few = self.small and np.count_nonzero(instance.mode_duration) <= SMALL
        self.shares = SHARES if few else 1
        self.trees: Trees | None = None
        self.owed = 0.0  # seconds of branching, for as many that the population has had
        self.effort, self.watch = effort, watch
        self.begin = self.watched = begin
        self.pool: ThreadPoolExecutor | None = None
        self.population = Population(None, None)
        self.fresh = 2  # of its sides, which are not filled yet
        self.blocks: list[Block] = []
        self.paces: list[float] = []  # schedules a second of each block
        self.trial: list[Block] = []  # blocks that are over, of which the best may be left
        self.gone = 0  # schedules of the others
        self.number = 0  # of the next block
        self.heat = 0

    def workers(self) -> AbstractContextManager[ThreadPoolExecutor | None]:
        """Threads for the blocks, where there are to be several."""
        return ThreadPoolExecutor(self.effort.jobs) if self.effort.jobs > 1 else nullcontext()

    def clock(self, seconds: float) -> None:
        """Go on for so many seconds, with populations that suit the pace of a short trial."""
        end = self.begin + seconds
        self.settle(16, 1)
        if self.passes(0, min(end, time.monotonic() + min(seconds / 50, TICK))):
            left = max(0.0, end - time.monotonic())
            self.populations(int(self.paces[0] * self.effort.jobs * left), end)

    def populations(self, schedules: int, end: float) -> None:
        """Some populations one after the other, then one of what they came to.

        Where there is an `end`, that many schedules are a guess of what is made until then.
        """
        alone = round((schedules / APART) ** 0.5)
        if self.small or alone < 2:
            alone = 0
        life = int(schedules * (1 - MEETING) / alone) if alone else schedules
        size = self.size(life)
        blocks = max(1, min(8, size // 32)) if end == float("inf") else self.effort.jobs
        size = max(size, 2 * blocks)
        heir, begin = _nothing(size if alone else 0, self.n), time.monotonic()
        for number in range(alone):
            self.settle(size, blocks)
            share = (1 - MEETING) * (number + 1) / alone
            if not self.passes(life, begin + (end - begin) * share):
                return
            if self.fresh:  # there is no time for so many
                break
            for side in range(2):
                for mine, its in zip(heir, self.population, strict=True):
                    mine[side][number::alone] = its[side][number::alone]
        met = alone and not self.fresh
        self.settle(size, blocks)
        if met:
            self.population, self.fresh = heir, 0
        self.passes(schedules - alone * life, end)

    def size(self, schedules: int) -> int:
        """Lists in a population; branching has a part of the schedules, or another one.

        Of a short life, twice as many as else come to the optimum more often.
        """
        if not self.small:
            return _size(schedules, self.n)
        mine = schedules - max(0, schedules - EARLY) * self.shares // (1 + self.shares)
        if self.shares > 1 and mine > LIFE:
            return 2 * _size(LIFE, self.n)
        return _size(mine, self.n)

    def settle(self, size: int, blocks: int) -> None:
        """A new population in so many blocks; of what was before, the best list is left."""
        over = [*self.trial, *self.blocks]
        self.trial = [self.best] if over else []
        self.gone += sum(int(one.state[COUNT]) for one in over if one is not self.trial[0])
        self.population, self.fresh = _nothing(size, self.n), 2
        cuts = [size * k // blocks for k in range(blocks + 1)]
        self.blocks = [
            block(self.net, self.n, self.effort.seed, self.number + k, cuts[k + 1])
            for k in range(blocks)
        ]
        self.number += blocks
        self.starts = cuts[:-1]
        self.paces = [max(self.paces, default=0.0)] * blocks

    def passes(self, schedules: int, end: float) -> bool:
        """Fill the population, then renew either side by turns. False: the search is over.

        It goes on for so many schedules, or until `end` where there is one.
        """
        limit = schedules if end == float("inf") else NONE_YET
        side, left, lived = 0, limit, 0
        begin = time.monotonic()
        while left > 0:
            spent = 1 - left / limit
            if end < float("inf"):
                spent = (time.monotonic() - begin) / max(end - begin, 1e-9)
            if self.shares > 1:
                spent = max(spent, lived / LIFE)
            self.heat = int(HEAT * max(0.0, 1 - spent) * self.shortest * 1000)
            ends = [int(one.state[END]) for one in self.blocks]
            for one, start, stop in zip(self.blocks, self.starts, ends, strict=True):
                one.state[PLACE], one.state[END] = start, min(stop, left)
            tick = time.monotonic()
            goes_on = self.renew(side, self.fresh > 0, end)
            whole = all(one.state[PLACE] >= one.state[END] for one in self.blocks)
            for one, stop in zip(self.blocks, ends, strict=True):
                one.state[END] = stop
            if not goes_on:
                return False
            left -= ends[-1]
            lived += ends[-1]
            side, self.fresh = 1 - side, max(0, self.fresh - whole)
            if self.small and self.schedules >= EARLY:
                turn = min(self.shares * ends[-1], left)
                goes_on = self.branch(turn, tick, end, filled=not self.fresh)
                left -= turn if limit < NONE_YET else 0
                if not goes_on:
                    return False
            if time.monotonic() >= end:
                return True
            if self.shares > 1 and lived >= LIFE:
                self.settle(len(self.population.makespan[0]), len(self.blocks))
                side, lived = 0, 0
        return True

    def renew(self, side: int, fresh: bool, end: float) -> bool:
        """One pass over one side, or as much of it as there is time for."""
        while True:
            moment = min(end, time.monotonic() + TICK)

            def work(k: int, moment: float = moment) -> bool:
                return self.advance(k, side, fresh, moment)

            done = all(self.spread(work, range(len(self.blocks))))
            now = time.monotonic()
            if self.shortest <= self.bound or not self.heard(now):
                return False
            if done or now >= end:
                return True

    def branch(self, schedules: int, tick: float, end: float, *, filled: bool) -> bool:
        """Branch for as long as the population was renewed; False once the search is over.

        Where schedules are counted, as many choices; else as much time since `tick`, by turns of
        some length. `filled`: both sides of the population can be dived from.
        """
        if end < float("inf"):
            self.owed += self.shares * (time.monotonic() - tick)
            if self.owed < TURN:
                return True
        shortest = self.shortest
        trees = self.trees = self.trees or Trees(
            self.instance, self.net, shortest, self.effort.seed
        )
        trees.aim(shortest)
        now = time.monotonic()
        if filled and now < end:
            trees.known = self.population
        moment, self.owed = min(end, now + self.owed), 0.0
        choices = schedules * SERIAL // 2 if end == float("inf") else 0
        self.sides(trees, 0, int(choices * (1 - DIVING)), moment - (moment - now) * DIVING)
        if not trees.over:
            trees.aim(trees.shortest)
            self.sides(trees, 2, int(choices * DIVING), moment)
        self.adopt()
        self.bound = max(self.bound, min(trees.bound, self.shortest))
        return self.shortest > self.bound and self.heard(time.monotonic())

    def sides(self, trees: Trees, first: int, choices: int, moment: float) -> None:
        """Go on with a pair of trees for so many choices on each side, or until then."""
        if choices:
            self.spread(lambda side: trees.count(first + side, choices), range(2))
        elif self.pool:
            self.spread(lambda side: trees.until(first + side, moment), range(2))
        else:
            trees.until(first, (time.monotonic() + moment) / 2)
            trees.until(first + 1, moment)

    def adopt(self) -> None:
        """Take over what branching has found, if it is the best."""
        if self.trees and self.trees.shortest < self.shortest:
            block = self.blocks[0]
            block.state[BEST], block.state[BEST_SIDE] = self.trees.shortest, 0
            for place, task in enumerate(self.trees.found()):
                block.best[place] = task

    def spread(self, work: Callable[[int], Any], over: range) -> list[Any]:
        """Work on all, side by side where there are threads."""
        return list(self.pool.map(work, over) if self.pool else map(work, over))

    def advance(self, k: int, side: int, fresh: bool, moment: float) -> bool:
        """Let block `k` go on until `moment`; True once its pass is done."""
        block, pace = self.blocks[k], self.paces[k]
        state = block.state
        while state[PLACE] < state[END] and state[BEST] > self.bound:
            begin = time.monotonic()
            if begin >= moment and pace:
                return False
            count = max(1, int(pace * min(moment - begin, TICK / 2)))
            made = int(state[COUNT])
            evolve(count, self.bound, side, int(fresh), self.heat, self.net, self.population, block)
            made = int(state[COUNT]) - made
            pace = made / max(time.monotonic() - begin, 1e-6)
            self.paces[k] = pace
        return True

    @property
    def best(self) -> Block:
        return min([*self.trial, *self.blocks], key=lambda block: int(block.state[BEST]))

    @property
    def shortest(self) -> int:
        """The makespan of the best list."""
        made = [int(block.state[BEST]) for block in [*self.trial, *self.blocks]]
        return min(made, default=NONE_YET)

    @property
    def schedules(self) -> int:
        made = self.gone + sum(int(block.state[COUNT]) for block in [*self.trial, *self.blocks])
        return made + (self.trees.choices // SERIAL if self.trees else 0)

    def heard(self, now: float) -> bool:
        """Tell the watch every now and then; False when it has seen enough."""
        if self.watch is None or now - self.watched < TICK:
            return True
        self.watched = now
        return self.watch(
            Progress(
                makespan=self.shortest * self.unit,
                bound=self.bound * self.unit,
                schedules=self.schedules,
                seconds=now - self.begin,
            )
        )

    def found(self) -> Found:
        """The best list as a schedule once more."""
        self.adopt()
        best = self.best
        side = int(best.state[BEST_SIDE])
        last = serial(
            best.best,
            self.net.duration,
            self.net.words,
            self.net.pred_ptr[side],
            self.net.pred[side],
            best.free,
            self.net.guards,
            self.net.full,
            best.finish,
        )
        length = np.array(self.net.duration, dtype=np.int64)
        finish = np.array(best.finish, dtype=np.int64)
        start = finish - length if side == 0 else last - finish
        return Found(
            start=start * self.unit,
            finish=(start + length) * self.unit,
            mode=np.arange(self.n, dtype=np.int32),
            schedules=self.schedules,
            proved=last <= self.bound,
        )


def _nothing(size: int, n: int) -> Population:
    """A population that is not filled yet."""
    return Population(zeros(2, size, n, kind=np.int32), zeros(2, size))


def _size(schedules: int, n: int) -> int:
    """Lists in a population that is to make so many schedules; see docs/plan-search.md."""
    suited = 60 * (schedules / 5_000) ** 0.68 * min(1, MANY / n) ** 0.75
    return max(4, min(int(suited), schedules // 4, 4_000))
