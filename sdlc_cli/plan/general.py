"""Searches plans of any Instance: islands of plans that breed, side by side in threads.

The kernels let go of the interpreter's lock. There are as many islands, and they meet after as many
schedules, whatever the number of jobs: with a number of schedules, a seed gives one plan.
"""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from heapq import heappop, heappush

import numpy as np

from sdlc_cli.plan.breed import breed
from sdlc_cli.plan.effort import Effort, Found, Progress, Watch
from sdlc_cli.plan.goal import Goal
from sdlc_cli.plan.herd import BORN, GIVEN, MADE, MISSED, NOWHERE, Herd, herd
from sdlc_cli.plan.instance import Instance
from sdlc_cli.plan.packed import UNITS, WISH, Packed, pack
from sdlc_cli.plan.room import Room, room

ISLANDS = 2
"""As many, or as many as there are jobs where the clock counts and not the schedules."""
SIZE = 100
STALE = 60
"""An island without progress for so many times its size in children begins anew."""
HABIT = (0.06, 5.0, 0.3, 2.0)
"""Chance of a swap, changed modes a child, share of tasks that choose, members of a tournament."""
_ROUND = 3 * 64  # schedules of an island between two meetings
_TICK = 0.05  # seconds between two looks at the clock


def search(
    instance: Instance,
    effort: Effort,
    goal: Goal,
    watch: Watch | None = None,
    *,
    bound: int = 0,
    wish: Found | None = None,
    given: Sequence[Found] = (),
) -> Found:
    """The best plan that the effort finds. An interrupt ends the search, not the plan.

    `wish` is the plan that the goal wants kept (-1: no wish), `given` are plans to begin with.
    A makespan of `bound` ends the search where nothing else counts.
    """
    p = pack(instance, wish)
    run = _Run(instance, p, goal, effort, watch, bound)
    size, count = SIZE, max(ISLANDS, effort.jobs)
    if effort.schedules is not None:
        count = ISLANDS
        size = max(4, min(size, effort.schedules // (8 * 3 * count)))
    first = instance.mode_ptr[:-1]
    facts = np.stack([instance.fixed_start, instance.fixed_finish, first], axis=1)
    for i in range(count):
        one = herd(p, facts, size, effort.seed * 7919 + 104729 * i, HABIT)
        _give(p, one, given)
        run.islands.append((room(p, facts), one))
    with ThreadPoolExecutor(max(1, min(effort.jobs, count))) as pool, suppress(KeyboardInterrupt):
        run.go(lambda step: list(pool.map(run.advance, run.islands, [step] * count)))
    return run.found()


def _give(p: Packed, to: Herd, given: Sequence[Found]) -> None:
    """Make plans the first members, each task anchored where a wish says so."""
    for m, plan in enumerate(given[: len(to.weight)]):
        units = int(p.sizes[UNITS])
        start = [plan.start[p.many[p.unit[u, 0] : p.unit[u, 1]]].max() for u in range(units)]
        to.order[m] = _settled(p, np.argsort(np.array(start), kind="stable"))
        to.gene[m] = 2 * plan.mode + (p.task[:, WISH] > 0)
        to.state[GIVEN] = m + 1


def _settled(p: Packed, order: np.ndarray) -> list[int]:
    """`order`, with what has to come first before what waits for it."""
    place = {u: i for i, u in enumerate(order.tolist())}
    waits = p.unit[:, 4].copy()
    ready = sorted((place[u], u) for u in place if not waits[u])
    out: list[int] = []
    while ready:
        u = heappop(ready)[1]
        out.append(u)
        for v in p.many[p.unit[u, 2] : p.unit[u, 3]].tolist():
            waits[v] -= 1
            if not waits[v]:
                heappush(ready, (place[v], v))
    return out


_Weight = tuple[float, float]
_NONE: _Weight = (NOWHERE, NOWHERE)


def _weight(of: Herd, member: int) -> _Weight:
    missed, amount = of.weight[member].tolist()
    return missed, amount


def _ranked(of: Herd) -> list[int]:
    """The members, the best first."""
    ranked: list[int] = np.lexsort(of.weight.T[::-1]).tolist()
    return ranked


@dataclass(slots=True)
class _Run:
    """A search that goes on."""

    instance: Instance
    packed: Packed
    goal: Goal
    effort: Effort
    watch: Watch | None
    bound: int
    islands: list[tuple[Room, Herd]] = field(default_factory=list)
    progress: dict[int, tuple[_Weight, int]] = field(default_factory=dict)
    begin: float = field(default_factory=time.monotonic)

    def advance(self, island: tuple[Room, Herd], schedules: int) -> None:
        breed(self.packed, island[0], island[1], self.weights, schedules)

    @property
    def weights(self) -> np.ndarray:
        return self.goal.array()

    @property
    def made(self) -> int:
        return sum(int(one.state[MADE]) for _, one in self.islands)

    @property
    def best(self) -> Herd:
        return min((one for _, one in self.islands), key=lambda one: tuple(one.best.tolist()))

    def go(self, together: Callable[[int], object]) -> None:
        """Advance all islands until the effort is spent, the watch says so, or it is proved."""
        step = 3
        while True:
            tick = time.monotonic()
            if self.effort.schedules is not None:
                left = self.effort.schedules - self.made
                step = max(3, min(_ROUND, left // len(self.islands)))
            together(step)
            self._meet()
            if self._ends():
                return
            spent = time.monotonic() - tick
            if spent < _TICK / 2:
                step = min(2 * step, 64 * _ROUND)
            elif spent > _TICK * 2:
                step = max(3, step // 2)

    def _ends(self) -> bool:
        seconds = time.monotonic() - self.begin
        best = self.best
        makespan = int(best.best_plan[:, 1].max())
        if self.watch is not None and not self.watch(
            Progress(makespan=makespan, bound=self.bound, schedules=self.made, seconds=seconds)
        ):
            return True
        if self.goal.only_makespan and makespan <= self.bound and not best.best[MISSED]:
            return True
        if self.effort.schedules is not None:
            return self.made >= self.effort.schedules
        return self.effort.seconds is not None and seconds >= self.effort.seconds

    def _meet(self) -> None:
        """The best of each island takes the place of the worst of the next one."""
        herds = [one for _, one in self.islands]
        for i, one in enumerate(herds):
            least, since = self.progress.get(i, (_NONE, 0))
            now = _weight(one, _ranked(one)[0])
            made = int(one.state[MADE])
            if now < least:
                self.progress[i] = now, made
            elif made - since > 3 * STALE * len(one.weight):
                one.weight[:] = NOWHERE
                one.state[BORN] = one.state[GIVEN] = 0
                self.progress[i] = _NONE, made
                return
        sent = []
        for one in herds:
            best = _ranked(one)[0]
            sent.append((one.order[best].copy(), one.gene[best].copy(), _weight(one, best)))
        for i, (order, gene, weight) in enumerate(sent):
            to = herds[(i + 1) % len(herds)]
            worst = _ranked(to)[-1]
            known = {(missed, amount) for missed, amount in to.weight.tolist()}
            if weight < _weight(to, worst) and weight not in known:
                to.order[worst], to.gene[worst], to.weight[worst] = order, gene, weight

    def found(self) -> Found:
        """The best of all islands."""
        if self.best.best[MISSED] >= NOWHERE:
            raise RuntimeError("no list of the tasks became a plan")
        plan = self.best.best_plan
        return Found(
            start=plan[:, 0].copy(),
            finish=plan[:, 1].copy(),
            mode=plan[:, 2].astype(np.int32),
            schedules=self.made,
            proved=self.goal.only_makespan and int(plan[:, 1].max(initial=0)) <= self.bound,
        )
