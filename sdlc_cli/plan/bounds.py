"""What no plan can finish before: bounds of the makespan that hold for every Instance.

* The longest path through the links.
* The work of a resource against its capacity, between the heads of the tasks and their tails.
* The same after dual feasible functions have scaled demands (Fekete and Schepers, "New classes of
  fast lower bounds for bin packing problems", 2001): these see that two tasks which each need more
  than a half cannot run at once, nor three that need more than a third.
* For plain projects, energetic reasoning (Erschler and Lopez 1990; Baptiste, Le Pape and Nuijten
  1999): a makespan is refuted by an interval that must hold more work than it has room for.

Of several modes the shortest, the least demanding and the least work count, be they three
different ones. Closed slots are taken for open ones. Facts may break every rule, so they count as
they are, and only in the paths that begin at them.
"""

from collections.abc import Iterator

import numpy as np

from sdlc_cli.plan.instance import FF, FS, I64, SS, Instance

_CUTS = 100_000  # moments times tasks looked at; a large project has its bounds from some moments
_TESTED = 130  # tasks of a project for which makespans are refuted
_STEPS = 40  # makespans tried to refute
_ENDS = 60  # begins and ends of the intervals that are to refute one


def makespan(instance: Instance) -> int:
    """The best of the bounds."""
    if instance.n == 0:
        return 0
    free = instance.fixed_start < 0
    duration = _least(instance, instance.mode_duration)
    head, finish = _heads(instance, duration)
    tail = _tails(instance, duration)
    best = int(np.max(finish, initial=0))
    shares = list(scaled(instance))
    for demand, room in shares:
        work = _least(instance, instance.mode_duration * demand)
        best = max(best, _between(head[free], tail[free], work[free], room))
    if instance.plain and instance.n <= _TESTED:
        for demand, room in shares:
            for _ in range(_STEPS):
                if not _refuted(best, duration, head, tail, demand, room):
                    break
                best += 1
    return best


def _least(instance: Instance, of_modes: I64) -> I64:
    """The smallest value among the modes of each task."""
    least: I64 = np.minimum.reduceat(of_modes, instance.mode_ptr[:-1])
    return least


def _heads(instance: Instance, duration: I64) -> tuple[I64, I64]:
    """The earliest start and finish of each task by its links and its release."""
    start = np.maximum(instance.release, 0).tolist()
    length = duration.tolist()
    finish = [0] * instance.n
    facts = instance.fixed_start.tolist(), instance.fixed_finish.tolist()
    links = instance.pred_task.tolist(), instance.pred_kind.tolist(), instance.pred_lag.tolist()
    pointer = instance.pred_ptr.tolist()
    for task in instance.order.tolist():
        if facts[0][task] >= 0:
            start[task] = facts[0][task]
            finish[task] = max(start[task], facts[1][task])
            continue
        least = 0
        for i in range(pointer[task], pointer[task + 1]):
            other, kind, lag = links[0][i], links[1][i], links[2][i]
            moment = (finish if kind in (FS, FF) else start)[other] + lag
            if kind in (FS, SS):
                start[task] = max(start[task], moment)
            else:
                least = max(least, moment)
        finish[task] = max(least, start[task] + length[task])
    return np.array(start, dtype=np.int64), np.array(finish, dtype=np.int64)


def _tails(instance: Instance, duration: I64) -> I64:
    """The time from the finish of each task to the end of the project, by the links."""
    tail = [0] * instance.n
    length = duration.tolist()
    fact = (instance.fixed_start >= 0).tolist()
    links = instance.succ_task.tolist(), instance.succ_kind.tolist(), instance.succ_lag.tolist()
    pointer = instance.succ_ptr.tolist()
    for task in reversed(instance.order.tolist()):
        for i in range(pointer[task], pointer[task + 1]):
            other, kind, lag = links[0][i], links[1][i], links[2][i]
            if fact[other] or kind not in (FS, FF):
                continue
            after = tail[other] + (length[other] if kind == FS else 0)
            tail[task] = max(tail[task], lag + after)
    return np.array(tail, dtype=np.int64)


def scaled(instance: Instance) -> Iterator[tuple[I64, int]]:
    """Demands (of the modes) and what may run at once: as they are, then scaled."""
    for demand, capacity in zip(instance.mode_demand.T, instance.capacity.tolist(), strict=True):
        if not demand.any() or capacity <= 0:
            continue
        yield demand, capacity
        for machines in (1, 2, 3):
            counted = demand * (machines + 1) // (capacity + 1)
            if counted.any():
                yield counted, machines
        halves = np.unique(demand[(demand > 0) & (2 * demand <= capacity)])
        for small in halves[np.linspace(0, len(halves) - 1, 4).astype(int)] if len(halves) else ():
            raised = np.where(demand > capacity - small, capacity, demand)
            yield np.where(demand < small, 0, raised), capacity


def _between(head: I64, tail: I64, work: I64, room: int) -> int:
    """The best of head + work / room + tail over all tasks that come after and before so much."""
    busy = work > 0
    head, tail, work = head[busy], tail[busy], work[busy]
    if not len(work):
        return 0
    order = np.argsort(-tail, kind="stable")
    head, tail, work = head[order], tail[order], work[order]
    best = 0
    for moment in _some(np.unique(head), max(10, _CUTS // len(head))):
        inside = head >= moment
        needed = -(-np.cumsum(work[inside]) // room)
        best = max(best, int(moment + np.max(needed + tail[inside])))
    return best


def _some(moments: I64, most: int) -> I64:
    """All, or as many as there is time for."""
    if len(moments) <= most:
        return moments
    some: I64 = moments[np.linspace(0, len(moments) - 1, most).astype(int)]
    return some


def _refuted(end: int, duration: I64, head: I64, tail: I64, demand: I64, room: int) -> bool:
    """Whether some interval has to hold more than it can, were `end` the makespan."""
    busy = (demand > 0) & (duration > 0)
    length, least = duration[busy], demand[busy]
    early, late = head[busy], end - tail[busy] - duration[busy]  # starts
    begins = _some(np.unique(np.concatenate([early, late, early + length])), _ENDS)
    ends = _some(np.unique(np.concatenate([late + length, early + length, late])), _ENDS)
    for begin in begins[begins < end]:
        within = ends[ends > begin]
        left = np.minimum(length, early + length - begin)  # of it after `begin`, all to the left
        right = np.minimum(length[:, None], within - late[:, None])  # before the end, to the right
        held = np.minimum(np.minimum(left[:, None], right), within - begin)
        if np.any(least @ np.maximum(held, 0) > room * (within - begin)):
            return True
    return False
