"""Tables, Jira exports and GitHub issues: what they come to, and what is told of broken ones."""

import json
import re
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from sdlc_cli.core.errors import ConfigError, NothingToDo, UsageError
from sdlc_cli.plan import readers
from sdlc_cli.plan.model import Link, Need, Project

TODAY = date(2026, 3, 2)  # a Monday
CSV = """\
ID;Name;Duration;People;Needs;After;Deadline;Priority;Started;Remarks
design;"Design; with care";2d;alice;;;;2;2026-03-02 09:00;as agreed
build;Build;1d;alice;gpu=2;design;2026-03-10;;;
test;"Test
all of it";4h;bob;gpu;"design SS+1d; build FF -2h";;;;
"""
JIRA = """\
Summary,Issue key,Issue id,Issue Type,Status,Priority,Assignee,Due date,Original estimate,\
Remaining Estimate,Inward issue link (Blocks),Inward issue link (Blocks),\
Outward issue link (Blocks),Custom field (Story Points),Parent id
The epic,SH-1,1001,Epic,In Progress,High,,,,,,,,,
Design,SH-2,1002,Story,Done,High,Alice,,28800,0,,,SH-3,,1001
Build,SH-3,1003,Story,In Progress,Highest,Alice,24/Mar/26 12:00 AM,57600,28800,SH-2,,,,1001
Test,SH-4,1004,Story,To Do,Low,Bob,2026-04-01 00:00,14400,,SH-3,SH-9,SH-5,,1001
Ship,SH-5,1005,Task,To Do,,,,,,,,,3,
Tell,SH-6,1006,Task,To Do,,,,,,SH-1,,,,
"""
ISSUES = [
    {"number": 12, "title": "Retrieval", "state": "OPEN", "body": "Depends on #10 and #11.\n",
     "labels": [{"name": "estimate: 3d"}, {"name": "P1"}], "assignees": [{"login": "ann"}],
     "milestone": {"number": 1, "title": "2.0", "dueOn": "2026-04-01T07:00:00Z"}},
    {"number": 11, "title": "Index", "state": "OPEN", "body": "Estimate: 4h\nBlocked by #9",
     "labels": [{"name": "in progress"}], "assignees": [{"login": "bo"}, {"login": "ann"}]},
    {"number": 10, "title": "Old", "state": "CLOSED", "body": None, "labels": [], "assignees": []},
    {"number": 9, "title": "Schema", "state": "open", "labels": ["priority: low"]},
    {"number": 8, "title": "A pull request", "state": "open", "pull_request": {"url": "…"}},
]  # fmt: skip


def load(folder: Path, text: str, source_format: str = "") -> Project:
    path = folder / "file"
    path.write_text(text, encoding="utf-8")
    return readers.load(path, source_format=source_format, today=TODAY)


def problems(folder: Path, text: str, source_format: str = "") -> list[str]:
    with pytest.raises(ConfigError) as error:
        load(folder, text, source_format)
    return [one.removeprefix(f"{folder}/file:") for one in error.value.problems]


@pytest.mark.parametrize("separator", [";", "\t"])
def test_a_table_with_our_columns(separator: str, tmp_path: Path) -> None:
    text = CSV if separator == ";" else re.sub(r";(?! )", separator, CSV)
    project = load(tmp_path, text)
    design, build, test = project.tasks

    assert project.start == datetime(2026, 3, 2, tzinfo=UTC)
    assert [(one.id, one.person, one.capacity) for one in project.resources] == [
        ("alice", True, 1),
        ("bob", True, 1),
        ("gpu", False, 2),
    ]
    assert (design.status, design.started, design.people) == ("running", 9, ("alice",))
    assert (build.modes[0].duration, build.priority, test.line) == (8, 1, 4)
    assert build.modes[0].needs == (
        Need(kind="resource", id="gpu", amount=2),
        Need(kind="person", id="alice"),
    )
    assert (design.name, test.name) == ("Design; with care", "Test\nall of it")
    assert test.after == (
        Link(task="design", kind="SS", lag=24),
        Link(task="build", kind="FF", lag=-2),
    )


def test_lists_in_a_table_are_quoted_where_semicolons_part_the_columns(tmp_path: Path) -> None:
    project = load(tmp_path, 'id,duration,after\na b,1,\nc,1,\nd,2,"a b; c +3h ;c SF"\n')

    assert project.by_id["d"].after == (
        Link(task="a b"),
        Link(task="c", lag=3),
        Link(task="c", kind="SF"),
    )


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("id,duration\na,-1\n", "2: tasks.a.duration: must look like '3d', found '-1'"),
        ("id,duration\na,NaN\n", "2: tasks.a.duration: must look like '3d', found 'NaN'"),
        ("id,duration\na,1\nb,\n", "3: tasks.b.duration: missing, and needed here"),
        ("id,duration\na,1\n,2\n", "3: the task has no id"),
        ("id,duration\na,1\na,2\n", "3: tasks.a: written twice, first in line 2"),
        ("id,duration\na,1,2\n", "2: has more cells than the header"),
        ("id,duration,after\nabcd,1,\nac,1,abc\n",
         "3: tasks.ac.after[0]: there is no task 'abc' (nearest: 'abcd')"),
        ("id,duration,after\na,1,b\nb,1,a\n",
         ("2: tasks.a.after: the tasks wait for each other:"
         " a (line 2) -> b (line 3) -> a (line 2)")),
        ("id,duration,after\na,1,a\n", "2: tasks.a.after[0]: the task waits for itself"),
        ("id,duration,needs\na,1,gpu=x\n",
         "2: tasks.a.needs[0].amount: wants a whole number, found the text 'x'"),
        ("id,duration,priority\na,1,high\n",
         "2: tasks.a.priority: wants a whole number, found the text 'high'"),
        ("id,duraton\na,1\n", "1: unknown column 'duraton' (nearest: 'duration')"),
        ("id,name\na,x\n", "1: the column 'duration' is missing"),
        ("id,duration,Duration\na,1,1\n", "1: the column 'Duration' is there twice"),
        ("id,duration,p10,p50\na,1,2,1\n", "2: has a duration and a p50: write one of them"),
        ("id,duration,p10\na,1,2\n", "2: tasks.a.duration.p10: is longer than p50"),
        ('id,duration\na,"1\n', "2: is not CSV: unexpected end of data"),
    ],
)  # fmt: skip
def test_a_broken_table_is_told_with_its_line(text: str, told: str, tmp_path: Path) -> None:
    assert told in problems(tmp_path, text, "csv")


def test_the_open_issues_of_a_jira_export(tmp_path: Path) -> None:
    project = load(tmp_path, JIRA)
    build, test, ship, tell = project.tasks

    assert [task.id for task in project.tasks] == ["SH-3", "SH-4", "SH-5", "SH-6"]
    assert [one.id for one in project.resources] == ["Alice", "Bob"]
    assert (build.status, build.modes[0].duration, build.priority) == ("running", 8, 5)
    assert project.at(build.deadline or 0) == datetime(2026, 3, 25, tzinfo=UTC)  # the whole day
    assert not build.hard
    assert (test.modes[0].duration, test.after) == (4, (Link(task="SH-3"),))
    assert test.modes[0].needs == (Need(kind="person", id="Bob"),)
    assert (ship.modes[0].duration, ship.after) == (24, (Link(task="SH-4"),))
    assert ship.modes[0].needs == (Need(kind="skill", id="team"),)
    assert tell.after == (Link(task="SH-3"), Link(task="SH-4"))  # what is open of the epic


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("14400", "4 hours", "5: 'original estimate' wants seconds, found '4 hours'"),
        ("2026-04-01 00:00", "soon",
         "5: 'due date' wants a day such as 2026-01-31, found 'soon'"),
        ("SH-4,1004", "SH-3,1004", "5: SH-3 is there twice, first in line 4"),
        ("Ship,SH-5", "Ship,", "6: the issue has no key"),
        (",,,3,", ",,,many,", "6: 'story points' wants a number, found 'many'"),
        ("SH-2,,,,1001", "SH-5,,,,1001",
         ("4: tasks.SH-3.after: the tasks wait for each other:"
         " SH-4 (line 5) -> SH-5 (line 6) -> SH-3 (line 4) -> SH-4 (line 5)")),
    ],
)  # fmt: skip
def test_a_broken_export_is_told_with_its_line(
    old: str, new: str, told: str, tmp_path: Path
) -> None:
    assert old in JIRA
    found = problems(tmp_path, JIRA.replace(old, new, 1))

    assert told in found or (" -> " in told and any("wait for each other" in one for one in found))


def test_an_overdue_issue_is_late_and_no_mistake(tmp_path: Path) -> None:
    project = load(tmp_path, JIRA.replace("2026-04-01 00:00", "2026-02-01"))

    assert (project.by_id["SH-4"].deadline or 0) < 0


@pytest.mark.parametrize("indent", [None, 2])
def test_the_open_issues_of_github(indent: int | None, tmp_path: Path) -> None:
    project = load(tmp_path, json.dumps(ISSUES, indent=indent))
    retrieval, index, schema = project.tasks

    assert [task.id for task in project.tasks] == ["#12", "#11", "#9"]
    assert retrieval.after == (Link(task="#11"),)
    assert (retrieval.modes[0].duration, retrieval.priority, retrieval.hard) == (24, 4, False)
    assert project.at(retrieval.deadline or 0) == datetime(2026, 4, 2, tzinfo=UTC)
    assert (index.status, index.modes[0].duration) == ("running", 4)
    assert index.modes[0].needs == (Need(kind="person", id="bo"), Need(kind="person", id="ann"))
    assert (schema.modes[0].duration, schema.priority) == (8, 2)
    assert schema.modes[0].needs == (Need(kind="skill", id="team"),)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('[{"number": 1, "title": "a"},\n{"number": 2 "title"}]',
         "2: is not JSON: Expecting ',' delimiter"),
        ('[{"number": 1, "title": "a"}\n{"number": 2}]', "2: is not JSON: no ',' or ']'"),
        ('[\n{"title": "a"}]', "2: an issue needs 'number', 'title' and 'state'"),
        ('[{"number": 1, "title": "a"},\n\n{"number": 1, "title": "a"}]',
         "3: #1 is there twice, first in line 1"),
        ('[{"number": 1, "body": "blocked by #2"},\n{"number": 2, "body": "Blocked by: #1"}]',
         ("1: tasks.#1.after: the tasks wait for each other:"
         " #1 (line 1) -> #2 (line 2) -> #1 (line 1)")),
        ('[{"number": 1, "milestone": {"due_on": "soon"}}]',
         "1: the milestone's due date 'soon' is no day"),
        ("[{}" * 50_000, "1: is not JSON: no ',' or ']'"),
    ],
)  # fmt: skip
def test_broken_issues_are_told_with_their_line(text: str, told: str, tmp_path: Path) -> None:
    found = problems(tmp_path, text)

    assert told in [one.replace("tasks.'#1'", "tasks.#1") for one in found]


@pytest.mark.parametrize(
    "text", ["[]", '[{"number": 1, "state": "closed"}]', "Summary,Issue key\n", "id,duration\n"]
)
def test_nothing_to_plan_is_nothing_to_do(text: str, tmp_path: Path) -> None:
    with pytest.raises(NothingToDo):
        load(tmp_path, text)


def test_an_unknown_format_is_told_with_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as error:
        load(tmp_path, "", "gihub")
    assert error.value.hint == "--source-format github"


@pytest.mark.parametrize(
    ("content", "told"),
    [(b"\xff\xfe", "1: is not UTF-8 text"), (b"", "1: the file is empty")],
)
def test_a_file_that_is_no_text(content: bytes, told: str, tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(content)
    with pytest.raises(ConfigError) as error:
        readers.load(path)
    assert f"{path}:{told}" in error.value.problems


def test_a_file_that_is_none(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "missing", "a\0b"):
        with pytest.raises(ConfigError):
            readers.load(path)


def test_a_table_without_an_id_is_told_that_it_is_missing(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as error:
        load(tmp_path, "name,duration,after\nDesign,2d,\n")

    (problem,) = error.value.problems
    assert problem.endswith("file:1: the column 'id' is missing")


def test_an_empty_list_is_neither_tasks_nor_issues(tmp_path: Path) -> None:
    with pytest.raises(NothingToDo, match="is an empty list: no task, and no issue"):
        load(tmp_path, "[]\n")


def test_a_blocker_that_the_export_does_not_hold_is_told(tmp_path: Path) -> None:
    lone = {**ISSUES[0], "body": "Depends on #10, #99 and #8"}

    whole, part = (load(tmp_path, json.dumps(one)) for one in (ISSUES, [lone, *ISSUES[1:]]))

    assert whole.notes == ()
    (note,) = part.notes
    assert str(note).endswith("which are taken as closed: #12 -> #99")
