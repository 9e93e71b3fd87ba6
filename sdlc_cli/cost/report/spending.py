"""The chart of what each day cost, and of what its cost is made."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from sdlc_cli.core import charts, money
from sdlc_cli.core.charts import Bar, Chart, Part
from sdlc_cli.core.i18n import _
from sdlc_cli.cost.model import Group, Series
from sdlc_cli.cost.report import Sheet, bars, summary, tables

MOST_BARS = 120  # more would be thinner than a hair: neighbours are added up
MOST_PARTS = 6  # with a colour of their own; the rest is added up


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """A drawing, and what its colours stand for: (number of the colour, name)."""

    drawing: Markup
    legend: tuple[tuple[int, str], ...]


@dataclass(frozen=True, slots=True)
class _Run:
    """Neighbouring days that share a bar."""

    first: str
    last: str
    days: int
    picos: tuple[int, ...]  # of each part

    @property
    def title(self) -> str:
        return self.first if self.first == self.last else f"{self.first} - {self.last}"


def key_of(by: Iterable[str]) -> str:
    """The first group that is no time, which charts are made of; "" where there is none."""
    return next((key for key in by if key not in summary.TIMES), "")


def sums(groups: Iterable[Group], key: str) -> dict[str, int]:
    """Pico-dollars by the groups' values of `key`."""
    found: dict[str, int] = {}
    for group in groups:
        name = group.keys.get(key, "")
        found[name] = found.get(name, 0) + group.amounts.pico
    return found


def drawn(sheet: Sheet) -> Drawn | None:
    """The chart of days, where there are any to compare."""
    daily = sheet.daily
    if len(daily) < 2 or not any(pico for _day, pico in daily):
        return None
    names = _names(sheet) if charts.installed() else ()
    found = _runs(daily, _parts(sheet, names), len(names) or 1)
    chart = Chart(
        title=_("Cost of each day"),
        about=_about(daily),
        bars=tuple(_bar(run, names, months=len(daily) >= 300) for run in found),
    )
    if not charts.installed():
        return Drawn(drawing=bars.svg(chart), legend=())
    return Drawn(drawing=charts.svg(chart), legend=tuple(enumerate(names)))


def _names(sheet: Sheet) -> tuple[str, ...]:
    """What the colours stand for: what cost most, then the rest. Empty where it is one thing."""
    key = key_of(sheet.report.by)
    ranked = _ranked(sheet, key)
    if len(ranked) < 2:
        return ()
    named = tuple(summary.short(tables.key_text(key, name)) for name in ranked[:MOST_PARTS])
    return (*named, _("all others")) if len(ranked) > MOST_PARTS else named


def _ranked(sheet: Sheet, key: str) -> list[str]:
    costs = sums(sheet.by_day, key) if key else {}
    return sorted((name for name in costs if costs[name]), key=lambda name: (-costs[name], name))


def _parts(sheet: Sheet, names: Sequence[str]) -> dict[str, list[int]]:
    """Pico-dollars of each part, by day."""
    if not names:
        return {f"{day}": [pico] for day, pico in sheet.daily}
    key = key_of(sheet.report.by)
    place = {name: min(i, MOST_PARTS) for i, name in enumerate(_ranked(sheet, key))}
    found: dict[str, list[int]] = {}
    for group in sheet.by_day:
        if group.amounts.pico:
            parts = found.setdefault(group.keys["day"], [0] * len(names))
            parts[place[group.keys[key]]] += group.amounts.pico
    return found


def _runs(daily: Series, parts: dict[str, list[int]], width: int) -> list[_Run]:
    step = max(1, -(-len(daily) // MOST_BARS))
    days = [f"{day}" for day, _pico in daily]
    nothing = [0] * width
    return [
        _Run(
            first=some[0],
            last=some[-1],
            days=len(some),
            picos=tuple(map(sum, zip(*(parts.get(day, nothing) for day in some), strict=True))),
        )
        for some in (days[i : i + step] for i in range(0, len(days), step))
    ]


def _bar(run: _Run, names: Sequence[str], *, months: bool) -> Bar:
    """As high as one of its days, so that a run of fewer days is no lower."""
    return Bar(
        label=run.first[:7] if months else run.first[5:],
        text=f"{run.title}: ${summary.people(sum(run.picos))}",
        parts=tuple(
            Part(
                float(money.usd(pico)) / run.days,
                f"{run.title}{f', {names[i]}' if names else ''}: ${summary.people(pico)}",
            )
            for i, pico in enumerate(run.picos)
        ),
    )


def _about(daily: Series) -> str:
    day, highest = max(daily, key=lambda item: (item[1], item[0]))
    return _("{first} to {last}, highest ${cost} on {day}").format(
        first=daily[0][0], last=daily[-1][0], cost=summary.people(highest), day=day
    )
