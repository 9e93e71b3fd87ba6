"""Turns a Project into the arrays that searches work on; refuses what can never be."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from math import ceil, gcd

import numpy as np

from sdlc_cli.core.errors import ConfigError
from sdlc_cli.core.i18n import msg
from sdlc_cli.plan import staffing
from sdlc_cli.plan.calendars import meet, open_slots
from sdlc_cli.plan.instance import I64, KINDS, MICRO, NEVER, Instance
from sdlc_cli.plan.model import Calendar, Project, Task

_MOST_SLOTS = 2**23
_FARTHEST = 20 * 365 * 86400
"""Farther ahead than so many slots or seconds no calendar is looked at."""


class PlanError(ConfigError):
    """A project that no plan can fulfil, whatever the search."""


@dataclass(slots=True)
class _Row:
    """One mode with one staffing."""

    task: int
    base: int
    duration: int
    held: tuple[tuple[int, int], ...]
    calendars: tuple[Calendar, ...]
    calendar: int = 0


def compile_(project: Project) -> Instance:
    """The arrays of `project`.

    Raises PlanError, with all that is wrong, when a task fits no capacity or no open hours in any
    of its modes, and when links and groups contradict each other.
    """
    index = {task.id: j for j, task in enumerate(project.tasks)}
    links = [
        (index[link.task], j, KINDS[link.kind], link.lag)
        for j, task in enumerate(project.tasks)
        for link in task.after
    ]
    group = _groups(project, index)
    order = _order(project, links, group)
    rows = _rows(project)
    slots, facts, horizon = _time(project, links, order, rows)
    return _scaled(project, links, group, order, rows, slots, facts, horizon)


def _groups(project: Project, index: dict[str, int]) -> list[int]:
    """A number for all tasks that start together. What is done or running binds nobody."""
    parent = list(range(len(project.tasks)))

    def root(j: int) -> int:
        while parent[j] != j:
            parent[j] = parent[parent[j]]
            j = parent[j]
        return j

    for ids in project.together:
        free = [index[i] for i in ids if project.tasks[index[i]].status == "todo"]
        for a, b in pairwise(free):
            parent[root(a)] = root(b)
    members: dict[int, list[int]] = {}
    for j in range(len(parent)):
        members.setdefault(root(j), []).append(j)
    group = [-1] * len(parent)
    joined = (tasks for tasks in members.values() if len(tasks) > 1)
    for number, tasks in enumerate(joined):
        for j in tasks:
            group[j] = number
    return group


def _order(
    project: Project, links: Sequence[tuple[int, int, int, int]], group: list[int]
) -> list[int]:
    """A topological order in which the tasks of a group stand side by side."""
    n = len(project.tasks)
    unit = [n + g if g >= 0 else j for j, g in enumerate(group)]
    members: dict[int, list[int]] = {}
    for j in range(n):
        members.setdefault(unit[j], []).append(j)
    fact = [task.status != "todo" for task in project.tasks]
    after: dict[int, set[int]] = {u: set() for u in members}
    waits = dict.fromkeys(members, 0)
    for a, b, kind, lag in links:
        if fact[b]:
            continue
        if unit[a] == unit[b]:
            if kind != KINDS["SS"] or lag > 0:
                raise PlanError(
                    msg(
                        "{a} and {b} are to start together, and {b} is to come after {a}",
                        a=project.tasks[a].id,
                        b=project.tasks[b].id,
                    )
                )
        elif unit[b] not in after[unit[a]]:
            after[unit[a]].add(unit[b])
            waits[unit[b]] += 1
    ready = [u for u, count in waits.items() if not count]
    ready.sort(reverse=True)
    order: list[int] = []
    while ready:
        u = ready.pop()
        order += members[u]
        for v in sorted(after[u], reverse=True):
            waits[v] -= 1
            if not waits[v]:
                ready.append(v)
    if len(order) < n:
        stuck = sorted(project.tasks[members[u][0]].id for u, count in waits.items() if count)
        raise PlanError(
            msg("what starts together and what comes after what is a circle: {ids}",
                ids=", ".join(stuck[:10]))
        )  # fmt: skip
    return order


def _rows(project: Project) -> list[_Row]:
    resources = {r.id: i for i, r in enumerate(project.resources)}
    rows: list[_Row] = []
    problems: list[str] = []
    for j, task in enumerate(project.tasks):
        found = (
            [_fact(project, task, resources)]
            if task.status != "todo"
            else [
                (base, way)
                for base, mode in enumerate(task.modes)
                for way in staffing.ways(project, mode, resources)
            ]
        )
        if not found:
            problems.append(_unstaffed(project, task))
        for base, way in found:
            calendars = _calendars(project, task, way)
            rows.append(_Row(j, base, way.duration, way.held, calendars))
    if problems:
        raise PlanError(problems[0], problems=problems)
    return rows


def _unstaffed(project: Project, task: Task) -> str:
    """Why no mode of `task` can be done by anybody."""
    for mode in task.modes:
        amounts: dict[str, int] = {}
        for need in mode.needs:
            amounts[need.id] = amounts.get(need.id, 0) + need.amount
        for need in mode.needs:
            amount = amounts[need.id]
            if need.kind == "skill":
                able = sum(r.person and need.id in r.skills for r in project.resources)
                if able < amount:
                    return msg(
                        "{task}: needs {amount} people with {skill}, and there are {able}",
                        task=task.id, amount=amount, skill=need.id, able=able,
                    )  # fmt: skip
            else:
                capacity = next(r.capacity for r in project.resources if r.id == need.id)
                if capacity < amount:
                    return msg(
                        "{task}: needs {amount} of {resource}, and there are {capacity}",
                        task=task.id, amount=amount, resource=need.id, capacity=capacity,
                    )  # fmt: skip
    return msg("{task}: there are not enough different people for any of its modes", task=task.id)


def _fact(project: Project, task: Task, resources: dict[str, int]) -> tuple[int, staffing.Staffing]:
    """How a running or done task is done: as it says, else in its first mode that has people."""
    bases = [task.mode] if task.mode is not None else range(len(task.modes))
    for base in bases:
        mode = task.modes[base]
        if not task.people:
            for way in staffing.ways(project, mode, resources)[:1]:
                return base, way
    base = bases[0]
    mode = task.modes[base]
    units = staffing.units_of(project, mode, resources)
    team = [resources[p] for p in task.people]
    return base, staffing.staff(project, mode.duration, team, units)


def _calendars(project: Project, task: Task, way: staffing.Staffing) -> tuple[Calendar, ...]:
    if way.duration == 0 and task.status == "todo":
        return ()
    if task.calendar is not None:
        return meet([task.calendar])
    if not way.held:
        return meet([project.calendar])
    return meet(project.resources[r].calendar for r, _ in way.held)


def _time(
    project: Project,
    links: Sequence[tuple[int, int, int, int]],
    order: Sequence[int],
    rows: list[_Row],
) -> tuple[list[I64], list[tuple[int, int]], int]:
    """Open slots of each calendar, facts as (start, finish), and a horizon; rows are numbered.

    The horizon is where a plan ends that does one task after the other in its slowest way.
    """
    numbers: dict[tuple[Calendar, ...], int] = {(): 0}
    for row in rows:
        row.calendar = numbers.setdefault(row.calendars, len(numbers))
    wait = [0] * len(project.tasks)
    for _, b, _, lag in links:
        wait[b] = max(wait[b], lag)
    of_task: list[list[_Row]] = [[] for _ in project.tasks]
    for row in rows:
        of_task[row.task].append(row)
    longest = sum(max(row.duration for row in own) for own in of_task)
    begin = max([project.now, *(max(t.release, t.started or 0, t.finished or 0)
                                for t in project.tasks)])  # fmt: skip
    reach = begin + longest + sum(wait)
    slots: list[I64] = [np.empty(0, dtype=np.int64)]
    if len(numbers) > 1:
        reach = max(1024, 4 * reach)
    most = max(reach, min(_MOST_SLOTS, _FARTHEST // project.unit_seconds))
    while True:
        reach = min(reach, most)
        slots[1:] = [open_slots(project, c, reach) for c in list(numbers)[1:]]
        facts = [_moments(project, task, of_task[j][0], slots, reach)
                 for j, task in enumerate(project.tasks)]  # fmt: skip
        after = max([begin, *(finish for _, finish in facts)])
        end, stuck = _serial(project, order, of_task, wait, slots, after, reach)
        if stuck < 0:
            return [s[: np.searchsorted(s, end)] for s in slots], facts, end
        if reach >= most:
            task = project.tasks[stuck]
            raise PlanError(
                msg("{task}: those it needs are never at work together for long enough",
                    task=task.id)
            )  # fmt: skip
        reach *= 4


def _serial(
    project: Project,
    order: Sequence[int],
    of_task: Sequence[Sequence[_Row]],
    wait: Sequence[int],
    slots: Sequence[I64],
    begin: int,
    reach: int,
) -> tuple[int, int]:
    """(the end of one task after the other, the task that does not fit or -1)."""
    end = begin
    for j in order:
        if project.tasks[j].status != "todo":
            continue
        at = end + wait[j]
        slowest = -1
        for row in of_task[j]:
            finish = _finish(slots[row.calendar], row, at, reach)
            slowest = max(slowest, finish)
            if finish < 0 and all(len(slots[r.calendar]) < r.duration for r in of_task[j]):
                return end, j
            if finish < 0 and len(slots[row.calendar]) >= row.duration:
                return end, j
        if slowest < 0:
            return end, j
        end = max(end, slowest)
    return end, -1


def _finish(slots: I64, row: _Row, at: int, reach: int) -> int:
    """Where `row` ends when begun at `at` or soon after; -1: beyond what is looked at."""
    if row.calendar == 0 or row.duration == 0:
        return at + row.duration
    last = int(np.searchsorted(slots, at)) + row.duration - 1
    return int(slots[last]) + 1 if last < len(slots) else -1


def _moments(
    project: Project, task: Task, row: _Row, slots: Sequence[I64], reach: int
) -> tuple[int, int]:
    """Start and finish of a fact; (-1, -1) for what is to be planned."""
    if task.status == "todo" or task.started is None:
        return -1, -1
    if task.finished is not None and task.status == "done":
        return task.started, task.finished
    finish = _finish(slots[row.calendar], row, task.started, reach)
    return task.started, max(finish if finish >= 0 else reach, project.now)


def _scaled(
    project: Project,
    links: Sequence[tuple[int, int, int, int]],
    group: Sequence[int],
    order: Sequence[int],
    rows: list[_Row],
    slots: list[I64],
    facts: Sequence[tuple[int, int]],
    horizon: int,
) -> Instance:
    tasks = project.tasks
    release = [max(t.release, project.now) for t in tasks]
    scale = _scale(project, links, rows, slots, facts, release)
    n, r = len(tasks), len(project.resources)
    consumables = {c.id: i for i, c in enumerate(project.consumables)}
    k = len(consumables) + (project.budget_usd is not None)
    demand = np.zeros((len(rows), r), dtype=np.int64)
    use = np.zeros((len(rows), k), dtype=np.int64)
    cost = np.zeros(len(rows), dtype=np.int64)
    hour = Fraction(project.unit_seconds, 3600)
    for i, row in enumerate(rows):
        for resource, amount in row.held:
            demand[i, resource] = amount
        mode = tasks[row.task].modes[row.base]
        worked = row.duration
        if facts[row.task][0] >= 0:
            worked = _worked(slots[row.calendar], row.calendar, *facts[row.task])
        dollars = Fraction(mode.cost_usd)
        dollars += staffing.hourly(project, row.held) * worked * hour
        cost[i] = ceil(dollars * MICRO)
        for name, amount in mode.uses:
            use[i, consumables[name]] += amount
    if project.budget_usd is not None:
        use[:, -1] = cost
    budget = [c.capacity for c in project.consumables]
    if project.budget_usd is not None:
        budget.append(int(project.budget_usd * MICRO))
    late = [Fraction(t.late_usd_per_hour) * hour * scale * MICRO * (not t.hard) for t in tasks]
    slots = [s[s % scale == 0] // scale for s in slots]
    return Instance(
        tasks=tuple(t.id for t in tasks),
        resources=tuple(resource.id for resource in project.resources),
        **_linked(n, links, scale),
        mode_ptr=_pointers(n, [row.task for row in rows]),
        mode_base=np.array([row.base for row in rows], dtype=np.int32),
        mode_duration=np.array([row.duration // scale for row in rows], dtype=np.int64),
        mode_calendar=np.array([row.calendar for row in rows], dtype=np.int32),
        mode_demand=demand,
        mode_use=use,
        mode_cost=cost,
        mode_quality=np.array([tasks[row.task].modes[row.base].quality for row in rows], float),
        capacity=np.array([resource.capacity for resource in project.resources], dtype=np.int64),
        budget=np.array(budget, dtype=np.int64),
        open_ptr=np.cumsum([0, *map(len, slots)], dtype=np.int64),
        open_slots=np.concatenate(slots),
        release=np.array(release, dtype=np.int64) // scale,
        deadline=np.array(
            [NEVER if t.deadline is None else t.deadline // scale for t in tasks], dtype=np.int64
        ),
        hard=np.array([t.hard for t in tasks], dtype=np.bool_),
        priority=np.array([t.priority for t in tasks], dtype=np.int64),
        late_cost=np.array([ceil(amount) for amount in late], dtype=np.int64),
        fixed_start=np.array([-1 if s < 0 else s // scale for s, _ in facts], dtype=np.int64),
        fixed_finish=np.array([-1 if f < 0 else f // scale for _, f in facts], dtype=np.int64),
        group=np.array(group, dtype=np.int32),
        order=np.array(order, dtype=np.int32),
        horizon=-(-horizon // scale),
        unit_seconds=project.unit_seconds * scale,
        scale=scale,
        latest=NEVER if project.deadline is None else project.deadline // scale,
    )


def _scale(
    project: Project,
    links: Iterable[tuple[int, int, int, int]],
    rows: Iterable[_Row],
    slots: Sequence[I64],
    facts: Iterable[tuple[int, int]],
    release: Iterable[int],
) -> int:
    """How many slots can be one: all that plans are made of is a multiple of it."""
    numbers = {row.duration for row in rows} | {lag for *_, lag in links} | set(release)
    numbers |= {moment for fact in facts if fact[0] >= 0 for moment in fact}
    numbers |= {t.deadline for t in project.tasks if t.deadline is not None}
    numbers |= {0 if project.deadline is None else project.deadline}
    common = gcd(*numbers)
    for s in slots:
        if len(s) and common != 1:
            breaks = np.flatnonzero(np.diff(s) != 1)
            edges = np.concatenate(([s[0]], s[breaks] + 1, s[breaks + 1]))
            common = gcd(common, *np.unique(edges).tolist())
    return max(1, common)


def _worked(slots: I64, calendar: int, start: int, finish: int) -> int:
    if calendar == 0:
        return finish - start
    return int(np.searchsorted(slots, finish) - np.searchsorted(slots, start))


def _pointers(n: int, owners: Sequence[int] | I64) -> np.ndarray:
    counts = np.bincount(np.array(owners, dtype=np.int64), minlength=n)
    return np.concatenate(([0], np.cumsum(counts))).astype(np.int32)


def _linked(
    n: int, links: Sequence[tuple[int, int, int, int]], scale: int
) -> dict[str, np.ndarray]:
    """The links as seen from both ends."""
    table = np.array(links, dtype=np.int64).reshape(-1, 4)
    arrays: dict[str, np.ndarray] = {}
    for name, own, other in (("pred", 1, 0), ("succ", 0, 1)):
        sorted_ = table[np.argsort(table[:, own], kind="stable")]
        arrays[f"{name}_ptr"] = _pointers(n, sorted_[:, own])
        arrays[f"{name}_task"] = sorted_[:, other].astype(np.int32)
        arrays[f"{name}_kind"] = sorted_[:, 2].astype(np.int32)
        arrays[f"{name}_lag"] = sorted_[:, 3] // scale
    return arrays
