"""Slack and critical tasks: tried against the plan itself, shifted by a slot."""

from dataclasses import replace
from typing import Any, get_args

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sdlc_cli.plan import network, walks
from sdlc_cli.plan.model import Link, LinkKind, Project, Schedule
from sdlc_cli.plan.network import Network

Tiny = Any  # the module of conftest.py, as a fixture


def shifted(made: Network, i: int, slots: int) -> tuple[int, bool]:
    """The makespan, and whether a hard deadline is missed, when task `i` starts so much later."""
    placed = made.schedule.placements
    floor = [p.start for p in placed]
    work = made.worktimes[i].slots
    if work is None or not made.duration[i]:
        floor[i] += slots
    else:
        floor[i] = int(work[np.searchsorted(work, floor[i]) + slots])
    durations = [np.array([d], np.int64) for d in made.duration]
    _starts, ends = walks.earliest(made, durations, floor)
    late = any(
        t.hard and t.deadline is not None and e[0] > max(t.deadline, p.finish)
        for t, e, p in zip(made.project.tasks, ends, placed, strict=True)
    )
    return max(int(end[0]) for end in ends), late


def held(made: Network) -> None:
    """Every task may start later by its slack, and by no slot more."""
    for i, slack in enumerate(walks.slack(made)):
        assert slack is not None
        assert shifted(made, i, slack) == (made.schedule.makespan, False)
        span, late = shifted(made, i, slack + 1)
        assert span > made.schedule.makespan or late


def test_slack_is_what_a_task_may_lose(team: Project, planned: Schedule) -> None:
    made = network.build(team, planned, 400)

    held(made)

    slack = dict(zip((t.id for t in team.tasks), walks.slack(made), strict=True))
    assert slack == {
        "design": 0, "schema": 0, "service": 1, "client": 0, "review": 0, "build": 10,
        "evaluate": 10, "load": 10, "docs": 0, "ship": 0,
    }  # fmt: skip


@settings(max_examples=100)
@given(data=st.data())
def test_slack_of_any_plan(tiny: Tiny, data: st.DataObject) -> None:
    count = data.draw(st.integers(1, 7))
    kinds: st.SearchStrategy[LinkKind] = st.sampled_from(get_args(LinkKind))
    people = [tiny.person("ana", "dev"), tiny.person("cy", "dev", percent=50)]
    runner = replace(people[0], id="runner", person=False, capacity=2, calendar=tiny.ALWAYS)
    needs = st.sampled_from(
        [(), (tiny.skill("dev"),), (tiny.unit("runner"),), (tiny.unit("runner", 2),),
         (tiny.skill("dev"), tiny.unit("runner"))]
    )  # fmt: skip
    tasks = []
    for n in range(count):
        before = data.draw(st.sets(st.integers(0, n - 1), max_size=2)) if n else set()
        links = [
            Link(task=f"t{b}", kind=data.draw(kinds), lag=data.draw(st.integers(-2, 3)))
            for b in sorted(before)
        ]
        hours = data.draw(st.integers(0, 9))
        deadline = data.draw(st.one_of(st.none(), st.integers(1, 60)))
        tasks.append(tiny.task(f"t{n}", hours, *data.draw(needs), after=links, deadline=deadline))
    project = Project(
        start=tiny.START,
        timezone="Europe/Berlin",
        calendar=tiny.OFFICE,
        resources=(*people, runner),
        tasks=tuple(tasks),
    )
    plan = tiny.in_order(project)

    held(network.build(project, plan, plan.makespan + 600))


def test_capacity_holds_at_any_dates_that_keep_the_arcs(
    team: Project, planned: Schedule, tiny: Tiny
) -> None:
    made = network.build(team, planned, 2000)
    random = np.random.default_rng(1)
    for _round in range(50):
        longer = [np.array([d + random.integers(0, 9)], np.int64) for d in made.duration]
        starts, ends = walks.earliest(made, longer)

        for name, capacity in (("ana", 1), ("bo", 1), ("cy", 1), ("runner", 2)):
            used = np.zeros(2000, np.int64)
            for i, placed in enumerate(planned.placements):
                amount = dict(placed.resources).get(name, 0)
                used[made.worktimes[i].between(int(starts[i][0]), int(ends[i][0]))] += amount
            assert used.max() <= capacity


def test_the_plan_itself_comes_out_as_it_is(team: Project, planned: Schedule) -> None:
    made = network.build(team, planned, 400)

    starts, ends = walks.earliest(made, [np.array([d], np.int64) for d in made.duration])

    assert [int(s[0]) for s in starts] == [p.start for p in planned.placements]
    assert [int(e[0]) for e in ends] == [p.finish for p in planned.placements]


def test_done_work_has_no_slack_and_running_work_may_end_later(tiny: Tiny) -> None:
    tasks = (
        tiny.task("a", 4, tiny.named("ana"), status="done", started=0, finished=5),
        tiny.task("b", 4, tiny.named("ana"), status="running", started=5, after=["a"]),
        tiny.task("c", 20, tiny.named("bo"), after=["a"]),
    )
    project = Project(
        start=tiny.START,
        timezone="Europe/Berlin",
        tasks=tasks,
        resources=(tiny.person("ana"), tiny.person("bo")),
        now=6,
    )
    placed = (
        tiny.Placement(task="a", start=0, finish=5, resources=(("ana", 1),)),
        tiny.Placement(task="b", start=5, finish=25, resources=(("ana", 1),)),
        tiny.Placement(task="c", start=6, finish=74, resources=(("bo", 1),)),
    )
    made = network.build(project, Schedule(placements=placed, makespan=74))

    slack = walks.slack(made)

    assert slack[0] is None
    assert slack[1] == made.worktimes[1].count(25, 74)
    assert slack[2] == 0


def test_tasks_that_start_together_lose_time_together(tiny: Tiny) -> None:
    hours = {"a": 3, "b": 8, "c": 9}
    project = Project(
        start=tiny.START,
        calendar=tiny.ALWAYS,
        tasks=tuple(tiny.task(name, n) for name, n in hours.items()),
        together=(("a", "b"),),
    )
    placed = tuple(tiny.Placement(task=name, start=0, finish=n) for name, n in hours.items())
    made = network.build(project, Schedule(placements=placed, makespan=9))

    assert walks.slack(made) == (1, 1, 0)


@pytest.mark.parametrize("count", [3000])
def test_a_large_plan_is_worked_out_at_once(tiny: Tiny, count: int) -> None:
    tasks = tuple(
        tiny.task(f"t{n}", 3, tiny.unit("r", 2), after=[f"t{n - 7}"] if n > 6 else [])
        for n in range(count)
    )
    runner = tiny.Resource(id="r", capacity=8)
    project = Project(start=tiny.START, tasks=tasks, resources=(runner,), calendar=tiny.ALWAYS)
    placed = tuple(
        tiny.Placement(task=t.id, start=n // 4 * 6, finish=n // 4 * 6 + 3, resources=(("r", 2),))
        for n, t in enumerate(tasks)
    )

    made = network.build(project, Schedule(placements=placed, makespan=placed[-1].finish))

    assert len(walks.slack(made)) == count
