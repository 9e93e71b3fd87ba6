"""TasksFile -> Project, and everything that is wrong between the keys of the file."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from msgspec import UNSET

from sdlc_cli.core.i18n import Message, msg
from sdlc_cli.core.scalars import shown
from sdlc_cli.core.sections import Key
from sdlc_cli.cost.zones import UnknownZone, zone
from sdlc_cli.plan.model import ALWAYS, Consumable, Project, Resource, Task, Weights
from sdlc_cli.plan.options import ConsumableSpec, ResourceSpec, TasksFile
from sdlc_cli.plan.readers.draft import Draft
from sdlc_cli.plan.readers.grid import Grid, moment, unit_seconds, work
from sdlc_cli.plan.readers.mistakes import Enough
from sdlc_cli.plan.readers.order import waiting
from sdlc_cli.plan.readers.tasks import Tasks

_STAND_IN = datetime(1970, 1, 1, tzinfo=UTC)


def build(file: TasksFile, name: str) -> tuple[Project | None, list[tuple[Key, Message]]]:
    """The project, and what is wrong: with any of that it is only a stand-in, or None."""
    problems: list[tuple[Key, Message]] = []
    try:
        return _built(file, name, problems), problems
    except Enough:
        return None, problems


def _built(file: TasksFile, name: str, problems: list[tuple[Key, Message]]) -> Project:
    draft = _draft(file, problems)
    _people(draft)
    _resources(draft)
    tasks = Tasks(draft).made()
    now = _now(draft, tasks)
    deadline = None
    if isinstance(file.deadline, str):
        deadline = draft.grid.slot(file.deadline, up=False, end=True)
        _moment(draft, ("deadline",), deadline)
        if deadline is not None and deadline <= 0:
            draft.add(("deadline",), msg("lies before the start of the project"))
    _together(draft)
    draft.problems += waiting(tasks, file.together)
    return Project(
        name=file.name,
        start=draft.grid.start,
        timezone=draft.grid.zone.key,
        unit_seconds=draft.grid.unit,
        calendar=draft.calendar,
        tasks=tasks,
        resources=(*draft.people.values(), *draft.resources.values()),
        consumables=tuple(draft.consumables.values()),
        together=file.together,
        budget_usd=None if file.budget_usd is UNSET else file.budget_usd,
        deadline=deadline,
        now=now,
        weights=Weights(
            makespan=file.weights.makespan,
            tardiness=file.weights.tardiness,
            cost=file.weights.cost,
            quality=file.weights.quality,
        ),
        source=name,
    )


def _draft(file: TasksFile, problems: list[tuple[Key, Message]]) -> Draft:
    """With the zone, the start and the calendars in their places."""
    try:
        where = zone(file.timezone)
    except UnknownZone as error:
        where = ZoneInfo("UTC")
        problems.append((("timezone",), error.message))
    start = moment(file.start, where)
    if start is None or not 1970 <= start.year <= 2500:
        problems.append((("start",), msg("there is no such moment from 1970 to 2500")))
        start = _STAND_IN
    unit = unit_seconds(file.unit) if file.unit else 3600
    draft = Draft(file, Grid(start, where, unit), problems)
    draft.holidays = draft.days(file.holidays, ("holidays",))
    for name, spec in file.calendars.items():
        if name == "always":
            draft.add(("calendars", name), msg("is a name of its own: the calendar without an end"))
        draft.named[name] = draft.made(spec, ("calendars", name))
    draft.calendar = draft.chosen(file.calendar, ("calendar",))
    day, week = work(draft.calendar)
    draft.grid = Grid(start, where, unit, day, week)
    return draft


def _people(draft: Draft) -> None:
    for name, spec in draft.file.people.items():
        path: Key = ("people", name)
        calendar = draft.calendar
        if spec.calendar is not UNSET:
            calendar = draft.chosen(spec.calendar, (*path, "calendar"))
        calendar = draft.without(calendar, draft.days(spec.days_off, (*path, "days_off")))
        percent = spec.percent * 100
        if percent != int(percent) or percent < 1:
            draft.add((*path, "percent"), msg("must be a whole number of percent, from 1% to 100%"))
        draft.people[name] = Resource(
            id=name,
            name=spec.name,
            person=True,
            skills=frozenset(spec.skills),
            calendar=calendar,
            percent=max(1, int(percent)),
            usd_per_hour=spec.usd_per_hour,
        )
        draft.skills.update(set(spec.skills))


def _resources(draft: Draft) -> None:
    for name, written in draft.file.resources.items():
        path: Key = ("resources", name)
        if name in draft.people:
            draft.add(path, msg("is the name of a person too"))
        if isinstance(written, ResourceSpec):
            draft.resources[name] = Resource(
                id=name,
                name=written.name,
                capacity=written.capacity,
                unit=written.unit,
                calendar=draft.chosen(written.calendar, (*path, "calendar")),
                usd_per_hour=written.usd_per_hour,
            )
        else:
            draft.resources[name] = Resource(id=name, capacity=written, calendar=ALWAYS)
    for name, amount in draft.file.consumables.items():
        if isinstance(amount, ConsumableSpec):
            draft.consumables[name] = Consumable(
                id=name, capacity=amount.capacity, unit=amount.unit
            )
        else:
            draft.consumables[name] = Consumable(id=name, capacity=amount)


def _moment(draft: Draft, path: Key, slot: int | None) -> None:
    if slot is None:
        draft.add(path, msg("there is no such moment within a hundred years of the start"))


def _now(draft: Draft, tasks: tuple[Task, ...]) -> int:
    """The slot that is written, or the first after all that has happened."""
    happened = [
        slot for task in tasks for slot in (task.started, task.finished) if slot is not None
    ]
    latest = max(happened, default=0)
    if draft.file.now is UNSET:
        return latest
    now = draft.grid.slot(draft.file.now, up=True)
    _moment(draft, ("now",), now)
    if now is None:
        return latest
    if now < 0:
        draft.add(("now",), msg("lies before the start of the project"))
    for task in tasks:
        for key, slot in (("started", task.started), ("finished", task.finished)):
            if slot is not None and slot > now:
                draft.add(("tasks", task.id, key), msg("lies after 'now'"))
    return now


def _together(draft: Draft) -> None:
    """Groups of two tasks at least, none in two of them."""
    seen: dict[str, int] = {}
    for number, group in enumerate(draft.file.together):
        path: Key = ("together", number)
        if len(group) < 2:
            draft.add(path, msg("wants two tasks at least"))
        for i, name in enumerate(group):
            if name not in draft.file.tasks:
                draft.unknown((*path, i), "task", name, draft.file.tasks)
            elif name in seen:
                message = msg("'{task}' is in a group already", task=shown(name, 40))
                draft.add((*path, i), message)
            seen[name] = number
