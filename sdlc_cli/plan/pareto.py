"""The front over makespan, cost and quality: plans of which none is better in everything.

A small project is searched whole, and the front is complete. Elsewhere the search is asked again
and again for the best plan that is cheaper, or finer, or earlier than what is known: a limit on
what two of the three amount to, the third as the objective, so that dents of the front are found
as well as its corners.
"""

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from itertools import pairwise

import numpy as np

from sdlc_cli.plan import bounds, enumeration, general
from sdlc_cli.plan.compiled import engine
from sdlc_cli.plan.compiling import compile_
from sdlc_cli.plan.decode import schedule
from sdlc_cli.plan.effort import Effort, Found, Progress, Watch
from sdlc_cli.plan.goal import Goal, goal, value
from sdlc_cli.plan.instance import MICRO, Instance
from sdlc_cli.plan.model import Front, Project

_ROUNDS = 24
"""Questions that an effort is divided among."""

Point = tuple[int, int, float]


def front(project: Project, effort: Effort | None = None, watch: Watch | None = None) -> Front:
    """The front, every point a whole plan that keeps every limit.

    Without a plan that keeps them it is empty. `complete` says that nothing is missing.
    """
    effort = effort or Effort()
    instance = compile_(project)
    begin = time.monotonic()
    archive = _Archive(instance)
    complete = False
    every = enumeration.every_plan(instance)
    if every is not None:
        for found in every:
            archive.add(found)
        complete = True
    else:
        _explore(instance, effort, archive, watch)
    bound = bounds.makespan(instance)
    makespan = goal(instance)
    plans = tuple(
        schedule(
            project, instance, found, makespan, lower_bound=min(bound, found.makespan),
            seed=effort.seed, seconds=time.monotonic() - begin, engine=engine()[0],
        )
        for _, found in sorted(archive.points.items())
    )  # fmt: skip
    return Front(schedules=plans, complete=complete)


@dataclass(slots=True)
class _Archive:
    """Plans of which none is better than another."""

    instance: Instance
    points: dict[Point, Found] = field(default_factory=dict)
    made: int = 0

    def add(self, found: Found) -> None:
        i = self.instance
        self.made += found.schedules
        if value(goal(i), i, found)[0] > 0:
            return
        point = self.point(found)
        if any(_covers(other, point) for other in self.points):
            return
        self.points = {p: f for p, f in self.points.items() if not _covers(point, p)}
        self.points[point] = found

    def point(self, found: Found) -> Point:
        """(makespan, micro-dollars, points of quality to lose), the smaller the better."""
        i = self.instance
        late = np.maximum(0, found.finish - i.deadline)
        cost = int(i.mode_cost[found.mode].sum() + (late * i.late_cost).sum())
        return found.makespan, cost, -round(float(i.mode_quality[found.mode].sum()), 9)


def _covers(a: Point, b: Point) -> bool:
    return all(x <= y for x, y in zip(a, b, strict=True))


def _explore(instance: Instance, effort: Effort, archive: _Archive, watch: Watch | None) -> None:
    """Ask for the corners first, then between them, each time from what is known."""
    begin = time.monotonic()
    going = True

    def still(progress: Progress) -> bool:
        nonlocal going
        seconds = time.monotonic() - begin
        going = watch is None or watch(
            replace(progress, schedules=archive.made + progress.schedules, seconds=seconds)
        )
        return going

    for k, (asked, target) in enumerate(_questions(instance, archive)):
        left = _ROUNDS - k
        if not left or not going:
            return
        seconds = schedules = None
        if effort.schedules is not None:
            schedules = max(60, (effort.schedules - archive.made) // left)
        else:
            seconds = ((effort.seconds or 5.0) - (time.monotonic() - begin)) / left
            if seconds <= 0:
                return
        short = replace(effort, seconds=seconds, schedules=schedules, seed=effort.seed + k)
        given = _nearest(archive, target, instance)
        found = general.search(asked, short, target, still, given=given)
        archive.add(found)


def _questions(instance: Instance, archive: _Archive) -> Iterator[tuple[Instance, Goal]]:
    """Corners, then the widest gaps between neighbours on the front."""
    for objective in ("makespan", "cost", "quality"):
        yield instance, goal(instance, objective)
    asked: set[tuple[int, Point, Point]] = set()
    while True:
        gap = _widest(archive.points, asked)
        if gap is None:
            yield instance, goal(instance, "balanced")
            continue
        asked.add(gap)
        axis, a, b = gap
        yield _between(instance, axis, a, b)


def _widest(
    points: Iterable[Point], asked: set[tuple[int, Point, Point]]
) -> tuple[int, Point, Point] | None:
    """The widest gap between neighbours by one of the three, as a share of its span."""
    best: tuple[float, tuple[int, Point, Point]] | None = None
    known = list(points)
    for axis in (1, 2):
        ranked = sorted(known, key=lambda p: p[axis])
        span = (ranked[-1][axis] - ranked[0][axis]) if ranked else 0
        for a, b in pairwise(ranked):
            if b[axis] <= a[axis] or (axis, a, b) in asked:
                continue
            width = (b[axis] - a[axis]) / span
            if best is None or width > best[0]:
                best = width, (axis, a, b)
    return best[1] if best else None


def _between(instance: Instance, axis: int, a: Point, b: Point) -> tuple[Instance, Goal]:
    """The earliest plan that costs no more, or is no worse, than the middle of two."""
    middle = (a[axis] + b[axis]) / 2
    if axis == 1:
        amounts = instance.mode_cost
        limit = int(middle)
    else:
        amounts = np.round((instance.mode_quality.max() - instance.mode_quality) * MICRO)
        limit = int((instance.n * instance.mode_quality.max() + middle) * MICRO)
    use = np.column_stack([instance.mode_use, amounts.astype(np.int64)])
    asked = replace(instance, mode_use=use, budget=np.append(instance.budget, limit))
    target = goal(asked)
    weights = (1.0, 0.0, 0.1 / max(1.0, float(instance.mode_cost.sum())), 1e-6)
    return asked, replace(target, weights=weights)


def _nearest(archive: _Archive, target: Goal, instance: Instance) -> tuple[Found, ...]:
    """What is known, the best by a goal first."""
    return tuple(sorted(archive.points.values(), key=lambda f: value(target, instance, f))[:8])
