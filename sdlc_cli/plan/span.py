"""How far into the future a project may reach, and what is open until then."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from sdlc_cli.core.i18n import Message, msg
from sdlc_cli.plan.calendars import Almanac
from sdlc_cli.plan.instance import I64, PlanError
from sdlc_cli.plan.mates import Group, Link, Starts
from sdlc_cli.plan.model import Project, Task
from sdlc_cli.plan.rows import Row, Rows

_YEAR = 365 * 86_400
_MOST_SLOTS = 2**23
_FARTHEST = 20 * _YEAR
"""Farther ahead than so many slots or seconds no calendar is looked at."""
_SURE = 3 * _YEAR
"""A calendar that was never open in so long after its last day off never will be."""


@dataclass(frozen=True, slots=True, eq=False)
class Span:
    """The open slots of each meeting of Rows; facts as (start, finish), (-1, -1) for no fact.

    The horizon is where a plan ends that does one task, or group, after the other in its slowest
    way. `mates` are rows in which the tasks of each group can start together.
    """

    slots: list[I64]
    facts: list[tuple[int, int]]
    horizon: int
    mates: list[Row]


def span(
    project: Project,
    links: Sequence[Link],
    group: Sequence[int],
    order: Sequence[int],
    rows: Rows,
) -> Span:
    """The span of a project. Raises PlanError for what never finds hours enough."""
    wait = [0] * len(project.tasks)
    for _, b, _, lag in links:
        wait[b] = max(wait[b], lag)
    units = [
        Group(project, tasks, links, rows) if len(tasks) > 1 else tasks[0]
        for tasks in _units(project, group, order)
    ]
    longest = sum(max(row.duration for row in own) for own in rows.of_task)
    begin = max([project.now, *(max(t.release, t.started or 0, t.finished or 0)
                                for t in project.tasks)])  # fmt: skip
    reach = begin + longest + sum(wait)
    if len(rows.meetings) > 1 or len(units) < len(order):
        reach = max(1024, 4 * reach)
    most = max(reach, min(_MOST_SLOTS, _FARTHEST // project.unit_seconds))
    while True:
        reach = min(reach, most)
        almanac = Almanac(project, reach)
        slots = [np.empty(0, dtype=np.int64), *map(almanac.slots, rows.meetings[1:])]
        facts = [
            _moments(project, task, own[0], slots, reach)
            for task, own in zip(project.tasks, rows.of_task, strict=True)
        ]
        after = max([begin, *(finish for _, finish in facts)])
        walk = _Walk(rows.of_task, wait, slots, reach)
        stuck = walk.through(units, after)
        if stuck is None:
            cut = [s[: np.searchsorted(s, walk.end)] for s in slots]
            return Span(cut, facts, walk.end, walk.mates)
        if reach >= most or _never(project, rows, stuck, slots, reach):
            raise PlanError(_too_long(project, rows, stuck, slots, most))
        reach *= 4


def _units(project: Project, group: Sequence[int], order: Sequence[int]) -> list[list[int]]:
    """What is to be planned in that order: groups, and tasks by themselves."""
    units: list[list[int]] = []
    for j in order:
        if project.tasks[j].status != "todo":
            continue
        if units and group[j] >= 0 and group[units[-1][0]] == group[j]:
            units[-1].append(j)
        else:
            units.append([j])
    return units


def _never(
    project: Project, rows: Rows, unit: Group | int, slots: Sequence[I64], reach: int
) -> bool:
    """Whether a task or group that found nothing open so far never will."""
    if isinstance(unit, Group):
        own = [row for way in unit.ways for row in way]
        if unit.starts(slots, reach):
            return False
    else:
        own = rows.of_task[unit]
        if any(len(slots[row.calendar]) for row in own):
            return False
    off = [
        day for row in own for calendar in rows.meetings[row.calendar] for day in calendar.days_off
    ]
    today = project.at(0).date()
    last = max(0, *((day - today).days for day in off)) if off else 0
    return reach * project.unit_seconds > last * 86_400 + _SURE


def _too_long(
    project: Project, rows: Rows, task: Group | int, slots: Sequence[I64], most: int
) -> Message:
    if isinstance(task, Group):
        if not task.starts(slots, most):
            return task.never(slots, most)
        return task.too_long(f"{project.at(most):%Y-%m-%d}")
    if not any(len(slots[row.calendar]) for row in rows.of_task[task]):
        return rows.apart(rows.of_task[task], unit=True)
    return msg(
        "{task}: those it needs are not at work together for long enough before {date}",
        task=project.tasks[task].id, date=f"{project.at(most):%Y-%m-%d}",
    )  # fmt: skip


class _Walk:
    """One task or group after the other, each in its slowest way."""

    def __init__(
        self,
        of_task: Sequence[Sequence[Row]],
        wait: Sequence[int],
        slots: Sequence[I64],
        reach: int,
    ) -> None:
        self.of_task, self.wait, self.slots, self.reach = of_task, wait, slots, reach
        self.end = 0
        self.mates: list[Row] = []

    def through(self, units: Iterable[Group | int], begin: int) -> Group | int | None:
        """Walk from `begin` to `end`; what does not fit before `reach`, or None."""
        self.end = begin
        for unit in units:
            fits = self._met(unit) if isinstance(unit, Group) else self._done(unit)
            if not fits:
                return unit
        return None

    def _met(self, group: Group) -> bool:
        at = self.end + max(self.wait[j] for j in group.tasks)
        ends = [(one, one.after(at)) for one in group.starts(self.slots, self.reach)]
        found: list[tuple[Starts, int]] = [(one, end) for one, end in ends if end >= 0]
        if not found:
            return False
        self.mates += min(found, key=lambda one: one[1])[0].rows
        self.end = max(self.end, *(end for _, end in found))
        return True

    def _done(self, task: int) -> bool:
        at = self.end + self.wait[task]
        own, slots = self.of_task[task], self.slots
        slowest = -1
        for row in own:
            finish = _finish(slots[row.calendar], row, at, self.reach)
            slowest = max(slowest, finish)
            if finish < 0 and all(len(slots[r.calendar]) < r.duration for r in own):
                return False
            if finish < 0 and len(slots[row.calendar]) >= row.duration:
                return False
        self.end = max(self.end, slowest)
        return slowest >= 0


def _finish(slots: I64, row: Row, at: int, reach: int) -> int:
    """Where `row` ends when begun at `at` or soon after; -1: beyond what is looked at."""
    if row.calendar == 0 or row.duration == 0:
        return at + row.duration
    last = int(np.searchsorted(slots, at)) + row.duration - 1
    return int(slots[last]) + 1 if last < len(slots) else -1


def _moments(
    project: Project, task: Task, row: Row, slots: Sequence[I64], reach: int
) -> tuple[int, int]:
    """Start and finish of a fact; (-1, -1) for what is to be planned."""
    if task.status == "todo" or task.started is None:
        return -1, -1
    if task.finished is not None and task.status == "done":
        return task.started, task.finished
    finish = _finish(slots[row.calendar], row, task.started, reach)
    return task.started, max(finish if finish >= 0 else reach, project.now)
