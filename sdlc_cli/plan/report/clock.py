"""Slots as people and machines read them: moments in the project's zone, amounts of time."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from sdlc_cli.core.i18n import _, ngettext
from sdlc_cli.plan.model import Project

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_HOUR, _DAY = 3600, 86_400


class Clock:
    """The clock of one project. A project from a benchmark has no dates: slots are its time."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self.zone = ZoneInfo(project.timezone)
        self.dated = project.start != EPOCH

    def local(self, slot: int) -> datetime:
        """The moment on the wall in the project's zone."""
        return self.project.at(slot).astimezone(self.zone)

    def moment(self, slot: int) -> str:
        """As `Mon 2026-08-03 09:00`, or the slot."""
        if not self.dated:
            return f"{slot:,}"
        at = self.local(slot)
        return f"{weekday(at)} {at:%Y-%m-%d} {self._time(at)}"

    def short(self, slot: int) -> str:
        """As `Mon 08-03 09:00`, or the slot."""
        if not self.dated:
            return f"{slot:,}"
        at = self.local(slot)
        return f"{weekday(at)} {at:%m-%d} {self._time(at)}"

    def _time(self, at: datetime) -> str:
        return f"{at:%H:%M}" if self.project.unit_seconds % 60 == 0 else f"{at:%H:%M:%S}"

    def elapsed(self, slots: int) -> str:
        """Time on the wall, nights included: `5 h`, `3 d 4 h`."""
        if not self.dated:
            return _slots(slots)
        seconds = abs(slots) * self.project.unit_seconds
        sign = "-" if slots < 0 else ""
        if seconds < 2 * _DAY:
            return sign + _hours(seconds)
        days, rest = divmod(seconds, _DAY)
        text = _("{n} d").format(n=f"{days:,}")
        return sign + (f"{text} {_hours(rest)}" if rest else text)

    def worked(self, slots: int) -> str:
        """Working time, without a day that would be of unclear length: `40 h`."""
        if not self.dated:
            return _slots(slots)
        sign = "-" if slots < 0 else ""
        return sign + _hours(abs(slots) * self.project.unit_seconds)

    def hours(self, slots: float) -> float:
        """Slots as hours."""
        return slots * self.project.unit_seconds / _HOUR

    def utc(self, slot: int) -> str:
        """As machines get it: `2026-08-03T07:00:00Z`."""
        return self.project.at(slot).astimezone(UTC).isoformat().replace("+00:00", "Z")


def _slots(slots: int) -> str:
    return ngettext("{n} slot", "{n} slots", slots).format(n=f"{slots:,}")


def _hours(seconds: int) -> str:
    if seconds < 60 and seconds:
        return _("{n} s").format(n=seconds)
    if seconds < 2 * _HOUR and seconds % _HOUR:
        return _("{n} min").format(n=_trimmed(seconds / 60))
    return _("{n} h").format(n=_trimmed(seconds / _HOUR))


def _trimmed(number: float) -> str:
    return f"{number:,.2f}".rstrip("0").rstrip(".")


def weekday(at: datetime) -> str:
    """The day's name, short."""
    names = (_("Mon"), _("Tue"), _("Wed"), _("Thu"), _("Fri"), _("Sat"), _("Sun"))
    return names[at.weekday()]
