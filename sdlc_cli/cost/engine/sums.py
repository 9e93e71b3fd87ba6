"""Sums of a ledger -> money: the answers of the one query, from rows that are summed already.

A test holds every figure against the query over the same calls.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from fnmatch import fnmatchcase
from typing import Any

from sdlc_cli.core.errors import UsageError
from sdlc_cli.core.i18n import msg
from sdlc_cli.core.nearest import nearest
from sdlc_cli.cost.engine import clock
from sdlc_cli.cost.engine.bounds import UNPRICED, Prices, ceilings, unknown
from sdlc_cli.cost.model import (
    COUNTS,
    INPUTS,
    OUTPUTS,
    Amounts,
    Group,
    Price,
    Rate,
    Series,
    Unpriced,
)
from sdlc_cli.cost.store.rollup import CACHED, FAILED, KEYS, PAID, SUMS, TIMELESS, UNKNOWN, Cuts

BY = ("day", "week", "month", "model", "provider", "tier", "project", "team")
OWNERS = frozenset(("project", "team"))
_TIMES = ("day", "week", "month")
_COLUMNS = (*KEYS, *SUMS)
_DAY = 86_400_000_000
_MINUTE = 60_000_000

Record = Sequence[Any]  # the columns KEYS and SUMS


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """Sums with one price and one rate. `keys` and `sums` are of the columns KEYS and SUMS."""

    keys: Mapping[str, Any]
    sums: Mapping[str, Any]
    price: Price
    rate: int  # its place in the price, `UNPRICED` for none
    pico: int
    at_most: int | None


class Pricer:
    """Prices sums. One of each price is remembered."""

    def __init__(self, prices: Prices, cuts: Cuts) -> None:
        self._prices = prices
        self._cuts = cuts
        self._rates: dict[tuple[str, str, str, int, int, int], tuple[Price, int]] = {}

    def line(self, record: Record) -> Line:
        """The money of one row."""
        row = dict(zip(_COLUMNS, record, strict=True))
        price, place = self._rate(row)
        pico = _pico(row["kind"], row, price, place)
        certain = row["kind"] == PAID and place != UNPRICED
        return Line(
            keys=row,
            sums=row,
            price=price,
            rate=place,
            pico=pico,
            at_most=pico if certain else _at_most(row["kind"], row, price, place),
        )

    def parted(self, names: tuple[str, str, str]) -> bool:
        """Whether the price of a model changes with the time or with the size of the input."""
        return len(self._prices.price(*names).rates) > 1

    def _rate(self, row: Mapping[str, Any]) -> tuple[Price, int]:
        names = (row["provider"], row["model"], row["tier"])
        key = (*names, row["utc"], row["minutes"], row["size"])
        found = self._rates.get(key)
        if found is None:
            price = self._prices.price(*names)
            place = _chosen(price.rates, row["utc"], row["minutes"], row["size"], self._cuts)
            if len(self._rates) > 100_000:
                self._rates.clear()
            found = self._rates[key] = (price, place)
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which sums a question is about. `projects` are all that may be seen, None for every one."""

    project: str = ""
    team: str = ""
    model: str = ""  # a glob over the canonical name
    provider: str = ""
    projects: frozenset[str] | None = None

    @property
    def owners(self) -> bool:
        """Whether it depends on who owns a call."""
        return bool(self.project or self.team or self.projects is not None)

    def fits(self, line: Line) -> bool:
        """Whether the question is about this line."""
        keys = line.keys
        return (
            (not self.project or keys["project"] == self.project)
            and (not self.team or keys["team"] == self.team)
            and (self.projects is None or keys["project"] in self.projects)
            and (not self.provider or line.price.provider == self.provider)
            and (not self.model or fnmatchcase(line.price.model, self.model))
        )


@dataclass(slots=True, kw_only=True)
class Answer:
    """What the sums say."""

    by: tuple[str, ...]
    groups: tuple[Group, ...] = ()
    totals: Amounts = field(default_factory=Amounts)
    unattributed: Amounts = field(default_factory=Amounts)
    unpriced: tuple[Unpriced, ...] = ()
    price_sources: Mapping[str, int] = field(default_factory=dict)
    days: tuple[int, int] | None = None  # the first and the last day that a call is in


def check_by(by: Iterable[str]) -> None:
    """Raises UsageError for a group that sums do not have."""
    for name in by:
        if name not in BY:
            close = nearest(name, BY)
            raise UsageError(
                msg("sums cannot be grouped by '{name}'", name=name),
                hint=msg("did you mean '{nearest}'?", nearest=close) if close else "",
            )


def answer(lines: Iterable[Line], by: Sequence[str]) -> Answer:
    """The lines by the groups asked for."""
    check_by(by)
    groups: dict[tuple[str, ...], list[Line]] = {}
    every: list[Line] = []
    for line in lines:
        groups.setdefault(tuple(_label(name, line) for name in by), []).append(line)
        every.append(line)
    days = [line.keys["day"] for line in every if line.keys["day"] != TIMELESS]
    return Answer(
        by=tuple(by),
        groups=tuple(
            Group(keys=dict(zip(by, keys, strict=True)), amounts=amounts(group))
            for keys, group in sorted(groups.items())
        ),
        totals=amounts(every),
        unattributed=amounts(
            [one for one in every if not one.keys["project"] and not one.keys["team"]]
        ),
        unpriced=_unpriced(every),
        price_sources=_sources(every),
        days=(min(days), max(days)) if days else None,
    )


def amounts(lines: Sequence[Line]) -> Amounts:
    """The figures of some lines."""

    calls: Counter[int] = Counter()
    tokens: Counter[str] = Counter()
    pico = at_most = unpriced = timeless = 0
    bounded = True
    for line in lines:
        row, kind = line.sums, line.keys["kind"]
        calls[kind] += row["calls"]
        pico += line.pico
        if line.at_most is None:
            bounded = False
        else:
            at_most += line.at_most
        if line.keys["utc"] == TIMELESS:
            timeless += row["calls"]
        if kind == PAID:
            unpriced += row["calls"] if line.rate == UNPRICED else 0
            for name in COUNTS:
                if row[name]:
                    tokens[name] += row[name]
    return Amounts(
        calls=sum(calls.values()),
        tokens={name: tokens[name] for name in COUNTS},
        pico=pico,
        at_most_pico=at_most if bounded else None,
        cached_calls=calls[CACHED],
        failed_calls=calls[FAILED],
        unknown_calls=calls[UNKNOWN],
        unpriced_calls=unpriced,
        timeless_calls=timeless,
    )


def series(lines: Iterable[Line]) -> Series:
    """What each day from the first to the last cost, in pico-dollars."""
    costs: Counter[int] = Counter()
    for line in lines:
        if line.keys["day"] != TIMELESS:
            costs[line.keys["day"]] += line.pico
    if not costs:
        return ()
    epoch = date(1970, 1, 1)
    return tuple(
        (epoch + timedelta(days=day), costs[day]) for day in range(min(costs), max(costs) + 1)
    )


def _chosen(rates: Sequence[Rate], utc: int, minutes: int, size: int, cuts: Cuts) -> int:
    """The place of the rate that holds, as `pricing.seg` chooses it."""
    order = sorted(range(len(rates)), key=lambda place: -rates[place].above)
    large = {0, *cuts.sizes[:size]}
    if utc == TIMELESS:
        starts = [clock.micros(rate.since) if rate.since else -1 for rate in rates]
        for place in order:
            if starts[place] == max(starts) and rates[place].above in large:
                return place
        return UNPRICED
    minute = cuts.minutes[minutes - 1] if minutes else 0
    ts = utc * _DAY + minute * _MINUTE
    for place in order:
        if rates[place].above in large and _holds(rates[place], ts, minute):
            return place
    return UNPRICED


def _holds(rate: Rate, ts: int, minute: int) -> bool:
    if rate.since and ts < clock.micros(rate.since):
        return False
    if rate.until and ts >= clock.micros(rate.until):
        return False
    if rate.hours:
        first, last = rate.hours
        if first < last:
            return first <= minute < last
        return minute >= first or minute < last
    return True


def _pico(kind: int, sums: Mapping[str, int], price: Price, place: int) -> int:
    if kind != PAID or place == UNPRICED:
        return 0
    rate = price.rates[place]
    tokens = sum(sums[name] * rate.per_unit.get(name, 0) for name in COUNTS if sums[name])
    return sums["calls"] * rate.request + tokens


def _at_most(kind: int, sums: Mapping[str, int], price: Price, place: int) -> int | None:
    """What calls without a certain price cost at most; None where there is no bound."""
    if kind in (CACHED, FAILED):
        return 0
    ceiling = ceilings(price)
    if kind == PAID:
        used = [name for name in COUNTS if sums[name]]
        if any(name not in ceiling for name in used):
            return None
        tokens = sum(sums[name] * ceiling[name] for name in used)
        return sums["calls"] * ceiling.get("request", 0) + tokens
    rate = price.rates[place] if place != UNPRICED else None
    whole, unit, most = unknown(price, rate, ceiling)
    unlimited = sums["calls"] - sums["limited"] if sums["records"] != sums["limited"] else 0
    if whole is None or unit is None or (unlimited and most is None):
        return None
    return sums["calls"] * whole + (sums["max_output"] + unlimited * (most or 0)) * unit


def _label(name: str, line: Line) -> str:
    if name in _TIMES:
        day = line.keys["day"]
        return clock.label(name, None if day == TIMELESS else day)
    if name == "model":
        return line.price.model or str(line.keys["model"])
    if name == "provider":
        return line.price.provider or str(line.keys["provider"])
    return str(line.keys[name])


def _unpriced(lines: Iterable[Line]) -> tuple[Unpriced, ...]:
    found: dict[tuple[str, str], list[Line]] = {}
    for line in lines:
        if line.keys["kind"] == PAID and line.rate == UNPRICED:
            key = (_label("provider", line), _label("model", line))
            found.setdefault(key, []).append(line)
    listed = []
    for (provider, model), group in found.items():
        figures = amounts(group)
        listed.append(
            Unpriced(
                provider=provider,
                model=model,
                calls=figures.calls,
                input_tokens=sum(figures.tokens[name] for name in INPUTS),
                output_tokens=sum(figures.tokens[name] for name in OUTPUTS),
                at_most_pico=figures.at_most_pico,
                reason=group[0].price.reason or msg("no price is known for it"),
            )
        )
    return tuple(sorted(listed, key=lambda each: (-each.calls, each.provider, each.model)))


def _sources(lines: Iterable[Line]) -> Mapping[str, int]:
    counted: Counter[str] = Counter()
    for line in lines:
        if line.keys["kind"] == PAID and line.rate != UNPRICED:
            counted[line.price.rates[line.rate].source or line.price.source] += line.sums["calls"]
    return dict(counted.most_common())
