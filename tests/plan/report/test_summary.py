"""Sentences about a plan say what they say: percentages, dollars, counts."""

from dataclasses import replace

import pytest

from sdlc_cli.plan import report
from sdlc_cli.plan.model import Project, Schedule
from sdlc_cli.plan.report import summary


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
