"""Sheets to print: a realistic one, and the odd ones."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from sdlc_cli.plan import difference, report
from sdlc_cli.plan.explain import Explainer
from sdlc_cli.plan.model import Front, Mode, Need, Placement, Project, Resource, Schedule, Task
from sdlc_cli.plan.relax import Relaxation
from sdlc_cli.plan.report import Sheet
from sdlc_cli.plan.risk import assess
from sdlc_cli.plan.whatif import Change, WhatIf

HOSTILE = (
    "=cmd|' /C calc'!A0 <script>alert('x')</script></style></script> [bold red]x[/] `a` | **b** "
    "@octocat #12 \x1b[31mred\x1b[0m\r\nnext\tline \x00 \u202e ]]> \udcff"
)
MADE = datetime(2026, 8, 1, 12, tzinfo=UTC)
Sheets = dict[str, Callable[[], Sheet]]


def answered(team: Project, planned: Schedule) -> Sheet:
    """A plan that misses its deadline, with every answer there is."""
    tight = replace(
        team,
        deadline=60,
        budget_usd=Decimal(3500),
        tasks=(
            *team.tasks[:4],
            replace(team.tasks[4], deadline=70, hard=False, late_usd_per_hour=Decimal(5)),
            *team.tasks[5:],
        ),
    )
    made = report.sheet(tight, replace(planned, feasible=False, tardiness=7))
    earlier = replace(planned, makespan=58, cost_usd=Decimal("3900.5"), quality=6.0)
    moved = list(planned.placements)
    moved[4] = replace(moved[4], start=40, finish=52)
    moved[2] = replace(moved[2], resources=(("ana", 1),))
    before = replace(planned, placements=tuple(moved), makespan=83)
    compared = difference.compare(
        difference.plan_of(tight, before), difference.plan_of(tight, planned)
    )
    change = Change(kind="skill", name="dev", amount=Decimal(1), written="dev+1")
    later = Change(kind="deadline", amount=Decimal(19), written="deadline+19h")
    return replace(
        made,
        front=Front(schedules=(earlier, planned)),
        explained=Explainer(made.network).chain("ship"),
        risk=assess(tight, planned, samples=400, seed=1),
        difference=compared,
        what_if=WhatIf(changes=(change,), difference=compared),
        relaxations=(
            Relaxation(changes=(change,), schedule=earlier),
            Relaxation(changes=(later, change), schedule=planned),
        ),
    )


def hostile() -> Sheet:
    """Every name is an attack on some format."""
    person = Resource(id=f"p{HOSTILE}", name=HOSTILE, person=True, skills=frozenset({HOSTILE}))
    runner = Resource(id=HOSTILE, capacity=2)
    modes = (
        Mode(
            id=HOSTILE,
            duration=3,
            needs=(Need(kind="skill", id=HOSTILE), Need(kind="resource", id=HOSTILE, amount=2)),
        ),
        Mode(id="b", duration=9),
    )
    tasks = tuple(Task(id=f"{HOSTILE}{n}", name=HOSTILE, modes=modes, deadline=4) for n in range(2))
    held = ((person.id, 1), (runner.id, 2))
    project = Project(
        name=HOSTILE,
        start=datetime(2026, 8, 3, 9, tzinfo=UTC),
        tasks=tasks,
        resources=(person, runner),
        source=HOSTILE,
    )
    placements = tuple(
        Placement(task=one.id, start=3 * n, finish=3 * n + 3, resources=held)
        for n, one in enumerate(tasks)
    )
    made = report.sheet(project, Schedule(placements=placements, makespan=6, lower_bound=3))
    return replace(made, explained=Explainer(made.network).chain(tasks[1].id))


def abstract() -> Sheet:
    """A benchmark's instance: no dates, no people, no cost."""
    tasks = tuple(
        Task(
            id=str(n),
            modes=(Mode(duration=n + 1, needs=(Need(kind="resource", id="R1"),)),),
        )
        for n in range(4)
    )
    project = Project(
        start=datetime(1970, 1, 1, tzinfo=UTC),
        tasks=tasks,
        resources=(Resource(id="R1", capacity=2),),
        source="j4.sm",
    )
    starts = (0, 0, 1, 2)
    placements = tuple(
        Placement(task=one.id, start=at, finish=at + n + 1, resources=(("R1", 1),))
        for n, (one, at) in enumerate(zip(tasks, starts, strict=True))
    )
    plan = Schedule(placements=placements, makespan=6, lower_bound=5, engine="python")
    return report.sheet(project, plan)


def many(count: int = 150) -> Sheet:
    """A long plan, with long names in many scripts."""
    people = tuple(
        Resource(id=f"p{n}", name=name, person=True, usd_per_hour=Decimal(50))
        for n, name in enumerate(
            ("Zoë", "佐藤 花子", "Maximilian von und zu Langenfeld-Hohenstein")
        )
    )
    names = ("設計レビューと評価の準備", "a name that never seems to end " * 4, "déjà vu", "x")
    tasks = tuple(
        Task(
            id=f"t{n}",
            name=names[n % 4],
            modes=(Mode(duration=2 + n % 5, needs=(Need(kind="person", id=f"p{n % 3}"),)),),
        )
        for n in range(count)
    )
    free = [0, 0, 0]
    placements = []
    for n, one in enumerate(tasks):
        start = free[n % 3]
        free[n % 3] += one.modes[0].duration
        placements.append(
            Placement(task=one.id, start=start, finish=free[n % 3], resources=((f"p{n % 3}", 1),))
        )
    project = Project(
        name="大きなリリース",
        start=datetime(2026, 8, 3, 9, tzinfo=UTC),
        timezone="Asia/Tokyo",
        tasks=tasks,
        resources=people,
    )
    return report.sheet(project, Schedule(placements=tuple(placements), makespan=max(free)))


@pytest.fixture
def sheets(team: Project, planned: Schedule) -> Sheets:
    """`sheets["hostile"]()` makes one."""
    made: Sheets = {
        "plan": lambda: report.sheet(team, planned),
        "answers": lambda: answered(team, planned),
        "hostile": hostile,
        "abstract": abstract,
        "many": many,
        "empty": lambda: report.sheet(replace(team, tasks=()), Schedule(placements=(), makespan=0)),
    }
    return {
        name: lambda name=name: replace(made[name](), made=MADE)  # type: ignore[misc]
        for name in made
    }


@pytest.fixture
def hostile_text() -> str:
    """What every name of the hostile plan holds."""
    return HOSTILE
