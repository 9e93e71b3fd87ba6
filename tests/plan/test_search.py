"""A whole project through `search.solve`: what people wrote comes back as a plan that keeps it."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import product
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sdlc_cli.plan import calendars, readers, search
from sdlc_cli.plan.check import MISSES, violations
from sdlc_cli.plan.compiling import compile_
from sdlc_cli.plan.effort import Effort, Progress
from sdlc_cli.plan.instance import PlanError
from sdlc_cli.plan.model import (
    OBJECTIVES,
    Calendar,
    Hours,
    Link,
    Mode,
    Need,
    Objective,
    Project,
    Resource,
    Schedule,
    Task,
    Weights,
)
from tests.plan.projects import at_once, crowded, front, projects, tiny, ways

WEEK = Calendar(hours=tuple(Hours(weekday=d, begin=540, end=1020) for d in range(5)))
SHORT = Effort(schedules=300)


def need(skill: str) -> tuple[Need, ...]:
    return (Need(kind="skill", id=skill),)


def small_team() -> Project:
    ann = Resource(id="ann", calendar=WEEK, person=True, skills=frozenset({"py"}))
    bob = Resource(
        id="bob", calendar=WEEK, person=True, skills=frozenset({"py", "ops"}), percent=50,
        usd_per_hour=Decimal(60),
    )  # fmt: skip
    gpu = Resource(id="gpu", capacity=2)
    both, one = ((Need(kind="resource", id="gpu", amount=a),) for a in (2, 1))
    tasks = (
        Task(id="a", modes=(Mode(duration=8, needs=need("py")),)),
        Task(id="b", modes=(Mode(duration=8, needs=need("py")),),
             after=(Link(task="a", kind="SS", lag=2),)),
        Task(id="c", modes=(Mode(duration=50, needs=one), Mode(duration=30, needs=both)),
             after=(Link(task="a"),)),
        Task(id="d", modes=(Mode(duration=3, needs=need("ops")),),
             after=(Link(task="c", kind="FF", lag=2), Link(task="b"))),
        Task(id="e", modes=(Mode(duration=0),), after=(Link(task="d"),)),
    )  # fmt: skip
    return Project(
        start=datetime(2026, 11, 30, 8, tzinfo=UTC), tasks=tasks, resources=(ann, bob, gpu)
    )


def test_a_small_team_is_done_as_early_as_can_be() -> None:
    plan = search.solve(small_team(), effort=SHORT)

    when = {p.task: (p.start, p.finish) for p in plan.placements}
    assert plan.feasible
    assert when["a"] == (1, 9)  # Monday from 9 to 17, by Ann
    assert when["b"] == (25, 33)  # Tuesday, by Ann: Bob would take until Wednesday
    assert when["c"] == (9, 39)  # two GPUs at night
    assert when["d"] == (49, 55)  # Bob needs 6 hours for 3, on Wednesday from 9 on
    assert dict(plan.placements[3].resources) == {"bob": 1}
    assert plan.makespan == 55
    assert plan.cost_usd == 180  # half of Bob's six hours


def missing_its_deadline() -> Project:
    long = Task(id="long", modes=(Mode(duration=400),), deadline=1, hard=True)
    other = Task(id="other", modes=(Mode(duration=1),))
    return Project(start=datetime(2026, 1, 5, tzinfo=UTC), tasks=(long, other))


@pytest.mark.filterwarnings("ignore:invalid value")  # of kernels that Python runs
@pytest.mark.parametrize("stability", [1, 1e300, float("inf"), float("nan")])
def test_a_plan_is_found_however_much_an_older_one_weighs(stability: float) -> None:
    project = missing_its_deadline()
    older = search.solve(project, effort=SHORT)

    plan = search.solve(project, effort=SHORT, hint=older, stability=stability)

    assert plan.placements == older.placements


def test_of_plans_that_miss_a_limit_alike_the_better_is_chosen() -> None:
    ways = tuple(Mode(id=f"m{q}", duration=1, quality=q / 8) for q in (1, 9, 5))
    project = missing_its_deadline()
    others = tuple(Task(id=f"t{i}", modes=ways) for i in range(6))
    project = replace(project, tasks=(*project.tasks, *others))

    plan = search.solve(project, objective="quality", effort=SHORT)

    assert plan.quality == 6 * 9 / 8


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(project=crowded())
def test_a_group_starts_together_or_is_refused(project: Project) -> None:
    members = [project.by_id[name] for name in project.together[0]]
    choices = product(*(ways(project, task) for task in members))
    if any(at_once(project, one) for one in choices):
        plan = search.solve(project, effort=Effort(schedules=20))

        assert violations(project, plan) == ()
        assert plan.makespan >= plan.lower_bound
    else:
        with pytest.raises(PlanError, match="are to start together"):
            search.solve(project, effort=Effort(schedules=20))


def test_a_group_waits_for_the_first_slot_that_is_open_for_all(tmp_path: Path) -> None:
    file = tmp_path / "tasks.yaml"
    file.write_text(
        "version: 1\nstart: 2026-03-23\ncalendar: office\nresources: {staging: 1}\n"
        "together: [[deploy, watch]]\n"
        "tasks: {deploy: {duration: 6h, needs: staging}, watch: {duration: 4h}}\n"
    )
    project = readers.load(str(file))
    plan = search.solve(project, effort=SHORT)

    assert [(p.start, p.finish) for p in plan.placements] == [(9, 15), (9, 13)]
    assert violations(project, plan) == ()


@pytest.mark.parametrize(
    ("body", "words"),
    [
        pytest.param("people: {al: {}}\ntasks: {a: {duration: 2h, needs: al}, b: {duration: 1h,"
                     " needs: al}}", "a, b are to start together, and need 2 of al", id="person"),
        pytest.param("resources: {g: 3}\ntasks: {a: {duration: 2h, needs: [{resource: g,"
                     " amount: 2}]}, b: {duration: 1h, needs: [{resource: g, amount: 2}]}}",
                     "need 4 of g", id="units"),
        pytest.param("calendars: {m: {hours: {mon-fri: 09:00-12:00}}, n: {hours: {mon-fri: "
                     "13:00-16:00}}}\npeople: {al: {calendar: m}, bo: {calendar: n}}\n"
                     "tasks: {a: {duration: 2h, needs: al}, b: {duration: 1h, needs: bo}}",
                     "a, b are to start together, and those they need are never at work",
                     id="calendars"),
        pytest.param("tasks: {a: {duration: 2h}, b: {duration: 1h, after: [{task: a, type: FF}]}}",
                     "a, b are to start together, and b cannot come after a", id="link"),
    ],
)  # fmt: skip
def test_what_cannot_start_together_is_refused_by_name(
    tmp_path: Path, body: str, words: str
) -> None:
    file = tmp_path / "tasks.yaml"
    file.write_text(f"version: 1\nstart: 2026-03-23\ntogether: [[a, b]]\n{body}\n")

    with pytest.raises(PlanError, match=words):
        search.solve(readers.load(str(file)), effort=SHORT)


def test_a_task_may_end_no_sooner_than_another_that_it_starts_with(tmp_path: Path) -> None:
    file = tmp_path / "tasks.yaml"
    file.write_text(
        "version: 1\nstart: 2026-03-23\ntogether: [[watch, deploy]]\ntasks:\n"
        "  watch: {after: [{task: deploy, type: FF}], modes: {short: {duration: 1h}, long:"
        " {duration: 3h}}}\n"
        "  deploy: {duration: 2h}\n"
    )
    plan = search.solve(readers.load(str(file)), effort=SHORT)

    assert [(p.start, p.finish) for p in plan.placements] == [(0, 3), (0, 2)]


def test_a_plan_depends_on_the_seed_and_not_on_the_workers() -> None:
    one = search.solve(small_team(), effort=SHORT)
    two = search.solve(small_team(), effort=Effort(schedules=300, jobs=3))

    assert one.placements == two.placements
    assert one.schedules_evaluated == two.schedules_evaluated


def broken(project: Project, plan: Schedule) -> list[str]:
    """What is wrong with a plan; what an infeasible plan misses is not."""
    found = violations(project, plan)
    return [str(v) for v in found if plan.feasible or v.kind not in MISSES]


@settings(max_examples=40, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(projects(), st.sampled_from(OBJECTIVES))
def test_every_plan_passes_the_checker(project: Project, objective: Objective) -> None:
    plan = search.solve(project, objective=objective, effort=Effort(schedules=60))

    assert broken(project, plan) == []


@settings(max_examples=10, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(projects(), projects())
def test_an_older_plan_is_a_wish_whatever_it_says(project: Project, other: Project) -> None:
    older = search.solve(other, effort=SHORT)

    plan = search.solve(project, effort=SHORT, hint=older, stability=1)

    assert broken(project, plan) == []


@settings(max_examples=8, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(tiny())
def test_a_plan_is_found_and_is_the_earliest_where_trying_all_finds_one(project: Project) -> None:
    every = front(project)

    plan = search.solve(project, effort=Effort(schedules=600))

    assert plan.feasible == bool(every)
    if every:
        assert plan.makespan == min(makespan for makespan, *_ in every)
        assert plan.lower_bound <= plan.makespan


def of_lengths(*durations: int) -> Project:
    tasks = tuple(Task(id=f"t{i}", modes=(Mode(duration=d),)) for i, d in enumerate(durations))
    return Project(start=datetime(2026, 11, 30, tzinfo=UTC), tasks=tasks)


@pytest.mark.parametrize(
    ("tasks", "hint", "which"),
    [
        pytest.param(62, False, "small", id="small"),
        pytest.param(63, False, "plain", id="large"),
        pytest.param(0, False, "plain", id="milestones only"),
        pytest.param(62, True, "general", id="an older plan to keep"),
    ],
)
def test_a_project_loads_only_the_kernel_that_searches_it(
    tasks: int, hint: bool, which: str
) -> None:
    project = of_lengths(*(1 + i % 3 for i in range(tasks)), 0)

    assert search.kernel(compile_(project), "makespan", hint=hint) == which


def test_a_project_too_long_to_branch_over_does_not_load_what_does() -> None:
    for durations in ([512, 1], [100] * 41):
        assert search.kernel(compile_(of_lengths(*durations, 1)), "makespan", hint=False) == "plain"
    days = of_lengths(*[480] * 41)  # of one length: one slot each
    assert search.kernel(compile_(days), "makespan", hint=False) == "small"


def test_of_plans_as_short_the_cheapest_is_chosen() -> None:
    room = (Need(kind="resource", id="room", amount=1),)
    fast, slow = Mode(duration=2, cost_usd=Decimal(9)), Mode(duration=8, cost_usd=Decimal(1))
    tasks = (
        *(Task(id=f"t{i}", modes=(Mode(duration=4, needs=room),)) for i in range(3)),
        *(Task(id=f"u{i}", modes=(fast, slow)) for i in range(20)),
    )
    start = datetime(2026, 11, 30, 8, tzinfo=UTC)
    project = Project(
        start=start, tasks=tasks, calendar=WEEK,
        resources=(Resource(id="room", capacity=2, calendar=WEEK),),
    )  # fmt: skip

    plan = search.solve(project, effort=Effort(schedules=60_000))

    assert plan.lower_bound < plan.makespan == 9  # so the search went on to the end
    assert plan.cost_usd == 20


def test_budgets_are_kept_where_few_choices_keep_them() -> None:
    modes = (Mode(duration=1, cost_usd=Decimal(9)), Mode(duration=5, cost_usd=Decimal(1)))
    tasks = tuple(Task(id=f"t{i}", modes=modes) for i in range(30))
    start = datetime(2026, 11, 30, 8, tzinfo=UTC)
    project = Project(start=start, tasks=tasks, budget_usd=Decimal(38))  # one of them may hurry

    plan = search.solve(project, effort=SHORT)

    assert plan.feasible
    assert plan.cost_usd <= 38


def test_a_plan_that_is_kept_moves_what_has_to_move_and_nothing_else() -> None:
    project = small_team()
    older = search.solve(project, effort=SHORT)
    late = replace(project.tasks[2], release=20)
    project = replace(project, tasks=(*project.tasks[:2], late, *project.tasks[3:]))

    plan = search.solve(project, effort=SHORT, hint=older, stability=10)

    moved = [a.task for a, b in zip(plan.placements, older.placements, strict=True) if a != b]
    assert moved == ["c"]


def test_an_interrupt_ends_the_search_with_the_best_so_far() -> None:
    calls = 0

    def watch(progress: Progress) -> bool:
        nonlocal calls
        calls += 1
        if calls == 3:
            raise KeyboardInterrupt
        return True

    plan = search.solve(small_team(), effort=Effort(seconds=60), watch=watch)

    assert calls == 3
    assert plan.makespan == 55


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_cp_sat_finds_nothing_better_than_what_it_proves(objective: Objective) -> None:
    project = small_team()
    plan = search.solve(project, effort=SHORT, objective=objective)

    proved = search.solve(project, effort=SHORT, objective=objective, exact=True)

    assert proved.proved_optimal
    assert broken(project, proved) == []
    if objective == "makespan":
        assert proved.lower_bound == proved.makespan == plan.makespan == 55


def test_who_has_no_skill_or_no_hours_is_named() -> None:
    project = small_team()
    alone = replace(project, resources=(project.resources[0], project.resources[2]))

    with pytest.raises(PlanError) as caught:
        search.solve(alone, effort=SHORT)

    assert "d: needs 1 people with ops, and there are 0" in caught.value.problems


def two_people(first: Calendar, second: Calendar, **more: object) -> Project:
    people = tuple(
        Resource(id=name, person=True, calendar=calendar)
        for name, calendar in (("ann", first), ("bob", second))
    )
    both = tuple(Need(kind="person", id=one.id) for one in people)
    task = Task(id="talk", modes=(Mode(duration=1, needs=both),))
    start = datetime(2026, 11, 30, 8, tzinfo=UTC)
    return replace(Project(start=start, tasks=(task,), resources=people), **more)  # type: ignore[arg-type]


def monday(begin: int, end: int, *off: date) -> Calendar:
    return Calendar(hours=(Hours(weekday=0, begin=begin, end=end),), days_off=frozenset(off))


def test_calendars_that_never_meet_are_an_error_that_names_who() -> None:
    project = two_people(monday(540, 600), monday(1200, 1260))

    with pytest.raises(PlanError, match="talk: ann, bob are never at work together"):
        search.solve(project, effort=SHORT)


def test_that_calendars_never_meet_is_seen_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    looked = [0]
    count = calendars.Almanac.__init__

    def counted(self: calendars.Almanac, project: Project, horizon: int) -> None:
        looked.append(horizon)
        count(self, project, horizon)

    monkeypatch.setattr(calendars.Almanac, "__init__", counted)
    apart = two_people(monday(540, 600), monday(1200, 1260), unit_seconds=60)
    too_short = two_people(monday(540, 600), monday(570, 615))
    for project in (apart, too_short):
        with pytest.raises(PlanError):
            search.solve(project, effort=SHORT)
    assert max(looked) < 15 * 365 * 24


def test_less_than_a_whole_slot_together_is_not_enough() -> None:
    project = two_people(monday(540, 600), monday(570, 615))

    with pytest.raises(PlanError, match="ann, bob are never at work together for a whole unit"):
        search.solve(project, effort=SHORT)


def test_a_long_leave_ends() -> None:
    leave = (date(2026, 11, 30) + timedelta(days=day) for day in range(1500))
    project = two_people(monday(540, 600), monday(540, 600, *leave))

    (talk,) = search.solve(project, effort=SHORT).placements

    assert project.at(talk.start).date() == date(2031, 1, 13)


def test_who_never_meets_is_not_chosen_where_others_do() -> None:
    project = two_people(monday(540, 600), monday(1200, 1260))
    skilled = tuple(replace(one, skills=frozenset({"py"})) for one in project.resources)
    eve = Resource(id="eve", person=True, calendar=WEEK, skills=frozenset({"py"}))
    pair = (Need(kind="skill", id="py", amount=2),)
    talk = replace(project.tasks[0], modes=(Mode(duration=1, needs=pair),))
    project = replace(project, resources=(*skilled, eve), tasks=(talk,))

    plan = search.solve(project, effort=SHORT)

    assert dict(plan.placements[0].resources) == {"ann": 1, "eve": 1}


def test_where_nothing_weighs_every_plan_is_best() -> None:
    nothing = Weights(makespan=0, tardiness=0, cost=0, quality=0)
    project = replace(small_team(), weights=nothing)

    plan = search.solve(project, objective="balanced", effort=Effort(schedules=5))

    assert plan.feasible
    assert plan.proved_optimal
