"""Calendars as slots: which of them are open, and until where people can say so."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np

from sdlc_cli.plan.instance import I64
from sdlc_cli.plan.model import Calendar, Project

_DAY = timedelta(days=1)
_MINUTES = 1440


def meet(calendars: Iterable[Calendar]) -> tuple[Calendar, ...]:
    """The calendars that have to be open together; those that never close do not matter."""
    return tuple(dict.fromkeys(c for c in calendars if not c.always))


def open_slots(project: Project, calendars: tuple[Calendar, ...], horizon: int) -> I64:
    """The slots before `horizon` in which all of `calendars` are open, in order."""
    slots = np.arange(horizon, dtype=np.int64)
    for calendar in calendars:
        slots = np.intersect1d(slots, _open(project, calendar, horizon), assume_unique=True)
    return slots


def _open(project: Project, calendar: Calendar, horizon: int) -> I64:
    unit = project.unit_seconds
    start = project.start.astimezone(UTC)
    runs = [np.empty(0, dtype=np.int64)]
    for begin, end in _spans(project, calendar, horizon):
        first = max(0, -(-int((begin - start).total_seconds()) // unit))
        last = min(horizon, int((end - start).total_seconds()) // unit)
        if first < last:
            runs.append(np.arange(first, last, dtype=np.int64))
    return np.concatenate(runs)


def _spans(
    project: Project, calendar: Calendar, horizon: int
) -> Iterable[tuple[datetime, datetime]]:
    """Open time as moments, adjoining hours joined, also those that meet at midnight."""
    zone = ZoneInfo(project.timezone)
    day = project.start.astimezone(zone).date() - _DAY
    last = project.at(horizon).astimezone(zone).date() + _DAY
    weekly: dict[int, list[tuple[int, int]]] = {}
    for hours in calendar.hours:
        weekly.setdefault(hours.weekday, []).append((hours.begin, hours.end))
    held: tuple[datetime, datetime] | None = None
    while day <= last:
        if day not in calendar.days_off:
            for begin, end in sorted(weekly.get(day.weekday(), ())):
                for span in _moments(day, begin, end, zone):
                    if held is not None and span[0] <= held[1]:
                        held = held[0], max(held[1], span[1])
                        continue
                    if held is not None:
                        yield held
                    held = span
        day += _DAY
    if held is not None:
        yield held


def _moments(
    day: date, begin: int, end: int, zone: ZoneInfo
) -> Iterable[tuple[datetime, datetime]]:
    """From `begin` to `end` by the clock on the wall of `day`.

    On a day on which the clock is changed, minute by minute: what it shows twice is open twice,
    what it skips never.
    """
    midnight = _utc(day, 0, zone)
    if _utc(day, _MINUTES, zone) - midnight == _DAY:
        if begin < end:
            yield _utc(day, begin, zone), _utc(day, end, zone)
        return
    moment = midnight
    opened: datetime | None = None
    while (local := moment.astimezone(zone)).date() == day:
        shown = local.hour * 60 + local.minute
        if begin <= shown < end:
            opened = opened or moment
        elif opened is not None:
            yield opened, moment
            opened = None
        moment += timedelta(minutes=1)
    if opened is not None:
        yield opened, moment


def _utc(day: date, minute: int, zone: ZoneInfo) -> datetime:
    naive = datetime(day.year, day.month, day.day) + timedelta(minutes=minute)
    return naive.replace(tzinfo=zone).astimezone(UTC)
