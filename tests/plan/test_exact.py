"""CP-SAT on whole projects: the same optimum as the search finds, and a bound that holds."""

import threading
import time

import pytest

from sdlc_cli.plan import bounds, exact, general, search
from sdlc_cli.plan.check import violations
from sdlc_cli.plan.compiling import compile_
from sdlc_cli.plan.decode import schedule
from sdlc_cli.plan.effort import Effort, Progress
from sdlc_cli.plan.goal import goal
from sdlc_cli.plan.meeting import Meeting
from tests.bench.plan_team import peer, project


def test_a_team_of_many_calendars_is_planned_as_early_by_cp_sat() -> None:
    instance = compile_(project(1, 12))
    target = goal(instance)
    ours = general.search(instance, Effort(schedules=3000), target)

    found, bound = exact.solve(instance, ours, Effort(seconds=30), target)

    assert found is not None
    assert found.proved
    assert bound == found.makespan == ours.makespan


def test_the_model_of_the_benchmark_gives_plans_that_hold() -> None:
    team = project(1, 12)
    instance = compile_(team)
    target = goal(instance)
    ours = general.search(instance, Effort(schedules=3000), target)

    found = peer(instance, 30, ours.makespan + 50)

    assert found is not None
    assert found.proved
    assert found.makespan == ours.makespan
    assert violations(team, schedule(team, instance, found, target)) == ()


class Looking:
    """A watch that notes what it sees, and at some moment has seen enough, or is interrupted."""

    def __init__(self, until: float = 60.0, *, interrupt: bool = False) -> None:
        self.seen: list[Progress] = []
        self.end = time.monotonic() + until
        self.interrupt = interrupt

    def __call__(self, progress: Progress) -> bool:
        self.seen.append(progress)
        if time.monotonic() < self.end:
            return True
        if self.interrupt:
            raise KeyboardInterrupt
        return False


@pytest.mark.parametrize("effort", [
    pytest.param(Effort(seconds=20, jobs=2), id="beside"),
    pytest.param(Effort(seconds=5, jobs=1), id="after"),
    pytest.param(Effort(schedules=600, seconds=None, jobs=2), id="after so many schedules"),
])  # fmt: skip
def test_the_search_ends_as_soon_as_cp_sat_has_the_proof(effort: Effort) -> None:
    team = project(1, 12)
    watch = Looking()
    begin = time.monotonic()

    plan = search.solve(team, effort=effort, exact=True, watch=watch)

    assert plan.proved_optimal
    assert plan.makespan == plan.lower_bound > bounds.makespan(compile_(team))
    assert violations(team, plan) == ()
    assert effort.seconds is None or time.monotonic() - begin < effort.seconds
    assert all(p.bound <= plan.makespan <= p.makespan for p in watch.seen)


@pytest.mark.parametrize("jobs", [1, 2])
@pytest.mark.parametrize("interrupt", [True, False])
def test_who_ends_the_search_ends_cp_sat_too(jobs: int, interrupt: bool) -> None:
    team = project(2, 60)
    watch = Looking(until=3.5, interrupt=interrupt)
    threads = threading.active_count()
    begin = time.monotonic()

    plan = search.solve(team, effort=Effort(seconds=10, jobs=jobs), exact=True, watch=watch)

    assert time.monotonic() - begin < 8
    assert violations(team, plan) == ()
    assert threading.active_count() == threads


def test_a_bound_that_is_met_ends_both() -> None:
    class Solver:
        stopped = 0

        def stop_search(self) -> None:
            self.stopped += 1

    instance = compile_(project(1, 12))
    begun = Progress(makespan=90, bound=50, schedules=7, seconds=0.0)
    watch = Looking()
    free, bounded = (Meeting(goal(instance), limits, watch, begun) for limits in (False, True))
    for meeting in (free, bounded):
        solver = Solver()
        assert meeting.enter(solver)
        assert meeting.heard(Progress(makespan=80, bound=50, schedules=1, seconds=0.1))
        meeting.proved(79)
        assert not solver.stopped
        meeting.proved(80)

        assert bool(solver.stopped) == (meeting is free)  # the other's may be a plan that is late
        assert meeting.heard(watch.seen[-1]) == (meeting is bounded)
        assert (watch.seen[-1].makespan, watch.seen[-1].bound) == (80, 80)
    bounded.planned(80)
    assert solver.stopped
