"""Days in SQL are the days of the zone's own clock, however far away."""

import random
import sqlite3
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from sdlc_cli.cost.engine import clock

LAST = 253_402_300_799_999_999  # of the year 9999


@pytest.mark.parametrize(
    "zone", ["Europe/Berlin", "Africa/Casablanca", "Asia/Gaza", "Asia/Kolkata"]
)
def test_the_clock_of_a_zone_in_sql_is_that_of_the_zone(zone: str) -> None:
    steps = clock.jumps(zone, 0, clock.END)
    chance = random.Random(7)
    moments = [chance.randrange(clock.END) for _ in range(2_000)]
    moments += [at + by for at, _ in steps[1:] for by in (-1, 0, 1)]

    con = sqlite3.connect(":memory:")
    con.execute("CREATE TABLE moment (ts INTEGER)")
    con.executemany("INSERT INTO moment VALUES (?)", [(at,) for at in moments])
    found = con.execute(f"SELECT {clock.local(steps)} FROM moment ORDER BY rowid")
    shown = [at for (at,) in found]

    place = ZoneInfo(zone)
    expected = [
        clock.micros(clock.moment(at).astimezone(place).replace(tzinfo=UTC)) for at in moments
    ]
    assert shown == expected


def test_how_many_jumps_are_asked_grows_little_with_their_number() -> None:
    steps = clock.jumps("Europe/Berlin", 0, clock.END)

    sql = clock.local(steps)

    assert len(steps) > 300
    depth = most = 0
    for word in sql.replace("(", " ").replace(")", " ").split():
        depth += (word == "CASE") - (word == "END")
        most = max(most, depth)
    assert most <= 8


@pytest.mark.parametrize("zone", ["Europe/Berlin", "Pacific/Kiritimati", "America/New_York"])
def test_the_last_moment_there_is_has_a_day(zone: str) -> None:
    ((_, offset),) = clock.jumps(zone, LAST, LAST)
    day = (LAST + offset) // clock.DAY

    assert clock.label("day", day) == "9999-12-31"
    assert clock.label("month", day) == "9999-12"
    assert clock.label("week", day) == "9999-W52"


def test_what_lies_behind_the_known_clocks_is_told_alike_from_any_first_moment() -> None:
    summer = clock.micros(datetime(2200, 7, 1, tzinfo=UTC))

    ((_, near),) = clock.jumps("Europe/Berlin", summer, summer)
    assert near == clock.jumps("Europe/Berlin", 0, summer)[-1][1]
