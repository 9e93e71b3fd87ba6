"""What --timezone, --since and --until mean."""

from datetime import UTC, datetime

import pytest

from sdlc_cli.cost.zones import UnknownZone, moment, zone


@pytest.mark.parametrize(
    ("text", "at", "end", "expected"),
    [
        ("2026-11-22", "UTC", False, datetime(2026, 11, 22, tzinfo=UTC)),
        ("2026-11-22", "UTC", True, datetime(2026, 11, 23, tzinfo=UTC)),
        ("2026-03-29", "Europe/Berlin", False, datetime(2026, 3, 28, 23, tzinfo=UTC)),
        ("2026-03-29", "Europe/Berlin", True, datetime(2026, 3, 29, 22, tzinfo=UTC)),
        ("2026-11-22T10:00", "Asia/Tokyo", True, datetime(2026, 11, 22, 1, tzinfo=UTC)),
        ("2026-11-22T10:00+02:00", "Asia/Tokyo", False, datetime(2026, 11, 22, 8, tzinfo=UTC)),
        ("2026-11-22T10:00Z", "Asia/Tokyo", False, datetime(2026, 11, 22, 10, tzinfo=UTC)),
    ],
)
def test_a_day_is_a_day_of_its_zone(text: str, at: str, end: bool, expected: datetime) -> None:
    assert moment(text, zone(at), end=end) == expected


@pytest.mark.parametrize("text", ["", "yesterday", "2026-02-30", "22.11.2026"])
def test_what_is_no_day_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        moment(text, zone("UTC"))


@pytest.mark.parametrize("name", ["", "Europe", "/etc/passwd", "\x00", "Mars/Olympus"])
def test_what_is_no_zone_is_refused(name: str) -> None:
    with pytest.raises(UnknownZone, match="unknown time zone"):
        zone(name)
