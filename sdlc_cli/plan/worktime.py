"""When there is work: the open slots of calendars, and durations counted in them."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np

from sdlc_cli.plan.instance import I64
from sdlc_cli.plan.model import Calendar, Placement, Project, Resource, Task


def open_slots(project: Project, calendars: Iterable[Calendar], end: int) -> I64 | None:
    """The slots before `end` in which all `calendars` are open, in order; None: always open."""
    found: I64 | None = None
    for calendar in dict.fromkeys(calendars):
        if calendar.always:
            continue
        slots = _open(project, calendar, end)
        found = slots if found is None else np.intersect1d(found, slots, assume_unique=True)
    return found


def _open(project: Project, calendar: Calendar, end: int) -> I64:
    zone = ZoneInfo(project.timezone)
    day = project.start.astimezone(zone).date() - timedelta(days=1)
    last = project.at(end).astimezone(zone).date()
    spans: list[list[datetime]] = []
    while day <= last:
        midnight = datetime(day.year, day.month, day.day)
        spans += [
            [
                (midnight + timedelta(minutes=at)).replace(tzinfo=zone).astimezone(UTC)
                for at in (hours.begin, hours.end)
            ]
            for hours in calendar.hours
            if hours.weekday == day.weekday() and day not in calendar.days_off
        ]
        day += timedelta(days=1)
    merged: list[list[datetime]] = []
    for span in sorted(spans):
        if merged and span[0] <= merged[-1][1]:
            merged[-1][1] = max(merged[-1][1], span[1])
        else:
            merged.append(span)
    start, unit = project.start.astimezone(UTC), timedelta(seconds=project.unit_seconds)
    pieces = [
        np.arange(max(0, -((start - begin) // unit)), min(end, (close - start) // unit))
        for begin, close in merged
    ]
    return np.concatenate([*pieces, np.empty(0, np.int64)]).astype(np.int64)


def calendars_of(
    project: Project, task: Task, mode: int, resources: Iterable[str]
) -> tuple[Calendar, ...]:
    """What restricts a task in a mode: its calendar, else those of what it holds."""
    if task.calendar is not None:
        return (task.calendar,)
    known = {resource.id: resource for resource in project.resources}
    held = tuple(known[name].calendar for name in resources if name in known)
    return held or (project.calendar,)


@dataclass(frozen=True, slots=True, eq=False)
class Worktime:
    """The open slots of one placed task; `slots` None: always open."""

    slots: I64 | None

    def count(self, begin: int, end: int) -> int:
        """The open slots from `begin` to before `end`."""
        if self.slots is None:
            return max(0, end - begin)
        low, high = np.searchsorted(self.slots, (begin, end))
        return max(0, int(high - low))

    def between(self, begin: int, end: int) -> I64:
        """The open slots from `begin` to before `end`, each."""
        if self.slots is None:
            return np.arange(begin, max(begin, end), dtype=np.int64)
        low, high = np.searchsorted(self.slots, (begin, end))
        return self.slots[low:high]


class Worktimes:
    """The worktime of every placement of a plan. Equal calendars share their slots."""

    def __init__(self, project: Project, end: int) -> None:
        self.project = project
        self.end = end
        self._tasks = project.by_id
        self._known: dict[frozenset[Calendar], Worktime] = {}

    def of(self, placement: Placement) -> Worktime:
        """When the placed task can be worked on, with who and what it holds."""
        task = self._tasks[placement.task]
        names = [name for name, _amount in placement.resources]
        return self.shared(calendars_of(self.project, task, placement.mode, names))

    def shared(self, calendars: Iterable[Calendar]) -> Worktime:
        """When all of `calendars` are open."""
        key = frozenset(one for one in calendars if not one.always)
        if key not in self._known:
            self._known[key] = Worktime(open_slots(self.project, key, self.end))
        return self._known[key]


def by_name(project: Project) -> dict[str, Resource]:
    """The resources by their ids."""
    return {resource.id: resource for resource in project.resources}
