"""Every mode of every task with every staffing: what becomes a mode of the Instance."""

from collections.abc import Iterable
from dataclasses import dataclass

from sdlc_cli.core.i18n import Message, msg
from sdlc_cli.plan import staffing
from sdlc_cli.plan.calendars import share_hours
from sdlc_cli.plan.instance import PlanError
from sdlc_cli.plan.model import Calendar, Project, Task

Meeting = tuple[Calendar, ...]
"""Calendars that have to be open together."""


@dataclass(slots=True)
class Row:
    """One mode with one staffing. `calendar` is a number of Rows.meetings; 0 is always open."""

    task: int
    base: int
    duration: int
    held: tuple[tuple[int, int], ...]
    calendar: int


class Rows:
    """The rows of a project in the order of its tasks, and the calendars that they keep to.

    A row whose people share no hour of the week is left out. Raises PlanError for tasks that
    nobody can do.
    """

    def __init__(self, project: Project) -> None:
        self.project = project
        self.meetings: list[Meeting] = [()]
        self.of_task: list[list[Row]] = []
        self._resources = {r.id: i for i, r in enumerate(project.resources)}
        self._calendars: dict[Calendar, int] = {}
        self._held_calendar = [self._known(r.calendar) for r in project.resources]
        self._common = self._known(project.calendar)
        self._numbers: dict[frozenset[int], int] = {frozenset(): 0}
        self._open: list[bool] = [True]
        problems: list[Message] = []
        for j, task in enumerate(project.tasks):
            rows, problem = self._rows(j, task)
            self.of_task.append(rows)
            problems += [problem] if problem else []
        if problems:
            raise PlanError(problems[0], problems=problems)

    @property
    def all(self) -> list[Row]:
        """The rows of one task after the other."""
        return [row for rows in self.of_task for row in rows]

    def _rows(self, j: int, task: Task) -> tuple[list[Row], Message | None]:
        if task.status != "todo":
            base, way = self._fact(task)
            return [Row(j, base, way.duration, way.held, self._number(task, way))], None
        rows = [
            Row(j, base, way.duration, way.held, self._number(task, way))
            for base, mode in enumerate(task.modes)
            for way in staffing.ways(self.project, mode, self._resources)
        ]
        if not rows:
            return [], self._unstaffed(task)
        open_ = [row for row in rows if self._open[row.calendar]]
        return open_, None if open_ else self.apart(rows)

    def _known(self, calendar: Calendar) -> int:
        """The number of a calendar; -1 for one that never closes."""
        return -1 if calendar.always else self._calendars.setdefault(calendar, len(self._calendars))

    def _number(self, task: Task, way: staffing.Staffing) -> int:
        """The number of what has to be open together for a task that is done in this way."""
        if way.duration == 0 and task.status == "todo":
            return 0
        if task.calendar is not None:
            kept = frozenset((self._known(task.calendar),))
        elif not way.held:
            kept = frozenset((self._common,))
        else:
            kept = frozenset(self._held_calendar[r] for r, _ in way.held)
        kept -= {-1}
        number = self._numbers.get(kept)
        if number is None:
            number = self._numbers[kept] = len(self.meetings)
            known = list(self._calendars)
            meeting = tuple(known[c] for c in sorted(kept))
            self.meetings.append(meeting)
            self._open.append(share_hours(meeting))
        return number

    def apart(self, rows: Iterable[Row], *, unit: bool = False) -> Message:
        """That those whom a task needs never work together; `unit`: never for a whole slot."""
        first, *others = rows
        task = self.project.tasks[first.task]
        held = [self.project.resources[r] for r, _ in first.held]
        names = [r.id for r in held if not r.calendar.always]
        if task.calendar is not None or len(names) < 2:
            if task.calendar is None and names:
                if unit:
                    return msg("{task}: the calendar of {name} is never open for a whole unit",
                               task=task.id, name=names[0])  # fmt: skip
                return msg("{task}: the calendar of {name} has no open hours",
                           task=task.id, name=names[0])  # fmt: skip
            if unit:
                return msg("{task}: its calendar is never open for a whole unit", task=task.id)
            return msg("{task}: its calendar has no open hours", task=task.id)
        if unit:
            return msg("{task}: {names} are never at work together for a whole unit",
                       task=task.id, names=", ".join(names))  # fmt: skip
        if others:
            return msg("{task}: in no way to do it are those it needs ever at work together, as"
                       " {names}: their calendars share no hour of the week",
                       task=task.id, names=", ".join(names))  # fmt: skip
        return msg("{task}: {names} are never at work together: their calendars share no hour of"
                   " the week", task=task.id, names=", ".join(names))  # fmt: skip

    def _unstaffed(self, task: Task) -> Message:
        """Why no mode of `task` can be done by anybody."""
        resources = self.project.resources
        for mode in task.modes:
            amounts: dict[str, int] = {}
            for need in mode.needs:
                amounts[need.id] = amounts.get(need.id, 0) + need.amount
            for need in mode.needs:
                amount = amounts[need.id]
                if need.kind == "skill":
                    able = sum(r.person and need.id in r.skills for r in resources)
                    if able < amount:
                        return msg(
                            "{task}: needs {amount} people with {skill}, and there are {able}",
                            task=task.id, amount=amount, skill=need.id, able=able,
                        )  # fmt: skip
                else:
                    capacity = resources[self._resources[need.id]].capacity
                    if capacity < amount:
                        return msg(
                            "{task}: needs {amount} of {resource}, and there are {capacity}",
                            task=task.id, amount=amount, resource=need.id, capacity=capacity,
                        )  # fmt: skip
        return msg(
            "{task}: there are not enough different people for any of its modes", task=task.id
        )

    def _fact(self, task: Task) -> tuple[int, staffing.Staffing]:
        """How a running or done task is done: as it says, else in its first mode with people."""
        bases = [task.mode] if task.mode is not None else range(len(task.modes))
        for base in bases:
            mode = task.modes[base]
            if not task.people:
                for way in staffing.ways(self.project, mode, self._resources)[:1]:
                    return base, way
        base = bases[0]
        mode = task.modes[base]
        units = staffing.units_of(self.project, mode, self._resources)
        team = [self._resources[p] for p in task.people]
        return base, staffing.staff(self.project, mode.duration, team, units)
