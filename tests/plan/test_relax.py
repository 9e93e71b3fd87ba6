"""The smallest changes that help: each verified, and the smallest by trying all of them."""

from dataclasses import replace
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest

from sdlc_cli.core.errors import ConfigError
from sdlc_cli.plan.model import Mode, Objective, Project, Schedule
from sdlc_cli.plan.relax import Relaxation, relaxations
from sdlc_cli.plan.verdict import misses
from sdlc_cli.plan.whatif import apply

Tiny = Any


@pytest.fixture
def tight(tiny: Tiny) -> Project:
    """Three tasks of 4 hours for one developer, and one of the reviewer: 12 hours and a day."""
    tasks = (
        tiny.task("a", 4, tiny.skill("dev")),
        tiny.task("b", 4, tiny.skill("dev")),
        tiny.task("c", 4, tiny.skill("dev")),
        tiny.task("r", 2, tiny.skill("review"), after=["a"]),
    )
    return Project(
        start=tiny.START,
        timezone="Europe/Berlin",
        tasks=tasks,
        resources=(tiny.person("ana", "dev", usd=10), tiny.person("cy", "review", usd=10)),
        calendar=tiny.OFFICE,
        deadline=8,
    )


def found(tiny: Tiny, project: Project) -> list[Relaxation]:
    """The relaxations, each held against its own project."""
    plan = tiny.best(project)
    made = list(relaxations(project, plan, tiny.best))
    for one in made:
        after = apply(project, one.changes)
        assert not misses(after, one.schedule)
        again = tiny.best(after)
        assert not misses(after, again)
    return made


def words(made: list[Relaxation]) -> list[str]:
    return [", ".join(change.written for change in one.changes) for one in made]


def test_people_or_time(tiny: Tiny, tight: Project) -> None:
    made = found(tiny, tight)

    assert words(made) == ["dev+1", "deadline+20h"]
    assert tiny.best(tight).makespan == 28, "the next morning"
    shorter = replace(tight, deadline=27)
    assert misses(shorter, tiny.best(shorter)), "19 hours would not do"


def test_money(tiny: Tiny, tight: Project) -> None:
    dear = (
        Mode(id="cheap", duration=9, cost_usd=Decimal("1.255")),
        Mode(id="quick", duration=2, cost_usd=Decimal("12.501")),
    )
    project = replace(
        tight, tasks=(tiny.Task(id="x", modes=dear),), budget_usd=Decimal(5), calendar=tiny.ALWAYS
    )

    made = found(tiny, project)

    assert words(made) == ["deadline+1h", "budget+7.51"]


def test_a_deadline_of_one_task(tiny: Tiny, tight: Project) -> None:
    late = replace(tight.tasks[3], deadline=5)
    project = replace(tight, deadline=None, tasks=(*tight.tasks[:3], late))

    made = found(tiny, project)

    assert words(made) == ["r.deadline+1h"]


def test_two_at_once_where_one_is_not_enough(tiny: Tiny) -> None:
    project = Project(
        start=tiny.START,
        calendar=tiny.ALWAYS,
        tasks=(
            tiny.Task(id="x", modes=(Mode(duration=5, cost_usd=Decimal(20)),)),
            tiny.task("y", 3),
        ),
        deadline=4,
        budget_usd=Decimal(8),
    )

    made = found(tiny, project)

    assert words(made) == ["deadline+1h, budget+12.00"]


def test_more_of_what_no_plan_can_do_without(tiny: Tiny) -> None:
    project = Project(
        start=tiny.START,
        calendar=tiny.ALWAYS,
        tasks=(tiny.task("x", 5, tiny.unit("gpu", 13)),),
        resources=(tiny.Resource(id="gpu", capacity=2),),
    )

    def solve(one: Project, objective: Objective) -> Schedule:
        if one.resources[0].capacity < 13:
            raise ConfigError("x needs 13 gpu")
        plan: Schedule = tiny.best(one, objective)
        return plan

    made = relaxations(project, None, solve)

    assert words(list(made)) == ["gpu+11"]


def test_it_gives_up_after_so_many_tries(tiny: Tiny, tight: Project) -> None:
    tries = 0

    def solve(project: Project, objective: Objective) -> Schedule:
        nonlocal tries
        tries += 1
        plan: Schedule = tiny.best(project, objective)
        return plan

    hopeless = replace(tight, deadline=1)
    relaxations(hopeless, tiny.best(hopeless), solve, most=5)

    assert 0 < tries <= 5


def test_more_never_helps_less(tiny: Tiny, tight: Project) -> None:
    spans = [tiny.best(apply(tight, one.changes)).makespan for one in found(tiny, tight)]

    assert all(a <= b for a, b in pairwise(spans))
