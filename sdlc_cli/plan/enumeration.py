"""The best plan for every choice of modes of a small project, by trying all."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import product
from math import prod

import numpy as np

from sdlc_cli.plan.compiled import engine, jit
from sdlc_cli.plan.effort import Found
from sdlc_cli.plan.instance import I64, NEVER, Instance
from sdlc_cli.plan.packed import (
    AFTER_FROM,
    AFTER_TO,
    BEFORE,
    FIRST,
    HORIZON,
    STOP,
    SWAPPED,
    UNITS,
    Packed,
    pack,
)
from sdlc_cli.plan.room import ANCHOR, FINISH, FLEX, MODE, START, Room, hold, room, wipe
from sdlc_cli.plan.sgs import count_use, forward, place, place_group
from sdlc_cli.plan.staffing import MOST as MOST_STAFFINGS


@jit
def _clear(p: Packed, w: Room) -> None:
    count_use(p, w)
    wipe(p, w)


@jit
def _early(p: Packed, w: Room, order: I64) -> bool:
    return bool(forward(p, w, order))


@jit
def _put(p: Packed, w: Room, u: int) -> bool:
    """One unit as early as can be."""
    if p.unit[u, STOP] - p.unit[u, FIRST] > 1:
        return bool(place_group(p, w, u))
    return bool(place(p, w, p.many[p.unit[u, FIRST]]))


@jit
def _take(p: Packed, w: Room, u: int) -> None:
    """One unit out again."""
    for i in range(p.unit[u, FIRST], p.unit[u, STOP]):
        j = p.many[i]
        hold(p, w, w.plan[j, MODE], w.plan[j, START], w.plan[j, FINISH], -1)


def every_plan(instance: Instance) -> list[Found] | None:
    """Plans among which is one for each point of the front; None for what is too large.

    Orders of units, each as early as it can be in its turn: one of them ends all tasks as early
    as they can end together. Where a later task may start before an earlier one that does not
    hold, and all starts are tried instead.
    """
    p = pack(instance)
    most = 20_000 if engine()[0] == "numba" else 1_000
    widths = np.diff(instance.mode_ptr).tolist()
    first = instance.mode_ptr[:-1]
    if prod(widths) > most or max(widths, default=0) >= MOST_STAFFINGS:
        return None
    facts = np.stack([instance.fixed_start, instance.fixed_finish, first], axis=1)
    trial = _Trial(p, room(p, facts), most)
    ways = [range(a, a + width) for a, width in zip(first.tolist(), widths, strict=True)]
    if p.sizes[SWAPPED]:
        return None if instance.late_cost.any() else trial.starts(ways)
    return trial.orders(ways)


@dataclass(slots=True)
class _Trial:
    """What has been tried, and how much more may be."""

    p: Packed
    w: Room
    left: int
    found: list[Found] = field(default_factory=list)
    best: int = NEVER

    def _choose(self, modes: tuple[int, ...]) -> None:
        self.w.plan[:, MODE] = modes
        self.w.plan[:, FLEX] = 0
        self.w.plan[:, ANCHOR] = 0
        _clear(self.p, self.w)

    def _keep(self) -> None:
        start, finish = self.w.plan[:, START].copy(), self.w.plan[:, FINISH].copy()
        mode = self.w.plan[:, MODE].astype(np.int32)
        self.found.append(Found(start=start, finish=finish, mode=mode, schedules=1))

    def orders(self, ways: list[range]) -> list[Found] | None:
        """All orders in all modes."""
        lists = list(self._orders())
        if self.left < 0 or len(lists) * prod(map(len, ways)) > self.left + len(lists):
            return None
        for modes in product(*ways):
            self._choose(modes)
            for order in lists:
                if _early(self.p, self.w, order):
                    self._keep()
        return self.found

    def _orders(self) -> Iterator[I64]:
        """Every order of the units that keeps what comes first, as long as there are few."""
        waits = self.p.unit[:, BEFORE].copy()
        begin = [u for u in range(self.p.sizes[UNITS]) if not waits[u]]
        stack: list[tuple[list[int], list[int]]] = [([], begin)]
        while stack and self.left >= 0:
            order, ready = stack.pop()
            if not ready:
                self.left -= 1
                yield np.array(order, dtype=np.int64)
            for u in ready:
                done = {*order, u}
                freed = [v for v in self._later(u) if self._waits(v) <= done]
                stack.append(([*order, u], [v for v in ready if v != u] + freed))

    def _later(self, u: int) -> list[int]:
        p = self.p
        return [int(v) for v in p.many[p.unit[u, AFTER_FROM] : p.unit[u, AFTER_TO]]]

    def _waits(self, v: int) -> set[int]:
        return {u for u in range(v) if v in self._later(u)}

    def starts(self, ways: list[range]) -> list[Found] | None:
        """All starts in all modes, for each of them the plan that ends first."""
        for modes in product(*ways):
            self._choose(modes)
            self.best = NEVER
            self._from(0)
            if self.left < 0:
                return None
        return self.found

    def _from(self, u: int) -> None:
        """Try all starts of unit `u` and those after it that end before the best plan."""
        p, w = self.p, self.w
        self.left -= 1
        if u == p.sizes[UNITS]:
            self._keep()
            self.best = int(w.plan[:, FINISH].max())
            return
        tasks = p.many[p.unit[u, FIRST] : p.unit[u, STOP]]
        w.plan[tasks, ANCHOR] = 0
        while self.left >= 0:
            if not _put(p, w, u):
                break
            ends = int(w.plan[tasks, FINISH].max())
            if ends < self.best:
                self._from(u + 1)
            _take(p, w, u)
            if ends >= self.best or w.plan[tasks[0], START] >= p.sizes[HORIZON] - 1:
                break
            w.plan[tasks, ANCHOR] = w.plan[tasks, START].max() + 1
        w.plan[tasks, ANCHOR] = 0
