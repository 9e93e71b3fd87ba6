"""The checker finds each rule that is broken, and nothing in a plan that keeps them all."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from sdlc_cli.plan.check import violations
from sdlc_cli.plan.model import (
    Calendar,
    Consumable,
    Hours,
    Link,
    Mode,
    Need,
    Placement,
    Project,
    Resource,
    Schedule,
    Task,
)

WEEK = Calendar(hours=tuple(Hours(weekday=day, begin=540, end=1020) for day in range(5)))


def resource(name: str, amount: int = 1) -> Need:
    return Need(kind="resource", id=name, amount=amount)


def skill(name: str, amount: int = 1) -> Need:
    return Need(kind="skill", id=name, amount=amount)


def person(name: str) -> Need:
    return Need(kind="person", id=name)


def task(name: str, duration: int, *needs: Need, **more: Any) -> Task:
    return Task(id=name, modes=(Mode(duration=duration, needs=needs),), **more)


# Slot 0 is Monday at 9; Tuesday at 9 is slot 24.
PROJECT = Project(
    start=datetime(2026, 1, 5, 9, tzinfo=UTC),
    calendar=WEEK,
    resources=(
        Resource(id="alice", person=True, skills=frozenset(("api", "web")), calendar=WEEK,
                 usd_per_hour=Decimal(60)),
        Resource(id="bob", person=True, skills=frozenset(("api",)), calendar=WEEK, percent=50,
                 usd_per_hour=Decimal(40)),
        Resource(id="gpu", capacity=2, usd_per_hour=Decimal("1.5")),
    ),
    consumables=(Consumable(id="tokens", capacity=10),),
    budget_usd=Decimal(1100),
    tasks=(
        task("design", 8, person("alice")),
        Task(
            id="build",
            modes=(
                Mode(id="by hand", duration=4, needs=(skill("api"), resource("gpu")),
                     quality=1.5),
                Mode(id="by machine", duration=2, needs=(resource("gpu", 2),),
                     cost_usd=Decimal("7.25"), uses=(("tokens", 4),)),
            ),
            after=(Link(task="design", lag=2),),
            deadline=34, hard=False, late_usd_per_hour=Decimal(10), priority=3,
        ),
        task("page", 3, skill("web"), after=(Link(task="build", kind="SS"),)),
        task("talk", 1, skill("api", 2), release=50),
        task("done", 0, after=(Link(task="talk", kind="FF"),)),
    ),
    together=(("build", "page"),),
)  # fmt: skip
PLAN = Schedule(
    placements=(
        Placement(task="design", start=0, finish=8, resources=(("alice", 1),)),
        Placement(task="build", start=24, finish=32, resources=(("bob", 1), ("gpu", 1))),
        Placement(task="page", start=24, finish=27, resources=(("alice", 1),)),
        Placement(task="talk", start=50, finish=52, resources=(("bob", 1), ("alice", 1))),
        Placement(task="done", start=60, finish=60),
    ),
    makespan=60,
    cost_usd=Decimal(8 * 60 + 8 * 20 + 12 + 3 * 60 + 2 * 60 + 2 * 20),
    quality=1.5,
)  # fmt: skip


def changed(schedule: Schedule, name: str, **changes: Any) -> Schedule:
    return replace(
        schedule,
        placements=tuple(
            replace(place, **changes) if place.task == name else place
            for place in schedule.placements
        ),
    )


def kinds(project: Project, schedule: Schedule) -> set[str]:
    return {str(one.kind) for one in violations(project, schedule)} - {"total"}


def test_a_plan_that_keeps_every_rule_has_no_violation() -> None:
    assert violations(PROJECT, PLAN) == ()


@pytest.mark.parametrize(
    ("name", "changes", "kind"),
    [
        pytest.param("design", {"start": 1, "finish": 9}, "duration", id="works at night"),
        pytest.param("design", {"start": 0, "finish": 7}, "duration", id="too short"),
        pytest.param("design", {"start": 0, "finish": 24}, "duration", id="ends in a closed slot"),
        pytest.param("page", {"start": 23, "finish": 27}, "calendar", id="begins at night"),
        pytest.param("build", {"start": 9, "finish": 11, "mode": 1,
                               "resources": (("gpu", 2),)}, "link", id="lag"),
        pytest.param("done", {"start": 51, "finish": 51}, "link", id="finish before finish"),
        pytest.param("talk", {"start": 48, "finish": 50}, "release", id="release"),
        pytest.param("build", {"resources": (("gpu", 1),)}, "staffing", id="nobody"),
        pytest.param("build", {"resources": (("bob", 1),)}, "staffing", id="no resource"),
        pytest.param("build", {"resources": (("bob", 1), ("gpu", 2))}, "staffing", id="too much"),
        pytest.param("page", {"resources": (("bob", 1),)}, "staffing", id="without the skill"),
        pytest.param("page", {"resources": (("alice", 1), ("bob", 1))}, "staffing", id="one more"),
        pytest.param("page", {"resources": (("carol", 1),)}, "staffing", id="a stranger"),
        pytest.param("talk", {"resources": (("bob", 2),)}, "staffing", id="the same one twice"),
        pytest.param("design", {"resources": (("bob", 1),)}, "staffing", id="another person"),
        pytest.param("build", {"mode": 2}, "mode", id="no such mode"),
        pytest.param("page", {"start": 25, "finish": 28}, "together", id="not together"),
        pytest.param("page", {"resources": (("bob", 1),)}, "capacity", id="in two places"),
    ],
)  # fmt: skip
def test_each_broken_rule_is_found(name: str, changes: dict[str, Any], kind: str) -> None:
    assert kind in kinds(PROJECT, changed(PLAN, name, **changes))


def test_people_are_seated_so_that_every_skill_is_met() -> None:
    pair = task("pair", 2, skill("api"), skill("web"))
    project = replace(PROJECT, tasks=(pair,), together=())
    people = (("alice", 1), ("bob", 1))  # both know the api, and only Alice the web
    plan = Schedule(
        placements=(Placement(task="pair", start=0, finish=4, resources=people),),
        makespan=4,
        cost_usd=Decimal(4 * 60 + 4 * 20),
    )

    assert violations(project, plan) == ()
    both_web = replace(project, tasks=(task("pair", 2, skill("web", 2)),))
    assert kinds(both_web, plan) == {"staffing"}


def test_a_hard_deadline_costs_nothing_to_miss() -> None:
    project = replace(
        PROJECT,
        tasks=tuple(
            replace(t, deadline=30, hard=True) if t.id == "build" else t for t in PROJECT.tasks
        ),
    )

    assert {
        one.kind for one in violations(project, replace(PLAN, tardiness=6, feasible=False))
    } == {"deadline"}


def test_a_person_at_half_time_takes_twice_as_long() -> None:
    fast = changed(PLAN, "build", finish=28)

    assert kinds(PROJECT, fast) == {"duration"}


def test_tasks_are_there_once_and_in_order() -> None:
    first, *rest = PLAN.placements
    stranger = Placement(task="lunch", start=0, finish=0)

    assert "tasks" in kinds(PROJECT, replace(PLAN, placements=tuple(rest)))
    assert "tasks" in kinds(PROJECT, replace(PLAN, placements=(*PLAN.placements, first)))
    assert "tasks" in kinds(PROJECT, replace(PLAN, placements=(*PLAN.placements, stranger)))
    assert "tasks" in kinds(PROJECT, replace(PLAN, placements=(*rest, first)))


@pytest.mark.parametrize(
    ("changes", "missed"),
    [
        pytest.param({"budget_usd": Decimal("991.99")}, {"budget"}, id="budget"),
        pytest.param({"budget_usd": Decimal(992)}, set(), id="the budget to the cent"),
        pytest.param({"deadline": 59}, {"deadline"}, id="deadline of the whole"),
        pytest.param({"deadline": 60}, set(), id="in time"),
    ],
)
def test_limits_of_the_whole(changes: dict[str, Any], missed: set[str]) -> None:
    project = replace(PROJECT, **changes)

    assert {one.kind for one in violations(project, PLAN)} == missed | (
        {"total"} if missed else set()
    )
    assert {one.kind for one in violations(project, replace(PLAN, feasible=False))} == (
        missed or {"total"}
    )


def test_consumables_are_added_up() -> None:
    hasty = replace(
        changed(PLAN, "build", mode=1, start=24, finish=26, resources=(("gpu", 2),)),
        cost_usd=PLAN.cost_usd - 172 + 6 + Decimal("7.25"),
        quality=0,
    )
    short = replace(PROJECT, consumables=(Consumable(id="tokens", capacity=3),))

    assert violations(PROJECT, hasty) == ()
    assert kinds(short, hasty) == {"consumable"}


def test_a_soft_deadline_costs_and_breaks_nothing() -> None:
    late = PLAN.placements[1]
    late = replace(late, start=24, finish=32)
    project = replace(
        PROJECT,
        tasks=tuple(replace(t, deadline=30) if t.id == "build" else t for t in PROJECT.tasks),
    )

    assert {str(one.message) for one in violations(project, PLAN)} == {
        "the cost is $1012.000000, not $992",
        "the tardiness is 6, not 0",
    }
    told = replace(PLAN, cost_usd=Decimal(1012), tardiness=6)
    assert violations(project, told) == ()
    hard = replace(
        project, tasks=tuple(replace(t, hard=True) if t.id == "build" else t for t in project.tasks)
    )
    assert kinds(hard, told) == {"deadline"}


@pytest.mark.parametrize(
    "changes",
    [
        {"makespan": 61},
        {"cost_usd": Decimal("991.99")},
        {"quality": 1.4},
        {"tardiness": 1},
        {"feasible": False},
        {"lower_bound": 61},
    ],
)
def test_sums_are_those_of_the_placements(changes: dict[str, Any]) -> None:
    assert [one.kind for one in violations(PROJECT, replace(PLAN, **changes))] == ["total"]


def facts(**changes: Any) -> tuple[Project, Schedule]:
    """Design was done by Bob on Monday, Saturday's hours and all; build runs; it is Tuesday, 11."""
    tasks: dict[str, dict[str, Any]] = {
        "design": {"status": "done", "started": 0, "finished": 9, "people": ("bob",)},
        "build": {"status": "running", "started": 20, "mode": 1, "release": 90},
    }
    project = replace(
        PROJECT,
        now=26,
        tasks=tuple(replace(t, **tasks.get(t.id, {}) | changes) if t.id in tasks else t
                    for t in PROJECT.tasks),
    )  # fmt: skip
    plan = changed(PLAN, "design", finish=9, resources=(("bob", 1),))
    plan = changed(plan, "build", start=20, finish=26, mode=1, resources=(("gpu", 2),))
    plan = changed(plan, "page", start=27, finish=30)
    cost = 8 * 20 + Decimal("7.25") + 6 * 2 * Decimal("1.5") + 3 * 60 + 2 * 60 + 2 * 20
    return project, replace(plan, cost_usd=cost, quality=0)


def test_what_has_begun_is_as_it_is() -> None:
    project, plan = facts()

    assert violations(project, plan) == ()


@pytest.mark.parametrize(
    ("name", "changes", "kind"),
    [
        pytest.param("design", {"finish": 8}, "fact", id="another finish"),
        pytest.param("build", {"start": 24}, "fact", id="another start"),
        pytest.param(
            "build", {"mode": 0, "resources": (("bob", 1), ("gpu", 1))}, "fact", id="mode"
        ),
        pytest.param("design", {"resources": (("alice", 1),)}, "staffing", id="other people"),
        pytest.param("build", {"finish": 22}, "duration", id="over before now"),
        pytest.param("page", {"start": 24, "finish": 27}, "release", id="before now"),
    ],
)
def test_facts_stay(name: str, changes: dict[str, Any], kind: str) -> None:
    project, plan = facts()

    assert kind in kinds(project, changed(plan, name, **changes))


def test_facts_among_themselves_break_no_capacity() -> None:
    both: dict[str, Any] = {"status": "done", "started": 0, "finished": 8, "people": ("alice",)}
    project = replace(PROJECT, tasks=(task("a", 8, person("alice"), **both),
                                      task("b", 8, person("alice"), **both)),
                      together=())  # fmt: skip
    placed: dict[str, Any] = {"start": 0, "finish": 8, "resources": (("alice", 1),)}
    plan = Schedule(placements=(Placement(task="a", **placed), Placement(task="b", **placed)),
                    makespan=8, cost_usd=Decimal(960))  # fmt: skip

    assert violations(project, plan) == ()
    moving = replace(project, tasks=(project.tasks[0], task("b", 8, person("alice"))))
    assert kinds(moving, plan) == {"capacity"}


def test_a_task_with_a_calendar_of_its_own_keeps_to_that() -> None:
    weekend = Calendar(hours=(Hours(weekday=5, begin=540, end=1020),))
    project = replace(PROJECT, tasks=(task("move", 2, person("alice"), calendar=weekend),),
                      together=())  # fmt: skip
    plan = Schedule(
        placements=(Placement(task="move", start=120, finish=122, resources=(("alice", 1),)),),
        makespan=122, cost_usd=Decimal(120),
    )  # fmt: skip

    assert violations(project, plan) == ()
    assert kinds(project, changed(plan, "move", start=0, finish=2)) == {"calendar", "duration"}
