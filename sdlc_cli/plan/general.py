"""Searches plans of any Instance: islands of plans that breed, side by side in threads."""

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from sdlc_cli.plan.breed import MADE, Herd, born, breed, herd
from sdlc_cli.plan.effort import Effort, Found, Progress, Watch
from sdlc_cli.plan.goal import Goal
from sdlc_cli.plan.instance import Instance
from sdlc_cli.plan.packed import pack
from sdlc_cli.plan.sgs import Room, room

_ISLANDS = 4
_SIZE = 80
_TICK = 0.05


def search(
    instance: Instance, effort: Effort, goal: Goal, watch: Watch | None = None, bound: int = 0
) -> Found:
    """The best plan found within `effort`. Ctrl-C ends it, with the best so far."""
    begin = time.monotonic()
    p = pack(instance)
    first = instance.mode_ptr[:-1]
    facts = np.stack([instance.fixed_start, instance.fixed_finish, first], axis=1)
    weights = goal.array()
    size = _SIZE
    if effort.schedules is not None:
        size = max(4, min(size, effort.schedules // (8 * 3 * _ISLANDS)))
    islands = [
        (room(p, facts), herd(p, facts, size, effort.seed * 7919 + 104729 * i))
        for i in range(_ISLANDS)
    ]

    def make(island: tuple[Room, Herd], first: int, last: int) -> None:
        born(p, island[0], island[1], weights, first, last)

    def go(island: tuple[Room, Herd], schedules: int) -> None:
        breed(p, island[0], island[1], weights, schedules)

    step = 3 * 16
    with ThreadPoolExecutor(max(1, min(effort.jobs, _ISLANDS))) as pool:
        at = 0
        try:
            while not _done(islands, effort, begin, watch, bound):
                tick = time.monotonic()
                if at < size:
                    upto = min(size, at + max(1, step // 3))
                    list(pool.map(make, islands, [at] * _ISLANDS, [upto] * _ISLANDS))
                    at = upto
                else:
                    list(pool.map(go, islands, [step] * _ISLANDS))
                    _exchange(islands)
                spent = time.monotonic() - tick
                if effort.schedules is None:
                    if spent < _TICK / 2:
                        step *= 2
                    elif spent > _TICK * 2:
                        step = max(3, step // 2)
                else:
                    left = effort.schedules - _made(islands)
                    step = max(3, min(3 * 64, left // _ISLANDS))
        except KeyboardInterrupt:
            pass
    best = min((h for _, h in islands), key=lambda h: h.best[0])
    return Found(
        start=best.best_plan[:, 0].copy(),
        finish=best.best_plan[:, 1].copy(),
        mode=best.best_plan[:, 2].astype(np.int32),
        schedules=_made(islands),
    )


def _made(islands: Sequence[tuple[Room, Herd]]) -> int:
    return sum(int(h.state[MADE]) for _, h in islands)


def _done(
    islands: Sequence[tuple[Room, Herd]],
    effort: Effort,
    begin: float,
    watch: Watch | None,
    bound: int,
) -> bool:
    made = _made(islands)
    if not made:
        return False
    seconds = time.monotonic() - begin
    best = min((h for _, h in islands), key=lambda h: h.best[0])
    makespan = int(best.best_plan[:, 1].max())
    if watch is not None and not watch(
        Progress(makespan=makespan, bound=bound, schedules=made, seconds=seconds)
    ):
        return True
    if effort.schedules is not None:
        return made >= effort.schedules
    return effort.seconds is not None and seconds >= effort.seconds


def _exchange(islands: Sequence[tuple[Room, Herd]]) -> None:
    """The best of each island takes the place of the worst of the next one."""
    best = [int(np.argmin(h.weight)) for _, h in islands]
    copies = [
        (h.order[b].copy(), h.mode[b].copy(), h.weight[b])
        for (_, h), b in zip(islands, best, strict=True)
    ]
    for i, (order, row, weight) in enumerate(copies):
        h = islands[(i + 1) % len(islands)][1]
        worst = int(np.argmax(h.weight))
        if weight < h.weight[worst]:
            h.order[worst], h.mode[worst], h.weight[worst] = order, row, weight
