"""Budgets: what is spent of each, who spent it, and the day it breaks if nothing changes."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from decimal import Decimal
from typing import Literal

from sdlc_cli.core import money, when
from sdlc_cli.core.i18n import Message, msg
from sdlc_cli.cost.model import Amounts, Group, Series, Where
from sdlc_cli.cost.options import Budget
from sdlc_cli.cost.zones import zone

BudgetStatus = Literal["ok", "warn", "will_break", "broken", "unknown"]
Basis = Literal["", "forecast", "rate"]

RATE_DAYS = 7  # a week, so that weekends weigh as they come
MOST_SPENDERS = 3  # of each kind
MOST_DAYS_AHEAD = 36_525  # a budget that lasts a century does not break

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """The period that is under way at `now`. Days are those of the time zone, moments are UTC."""

    now: datetime
    today: date
    first: date | None  # None: from the first call on
    after: date | None  # the first day that no longer belongs to it; None: it never ends
    since: datetime | None
    until: datetime | None
    zone: tzinfo

    @property
    def days_left(self) -> int | None:
        """Days of the period from today on, today included: as many as a forecast has to tell."""
        return None if self.after is None else (self.after - self.today).days


@dataclass(frozen=True, slots=True, kw_only=True)
class Spender:
    """Who spent how many pico-dollars. `key` is user, model, project …"""

    key: str
    name: str
    pico: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """How the period ends if nothing changes. `breaks_on` is None where it lasts."""

    basis: Basis
    expected_pico: int | None  # spent by the period's end; None where it never ends
    breaks_on: date | None


@dataclass(frozen=True, slots=True, kw_only=True)
class BudgetState:
    """One budget in its present period. Money in pico-dollars."""

    budget: Budget
    window: Window
    status: BudgetStatus
    reason: Message | None  # why the status is unknown, or what makes it will_break
    calls: int  # of the period; sums of an export may tell tokens without calls
    seen: bool  # whether the logs tell of any call or token in the period
    spent_pico: int
    at_most_pico: int | None  # with calls of unknown cost at their dearest; None: no bound
    uncertain_calls: int  # unpriced, or of unknown usage
    limit_pico: int
    rate_pico: int | None  # a day, over the last week or what is known of it
    broke_on: date | None
    outlook: Outlook
    spenders: tuple[Spender, ...]

    @property
    def share(self) -> Decimal | None:
        """Spent / limit; None where the limit is nothing."""
        return Decimal(self.spent_pico) / Decimal(self.limit_pico) if self.limit_pico else None


def window(budget: Budget, now: datetime, timezone: str) -> Window:
    """The period of `budget` at `now`: the moment up to which the logs tell of calls.

    Raises `zones.UnknownZone`, and ValueError for a `now` without an offset.
    """
    place = zone(timezone)
    today = when.local_day(now, place)
    first, after = when.first_day(today, budget.period), when.next_first_day(today, budget.period)
    return Window(
        now=now.astimezone(UTC),
        today=today,
        first=first,
        after=after,
        since=None if first is None else when.begin(first, place),
        until=None if after is None else when.begin(after, place),
        zone=place,
    )


def where(budget: Budget, within: Window | None = None) -> Where:
    """The calls that count towards `budget`: those of the period `within`, else of all times."""
    return Where(
        since=within.since if within else None,
        until=within.until if within else None,
        project=budget.project,
        team=budget.team,
        user=budget.user,
        model=budget.model,
        provider=budget.provider,
        tag=next(iter(budget.tag.items()), None),
    )


def judge(
    budget: Budget,
    within: Window,
    spent: Amounts,
    daily: Series,
    *,
    spenders: Iterable[Group] = (),
    ahead: bool = False,
    expected: Series | None = None,
) -> BudgetState:
    """How `budget` stands.

    `spent`: `usage.report(by=(), where=where(budget, within)).totals`. `daily`:
    `usage.series(where(budget), timezone)`, of all times: the rate looks back over the period's
    start. `spenders`: `usage.slices(by=("user",), where=where(budget, within))` and the same by
    model. With `ahead` a budget that is going to break counts as such: by `expected`
    (`forecast(daily, within.days_left, today=within.today).series`) where it reaches the period's
    end, else by the rate of the last week.

    A budget breaks when more than its limit is spent, not when exactly that is.
    """
    limit = money.pico(budget.limit_usd)
    rate = _rate(daily, within)
    outlook = _outlook(spent.pico, limit, rate, daily, within, expected if ahead else None)
    status, reason = _status(budget, limit, spent, daily, outlook, ahead)
    return BudgetState(
        budget=budget,
        window=within,
        status=status,
        reason=reason,
        calls=spent.calls,
        seen=spent.calls > 0 or any(spent.tokens.values()),
        spent_pico=spent.pico,
        at_most_pico=spent.at_most_pico if _uncertain(spent) else spent.pico,
        uncertain_calls=_uncertain(spent),
        limit_pico=limit,
        rate_pico=rate,
        broke_on=_broke_on(limit, daily, within) if spent.pico > limit else None,
        outlook=outlook,
        spenders=_top(spenders),
    )


def exit_code(states: Sequence[BudgetState]) -> int:
    """1 when a budget is broken or going to break, 3 when one cannot be judged.

    4 without any, and where no call of the logs lies in the present period of any: logs that end
    before it began are no proof that nothing was spent.
    """
    found = {state.status for state in states}
    if found & {"broken", "will_break"}:
        return 1
    if "unknown" in found:
        return 3
    return 0 if any(state.seen for state in states) else 4


def _uncertain(spent: Amounts) -> int:
    return spent.unknown_calls + spent.unpriced_calls


def _status(
    budget: Budget, limit: int, spent: Amounts, daily: Series, outlook: Outlook, ahead: bool
) -> tuple[BudgetStatus, Message | None]:
    if spent.pico > limit:
        return "broken", None
    if not spent.calls and not daily:
        return "unknown", msg("no call ever matched this budget: check its conditions")
    if ahead and outlook.breaks_on:
        return "will_break", _why_it_will(outlook)
    if _uncertain(spent) and (spent.at_most_pico is None or spent.at_most_pico > limit):
        return "unknown", _why_unknown(spent)
    if ahead and not outlook.basis:
        return "unknown", msg("too little is known to tell whether it will break")
    return ("warn" if spent.pico >= budget.warn_at * limit else "ok"), None


def _why_unknown(spent: Amounts) -> Message:
    if spent.at_most_pico is None:
        return msg(
            "calls of unknown cost ({n}) may have broken it: declare their prices",
            n=_uncertain(spent),
        )
    return msg(
        "calls of unknown cost ({n}) may have broken it: at most ${most} is spent",
        n=_uncertain(spent),
        most=money.shown(spent.at_most_pico),
    )


def _why_it_will(outlook: Outlook) -> Message:
    if outlook.basis == "forecast":
        return msg("by the forecast it breaks on {day}", day=outlook.breaks_on)
    return msg("at the rate of the last week it breaks on {day}", day=outlook.breaks_on)


def _rate(daily: Series, within: Window) -> int | None:
    """Pico-dollars a day over the last week, or since the log's first day; None below an hour."""
    known = [day for day, _ in daily if day <= within.today]
    if not known:
        return None
    first = max(min(known), within.today - (RATE_DAYS - 1) * _DAY)
    elapsed = within.now - when.begin(first, within.zone)
    if elapsed < timedelta(hours=1):
        return None
    spent = sum(pico for day, pico in daily if first <= day <= within.today)
    return spent * (_DAY // timedelta(microseconds=1)) // (elapsed // timedelta(microseconds=1))


def _outlook(
    spent: int, limit: int, rate: int | None, daily: Series, within: Window, expected: Series | None
) -> Outlook:
    if expected is not None:
        coming = {day: pico for day, pico in expected if day >= within.today}
        if _reaches_the_end(coming, within):
            return _by_forecast(spent, limit, coming, daily, within)
    if rate is None:
        return Outlook(basis="", expected_pico=None, breaks_on=None)
    return _by_rate(spent, limit, rate, within)


def _reaches_the_end(coming: Mapping[date, int], within: Window) -> bool:
    if within.after is None:
        return bool(coming)
    return all(within.today + i * _DAY in coming for i in range(within.days_left or 0))


def _by_forecast(
    spent: int, limit: int, coming: Mapping[date, int], daily: Series, within: Window
) -> Outlook:
    """Today's forecast is of the whole day: what is spent of it already is taken off."""
    today = sum(pico for day, pico in daily if day == within.today)
    total, breaks_on = spent, None
    for day in sorted(coming):
        if within.after is not None and day >= within.after:
            break
        total += max(0, coming[day] - today) if day == within.today else coming[day]
        if breaks_on is None and total > limit:
            breaks_on = day
    return Outlook(
        basis="forecast",
        expected_pico=None if within.after is None else total,
        breaks_on=breaks_on,
    )


def _by_rate(spent: int, limit: int, rate: int, within: Window) -> Outlook:
    micro = timedelta(microseconds=1)
    expected = None
    if within.until is not None:
        left = max(timedelta(0), within.until - within.now)
        expected = spent + rate * (left // micro) // (_DAY // micro)
    breaks_on = None
    room = limit - spent
    if room >= 0 and rate and room < rate * MOST_DAYS_AHEAD:
        moment = within.now + (room * (_DAY // micro) // rate) * micro
        if within.until is None or moment < within.until:
            breaks_on = when.local_day(moment, within.zone)
    return Outlook(basis="rate", expected_pico=expected, breaks_on=breaks_on)


def _broke_on(limit: int, daily: Series, within: Window) -> date | None:
    total = 0
    for day, pico in sorted(daily):
        if (within.first is None or day >= within.first) and day <= within.today:
            total += pico
            if total > limit:
                return day
    return None


def _top(groups: Iterable[Group]) -> tuple[Spender, ...]:
    """Of each key the ones who spent most; groups of several keys or of no name say nothing."""
    found: dict[str, list[Spender]] = {}
    for group in groups:
        if len(group.keys) == 1 and group.amounts.pico:
            ((key, name),) = group.keys.items()
            found.setdefault(key, []).append(Spender(key=key, name=name, pico=group.amounts.pico))
    return tuple(
        spender
        for among in found.values()
        for spender in sorted(among, key=lambda one: (-one.pico, one.name))[:MOST_SPENDERS]
    )
