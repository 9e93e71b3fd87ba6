"""CP-SAT on whole projects: the same optimum as the search finds, and a bound that holds."""

import pytest

from sdlc_cli.plan import exact, general
from sdlc_cli.plan.check import violations
from sdlc_cli.plan.compiling import compile_
from sdlc_cli.plan.decode import schedule
from sdlc_cli.plan.effort import Effort
from sdlc_cli.plan.goal import goal
from tests.bench.plan_team import project


@pytest.mark.parametrize("strict", [True, False])
def test_a_team_of_many_calendars_is_planned_as_early_by_cp_sat(strict: bool) -> None:
    team = project(1, 12)
    instance = compile_(team)
    target = goal(instance)
    ours = general.search(instance, Effort(schedules=3000), target)

    found, bound = exact.solve(
        instance,
        None if strict else ours,
        Effort(seconds=30),
        target,
        horizon=ours.makespan + 50,
        strict=strict,
    )

    assert found is not None
    assert found.proved
    assert bound == found.makespan == ours.makespan
    if strict:
        assert violations(team, schedule(team, instance, found, target)) == ()
