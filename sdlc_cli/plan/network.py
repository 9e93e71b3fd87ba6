"""What every date of a plan hangs on: links and the order in which resources are handed on.

The order of a plan is kept: who does a task, in which mode, and which task takes over a person or
a unit from which. These hand-overs are arcs beside the links of the project (a resource flow;
Artigues et al. 2003, 149(2) EJOR): every set of dates that keeps all arcs keeps the capacities.
A task that takes a unit in another's pause, as a night, keeps its distance from that one's start.

The slack of a task is the working time, in slots of its own calendar, by which it alone may start
later without the project ending later or a hard deadline being missed that the plan keeps. That of
a milestone is in slots on the wall. A task without slack is critical. What is done has no slack.
"""

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from sdlc_cli.plan.instance import I64
from sdlc_cli.plan.model import LinkKind, Placement, Project, Schedule
from sdlc_cli.plan.worktime import Worktime, Worktimes

FAR = 2**40


@dataclass(frozen=True, slots=True, kw_only=True)
class Arc:
    """`after` comes at least `lag` slots after `before`; both are places in the project's tasks."""

    before: int
    after: int
    kind: LinkKind = "FS"
    lag: int = 0
    why: Literal["link", "resource"] = "link"
    resource: str = ""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Network:
    """A plan's tasks in an order in which every arc leads onward, groups as one."""

    project: Project
    schedule: Schedule
    worktimes: tuple[Worktime, ...]
    arcs: tuple[Arc, ...]
    into: tuple[tuple[Arc, ...], ...]
    out_of: tuple[tuple[Arc, ...], ...]
    order: tuple[tuple[int, ...], ...]  # groups of tasks that start together
    duration: tuple[int, ...]  # open slots


def build(project: Project, schedule: Schedule, end: int = 0) -> Network:
    """The network of a plan, with calendars up to `end` or a bit beyond the plan's own."""
    times = Worktimes(project, max(end, schedule.makespan + 1))
    placed = schedule.placements
    place = {placement.task: i for i, placement in enumerate(placed)}
    links = [
        Arc(before=place[link.task], after=i, kind=link.kind, lag=link.lag)
        for i, task in enumerate(project.tasks)
        if task.status == "todo"  # what is begun is a fact, whatever should have come first
        for link in task.after
    ]
    worktimes = tuple(times.of(placement) for placement in placed)
    handed = _handed_on(project, placed, links)
    groups = _groups(project, place)
    order, arcs = _ordered(len(placed), links, handed, groups)
    into: list[list[Arc]] = [[] for _ in placed]
    out_of: list[list[Arc]] = [[] for _ in placed]
    for arc in arcs:
        into[arc.after].append(arc)
        out_of[arc.before].append(arc)
    return Network(
        project=project,
        schedule=schedule,
        worktimes=worktimes,
        arcs=tuple(arcs),
        into=tuple(map(tuple, into)),
        out_of=tuple(map(tuple, out_of)),
        order=order,
        duration=tuple(w.count(p.start, p.finish) for w, p in zip(worktimes, placed, strict=True)),
    )


def _groups(project: Project, place: Mapping[str, int]) -> list[tuple[int, ...]]:
    """Which tasks start together; each other task alone."""
    head = list(range(len(place)))
    todo = {task.id for task in project.tasks if task.status == "todo"}
    for group in project.together:
        members = [place[one] for one in group if one in todo]
        heads = {head[i] for i in members}
        if not heads:
            continue
        low = min(heads)
        head = [low if one in heads else one for one in head]
    found: dict[int, list[int]] = {}
    for i, one in enumerate(head):
        found.setdefault(one, []).append(i)
    return [tuple(members) for members in found.values()]


@dataclass(slots=True)
class _Run:
    """Units of a resource that one task held last."""

    free: int
    task: int
    amount: int


def _handed_on(project: Project, placed: Sequence[Placement], links: Iterable[Arc]) -> list[Arc]:
    """Who takes over which units from whom: what is free longest first, own predecessors before."""
    before: list[set[int]] = [set() for _ in placed]
    for arc in links:
        before[arc.after].add(arc.before)
    users: dict[str, list[tuple[int, int]]] = {}
    for i in sorted(range(len(placed)), key=lambda i: (placed[i].start, placed[i].finish, i)):
        if placed[i].finish > placed[i].start:
            for name, amount in placed[i].resources:
                users.setdefault(name, []).append((i, amount))
    arcs: list[Arc] = []
    for resource in project.resources:
        runs = [_Run(free=-FAR, task=-1, amount=resource.capacity)]
        for i, amount in users.get(resource.id, ()):
            arcs += _taken(runs, i, amount, placed, before[i], resource.id)
    return [arc for arc in arcs if project.tasks[arc.after].status == "todo"]


def _taken(
    runs: list[_Run],
    i: int,
    amount: int,
    placed: Sequence[Placement],
    mine: set[int],
    resource: str,
) -> list[Arc]:
    """Take `amount` out of `runs` for task `i`, and put it back as its own."""
    start, finish = placed[i].start, placed[i].finish
    runs.sort(key=lambda run: (run.free > start, run.task not in mine, run.free, run.task))
    arcs: list[Arc] = []
    back: list[_Run] = []
    left = amount
    while left > 0 and runs:
        run = runs[0]
        got = min(left, run.amount)
        left -= got
        run.amount -= got
        if not run.amount:
            runs.pop(0)
        last = _Run(free=finish, task=i, amount=got)
        if run.task >= 0 and run.free <= start:
            arcs.append(Arc(before=run.task, after=i, why="resource", resource=resource))
        elif run.task >= 0:  # in its pause
            lag = start - placed[run.task].start
            arcs.append(
                Arc(before=run.task, after=i, kind="SS", lag=lag, why="resource", resource=resource)
            )
            if run.free > finish:
                last = _Run(free=run.free, task=run.task, amount=got)
        back.append(last)
    runs += back
    return arcs


def _ordered(
    n: int, links: list[Arc], handed: list[Arc], groups: list[tuple[int, ...]]
) -> tuple[tuple[tuple[int, ...], ...], list[Arc]]:
    """The groups in an order of all arcs. A hand-over against the links (a lead) is left out."""
    group_of = [0] * n
    for g, members in enumerate(groups):
        for i in members:
            group_of[i] = g
    arcs = [*links, *handed]
    while True:
        waits = [0] * len(groups)
        after: list[list[int]] = [[] for _ in groups]
        for arc in arcs:
            a, b = group_of[arc.before], group_of[arc.after]
            if a != b:
                after[a].append(b)
                waits[b] += 1
        ready = deque(g for g in range(len(groups)) if not waits[g])
        order: list[int] = []
        while ready:
            g = ready.popleft()
            order.append(g)
            for b in after[g]:
                waits[b] -= 1
                if not waits[b]:
                    ready.append(b)
        if len(order) == len(groups):
            return tuple(groups[g] for g in order), arcs
        stuck = {g for g in range(len(groups)) if waits[g]}
        kept = [
            arc
            for arc in arcs
            if arc.why == "link" or not {group_of[arc.before], group_of[arc.after]} <= stuck
        ]
        if len(kept) == len(arcs):
            raise ValueError("the links of the project form a cycle")
        arcs = kept


# The two walks. Each value is an array over samples; a plan by itself is one sample.


def earliest(
    network: Network, durations: Sequence[I64], not_before: Sequence[int] = ()
) -> tuple[list[I64], list[I64]]:
    """Starts and finishes when every task begins as soon as the order allows.

    `not_before` gives the first slot of each task. Raises IndexError where a calendar ends too
    soon: build the network with a later end.
    """
    project, placed = network.project, network.schedule.placements
    n, samples = len(placed), len(durations[0]) if durations else 1
    start = [np.zeros(0, np.int64)] * n
    finish = [np.zeros(0, np.int64)] * n
    for group in network.order:
        at = np.full(samples, 0, np.int64)
        facts = [i for i in group if project.tasks[i].status != "todo"]
        for i in group:
            at = np.maximum(at, _ready(network, i, start, finish, durations[i], samples))
            at = np.maximum(at, not_before[i]) if not_before else at
        for _round in range(64):
            later = at
            for i in group:
                if durations[i].any():
                    later = _snapped(network.worktimes[i].slots, later)
            if (later == at).all():
                break
            at = later
        for i in group:
            start[i] = np.full(samples, placed[i].start, np.int64) if facts else at
            finish[i] = _finish(network.worktimes[i].slots, start[i], durations[i])
            if project.tasks[i].status == "running":
                finish[i] = np.maximum(finish[i], project.now)
            elif project.tasks[i].status == "done":
                finish[i] = np.full(samples, placed[i].finish, np.int64)
    return start, finish


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
    for arc in network.into[i]:
        base = finish[arc.before] if arc.kind in ("FS", "FF") else start[arc.before]
        if not len(base):  # of the same group: it starts in the same slot
            continue
        bound = base + arc.lag
        if arc.kind in ("FS", "SS"):
            begin = np.maximum(begin, bound)
        else:
            end = bound if end is None else np.maximum(end, bound)
    if end is None:
        return begin
    return np.maximum(begin, _start_for(network.worktimes[i].slots, end, duration))


def _snapped(slots: I64 | None, at: I64) -> I64:
    if slots is None:
        return at
    first: I64 = slots[np.searchsorted(slots, at)]
    return first


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
    n = len(start)
    end = np.max(np.stack(list(finish)), axis=0) if n else np.zeros(1, np.int64)
    late_start: list[I64] = [start[i] for i in range(n)]
    late_finish: list[I64] = [finish[i] for i in range(n)]
    for group in reversed(network.order):
        at: I64 | None = None
        for i in group:
            task = network.project.tasks[i]
            by_finish = end
            if deadlines and task.hard and task.deadline is not None:
                by_finish = np.minimum(by_finish, np.maximum(task.deadline, finish[i]))
            by_start = np.full(len(end), FAR, np.int64)
            for arc in network.out_of[i]:
                if any(arc.after == one for one in group):
                    continue
                to = late_start if arc.kind in ("FS", "SS") else late_finish
                bound = to[arc.after] - arc.lag
                if arc.kind in ("FS", "FF"):
                    by_finish = np.minimum(by_finish, bound)
                else:
                    by_start = np.minimum(by_start, bound)
            mine = _last_start(network.worktimes[i].slots, by_start, by_finish, durations[i])
            at = mine if at is None else np.minimum(at, mine)
        assert at is not None
        for i in group:
            at = _snapped_back(network.worktimes[i].slots, at, durations[i])
        for i in group:
            if network.project.tasks[i].status == "done":
                continue
            # never before the date it has: an order that holds it there is not ours to break
            late_start[i] = np.maximum(at, start[i])
            late_finish[i] = _finish(network.worktimes[i].slots, late_start[i], durations[i])
    return late_start


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
    return last


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
