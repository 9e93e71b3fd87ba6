"""A whole project through `search.solve`: what people wrote comes back as a plan that keeps it."""

from datetime import UTC, datetime
from decimal import Decimal

from sdlc_cli.plan import search
from sdlc_cli.plan.effort import Effort
from sdlc_cli.plan.model import Calendar, Hours, Link, Mode, Need, Project, Resource, Task

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


def test_a_plan_depends_on_the_seed_and_not_on_the_workers() -> None:
    one = search.solve(small_team(), effort=SHORT)
    two = search.solve(small_team(), effort=Effort(schedules=300, jobs=3))

    assert one.placements == two.placements
    assert one.schedules_evaluated == two.schedules_evaluated
