"""Projects for property tests, drawn with everything that a tasks.yaml can say, and what is the
best for tiny ones, found by trying all.

Drawn projects can always be planned: every mode can be staffed, and all calendars share hours.
They are as the reader would make them, so that they can be written and read back.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from itertools import combinations, product

from hypothesis import strategies as st

from sdlc_cli.plan.check.opening import Clock, Opening
from sdlc_cli.plan.model import (
    ALWAYS,
    Calendar,
    Consumable,
    Hours,
    Link,
    LinkKind,
    Mode,
    Need,
    Placement,
    Project,
    Resource,
    Schedule,
    Status,
    Task,
    Weights,
)
from sdlc_cli.plan.readers.order import waiting

SKILLS = ("web", "api", "on call")
KINDS: tuple[LinkKind, ...] = ("FS", "SS", "FF", "SF")
STATUSES: tuple[Status, ...] = ("todo", "todo", "todo", "running", "done")
STARTS = (
    (datetime(2026, 3, 27, 8, tzinfo=UTC), "Europe/Berlin"),  # the clock goes forward on Sunday
    (datetime(2026, 10, 23, 22, tzinfo=UTC), "Europe/Berlin"),  # and back
    (datetime(2026, 1, 5, tzinfo=UTC), "UTC"),
    (datetime(2026, 10, 30, 12, tzinfo=UTC), "America/New_York"),
)


def _daily(days: Sequence[int], *spans: tuple[int, int]) -> tuple[Hours, ...]:
    return tuple(
        Hours(weekday=day, begin=begin * 60, end=end * 60) for day in days for begin, end in spans
    )


# All of them are open from 10 to 12 on the days from Monday to Friday.
HOURS = (
    _daily(range(5), (9, 17)),
    _daily(range(5), (9, 12), (13, 17)),
    _daily(range(5), (9, 12), (12, 13)),
    _daily(range(6), (10, 18)),
    _daily(range(7), (0, 24)),
    _daily(range(4), (8, 18)) + _daily((4,), (10, 12)),
)


@st.composite
def calendars(draw: st.DrawFn, start: datetime) -> Calendar:
    """A calendar, with some days off around the start."""
    if draw(st.booleans()):
        return ALWAYS
    days = draw(st.frozensets(st.integers(0, 12), max_size=4))
    off: frozenset[date] = frozenset(start.date() + timedelta(days=day) for day in days)
    return Calendar(hours=draw(st.sampled_from(HOURS)), days_off=off)


money = st.decimals(min_value=0, max_value=200, places=2)
names = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=8)


@st.composite
def projects(
    draw: st.DrawFn,
    *,
    most_tasks: int = 8,
    facts: bool = True,
    limits: bool = True,
    any_names: bool = False,
) -> Project:
    """A project of up to `most_tasks`. `limits`: with deadlines, a budget and consumables."""
    start, zone = draw(st.sampled_from(STARTS))
    shared = draw(st.lists(calendars(start), min_size=1, max_size=3))
    people = [
        Resource(
            id=f"person {i}",
            person=True,
            skills=frozenset(skill for skill in SKILLS if draw(st.booleans())),
            calendar=draw(st.sampled_from(shared)),
            percent=draw(st.sampled_from((100, 100, 50, 80, 33))),
            usd_per_hour=draw(money),
        )
        for i in range(draw(st.integers(0, 3)))
    ]
    resources = [
        Resource(
            id=f"resource {i}",
            capacity=draw(st.sampled_from((1, 1, 2, 3, 4))),
            calendar=draw(st.sampled_from((ALWAYS, *shared))),
            usd_per_hour=draw(money),
            unit=draw(st.sampled_from(("", "tokens/min"))),
        )
        for i in range(draw(st.integers(0, 2)))
    ]
    consumables = [
        Consumable(id=f"stock {i}", capacity=draw(st.integers(3, 12)))
        for i in range(draw(st.integers(0, 1 if limits else 0)))
    ]
    count = draw(st.integers(1, most_tasks))
    ids = [f"task {i}" for i in range(count)]
    if any_names:
        ids = draw(st.lists(names, min_size=count, max_size=count, unique=True))
    tasks: list[Task] = []
    for name in ids:
        modes = draw(_modes(people, resources, consumables))
        tasks.append(
            Task(
                id=name,
                name=draw(names) if any_names else "",
                modes=modes,
                after=draw(_links([task.id for task in tasks])),
                release=draw(st.sampled_from((0, 0, 0, 5, 30))),
                calendar=draw(st.sampled_from((None, None, None, ALWAYS, *shared))),
                priority=draw(st.sampled_from((1, 1, 0, 3))),
            )
        )
        if limits:
            tasks[-1] = draw(_with_deadline(tasks[-1]))
    if facts:
        tasks, now = draw(_with_facts(tasks, people))
    else:
        now = draw(st.sampled_from((0, 0, 7)))
    project = Project(
        start=start,
        timezone=zone,
        unit_seconds=draw(st.sampled_from((3600, 1800, 900))),
        calendar=draw(st.sampled_from(shared)),
        tasks=tuple(tasks),
        resources=(*people, *resources),
        consumables=tuple(consumables),
        now=now,
        budget_usd=draw(st.none() | st.decimals(0, 3000, places=2)) if limits else None,
        deadline=draw(st.none() | st.integers(1, 300)) if limits else None,
        weights=draw(st.sampled_from((Weights(), Weights(cost=2.5, quality=0.0)))),
    )
    return replace(project, together=draw(_groups(project)))


@st.composite
def crowded(draw: st.DrawFn) -> Project:
    """Two or three tasks that start together, with few people and units among them, and another.

    Whether they can, `at_once` tells.
    """
    start, zone = draw(st.sampled_from(STARTS))
    shared = draw(st.lists(calendars(start), min_size=1, max_size=3))
    people = [
        Resource(
            id=f"person {i}",
            person=True,
            skills=frozenset(skill for skill in SKILLS[:2] if draw(st.booleans())),
            calendar=draw(st.sampled_from(shared)),
        )
        for i in range(draw(st.integers(1, 3)))
    ]
    unit = Resource(id="unit", capacity=draw(st.integers(1, 3)))
    ids = [f"task {i}" for i in range(draw(st.integers(3, 4)))]
    tasks = tuple(
        Task(
            id=name,
            modes=tuple(
                Mode(
                    id=f"mode {n}",
                    duration=draw(st.integers(0, 9)),
                    needs=(*draw(_staff(people)), *draw(_held([unit]))),
                )
                for n in range(draw(st.integers(1, 2)))
            ),
        )
        for name in ids
    )
    return Project(
        start=start,
        timezone=zone,
        calendar=draw(st.sampled_from(shared)),
        tasks=tasks,
        resources=(*people, unit),
        together=(tuple(ids[1:]),),
    )


def tiny() -> st.SearchStrategy[Project]:
    """Projects small enough for `front`: nothing has happened, nothing has a deadline."""

    def timeless(project: Project) -> Project:
        tasks = (replace(task, deadline=None, hard=True, late_usd_per_hour=Decimal(0))
                 for task in project.tasks)  # fmt: skip
        return replace(project, tasks=tuple(tasks), deadline=None, unit_seconds=3600)

    few = projects(most_tasks=3, facts=False).map(timeless)
    return few.filter(lambda one: sum(len(ways(one, task)) for task in one.tasks) <= 7)


@st.composite
def _modes(
    draw: st.DrawFn,
    people: Sequence[Resource],
    resources: Sequence[Resource],
    consumables: Sequence[Consumable],
) -> tuple[Mode, ...]:
    count = draw(st.sampled_from((1, 1, 2, 3)))
    found: list[Mode] = []
    for i in range(count):
        duration = draw(st.integers(0, 6))
        spread = draw(st.booleans())
        model = draw(st.sampled_from(("", "", "some-model")))
        found.append(
            Mode(
                id=f"mode {i}" if count > 1 else "",
                duration=duration,
                low=draw(st.integers(0, duration)) if spread else None,
                high=draw(st.integers(duration, 12)) if spread else None,
                needs=(*draw(_staff(people)), *draw(_held(resources))),
                uses=tuple(
                    (one.id, draw(st.integers(1, 3))) for one in consumables if draw(st.booleans())
                ),
                cost_usd=draw(money),
                quality=draw(st.sampled_from((0.0, 1.0, 2.5, -1.25))),
                model=model,
                input_tokens=draw(st.integers(0, 10**7)) if model else 0,
                output_tokens=draw(st.integers(0, 10**6)) if model else 0,
            )
        )
    return tuple(found)


@st.composite
def _staff(draw: st.DrawFn, people: Sequence[Resource]) -> tuple[Need, ...]:
    """Needs that people who are there can meet all at once."""
    chosen = [person for person in people if draw(st.integers(0, 2)) == 2]
    skills: dict[str, int] = {}
    needs: list[Need] = []
    for person in chosen:
        if bool(person.skills) and draw(st.booleans()):
            skill = draw(st.sampled_from(sorted(person.skills)))
            skills[skill] = skills.get(skill, 0) + 1
        else:
            needs.append(Need(kind="person", id=person.id))
    needs += [Need(kind="skill", id=skill, amount=n) for skill, n in skills.items()]
    return tuple(needs)


@st.composite
def _held(draw: st.DrawFn, resources: Sequence[Resource]) -> tuple[Need, ...]:
    return tuple(
        Need(kind="resource", id=one.id, amount=draw(st.integers(1, one.capacity)))
        for one in resources
        if draw(st.booleans())
    )


@st.composite
def _links(draw: st.DrawFn, before: Sequence[str]) -> tuple[Link, ...]:
    return tuple(
        Link(
            task=name,
            kind=draw(st.sampled_from(("FS", "FS", *KINDS))),
            lag=draw(st.sampled_from((0, 0, 0, 2, -3, 25))),
        )
        for name in before
        if draw(st.sampled_from((False, False, True)))
    )


@st.composite
def _with_deadline(draw: st.DrawFn, task: Task) -> Task:
    kind = draw(st.sampled_from(("none", "none", "hard", "soft", "free")))
    if kind == "none":
        return task
    return replace(
        task,
        deadline=draw(st.integers(max(1, task.release), 200)),
        hard=kind == "hard",
        late_usd_per_hour=Decimal(25) if kind == "soft" else Decimal(0),
    )


@st.composite
def _with_facts(
    draw: st.DrawFn, tasks: Sequence[Task], people: Sequence[Resource]
) -> tuple[list[Task], int]:
    """Some tasks done, some running, and a `now` that none of it lies after."""
    found: list[Task] = []
    for task in tasks:
        status = draw(st.sampled_from(STATUSES))
        if status == "todo":
            found.append(task)
            continue
        started = draw(st.integers(0, 20))
        mode = draw(st.none() | st.integers(0, len(task.modes) - 1))
        found.append(
            replace(
                task,
                status=status,
                started=started,
                finished=started + draw(st.integers(0, 10)) if status == "done" else None,
                mode=mode if len(task.modes) > 1 else None,
                people=tuple(person.id for person in people if draw(st.integers(0, 4)) == 0),
            )
        )
    happened = [slot for task in found for slot in (task.started, task.finished)]
    latest = max((slot for slot in happened if slot is not None), default=0)
    return found, latest + draw(st.sampled_from((0, 0, 5)))


@st.composite
def _groups(draw: st.DrawFn, project: Project) -> tuple[tuple[str, ...], ...]:
    """At most one group, which has no cycle with the links."""
    ids = [task.id for task in project.tasks]
    if len(ids) < 2 or not draw(st.booleans()):
        return ()
    group = tuple(draw(st.lists(st.sampled_from(ids), min_size=2, max_size=2, unique=True)))
    return (group,) if _can_meet(project, group) else ()


def _can_meet(project: Project, group: tuple[str, ...]) -> bool:
    """Whether the two do not wait for each other, and there is enough for both in some way."""
    if list(waiting(project.tasks, (group,))):
        return False
    one, other = (project.by_id[name] for name in group)
    if any({link.task for link in task.after} & set(group) for task in (one, other)):
        return False
    return any(at_once(project, pair) for pair in product(ways(project, one), ways(project, other)))


def at_once(project: Project, chosen: Sequence["Way"]) -> bool:
    """Whether there is enough for all of these ways in one slot."""
    held: dict[str, int] = {}
    for way in chosen:
        for name, amount in way.resources if way.duration else ():
            held[name] = held.get(name, 0) + amount
    there = {one.id: one.capacity for one in project.resources}
    return all(there[name] >= amount for name, amount in held.items())


Usage = Mapping[tuple[str, int], int]  # of a resource in a slot


@dataclass(frozen=True, slots=True)
class Way:
    """One mode of a task with its people chosen: what it holds, for how long, when it can."""

    mode: int
    resources: tuple[tuple[str, int], ...]
    duration: int
    opening: Opening
    cost_usd: Decimal
    quality: float


@lru_cache(maxsize=100)
def ways(project: Project, task: Task) -> tuple[Way, ...]:
    """Every mode with every choice of people."""
    return tuple(_ways(project, task))


@lru_cache(maxsize=10)
def _clock(project: Project) -> Clock:
    """Sixty days: any of the drawn projects can be done within them."""
    return Clock(project, 0, 60 * 24 * 3600 // project.unit_seconds)


def _ways(project: Project, task: Task) -> Iterator[Way]:
    clock = _clock(project)
    there = {one.id: one for one in project.resources}
    hour = Decimal(project.unit_seconds) / 3600
    for number, mode in enumerate(task.modes):
        held: dict[str, int] = {}
        for need in mode.needs:
            if need.kind == "resource":
                held[need.id] = held.get(need.id, 0) + need.amount
        for people in _crews(project, mode):
            staff = {**held, **dict.fromkeys(sorted(people), 1)}
            percent = min((there[name].percent for name in people), default=100)
            duration = -(-mode.duration * 100 // percent)
            rate = sum(
                (there[name].usd_per_hour * n * there[name].percent / 100
                 for name, n in staff.items()),
                start=Decimal(0),
            )  # fmt: skip
            closed = [task.calendar] if task.calendar else [there[name].calendar for name in staff]
            numbers = (clock.number(one) for one in closed or [project.calendar])
            yield Way(
                mode=number,
                resources=tuple(staff.items()),
                duration=duration,
                opening=clock.common(frozenset(n for n in numbers if n is not None)),
                cost_usd=mode.cost_usd + rate * duration * hour,
                quality=mode.quality,
            )


def _crews(project: Project, mode: Mode) -> Iterator[frozenset[str]]:
    """Every set of people who can serve the needs of a mode, each once."""
    people = [one for one in project.resources if one.person]
    named = {need.id for need in mode.needs if need.kind == "person"}
    places = [need.id for need in mode.needs if need.kind == "skill" for _ in range(need.amount)]
    free = [one for one in people if one.id not in named]
    for crew in combinations(free, len(places)):
        if _serve(places, list(crew)):
            yield frozenset(named | {one.id for one in crew})


def _serve(places: Sequence[str], crew: Sequence[Resource]) -> bool:
    if not places:
        return True
    return any(
        places[0] in one.skills and _serve(places[1:], [two for two in crew if two is not one])
        for one in crew
    )


def naive(project: Project) -> Schedule:
    """A plan that keeps every rule but perhaps the limits: one task (or group) after another, each
    in its first way that there is enough for, at the first moment that fits. For tasks that have
    not begun.
    """
    placed: dict[str, Placement] = {}
    usage: Usage = {}
    for names in _order(project):
        tasks = [project.by_id[name] for name in names]
        choices = product(*(ways(project, task) for task in tasks))
        chosen = next(one for one in choices if at_once(project, one))
        start = max(project.now, *(task.release for task in tasks))
        while True:
            found = [_placed(t, w, start) for t, w in zip(tasks, chosen, strict=True)]
            together = {**placed, **{one.task: one for one in found if one}}
            if all(found) and all(_linked(task, together) for task in tasks):
                trial = usage
                for way, one in zip(chosen, found, strict=True):
                    assert one
                    trial = _taken(trial, way, one)
                if _fits(project, trial):
                    usage, placed = trial, together
                    break
            start += 1
    return summed(project, placed)


def summed(project: Project, placed: Mapping[str, Placement]) -> Schedule:
    """The schedule of these placements, with its sums, for tasks that have not begun."""
    from sdlc_cli.plan.check import MISSES, violations

    places = tuple(placed[task.id] for task in project.tasks)
    hour = Decimal(project.unit_seconds) / 3600
    cost, tardiness = Decimal(0), 0
    for task, place in zip(project.tasks, places, strict=True):
        way = next(
            way
            for way in ways(project, task)
            if way.mode == place.mode and dict(way.resources) == dict(place.resources)
        )
        late = 0 if task.deadline is None else max(0, place.finish - task.deadline)
        cost += way.cost_usd + (0 if task.hard else task.late_usd_per_hour * late * hour)
        tardiness += task.priority * late
    made = Schedule(
        placements=places,
        makespan=max((place.finish for place in places), default=0),
        cost_usd=cost,
        quality=sum(
            task.modes[place.mode].quality
            for task, place in zip(project.tasks, places, strict=True)
        ),
        tardiness=tardiness,
    )
    missed = any(one.kind in MISSES for one in violations(project, made))
    return replace(made, feasible=not missed)


def front(project: Project) -> set[tuple[int, Decimal, float]]:
    """All (makespan, cost, quality) of feasible plans that no other is better than, by trying all.

    For projects drawn by `tiny`. Empty where no plan keeps the limits.
    """
    points: set[tuple[int, Decimal, float]] = set()
    for chosen in product(*(ways(project, task) for task in project.tasks)):
        cost = sum((way.cost_usd for way in chosen), start=Decimal(0))
        used: dict[str, int] = {}
        for task, way in zip(project.tasks, chosen, strict=True):
            for name, amount in task.modes[way.mode].uses:
                used[name] = used.get(name, 0) + amount
        if project.budget_usd is not None and cost > project.budget_usd:
            continue
        if any(used.get(one.id, 0) > one.capacity for one in project.consumables):
            continue
        last = 0
        picked = dict(zip(project.by_id, chosen, strict=True))
        if not all(at_once(project, [picked[name] for name in one]) for one in project.together):
            continue
        while not _done_by(project, picked, last):
            last += 1
        points.add((last, cost, sum(way.quality for way in chosen)))
    return {one for one in points if not any(_better(other, one) for other in points)}


def _better(one: tuple[int, Decimal, float], other: tuple[int, Decimal, float]) -> bool:
    return one != other and one[0] <= other[0] and one[1] <= other[1] and one[2] >= other[2]


def _done_by(project: Project, chosen: Mapping[str, Way], last: int) -> bool:
    """Whether all can be done in these ways by the slot `last`: depth first over all starts."""
    names = [name for group in _order(project) for name in group]
    mate = {group[1]: group[0] for group in project.together}
    mate |= {group[0]: group[1] for group in project.together}

    def place(at: int, placed: dict[str, Placement], usage: Usage) -> bool:
        if at == len(names):
            return True
        task, way = project.by_id[names[at]], chosen[names[at]]
        first = max(project.now, task.release)
        for link in task.after:
            first = max(first, _earliest(link, placed))
        starts: Sequence[int] = range(first, last + 1)
        if mate.get(task.id) in placed:
            together = placed[mate[task.id]].start
            starts = (together,) if together >= first else ()
        for start in starts:
            one = _placed(task, way, start)
            if one is None or one.finish > last or not _linked(task, {**placed, task.id: one}):
                continue
            trial = _taken(usage, way, one)
            if _fits(project, trial) and place(at + 1, {**placed, task.id: one}, trial):
                return True
        return False

    return place(0, {}, {})


def _earliest(link: Link, placed: Mapping[str, Placement]) -> int:
    """A bound below the start: closed slots only make it later."""
    other = placed[link.task]
    if link.kind in ("FS", "SS"):
        return (other.finish if link.kind == "FS" else other.start) + link.lag
    return 0


def _placed(task: Task, way: Way, start: int) -> Placement | None:
    finish = way.opening.end_of(start, way.duration)
    if finish is None or (way.duration and not way.opening.holds(start)):
        return None
    return Placement(
        task=task.id, start=start, finish=finish, mode=way.mode, resources=way.resources
    )


def _linked(task: Task, placed: Mapping[str, Placement]) -> bool:
    for link in task.after:
        one, other = placed[task.id], placed[link.task]
        least = (other.finish if link.kind in ("FS", "FF") else other.start) + link.lag
        if (one.start if link.kind in ("FS", "SS") else one.finish) < least:
            return False
    return True


def _taken(usage: Usage, way: Way, place: Placement) -> Usage:
    """`usage` with what the task holds."""
    more = dict(usage)
    for slot in range(place.start, place.finish):
        if way.resources and way.opening.holds(slot):
            for name, amount in way.resources:
                more[name, slot] = more.get((name, slot), 0) + amount
    return more


def _fits(project: Project, usage: Usage) -> bool:
    there = {one.id: one.capacity for one in project.resources}
    return all(amount <= there[name] for (name, _), amount in usage.items())


def _order(project: Project) -> list[tuple[str, ...]]:
    """Tasks and groups, each after all that its tasks wait for."""
    group = {name: names for names in project.together for name in names}
    units = list(dict.fromkeys(group.get(task.id, (task.id,)) for task in project.tasks))
    done: set[str] = set()
    order: list[tuple[str, ...]] = []
    while len(order) < len(units):
        ready = next(
            unit
            for unit in units
            if unit not in order
            and all(
                link.task in done or link.task in unit
                for name in unit
                for link in project.by_id[name].after
            )
        )
        order.append(ready)
        done.update(ready)
    return order
