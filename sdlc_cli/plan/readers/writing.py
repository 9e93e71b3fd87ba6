"""Project -> tasks.yaml, which reads back to the same Project."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, date, datetime
from itertools import groupby
from zoneinfo import ZoneInfo

from sdlc_cli.plan.model import Calendar, Link, Mode, Need, Project, Resource, Task, Weights
from sdlc_cli.plan.readers.draft import WEEKDAYS
from sdlc_cli.plan.readers.emit import Value, Word, block

Section = dict[str, Value]

_FEW = 3  # days in a row that are written as a span


def write(project: Project) -> str:
    """The text of a tasks.yaml. What stands in no tasks.yaml is left out: `source`, lines."""
    return "".join(f"{line}\n" for line in _Writer(project).lines())


class _Writer:
    def __init__(self, project: Project) -> None:
        self.project = project
        self.calendars: dict[Calendar, str] = {}
        self.zone = ZoneInfo(project.timezone)
        self.people = {one.id for one in project.resources if one.person}
        self.resources = {one.id for one in project.resources if not one.person}
        self.skills = {skill for one in project.resources for skill in one.skills}

    def lines(self) -> Iterator[str]:
        """A part after the other; only long ones stand on lines of their own."""
        parts = self._parts()  # names the calendars
        for name, value in self._head().items():
            yield from block(name, value)
        for name, part in parts.items():
            if not part:
                continue
            yield ""
            yield f"{name}:"
            if isinstance(part, Mapping):
                for inner, one in part.items():
                    yield from block(inner, one, 2)

    def _head(self) -> Section:
        project = self.project
        made: Section = {"version": 1}
        if project.name:
            made["name"] = project.name
        made["start"] = Word(self._moment(project.start))
        if project.timezone != "UTC":
            made["timezone"] = project.timezone
        if project.unit_seconds != 3600:
            made["unit"] = Word(_whole(project.unit_seconds))
        if project.now or any(task.started is not None for task in project.tasks):
            made["now"] = self._at(project.now)
        if project.deadline is not None:
            made["deadline"] = self._at(project.deadline)
        if project.budget_usd is not None:
            made["budget_usd"] = project.budget_usd
        if not project.calendar.always:
            made["calendar"] = self._named(project.calendar)
        if project.weights != Weights():
            weights = project.weights
            made["weights"] = {
                "makespan": weights.makespan,
                "tardiness": weights.tardiness,
                "cost": weights.cost,
                "quality": weights.quality,
            }
        if project.together:
            made["together"] = [list(group) for group in project.together]
        return made

    def _parts(self) -> dict[str, Section]:
        project = self.project
        if not project.calendar.always:
            self._named(project.calendar)
        parts: dict[str, Section] = {"calendars": {}}
        parts["people"] = {one.id: self._person(one) for one in project.resources if one.person}
        parts["resources"] = {
            one.id: self._resource(one) for one in project.resources if not one.person
        }
        parts["consumables"] = {
            one.id: {"capacity": one.capacity, "unit": one.unit} if one.unit else one.capacity
            for one in project.consumables
        }
        parts["tasks"] = {task.id: self._task(task) for task in project.tasks}
        parts["calendars"] = {name: _calendar(one) for one, name in self.calendars.items()}
        return parts

    def _person(self, one: Resource) -> Section:
        made: Section = {"name": one.name} if one.name else {}
        if one.skills:
            made["skills"] = list[Value](sorted(one.skills))
        if one.calendar != self.project.calendar:
            made["calendar"] = self._named(one.calendar)
        if one.percent != 100:
            made["percent"] = Word(f"{one.percent}%")
        if one.usd_per_hour:
            made["usd_per_hour"] = one.usd_per_hour
        return made

    def _resource(self, one: Resource) -> Value:
        made: Section = {"name": one.name} if one.name else {}
        made["capacity"] = one.capacity
        if one.unit:
            made["unit"] = one.unit
        if not one.calendar.always:
            made["calendar"] = self._named(one.calendar)
        if one.usd_per_hour:
            made["usd_per_hour"] = one.usd_per_hour
        return one.capacity if len(made) == 1 else made

    def _task(self, task: Task) -> Section:
        made: Section = {"name": task.name} if task.name else {}
        if len(task.modes) == 1 and not task.modes[0].id:
            made |= self._mode(task.modes[0])
        if task.after:
            made["after"] = [self._link(link) for link in task.after]
        if task.release:
            made["earliest_start"] = self._at(task.release)
        if task.deadline is not None:
            made["deadline"] = self._deadline(task, task.deadline)
        if task.priority != 1:
            made["priority"] = task.priority
        if task.calendar is not None:
            made["calendar"] = self._named(task.calendar)
        for name, slot in (("started", task.started), ("finished", task.finished)):
            if slot is not None:
                made[name] = self._at(slot)
        if task.mode is not None and task.modes[task.mode].id:
            made["mode"] = task.modes[task.mode].id
        if task.people:
            made["people"] = list(task.people)
        if len(task.modes) > 1 or task.modes[0].id:
            made["modes"] = {mode.id: self._mode(mode) for mode in task.modes}
        return made

    def _mode(self, mode: Mode) -> Section:
        made: Section = {"duration": self._duration(mode.duration)}
        if mode.low is not None or mode.high is not None:
            spread = (("p10", mode.low), ("p50", mode.duration), ("p90", mode.high))
            made["duration"] = {
                name: self._duration(slots) for name, slots in spread if slots is not None
            }
        if mode.needs:
            made["needs"] = [self._need(need) for need in mode.needs]
        if mode.uses:
            made["uses"] = dict(mode.uses)
        if mode.model:
            made["model"] = mode.model
            made["input_tokens"] = mode.input_tokens
            made["output_tokens"] = mode.output_tokens
        if mode.cost_usd or mode.model:  # of a model it would be looked up otherwise
            made["cost_usd"] = mode.cost_usd
        if mode.quality:
            made["quality"] = mode.quality
        return made

    def _need(self, need: Need) -> Value:
        kinds = {"person": self.people, "resource": self.resources, "skill": self.skills}
        clear = sum(need.id in names for names in kinds.values()) == 1
        if need.amount == 1 and clear:
            return need.id
        made: Section = {need.kind: need.id}
        if need.amount != 1:
            made["amount"] = need.amount
        return made

    def _link(self, link: Link) -> Value:
        made: Section = {"task": link.task}
        if link.kind != "FS":
            made["type"] = link.kind
        if link.lag:
            lag = _elapsed(abs(link.lag) * self.project.unit_seconds)
            made["lag"] = Word(f"-{lag}" if link.lag < 0 else lag)
        return link.task if len(made) == 1 else made

    def _deadline(self, task: Task, slot: int) -> Value:
        if task.hard:
            return self._at(slot)
        made: Section = {"at": self._at(slot)}
        if task.late_usd_per_hour:
            made["late_usd_per_hour"] = task.late_usd_per_hour
        else:
            made["hard"] = False
        return made

    def _named(self, calendar: Calendar) -> str:
        if calendar.always:
            return "always"
        if calendar not in self.calendars:
            number = len(self.calendars) + 1
            name = "team" if calendar == self.project.calendar else f"calendar-{number}"
            self.calendars[calendar] = name
        return self.calendars[calendar]

    def _duration(self, slots: int) -> Word:
        return Word(_elapsed(slots * self.project.unit_seconds))

    def _at(self, slot: int) -> Word:
        return Word(self._moment(self.project.at(slot)))

    def _moment(self, moment: datetime) -> str:
        """By the clock in the project's zone, with an offset where that shows the time twice."""
        local = moment.astimezone(self.zone).replace(fold=0)
        form = "%H:%M:%S" if local.second else "%H:%M"
        written = f"{local.date().isoformat()} {local:{form}}"
        if local.astimezone(UTC) == moment.astimezone(UTC):
            return written
        return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _elapsed(seconds: int) -> str:
    """`15h 30m`."""
    parts = (("h", seconds // 3600), ("m", seconds // 60 % 60), ("s", seconds % 60))
    return " ".join(f"{count}{name}" for name, count in parts if count) or "0"


def _whole(seconds: int) -> str:
    """`90m`: the largest of h, m and s that it is a whole number of."""
    for name, size in (("h", 3600), ("m", 60)):
        if seconds % size == 0:
            return f"{seconds // size}{name}"
    return f"{seconds}s"


def _calendar(calendar: Calendar) -> Section:
    spans = {
        day: [
            Word(f"{_clock(hour.begin)}-{_clock(hour.end)}")
            for hour in sorted(calendar.hours, key=lambda hour: hour.begin)
            if hour.weekday == day
        ]
        for day in range(7)
    }
    hours: Section = {}
    for written, days in groupby((day for day in spans if spans[day]), key=lambda d: spans[d]):
        names = list(days)
        for first, last in _runs(names):
            name = WEEKDAYS[first] if first == last else f"{WEEKDAYS[first]}-{WEEKDAYS[last]}"
            hours[name] = written[0] if len(written) == 1 else list[Value](written)
    made: Section = {"hours": hours}
    if calendar.days_off:
        made["days_off"] = list(_days(calendar.days_off))
    return made


def _clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"


def _runs(numbers: Iterable[int]) -> Iterator[tuple[int, int]]:
    """Numbers in order, as the first and the last of each run without a gap."""
    begin = end = None
    for number in numbers:
        if begin is None or end is None or number != end + 1:
            if begin is not None and end is not None:
                yield begin, end
            begin = number
        end = number
    if begin is not None and end is not None:
        yield begin, end


def _days(days: Iterable[date]) -> Iterator[Word]:
    for first, last in _runs(sorted(day.toordinal() for day in days)):
        if last - first + 1 >= _FEW:
            yield Word(f"{date.fromordinal(first)} to {date.fromordinal(last)}")
        else:
            for day in range(first, last + 1):
                yield Word(date.fromordinal(day).isoformat())
