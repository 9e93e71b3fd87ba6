"""A team's release of ten tasks, and a planner small enough to be read."""

import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from itertools import combinations, permutations, product
from types import ModuleType

import numpy as np
import pytest
from numpy.typing import NDArray

from sdlc_cli.plan.model import (
    ALWAYS,
    Calendar,
    Hours,
    Link,
    Mode,
    Need,
    Objective,
    Placement,
    Project,
    Resource,
    Schedule,
    Task,
)
from sdlc_cli.plan.rates import hourly
from sdlc_cli.plan.verdict import misses
from sdlc_cli.plan.worktime import Worktime, Worktimes, by_name

__all__ = ["ALWAYS"]
OFFICE = Calendar(hours=tuple(Hours(weekday=day, begin=540, end=1020) for day in range(5)))
START = datetime(2026, 8, 3, 9, tzinfo=timezone(timedelta(hours=2)))  # a Monday, Berlin


def skill(name: str, amount: int = 1) -> Need:
    return Need(kind="skill", id=name, amount=amount)


def unit(name: str, amount: int = 1) -> Need:
    return Need(kind="resource", id=name, amount=amount)


def named(name: str) -> Need:
    return Need(kind="person", id=name)


def person(id_: str, *skills: str, name: str = "", percent: int = 100, usd: int = 0) -> Resource:
    return Resource(
        id=id_,
        name=name,
        person=True,
        skills=frozenset(skills),
        percent=percent,
        usd_per_hour=Decimal(usd),
        calendar=OFFICE,
    )


def task(
    id_: str, hours: int, *needs: Need, after: Sequence[str | Link] = (), **more: object
) -> Task:
    """A task of one mode."""
    links = tuple(one if isinstance(one, Link) else Link(task=one) for one in after)
    percentiles = {key: more.pop(key) for key in ("low", "high") if key in more}
    mode = Mode(duration=hours, needs=needs, **percentiles)  # type: ignore[arg-type]
    return Task(**{"id": id_, "modes": (mode,), "after": links} | more)  # type: ignore[arg-type]


def release() -> Project:
    """Two developers, a reviewer half the time, two runners, a budget, three models to test."""
    models = tuple(
        Mode(
            id=name,
            duration=hours,
            needs=(unit("runner"),),
            cost_usd=Decimal(usd),
            quality=quality,
            model=name,
        )
        for name, hours, usd, quality in (("small", 2, "3.50", 6.0), ("large", 5, "41.00", 9.0))
    )
    return Project(
        name="Release 1.4",
        start=START,
        timezone="Europe/Berlin",
        calendar=OFFICE,
        resources=(
            person("ana", "dev", usd=80),
            person("bo", "dev", "ops", name="Bo Li", usd=90),
            person("cy", "review", percent=50),
            Resource(id="runner", capacity=2, usd_per_hour=Decimal("0.5")),
        ),
        tasks=(
            task("design", 6, skill("dev"), low=4, high=12, name="Design the API"),
            task("schema", 4, skill("dev"), after=["design"]),
            task("service", 16, skill("dev"), after=["design"], low=12, high=30),
            task("client", 8, skill("dev"), after=["schema"]),
            task("review", 3, skill("review"), after=["service", "client"]),
            task("build", 1, unit("runner"), after=["service", "client"]),
            Task(
                id="evaluate",
                name="Evaluate the prompts",
                modes=models,
                after=(Link(task="build"),),
            ),
            task("load", 6, unit("runner", 2), after=["build"], name="Load test"),
            task("docs", 5, named("ana"), after=[Link(task="design", kind="SS", lag=2)]),
            task(
                "ship", 2, skill("ops"), after=["review", "evaluate", "load", "docs"],
                deadline=104, priority=3,
            ),
        ),
        budget_usd=Decimal(4000),
    )  # fmt: skip


def teams(project: Project, mode: Mode) -> Iterator[tuple[tuple[str, int], ...]]:
    """Every way to staff a mode."""
    units = [(need.id, need.amount) for need in mode.needs if need.kind == "resource"]
    named = [(need.id, 1) for need in mode.needs if need.kind == "person"]
    able = [
        combinations(
            [r.id for r in project.resources if r.person and need.id in r.skills], need.amount
        )
        for need in mode.needs
        if need.kind == "skill"
    ]
    for chosen in product(*able):
        people = [name for group in chosen for name in group]
        if len(set(people)) == len(people) and not {n for n, _a in named} & set(people):
            yield (*named, *((name, 1) for name in people), *units)


Held = tuple[tuple[str, int], ...]
Slots = NDArray[np.int64]


class Planner:
    """Places tasks one after the other, each as early as it can: correct, and slow."""

    def __init__(self, project: Project, end: int = 2000) -> None:
        self.project = project
        self.end = end
        self.times = Worktimes(project, end)
        self.known = by_name(project)

    def place(self, order: Sequence[int], ways: Sequence[tuple[int, Held]]) -> Schedule:
        """The schedule of tasks placed in this order, each in its mode by its team."""
        used = {r.id: np.zeros(self.end, np.int64) for r in self.project.resources}
        done: dict[str, Placement] = {}
        for i in order:
            mode, held = ways[i]
            placed, slots = self._earliest(self.project.tasks[i], mode, held, used, done)
            done[placed.task] = placed
            for name, amount in held:
                used[name][slots] += amount
        return self.sum(tuple(done[one.id] for one in self.project.tasks))

    def _earliest(
        self,
        one: Task,
        mode: int,
        held: Held,
        used: dict[str, Slots],
        done: dict[str, Placement],
    ) -> tuple[Placement, Slots]:
        percents = [self.known[n].percent for n, _a in held if self.known[n].person]
        duration = -(-one.modes[mode].duration * 100 // min(percents, default=100))
        work = self.times.of(Placement(task=one.id, start=0, finish=0, mode=mode, resources=held))
        for start in range(max(one.release, self.project.now), self.end - 1):
            slots = self._slots(work, start, duration)
            if slots is None:
                continue
            finish = int(slots[-1]) + 1 if duration else start
            fits = all((used[n][slots] + a <= self.known[n].capacity).all() for n, a in held)
            if fits and all(_kept(link, done[link.task], start, finish) for link in one.after):
                placed = Placement(
                    task=one.id, start=start, finish=finish, mode=mode, resources=held
                )
                return placed, slots
        raise AssertionError(f"{one.id} does not fit into {self.end} slots")

    def _slots(self, work: Worktime, start: int, duration: int) -> Slots | None:
        if not duration:
            return np.empty(0, np.int64)
        if not work.count(start, start + 1):
            return None
        slots = work.between(start, self.end)[:duration]
        return slots if len(slots) == duration else None

    def sum(self, placements: tuple[Placement, ...]) -> Schedule:
        """The schedule of placements, with what it amounts to."""
        project = self.project
        cost, quality, tardiness = Decimal(0), 0.0, 0
        for one, placed in zip(project.tasks, placements, strict=True):
            mode = one.modes[placed.mode]
            worked = self.times.of(placed).count(placed.start, placed.finish)
            hours = Decimal(worked * project.unit_seconds) / 3600
            cost += mode.cost_usd + hours * hourly(placed, self.known)
            quality += mode.quality
            late = max(0, placed.finish - one.deadline) if one.deadline is not None else 0
            tardiness += one.priority * late
            cost += 0 if one.hard else one.late_usd_per_hour * late * project.unit_seconds / 3600
        made = Schedule(
            placements=placements,
            makespan=max((p.finish for p in placements), default=0),
            cost_usd=cost,
            quality=quality,
            tardiness=tardiness,
            engine="tiny",
        )
        return replace(made, feasible=not any(miss.fails for miss in misses(project, made)))


def _kept(link: Link, other: Placement, start: int, finish: int) -> bool:
    base = other.finish if link.kind in ("FS", "FF") else other.start
    return (start if link.kind in ("FS", "SS") else finish) >= base + link.lag


def in_order(project: Project, ways: Sequence[int] = ()) -> Schedule:
    """The tasks placed in the order of the file, first fitting people, modes as given."""
    modes = ways or [0] * len(project.tasks)
    chosen = [
        (m, next(teams(project, t.modes[m]))) for t, m in zip(project.tasks, modes, strict=True)
    ]
    return Planner(project).place(range(len(project.tasks)), chosen)


def best(project: Project, objective: Objective = "makespan") -> Schedule:
    """The best of all orders, modes and teams: for a handful of tasks."""
    planner = Planner(project, 400)
    options = [
        [(m, held) for m, mode in enumerate(one.modes) for held in teams(project, mode)]
        for one in project.tasks
    ]
    orders = [o for o in permutations(range(len(project.tasks))) if _sorted(o, project)]
    chosen = [ways for ways in product(*options) if _distinct(ways, project)]
    plans = [planner.place(o, ways) for ways in chosen for o in orders]
    return replace(min(plans, key=lambda p: _worth(p, project, objective)), objective=objective)


def _distinct(ways: Sequence[tuple[int, Held]], project: Project) -> bool:
    """False where people who are alike only change places."""
    alike: dict[Resource, list[str]] = {}
    for one in project.resources:
        alike.setdefault(replace(one, id="", name=""), []).append(one.id)
    used = list(dict.fromkeys(name for _mode, held in ways for name, _amount in held))
    return all(
        mine == [name for name in used if name in mine]
        for names in alike.values()
        for mine in [names[: sum(name in names for name in used)]]
    )


def _sorted(order: Sequence[int], project: Project) -> bool:
    at = {project.tasks[i].id: place for place, i in enumerate(order)}
    return all(at[link.task] < at[one.id] for one in project.tasks for link in one.after)


def _worth(plan: Schedule, project: Project, objective: Objective) -> tuple[float, ...]:
    missed = sum(float(miss.by) for miss in misses(project, plan) if miss.fails)
    cost, span = float(plan.cost_usd), plan.makespan
    return (missed, cost, span) if objective == "cost" else (missed, span, cost)


@pytest.fixture(scope="session")
def tiny() -> ModuleType:
    """What this file has: how tasks and people are written in a test, and a planner."""
    return sys.modules[__name__]


@pytest.fixture(scope="session")
def team() -> Project:
    return release()


@pytest.fixture(scope="session")
def planned(team: Project) -> Schedule:
    """A plan of `team`, ana and bo by turns."""
    ways: list[tuple[int, Held]] = [(0, next(teams(team, t.modes[0]))) for t in team.tasks]
    ways[2] = (0, (("bo", 1),))
    ways[6] = (1, (("runner", 1),))
    order = (0, 8, 1, 2, 3, 4, 5, 7, 6, 9)
    made = Planner(team).place(order, ways)
    return replace(made, lower_bound=75, schedules_evaluated=1234, search_seconds=0.5)
