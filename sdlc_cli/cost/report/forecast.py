"""Forecast -> tables, sentences, JSON."""

from sdlc_cli.core import money
from sdlc_cli.core.i18n import Message, _, local, msg
from sdlc_cli.core.table import Cell, Column, Table
from sdlc_cli.cost.forecast import Expected, Forecast, Interval, Trial

SCHEMA_VERSION = 1

_NAMES = {
    "mean-28": msg("mean of the last 28 days"),
    "mean-7": msg("mean of the last 7 days"),
    "weekday-mean": msg("mean of the last four same weekdays"),
    "last-week": msg("as a week before"),
    "damped-trend": msg("exponential smoothing with a fading trend"),
    "drift": msg("the line from the first day through the last"),
}


def tables(result: Forecast) -> tuple[Table, ...]:
    """The days to come, then how each method did on the past; nothing of an unknown forecast."""
    if result.total is None:
        return ()
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


def notes(result: Forecast) -> tuple[Message, ...]:
    """The method, its past error and what the intervals are."""
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
    decimals = money.decimals(day.pico for day in result.days)
    titles = {
        "expected_usd": _("Expected $"),
        "low_80_usd": _("80 % from $"),
        "high_80_usd": _("80 % to $"),
        "low_95_usd": _("95 % from $"),
        "high_95_usd": _("95 % to $"),
    }
    columns = [Column(key="day", title=_("Day"))]
    columns += [
        Column(key=key, title=title, kind="number", decimals=decimals)
        for key, title in titles.items()
    ]
    rows = [_row(day.day.isoformat() if day.day else "", day) for day in result.days]
    return Table(columns=tuple(columns), rows=(*rows, _row(_("Total"), total)))


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
