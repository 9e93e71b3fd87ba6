"""What an objective weighs: two numbers for each schedule, the smaller the better.

The first are the misses of hard limits, whatever the objective: a plan that keeps them is better
than any that does not. The second, linear in what a schedule amounts to, counts among equals.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from sdlc_cli.plan.effort import Found
from sdlc_cli.plan.instance import F64, MICRO, NEVER, Instance
from sdlc_cli.plan.model import Objective, Weights

MAKESPAN: Final = 0
TARDINESS: Final = 1
COST: Final = 2
QUALITY: Final = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Goal:
    """The weight of a slot of makespan, of tardiness, of a micro-dollar, of a point of quality."""

    objective: Objective
    weights: tuple[float, float, float, float]
    latest: int = NEVER  # a hard deadline of the whole project
    moved: float = 0.0  # the weight of a slot between a start and that of the plan to keep
    changed: float = 0.0  # the weight of a task done in another way, or by others

    def array(self) -> F64:
        """The weights, for kernels."""
        return np.array([*self.weights, self.moved, self.changed], dtype=np.float64)

    @property
    def only_makespan(self) -> bool:
        """Whether nothing is better than a makespan that meets its bound."""
        return self.objective == "makespan" and not self.moved and not self.changed

    @property
    def nothing(self) -> bool:
        """Whether every plan that keeps the limits is as good as any other."""
        return not (any(self.weights) or self.moved or self.changed)


def goal(
    instance: Instance,
    objective: Objective = "makespan",
    weights: Weights | None = None,
    stability: float = 0.0,
) -> Goal:
    """The weights of `objective`, those that only break ties included.

    A tie-break is worth less than the smallest step of the objective, taken together. With a
    `stability` of 1, a slot by which every task is moved weighs as much as a slot of
    makespan, and a task that changes hands as much as one that is moved by a day.
    """
    w = weights or Weights()
    slots = 1.0 / max(1, instance.horizon)
    dollars = 1.0 / max(1.0, _dearest(instance))
    day = 86400 / instance.unit_seconds
    if objective == "makespan":
        values = (1.0, 0.0, 0.5 * dollars, 0.0)
    elif objective == "tardiness":
        values = (0.5 * slots, 1.0, 0.0, 0.0)
    elif objective == "cost":
        values = (0.5 * slots, 0.0, 1.0, 0.0)
    elif objective == "quality":
        values = (1e-3 * slots, 0.0, 1e-3 * dollars, 1.0)
    else:
        values = (w.makespan / day, w.tardiness / day, w.cost / MICRO, w.quality)
    step = {"cost": MICRO, "quality": 0.01, "balanced": w.makespan / day}.get(objective, 1.0)
    moved = stability * step / max(1, instance.n)
    return Goal(
        objective=objective,
        weights=values,
        latest=instance.latest,
        moved=moved,
        changed=moved * day,
    )


def _dearest(instance: Instance) -> float:
    """What no plan costs more than, in micro-dollars, late work left aside."""
    if not len(instance.mode_cost):
        return 0.0
    return float(np.maximum.reduceat(instance.mode_cost, instance.mode_ptr[:-1]).sum())


def value(goal: Goal, instance: Instance, found: Found) -> tuple[float, float]:
    """(misses, objective) of a plan, reckoned from its arrays alone."""
    late = np.maximum(0, found.finish - instance.deadline)
    misses = float(late[instance.hard].sum()) + max(0, found.makespan - goal.latest)
    used = instance.mode_use[found.mode].sum(axis=0)
    over = np.maximum(0, used - instance.budget) / np.maximum(1, instance.budget)
    misses += float(over.sum())
    cost = int(instance.mode_cost[found.mode].sum() + (late * instance.late_cost).sum())
    w = goal.weights
    amount = (
        w[MAKESPAN] * found.makespan
        + w[TARDINESS] * float((late * instance.priority).sum())
        + w[COST] * cost
        - w[QUALITY] * float(instance.mode_quality[found.mode].sum())
    )
    return misses, amount
