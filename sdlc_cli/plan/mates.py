"""In which ways the tasks of a group can start together, and in which slots."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from sdlc_cli.core.i18n import Message, msg
from sdlc_cli.plan.instance import FF, FS, I64, SS, PlanError
from sdlc_cli.plan.model import Project
from sdlc_cli.plan.rows import Row, Rows

Link = tuple[int, int, int, int]
"""From a task, into a task, an index of KINDS, the lag."""

_TRIES = 100_000  # choices of a row that are tried to find who can work at once
_KINDS = 64  # ways to start together that differ in lengths or calendars


@dataclass(frozen=True, slots=True, eq=False)
class Starts:
    """The slots in which one way of a group can begin, and where its last task then ends."""

    rows: tuple[Row, ...]
    first: I64
    last: I64

    def after(self, moment: int) -> int:
        """Where the way ends when begun at `moment` or soon after; -1 beyond what is looked at."""
        at = int(np.searchsorted(self.first, moment))
        return int(self.last[at]) if at < len(self.first) else -1


class Group:
    """Tasks that start together. Raises PlanError where they need more at once than there is."""

    def __init__(
        self, project: Project, tasks: Sequence[int], links: Sequence[Link], rows: Rows
    ) -> None:
        self.project = project
        self.tasks = tuple(tasks)
        self.links = [link for link in links if link[0] in self.tasks and link[1] in self.tasks]
        self._there = {i: one.capacity for i, one in enumerate(project.resources)}
        self.ways = self._ways(rows)
        if not self.ways:
            raise PlanError(self._too_few(rows))

    @property
    def ids(self) -> str:
        """The tasks, for people."""
        return ", ".join(self.project.tasks[j].id for j in self.tasks)

    def starts(self, slots: Sequence[I64], reach: int) -> list[Starts]:
        """Of every way that can begin before `reach`, when it can."""
        found = (self._starts(way, slots, reach, self.links) for way in self.ways)
        return [one for one in found if len(one.first)]

    def never(self, slots: Sequence[I64], reach: int) -> Message:
        """Why no way can begin."""
        for way in self.ways:
            if len(self._starts(way, slots, reach, ()).first):
                a, b, *_ = self.links[0]
                return msg(
                    "{tasks} are to start together, and {b} cannot come after {a} then as it is to",
                    tasks=self.ids, a=self.project.tasks[a].id, b=self.project.tasks[b].id,
                )  # fmt: skip
        return msg("{tasks} are to start together, and those they need are never at work at the"
                   " same time", tasks=self.ids)  # fmt: skip

    def too_long(self, date: str) -> Message:
        """That no way is found that ends in time."""
        return msg("{tasks} are to start together, and find no time for that before {date}",
                   tasks=self.ids, date=date)  # fmt: skip

    def _ways(self, rows: Rows) -> list[tuple[Row, ...]]:
        """Rows that hold no more at once than there is, one of each kind."""
        found: dict[tuple[tuple[int, int], ...], tuple[Row, ...]] = {}
        left = _TRIES
        for way in self._held(rows):
            left -= 1
            if way:
                found.setdefault(tuple((row.calendar, row.duration) for row in way), way)
            if not left or len(found) == _KINDS:
                break
        return list(found.values())

    def _held(self, rows: Rows) -> Iterator[tuple[Row, ...]]:
        """Every way; () for a choice that leads to none."""
        order = sorted(self.tasks, key=lambda j: len(rows.of_task[j]))
        place = [order.index(j) for j in self.tasks]

        def choose(chosen: tuple[Row, ...], free: Mapping[int, int]) -> Iterator[tuple[Row, ...]]:
            if len(chosen) == len(order):
                yield tuple(chosen[i] for i in place)
                return
            for row in rows.of_task[order[len(chosen)]]:
                held = row.held if row.duration else ()
                if any(free[r] < amount for r, amount in held):
                    yield ()
                else:
                    less = {**free, **{r: free[r] - amount for r, amount in held}}
                    yield from choose((*chosen, row), less)

        return choose((), self._there)

    def _too_few(self, rows: Rows) -> Message:
        for r, one in enumerate(self.project.resources):
            least = sum(
                min(dict(row.held).get(r, 0) if row.duration else 0 for row in rows.of_task[j])
                for j in self.tasks
            )
            if least > one.capacity:
                return msg(
                    "{tasks} are to start together, and need {amount} of {resource} at once:"
                    " there are {capacity}",
                    tasks=self.ids, amount=least, resource=one.id, capacity=one.capacity,
                )  # fmt: skip
        return msg("{tasks} are to start together, and there are not enough different people or"
                   " units for all of them at once", tasks=self.ids)  # fmt: skip

    def _starts(
        self, way: tuple[Row, ...], slots: Sequence[I64], reach: int, links: Sequence[Link]
    ) -> Starts:
        """The slots that are open for all of them, with time enough before `reach`."""
        first: I64 = np.arange(reach, dtype=np.int64)
        for row in way:
            if row.duration and row.calendar:
                first = np.intersect1d(first, slots[row.calendar], assume_unique=True)
        ends: list[I64] = []
        fits = np.ones(len(first), dtype=np.bool_)
        for row in way:
            if row.duration == 0 or row.calendar == 0:
                ends.append(first + row.duration)
            else:
                own = slots[row.calendar]
                last = np.searchsorted(own, first) + row.duration - 1
                fits &= last < len(own)
                ends.append(own[np.minimum(last, len(own) - 1)] + 1)
            fits &= ends[-1] <= reach
        for a, b, kind, lag in links:
            before, mine = ends[self.tasks.index(a)], ends[self.tasks.index(b)]
            least = (before if kind in (FS, FF) else first) + lag
            fits &= (first if kind in (FS, SS) else mine) >= least
        last_of_all: I64 = np.max(np.stack(ends), axis=0)
        return Starts(way, first[fits], last_of_all[fits])
