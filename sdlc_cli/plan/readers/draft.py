"""A tasks.yaml on its way to a Project: what is known of it, and what is wrong with it."""

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import pairwise

from sdlc_cli.core.config import MAX_PROBLEMS
from sdlc_cli.core.i18n import Message, msg
from sdlc_cli.core.nearest import nearest
from sdlc_cli.core.scalars import shown
from sdlc_cli.core.sections import Key
from sdlc_cli.plan.model import ALWAYS, Calendar, Consumable, Hours, Resource
from sdlc_cli.plan.options import ALWAYS as ALWAYS_NAME
from sdlc_cli.plan.options import OFFICE, CalendarSpec, TasksFile
from sdlc_cli.plan.readers.grid import Grid
from sdlc_cli.plan.readers.mistakes import Enough

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_WHOLE_DAYS = tuple(Hours(weekday=day, begin=0, end=1440) for day in range(7))
_MOST_COMPARED = 200_000  # names; a second's work
_MOST_DAYS_OFF = 20_000


@dataclass(slots=True)
class Draft:
    """`calendar` is the project's. `skills` counts the people who have each."""

    file: TasksFile
    grid: Grid
    problems: list[tuple[Key, Message]] = field(default_factory=list)
    holidays: frozenset[date] = frozenset()
    named: dict[str, Calendar] = field(default_factory=dict)
    calendar: Calendar = ALWAYS
    people: dict[str, Resource] = field(default_factory=dict)
    resources: dict[str, Resource] = field(default_factory=dict)
    consumables: dict[str, Consumable] = field(default_factory=dict)
    skills: Counter[str] = field(default_factory=Counter)
    compared: int = 0  # names, to find the nearest ones

    def add(self, path: Key, message: Message) -> None:
        """Note that what is written at `path` is wrong. Raises Enough after the hundredth."""
        self.problems.append((path, message))
        if len(self.problems) >= MAX_PROBLEMS:
            raise Enough

    def unknown(self, path: Key, what: str, name: str, known: Collection[str]) -> None:
        """Note a name that is none; `what` is one of the keys of `_UNKNOWN`."""
        problem = _UNKNOWN[what](shown(name, 40))
        self.compared += len(known)
        if self.compared < _MOST_COMPARED and (near := nearest(name, known)):
            problem = msg("{problem} (nearest: '{nearest}')", problem=problem,
                          nearest=shown(near, 40))  # fmt: skip
        self.add(path, problem)

    def days(self, texts: Iterable[str], path: Key) -> frozenset[date]:
        """Days and spans of days."""
        found: set[date] = set()
        for i, text in enumerate(texts):
            first, _, last = text.partition(" to ")
            try:
                begin, end = date.fromisoformat(first), date.fromisoformat(last or first)
            except ValueError:
                self.add((*path, i), msg("there is no such day"))
                continue
            if end < begin:
                self.add((*path, i), msg("ends before it begins"))
            elif (end - begin).days > _MOST_DAYS_OFF:
                self.add((*path, i), msg("is longer than {n} days", n=_MOST_DAYS_OFF))
            else:
                found |= {begin + timedelta(days=n) for n in range((end - begin).days + 1)}
        return frozenset(found)

    def chosen(self, written: str | CalendarSpec, path: Key) -> Calendar:
        """The calendar that is named, or written, at `path`."""
        if isinstance(written, CalendarSpec):
            return self.made(written, path)
        if written in self.named:
            return self.named[written]
        if written == ALWAYS_NAME:
            return ALWAYS
        if written == OFFICE:
            hours = tuple(Hours(weekday=day, begin=540, end=1020) for day in range(5))
            self._on_the_grid(hours, path)
            return Calendar(hours=hours, days_off=self.holidays)
        self.unknown(path, "calendar", written, (*self.named, ALWAYS_NAME, OFFICE))
        return ALWAYS

    def made(self, spec: CalendarSpec, path: Key) -> Calendar:
        """The calendar that `spec` is."""
        found: list[Hours] = []
        for days, spans in spec.hours.items():
            here = (*path, "hours", days)
            for i, span in enumerate((spans,) if isinstance(spans, str) else spans):
                at = here if isinstance(spans, str) else (*here, i)
                begin, end = _minutes(span)
                if not 0 <= begin < end <= 1440:
                    self.add(at, msg("must begin before it ends, within 0:00-24:00"))
                    continue
                found += [Hours(weekday=day, begin=begin, end=end) for day in _weekdays(days)]
        hours = tuple(sorted(found, key=lambda hour: (hour.weekday, hour.begin)))
        for one, other in pairwise(hours):
            if one.weekday == other.weekday and other.begin < one.end:
                day = WEEKDAYS[one.weekday]
                self.add((*path, "hours"), msg("hours of {day} overlap", day=day))
                break
        self._on_the_grid(hours, (*path, "hours"))
        days_off = self.days(spec.days_off, (*path, "days_off"))
        return Calendar(hours=hours, days_off=days_off | self.holidays)

    def without(self, calendar: Calendar, days_off: frozenset[date]) -> Calendar:
        """`calendar` less these days."""
        if not days_off:
            return calendar
        if calendar.always:
            self._on_the_grid(_WHOLE_DAYS, ("unit",))
            return Calendar(hours=_WHOLE_DAYS, days_off=days_off)
        return Calendar(hours=calendar.hours, days_off=calendar.days_off | days_off)

    def _on_the_grid(self, hours: tuple[Hours, ...], path: Key) -> None:
        """Hours that begin or end inside of a slot would lose a part of it without a word."""
        unit = self.file.unit
        if 3600 % self.grid.unit:
            message = msg("must divide an hour where there are working hours: 1h, 30m, 15m")
            if (("unit",), message) not in self.problems:
                self.add(("unit",), message)
            return
        for hour in hours:
            for minute in (hour.begin, hour.end):
                if self.grid.misses(minute):
                    clock = f"{minute // 60:02}:{minute % 60:02}"
                    message = msg("{time} lies inside of a slot, with a unit of {unit} from the"
                                  " start on", time=clock, unit=unit)  # fmt: skip
                    self.add(path, message)
                    return


_UNKNOWN: Mapping[str, Callable[[str], Message]] = {
    "calendar": lambda name: msg("there is no calendar '{name}'", name=name),
    "task": lambda name: msg("there is no task '{name}'", name=name),
    "person": lambda name: msg("there is nobody called '{name}'", name=name),
    "resource": lambda name: msg("there is no resource '{name}'", name=name),
    "skill": lambda name: msg("nobody has the skill '{name}'", name=name),
    "need": lambda name: msg("'{name}' is no person, no resource and nobody's skill", name=name),
    "consumable": lambda name: msg("there is no consumable '{name}'", name=name),
    "mode": lambda name: msg("the task has no mode '{name}'", name=name),
}


def _minutes(span: str) -> tuple[int, int]:
    """`9:00-17:30` in minutes after midnight; what is no time of a day is (0, 0)."""
    begin, first, end, last = (int(number) for number in re.findall("[0-9]+", span) or [0] * 4)
    return (begin * 60 + first, end * 60 + last) if max(first, last) < 60 else (0, 0)


def _weekdays(text: str) -> Iterator[int]:
    first, _, last = text.partition("-")
    begin, end = WEEKDAYS.index(first), WEEKDAYS.index(last or first)
    yield from range(begin, end + 1) if begin <= end else (*range(begin, 7), *range(end + 1))
