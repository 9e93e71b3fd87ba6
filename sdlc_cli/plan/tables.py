"""The arrays of an Instance; slots are divided by their greatest common divisor."""

from collections.abc import Iterable, Sequence
from fractions import Fraction
from math import ceil, gcd

import numpy as np

from sdlc_cli.plan import staffing
from sdlc_cli.plan.instance import I64, MICRO, NEVER, Instance
from sdlc_cli.plan.mates import Link
from sdlc_cli.plan.model import Project
from sdlc_cli.plan.rows import Row, Rows
from sdlc_cli.plan.span import Span


def tables(
    project: Project,
    links: Sequence[Link],
    group: Sequence[int],
    order: Sequence[int],
    ways: Rows,
    span: Span,
) -> Instance:
    """The Instance of a project."""
    rows, slots, facts = ways.all, span.slots, span.facts
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
        rate = staffing.hourly(project, row.held)
        if rate or mode.cost_usd:
            cost[i] = ceil((Fraction(mode.cost_usd) + rate * worked * hour) * MICRO)
        for name, amount in mode.uses:
            use[i, consumables[name]] += amount
    if project.budget_usd is not None:
        use[:, -1] = cost
    budget = [c.capacity for c in project.consumables]
    if project.budget_usd is not None:
        budget.append(int(project.budget_usd * MICRO))
    late = [
        0 if t.hard else ceil(Fraction(t.late_usd_per_hour) * hour * scale * MICRO) for t in tasks
    ]
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
        late_cost=np.array(late, dtype=np.int64),
        fixed_start=np.array([-1 if s < 0 else s // scale for s, _ in facts], dtype=np.int64),
        fixed_finish=np.array([-1 if f < 0 else f // scale for _, f in facts], dtype=np.int64),
        group=np.array(group, dtype=np.int32),
        mate=_mates(n, rows, span.mates),
        order=np.array(order, dtype=np.int32),
        horizon=-(-span.horizon // scale),
        unit_seconds=project.unit_seconds * scale,
        scale=scale,
        latest=NEVER if project.deadline is None else project.deadline // scale,
    )


def _mates(n: int, rows: Sequence[Row], chosen: Sequence[Row]) -> np.ndarray:
    mate = np.full(n, -1, dtype=np.int32)
    number = {id(row): i for i, row in enumerate(rows)}
    for row in chosen:
        mate[row.task] = number[id(row)]
    return mate


def _scale(
    project: Project,
    links: Iterable[Link],
    rows: Iterable[Row],
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


def _linked(n: int, links: Sequence[Link], scale: int) -> dict[str, np.ndarray]:
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
