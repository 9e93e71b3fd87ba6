"""The checker against one that looks at every slot, and against plans that keep every rule."""

from dataclasses import replace

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from sdlc_cli.plan.check import MISSES, violations
from sdlc_cli.plan.model import Placement, Project, Schedule, Task
from tests.plan.projects import Way, front, naive, projects, summed, tiny, ways


@given(projects(facts=False))
def test_a_plan_that_keeps_every_rule_is_accepted(project: Project) -> None:
    plan = naive(project)

    assert {one.kind for one in violations(project, plan)} <= MISSES


def way_of(project: Project, task: Task, place: Placement) -> Way:
    return next(
        way
        for way in ways(project, task)
        if way.mode == place.mode and way.resources == place.resources
    )


def broken(project: Project, plan: Schedule) -> set[str]:
    """Kinds of rules that are broken by starts alone, looked for slot by slot."""
    found: set[str] = set()
    placed = {place.task: place for place in plan.placements}
    held: dict[tuple[str, int], int] = {}
    for task in project.tasks:
        place, way = placed[task.id], way_of(project, task, placed[task.id])
        slots = [slot for slot in range(place.start, place.finish) if way.opening.holds(slot)]
        if way.duration and not way.opening.holds(place.start):
            found.add("calendar")
        ends = place.finish == place.start if not slots else place.finish == slots[-1] + 1
        if len(slots) != way.duration or not ends:
            found.add("duration")
        if place.start < project.now or place.start < task.release:
            found.add("release")
        for link in task.after:
            other = placed[link.task]
            before = other.finish if link.kind[0] == "F" else other.start
            moment = place.start if link.kind[1] == "S" else place.finish
            if before + link.lag > moment:
                found.add("link")
        if task.deadline is not None and task.hard and place.finish > task.deadline:
            found.add("deadline")
        for slot in slots:
            for name, amount in way.resources:
                held[name, slot] = held.get((name, slot), 0) + amount
    there = {one.id: one.capacity for one in project.resources}
    if any(amount > there[name] for (name, _), amount in held.items()):
        found.add("capacity")
    if any(len({placed[name].start for name in group}) > 1 for group in project.together):
        found.add("together")
    return found


@settings(max_examples=60)
@given(projects(facts=False, most_tasks=5), st.data())
def test_moved_tasks_break_what_every_slot_says(project: Project, data: st.DataObject) -> None:
    plan = naive(project)
    moved = []
    for place in plan.placements:
        start = place.start + data.draw(st.sampled_from((0, 0, 0, -1, 1, -9, 24)))
        finish = place.finish + start - place.start + data.draw(st.sampled_from((0, 0, 0, 1, -1)))
        assume(0 <= start <= finish)
        moved.append(replace(place, start=start, finish=finish))
    trial = replace(plan, placements=tuple(moved))
    whole = {"total", "budget", "consumable"}
    if project.deadline is not None and max(place.finish for place in moved) > project.deadline:
        whole.add("deadline")

    found = {str(one.kind) for one in violations(project, trial)}

    assert found - whole == broken(project, trial) - whole


@settings(max_examples=25)
@given(tiny())
def test_no_plan_is_better_than_the_front_that_tries_all(project: Project) -> None:
    plan = naive(project)
    points = front(project)

    assert points or not plan.feasible
    if plan.feasible:
        assert any(
            last <= plan.makespan and cost <= plan.cost_usd and quality >= plan.quality
            for last, cost, quality in points
        )
    assert summed(project, {place.task: place for place in plan.placements}) == plan
