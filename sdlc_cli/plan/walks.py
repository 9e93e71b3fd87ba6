"""The dates that the order of a plan allows: the earliest, the latest, and the slack between.

The slack of a task is the working time, in slots of its own calendar, by which it alone may start
later without the project ending later or a hard deadline being missed that the plan keeps. That of
a milestone is in slots on the wall. A task without slack is critical. What is done has no slack.

Each value of a walk is an array over samples; a plan by itself is one sample.
"""

from collections.abc import Sequence

import numpy as np

from sdlc_cli.plan.instance import I64
from sdlc_cli.plan.network import FAR, Network


def earliest(
    network: Network, durations: Sequence[I64], not_before: Sequence[int] = ()
) -> tuple[list[I64], list[I64]]:
    """Starts and finishes when every task begins as soon as the order allows.

    `not_before` gives the first slot of each task. Raises IndexError where a calendar ends too
    soon: build the network with a later end.
    """
    samples = len(durations[0]) if durations else 1
    n = len(network.schedule.placements)
    start = [np.zeros(0, np.int64)] * n
    finish = [np.zeros(0, np.int64)] * n
    for round_ in range(network.rounds):
        before = list(start)
        for group in network.order:
            _begin(network, group, start, finish, durations, not_before, samples)
        if round_ + 1 < network.rounds and _same(before, start):
            break
    return start, finish


def _same(one: Sequence[I64], other: Sequence[I64]) -> bool:
    return all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


def _begin(
    network: Network,
    group: tuple[int, ...],
    start: list[I64],
    finish: list[I64],
    durations: Sequence[I64],
    not_before: Sequence[int],
    samples: int,
) -> None:
    """Begin the tasks of a group as soon as all of them can."""
    project, placed = network.project, network.schedule.placements
    at = np.full(samples, 0, np.int64)
    for i in group:
        at = np.maximum(at, _ready(network, i, start, finish, durations[i], samples))
        at = np.maximum(at, not_before[i]) if not_before else at
    for _round in range(64):
        later = at
        for i in group:
            later = _snapped(network.worktimes[i].slots, later, durations[i])
        if (later == at).all():
            break
        at = later
    for i in group:
        fact = project.tasks[i].status != "todo"
        start[i] = np.full(samples, placed[i].start, np.int64) if fact else at
        finish[i] = _finish(network.worktimes[i].slots, start[i], durations[i])
        if project.tasks[i].status == "running":
            finish[i] = np.maximum(finish[i], project.now)
        elif project.tasks[i].status == "done":
            finish[i] = np.full(samples, placed[i].finish, np.int64)


def _ready(
    network: Network,
    i: int,
    start: list[I64],
    finish: list[I64],
    duration: I64,
    samples: int,
) -> I64:
    """The first slot in which no arc, release or fact holds task `i` back."""
    project = network.project
    begin = np.full(samples, max(project.tasks[i].release, project.now), np.int64)
    end: I64 | None = None
    for kind, lag, before in network.held_by[i]:
        base = finish[before] if kind in ("FS", "FF") else start[before]
        if not len(base):  # of the same group: it starts in the same slot
            continue
        bound = base + lag if lag else base
        if kind in ("FS", "SS"):
            np.maximum(begin, bound, out=begin)
        else:
            end = bound if end is None else np.maximum(end, bound)
    if end is None:
        return begin
    return np.maximum(begin, _start_for(network.worktimes[i].slots, end, duration))


def _snapped(slots: I64 | None, at: I64, duration: I64) -> I64:
    """The first open slots from `at` on; what takes no time waits for none."""
    if slots is None or not duration.any():
        return at
    first: I64 = slots[np.searchsorted(slots, at)]
    return first if duration.all() else np.where(duration > 0, first, at)


def _finish(slots: I64 | None, start: I64, duration: I64) -> I64:
    if slots is None or not duration.any():
        return start + duration
    last = np.searchsorted(slots, start) + np.maximum(duration, 1) - 1
    done: I64 = np.where(duration > 0, slots[last] + 1, start)
    return done


def _start_for(slots: I64 | None, end: I64, duration: I64) -> I64:
    """The first start from which a task is not finished before `end`."""
    if slots is None or not duration.any():
        return end - duration
    first = np.maximum(np.searchsorted(slots, end - 1) - np.maximum(duration, 1) + 1, 0)
    begin: I64 = np.where(duration > 0, slots[first], end)
    return begin


def latest(
    network: Network,
    start: Sequence[I64],
    finish: Sequence[I64],
    durations: Sequence[I64],
    *,
    deadlines: bool,
) -> list[I64]:
    """The latest starts, in the order kept, for which the project ends no later than it does.

    With `deadlines` no hard deadline is missed, or no further than by these dates.
    """
    end = np.max(np.stack(list(finish)), axis=0) if len(start) else np.zeros(1, np.int64)
    late_start = [np.full(len(end), FAR, np.int64)] * len(start)
    late_finish = list(late_start)
    for i, task in enumerate(network.project.tasks):
        if task.status == "done":
            late_start[i], late_finish[i] = start[i], finish[i]
    for round_ in range(network.rounds):
        before = list(late_start)
        for group in reversed(network.order):
            if network.project.tasks[group[0]].status == "done":
                continue
            at = FAR + np.zeros_like(end)
            for i in group:
                by_start, by_finish = _bounds(network, i, group, late_start, late_finish, end)
                task = network.project.tasks[i]
                if deadlines and task.hard and task.deadline is not None:
                    by_finish = np.minimum(by_finish, np.maximum(task.deadline, finish[i]))
                slots = network.worktimes[i].slots
                at = np.minimum(at, _last_start(slots, by_start, by_finish, durations[i]))
            for i in group:
                at = _snapped_back(network.worktimes[i].slots, at, durations[i])
            for i in group:
                # never before the date it has: an order that holds it there is not ours to break
                late_start[i] = np.maximum(at, start[i])
                slots = network.worktimes[i].slots
                late_finish[i] = _finish(slots, late_start[i], durations[i])
        if round_ + 1 < network.rounds and _same(before, late_start):
            break
    return late_start


def _bounds(
    network: Network,
    i: int,
    group: tuple[int, ...],
    late_start: list[I64],
    late_finish: list[I64],
    end: I64,
) -> tuple[I64, I64]:
    """By when task `i` has to start and to finish for what comes after its group."""
    by_start, by_finish = np.full(len(end), FAR, np.int64), end.copy()
    for kind, lag, after in network.holding[i]:
        if after in group:
            continue
        to = late_start[after] if kind in ("FS", "SS") else late_finish[after]
        bound = to - lag if lag else to
        held = by_finish if kind in ("FS", "FF") else by_start
        np.minimum(held, bound, out=held)
    return by_start, by_finish


def _last_start(slots: I64 | None, by_start: I64, by_finish: I64, duration: I64) -> I64:
    """The last slot to start in, to be started by and finished by these."""
    begin: I64 = np.minimum(by_start, by_finish - duration)
    if slots is None or not duration.any():
        return begin
    last = np.minimum(
        np.searchsorted(slots, by_finish) - duration,
        np.searchsorted(slots, by_start, side="right") - 1,
    )
    open_: I64 = np.where(duration > 0, slots[np.maximum(last, 0)], begin)
    return open_


def _snapped_back(slots: I64 | None, at: I64, duration: I64) -> I64:
    if slots is None or not duration.any():
        return at
    last: I64 = slots[np.maximum(np.searchsorted(slots, at, side="right") - 1, 0)]
    return last if duration.all() else np.where(duration > 0, last, at)


def slack(network: Network) -> tuple[int | None, ...]:
    """The slack of each task in working slots, None for what is done; see the module."""
    placed = network.schedule.placements
    start = [np.array([p.start], np.int64) for p in placed]
    finish = [np.array([p.finish], np.int64) for p in placed]
    durations = [np.array([d], np.int64) for d in network.duration]
    last = latest(network, start, finish, durations, deadlines=True)
    return tuple(
        None
        if task.status == "done"
        else network.worktimes[i].count(placed[i].start, int(last[i][0]))
        if network.duration[i]
        else int(last[i][0]) - placed[i].start
        for i, task in enumerate(network.project.tasks)
    )
