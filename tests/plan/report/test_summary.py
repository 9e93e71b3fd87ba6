"""Sentences about a plan say what they say: percentages, dollars, counts."""

from dataclasses import replace
from decimal import Decimal
from types import ModuleType

import pytest

from sdlc_cli.plan import difference, report
from sdlc_cli.plan.model import Placement, Project, Schedule
from sdlc_cli.plan.report import Sheet, answers, json, summary


@pytest.mark.parametrize(
    ("makespan", "bound", "above"),
    [(5, 4, "25.0 %"), (543, 401, "35.5 %"), (100_001, 100_000, "0.1 %")],
)
def test_above_the_shortest_is_a_share_of_the_shortest(
    team: Project, planned: Schedule, makespan: int, bound: int, above: str
) -> None:
    plan = replace(planned, makespan=makespan, lower_bound=bound)

    text = summary.bound_line(replace(report.sheet(team, planned), schedule=plan))

    assert text.endswith(f": at most {above} above the shortest")


@pytest.fixture
def late(team: Project, tiny: ModuleType) -> Sheet:
    """A plan whose review is late at $5 an hour."""
    tasks = tuple(
        replace(one, deadline=20, hard=False, late_usd_per_hour=Decimal(5))
        if one.id == "review"
        else replace(one, deadline=None)
        for one in team.tasks
    )
    project = replace(team, tasks=tasks, budget_usd=Decimal(9000))
    return report.sheet(project, tiny.in_order(project))


def test_what_being_late_costs_is_told_beside_the_budget(late: Sheet) -> None:
    plan = late.schedule
    paid = 5 * Decimal(plan.placements[4].finish - 20)
    words = {"all": summary.usd(plan.cost_usd), "cost": summary.usd(plan.cost_usd - paid)}

    held = summary.facts(late)[0]
    free = summary.facts(replace(late, project=replace(late.project, budget_usd=None)))[0]

    assert paid > 0
    assert held == "${all}: ${cost} of $9,000.00, and ${late} for being late".format(
        **words, late=summary.usd(paid)
    )
    assert free == f"${words['all']}, ${summary.usd(paid)} of it for being late"


def test_the_costs_of_the_tasks_are_that_of_the_plan(late: Sheet) -> None:
    answer = json.document(late)
    tasks = answer["tasks"]
    assert isinstance(tasks, list)

    paid = [Decimal(one["penalty_usd"]) for one in tasks]

    assert [bool(one) for one in paid] == [one["id"] == "review" for one in tasks]
    assert sum(paid) == Decimal(str(answer["penalty_usd"]))
    costs = sum(Decimal(one["cost_usd"]) for one in tasks) + sum(paid)
    assert costs == Decimal(str(answer["cost_usd"]))


def test_one_schedule_is_one(team: Project, planned: Schedule) -> None:
    line = summary.search_line(report.sheet(team, replace(planned, schedules_evaluated=1)))

    assert line.startswith("1 schedule in ")


def test_a_plan_as_short_as_its_bound_is_proved_whatever_was_wanted(
    team: Project, planned: Schedule
) -> None:
    met = replace(planned, objective="balanced", lower_bound=planned.makespan)
    texts = [
        summary.bound_line(report.sheet(team, replace(met, proved_optimal=proved)))
        for proved in (False, True)
    ]

    assert texts == ["Proved: no plan is shorter", "Proved: no plan is better by balance"]


def test_a_night_makes_no_task_longer(team: Project, planned: Schedule) -> None:
    """design takes 6 hours of ana's from Monday 9 on, or the same with a night between."""
    first = planned.placements[0]
    later = replace(first, start=4, finish=26)
    longer = replace(first, start=4, finish=27)

    def notes(placed: Placement) -> list[object]:
        moved = replace(planned, placements=(placed, *planned.placements[1:]))
        compared = difference.compare(
            difference.plan_of(team, planned), difference.plan_of(team, moved)
        )
        sheet = replace(report.sheet(team, planned), difference=compared)
        (part,) = answers.parts(sheet)
        assert part.table
        return [row[3] for row in part.table.rows]

    assert first.finish - first.start == 6
    assert notes(later) == [""]
    assert notes(longer) == ["1 h more work"]
