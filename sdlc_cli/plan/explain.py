"""Why a task has its date: what held it back, and what held that back, to the project's start."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import Literal

import numpy as np

from sdlc_cli.plan.instance import I64
from sdlc_cli.plan.model import LinkKind
from sdlc_cli.plan.network import Arc, Network

Because = Literal[
    "start", "now", "release", "fact", "link", "resource", "calendar", "together", "choice"
]
MOST_STEPS = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """Why `task` starts at `start`.

    `link`: `of` had to start or finish first (`kind`, `lag`); `resource`: `of` and `others` hold
    `resource` until then; `together`: it starts with `of`, which could not earlier; `release`,
    `now` and `start`: nothing may begin earlier; `fact`: it began then. `calendar`: nothing else
    than closed hours, from `ready` on. `choice`: it could start earlier, at `ready`, and the plan
    gains nothing by it. `ready` is when all but the resources would have let it begin.
    """

    task: str
    start: int
    because: Because
    of: str = ""
    others: tuple[str, ...] = ()
    resource: str = ""
    kind: LinkKind = "FS"
    lag: int = 0
    until: int = 0  # when `of` is finished, where it holds a resource
    ready: int = 0
    closed: bool = False  # between `ready` and `start` the calendar is closed


class Explainer:
    """Answers for one plan; what resources hold when is worked out once."""

    def __init__(self, network: Network) -> None:
        self.network = network
        self.project = network.project
        self.placed = network.schedule.placements
        self.place = {placement.task: i for i, placement in enumerate(self.placed)}
        users: dict[str, list[int]] = {}
        for i, placement in enumerate(self.placed):
            for name, _amount in placement.resources:
                users.setdefault(name, []).append(i)
        self._users = {name: np.array(held, np.int64) for name, held in users.items()}
        self._start = np.array([p.start for p in self.placed], np.int64)
        self._finish = np.array([p.finish for p in self.placed], np.int64)
        self._capacity = {r.id: r.capacity for r in self.project.resources}
        self._group = {i: group for group in network.order for i in group}

    def chain(self, task: str) -> tuple[Step, ...]:
        """The steps from `task` back to what nothing holds, latest first. Raises KeyError."""
        steps = [self.reason(self.place[task])]
        seen = {task}
        while steps[-1].of and steps[-1].of not in seen and len(steps) < MOST_STEPS:
            seen.add(steps[-1].of)
            steps.append(self.reason(self.place[steps[-1].of]))
        return tuple(steps)

    def critical_chain(self, slack: Sequence[int | None]) -> tuple[Step, ...]:
        """The chain of the task that finishes last, back to the first one that has slack.

        Of several that finish last it is the first in the project's order. What lies before a
        task with slack, as a weekend gives it, does not move the finish.
        """
        if not self.placed:
            return ()
        last = max(self.placed, key=lambda p: p.finish)
        return tuple(takewhile(lambda s: slack[self.place[s.task]] == 0, self.chain(last.task)))

    def reason(self, i: int) -> Step:
        """Why task number `i` does not start earlier."""
        group = self._group[i]
        own = self._alone(i)
        if own.because != "choice" or len(group) == 1:
            return own
        for mate in group:
            theirs = self._alone(mate) if mate != i else own
            if theirs.because != "choice":
                return Step(
                    task=own.task,
                    start=own.start,
                    because="together",
                    of=self.placed[mate].task,
                    ready=own.ready,
                )
        return own

    def _alone(self, i: int) -> Step:
        """The reason as if no other task had to start together with it."""
        placed, task = self.placed[i], self.project.tasks[i]
        if task.status != "todo":
            return Step(task=placed.task, start=placed.start, because="fact", ready=placed.start)
        first = self._first(i)
        work = self.network.worktimes[i]
        open_before = work.between(first.ready, placed.start)
        if placed.finish == placed.start:  # a milestone waits for no open hour
            open_before = np.arange(first.ready, placed.start, dtype=np.int64)
        if not len(open_before):
            return first
        conflict = self._conflict(i, int(open_before[-1]))
        if conflict is None:
            return self._choice(i, first, open_before)
        resource, holders = conflict
        return Step(
            task=placed.task,
            start=placed.start,
            because="resource",
            of=self.placed[holders[0]].task,
            others=tuple(self.placed[one].task for one in holders[1:]),
            resource=resource,
            until=self.placed[holders[0]].finish,
            ready=first.ready,
        )

    def _first(self, i: int) -> Step:
        """What would hold the task back if all resources were free."""
        placed, task = self.placed[i], self.project.tasks[i]
        because: Because = "start"
        ready = 0
        if self.project.now > ready:
            because, ready = "now", self.project.now
        if task.release > ready:
            because, ready = "release", task.release
        binding: Arc | None = None
        for arc in self.network.into[i]:
            if arc.why == "link" and (bound := self._bound(arc, i)) > ready:
                because, ready, binding = "link", bound, arc
        closed = ready < placed.start
        return Step(
            task=placed.task,
            start=placed.start,
            because="calendar" if closed and binding is None and because == "start" else because,
            of=self.placed[binding.before].task if binding else "",
            kind=binding.kind if binding else "FS",
            lag=binding.lag if binding else 0,
            ready=ready,
            closed=closed,
        )

    def _bound(self, arc: Arc, i: int) -> int:
        """The first slot in which the link lets task `i` start."""
        other, work = self.placed[arc.before], self.network.worktimes[i]
        base = (other.finish if arc.kind in ("FS", "FF") else other.start) + arc.lag
        if arc.kind in ("FS", "SS"):
            return base
        duration = self.network.duration[i]
        if work.slots is None or not duration:
            return base - duration
        first = max(0, int(np.searchsorted(work.slots, base - 1)) - duration + 1)
        return int(work.slots[min(first, len(work.slots) - 1)])

    def _choice(self, i: int, first: Step, candidates: I64) -> Step:
        """Nothing holds it: say since when."""
        since = int(candidates[-1])
        for at in candidates[::-1][1:MOST_STEPS]:
            if self._conflict(i, int(at)) is not None:
                break
            since = int(at)
        return Step(task=first.task, start=first.start, because="choice", ready=since)

    def _conflict(self, i: int, start: int) -> tuple[str, list[int]] | None:
        """What would be held by whom if task `i` started in `start`: the first such slot."""
        work, duration = self.network.worktimes[i], self.network.duration[i]
        slots = _held(work.slots, start, duration)
        if slots is None:
            return None
        found: tuple[int, str] | None = None
        for name, amount in self.placed[i].resources:
            used = np.zeros(len(slots), np.int64)
            for other in self._during(name, int(slots[0]), int(slots[-1]) + 1, i):
                used[self._overlap(other, slots)] += dict(self.placed[other].resources)[name]
            full = np.flatnonzero(used + amount > self._capacity.get(name, FULL))
            if len(full) and (found is None or slots[full[-1]] > found[0]):
                found = int(slots[full[-1]]), name
        if found is None:
            return None
        slot, name = found
        holders = [o for o in self._during(name, slot, slot + 1, i) if self._holds(o, slot)]
        mine = self.placed[i].start
        holders.sort(key=lambda o: (self.placed[o].finish > mine, -self.placed[o].finish, o))
        return name, holders

    def _during(self, resource: str, begin: int, end: int, but: int) -> list[int]:
        """Who else has to do with a resource between two slots."""
        users = self._users[resource]
        near = users[(self._start[users] < end) & (self._finish[users] > begin)]
        found: list[int] = near[near != but].tolist()
        return found

    def _overlap(self, other: int, slots: I64) -> I64:
        """Which of `slots` the other task works in."""
        placed = self.placed[other]
        low, high = np.searchsorted(slots, (placed.start, placed.finish))
        places = np.arange(low, high)
        theirs = self.network.worktimes[other].slots
        if theirs is None or not len(places):
            return places
        return places[np.isin(slots[low:high], theirs, assume_unique=True)]

    def _holds(self, other: int, slot: int) -> bool:
        placed = self.placed[other]
        return bool(
            placed.start <= slot < placed.finish
            and self.network.worktimes[other].count(slot, slot + 1)
        )


FULL = 2**40


def _held(slots: I64 | None, start: int, duration: int) -> I64 | None:
    """The slots in which a task that starts in `start` is worked on; None beyond the calendar."""
    if not duration:
        return None
    if slots is None:
        return np.arange(start, start + duration, dtype=np.int64)
    first = int(np.searchsorted(slots, start))
    return slots[first : first + duration] if first + duration <= len(slots) else None


def order_of(steps: Sequence[Step]) -> tuple[str, ...]:
    """The tasks of a chain, first to last."""
    return tuple(step.task for step in reversed(steps))
