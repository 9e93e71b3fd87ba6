"""The one way in: a Project and an effort in, a Schedule out."""

import time
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Literal

import numpy as np

from sdlc_cli.plan import bounds, exact
from sdlc_cli.plan.compiled import engine, kept
from sdlc_cli.plan.compiling import compile_
from sdlc_cli.plan.decode import encoded, schedule
from sdlc_cli.plan.effort import Effort, Found, Watch
from sdlc_cli.plan.goal import Goal, goal
from sdlc_cli.plan.instance import Instance
from sdlc_cli.plan.model import Mode, Need, Objective, Project, Resource, Schedule, Task

Kernel = Literal["plain", "general"]
"""The compiled code that searches plain projects, and the one that searches all others."""
_MODULES: Mapping[Kernel, tuple[str, ...]] = {
    "plain": ("evolve", "branching"),
    "general": ("breed",),
}
_SEARCHED = 0.3
"""The share of the time that is searched before CP-SAT takes over with `exact`."""


def solve(
    project: Project,
    *,
    objective: Objective = "makespan",
    effort: Effort | None = None,
    exact: bool = False,
    watch: Watch | None = None,
    hint: Schedule | None = None,
    stability: float = 0,
    instance: Instance | None = None,
) -> Schedule:
    """The best plan that `effort` finds, by `objective`. An interrupt ends it with the best so far.

    With `exact`, CP-SAT goes on from there to prove it, or to improve it. `hint` is an older plan
    to begin with, and to be left as little as `stability` asks: see goal.goal. It is taken as a
    wish: tasks and people that are gone do no harm. `instance` are the arrays of `project`, where
    they are made already.
    """
    instance = instance or compile_(project)
    wish = encoded(project, instance, hint) if hint is not None else None
    target = goal(instance, objective, project.weights, stability if wish is not None else 0)
    return run(project, instance, target, effort or Effort(), exact=exact, watch=watch, wish=wish)


def run(
    project: Project,
    instance: Instance,
    target: Goal,
    effort: Effort,
    *,
    exact: bool = False,
    watch: Watch | None = None,
    wish: Found | None = None,
) -> Schedule:
    """The best plan by a goal, for an Instance that is compiled already."""
    begin = time.monotonic()
    bound = bounds.makespan(instance)
    name = engine()[0]
    short = effort
    if exact and effort.seconds is not None and effort.schedules is None:
        short = replace(effort, seconds=effort.seconds * _SEARCHED)
    found = _search(instance, short, target, watch, bound, wish)
    if exact and not found.proved:
        left = None
        if effort.seconds is not None:
            left = max(0.1, effort.seconds - (time.monotonic() - begin))
        found, proved, better = _prove(
            instance, found, replace(effort, seconds=left), target, watch
        )
        bound = max(bound, proved)
        name = "cp-sat" if better else name
    if found.proved and target.only_makespan:
        bound = found.makespan
    return schedule(
        project,
        instance,
        found,
        target,
        lower_bound=min(bound, found.makespan),
        seed=effort.seed,
        seconds=time.monotonic() - begin,
        engine=name,
    )


def _search(
    instance: Instance,
    effort: Effort,
    target: Goal,
    watch: Watch | None,
    bound: int,
    wish: Found | None,
) -> Found:
    if _is_plain(instance, target) and wish is None:
        from sdlc_cli.plan import plain

        return plain.search(instance, effort, watch)
    if (instance.fixed_start >= 0).all():
        first = instance.mode_ptr[:-1].astype(np.int32)
        start, finish = instance.fixed_start, instance.fixed_finish
        return Found(start=start, finish=finish, mode=first, proved=True)
    from sdlc_cli.plan import general

    given = () if wish is None else (_whole(instance, wish),)
    kept = wish if target.moved or target.changed else None
    return general.search(instance, effort, target, watch, bound=bound, wish=kept, given=given)


def _whole(instance: Instance, wish: Found) -> Found:
    """A wish with something in every gap."""
    start = np.where(wish.start < 0, instance.horizon, wish.start)
    mode = np.where(wish.mode < 0, instance.mode_ptr[:-1], wish.mode).astype(np.int32)
    return replace(wish, start=start, mode=mode)


def _prove(
    instance: Instance, found: Found, effort: Effort, target: Goal, watch: Watch | None
) -> tuple[Found, int, bool]:
    """(the better plan, a bound of the makespan, whether CP-SAT's plan is the better one)."""
    other, bound = exact.solve(instance, found, effort, target, watch)
    better = other is not None and other.start is not found.start
    return other or found, bound, better


def _is_plain(instance: Instance, target: Goal) -> bool:
    return instance.n == 0 or (instance.plain and target.only_makespan)


def kernel(instance: Instance, objective: Objective, *, hint: bool) -> Kernel:
    """Which kernel searches an instance."""
    return "plain" if _is_plain(instance, goal(instance, objective)) and not hint else "general"


def compiled(which: Kernel) -> bool:
    """Whether a kernel is there already, and has only to be loaded."""
    return all(kept(module) for module in _MODULES[which])


def ready(which: Kernel) -> str:
    """Load a kernel, or compile it, ahead of the clock; say what it runs on, and why."""
    start = datetime(2000, 1, 3, tzinfo=UTC)
    if which == "plain":
        from sdlc_cli.plan import plain
        from sdlc_cli.plan.trees import Trees

        first = not compiled(which)
        alone = (Task(id="a", modes=(Mode(duration=1),)), Task(id="b", modes=(Mode(duration=2),)))
        instance = compile_(Project(start=start, tasks=alone))
        plain.search(instance, Effort(schedules=100))
        if first:  # few projects need it, and it loads quickly
            Trees(instance, plain.net(instance, 1), 4).count(0, 1)
    else:
        from sdlc_cli.plan import general

        ann = Resource(id="ann", person=True, skills=frozenset({"all"}))
        modes = (Mode(duration=1, needs=(Need(kind="skill", id="all"),)), Mode(duration=2))
        tasks = (Task(id="a", modes=modes), Task(id="b", modes=modes))
        instance = compile_(Project(start=start, tasks=tasks, resources=(ann,)))
        general.search(instance, Effort(schedules=100), goal(instance))
    name, why = engine()
    return f"{name} ({why})" if why else name
