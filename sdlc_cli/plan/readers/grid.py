"""Durations, lags and moments as people write them, in the slots of a project."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta, timezone
from fractions import Fraction
from zoneinfo import ZoneInfo

from sdlc_cli.plan.model import Calendar

DAY = 86_400
FARTHEST = 10**6  # slots of one duration or lag
LONGEST = timedelta(days=100 * 366)  # from the start to any moment in the file

_PART = re.compile(r"([0-9]+(?:\.[0-9]+)?)\s*([smhdw])")
_SECONDS: Mapping[str, int] = {"s": 1, "m": 60, "h": 3600, "d": DAY, "w": 7 * DAY}


@dataclass(frozen=True, slots=True)
class Grid:
    """The slots of a project: where the first begins, how long they are.

    `day` and `week` are how many seconds of work a working day and week have.
    """

    start: datetime
    zone: ZoneInfo
    unit: int
    day: Fraction = Fraction(DAY)
    week: Fraction = Fraction(7 * DAY)
    known: dict[str, int] = field(default_factory=dict)  # durations

    def duration(self, text: str) -> int | None:
        """`1d 4h` of work in slots, rounded up; a number alone is slots. None for too much."""
        if text not in self.known:  # most tasks take as long as another
            units: dict[str, Fraction | int] = {**_SECONDS, "d": self.day, "w": self.week}
            self.known[text] = _ceiling(_amount(text, units, self.unit))
        slots = self.known[text]
        return slots if slots <= FARTHEST else None

    def lag(self, text: str) -> int | None:
        """`-2h` of elapsed time in slots, rounded up; None for too much."""
        if text == "0":
            return 0
        lead = text.strip().startswith("-")
        amount = _amount(text.strip().removeprefix("-"), _SECONDS, self.unit)
        slots = _ceiling(-amount if lead else amount)
        return slots if abs(slots) <= FARTHEST else None

    def slot(self, text: str, *, up: bool, end: bool = False) -> int | None:
        """The slot that begins at the moment, or the next one (`up`), or the one it lies in.

        With `end` a day alone is counted whole. None where there is no such moment, or it is
        further from the start than LONGEST.
        """
        found = moment(text, self.zone, end=end)
        if found is None or abs(found - self.start) > LONGEST:
            return None
        seconds = Fraction((found - self.start) // timedelta(seconds=1))
        return _ceiling(seconds / self.unit) if up else seconds // self.unit

    def misses(self, minute: int) -> bool:
        """Whether this minute of the day lies inside of a slot. `unit` divides an hour."""
        local = self.start.astimezone(self.zone)
        return (minute * 60 - local.minute * 60 - local.second) % self.unit != 0


def moment(text: str, zone: ZoneInfo, *, end: bool = False) -> datetime | None:
    """A day (its midnight, or the next with `end`), or a time, with the offset it has in `zone`.

    The offset is a fixed one: sums with it are of elapsed time. None where there is no such time.
    """
    try:
        if len(text) <= 10:
            day = date.fromisoformat(text) + timedelta(days=1 if end else 0)
            found = datetime.combine(day, time(), zone)
        else:
            found = datetime.fromisoformat(text)
            if not found.tzinfo:
                found = found.replace(tzinfo=zone)
                if found.astimezone(UTC).astimezone(zone).replace(fold=0) != found:
                    return None  # the clocks were put forward over it
        offset = found.utcoffset() or timedelta()
        return found.astimezone(UTC).astimezone(timezone(offset))
    except (ValueError, OverflowError):
        return None


def unit_seconds(text: str) -> int:
    """`30m` in seconds; the text is known to be so."""
    found = _PART.fullmatch(text.strip())
    assert found
    return int(found[1]) * _SECONDS[found[2]]


def work(calendar: Calendar) -> tuple[Fraction, Fraction]:
    """Seconds of work in a day and in a week: the week's hours over the days that have any."""
    days = {hour.weekday for hour in calendar.hours}
    if calendar.always or not days:
        return Fraction(DAY), Fraction(7 * DAY)
    week = Fraction(sum(hour.end - hour.begin for hour in calendar.hours) * 60)
    return week / len(days), week


def _amount(text: str, units: Mapping[str, Fraction | int], unit: int) -> Fraction:
    """In slots."""
    if text.strip().isdecimal():
        return Fraction(int(text))
    seconds = sum((Fraction(number) * units[name] for number, name in _PART.findall(text)),
                  start=Fraction(0))  # fmt: skip
    return seconds / unit


def _ceiling(value: Fraction) -> int:
    return -(-value.numerator // value.denominator)
