"""The example projects are planned, and every plan keeps every rule."""

from pathlib import Path

import pytest

from sdlc_cli.plan import readers, search
from sdlc_cli.plan.check import violations
from sdlc_cli.plan.effort import Effort
from sdlc_cli.plan.model import Objective

EXAMPLES = Path(__file__).parents[2] / "examples" / "plan"


@pytest.mark.parametrize("objective", ["makespan", "cost", "quality"])
def test_the_release_is_planned_within_its_limits(objective: Objective) -> None:
    project = readers.load(EXAMPLES / "tasks.yaml")
    effort = Effort(seconds=None, schedules=2000, seed=1)

    plan = search.solve(project, objective=objective, effort=effort)

    assert violations(project, plan) == ()
    assert plan.feasible


def test_the_fifty_tasks_take_65_minutes_and_that_is_proved() -> None:
    project = readers.load(EXAMPLES / "fifty.yaml")

    plan = search.solve(project, effort=Effort(seconds=5))

    assert violations(project, plan) == ()
    assert (plan.makespan, plan.lower_bound, plan.proved_optimal) == (65, 65, True)
