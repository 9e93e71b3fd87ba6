"""tasks.yaml: what it comes to, and each mistake with its line and its key path."""

from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from sdlc_cli.core.errors import ConfigError, NothingToDo
from sdlc_cli.plan import readers
from sdlc_cli.plan.model import ALWAYS, Calendar, Consumable, Hours, Link, Need, Project, Task
from sdlc_cli.plan.readers import tasks_yaml

EXAMPLES = Path(__file__).parents[3] / "examples" / "plan"
HEAD = "version: 1\nstart: 2026-03-02\n"  # a Monday
TEAM = """\
version: 1
start: 2026-03-02
timezone: Europe/Berlin
calendar: office
people:
  alice: {skills: [backend]}
  bob: {skills: [backend, web], percent: 50%, days_off: [2026-03-05]}
resources:
  gpu: 2
"""


def read(text: str, **environ: str) -> Project:
    return tasks_yaml.read(text, "tasks.yaml", environ)


def problems(text: str, **environ: str) -> list[str]:
    with pytest.raises(ConfigError) as error:
        read(text, **environ)
    assert error.value.exit_code == 2
    return [one.removeprefix("tasks.yaml:") for one in error.value.problems]


def only(text: str) -> Task:
    (task,) = read(text).tasks
    return task


def test_the_release_example() -> None:
    project = readers.load(EXAMPLES / "tasks.yaml")

    assert project.start == datetime(2026, 3, 22, 23, tzinfo=UTC)
    assert (project.unit_seconds, project.timezone) == (1800, "Europe/Berlin")
    assert project.budget_usd is not None
    assert project.at(project.deadline or 0) == datetime(2026, 4, 17, 22, tzinfo=UTC)
    label = project.by_id["label-cases"]
    assert [mode.id for mode in label.modes] == ["thorough", "even", "quick"]
    # 4.8 and 0.96 million tokens at 5 and 25, 3 and 15, 1 and 5 dollars a million
    assert [mode.cost_usd for mode in label.modes] == [Decimal(48), Decimal("28.8"), Decimal("9.6")]
    assert label.modes[0].needs == label.modes[2].needs
    assert project.by_id["guide"].after[1] == Link(task="review", kind="FF")
    ben = next(one for one in project.resources if one.id == "ben")
    assert {date(2026, 4, 3), date(2026, 4, 7), date(2026, 4, 10)} <= ben.calendar.days_off


def test_the_fifty_tasks() -> None:
    project = readers.load(EXAMPLES / "fifty.yaml")

    assert len(project.tasks) == 50
    assert {task.modes[0].duration for task in project.tasks} == {5}
    assert project.resources[0].calendar is ALWAYS


@pytest.mark.parametrize(
    ("written", "slots"),
    [
        ("3", 3),
        ("0", 0),
        ("90m", 2),
        ("4h", 4),
        ("1d", 8),
        ("2.5d", 20),
        ("1w", 40),
        ("1d 2h", 10),
        ("1w1d", 48),
    ],
)
def test_a_duration_is_of_working_time(written: str, slots: int) -> None:
    text = TEAM + f"tasks: {{a: {{duration: {written}}}}}"

    assert only(text).modes[0].duration == slots


def test_a_working_day_is_the_mean_of_those_of_the_week() -> None:
    text = (
        HEAD + "unit: 30m\ncalendar: {hours: {mon-thu: [8:00-12:00, 13:00-18:00], fri: 8:00-12:00}}"
        "\ntasks: {a: {duration: 1d}, b: {duration: 1w}}"
    )

    assert [task.modes[0].duration for task in read(text).tasks] == [16, 80]


@pytest.mark.parametrize(
    ("written", "slots"), [("2h", 2), ("-90m", -1), ("1d", 24), ("90m", 2), ("3", 3), ("-1w", -168)]
)
def test_a_lag_is_of_elapsed_time(written: str, slots: int) -> None:
    text = (
        TEAM
        + f"tasks: {{a: {{duration: 1}}, b: {{duration: 1, after: [{{task: a, lag: {written}}}]}}}}"
    )

    assert read(text).tasks[1].after == (Link(task="a", lag=slots),)


def test_needs_in_short_and_in_full() -> None:
    text = TEAM + "tasks: {a: {duration: 1, needs: [alice, web, {resource: gpu, amount: 2}]}}"

    assert only(text).modes[0].needs == (
        Need(kind="person", id="alice"),
        Need(kind="skill", id="web"),
        Need(kind="resource", id="gpu", amount=2),
    )
    assert only(TEAM + "tasks: {a: {duration: 1, needs: gpu}}").modes[0].needs == (
        Need(kind="resource", id="gpu"),
    )


def test_people_keep_the_calendar_of_the_project_less_their_days_off() -> None:
    project = read(TEAM + "holidays: [2026-04-03]\ntasks: {a: {duration: 1}}")
    alice, bob, gpu = project.resources
    hours = tuple(Hours(weekday=day, begin=540, end=1020) for day in range(5))
    easter = date(2026, 4, 3)

    assert alice.calendar == project.calendar == Calendar(hours=hours, days_off={easter})  # type: ignore[arg-type]
    assert bob.calendar.days_off == {easter, date(2026, 3, 5)}
    assert (bob.percent, gpu.calendar) == (50, ALWAYS)


def test_a_mode_takes_from_its_task_what_it_does_not_say() -> None:
    text = TEAM + (
        "consumables: {samples: 10}\ntasks: {a: {needs: gpu, quality: 2, duration: 5, modes: {"
        "x: {duration: 3, cost_usd: 2.50, uses: {samples: 4}}, y: {needs: [alice], quality: 7}}}}"
    )
    x, y = only(text).modes

    assert (x.id, x.duration, x.quality, x.cost_usd) == ("x", 3, 2, Decimal("2.50"))
    assert (x.needs, x.uses) == ((Need(kind="resource", id="gpu"),), (("samples", 4),))
    assert (y.id, y.duration, y.quality) == ("y", 5, 7)
    assert y.needs == (Need(kind="person", id="alice"),)
    assert read(text).consumables == (Consumable(id="samples", capacity=10),)


def test_moments_are_in_the_zone_of_the_project() -> None:
    project = read(
        TEAM
        + "tasks:\n  a: {duration: 1, earliest_start: 2026-03-30 09:30, deadline: 2026-03-30}\n"
        "  b: {duration: 1, deadline: {at: '2026-03-30T07:30:00Z', late_usd_per_hour: 5}}"
    )
    a, b = project.tasks

    assert project.at(a.release) == datetime(2026, 3, 30, 8, tzinfo=UTC)  # the next slot
    assert project.at(a.deadline or 0) == datetime(2026, 3, 30, 22, tzinfo=UTC)  # the whole day
    assert a.hard
    assert project.at(b.deadline or 0) == datetime(2026, 3, 30, 7, tzinfo=UTC)
    assert (b.hard, b.late_usd_per_hour) == (False, Decimal(5))


def test_what_has_happened() -> None:
    project = read(
        TEAM + "tasks:\n  a: {duration: 1, started: 2026-03-02 09:00, finished: 2026-03-02 11:30,"
        " people: [bob]}\n  b: {duration: 4, started: 2026-03-02 10:15}\n  c: {duration: 1}"
    )
    a, b, c = project.tasks

    assert (a.status, a.started, a.finished, a.people) == ("done", 9, 12, ("bob",))
    assert (b.status, b.started, b.finished) == ("running", 10, None)
    assert (c.status, c.started) == ("todo", None)
    assert project.now == 12
    assert read(TEAM + "now: 2026-03-03 08:20\ntasks: {a: {duration: 1}}").now == 33


def test_variables_and_prices_of_ones_own() -> None:
    text = TEAM + (
        "budget_usd: ${BUDGET}\nprices: [{model: house-model, input: 2, output: 8}]\ntasks:\n"
        "  a: {duration: 1, model: house-model, input_tokens: 1000000, output_tokens: 500000}\n"
        "  b: {duration: 1, model: nobody-knows, cost_usd: 3}\n"
    )
    project = read(text, BUDGET="40.50")

    assert project.budget_usd == Decimal("40.50")
    assert [task.modes[0].cost_usd for task in project.tasks] == [6, 3]
    assert project.tasks[0].modes[0].model == "house-model"


def test_a_threshold_of_a_price_is_for_each_call() -> None:
    model = "model: claude-sonnet-4-5, input_tokens: 3000000, output_tokens: 0"
    text = HEAD + f"tasks: {{{{a: {{{{duration: 1, {model}, calls: {{calls}}}}}}}}}}"

    assert only(text.format(calls=10)).modes[0].cost_usd == 18  # 300,000 tokens a call
    assert only(text.format(calls=100)).modes[0].cost_usd == 9


@pytest.mark.parametrize(
    ("tasks", "told"),
    [
        ("a: {duration: -3d}", "11: tasks.a.duration: must look like '3d', found '-3d'"),
        ("a: {duration: .nan}", "11: tasks.a.duration: must look like '3d', found '.nan'"),
        ("a: {duration: 2000000}", "11: tasks.a.duration: is longer than a million units"),
        ("a: {name: x}", "11: tasks.a.duration: missing, and needed here"),
        ("a: {duration: 1}\n  a: {duration: 2}", "12: tasks.a: written twice, first in line 11"),
        ("a: {duration: 1, after: a}", "11: tasks.a.after: the task waits for itself"),
        ("build: {duration: 1}\n  b: {duration: 1, after: [biuld]}",
         "12: tasks.b.after[0]: there is no task 'biuld' (nearest: 'build')"),
        ("a: {duration: 1, needs: [bakend]}",
         ("11: tasks.a.needs[0]: 'bakend' is no person, no resource and nobody's skill"
         " (nearest: 'backend')")),
        ("a: {duration: 1, needs: [{skill: wbe}]}",
         "11: tasks.a.needs[0].skill: nobody has the skill 'wbe' (nearest: 'web')"),
        ("a: {duration: 1, needs: [{person: alcie}]}",
         "11: tasks.a.needs[0].person: there is nobody called 'alcie' (nearest: 'alice')"),
        ("a: {duration: 1, needs: [{resource: cpu}]}",
         "11: tasks.a.needs[0].resource: there is no resource 'cpu' (nearest: 'gpu')"),
        ("a: {duration: 1, needs: [{amount: 2}]}",
         "11: tasks.a.needs[0]: needs one of: person, resource, skill"),
        ("a: {duration: 1, needs: [{resource: gpu, amount: 3}]}",
         "11: tasks.a.needs[0]: wants 3, and there are 2"),
        ("a: {duration: 1, needs: [gpu, gpu, gpu]}",
         "11: tasks.a.needs[2]: wants 3, and there are 2"),
        ("a: {duration: 1, needs: [{skill: backend, amount: 3}]}",
         "11: tasks.a.needs[0]: wants 3 people, and 2 have the skill"),
        ("a: {duration: 1, needs: [alice, alice]}", "11: tasks.a.needs[1]: is written twice"),
        ("a: {duration: 1, deadline: 2026-03-01}",
         "11: tasks.a.deadline: lies before the start of the project"),
        ("a: {duration: 1, deadline: 2026-03-04, earliest_start: 2026-03-06}",
         "11: tasks.a.deadline: lies before earliest_start"),
        ("a: {duration: 1, deadline: {at: 2026-03-04, hard: true, late_usd_per_hour: 3}}",
         ("11: tasks.a.deadline.late_usd_per_hour: a hard deadline is not missed for money: write"
         " hard: false")),
        ("a: {duration: 1, earliest_start: 2026-02-30}",
         "11: tasks.a.earliest_start: there is no such moment within a hundred years of the start"),
        ("a: {duration: 1, deadline: 2426-02-20}",
         "11: tasks.a.deadline: there is no such moment within a hundred years of the start"),
        ("a: {duration: 1, status: done}",
         "11: tasks.a.started: missing, and needed for a task that is done"),
        ("a: {duration: 1, started: 2026-03-01}",
         "11: tasks.a.started: lies before the start of the project"),
        ("a: {duration: 1, started: 2026-03-03, finished: 2026-03-02 10:00}",
         "11: tasks.a.finished: lies before 'started'"),
        ("a: {duration: 1, started: 2026-03-03, status: todo}",
         "11: tasks.a.started: does not fit a task that is todo"),
        ("a: {duration: 1, people: [alice]}",
         "11: tasks.a.people: tells who does a running or done task: write needs for this one"),
        ("a: {duration: {p10: 3d, p50: 2d}}", "11: tasks.a.duration.p10: is longer than p50"),
        ("a: {duration: 1, uses: {money: 3}}",
         "11: tasks.a.uses.money: there is no consumable 'money'"),
        ("a: {duration: 1, calendar: offcie}",
         "11: tasks.a.calendar: there is no calendar 'offcie' (nearest: 'office')"),
        ("a: {duration: 1, input_tokens: 4}",
         "11: tasks.a.input_tokens: is of a model, and none is named"),
        ("a: {duration: 1, model: gpt-4o}",
         "11: tasks.a.input_tokens: missing, and needed for the price of the model"),
    ],
)  # fmt: skip
def test_a_mistake_in_a_task_is_told_with_its_line_and_path(tasks: str, told: str) -> None:
    assert told in problems(TEAM + f"tasks:\n  {tasks}\n")


def test_a_model_without_a_price_is_never_free() -> None:
    text = HEAD + (
        "tasks:\n  a: {duration: 1, model: llama-at-home, input_tokens: 1, output_tokens: 1}"
    )
    (problem,) = problems(text)

    assert problem.startswith("4: tasks.a.model: ")
    assert problem.endswith("write cost_usd, or the model's price into prices")


def test_a_cycle_is_told_as_its_path() -> None:
    text = HEAD + (
        "tasks:\n  a: {duration: 1, after: c}\n  b:\n    duration: 1\n    after: a\n"
        "  c: {duration: 1, after: [b]}\n  d: {duration: 1, after: b}\n"
    )

    assert problems(text) == [
        (
            "4: tasks.a.after: the tasks wait for each other:"
            " a (line 4) -> b (line 5) -> c (line 8) -> a (line 4)"
        )
    ]


def test_tasks_that_start_together_do_not_wait_for_each_other() -> None:
    text = HEAD + (
        "together: [[a, c], [b], [a, x]]\n"
        "tasks:\n  a: {duration: 1}\n  b: {duration: 1, after: a}\n  c: {duration: 1, after: b}\n"
    )

    assert problems(text) == [
        "3: together[1]: wants two tasks at least",
        "3: together[2][0]: 'a' is in a group already",
        "3: together[2][1]: there is no task 'x'",
        (
            "3: together: tasks that start together wait for each other:"
            " a (line 5) + c (line 7) -> b (line 6) -> a (line 5) + c (line 7)"
        ),
    ]


@pytest.mark.parametrize(
    ("head", "told"),
    [
        ("start: 2026-02-30", "2: start: there is no such moment from 1970 to 2500"),
        ("start: 2026-03-02\ntimezone: Europe/Berln",
         "3: timezone: unknown time zone 'Europe/Berln' (nearest: 'Europe/Berlin')"),
        ("start: 2026-03-02\nunit: 0h", "3: unit: must look like '30m', found '0h'"),
        ("start: 2026-03-02\nunit: 7m\ncalendar: office",
         "3: unit: must divide an hour where there are working hours: 1h, 30m, 15m"),
        ("start: 2026-03-02 00:10\ncalendar: office",
         "3: calendar: 09:00 lies inside of a slot, with a unit of 1h from the start on"),
        ("start: 2026-03-02\ncalendar: {hours: {mon: 17:00-9:00}}",
         "3: calendar.hours.mon: must begin before it ends, within 0:00-24:00"),
        ("start: 2026-03-02\ncalendar: {hours: {mon-wed: 9:00-17:00, tue: 12:00-14:00}}",
         "3: calendar.hours: hours of tue overlap"),
        ("start: 2026-03-02\ncalendar: {hours: {monday: 9:00-17:00}}",
         "3: calendar.hours.monday: must look like 'mon-fri', found 'monday'"),
        ("start: 2026-03-02\nholidays: [2026-12-31 to 2026-12-24]",
         "3: holidays[0]: ends before it begins"),
        ("start: 2026-03-02\npeople: {ann: {percent: 0.5%}}",
         "3: people.ann.percent: must be a whole number of percent, from 1% to 100%"),
        ("start: 2026-03-02\npeople: {ann: }\nresources: {ann: 1}",
         "4: resources.ann: is the name of a person too"),
        ("start: 2026-03-02\ndeadline: 2026-02-01",
         "3: deadline: lies before the start of the project"),
        ("start: 2026-03-02\nbudget_usd: -3", "3: budget_usd: must be at least 0, found -3"),
        ("start: 2026-03-02\nbudget_usd: ${NO_SUCH_BUDGET}", ("3: budget_usd: the environment"
         " variable NO_SUCH_BUDGET is not set; set it, or write ${NO_SUCH_BUDGET:-default}")),
        ("start: 2026-03-02\nresorces: {gpu: 1}",
         "3: resorces: unknown key (nearest: 'resources')"),
    ],
)  # fmt: skip
def test_a_mistake_in_the_head_is_told_with_its_line_and_path(head: str, told: str) -> None:
    assert told in problems(f"version: 1\n{head}\ntasks:\n  a: {{duration: 1}}\n")


def test_facts_do_not_lie_in_the_future() -> None:
    text = HEAD + "now: 2026-03-03\ntasks:\n  a: {duration: 1, started: 2026-03-03 09:00}"

    assert problems(text) == ["5: tasks.a.started: lies after 'now'"]


def test_a_name_that_is_a_person_and_a_skill_is_asked_about() -> None:
    text = HEAD + "people: {web: {skills: [web]}}\ntasks:\n  a: {duration: 1, needs: web}"

    assert problems(text) == [
        "5: tasks.a.needs: 'web' is a person and a skill: write {person: web} or {skill: web}"
    ]


def test_a_file_without_a_task_is_nothing_to_do() -> None:
    with pytest.raises(NothingToDo):
        read(HEAD + "tasks: {}")


def test_one_link_or_need_wants_no_list() -> None:
    task = "  b: {duration: 2h, after: {task: a, type: SS, lag: 1h}, needs: {skill: web}}\n"

    made = read(f"{TEAM}tasks:\n  a: {{duration: 1h}}\n{task}").by_id["b"]

    assert made.after == (Link(task="a", kind="SS", lag=1),)
    assert made.modes[0].needs == (Need(kind="skill", id="web"),)
    wrong = task.replace("task: a", "task: c").replace("web", "wep")
    assert problems(f"{TEAM}tasks:\n{wrong}") == [
        "11: tasks.b.needs.skill: nobody has the skill 'wep' (nearest: 'web')",
        "11: tasks.b.after: there is no task 'c'",
    ]


@pytest.mark.parametrize(
    ("task", "problem"),
    [
        ("{duration: {p10: 5h}}", "3: tasks.a.duration.p50: missing, and needed here"),
        ("{duration: 1h, earliest_start: 2026-03-29 02:30}",
         "3: tasks.a.earliest_start: there is no such moment within a hundred years of the start"),
    ],
)  # fmt: skip
def test_one_mistake_is_told_once(task: str, problem: str) -> None:
    assert problems(f"{HEAD}tasks: {{a: {task}}}\ntimezone: Europe/Berlin\n") == [problem]


def test_an_hour_after_the_clocks_were_put_back_is_one() -> None:
    text = f"{HEAD}timezone: Europe/Berlin\ntasks: {{a: {{duration: 1h, earliest_start: WHEN}}}}\n"

    both = [read(text.replace("WHEN", f"2026-10-25 0{hour}:30")) for hour in (2, 4)]

    assert both[1].tasks[0].release - both[0].tasks[0].release == 3
