"""Monte-Carlo: the percentiles are met, the order stays, the same seed gives the same answer."""

import math
from dataclasses import replace
from statistics import NormalDist
from typing import Any

import numpy as np
import pytest

from sdlc_cli.plan.model import Project, Schedule
from sdlc_cli.plan.risk import assess, percentiles

Tiny = Any


@pytest.mark.parametrize(
    ("low", "middle", "high"), [(4, 6, 12), (1, 2, 3), (0, 5, 20), (5, 5, 9), (30, 100, 101)]
)
def test_the_three_percentiles_are_met(low: int, middle: int, high: int) -> None:
    normal = np.random.default_rng(1).standard_normal(200_000)

    drawn = percentiles(normal, low, middle, high)

    found = np.percentile(drawn, [10, 50, 90])
    assert found == pytest.approx([low, middle, high], rel=0.02, abs=0.05)
    assert drawn.min() >= 0


def test_the_same_seed_gives_the_same_answer(team: Project, planned: Schedule) -> None:
    once, again, other = (assess(team, planned, samples=300, seed=s) for s in (3, 3, 4))

    assert once == again
    assert once != other


def test_nothing_varies_without_percentiles(team: Project, planned: Schedule) -> None:
    sure = tuple(
        replace(task, modes=tuple(replace(m, low=None, high=None) for m in task.modes))
        for task in team.tasks
    )

    risk = assess(replace(team, tasks=sure), planned, samples=50)

    assert risk.uncertain == 0
    assert {finish for _level, finish in risk.finish} == {planned.makespan}
    assert {cost for _level, cost in risk.cost_usd} == {planned.cost_usd}
    assert (risk.planned, risk.on_time, risk.in_budget) == (1.0, 1.0, 1.0)
    assert all(driver.share == 0 for driver in risk.drivers)
    assert {d.task for d in risk.drivers if d.critical == 1} == {
        "design", "docs", "schema", "client", "review", "ship",
    }  # fmt: skip


def test_one_uncertain_task_drives_the_finish(tiny: Tiny) -> None:
    project = Project(
        start=tiny.START,
        calendar=tiny.ALWAYS,
        tasks=(
            tiny.task("a", 100, low=80, high=130),
            tiny.task("b", 5, after=["a"]),
            tiny.task("c", 3),
        ),
        deadline=140,
    )
    plan = Schedule(
        placements=(
            tiny.Placement(task="a", start=0, finish=100),
            tiny.Placement(task="b", start=100, finish=105),
            tiny.Placement(task="c", start=0, finish=3),
        ),
        makespan=105,
    )

    risk = assess(project, plan, samples=20_000, seed=5)

    assert dict(risk.finish)[50] == pytest.approx(105, abs=1)
    # 130 is the 90th percentile, and the upper half is lognormal
    assert dict(risk.finish)[95] == pytest.approx(5 + 100 * 1.3 ** (1.6449 / 1.2816), abs=1.5)
    assert risk.planned == pytest.approx(0.5, abs=0.02)
    in_time = NormalDist().cdf(1.2816 * math.log(1.355) / math.log(1.3))  # 135.5 is rounded up
    assert risk.on_time == pytest.approx(in_time, abs=0.01)
    assert (risk.drivers[0].task, risk.drivers[0].share) == ("a", 1.0)
    assert {d.task: d.critical for d in risk.drivers} == {"a": 1.0, "b": 1.0}


def test_a_person_of_half_time_takes_twice_as_long(tiny: Tiny) -> None:
    project = Project(
        start=tiny.START,
        calendar=tiny.ALWAYS,
        tasks=(tiny.task("a", 10, tiny.named("cy"), low=8, high=14),),
        resources=(replace(tiny.person("cy", percent=50, usd=60), calendar=tiny.ALWAYS),),
    )
    held = (("cy", 1),)
    plan = Schedule(
        placements=(tiny.Placement(task="a", start=0, finish=20, resources=held),),
        makespan=20,
        cost_usd=tiny.Decimal(600),
    )

    risk = assess(project, plan, samples=4000)

    assert dict(risk.finish)[50] == pytest.approx(20, abs=1)
    assert dict(risk.finish)[95] > 28
    hours = dict(risk.finish)[95]
    assert float(dict(risk.cost_usd)[95]) == pytest.approx(hours * 30, abs=31)


def test_running_work_is_not_done_before_now(tiny: Tiny) -> None:
    task = tiny.task("a", 10, low=5, high=30, status="running", started=0)
    project = Project(start=tiny.START, calendar=tiny.ALWAYS, tasks=(task,), now=20)
    plan = Schedule(placements=(tiny.Placement(task="a", start=0, finish=20),), makespan=20)

    risk = assess(project, plan, samples=4000)

    finishes = dict(risk.finish)
    assert finishes[50] > 20, "what lasted 20 already is one of the long ones"
    assert finishes[95] > finishes[80] > finishes[50]


def test_calendars_are_long_enough_for_every_sample(tiny: Tiny) -> None:
    project = Project(
        start=tiny.START,
        timezone="Europe/Berlin",
        tasks=(tiny.task("a", 2, tiny.named("ana"), low=1, high=100),),
        resources=(tiny.person("ana"),),
    )
    held = (("ana", 1),)
    placed = (tiny.Placement(task="a", start=0, finish=2, resources=held),)

    risk = assess(project, Schedule(placements=placed, makespan=2), samples=2000)

    assert dict(risk.finish)[95] > 168, "100 hours of work are more than two weeks"


def test_what_most_likely_takes_no_time_takes_none_half_of_the_time(tiny: Tiny) -> None:
    tasks = (tiny.task("a", 0, tiny.named("ana"), low=0, high=4),)
    night = tiny.START.replace(hour=0)
    project = Project(
        start=night, timezone="Europe/Berlin", tasks=tasks, resources=(tiny.person("ana"),)
    )
    held = (("ana", 1),)
    plan = Schedule(
        placements=(tiny.Placement(task="a", start=0, finish=0, resources=held),), makespan=0
    )

    risk = assess(project, plan)

    assert 0.5 <= risk.planned < 0.6, "rounded to the hour"
    assert dict(risk.finish)[50] == 0, "nothing waits for the office to open"
    assert dict(risk.finish)[80] == 12


def test_a_p10_of_nothing_is_met(tiny: Tiny) -> None:
    task = replace(tiny.task("a", 10, low=0, high=20), deadline=0)
    project = Project(start=tiny.START, tasks=(task,))
    plan = Schedule(placements=(tiny.Placement(task="a", start=0, finish=10),), makespan=10)

    risk = assess(project, plan)

    assert risk.on_time == pytest.approx(0.1, abs=0.03), "those that take no time"
