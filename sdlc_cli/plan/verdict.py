"""What a plan misses of what was asked: deadlines, the budget, what may be used up; by how much."""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from sdlc_cli.plan.model import Placement, Project, Schedule, Task

MissKind = Literal["deadline", "project deadline", "late", "budget", "consumable"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Miss:
    """One thing that a plan misses, by `by`: slots, dollars or units, as its kind has them.

    `late` is a deadline that may be missed at a price: told, but no reason to fail.
    """

    kind: MissKind
    name: str = ""  # the task or the consumable
    limit: Decimal
    got: Decimal

    @property
    def by(self) -> Decimal:
        """How far beyond the limit."""
        return self.got - self.limit

    @property
    def fails(self) -> bool:
        """True where nothing may be missed."""
        return self.kind != "late"


def misses(project: Project, schedule: Schedule) -> tuple[Miss, ...]:
    """All that the plan misses, what fails first and the worst of each kind first."""
    order = ("project deadline", "deadline", "budget", "consumable", "late")
    found = _misses(project, schedule)
    return tuple(sorted(found, key=lambda one: (order.index(one.kind), -one.by, one.name)))


def penalties(project: Project, schedule: Schedule) -> Decimal:
    """What the plan pays for being late, in dollars: in its cost, but not in its budget."""
    pairs = zip(project.tasks, schedule.placements, strict=True)
    return sum((penalty(project, *pair) for pair in pairs), Decimal(0))


def penalty(project: Project, task: Task, placed: Placement) -> Decimal:
    """What one task pays for being late, in dollars."""
    if task.deadline is None or task.hard:
        return Decimal(0)
    hours = Decimal(max(0, placed.finish - task.deadline) * project.unit_seconds) / 3600
    return task.late_usd_per_hour * hours


def _misses(project: Project, schedule: Schedule) -> Iterator[Miss]:
    if project.deadline is not None and schedule.makespan > project.deadline:
        yield Miss(
            kind="project deadline",
            limit=Decimal(project.deadline),
            got=Decimal(schedule.makespan),
        )
    for task, placed in zip(project.tasks, schedule.placements, strict=True):
        if task.deadline is not None and placed.finish > task.deadline:
            yield Miss(
                kind="deadline" if task.hard else "late",
                name=task.id,
                limit=Decimal(task.deadline),
                got=Decimal(placed.finish),
            )
    spent = schedule.cost_usd - penalties(project, schedule)
    if project.budget_usd is not None and spent > project.budget_usd:
        yield Miss(kind="budget", limit=project.budget_usd, got=spent)
    used = dict.fromkeys((one.id for one in project.consumables), 0)
    for task, placed in zip(project.tasks, schedule.placements, strict=True):
        for name, amount in task.modes[placed.mode].uses:
            used[name] = used.get(name, 0) + amount
    for one in project.consumables:
        if used[one.id] > one.capacity:
            yield Miss(
                kind="consumable",
                name=one.id,
                limit=Decimal(one.capacity),
                got=Decimal(used[one.id]),
            )
