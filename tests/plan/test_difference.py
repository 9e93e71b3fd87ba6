"""Two plans side by side, also from the JSON of an earlier run."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from sdlc_cli.core.errors import ConfigError
from sdlc_cli.plan import difference, report
from sdlc_cli.plan.model import Project, Schedule
from sdlc_cli.plan.report import json


@pytest.fixture
def old(team: Project, planned: Schedule, tmp_path: Path) -> Path:
    path = tmp_path / "old.json"
    path.write_text(json.render(report.sheet(team, planned)), encoding="utf-8")
    return path


def test_a_plan_is_read_as_it_was_written(team: Project, planned: Schedule, old: Path) -> None:
    read = difference.read(old, team)

    found = difference.compare(read, difference.plan_of(team, planned))

    assert (found.changed, found.added, found.removed, found.same) == ((), (), (), 10)
    assert read.cost_usd == planned.cost_usd


def test_what_changed_is_told_by_how_far_it_moved(
    team: Project, planned: Schedule, old: Path
) -> None:
    places = list(planned.placements)
    places[8] = replace(places[8], start=72, finish=77)
    places[3] = replace(places[3], resources=(("bo", 1),))
    places[6] = replace(places[6], mode=0, finish=64)
    new = replace(planned, placements=tuple(places))

    found = difference.compare(difference.read(old, team), difference.plan_of(team, new))

    assert [(c.task, c.moved) for c in found.changed] == [
        ("docs", 66), ("evaluate", 0), ("client", 0),
    ]  # fmt: skip
    assert found.changed[1].mode == ("large", "small")
    assert (found.changed[2].gained, found.changed[2].lost) == (("bo",), ("ana",))
    assert found.same == 7


def test_tasks_come_and_go(team: Project, planned: Schedule, old: Path) -> None:
    tasks = (*team.tasks[:9], replace(team.tasks[9], id="launch"))
    places = (*planned.placements[:9], replace(planned.placements[9], task="launch"))
    project = replace(team, tasks=tasks)
    new = difference.plan_of(project, replace(planned, placements=places))

    found = difference.compare(difference.read(old, project), new)

    assert (found.added, found.removed) == (("launch",), ("ship",))


def test_another_start_of_the_project_moves_nothing(
    team: Project, planned: Schedule, old: Path
) -> None:
    later = replace(team, start=team.start + timedelta(hours=24))

    read = difference.read(old, later)

    assert read.tasks["schema"].start == planned.placements[1].start - 24


def test_what_is_kept_is_known_to_the_project(team: Project, old: Path) -> None:
    modes = (replace(team.tasks[6].modes[0], id="other"), team.tasks[6].modes[1])
    tasks = (*team.tasks[:6], replace(team.tasks[6], modes=modes), *team.tasks[7:9])
    project = replace(team, tasks=tasks)

    hint = difference.kept(difference.read(old, project), project)

    assert [p.task for p in hint.placements] == [task.id for task in tasks]
    assert dict(hint.placements[4].resources) == {"cy": 1}
    assert hint.placements[6].mode == 1


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="nothing"),
        pytest.param("{", id="half"),
        pytest.param("[1]", id="a list"),
        pytest.param('{"schema_version": 1}', id="another document"),
        pytest.param("\xff\xfe", id="binary"),
        pytest.param("[" * 100_000, id="deep"),
    ],
)
def test_what_is_no_plan_is_refused(team: Project, tmp_path: Path, text: str) -> None:
    path = tmp_path / "old.json"
    path.write_bytes(text.encode("latin-1"))

    with pytest.raises(ConfigError, match="no plan"):
        difference.read(path, team)


def test_a_file_that_is_not_there_is_told(team: Project, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"old\.json"):
        difference.read(tmp_path / "old.json", team)


def test_times_without_offset_are_refused(team: Project, old: Path) -> None:
    old.write_text(old.read_text(encoding="utf-8").replace(":00Z", ":00"), encoding="utf-8")

    with pytest.raises(ConfigError, match="no plan"):
        difference.read(old, team)
