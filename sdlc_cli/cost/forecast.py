"""What the coming days will cost: the method that did best on the past, with its past error."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

import numpy as np

from sdlc_cli.core.i18n import Message, msg
from sdlc_cli.cost.methods import METHODS, WEEK, Floats, Ints
from sdlc_cli.cost.model import PICO, Series

Covered = Sequence[tuple[date, date]]  # first and last day of each stretch that the logs hold

FIRST_ORIGIN = 14  # days a method sees before its first tested forecast: two weeks
LEAST_DAYS = 21  # of history: two weeks to learn from, one to be tested on
LEAST_SPENT = 14  # of these, days that cost anything: from fewer, errors are mostly those of 0
MOST_ORIGINS = 180  # how far back methods are tested: what worked last year need not count
LEVELS = (80, 95)  # per cent


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """Pico-dollars between which the truth should lie; None where too little was tested."""

    low: int | None
    high: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """One day to come, the sum of `days` from `day` on, or of all (`day` None): pico-dollars."""

    day: date | None
    pico: int
    within_80: Interval
    within_95: Interval
    days: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """How a method did on the past. Errors are None where the past gives no measure for them."""

    method: str
    forecasts: int  # days that were forecast and compared
    mase: float | None  # mean absolute error / that of "as a week ago" one step ahead
    error_share: float | None  # sum of absolute errors / sum of what was spent


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """What `sdlc cost forecast` prints. `unknown` has a reason and no days."""

    status: Literal["ok", "unknown"]
    reason: Message | None
    method: str
    since: date | None  # of the days it learnt from
    until: date | None
    history_days: int
    days: tuple[Expected, ...]
    weeks: tuple[Expected, ...]  # the same days from Monday to Sunday; the ends may be shorter
    total: Expected | None
    trials: tuple[Trial, ...]  # best first

    @property
    def series(self) -> Series:
        """The expected days, as `budget.judge` takes them."""
        return tuple((d.day, d.pico) for d in self.days if d.day is not None)


def forecast(
    series: Series,
    days: int,
    *,
    today: date | None = None,
    covered: Covered = (),
    uncertain: int = 0,
) -> Forecast:
    """`forecast(usage.series(where, timezone), 30, today=…)`: the `days` after the last known one.

    `today` and later days are left out: a day that is not over is no measure. A day that `series`
    lacks is zero where `covered` says that the logs hold it; elsewhere the history begins after.
    `uncertain` counts calls that `series` lacks, since their cost is not known.

    The method is chosen by its mean absolute scaled error (Hyndman and Koehler, "Another look at
    measures of forecast accuracy", International Journal of Forecasting 22, 2006) over forecasts
    made at every past day from the days before it (a rolling origin). The intervals are
    quantiles of those forecasts' own errors, the ceil((n + 1) * level)-th of n, as in split
    conformal prediction (Lei et al., JASA 113, 2018), and no narrower than the mean of these
    errors, which a few large ones can lift above the quantile. Neighbouring errors depend on each
    other and the method was chosen on them, so the share of truths inside is not guaranteed.

    Raises ValueError for `days` below 1. A history that is too short, or in whose last
    `MOST_ORIGINS` days too few cost anything, gives `unknown`.
    """
    if days < 1:
        raise ValueError("a forecast is of one day at least")
    since, picos = known_days(series, today=today, covered=covered)
    until = since + timedelta(days=len(picos) - 1) if since and picos else None
    least = max(LEAST_DAYS, days)
    if until is None or len(picos) < least:
        reason = msg(
            "no forecast: it needs {least} days without a gap, and the logs hold {known}",
            least=least,
            known=len(picos),
        )
        return _refused(since, until, len(picos), reason)
    recent = picos[-MOST_ORIGINS:]
    spent = sum(1 for pico in recent if pico)
    if uncertain and not spent:
        reason = msg("no forecast: what the {n} calls in the logs cost is not known", n=uncertain)
        return _refused(since, until, len(picos), reason)
    if 0 < spent < LEAST_SPENT:
        reason = msg(
            "no forecast: it needs {least} days with calls that cost something, and of the last"
            " {days} days {known} had any",
            least=LEAST_SPENT,
            days=len(recent),
            known=spent,
        )
        return _refused(since, until, len(picos), reason)
    values = np.array(picos, dtype=np.float64) / PICO
    tested = {name: _errors(name, values, days) for name in METHODS}
    trials = _trials(tested, values)
    method = trials[0].method
    path = METHODS[method](values, np.array([len(values)], dtype=np.int64), days)[0]
    coming = _days(path, tested[method], until)
    return Forecast(
        status="ok",
        reason=None,
        method=method,
        since=since,
        until=until,
        history_days=len(picos),
        days=coming,
        weeks=_weeks(coming, tested[method]),
        total=_total(coming, tested[method]),
        trials=trials,
    )


def known_days(
    series: Series, *, today: date | None, covered: Covered
) -> tuple[date | None, list[int]]:
    """The first day and the pico-dollars of the last unbroken run of days before `today`."""
    spent = {day: pico for day, pico in series if today is None or day < today}
    if not spent:
        return None, []
    last = max(spent)
    for _, until in covered:
        last = max(last, until if today is None else min(until, today - timedelta(days=1)))
    first, day, found = min(spent), last, []
    while day >= first:
        if day not in spent and not any(since <= day <= until for since, until in covered):
            break
        found.append(spent.get(day, 0))
        day -= timedelta(days=1)
    return (day + timedelta(days=1), found[::-1]) if found else (None, [])


def _refused(since: date | None, until: date | None, known: int, reason: Message) -> Forecast:
    return Forecast(
        status="unknown",
        reason=reason,
        method="",
        since=since,
        until=until,
        history_days=known,
        days=(),
        weeks=(),
        total=None,
        trials=(),
    )


def _errors(name: str, values: Floats, horizon: int) -> Floats:
    """Truth minus forecast: a row for each origin, a column a day ahead, NaN after the last day."""
    count = len(values)
    origins: Ints = np.arange(max(FIRST_ORIGIN, count - MOST_ORIGINS), count, dtype=np.int64)
    places = origins[:, None] + np.arange(horizon)
    truth = np.where(places < count, values[np.minimum(places, count - 1)], np.nan)
    paths: Floats = np.maximum(METHODS[name](values, origins, horizon), 0.0)
    errors: Floats = truth - paths
    return errors


def _trials(tested: Mapping[str, Floats], values: Floats) -> tuple[Trial, ...]:
    scale = float(np.mean(np.abs(values[WEEK:] - values[:-WEEK])))
    found: list[tuple[float, Trial]] = []
    for name, errors in tested.items():
        known = ~np.isnan(errors)
        absolute = np.abs(errors[known])
        mean = float(absolute.mean())
        spent = _spent(values, known)
        trial = Trial(
            method=name,
            forecasts=int(known.sum()),
            mase=mean / scale if scale else None,
            error_share=float(absolute.sum()) / spent if spent else None,
        )
        found.append((mean, trial))
    return tuple(trial for _, trial in sorted(found, key=lambda pair: pair[0]))


def _spent(values: Floats, known: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]) -> float:
    """What was spent on the days compared; a day counts each time it was forecast."""
    first = len(values) - known.shape[0]
    rows, columns = np.nonzero(known)
    return float(values[first + rows + columns].sum())


def _days(path: Floats, errors: Floats, until: date) -> tuple[Expected, ...]:
    widths = {level: _widths(np.abs(errors), level, power=0.5) for level in LEVELS}
    return tuple(
        _expected(
            until + timedelta(days=ahead + 1),
            _pico(max(0.0, float(path[ahead]))),
            {level: widths[level][ahead] for level in LEVELS},
        )
        for ahead in range(len(path))
    )


def _weeks(days: Sequence[Expected], errors: Floats) -> tuple[Expected, ...]:
    found: list[Expected] = []
    first = 0
    for place, day in enumerate(days, 1):
        assert day.day is not None
        if place == len(days) or day.day.isoweekday() == WEEK:
            found.append(_sum(days[first:place], errors[:, first:place], days[first].day))
            first = place
    return tuple(found)


def _total(days: Sequence[Expected], errors: Floats) -> Expected:
    return _sum(days, errors, None)


def _sum(days: Sequence[Expected], errors: Floats, first: date | None) -> Expected:
    """Of several days: from errors of past sums, since errors of days partly cancel.

    Where no past sum could be tested, as many errors as days in a row do not cancel.
    """
    sums: Floats = np.abs(np.cumsum(errors, axis=1))
    widths = {level: _widths(sums, level, power=1.0)[-1] for level in LEVELS}
    for level in LEVELS:
        if widths[level] is None:
            widths[level] = _added([_half(day, level) for day in days])
    return _expected(first, sum(day.pico for day in days), widths, days=len(days))


def _half(day: Expected, level: int) -> float | None:
    """Half the width of a day's interval, in dollars; its lower end may be cut off at 0."""
    high = (day.within_80 if level == LEVELS[0] else day.within_95).high
    return None if high is None else (high - day.pico) / PICO


def _added(widths: Sequence[float | None]) -> float | None:
    known = [width for width in widths if width is not None]
    return sum(known) if len(known) == len(widths) else None


def _widths(absolute: Floats, level: int, power: float) -> list[float | None]:
    """Half the interval's width for each day ahead; None while too few errors are known.

    It never shrinks with the distance. Beyond the distance that was tested often enough it grows
    by `power` of the distance: 0.5 as a random walk's, 1 as a sum whose errors do not cancel.
    """
    widths: list[float | None] = []
    tested = 0
    for ahead in range(absolute.shape[1]):
        column = absolute[:, ahead]
        width = _quantile(np.sort(column[~np.isnan(column)]), level)
        before = widths[tested - 1] if tested else None
        if width is not None:
            tested = ahead + 1
            widths.append(width if before is None else max(width, before))
        elif before is not None:
            widths.append(before * ((ahead + 1) / tested) ** power)
        else:
            widths.append(None)
    return widths


def _quantile(ascending: Floats, level: int) -> float | None:
    place = math.ceil((len(ascending) + 1) * level / 100)
    if place > len(ascending):
        return None
    return max(float(ascending[place - 1]), float(ascending.mean()))


def _expected(
    day: date | None, pico: int, widths: Mapping[int, float | None], days: int = 1
) -> Expected:
    within_80, within_95 = (_interval(pico, widths[level]) for level in LEVELS)
    return Expected(day=day, pico=pico, within_80=within_80, within_95=within_95, days=days)


def _interval(pico: int, width: float | None) -> Interval:
    if width is None:
        return Interval(low=None, high=None)
    return Interval(low=max(0, pico - _pico(width)), high=pico + _pico(width))


def _pico(dollars: float) -> int:
    return round(dollars * PICO)
