"""How far into the future a project may reach, and what is open until then."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sdlc_cli.core.i18n import Message, msg
from sdlc_cli.plan.calendars import Almanac
from sdlc_cli.plan.instance import I64, PlanError
from sdlc_cli.plan.model import Project, Task
from sdlc_cli.plan.rows import Row, Rows

Link = tuple[int, int, int, int]
"""From a task, into a task, an index of KINDS, the lag."""

_YEAR = 365 * 86_400
_MOST_SLOTS = 2**23
_FARTHEST = 20 * _YEAR
"""Farther ahead than so many slots or seconds no calendar is looked at."""
_SURE = 3 * _YEAR
"""A calendar that was never open in so long after its last day off never will be."""


@dataclass(frozen=True, slots=True, eq=False)
class Span:
    """The open slots of each meeting of Rows; facts as (start, finish), (-1, -1) for no fact.

    The horizon is where a plan ends that does one task after the other in its slowest way.
    """

    slots: list[I64]
    facts: list[tuple[int, int]]
    horizon: int


def span(project: Project, links: Sequence[Link], order: Sequence[int], rows: Rows) -> Span:
    """The span of a project. Raises PlanError for what never finds hours enough."""
    wait = [0] * len(project.tasks)
    for _, b, _, lag in links:
        wait[b] = max(wait[b], lag)
    longest = sum(max(row.duration for row in own) for own in rows.of_task)
    begin = max([project.now, *(max(t.release, t.started or 0, t.finished or 0)
                                for t in project.tasks)])  # fmt: skip
    reach = begin + longest + sum(wait)
    if len(rows.meetings) > 1:
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
        end, stuck = _serial(project, order, rows.of_task, wait, slots, after, reach)
        if stuck < 0:
            return Span([s[: np.searchsorted(s, end)] for s in slots], facts, end)
        if reach >= most or _never(project, rows, stuck, slots, reach):
            raise PlanError(_too_long(project, rows, stuck, slots, most))
        reach *= 4


def _never(project: Project, rows: Rows, task: int, slots: Sequence[I64], reach: int) -> bool:
    """Whether a task that found nothing open so far never will."""
    if any(len(slots[row.calendar]) for row in rows.of_task[task]):
        return False
    off = [
        day
        for row in rows.of_task[task]
        for calendar in rows.meetings[row.calendar]
        for day in calendar.days_off
    ]
    today = project.at(0).date()
    last = max(0, *((day - today).days for day in off)) if off else 0
    return reach * project.unit_seconds > last * 86_400 + _SURE


def _too_long(project: Project, rows: Rows, task: int, slots: Sequence[I64], most: int) -> Message:
    if not any(len(slots[row.calendar]) for row in rows.of_task[task]):
        return rows.apart(rows.of_task[task], unit=True)
    return msg(
        "{task}: those it needs are not at work together for long enough before {date}",
        task=project.tasks[task].id, date=f"{project.at(most):%Y-%m-%d}",
    )  # fmt: skip


def _serial(
    project: Project,
    order: Sequence[int],
    of_task: Sequence[Sequence[Row]],
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
