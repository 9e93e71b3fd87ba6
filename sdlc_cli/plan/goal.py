"""What an objective weighs: one number for each schedule, the smaller the better.

The number is linear in what a schedule amounts to. Misses of hard limits come first, whatever the
objective: a plan that keeps them is better than any that does not.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from sdlc_cli.plan.instance import F64, MICRO, NEVER, Instance
from sdlc_cli.plan.model import Objective, Weights

MAKESPAN: Final = 0
TARDINESS: Final = 1
COST: Final = 2
QUALITY: Final = 3
MISS: Final = 1e15
"""What one unit of a missed limit weighs: more than any schedule without."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Goal:
    """The weight of a slot of makespan, of tardiness, of a micro-dollar, of a point of quality."""

    objective: Objective
    weights: tuple[float, float, float, float]
    latest: int = NEVER  # a hard deadline of the whole project

    def array(self) -> F64:
        """The weights, for kernels."""
        return np.array(self.weights, dtype=np.float64)


def goal(
    instance: Instance, objective: Objective = "makespan", weights: Weights | None = None
) -> Goal:
    """The weights of `objective`, those that only break ties included.

    A tie-break is worth less than the smallest step of the objective, taken together.
    """
    w = weights or Weights()
    slots = 1.0 / max(1, instance.horizon)
    dollars = 1.0 / max(1.0, _dearest(instance))
    if objective == "makespan":
        values = (1.0, 0.0, 0.5 * dollars, 0.0)
    elif objective == "tardiness":
        values = (0.5 * slots, 1.0, 0.0, 0.0)
    elif objective == "cost":
        values = (0.5 * slots, 0.0, 1.0, 0.0)
    elif objective == "quality":
        values = (1e-3 * slots, 0.0, 1e-3 * dollars, 1.0)
    else:
        day = 86400 / instance.unit_seconds
        values = (w.makespan / day, w.tardiness / day, w.cost / MICRO, w.quality)
    return Goal(objective=objective, weights=values, latest=instance.latest)


def _dearest(instance: Instance) -> float:
    """What no plan costs more than, in micro-dollars, late work left aside."""
    if not len(instance.mode_cost):
        return 0.0
    return float(np.maximum.reduceat(instance.mode_cost, instance.mode_ptr[:-1]).sum())


def value(
    goal: Goal, instance: Instance, start: np.ndarray, finish: np.ndarray, mode: np.ndarray
) -> tuple[float, float]:
    """(misses, objective) of a schedule, reckoned from its arrays alone."""
    late = np.maximum(0, finish - instance.deadline)
    misses = float(late[instance.hard].sum())
    makespan = int(finish.max()) if len(finish) else 0
    misses += max(0, makespan - goal.latest)
    used = instance.mode_use[mode].sum(axis=0)
    over = np.maximum(0, used - instance.budget) / np.maximum(1, instance.budget)
    misses += float(over.sum())
    cost = int(instance.mode_cost[mode].sum() + (late * instance.late_cost).sum())
    w = goal.weights
    amount = (
        w[MAKESPAN] * makespan
        + w[TARDINESS] * float((late * instance.priority).sum())
        + w[COST] * cost
        - w[QUALITY] * float(instance.mode_quality[mode].sum())
    )
    return misses, amount
