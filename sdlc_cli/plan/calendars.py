"""Calendars as slots: which of them are open, and until where people can say so."""

from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np

from sdlc_cli.plan.instance import I64
from sdlc_cli.plan.model import Calendar, Project

_DAY = 86_400
_LAST_DAY = date.max.toordinal() - 2
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def meet(calendars: Iterable[Calendar]) -> tuple[Calendar, ...]:
    """The calendars that have to be open together; those that never close do not matter."""
    return tuple(dict.fromkeys(c for c in calendars if not c.always))


def share_hours(calendars: Iterable[Calendar]) -> bool:
    """Whether a week has a minute in which all of `calendars` are open, days off left aside."""
    week = [True] * (7 * 1440)
    for calendar in calendars:
        if calendar.always:
            continue
        own = [False] * len(week)
        for hours in calendar.hours:
            begin = hours.weekday * 1440
            own[begin + hours.begin : begin + hours.end] = [True] * (hours.end - hours.begin)
        week = [a and b for a, b in zip(week, own, strict=True)]
    return any(week)


def open_slots(project: Project, calendars: tuple[Calendar, ...], horizon: int) -> I64:
    """The slots before `horizon` in which all of `calendars` are open, in order."""
    return Almanac(project, horizon).slots(calendars)


class Almanac:
    """The open slots of a project's calendars before a horizon; each calendar is read once."""

    def __init__(self, project: Project, horizon: int) -> None:
        self.project = project
        self.horizon = horizon
        self._zone = ZoneInfo(project.timezone)
        self._start = _seconds(project.start)
        self._runs: dict[int, tuple[Calendar, I64, I64]] = {}  # by the id of a calendar
        first = project.start.astimezone(self._zone).toordinal() - 1
        count = -(-horizon * project.unit_seconds // _DAY) + 4
        self._days = range(first, min(first + count, _LAST_DAY))
        self._midnight = np.array(
            [
                _seconds(datetime.fromordinal(day).replace(tzinfo=self._zone))
                for day in range(self._days.start, self._days.stop + 1)
            ],
            dtype=np.int64,
        )

    def slots(self, calendars: tuple[Calendar, ...]) -> I64:
        """The slots in which all of `calendars` are open, in order."""
        if not calendars:
            return np.arange(self.horizon, dtype=np.int64)
        first, last = self._of(calendars[0])
        if len(calendars) > 1:
            runs = [(first, last), *(self._of(calendar) for calendar in calendars[1:])]
            first, last = _common(runs)
        length = last - first
        before = np.cumsum(length) - length
        return np.repeat(first - before, length) + np.arange(length.sum(), dtype=np.int64)

    def _of(self, calendar: Calendar) -> tuple[I64, I64]:
        """Where the open runs of a calendar begin and end, in slots."""
        known = self._runs.get(id(calendar))
        if known is None:
            begin, end = _joined(*self._spans(calendar))
            unit = self.project.unit_seconds
            first = np.maximum(0, -((self._start - begin) // unit))
            last = np.minimum(self.horizon, (end - self._start) // unit)
            known = self._runs[id(calendar)] = calendar, first[first < last], last[first < last]
        return known[1], known[2]

    def _spans(self, calendar: Calendar) -> tuple[I64, I64]:
        """Open time from day to day, in seconds since 1970; in no order."""
        shut = [day.toordinal() - self._days.start for day in calendar.days_off]
        at_work = np.ones(len(self._days), dtype=np.bool_)
        at_work[[day for day in shut if 0 <= day < len(at_work)]] = False
        even = np.diff(self._midnight) == _DAY
        weekday = (np.arange(self._days.start, self._days.stop) - 1) % 7
        begins, ends = [np.empty(0, dtype=np.int64)], [np.empty(0, dtype=np.int64)]
        for hours in calendar.hours:
            if hours.begin >= hours.end:
                continue
            worked = at_work & (weekday == hours.weekday)
            midnights = self._midnight[:-1][worked & even]
            begins.append(midnights + hours.begin * 60)
            ends.append(midnights + hours.end * 60)
            for day in np.flatnonzero(worked & ~even).tolist():
                spans = list(self._clocked(day, hours.begin, hours.end))
                begins.append(np.array([begin for begin, _ in spans], dtype=np.int64))
                ends.append(np.array([end for _, end in spans], dtype=np.int64))
        return np.concatenate(begins), np.concatenate(ends)

    def _clocked(self, day: int, begin: int, end: int) -> Iterator[tuple[int, int]]:
        """From `begin` to `end` by the clock on the wall of a day on which it is changed.

        Minute by minute: what it shows twice is open twice, what it skips never.
        """
        moment, after = int(self._midnight[day]), int(self._midnight[day + 1])
        opened: int | None = None
        while moment < after:
            local = (_EPOCH + timedelta(seconds=moment)).astimezone(self._zone)
            if begin <= local.hour * 60 + local.minute < end:
                opened = moment if opened is None else opened
            elif opened is not None:
                yield opened, moment
                opened = None
            moment += 60
        if opened is not None:
            yield opened, moment


def _seconds(moment: datetime) -> int:
    return (moment.astimezone(UTC) - _EPOCH) // timedelta(seconds=1)


def _joined(begin: I64, end: I64) -> tuple[I64, I64]:
    """Spans in order, adjoining ones as one, also those that meet at midnight."""
    if not len(begin):
        return begin, end
    order = np.argsort(begin, kind="stable")
    begin, end = begin[order], np.maximum.accumulate(end[order])
    apart = begin[1:] > end[:-1]
    return begin[np.append(True, apart)], end[np.append(apart, True)]


def _common(runs: list[tuple[I64, I64]]) -> tuple[I64, I64]:
    """The runs that lie in a run of each."""
    edges = np.concatenate([edge for run in runs for edge in run])
    steps = np.concatenate([step for first, _ in runs for step in (first * 0 + 1, first * 0 - 1)])
    at, number = np.unique(edges, return_inverse=True)
    count = np.cumsum(np.bincount(number, weights=steps, minlength=len(at)))
    inside = np.flatnonzero(count == len(runs))
    return at[inside], at[inside + 1]
