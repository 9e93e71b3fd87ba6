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
from sdlc_cli.plan.effort import Effort, Found, Progress, Watch
from sdlc_cli.plan.goal import Goal, goal, value
from sdlc_cli.plan.instance import NEVER, Instance
from sdlc_cli.plan.meeting import Meeting
from sdlc_cli.plan.model import Mode, Need, Objective, Project, Resource, Schedule, Task

Kernel = Literal["plain", "small", "general"]
"""The compiled code that searches plain projects, small plain ones, and all others."""
_MODULES: Mapping[Kernel, tuple[str, ...]] = {
    "plain": ("evolve",),
    "small": ("evolve", "branching"),
    "general": ("breed",),
}
_BEFORE, _ALONE = 0.2, 0.3
"""Shares of the time that are searched before CP-SAT begins: beside the search, or after it."""


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

    With `exact`, CP-SAT goes on from there to prove it or to improve it, with half the workers, and
    the search beside it with the others; with one worker, or a number of schedules, CP-SAT comes
    after the search. `hint` is an older plan
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
    if exact and effort.schedules is None:
        whole = 60.0 if effort.seconds is None else effort.seconds
        effort = replace(effort, seconds=whole)
        short = replace(effort, seconds=whole * (_BEFORE if effort.jobs > 1 else _ALONE))
    stopped = False

    def heard(progress: Progress) -> bool:
        nonlocal stopped
        stopped = watch is not None and not watch(progress)
        return not stopped

    found = _search(instance, short, target, heard, bound, wish)
    if exact and not found.proved and not stopped:
        left = effort
        if effort.seconds is not None:
            spent = time.monotonic() - begin
            left = replace(effort, seconds=max(0.1, effort.seconds - spent))
        found, proved, name = _prove(instance, found, left, target, watch, bound, wish)
        bound = max(bound, proved)
    if target.nothing and not value(target, instance, found)[0]:
        found = replace(found, proved=True)
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
    given: Found | None = None,
) -> Found:
    if _is_plain(instance, target) and wish is None:
        from sdlc_cli.plan import plain

        return plain.search(instance, effort, watch)
    if (instance.fixed_start >= 0).all():
        first = instance.mode_ptr[:-1].astype(np.int32)
        start, finish = instance.fixed_start, instance.fixed_finish
        return Found(start=start, finish=finish, mode=first, proved=True)
    from sdlc_cli.plan import general

    known = () if wish is None else (_whole(instance, wish),)
    known = known if given is None else (given, *known)
    kept = wish if target.moved or target.changed else None
    return general.search(instance, effort, target, watch, bound=bound, wish=kept, given=known)


def _whole(instance: Instance, wish: Found) -> Found:
    """A wish with something in every gap."""
    start = np.where(wish.start < 0, instance.horizon, wish.start)
    mode = np.where(wish.mode < 0, instance.mode_ptr[:-1], wish.mode).astype(np.int32)
    return replace(wish, start=start, mode=mode)


def _prove(
    instance: Instance,
    found: Found,
    effort: Effort,
    target: Goal,
    watch: Watch | None,
    bound: int,
    wish: Found | None,
) -> tuple[Found, int, str]:
    """(the best plan, a bound of the makespan, whose plan it is), by CP-SAT and the search.

    They run beside each other where there are two workers and a time: with a number of schedules,
    the search has made them.
    """

    def worth(one: Found) -> tuple[float, float]:
        return value(target, instance, one)

    limits = bool(instance.hard.any() or len(instance.budget) or instance.latest < NEVER)
    so_far = Progress(makespan=found.makespan, bound=bound, schedules=found.schedules, seconds=0.0)
    meeting = Meeting(target, limits, watch, so_far)
    both = effort.jobs > 1 and effort.schedules is None
    theirs = replace(effort, jobs=max(1, effort.jobs // 2) if both else effort.jobs)
    with meeting.beside(lambda: exact.solve(instance, found, theirs, target, meeting)) as future:
        more = found
        if both:
            ours = replace(effort, jobs=effort.jobs - theirs.jobs, seed=effort.seed + 1)
            more = _search(instance, ours, target, meeting.heard, bound, wish, found)
        else:
            meeting.wait(future)
    other, proved = future.result()
    if both:
        made = found.schedules + more.schedules
        shorter = target.only_makespan and worth(found) < worth(more)
        more = replace(found if shorter else more, schedules=made)
    if other is not None and worth(other) < worth(more):
        return replace(other, schedules=more.schedules), proved, "cp-sat"
    met = target.only_makespan and not worth(more)[0] and more.makespan <= proved
    done = more.proved or met or (other is not None and other.proved)
    return replace(more, proved=done), proved, engine()[0]


def _is_plain(instance: Instance, target: Goal) -> bool:
    return instance.n == 0 or (instance.plain and target.only_makespan)


def kernel(instance: Instance, objective: Objective, *, hint: bool) -> Kernel:
    """Which kernel searches an instance."""
    if hint or not _is_plain(instance, goal(instance, objective)):
        return "general"
    from sdlc_cli.plan.branching import MOST

    if not 0 < np.count_nonzero(instance.mode_duration) <= MOST:
        return "plain"
    from sdlc_cli.plan import plain, trees

    net = plain.net(instance, plain.unit(instance))
    return "small" if trees.fitting(instance, net) else "plain"


def compiled(which: Kernel) -> bool:
    """Whether a kernel is there already, and has only to be loaded."""
    return all(kept(module) for module in _MODULES[which])


def ready(which: Kernel) -> str:
    """Load a kernel, or compile it, ahead of the clock; say what it runs on, and why."""
    start = datetime(2000, 1, 3, tzinfo=UTC)
    if which != "general":
        from sdlc_cli.plan import plain
        from sdlc_cli.plan.trees import Trees

        first = which == "small" and not compiled(which)
        alone = (Task(id="a", modes=(Mode(duration=1),)), Task(id="b", modes=(Mode(duration=2),)))
        instance = compile_(Project(start=start, tasks=alone))
        plain.search(instance, Effort(schedules=100))
        if first:  # few small projects need it, and it loads quickly
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
