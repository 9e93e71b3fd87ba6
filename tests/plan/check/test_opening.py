"""When calendars are open: every slot against the clock on the wall, minute by minute."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sdlc_cli.plan.check.opening import ALWAYS_OPEN, Clock, Opening
from sdlc_cli.plan.model import ALWAYS, Calendar, Hours, Project

WEEK = tuple(Hours(weekday=day, begin=540, end=1020) for day in range(5))
BERLIN = ZoneInfo("Europe/Berlin")


def opening(
    calendar: Calendar, start: datetime, last: int, unit: int = 3600, zone: str = "Europe/Berlin"
) -> Opening:
    project = Project(start=start, timezone=zone, unit_seconds=unit, tasks=())
    clock = Clock(project, 0, last)
    number = clock.number(calendar)
    return clock.common(frozenset() if number is None else frozenset((number,)))


def on_the_wall(calendar: Calendar, moment: datetime, zone: ZoneInfo) -> bool:
    local = moment.astimezone(zone)
    minute = local.hour * 60 + local.minute
    return local.date() not in calendar.days_off and any(
        hour.weekday == local.weekday() and hour.begin <= minute < hour.end
        for hour in calendar.hours
    )


hours = st.builds(
    lambda weekday, ends: Hours(weekday=weekday, begin=min(ends) * 30, end=max(ends) * 30),
    st.integers(0, 6),
    st.lists(st.integers(0, 48), min_size=2, max_size=2, unique=True),
)


@given(
    st.lists(hours, max_size=9),
    st.lists(st.integers(0, 4), max_size=2),
    st.sampled_from([
        ("Europe/Berlin", datetime(2026, 3, 27, 7, tzinfo=UTC)),  # forward at 2 on the 29th
        ("Europe/Berlin", datetime(2026, 10, 23, 7, tzinfo=UTC)),  # back at 3 on the 25th
        ("America/Sao_Paulo", datetime(2018, 11, 2, tzinfo=UTC)),  # forward at midnight
        ("America/Sao_Paulo", datetime(2018, 2, 16, tzinfo=UTC)),  # back at midnight
        ("Australia/Lord_Howe", datetime(2026, 4, 3, tzinfo=UTC)),  # by half an hour
        ("Pacific/Apia", datetime(2011, 12, 28, tzinfo=UTC)),  # the 30th was left out
        ("Asia/Kathmandu", datetime(2026, 5, 1, 0, 30, tzinfo=UTC)),
    ]),
    st.sampled_from([900, 1800, 3600, 7200]),
)  # fmt: skip
def test_a_slot_is_open_when_all_of_it_is(
    open_hours: list[Hours], off: list[int], where: tuple[str, datetime], unit: int
) -> None:
    zone, start = where
    days_off = frozenset(start.date() + timedelta(days=day) for day in off)
    calendar = Calendar(hours=tuple(open_hours), days_off=days_off)
    slots = 4 * 86_400 // unit
    found = opening(calendar, start, slots, unit, zone)
    step = 900
    wall = [
        on_the_wall(calendar, start + timedelta(seconds=i * step), ZoneInfo(zone))
        for i in range(slots * unit // step)
    ]
    per = unit // step

    wanted = [all(wall[slot * per : (slot + 1) * per]) for slot in range(slots)]

    assert [found.holds(slot) for slot in range(slots)] == wanted
    assert sum(end - begin for begin, end in found.worked(0, slots)) == sum(wanted)


def test_work_goes_on_after_the_weekend() -> None:
    week = opening(Calendar(hours=WEEK), datetime(2026, 1, 2, 9, tzinfo=BERLIN), 200)  # a Friday

    assert week.end_of(0, 8) == 8
    assert week.end_of(0, 9) == 3 * 24 + 1
    assert week.end_of(8, 0) == 8
    assert list(week.worked(6, 3 * 24 + 2)) == [(6, 8), (72, 74)]
    assert not week.holds(8)


def test_a_calendar_that_ends_has_no_later_slot() -> None:
    nothing = opening(Calendar(), datetime(2026, 1, 2, tzinfo=UTC), 100)

    assert nothing.end_of(0, 1) is None
    assert not nothing.holds(5)
    assert list(nothing.worked(0, 100)) == []


def test_always_is_always() -> None:
    assert opening(ALWAYS, datetime(2026, 1, 2, tzinfo=UTC), 10) is ALWAYS_OPEN
    assert ALWAYS_OPEN.end_of(-5, 7) == 2
    assert list(ALWAYS_OPEN.worked(3, 9)) == [(3, 9)]


def test_two_calendars_meet_where_both_are_open() -> None:
    project = Project(start=datetime(2026, 1, 5, tzinfo=UTC), tasks=())
    clock = Clock(project, 0, 48)
    early = Calendar(hours=tuple(Hours(weekday=day, begin=0, end=720) for day in range(7)))
    late = Calendar(
        hours=tuple(Hours(weekday=day, begin=600, end=1440) for day in range(7)),
        days_off=frozenset((date(2026, 1, 6),)),
    )
    numbers = frozenset(n for n in (clock.number(early), clock.number(late)) if n is not None)

    assert list(clock.common(numbers).worked(0, 48)) == [(10, 12)]


@pytest.mark.parametrize("slot", [10**15, -(10**15)])
def test_no_calendar_is_asked_beyond_centuries(slot: int) -> None:
    project = Project(start=datetime(2026, 1, 5, tzinfo=UTC), tasks=())
    clock = Clock(project, min(0, slot), max(0, slot))
    number = clock.number(Calendar(hours=WEEK))

    assert number is not None
    assert not clock.common(frozenset((number,))).holds(slot)
