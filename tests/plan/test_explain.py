"""Why a task has its date: the chain, and each kind of reason."""

from dataclasses import replace
from typing import Any

import pytest

from sdlc_cli.plan import network, walks
from sdlc_cli.plan.explain import Explainer, Step, order_of
from sdlc_cli.plan.model import Link, Project, Schedule

Tiny = Any


def explained(project: Project, schedule: Schedule) -> Explainer:
    return Explainer(network.build(project, schedule))


def test_the_chain_of_the_last_task(team: Project, planned: Schedule) -> None:
    made = network.build(team, planned)
    steps = Explainer(made).critical_chain(walks.slack(made))

    assert [(s.task, s.because, s.of, s.resource) for s in steps] == [
        ("ship", "link", "review", ""),
        ("review", "link", "client", ""),
        ("client", "link", "schema", ""),
        ("schema", "resource", "docs", "ana"),
        ("docs", "resource", "design", "ana"),
        ("design", "start", "", ""),
    ]
    assert order_of(steps)[0] == "design"
    assert steps[3].ready == 6, "design was finished then"


def test_every_task_of_the_chain_is_critical(team: Project, planned: Schedule) -> None:
    made = network.build(team, planned)
    slack = walks.slack(made)
    by_id = dict(zip((task.id for task in team.tasks), slack, strict=True))

    assert {by_id[step.task] for step in Explainer(made).critical_chain(slack)} == {0}


def test_the_chain_ends_where_a_day_off_leaves_slack(tiny: Tiny) -> None:
    ana = tiny.person("ana")
    monday = replace(ana.calendar, days_off=frozenset({tiny.START.date()}))
    bo = replace(tiny.person("bo"), calendar=monday)
    tasks = (
        tiny.task("early", 1, tiny.named("ana")),
        tiny.task("late", 2, tiny.named("bo"), after=["early"]),
        tiny.task("end", 1, tiny.named("bo"), after=["late"]),
    )
    project = Project(start=tiny.START, timezone="Europe/Berlin", tasks=tasks, resources=(ana, bo))
    placed = tuple(
        tiny.Placement(task=name, start=start, finish=finish, resources=((who, 1),))
        for name, start, finish, who in (
            ("early", 5, 6, "ana"), ("late", 24, 26, "bo"), ("end", 26, 27, "bo")
        )
    )  # fmt: skip
    made = network.build(project, Schedule(placements=placed, makespan=placed[-1].finish))

    slack = walks.slack(made)

    assert slack == (2, 0, 0)
    assert order_of(Explainer(made).critical_chain(slack)) == ("late", "end")
    assert [s.task for s in Explainer(made).chain("end")] == ["end", "late", "early"]


def one(tiny: Tiny, start: int, *before: tuple[str, int, int], now: int = 0, **more: Any) -> Step:
    """The reason of a task of 2 hours at `start`, beside tasks of ana that are placed."""
    others = [tiny.task(name, end - begin, tiny.named("ana")) for name, begin, end in before]
    after = more.pop("after", ())
    mine = tiny.task("x", 2, tiny.named("ana"), after=after, **more)
    project = Project(
        start=tiny.START,
        timezone="Europe/Berlin",
        tasks=(*others, mine),
        resources=(replace(tiny.person("ana"), capacity=1),),
        now=now,
    )
    held = (("ana", 1),)
    placed = [
        tiny.Placement(task=name, start=begin, finish=end, resources=held)
        for name, begin, end in before
    ]
    placed.append(tiny.Placement(task="x", start=start, finish=start + 2, resources=held))
    plan = Schedule(placements=tuple(placed), makespan=max(p.finish for p in placed))
    return explained(project, plan).reason(len(before))


@pytest.mark.parametrize(
    ("start", "before", "more", "because", "of", "ready"),
    [
        pytest.param(0, [], {}, "start", "", 0, id="the start"),
        pytest.param(3, [], {"release": 3}, "release", "", 3, id="a release"),
        pytest.param(4, [], {"now": 4}, "now", "", 4, id="now"),
        pytest.param(2, [("a", 0, 2)], {}, "resource", "a", 0, id="a person"),
        pytest.param(2, [("a", 0, 2)], {"after": ["a"]}, "link", "a", 2, id="a link"),
        pytest.param(
            24, [("a", 6, 8)], {"after": ["a"]}, "link", "a", 8, id="a link, then a night"
        ),
        pytest.param(24, [], {"release": 9}, "release", "", 9, id="a release, then a night"),
        pytest.param(5, [], {}, "choice", "", 0, id="nothing"),
        pytest.param(6, [("a", 0, 2)], {}, "choice", "", 2, id="nothing since ana is free"),
        pytest.param(
            5, [("a", 0, 2)], {"after": [Link(task="a", lag=3)]}, "link", "a", 5, id="a lag"
        ),
        pytest.param(
            4, [("a", 2, 4), ("b", 0, 1)], {}, "resource", "a", 0, id="a gap that is too small"
        ),
        pytest.param(
            6,
            [("a", 0, 6)],
            {"after": [Link(task="a", kind="FF", lag=2)]},
            "link",
            "a",
            6,
            id="a finish after a finish",
        ),
    ],
)
def test_reasons(
    tiny: Tiny,
    start: int,
    before: list[tuple[str, int, int]],
    more: dict[str, Any],
    because: str,
    of: str,
    ready: int,
) -> None:
    step = one(tiny, start, *before, **more)

    assert (step.because, step.of, step.ready) == (because, of, ready)


def test_a_fact_needs_no_reason(tiny: Tiny) -> None:
    assert one(tiny, 5, status="running", started=5).because == "fact"


def test_a_task_waits_for_the_one_that_it_starts_with(tiny: Tiny) -> None:
    project = Project(
        start=tiny.START,
        calendar=tiny.ALWAYS,
        tasks=(tiny.task("a", 2), tiny.task("b", 2, release=7)),
        together=(("a", "b"),),
    )
    placed = tuple(tiny.Placement(task=name, start=7, finish=9) for name in "ab")

    steps = explained(project, Schedule(placements=placed, makespan=9)).chain("a")

    assert [(s.task, s.because) for s in steps] == [("a", "together"), ("b", "release")]


def test_all_holders_of_a_shared_resource_are_told(tiny: Tiny) -> None:
    project = Project(
        start=tiny.START,
        calendar=tiny.ALWAYS,
        tasks=(
            tiny.task("a", 3, tiny.unit("gpu")),
            tiny.task("b", 4, tiny.unit("gpu")),
            tiny.task("c", 2, tiny.unit("gpu", 2)),
        ),
        resources=(tiny.Resource(id="gpu", capacity=2),),
    )
    placed = tuple(
        tiny.Placement(task=name, start=begin, finish=end, resources=(("gpu", amount),))
        for name, begin, end, amount in (("a", 0, 3, 1), ("b", 0, 4, 1), ("c", 4, 6, 2))
    )

    step = explained(project, Schedule(placements=placed, makespan=6)).reason(2)

    assert (step.because, step.of, step.others, step.resource) == ("resource", "b", (), "gpu")
