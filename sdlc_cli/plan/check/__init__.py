"""Whether a schedule keeps what its project asks for: every rule again, from `plan.model` alone.

Nothing here is shared with what makes plans: not the calendars, the staffing or the sums.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from sdlc_cli.core.i18n import Message, msg
from sdlc_cli.plan.check.opening import Clock, Opening
from sdlc_cli.plan.check.staffing import Held, held
from sdlc_cli.plan.check.sums import totals
from sdlc_cli.plan.check.violation import MISSES, Kind, Violation
from sdlc_cli.plan.model import Link, Placement, Project, Schedule, Task

__all__ = ["MISSES", "Kind", "Violation", "violations"]


@dataclass(frozen=True, slots=True)
class _Laid:
    """A task in its place, with the calendar that it is worked on by."""

    task: Task
    place: Placement
    held: Held
    opening: Opening


def violations(project: Project, schedule: Schedule) -> tuple[Violation, ...]:
    """Every rule that the schedule breaks; those of a kind in MISSES an infeasible one may."""
    found = list(_listing(project, schedule))
    laid, wrong = _laid(project, schedule)
    found += wrong
    for one in laid.values():
        found += _timing(project, one)
        found += _links(one, laid)
    found += _together(project, laid)
    found += _capacity(project, laid.values())
    parts = [(one.task, one.place, one.held, one.opening) for one in laid.values()]
    whole = len(laid) == len(project.tasks)
    found += totals(project, schedule, parts, found, whole=whole)
    return tuple(found)


def _listing(project: Project, schedule: Schedule) -> Iterator[Violation]:
    """Every task once, in the order of the project."""
    wanted = [task.id for task in project.tasks]
    given = [place.task for place in schedule.placements]
    if wanted == given:
        return
    for name in sorted(set(wanted) - set(given)):
        yield Violation("tasks", (name,), msg("{task} is not in the plan", task=name))
    for name in sorted(set(given) - set(wanted)):
        yield Violation("tasks", (name,), msg("{task} is no task of the project", task=name))
    seen: set[str] = set()
    for name in given:
        if name in seen:
            yield Violation("tasks", (name,), msg("{task} is in the plan twice", task=name))
        seen.add(name)
    if sorted(wanted) == sorted(given):
        yield Violation("tasks", (), msg("the tasks are not in the order of the project"))


def _laid(project: Project, schedule: Schedule) -> tuple[dict[str, _Laid], list[Violation]]:
    tasks, resources = project.by_id, {one.id: one for one in project.resources}
    found: dict[str, _Laid] = {}
    wrong: list[Violation] = []
    places = [place for place in schedule.placements if place.task in tasks]
    edges = [0, *(place.start for place in places), *(place.finish for place in places)]
    clock = Clock(project, min(edges), max(edges))
    numbers = {one.id: clock.number(one.calendar) for one in project.resources}
    for place in places:
        task = tasks[place.task]
        if not 0 <= place.mode < len(task.modes):
            wrong.append(_has("mode", task, msg("{task} is planned in a mode that it lacks",
                                                task=task.id)))  # fmt: skip
            continue
        if task.status != "todo" and task.mode is not None and place.mode != task.mode:
            wrong.append(_has("fact", task, msg("{task} is done in another mode", task=task.id)))
        staff, complaints = held(task, place, resources)
        wrong += [_has("staffing", task, complaint) for complaint in complaints]
        if task.calendar is not None:
            closed = {clock.number(task.calendar)}
        elif staff.amounts:
            closed = {numbers[name] for name in staff.amounts}
        else:
            closed = {clock.number(project.calendar)}
        opening = clock.common(frozenset(number for number in closed if number is not None))
        found[task.id] = _Laid(task, place, staff, opening)
    return found, wrong


def _timing(project: Project, one: _Laid) -> Iterator[Violation]:
    """Where the task begins and ends: facts, calendar, release and deadline."""
    task, place = one.task, one.place
    if task.status == "done":
        if (place.start, place.finish) != (task.started, task.finished):
            yield _has("fact", task, msg("{task} was done at another time", task=task.id))
    elif task.status == "running" and place.start != task.started:
        yield _has("fact", task, msg("{task} began at another time", task=task.id))
    else:
        yield from _working(project, one)
    if task.deadline is not None and task.hard and place.finish > task.deadline:
        yield _has("deadline", task, msg("{task} ends {n} slots after its deadline",
                                         task=task.id, n=place.finish - task.deadline))  # fmt: skip


def _working(project: Project, one: _Laid) -> Iterator[Violation]:
    task, place = one.task, one.place
    duration = one.held.duration(task.modes[place.mode].duration)
    end = one.opening.end_of(place.start, duration)
    if task.status == "running" and end is not None:
        end = max(end, project.now)
    if end != place.finish:
        message = msg("{task} needs {n} open slots from {start} on, and ends at {finish}",
                      task=task.id, n=duration, start=place.start, finish=place.finish)  # fmt: skip
        yield _has("duration", task, message)
    if task.status == "running":
        return
    if duration and not one.opening.holds(place.start):
        message = msg("{task} begins in the closed slot {start}", task=task.id, start=place.start)
        yield _has("calendar", task, message)
    if place.start < max(task.release, project.now):
        message = msg("{task} begins at {start}, before it may", task=task.id, start=place.start)
        yield _has("release", task, message)


def _links(one: _Laid, laid: Mapping[str, _Laid]) -> Iterator[Violation]:
    """What comes before. What has begun is as it is."""
    if one.task.status != "todo":
        return
    for link in one.task.after:
        if link.task in laid:
            least, moment = _least(link, laid[link.task].place), _moment(link, one.place)
            if moment < least:
                message = msg("{task} comes {n} slots too early after {other} ({kind})",
                              task=one.task.id, n=least - moment, other=link.task,
                              kind=link.kind)  # fmt: skip
                yield Violation("link", (link.task, one.task.id), message)


def _least(link: Link, before: Placement) -> int:
    return (before.finish if link.kind in ("FS", "FF") else before.start) + link.lag


def _moment(link: Link, place: Placement) -> int:
    return place.start if link.kind in ("FS", "SS") else place.finish


def _together(project: Project, laid: Mapping[str, _Laid]) -> Iterator[Violation]:
    for group in project.together:
        movable = [laid[name] for name in group if name in laid]
        movable = [one for one in movable if one.task.status == "todo"]
        if len({one.place.start for one in movable}) > 1:
            names = tuple(one.task.id for one in movable)
            message = msg("{tasks} do not begin together", tasks=", ".join(names))
            yield Violation("together", names, message)


def _capacity(project: Project, laid: Iterable[_Laid]) -> Iterator[Violation]:
    """Each resource's first slot in which more is held than there is, facts among themselves aside.

    Times of more than one run are summed at the edges of the runs alone.
    """
    edges: dict[str, list[tuple[int, int, int, str]]] = {}
    for one in laid:
        if not one.held.amounts:
            continue
        moves = int(one.task.status == "todo")
        for begin, end in one.opening.worked(one.place.start, one.place.finish):
            for name, amount in one.held.amounts.items():
                mine = edges.setdefault(name, [])
                mine.append((begin, amount, moves, one.task.id))
                mine.append((end, -amount, -moves, one.task.id))
    for resource in project.resources:
        total = movable = 0
        working: set[str] = set()
        events = sorted(edges.get(resource.id, ()), key=lambda edge: edge[0])
        for at, (slot, amount, moves, name) in enumerate(events):
            total += amount
            movable += moves
            (working.add if amount > 0 else working.discard)(name)
            settled = at + 1 == len(events) or events[at + 1][0] != slot
            if settled and movable and total > resource.capacity:
                message = msg("{n} of {capacity} {resource} are held in slot {slot}",
                              n=total, capacity=resource.capacity, resource=resource.id,
                              slot=slot)  # fmt: skip
                yield Violation("capacity", tuple(sorted(working)), message)
                break


def _has(kind: Kind, task: Task, message: Message) -> Violation:
    return Violation(kind, (task.id,), message)
