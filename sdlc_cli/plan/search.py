"""The one way in: a Project and an effort in, a Schedule out."""

import time
from datetime import UTC, datetime

from sdlc_cli.plan import general
from sdlc_cli.plan.compiled import engine
from sdlc_cli.plan.compiling import compile_
from sdlc_cli.plan.decode import schedule
from sdlc_cli.plan.effort import Effort, Watch
from sdlc_cli.plan.goal import goal
from sdlc_cli.plan.model import Mode, Objective, Project, Schedule, Task


def solve(
    project: Project,
    *,
    objective: Objective = "makespan",
    effort: Effort | None = None,
    exact: bool = False,
    watch: Watch | None = None,
    hint: Schedule | None = None,
    stability: float = 0,
) -> Schedule:
    """The best plan found."""
    effort = effort or Effort()
    instance = compile_(project)
    target = goal(instance, objective, project.weights)
    begin = time.monotonic()
    found = general.search(instance, effort, target, watch)
    return schedule(
        project,
        instance,
        found,
        target,
        seed=effort.seed,
        seconds=time.monotonic() - begin,
        engine=engine()[0],
    )


def ready() -> str:
    """Load the kernels, or compile them, ahead of the clock; say what they run on, and why."""
    project = Project(start=datetime(2000, 1, 3, tzinfo=UTC), tasks=(_nothing("a"), _nothing("b")))
    instance = compile_(project)
    general.search(instance, Effort(schedules=1), goal(instance))
    name, why = engine()
    return f"{name} ({why})" if why else name


def _nothing(name: str) -> Task:
    return Task(id=name, modes=(Mode(duration=1),))
