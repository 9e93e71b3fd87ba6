"""Days and periods in a time zone: where they begin and end, by the clock on the wall there."""

from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Literal

Period = Literal["day", "week", "month", "quarter", "year", "total"]
PERIODS: tuple[Period, ...] = ("day", "week", "month", "quarter", "year", "total")


def begin(day: date, zone: tzinfo) -> datetime:
    """The first moment of `day` in `zone`, in UTC.

    Where the clock jumps over midnight the day begins at the jump; where midnight comes twice,
    at the first. A day that a zone left out begins and ends at the same moment.
    """
    # In a gap, fold=0 takes the offset before the jump (PEP 495): that is the jump itself.
    return datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC)


def local_day(moment: datetime, zone: tzinfo) -> date:
    """The day that the calendar in `zone` shows at `moment`, which must know its offset.

    Where that is beyond the years 1 to 9999, the day in the moment's own zone.
    """
    if moment.tzinfo is None:
        raise ValueError("a moment without an offset is on no day")
    try:
        return moment.astimezone(zone).date()
    except OverflowError:
        return moment.date()


def first_day(day: date, period: Period) -> date | None:
    """The first day of the period that `day` is in; weeks begin on Monday (ISO 8601)."""
    match period:
        case "day":
            return day
        case "week":
            return day - timedelta(days=day.weekday())
        case "month":
            return day.replace(day=1)
        case "quarter":
            return day.replace(month=day.month - (day.month - 1) % 3, day=1)
        case "year":
            return day.replace(month=1, day=1)
        case "total":
            return None


def next_first_day(day: date, period: Period) -> date | None:
    """The first day after the period that `day` is in; None for `total`, which never ends.

    The last day there is, where that would be in the year 10000.
    """
    first = first_day(day, period)
    if first is None:
        return None
    try:
        return _following(first, period)
    except (OverflowError, ValueError):
        return date.max


def _following(first: date, period: Period) -> date:
    if period in ("day", "week"):
        return first + timedelta(days=1 if period == "day" else 7)
    months = {"month": 1, "quarter": 3, "year": 12}[period]
    year, month = divmod(first.month - 1 + months, 12)
    return date(first.year + year, month + 1, 1)
