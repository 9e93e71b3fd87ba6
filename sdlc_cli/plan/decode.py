"""Turns what a search found back into words of the project: who does what, from when to when."""

from decimal import Decimal

import numpy as np

from sdlc_cli.plan.effort import Found
from sdlc_cli.plan.goal import Goal, value
from sdlc_cli.plan.instance import MICRO, Instance
from sdlc_cli.plan.model import Placement, Project, Schedule


def schedule(
    project: Project,
    instance: Instance,
    found: Found,
    goal: Goal,
    *,
    lower_bound: int = 0,
    seed: int = 0,
    seconds: float = 0.0,
    engine: str = "",
) -> Schedule:
    """The plan that `found` stands for, with all that it amounts to."""
    scale = instance.scale
    late = (found.finish - instance.deadline).clip(min=0)
    misses, _ = value(goal, instance, found)
    micro = int(instance.mode_cost[found.mode].sum() + (late * instance.late_cost).sum())
    placements = tuple(
        Placement(
            task=task.id,
            start=int(found.start[j]) * scale,
            finish=int(found.finish[j]) * scale,
            mode=int(instance.mode_base[found.mode[j]]),
            resources=_held(instance, int(found.mode[j])),
        )
        for j, task in enumerate(project.tasks)
    )
    return Schedule(
        placements=placements,
        makespan=found.makespan * scale,
        cost_usd=Decimal(micro) / MICRO,
        quality=float(instance.mode_quality[found.mode].sum()),
        tardiness=int((late * instance.priority).sum()) * scale,
        feasible=misses == 0,
        lower_bound=lower_bound * scale,
        proved_optimal=found.proved,
        objective=goal.objective,
        seed=seed,
        schedules_evaluated=found.schedules,
        search_seconds=seconds,
        engine=engine,
    )


def _held(instance: Instance, mode: int) -> tuple[tuple[str, int], ...]:
    demand = instance.mode_demand[mode]
    return tuple((instance.resources[r], int(demand[r])) for r in demand.nonzero()[0])


def encoded(project: Project, instance: Instance, plan: Schedule) -> Found:
    """An older plan of a project like this one; -1 where it says nothing that still can be."""
    places = {place.task: place for place in plan.placements}
    start = np.full(instance.n, -1, dtype=np.int64)
    finish = np.full(instance.n, -1, dtype=np.int64)
    mode = np.full(instance.n, -1, dtype=np.int32)
    for j, task in enumerate(project.tasks):
        place = places.get(task.id)
        if place is None or place.start // instance.scale >= instance.horizon:
            continue
        start[j] = place.start // instance.scale
        finish[j] = place.finish // instance.scale
        held = dict(place.resources)
        for row in range(instance.mode_ptr[j], instance.mode_ptr[j + 1]):
            if instance.mode_base[row] == place.mode and dict(_held(instance, row)) == held:
                mode[j] = row
    return Found(start=start, finish=finish, mode=mode)
