"""When a placed task can be worked on, and durations counted in open slots."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from sdlc_cli.plan.calendars import Almanac, meet
from sdlc_cli.plan.instance import I64
from sdlc_cli.plan.model import Calendar, Placement, Project, Resource


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
        self._resources = by_name(project)
        self._placed: dict[tuple[str, ...], Worktime] = {}  # by what tasks hold
        self._almanac: Almanac | None = None
        self._known: dict[tuple[Calendar, ...], Worktime] = {(): Worktime(None)}

    def of(self, placement: Placement) -> Worktime:
        """When the placed task can be worked on: by its calendar, else those of what it holds."""
        task = self._tasks[placement.task]
        if task.calendar is not None:
            return self.shared((task.calendar,))
        names = tuple(name for name, _amount in placement.resources if name in self._resources)
        if names not in self._placed:
            held = [self._resources[name].calendar for name in names]
            self._placed[names] = self.shared(held or [self.project.calendar])
        return self._placed[names]

    def shared(self, calendars: Iterable[Calendar]) -> Worktime:
        """When all of `calendars` are open."""
        key = meet(calendars)
        if key not in self._known:
            self._almanac = self._almanac or Almanac(self.project, self.end)
            self._known[key] = Worktime(self._almanac.slots(key))
        return self._known[key]


def by_name(project: Project) -> dict[str, Resource]:
    """The resources by their ids."""
    return {resource.id: resource for resource in project.resources}
