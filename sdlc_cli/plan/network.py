"""What every date of a plan hangs on: links and the order in which resources are handed on.

The order of a plan is kept: who does a task, in which mode, and which task takes over a person or
a unit from which. These hand-overs are arcs beside the links of the project (a resource flow;
Artigues et al. 2003, 149(2) EJOR): every set of dates that keeps all arcs keeps the capacities.
Only of a task that uses a unit in another's pause, as a night, arcs cannot say that: it keeps its
distance from that one's start, and other dates hold as long as the pause is still there.
"""

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from sdlc_cli.plan.model import LinkKind, Placement, Project, Schedule
from sdlc_cli.plan.worktime import Worktime, Worktimes

FAR = 2**40
_ROUNDS = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Arc:
    """`after` comes at least `lag` slots after `before`; both are places in the project's tasks."""

    before: int
    after: int
    kind: LinkKind = "FS"
    lag: int = 0
    why: Literal["link", "resource"] = "link"
    resource: str = ""


Bound = tuple[LinkKind, int, int]
"""An arc without its reason: its kind, its lag, the task at its other end."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Network:
    """A plan's tasks in an order in which every arc leads onward, groups as one.

    Only a hand-over against a link of another kind than FS, or with a lead, may lead back.
    """

    project: Project
    schedule: Schedule
    worktimes: tuple[Worktime, ...]
    arcs: tuple[Arc, ...]
    into: tuple[tuple[Arc, ...], ...]
    out_of: tuple[tuple[Arc, ...], ...]
    held_by: tuple[tuple[Bound, ...], ...]  # `into`, each bound once
    holding: tuple[tuple[Bound, ...], ...]  # `out_of`, as well
    order: tuple[tuple[int, ...], ...]  # groups of tasks that start together
    rounds: int  # walks after which the dates stand; 1 where no arc leads back
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
    arcs = [*links, *handed]
    order, kept = _ordered(len(placed), arcs, groups)
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
        held_by=tuple(
            tuple(dict.fromkeys((arc.kind, arc.lag, arc.before) for arc in own)) for own in into
        ),
        holding=tuple(
            tuple(dict.fromkeys((arc.kind, arc.lag, arc.after) for arc in own)) for own in out_of
        ),
        order=order,
        rounds=1 if kept == len(arcs) else _ROUNDS,
        duration=tuple(w.count(p.start, p.finish) for w, p in zip(worktimes, placed, strict=True)),
    )


def until(network: Network, end: int) -> Network:
    """The network with calendars up to `end`."""
    times = Worktimes(network.project, end)
    placed = network.schedule.placements
    return replace(network, worktimes=tuple(times.of(placement) for placement in placed))


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


_Run = tuple[int, int, int]
"""Units of a resource: until when they are held, by which task (-1: none), how many."""


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
        runs = [(-FAR, -1, resource.capacity)]
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
    choice = sorted(
        (free > start, task not in mine, free, task, units) for free, task, units in runs
    )
    arcs: list[Arc] = []
    left, taken = amount, 0
    runs.clear()
    for _, _, free, task, units in choice:
        if not left:
            break
        taken += 1
        got = min(left, units)
        left -= got
        if got < units:
            runs.append((free, task, units - got))
        last = finish, i
        if task >= 0 and free <= start:
            arcs.append(Arc(before=task, after=i, why="resource", resource=resource))
        elif task >= 0:  # in its pause
            lag = start - placed[task].start
            arcs.append(
                Arc(before=task, after=i, kind="SS", lag=lag, why="resource", resource=resource)
            )
            if free > finish:
                last = free, task
        runs.append((*last, got))
    runs += [run[2:] for run in choice[taken:]]
    return arcs


def _ordered(
    n: int, arcs: list[Arc], groups: list[tuple[int, ...]]
) -> tuple[tuple[tuple[int, ...], ...], int]:
    """The groups in an order of as many arcs as possible, and of how many."""
    group_of = [0] * n
    for g, members in enumerate(groups):
        for i in members:
            group_of[i] = g
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
            return tuple(groups[g] for g in order), len(arcs)
        stuck = {g for g in range(len(groups)) if waits[g]}
        kept = [
            arc
            for arc in arcs
            if arc.why == "link" or not {group_of[arc.before], group_of[arc.after]} <= stuck
        ]
        if len(kept) == len(arcs):
            raise ValueError("the links of the project form a cycle")
        arcs = kept
