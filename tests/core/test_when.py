"""Days and periods in time zones, around the changes of the clock."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sdlc_cli.core import when

DAYS = st.dates(min_value=date(1980, 1, 1), max_value=date(2035, 12, 31))


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [
        pytest.param("Europe/Berlin", date(2026, 3, 29), 23, id="the clock goes forward"),
        pytest.param("Europe/Berlin", date(2026, 10, 25), 25, id="the clock goes back"),
        pytest.param("America/Sao_Paulo", date(2018, 11, 4), 23, id="no midnight"),
        pytest.param("America/Havana", date(2026, 11, 1), 25, id="midnight twice"),
        pytest.param("Australia/Lord_Howe", date(2026, 10, 4), 23.5, id="half an hour"),
        pytest.param("Pacific/Apia", date(2011, 12, 30), 0, id="a day that never was"),
        pytest.param("Asia/Kathmandu", date(2026, 6, 1), 24, id="an odd offset"),
    ],
)
def test_a_day_is_as_long_as_its_zone_makes_it(zone: str, day: date, hours: float) -> None:
    place = ZoneInfo(zone)

    length = when.begin(day + timedelta(days=1), place) - when.begin(day, place)

    assert length == timedelta(hours=hours)


@pytest.mark.parametrize(
    ("period", "first", "after"),
    [
        ("day", date(2026, 11, 22), date(2026, 11, 23)),
        ("week", date(2026, 11, 16), date(2026, 11, 23)),
        ("month", date(2026, 11, 1), date(2026, 12, 1)),
        ("quarter", date(2026, 10, 1), date(2027, 1, 1)),
        ("year", date(2026, 1, 1), date(2027, 1, 1)),
        ("total", None, None),
    ],
)
def test_a_period_has_a_first_day_and_a_day_after(
    period: when.Period, first: date | None, after: date | None
) -> None:
    sunday = date(2026, 11, 22)

    assert when.first_day(sunday, period) == first
    assert when.next_first_day(sunday, period) == after


@given(DAYS, st.sampled_from([p for p in when.PERIODS if p != "total"]))
def test_periods_follow_each_other_without_gap_or_overlap(day: date, period: when.Period) -> None:
    first, after = when.first_day(day, period), when.next_first_day(day, period)
    assert first is not None
    assert after is not None

    assert first <= day < after
    assert when.first_day(after, period) == after
    assert when.first_day(after - timedelta(days=1), period) == first


@given(
    st.datetimes(min_value=datetime(1980, 1, 1), max_value=datetime(2035, 1, 1)),
    st.sampled_from(
        ["UTC", "Europe/Berlin", "America/Sao_Paulo", "America/Havana", "Pacific/Apia"]
    ),
)
def test_every_moment_is_within_the_day_its_calendar_shows(naive: datetime, name: str) -> None:
    moment, zone = naive.replace(tzinfo=UTC), ZoneInfo(name)

    day = when.local_day(moment, zone)

    assert when.begin(day, zone) <= moment < when.begin(day + timedelta(days=1), zone)


def test_a_moment_without_an_offset_is_refused() -> None:
    with pytest.raises(ValueError, match="offset"):
        when.local_day(datetime(2026, 1, 1), ZoneInfo("UTC"))


def test_the_last_day_there_is_ends_every_period_and_is_a_day_everywhere() -> None:
    last = datetime(9999, 12, 31, 23, 59, tzinfo=UTC)

    assert when.local_day(last, ZoneInfo("Pacific/Kiritimati")) == date.max
    assert {when.next_first_day(date.max, period) for period in when.PERIODS} == {date.max, None}
