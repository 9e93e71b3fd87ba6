"""Forecast -> tables, sentences, JSON."""

from collections.abc import Sequence
from datetime import date, timedelta

from sdlc_cli.core import money
from sdlc_cli.core.i18n import Message, _, local, msg
from sdlc_cli.core.table import Cell, Column, Table
from sdlc_cli.cost.forecast import Expected, Forecast, Interval, Trial

SCHEMA_VERSION = 1
MOST_SINGLE_DAYS = 14
STALE_DAYS = 3  # without a call: a long weekend says nothing

_NAMES = {
    "mean-28": msg("mean of the last 28 days"),
    "mean-7": msg("mean of the last 7 days"),
    "weekday-mean": msg("mean of the last four same weekdays"),
    "last-week": msg("as a week before"),
    "damped-trend": msg("exponential smoothing with a fading trend"),
    "drift": msg("the line from the first day through the last"),
}


def tables(result: Forecast, *, by_week: bool = False) -> tuple[Table, ...]:
    """The days to come, then how each method did on the past; nothing of an unknown forecast.

    With `by_week` more than two weeks are told by the week: the same line thirty times says little.
    """
    if result.total is None:
        return ()
    if by_week and len(result.days) > MOST_SINGLE_DAYS:
        return _weeks(result, result.total), _trials(result)
    return _days(result, result.total), _trials(result)


def headline(result: Forecast) -> Message:
    """The sum expected and between what it should lie, or why nothing is."""
    if result.total is None:
        return result.reason or msg("no forecast")
    days = {"days": len(result.days), "first": result.days[0].day, "last": result.days[-1].day}
    sums = {"cost": money.shown(result.total.pico)}
    for within, level in ((result.total.within_95, 95), (result.total.within_80, 80)):
        if within.low is not None and within.high is not None:
            return msg(
                "{days} days from {first} to {last}: ${cost} expected,"
                " ${low} to ${high} with {level} %",
                **days,
                **sums,
                low=money.shown(within.low),
                high=money.shown(within.high),
                level=level,
            )
    return msg("{days} days from {first} to {last}: ${cost} expected", **days, **sums)


def notes(
    result: Forecast, *, today: date | None = None, uncertain: int = 0
) -> tuple[Message, ...]:
    """The method, its past error, what the intervals are and what the figures lack.

    `today` is the day on which it is asked, `uncertain` the calls whose cost is not known.
    """
    if not result.trials:
        return ()
    best = result.trials[0]
    found = [
        msg(
            "Method: {method}, the best of {n} on the {days} days from {since} to {until}.",
            method=_NAMES[result.method],
            n=len(result.trials),
            days=result.history_days,
            since=result.since,
            until=result.until,
        )
    ]
    if best.error_share is not None:
        found.append(
            msg("Its past forecasts were off by {share} on average.", share=_percent(best))
        )
    found.append(
        msg(
            "The intervals come from the errors of past forecasts. They hold if the days to come"
            " vary as the past did; a new project or model is not foreseen."
        )
    )
    if result.total is not None and result.total.within_95.high is None:
        found.append(msg("Too few forecasts could be tested for an interval of 95 %."))
    if today and result.until and result.until < today - timedelta(days=STALE_DAYS):
        found.append(
            msg(
                "The logs end on {until}: the forecast begins there, {days} days ago.",
                until=result.until,
                days=(today - result.until).days - 1,
            )
        )
    if uncertain:
        found.append(msg("Calls of unknown cost are not in it: {n}.", n=uncertain))
    return tuple(found)


def document(result: Forecast) -> dict[str, object]:
    """The JSON result of `sdlc cost forecast`."""
    return {
        "schema_version": SCHEMA_VERSION,
        "status": result.status,
        "reason": result.reason,
        "method": result.method or None,
        "history": {
            "since": result.since and result.since.isoformat(),
            "until": result.until and result.until.isoformat(),
            "days": result.history_days,
        },
        "days": [{"day": day.day and day.day.isoformat(), **_amounts(day)} for day in result.days],
        "weeks": [
            {"day": week.day and week.day.isoformat(), "days": week.days, **_amounts(week)}
            for week in result.weeks
        ],
        "total": result.total and _amounts(result.total),
        "trials": [
            {
                "method": trial.method,
                "forecasts": trial.forecasts,
                "mase": _rounded(trial.mase),
                "error_share": _rounded(trial.error_share),
            }
            for trial in result.trials
        ],
    }


def _days(result: Forecast, total: Expected) -> Table:
    rows = [_row(day.day.isoformat() if day.day else "", day) for day in result.days]
    return _table(_("Day"), result.days, (*rows, _row(_("Total"), total)))


def _weeks(result: Forecast, total: Expected) -> Table:
    rows = [_row(_stretch(week), week) for week in result.weeks]
    return _table(_("Days"), result.weeks, (*rows, _row(_("Total"), total)))


def _stretch(week: Expected) -> str:
    if week.day is None or week.days == 1:
        return str(week.day or "")
    last = week.day + timedelta(days=week.days - 1)
    return _("{first} to {last}").format(first=week.day, last=last)


def _table(title: str, expected: Sequence[Expected], rows: tuple[tuple[Cell, ...], ...]) -> Table:
    decimals = money.decimals(one.pico for one in expected)
    titles = {
        "expected_usd": _("Expected $"),
        "low_80_usd": _("80 % from $"),
        "high_80_usd": _("80 % to $"),
        "low_95_usd": _("95 % from $"),
        "high_95_usd": _("95 % to $"),
    }
    columns = [Column(key="day", title=title)]
    columns += [
        Column(key=key, title=text, kind="number", decimals=decimals)
        for key, text in titles.items()
    ]
    return Table(columns=tuple(columns), rows=rows)


def _row(name: str, expected: Expected) -> tuple[Cell, ...]:
    bounds = (expected.within_80, expected.within_95)
    picos = [edge for within in bounds for edge in (within.low, within.high)]
    return (name, money.usd(expected.pico), *(p if p is None else money.usd(p) for p in picos))


def _trials(result: Forecast) -> Table:
    columns = (
        Column(key="method", title=_("Method")),
        Column(key="forecasts", title=_("Days tested"), kind="number"),
        Column(key="error_percent", title=_("Past error %"), kind="number", decimals=1),
        Column(key="mase", title=_("MASE"), kind="number", decimals=2),
    )
    rows = tuple(
        (
            local(_NAMES[trial.method]),
            trial.forecasts,
            None if trial.error_share is None else 100 * trial.error_share,
            trial.mase,
        )
        for trial in result.trials
    )
    return Table(title=_("Methods, tested on the past"), columns=columns, rows=rows)


def _amounts(expected: Expected) -> dict[str, object]:
    return {
        "expected_usd": money.text(expected.pico),
        "within_80_usd": _bounds(expected.within_80),
        "within_95_usd": _bounds(expected.within_95),
    }


def _bounds(within: Interval) -> list[str | None] | None:
    return None if within.low is None else [money.text(within.low), money.text(within.high)]


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 6)


def _percent(trial: Trial) -> str:
    return "-" if trial.error_share is None else f"{trial.error_share:.1%}"
