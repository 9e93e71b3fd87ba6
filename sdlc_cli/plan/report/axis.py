"""The time axis of drawings: from 0 to 1, without the hours in which nobody works."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from sdlc_cli.plan.instance import I64
from sdlc_cli.plan.report import Sheet
from sdlc_cli.plan.report.clock import Clock

_ALL = 0.8  # of the slots worked in: from here on all are drawn
_STEPS = (1, 5, 15, 30, 60, 300, 900, 1800, 3600, 7200, 10_800, 14_400, 21_600, 43_200)
_DAYS = (1, 2, 7, 14, 28, 91, 182, 364, 728, 1820)
_MOST_TICKS = 400
_MOST_OF = 0.75


@dataclass(frozen=True, slots=True, kw_only=True)
class Tick:
    """A mark on the axis: where, and what it says."""

    x: float
    label: str


class Axis:
    """Where slots lie. `worked` holds those drawn, None where all from 0 to `end` are."""

    def __init__(self, sheet: Sheet, *, whole: bool = False) -> None:
        self.clock = Clock(sheet.project)
        self.end = max(1, sheet.schedule.makespan)
        self.worked: I64 | None = None
        if not whole:
            worked = _worked(sheet)
            if 0 < len(worked) < _ALL * self.end:
                self.worked = worked

    @property
    def length(self) -> int:
        """How many slots are drawn."""
        return self.end if self.worked is None else len(self.worked)

    def x(self, slot: int) -> float:
        """The share of the axis before `slot`."""
        if self.worked is None:
            return min(max(slot / self.end, 0.0), 1.0)
        return int(np.searchsorted(self.worked, slot)) / len(self.worked)

    def stretches(self, slots: I64) -> list[tuple[float, float]]:
        """Where these slots lie, as stretches without a gap on the axis."""
        if not len(slots):
            return []
        places = slots if self.worked is None else np.searchsorted(self.worked, slots)
        cuts = np.flatnonzero(np.diff(places) > 1)
        first = places[np.concatenate([[0], cuts + 1])]
        last = places[np.concatenate([cuts, [len(places) - 1]])] + 1
        return [
            (float(a) / self.length, float(b) / self.length)
            for a, b in zip(first, last, strict=True)
        ]

    def ticks(self, least: float) -> list[Tick]:
        """Marks with at least `least` of the axis from one to the next.

        The finest of which no more than a few have to be left out for that.
        """
        for found in self._choices():
            kept: list[Tick] = []
            for tick in found:
                if not kept or tick.x - kept[-1].x >= least:
                    kept.append(tick)
            if kept and len(kept) >= _MOST_OF * len(found):
                return kept
        return []

    def _choices(self) -> Iterator[list[Tick]]:
        if not self.clock.dated:
            yield from self._numbers()
            return
        unit = self.clock.project.unit_seconds
        span = self.end * unit
        one_day = self.clock.local(0).date() == self.clock.local(self.end - 1).date()
        for step in _STEPS if one_day else ():
            if step % unit == 0 and span / step <= _MOST_TICKS:
                yield self._times(step)
        for days in _DAYS:
            if span / (days * 86_400) <= _MOST_TICKS:
                yield self._days(days)

    def _numbers(self) -> Iterator[list[Tick]]:
        step = 1
        while step <= self.end * 10:
            for factor in (1, 2, 5):
                at = step * factor
                if self.end / at <= _MOST_TICKS:
                    yield [
                        Tick(x=self.x(slot), label=f"{slot:,}") for slot in range(0, self.end, at)
                    ]
            step *= 10

    def _times(self, step: int) -> list[Tick]:
        """Every `step` seconds, where there is work then."""
        shape = "%H:%M" if step % 60 == 0 else "%H:%M:%S"
        at, last = self._midnight(), self.clock.local(self.end)
        found: dict[float, str] = {}
        while at <= last:
            slot = self._slot(at)
            if slot >= 0 and self._drawn(slot) == slot:
                found[self.x(slot)] = at.strftime(shape)
            at += timedelta(seconds=step)
        return [Tick(x=x, label=label) for x, label in found.items()]

    def _days(self, days: int) -> list[Tick]:
        """Every so many days, weeks from Mondays on; a day without work gives way to the next."""
        at, last = self._midnight(), self.clock.local(self.end - 1)
        if days % 7 == 0:
            at -= timedelta(days=at.weekday())
        shape = "%m-%d" if at.year == last.year else "%Y-%m-%d"
        found: dict[float, str] = {}
        while at <= last:
            slot = self._drawn(max(0, self._slot(at)))
            if slot is not None and (slot or days == 1 or at >= self._midnight()):
                found[self.x(slot)] = self.clock.local(slot).strftime(shape)
            at += timedelta(days=days)
        return [Tick(x=x, label=label) for x, label in found.items()]

    def _midnight(self) -> datetime:
        first = self.clock.local(0)
        return first.replace(hour=0, minute=0, second=0, microsecond=0)

    def _slot(self, at: datetime) -> int:
        """The first slot that does not begin before `at`."""
        seconds = at.timestamp() - self.clock.project.start.timestamp()
        return -int(-seconds // self.clock.project.unit_seconds)

    def _drawn(self, slot: int) -> int | None:
        """The first slot from this one on that is drawn; None behind the last."""
        if self.worked is None:
            return slot if slot < self.end else None
        place = int(np.searchsorted(self.worked, slot))
        return int(self.worked[place]) if place < len(self.worked) else None


def _worked(sheet: Sheet) -> I64:
    """The slots in which somebody or something works, in order."""
    busy = np.zeros(max(1, sheet.schedule.makespan), np.bool_)
    for placed, work in zip(sheet.schedule.placements, sheet.network.worktimes, strict=True):
        if work.slots is None:
            busy[placed.start : placed.finish] = True
        else:
            busy[work.between(placed.start, placed.finish)] = True
    return np.flatnonzero(busy).astype(np.int64)


def load(sheet: Sheet, axis: Axis, resource: str, bins: int) -> list[float]:
    """The mean units of a resource in use in each of `bins` parts of the axis."""
    used = np.zeros(axis.end, np.int64)
    for placed, work in zip(sheet.schedule.placements, sheet.network.worktimes, strict=True):
        amount = dict(placed.resources).get(resource, 0)
        if amount and work.slots is None:
            used[placed.start : placed.finish] += amount
        elif amount:
            used[work.between(placed.start, placed.finish)] += amount
    drawn = used if axis.worked is None else used[axis.worked]
    sums = np.concatenate([[0], np.cumsum(drawn)]).astype(float)
    edges = np.linspace(0, axis.length, bins + 1)
    totals = np.interp(edges, np.arange(axis.length + 1), sums)
    means: list[float] = (np.diff(totals) / (axis.length / bins)).tolist()
    return means
