"""The front over makespan, cost and quality, beside what trying all finds."""

from dataclasses import replace
from decimal import Decimal
from itertools import permutations

import pytest
from hypothesis import HealthCheck, given, settings

from sdlc_cli.plan import enumeration, pareto
from sdlc_cli.plan.check import violations
from sdlc_cli.plan.effort import Effort
from sdlc_cli.plan.model import Front, Project, Schedule
from tests.plan.conftest import release
from tests.plan.projects import front, tiny

CENT = Decimal("0.01")


def points(found: Front) -> list[tuple[int, Decimal, float]]:
    return sorted((s.makespan, s.cost_usd.quantize(CENT), s.quality) for s in found.schedules)


def dominates(a: Schedule, b: Schedule) -> bool:
    return a.makespan <= b.makespan and a.cost_usd <= b.cost_usd and a.quality >= b.quality


@settings(max_examples=15, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(tiny())
def test_the_front_of_a_small_project_is_what_trying_all_finds(project: Project) -> None:
    found = pareto.front(project, Effort(schedules=50))

    assert found.complete
    assert points(found) == sorted((m, c.quantize(CENT), q) for m, c, q in front(project))
    for plan in found.schedules:
        assert not violations(project, plan)


def test_a_front_that_is_searched_holds_whole_plans_none_better_than_another(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    project = replace(release(), tasks=release().tasks[:7])
    whole = pareto.front(project)
    monkeypatch.setattr(enumeration, "every_plan", lambda instance: None)

    found = pareto.front(project, Effort(schedules=20_000))

    assert whole.complete
    assert not found.complete
    assert len(found.schedules) > 1
    assert not any(dominates(a, b) for a, b in permutations(found.schedules, 2))
    for plan in found.schedules:
        assert not violations(project, plan)
        assert any(dominates(best, plan) for best in whole.schedules)
    assert len({*points(found)} & {*points(whole)}) > len(whole.schedules) // 2
