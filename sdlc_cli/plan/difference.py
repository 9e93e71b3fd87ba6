"""Two plans side by side: what moved, what is done by others, what came and went."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from pathlib import Path

import msgspec

from sdlc_cli.core.errors import ConfigError
from sdlc_cli.core.i18n import msg
from sdlc_cli.core.regular import read_regular
from sdlc_cli.plan.model import Placement, Project, Schedule

_LIMIT = 256 * 2**20


class _OldTask(msgspec.Struct, kw_only=True, frozen=True):
    id: str
    start_time: datetime
    finish_time: datetime
    mode: str | None = None
    resources: dict[str, int] = {}


class _OldPlan(msgspec.Struct, kw_only=True, frozen=True):
    schema_version: int
    tasks: tuple[_OldTask, ...]
    makespan: int
    finish_time: datetime
    cost_usd: str
    quality: float
    feasible: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A plan as it is compared: in slots of the project that it is compared in."""

    tasks: Mapping[str, Placement]
    modes: Mapping[str, str]  # task -> its mode's id
    makespan: int
    cost_usd: Decimal
    quality: float
    feasible: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A task that is in both plans, and differs."""

    task: str
    start: tuple[int, int]
    finish: tuple[int, int]
    mode: tuple[str, str]
    gained: tuple[str, ...]  # what it holds now and did not
    lost: tuple[str, ...]

    @property
    def moved(self) -> int:
        """By how many slots it starts later."""
        return self.start[1] - self.start[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """From `old` to `new`."""

    old: Plan
    new: Plan
    changed: tuple[Change, ...]
    added: tuple[str, ...]
    removed: tuple[str, ...]
    same: int


def plan_of(project: Project, schedule: Schedule) -> Plan:
    """A schedule as it is compared."""
    return Plan(
        tasks={placed.task: placed for placed in schedule.placements},
        modes={
            task.id: task.modes[placed.mode].id
            for task, placed in zip(project.tasks, schedule.placements, strict=True)
        },
        makespan=schedule.makespan,
        cost_usd=schedule.cost_usd,
        quality=schedule.quality,
        feasible=schedule.feasible,
    )


def read(path: Path, project: Project) -> Plan:
    """The plan in a JSON result of `sdlc plan`, in slots of `project`. Raises ConfigError."""
    try:
        data = read_regular(path, _LIMIT)
    except OSError as error:
        raise ConfigError(
            msg("{path}: {why}", path=str(path), why=error.strerror or str(error)),
            hint=msg("name a file that `sdlc plan --format json` wrote"),
        ) from None
    if data is None:
        raise ConfigError(
            msg("{path}: {why}", path=str(path), why=msg("is not a regular file")),
            hint=msg("name a file that `sdlc plan --format json` wrote"),
        )
    try:
        old = msgspec.json.decode(data, type=_OldPlan)
        if any(moment.tzinfo is None for task in old.tasks for moment in _moments(task)):
            raise msgspec.ValidationError("a time without its offset")
        cost = Decimal(old.cost_usd)
        if not cost.is_finite():
            raise msgspec.ValidationError("cost_usd is no amount")
    except (msgspec.DecodeError, UnicodeDecodeError, ArithmeticError) as error:
        raise ConfigError(
            msg("{path}: this is no plan: {why}", path=str(path), why=str(error)),
            hint=msg("name a file that `sdlc plan --format json` wrote"),
        ) from None
    return Plan(
        tasks={
            task.id: Placement(
                task=task.id,
                start=_slot(task.start_time, project),
                finish=_slot(task.finish_time, project),
                resources=tuple(sorted(task.resources.items())),
            )
            for task in old.tasks
        },
        modes={task.id: task.mode or "" for task in old.tasks},
        makespan=_slot(old.finish_time, project),
        cost_usd=cost,
        quality=old.quality,
        feasible=old.feasible,
    )


def _moments(task: _OldTask) -> tuple[datetime, datetime]:
    return task.start_time, task.finish_time


def _slot(moment: datetime, project: Project) -> int:
    """The slot of the project nearest to a moment: the old plan may have had another start."""
    return round((moment - project.start).total_seconds() / project.unit_seconds)


def compare(old: Plan, new: Plan) -> Difference:
    """What differs, by how far tasks moved."""
    changes: list[Change] = []
    same = 0
    for name, now in new.tasks.items():
        before = old.tasks.get(name)
        if before is None:
            continue
        had, has = set(before.resources), set(now.resources)
        mode = (old.modes.get(name, ""), new.modes.get(name, ""))
        if (before.start, before.finish, had, mode[0]) == (now.start, now.finish, has, mode[1]):
            same += 1
            continue
        changes.append(
            Change(
                task=name,
                start=(before.start, now.start),
                finish=(before.finish, now.finish),
                mode=mode,
                gained=tuple(sorted({one for one, _n in has} - {one for one, _n in had})),
                lost=tuple(sorted({one for one, _n in had} - {one for one, _n in has})),
            )
        )
    changes.sort(key=lambda c: (-abs(c.moved), -abs(c.finish[1] - c.finish[0])))
    return Difference(
        old=old,
        new=new,
        changed=tuple(changes),
        added=tuple(name for name in new.tasks if name not in old.tasks),
        removed=tuple(name for name in old.tasks if name not in new.tasks),
        same=same,
    )


def kept(old: Plan, project: Project) -> Schedule:
    """The old plan for those tasks that there still are in their modes, to begin a search from."""
    placements: list[Placement] = []
    for task in project.tasks:
        before = old.tasks.get(task.id)
        modes = [mode.id for mode in task.modes]
        name = old.modes.get(task.id, "")
        if before is not None and (name in modes or len(modes) == 1):
            mode = modes.index(name) if name in modes else 0
            placements.append(replace(before, mode=mode))
    return Schedule(placements=tuple(placements), makespan=old.makespan)
