"""IANA time zones and the days in them: what `--timezone`, `--since` and `--until` mean."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from sdlc_cli.core.i18n import Message, msg
from sdlc_cli.core.nearest import nearest
from sdlc_cli.core.when import begin


class UnknownZone(Exception):
    """No zone of the IANA database is called so."""

    def __init__(self, message: Message) -> None:
        super().__init__(message)
        self.message = message


def zone(name: str) -> ZoneInfo:
    """The zone called `name`, as `Europe/Berlin`. Raises UnknownZone, with the nearest name."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):  # OSError: the name of a folder
        pass
    known = available_timezones()
    cities = {full.rpartition("/")[2]: full for full in sorted(known)}
    near = nearest(name, known) or cities.get(nearest(name, cities), "")
    if near:
        raise UnknownZone(
            msg("unknown time zone '{name}' (nearest: '{nearest}')", name=name, nearest=near)
        )
    raise UnknownZone(msg("unknown time zone '{name}'; use a name as Europe/Berlin", name=name))


def moment(text: str, at: ZoneInfo, *, end: bool = False) -> datetime:
    """A day or a time as an instant in UTC; a day means its midnight in `at`.

    With `end` a day is counted whole: the instant is the midnight after it. Raises ValueError.
    """
    try:
        day = date.fromisoformat(text)
    except ValueError:
        found = datetime.fromisoformat(text)
        return (found if found.tzinfo else found.replace(tzinfo=at)).astimezone(UTC)
    return begin(day + timedelta(days=1) if end else day, at)
