"""When calendars are open, in slots, read off the wall clock day by day.

A moment is open when the clock on the wall shows a weekday and a time inside the calendar's hours,
and its date is no day off. An hour that the clock repeats is open twice, one that it skips never.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import accumulate
from zoneinfo import ZoneInfo

from sdlc_cli.plan.model import Calendar, Project

Run = tuple[int, int]  # [begin, end)

_DAY = 86_400
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EPOCH_DAY = date(1970, 1, 1).toordinal()
_FOREVER = 2**62
_FARTHEST = timedelta(days=200 * 366)  # no calendar is asked beyond this


@dataclass(frozen=True, slots=True)
class Opening:
    """The open slots as runs in order. `before[i]` counts the slots of the runs ahead of run i."""

    runs: tuple[Run, ...]
    begins: tuple[int, ...]
    before: tuple[int, ...]

    @classmethod
    def of(cls, runs: Iterable[Run]) -> "Opening":
        """The opening made of `runs`, which are in order and apart."""
        runs = tuple(runs)
        counts = accumulate((end - begin for begin, end in runs), initial=0)
        return cls(runs, tuple(begin for begin, _ in runs), tuple(counts))

    def worked(self, start: int, finish: int) -> Iterator[Run]:
        """The open parts of `[start, finish)`."""
        at = max(bisect_right(self.begins, start) - 1, 0)
        while at < len(self.runs) and self.runs[at][0] < finish:
            begin, end = max(self.runs[at][0], start), min(self.runs[at][1], finish)
            if begin < end:
                yield begin, end
            at += 1

    def holds(self, slot: int) -> bool:
        """Whether `slot` is open."""
        at = bisect_right(self.begins, slot) - 1
        return at >= 0 and slot < self.runs[at][1]

    def end_of(self, start: int, duration: int) -> int | None:
        """Where the last of `duration` open slots from `start` on ends; None when there are fewer.

        `start` itself where `duration` is 0.
        """
        if duration <= 0:
            return start
        at = bisect_right(self.begins, start) - 1
        done = self.before[at] + min(start, self.runs[at][1]) - self.runs[at][0] if at >= 0 else 0
        last = bisect_left(self.before, done + duration) - 1
        if last >= len(self.runs):
            return None
        return self.runs[last][0] + done + duration - self.before[last]


ALWAYS_OPEN = Opening.of([(-_FOREVER, _FOREVER)])


class Clock:
    """The openings of a project's calendars between two slots."""

    def __init__(self, project: Project, first: int, last: int) -> None:
        self.zone = ZoneInfo(project.timezone)
        self.unit = project.unit_seconds
        self.start = (project.start - _EPOCH) // timedelta(seconds=1)
        self.first = self._day(project.start, first) - 2
        self.last = self._day(project.start, last) + 2
        self._offsets: dict[tuple[int, int], int] = {}
        self._numbers: dict[Calendar, int] = {}
        self._openings: dict[frozenset[int], Opening] = {frozenset(): ALWAYS_OPEN}

    def number(self, calendar: Calendar) -> int | None:
        """What this calendar is called in `common`; None for one without a closed slot."""
        if calendar.always:
            return None
        if calendar not in self._numbers:
            number = self._numbers[calendar] = len(self._numbers)
            self._openings[frozenset((number,))] = Opening.of(self._runs(calendar))
        return self._numbers[calendar]

    def common(self, numbers: frozenset[int]) -> Opening:
        """The slots in which all of these calendars are open."""
        if numbers not in self._openings:
            one, *rest = sorted(numbers)
            runs = self._openings[frozenset((one,))].runs
            for other in rest:
                runs = tuple(_shared(runs, self._openings[frozenset((other,))].runs))
            self._openings[numbers] = Opening.of(runs)
        return self._openings[numbers]

    def _day(self, start: datetime, slot: int) -> int:
        """The number of the day that `slot` begins on, or of the farthest that is asked for."""
        reach = _FARTHEST.total_seconds()
        seconds = min(max(slot * self.unit, -reach), reach)
        days = start.toordinal() + int(seconds // _DAY)
        return min(max(days, date.min.toordinal() + 4), date.max.toordinal() - 4)

    def _runs(self, calendar: Calendar) -> Iterator[Run]:
        for begin, end in _joined(sorted(self._spans(calendar))):
            first = -((self.start - begin) // self.unit)
            last = (end - self.start) // self.unit
            if first < last:
                yield first, last

    def _spans(self, calendar: Calendar) -> Iterator[Run]:
        """The calendar's open hours, in seconds since 1970."""
        hours = [[h for h in calendar.hours if h.weekday == weekday] for weekday in range(7)]
        off = {day.toordinal() for day in calendar.days_off}
        for day in range(self.first, self.last + 1):
            if day in off:
                continue
            for hour in hours[(day + 6) % 7]:
                midnight = (day - _EPOCH_DAY) * _DAY
                yield from self._on_the_wall(
                    day, midnight + hour.begin * 60, midnight + hour.end * 60
                )

    def _on_the_wall(self, day: int, begin: int, end: int) -> Iterator[Run]:
        """The moments of `day` at which the clock shows a time in `[begin, end)`."""
        before, after = self._offset(day, 0), self._offset(day + 1, 1)
        if before == after:
            yield begin - before, end - before
            return
        change = self._change(day, before, after)
        if begin - before < change:
            yield begin - before, min(end - before, change)
        if end - after > change:
            yield max(begin - after, change), end - after

    def _offset(self, day: int, fold: int) -> int:
        """How many seconds the zone is ahead of UTC at the midnight that `day` begins with."""
        if (day, fold) not in self._offsets:
            midnight = datetime.fromordinal(day).replace(tzinfo=self.zone, fold=fold)
            self._offsets[day, fold] = _seconds(midnight.utcoffset())
        return self._offsets[day, fold]

    def _change(self, day: int, before: int, after: int) -> int:
        """The first moment of `day` with its new offset, in seconds since 1970."""
        midnight = (day - _EPOCH_DAY) * _DAY
        low, high = midnight - before, midnight + _DAY - min(before, after)
        while low < high:
            middle = (low + high) // 2
            moment = (_EPOCH + timedelta(seconds=middle)).astimezone(self.zone)
            if _seconds(moment.utcoffset()) == after:
                high = middle
            else:
                low = middle + 1
        return low


def _seconds(offset: timedelta | None) -> int:
    return round((offset or timedelta()).total_seconds())


def _joined(spans: Iterable[Run]) -> Iterator[Run]:
    """Sorted spans, those that touch or overlap as one."""
    now: Run | None = None
    for begin, end in spans:
        if now is not None and begin <= now[1]:
            now = now[0], max(now[1], end)
            continue
        if now is not None:
            yield now
        now = begin, end
    if now is not None:
        yield now


def _shared(one: tuple[Run, ...], other: tuple[Run, ...]) -> Iterator[Run]:
    i = j = 0
    while i < len(one) and j < len(other):
        begin, end = max(one[i][0], other[j][0]), min(one[i][1], other[j][1])
        if begin < end:
            yield begin, end
        if one[i][1] < other[j][1]:
            i += 1
        else:
            j += 1
