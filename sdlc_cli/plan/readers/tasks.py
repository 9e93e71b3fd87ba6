"""The tasks of a tasks.yaml: what comes before, when, what has happened. `modes` has the ways."""

from collections.abc import Iterator
from decimal import Decimal
from typing import NamedTuple

from msgspec import UNSET

from sdlc_cli.core.i18n import msg
from sdlc_cli.core.sections import Key
from sdlc_cli.plan.model import ZERO, Link, Status, Task
from sdlc_cli.plan.options import DeadlineSpec, LinkSpec, TaskSpec
from sdlc_cli.plan.readers.draft import Draft
from sdlc_cli.plan.readers.modes import Modes

NO_MOMENT = msg("there is no such moment within a hundred years of the start")


class _Deadline(NamedTuple):
    slot: int | None = None
    hard: bool = True
    late_usd_per_hour: Decimal = ZERO


class _Facts(NamedTuple):
    status: Status
    started: int | None
    finished: int | None
    mode: int | None


class Tasks:
    """Makes the tasks of a draft."""

    def __init__(self, draft: Draft) -> None:
        self.draft = draft
        self.modes = Modes(draft)

    def made(self) -> tuple[Task, ...]:
        """All of them, in the order of the file."""
        return tuple(self._task(name, spec) for name, spec in self.draft.file.tasks.items())

    def _task(self, name: str, spec: TaskSpec) -> Task:
        path: Key = ("tasks", name)
        modes = self.modes.of(spec, path)
        release = self._slot(spec.earliest_start, (*path, "earliest_start"), up=True)
        deadline = self._deadline(spec, path)
        facts = self._facts(spec, path, [mode.id for mode in modes])
        if facts.status == "todo" and deadline.slot is not None and deadline.hard:
            if deadline.slot <= 0:
                self.draft.add((*path, "deadline"), msg("lies before the start of the project"))
            elif release is not None and deadline.slot < release:
                self.draft.add((*path, "deadline"), msg("lies before earliest_start"))
        calendar = None
        if spec.calendar is not UNSET:
            calendar = self.draft.chosen(spec.calendar, (*path, "calendar"))
        return Task(
            id=name,
            name=spec.name,
            modes=modes,
            after=tuple(self._links(name, spec, path)),
            release=max(release or 0, 0),
            deadline=deadline.slot,
            hard=deadline.hard,
            late_usd_per_hour=deadline.late_usd_per_hour,
            priority=spec.priority,
            calendar=calendar,
            status=facts.status,
            started=facts.started,
            finished=facts.finished,
            mode=facts.mode,
            people=self._people(spec, facts.status, path),
            line=int(spec.place.rpartition(":")[2] or 0),
        )

    def _links(self, name: str, spec: TaskSpec, path: Key) -> Iterator[Link]:
        listed = isinstance(spec.after, tuple)
        written = spec.after if isinstance(spec.after, tuple) else (spec.after,)
        for i, one in enumerate(written):
            here = (*path, "after", i) if listed else (*path, "after")
            link = one if isinstance(one, LinkSpec) else LinkSpec(task=one)
            if link.task == name:
                self.draft.add(here, msg("the task waits for itself"))
            elif link.task not in self.draft.file.tasks:
                self.draft.unknown(here, "task", link.task, self.draft.file.tasks)
            lag = self.draft.grid.lag(link.lag)
            if lag is None:
                self.draft.add((*here, "lag"), msg("is longer than a million units"))
            yield Link(task=link.task, kind=link.type, lag=lag or 0)

    def _slot(self, written: object, path: Key, *, up: bool, end: bool = False) -> int | None:
        if not isinstance(written, str) or not written:
            return None
        slot = self.draft.grid.slot(written, up=up, end=end)
        if slot is None:
            self.draft.add(path, NO_MOMENT)
        return slot

    def _deadline(self, spec: TaskSpec, path: Key) -> _Deadline:
        if not isinstance(spec.deadline, DeadlineSpec):
            return _Deadline(self._slot(spec.deadline, (*path, "deadline"), up=False, end=True))
        written = spec.deadline
        slot = self._slot(written.at, (*path, "deadline", "at"), up=False, end=True)
        hard = written.hard if isinstance(written.hard, bool) else not written.late_usd_per_hour
        if hard and written.late_usd_per_hour:
            message = msg("a hard deadline is not missed for money: write hard: false")
            self.draft.add((*path, "deadline", "late_usd_per_hour"), message)
        return _Deadline(slot, hard, written.late_usd_per_hour)

    def _facts(self, spec: TaskSpec, path: Key, modes: list[str]) -> _Facts:
        started = self._slot(spec.started, (*path, "started"), up=False)
        finished = self._slot(spec.finished, (*path, "finished"), up=True, end=True)
        told: Status = "todo"
        if spec.finished is not UNSET:
            told = "done"
        elif spec.started is not UNSET:
            told = "running"
        status = told if spec.status is UNSET else spec.status
        for key, needed in (("started", status != "todo"), ("finished", status == "done")):
            written = getattr(spec, key) is not UNSET
            if needed and not written:
                message = msg("missing, and needed for a task that is {status}", status=status)
                self.draft.add((*path, key), message)
            elif written and not needed:
                message = msg("does not fit a task that is {status}", status=status)
                self.draft.add((*path, key), message)
        if started is not None and started < 0:
            self.draft.add((*path, "started"), msg("lies before the start of the project"))
        if started is not None and finished is not None and finished < started:
            self.draft.add((*path, "finished"), msg("lies before 'started'"))
        mode = None
        if spec.mode in modes and spec.mode:
            mode = modes.index(spec.mode)
        elif spec.mode:
            self.draft.unknown((*path, "mode"), "mode", spec.mode, modes)
        if status == "todo" and spec.mode:
            message = msg("does not fit a task that is {status}", status=status)
            self.draft.add((*path, "mode"), message)
        return _Facts(status, started, finished, mode)

    def _people(self, spec: TaskSpec, status: Status, path: Key) -> tuple[str, ...]:
        if spec.people and status == "todo":
            message = msg("tells who does a running or done task: write needs for this one")
            self.draft.add((*path, "people"), message)
        for i, name in enumerate(spec.people):
            here: Key = (*path, "people", i)
            if name not in self.draft.people:
                self.draft.unknown(here, "person", name, self.draft.people)
            elif name in spec.people[:i]:
                self.draft.add(here, msg("is written twice"))
        return spec.people
