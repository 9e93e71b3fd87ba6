"""Searches plain projects: one mode a task, finish-start without lags, nothing else.

Islands, each with two populations, run in threads: the kernels let go of the interpreter's lock.
They meet now and then, and hand their best list on. With a number of schedules there are as many
islands, and they meet as often, whatever the number of jobs: the same seed gives the same plan.
"""

import math
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np

from sdlc_cli.plan import bounds
from sdlc_cli.plan.compiled import engine
from sdlc_cli.plan.effort import Effort, Found, Progress, Watch
from sdlc_cli.plan.evolve import (
    BEST,
    BEST_SIDE,
    COUNT,
    FIELDS,
    RANDOM,
    Net,
    Population,
    Scratch,
    evolve,
)
from sdlc_cli.plan.instance import I64, Instance
from sdlc_cli.plan.serial import serial

WORD_BITS = 62
TICK = 0.05  # seconds between two looks at the clock
NONE_YET = 2**40


def search(instance: Instance, effort: Effort, watch: Watch | None = None) -> Found:
    """The best plan that the effort finds. An interrupt ends the search, not the plan."""
    if instance.n == 0:
        nothing = np.zeros(0, dtype=np.int64)
        return Found(start=nothing, finish=nothing, mode=np.zeros(0, dtype=np.int32), proved=True)
    unit = max(1, int(np.gcd.reduce(instance.mode_duration)))
    bound = -(-bounds.makespan(instance) // unit)
    run = _Run(net(instance, unit), instance.n, unit, bound, effort, watch)
    if effort.schedules is not None:
        run.count(effort.schedules)
    else:
        run.clock(5.0 if effort.seconds is None else effort.seconds)
    return run.found()


def net(instance: Instance, unit: int) -> Net:
    """The instance for the kernels, in slots of `unit`."""
    n = instance.n
    order = instance.order.astype(np.int64)
    duration = instance.mode_duration // unit
    tail = np.zeros(n, dtype=np.int64)
    for task in order[::-1]:
        after = instance.succ_task[instance.succ_ptr[task] : instance.succ_ptr[task + 1]]
        tail[task] = duration[task] + max(tail[after], default=0)
    word, guard, full = _words(instance.mode_demand, instance.capacity)
    return Net(
        duration=_given(duration),
        word=_given(word),
        pred_ptr=_given(np.stack([instance.pred_ptr, instance.succ_ptr]).astype(np.int64)),
        pred=_given(np.stack([instance.pred_task, instance.succ_task]).astype(np.int64)),
        topological=_given(np.stack([order, order[::-1]])),
        urgency=_given(tail),
        guard=guard,
        full=full,
    )


def _words(demand: I64, capacity: I64) -> tuple[I64, int, int]:
    """The demands as words, the guard bits, and the word of a slot that is all free."""
    word = np.zeros(len(demand), dtype=np.int64)
    guard = full = shift = 0
    for of_tasks, units in zip(demand.T, capacity.tolist(), strict=True):
        if not of_tasks.any():
            continue
        bits = units.bit_length()
        word += of_tasks << shift
        full |= (units | 1 << bits) << shift
        guard |= 1 << (shift + bits)
        shift += bits + 1
    return word, guard, full


def _given(array: I64) -> Any:
    """An array for compiled kernels; lists, which are quicker there, for those in Python."""
    return array if engine()[0] == "numba" else array.tolist()


@dataclass(slots=True)
class _Island:
    """One pair of populations with its own random numbers, and room to work in."""

    net: Net
    population: Population
    scratch: Scratch
    bound: int

    def advance(self, count: int) -> None:
        evolve(count, self.bound, self.net, self.population, self.scratch)

    def advance_until(self, moment: float) -> None:
        """Go on until `moment` of the monotonic clock, one schedule at the least."""
        count = 1
        while self.best > self.bound:
            begin = time.monotonic()
            self.advance(count)
            end = time.monotonic()
            if end >= moment:
                return
            pace = count / max(end - begin, 1e-6)
            count = max(1, min(4 * count, int(pace * min(moment - end, TICK / 2))))

    @property
    def best(self) -> int:
        return int(self.population.state[BEST])

    @property
    def count(self) -> int:
        return int(self.population.state[COUNT])


class _Run:
    """A search under way."""

    def __init__(
        self, net: Net, n: int, unit: int, bound: int, effort: Effort, watch: Watch | None
    ) -> None:
        self.net, self.n, self.unit, self.bound = net, n, unit, bound
        self.effort, self.watch = effort, watch
        self.begin = time.monotonic()
        self.islands: list[_Island] = []
        self.spent = 0  # schedules of islands that are gone

    def count(self, schedules: int) -> None:
        """Make so many schedules."""
        islands = 1 if schedules < 20_000 else 2
        self.settle(islands, schedules // islands)
        epochs = max(1, schedules // islands // 5_000)
        left = max(1, schedules)
        for epoch in range(epochs, 0, -1):
            share = left // epoch
            left -= share
            parts = [share // islands + (k < share % islands) for k in range(islands)]
            if not self.together("advance", parts):
                return

    def clock(self, seconds: float) -> None:
        """Go on for so many seconds."""
        end = self.begin + seconds
        self.settle(1, 1)
        trial = self.islands[0]
        trial.advance_until(min(end, self.begin + seconds / 50))
        took = max(time.monotonic() - self.begin, 1e-6)
        self.spent = trial.count
        best = trial
        self.settle(max(1, self.effort.jobs), int(trial.count / took * seconds))
        self.take(best)
        while time.monotonic() < end:
            moment = min(end, time.monotonic() + TICK)
            if not self.together("advance_until", [moment] * len(self.islands)):
                return

    def settle(self, islands: int, schedules: int) -> None:
        """New islands, each for so many schedules."""
        size = max(2, min(int(2.0 * math.sqrt(schedules) / 2.4), 1000))
        self.islands = [self.island(size, k) for k in range(islands)]

    def island(self, size: int, number: int) -> _Island:
        def room(*shape: int) -> Any:
            return _given(np.zeros(shape, dtype=np.int64))

        state = np.zeros(FIELDS, dtype=np.int64)
        seed = np.random.SeedSequence([self.effort.seed, number])
        state[RANDOM] = int(seed.generate_state(1)[0]) | 1
        state[BEST] = NONE_YET
        slots = int(sum(self.net.duration)) + int(max(self.net.duration)) + 2
        n = self.n
        free = _given(np.full(slots, self.net.full, dtype=np.int64))
        return _Island(
            self.net,
            Population(room(2, size, n), room(2, size), room(n), _given(state)),
            Scratch(free, room(slots), room(n), room(n), room(n), room(n)),
            self.bound,
        )

    def take(self, other: _Island) -> None:
        """Let the first island know another's best."""
        mine = self.islands[0].population
        if other.best < mine.state[BEST]:
            mine.best[:] = other.population.best[:]
            mine.state[BEST] = other.best
            mine.state[BEST_SIDE] = other.population.state[BEST_SIDE]

    def together(self, do: str, arguments: list[Any]) -> bool:
        """Let every island do something, and say whether to go on."""
        calls = [
            (getattr(island, do), argument)
            for island, argument in zip(self.islands, arguments, strict=True)
        ]
        try:
            if len(calls) == 1 or self.effort.jobs == 1:
                for call, argument in calls:
                    call(argument)
            else:
                with ThreadPoolExecutor(min(len(calls), self.effort.jobs)) as pool:
                    list(pool.map(lambda pair: pair[0](pair[1]), calls))
        except KeyboardInterrupt:
            if self.best.best >= NONE_YET:
                raise
            return False
        return self.best.best > self.bound and self.watched()

    @property
    def best(self) -> _Island:
        return min(self.islands, key=lambda island: island.best)

    @property
    def schedules(self) -> int:
        return self.spent + sum(island.count for island in self.islands)

    def watched(self) -> bool:
        if self.watch is None:
            return True
        return self.watch(
            Progress(
                makespan=self.best.best * self.unit,
                bound=self.bound * self.unit,
                schedules=self.schedules,
                seconds=time.monotonic() - self.begin,
            )
        )

    def found(self) -> Found:
        """The best list as a schedule once more."""
        best = self.best
        side = int(best.population.state[BEST_SIDE])
        serial(
            best.population.best,
            self.net.duration,
            self.net.word,
            self.net.pred_ptr[side],
            self.net.pred[side],
            best.scratch.free,
            self.net.guard,
            self.net.full,
            best.scratch.finish,
        )
        length = np.array(self.net.duration, dtype=np.int64)
        finish = np.array(best.scratch.finish, dtype=np.int64)
        start = finish - length if side == 0 else best.best - finish
        return Found(
            start=start * self.unit,
            finish=(start + length) * self.unit,
            mode=np.arange(self.n, dtype=np.int32),
            schedules=self.schedules,
            proved=best.best <= self.bound,
        )
