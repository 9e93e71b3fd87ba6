"""Where slots lie on the axis, and what its marks say."""

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

import pytest

from sdlc_cli.plan import report
from sdlc_cli.plan.model import Project, Schedule
from sdlc_cli.plan.report import Sheet
from sdlc_cli.plan.report.axis import Axis, load

Sheets = dict[str, Callable[[], Sheet]]


def test_hours_in_which_nobody_works_take_no_room(sheets: Sheets) -> None:
    sheet = sheets["plan"]()
    axis, whole = Axis(sheet), Axis(sheet, whole=True)

    assert (axis.length, whole.length) == (42, 79)
    assert axis.x(0) == 0
    assert axis.x(79) == 1
    assert axis.x(8) == axis.x(24), "a night between"
    assert whole.x(8) < whole.x(24)


def test_every_day_has_the_date_of_its_first_work(sheets: Sheets) -> None:
    ticks = Axis(sheets["plan"]()).ticks(0.05)

    assert [tick.label for tick in ticks] == ["08-03", "08-04", "08-05", "08-06"]
    assert ticks[1].x == Axis(sheets["plan"]()).x(24)


def test_marks_keep_their_distance(sheets: Sheets) -> None:
    for name in ("plan", "many", "abstract", "hostile"):
        for least in (0.02, 0.1, 0.3, 0.7):
            xs = [tick.x for tick in Axis(sheets[name]()).ticks(least)]
            assert all(b - a >= least for a, b in pairwise(xs))
            assert xs


@pytest.mark.parametrize(
    ("seconds", "shape"),
    [(60, r"^\d\d:\d\d$"), (3600, r"^\d\d-\d\d$"), (86_400, r"^\d{4}-\d\d-\d\d$")],
)
def test_marks_fit_the_length_of_the_plan(
    sheets: Sheets, team: Project, planned: Schedule, seconds: int, shape: str
) -> None:
    longer = replace(team, unit_seconds=seconds, start=team.start + timedelta(days=120))
    calendar = sheets["abstract"]().project.calendar
    always = tuple(replace(one, calendar=calendar) for one in team.resources)
    made = report.sheet(replace(longer, resources=always), planned)

    labels = [tick.label for tick in Axis(made).ticks(0.1)]

    assert labels
    assert [label for label in labels if not re.match(shape, label)] == []


def test_the_load_is_what_is_held(sheets: Sheets) -> None:
    sheet = sheets["plan"]()
    axis = Axis(sheet)

    means = load(sheet, axis, "runner", axis.length)

    assert sum(means) == pytest.approx(1 + 5 + 2 * 6)
    assert max(means) == 2
    assert sum(load(sheet, axis, "runner", 10)) * axis.length / 10 == pytest.approx(18)
