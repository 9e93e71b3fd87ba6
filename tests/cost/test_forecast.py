"""The forecast: its methods by hand, its choice by back-test, its refusals."""

import itertools
from collections.abc import Sequence
from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from sdlc_cli.cost import methods
from sdlc_cli.cost.forecast import Forecast, forecast, known_days
from sdlc_cli.cost.model import PICO, Series

MONDAY = date(2026, 6, 1)


def days(dollars: Sequence[float], start: date = MONDAY) -> Series:
    return tuple((start + timedelta(days=i), round(d * PICO)) for i, d in enumerate(dollars))


def expected(result: Forecast) -> list[float]:
    return [round(day.pico / PICO, 6) for day in result.days]


# Fourteen days: a week of 1..7, then a week of 11..17.
TWO_WEEKS = np.array([*range(1, 8), *range(11, 18)], dtype=np.float64)


@pytest.mark.parametrize(
    ("method", "after"),
    [
        pytest.param("last-week", [11, 12, 13, 14, 15, 16, 17, 11], id="the last week again"),
        pytest.param("weekday-mean", [6, 7, 8, 9, 10, 11, 12, 6], id="(1 + 11) / 2 and so on"),
        pytest.param("mean-7", [14] * 8, id="the mean of 11..17"),
        pytest.param("mean-28", [9] * 8, id="of fewer days than it wants: all fourteen"),
        pytest.param("drift", [17 + 16 / 13 * h for h in range(1, 9)], id="16 up in 13 days"),
    ],
)
def test_a_method_continues_a_series_as_worked_out_by_hand(method: str, after: list[float]) -> None:
    (path,) = methods.METHODS[method](TWO_WEEKS, np.array([14]), 8)

    assert path == pytest.approx(after)


def test_the_damped_trend_smooths_as_its_definition_says() -> None:
    values = np.array([10, 12, 11, 15, 14, 18, 17, 21, 20, 24, 23, 27], dtype=np.float64)
    best: tuple[float, list[float]] = (np.inf, [])
    for alpha, beta, phi in zip(*methods._grid(), strict=True):
        level, trend, squares = values[0], 0.0, 0.0
        for day, value in enumerate(values[1:], 1):
            before = level
            error = value - (level + phi * trend)
            squares += error**2 if day >= methods.WARM_UP else 0
            level = alpha * value + (1 - alpha) * (before + phi * trend)
            trend = beta * (level - before) + (1 - beta) * phi * trend
        path = [level + trend * sum(phi**i for i in range(1, h + 1)) for h in (1, 2, 3)]
        best = min(best, (squares, path))

    (path,) = methods.damped_trend(values, np.array([12]), 3)

    assert path.tolist() == pytest.approx(best[1])


@settings(deadline=None, max_examples=30)
@given(
    st.lists(st.floats(0, 100), min_size=22, max_size=40),
    st.integers(min_value=14, max_value=21),
    st.integers(min_value=1, max_value=20),
)
@pytest.mark.parametrize("method", methods.METHODS)
def test_no_method_looks_at_days_after_its_origin(
    method: str, dollars: list[float], origin: int, horizon: int
) -> None:
    values = np.array(dollars)
    changed = np.concatenate([values[:origin], values[origin:] * 3 + 7])
    ask = np.array([origin])

    assert (
        methods.METHODS[method](values, ask, horizon).tolist()
        == methods.METHODS[method](changed, ask, horizon).tolist()
        == methods.METHODS[method](values[:origin], ask, horizon).tolist()
    )


def test_a_weekly_pattern_is_found_and_its_past_error_is_none() -> None:
    result = forecast(days([10, 10, 10, 10, 10, 2, 1] * 6), 9)

    assert result.method in ("weekday-mean", "last-week")
    assert expected(result) == [10, 10, 10, 10, 10, 2, 1, 10, 10]
    assert result.trials[0].error_share == 0
    assert result.trials[0].mase is None  # the week before was always right: nothing to scale by
    assert result.total is not None
    assert result.total.pico == 73 * PICO
    assert result.total.within_95.low == result.total.within_95.high == 73 * PICO


def test_steady_growth_is_continued() -> None:
    result = forecast(days([100 + 3 * i for i in range(60)]), 10)

    assert result.method == "drift"
    assert expected(result) == [100 + 3 * i for i in range(60, 70)]


def test_noise_around_a_level_is_forecast_by_a_mean() -> None:
    dice = np.random.default_rng(5)

    result = forecast(days(np.maximum(0, 50 + 10 * dice.standard_normal(120)).tolist()), 14)

    assert result.method in ("mean-28", "damped-trend", "weekday-mean")
    assert all(40 < value < 60 for value in expected(result))
    assert result.trials[0].mase is not None
    assert result.trials[0].mase < 1
    assert result.trials[0].error_share == pytest.approx(0.16, abs=0.05)  # 10 * sqrt(2/pi) / 50


def test_the_best_method_of_the_past_stands_first_and_all_were_tested_on_the_same_days() -> None:
    dice = np.random.default_rng(9)
    result = forecast(days((20 + 5 * dice.random(50)).tolist()), 7)

    shares = [trial.error_share or 0 for trial in result.trials]
    assert shares == sorted(shares)
    assert {trial.method for trial in result.trials} == set(methods.METHODS)
    # 50 - 14 = 36 origins; the last 6 see less than 7 days: 36 * 7 - (1 + 2 + 3 + 4 + 5 + 6)
    assert {trial.forecasts for trial in result.trials} == {231}


def test_the_intervals_hold_about_as_many_truths_as_they_say() -> None:
    dice = np.random.default_rng(11)
    inside = {80: 0, 95: 0}
    total_inside = rounds = 0
    for _ in range(40):
        dollars = np.maximum(0, 30 + 6 * dice.standard_normal(97))
        result = forecast(days(dollars[:90].tolist()), 7)
        assert result.total is not None
        rounds += 1
        for day, truth in zip(result.days, dollars[90:], strict=True):
            for level, within in ((80, day.within_80), (95, day.within_95)):
                assert within.low is not None
                assert within.high is not None
                inside[level] += within.low <= truth * PICO <= within.high
        low, high = result.total.within_95.low, result.total.within_95.high
        assert low is not None
        assert high is not None
        total_inside += low <= dollars[90:].sum() * PICO <= high

    assert 0.74 <= inside[80] / (7 * rounds) <= 0.92
    assert 0.90 <= inside[95] / (7 * rounds) <= 1
    assert total_inside >= 34


def test_an_interval_is_left_open_where_too_little_was_tested() -> None:
    result = forecast(days([5 + i % 3 for i in range(25)]), 3)

    # One day ahead was tested 25 - 14 = 11 times; 95 % needs 19 errors, 80 % needs 4.
    assert all(day.within_95.high is None for day in result.days)
    assert all(day.within_80.high is not None for day in result.days)


def test_intervals_grow_with_the_distance_and_beyond_what_was_tested() -> None:
    dice = np.random.default_rng(3)
    result = forecast(days((10 + 3 * dice.random(40)).tolist()), 40)

    widths = [(d.within_80.high or 0) - d.pico for d in result.days]
    assert all(after >= before - 1 for before, after in itertools.pairwise(widths))
    assert widths[-1] > widths[22]  # 40 - 14 - 4 + 1 = 23 days ahead were tested often enough


@pytest.mark.parametrize(("known", "ahead"), [(0, 1), (1, 1), (20, 7), (29, 30)])
def test_too_short_a_history_gives_no_forecast_but_a_reason(known: int, ahead: int) -> None:
    result = forecast(days([1.0] * known), ahead)

    assert result.status == "unknown"
    assert result.days == ()
    assert result.total is None
    assert str(known) in str(result.reason)


def test_nothing_spent_is_forecast_as_nothing() -> None:
    result = forecast(days([0.0] * 30), 5)

    assert expected(result) == [0] * 5
    assert result.trials[0].error_share is None


def test_a_forecast_of_no_day_is_refused() -> None:
    with pytest.raises(ValueError, match="one day"):
        forecast(days([1.0] * 30), 0)


def test_today_is_not_over_and_does_not_count() -> None:
    series = days([10.0] * 30 + [0.5])

    result = forecast(series, 2, today=MONDAY + timedelta(days=30))

    assert result.until == MONDAY + timedelta(days=29)
    assert [day.day for day in result.days] == [MONDAY + timedelta(days=d) for d in (30, 31)]
    assert expected(result) == [10, 10]


GAP = tuple((MONDAY + timedelta(days=d), d * PICO) for d in (1, 2, 5, 6))


@pytest.mark.parametrize(
    ("covered", "first", "dollars"),
    [
        pytest.param([], 5, [5, 6], id="nothing says the gap was quiet"),
        pytest.param([(0, 10)], 1, [1, 2, 0, 0, 5, 6, 0, 0, 0], id="the logs hold the gap"),
        pytest.param([(4, 6)], 4, [0, 5, 6], id="a part of the gap"),
        pytest.param([(0, 2), (5, 7)], 5, [5, 6, 0], id="two stretches"),
        pytest.param([(8, 9)], 8, [0, 0], id="only days after the last call"),
    ],
)
def test_a_missing_day_is_zero_only_where_the_logs_hold_it(
    covered: list[tuple[int, int]], first: int, dollars: list[int]
) -> None:
    stretches = [(MONDAY + timedelta(days=a), MONDAY + timedelta(days=b)) for a, b in covered]

    since, found = known_days(GAP, today=MONDAY + timedelta(days=10), covered=stretches)

    assert since == MONDAY + timedelta(days=first)
    assert found == [d * PICO for d in dollars]


@settings(deadline=None, max_examples=40)
@given(st.lists(st.integers(0, 10**18), min_size=21, max_size=45), st.integers(1, 21))
def test_expected_money_is_never_negative_and_lies_in_its_interval(
    picos: list[int], ahead: int
) -> None:
    series = tuple((MONDAY + timedelta(days=i), pico) for i, pico in enumerate(picos))

    result = forecast(series, ahead)

    assume(result.status == "ok")
    assert len(result.days) == ahead
    for day in (*result.days, result.total):
        assert day is not None
        assert day.pico >= 0
        for within in (day.within_80, day.within_95):
            if within.low is not None and within.high is not None:
                assert 0 <= within.low <= day.pico <= within.high


def test_a_few_days_of_calls_in_many_quiet_ones_give_no_forecast() -> None:
    quiet = [0.0] * 584

    result = forecast(days([0.02, *quiet, 0.03]), 30)

    assert result.status == "unknown"
    assert "of the last 180 days 1 had any" in str(result.reason)


def test_calls_of_unknown_cost_alone_give_no_forecast_of_nothing() -> None:
    result = forecast(days([0.0] * 40), 5, uncertain=400)

    assert result.status == "unknown"
    assert "400 calls" in str(result.reason)


def test_an_interval_is_no_narrower_than_the_mean_of_its_tested_errors() -> None:
    # A large job once a month: most days' errors are 0, and the few large ones are what counts.
    dollars = [100.0 if i % 11 == 0 else 0.0 for i in range(170)]

    result = forecast(days(dollars), 30)

    assert result.total is not None
    error = (result.trials[0].error_share or 0) * sum(dollars) / len(dollars)
    for day in result.days:
        for within in (day.within_80, day.within_95):
            assert within.high is not None
            assert within.high - day.pico >= 0.5 * error * PICO
    assert (result.total.within_95.high or 0) > result.total.pico


def test_weeks_hold_the_same_days_and_money() -> None:
    dice = np.random.default_rng(4)
    result = forecast(days((10 + 3 * dice.random(61)).tolist()), 30)  # ends on a Friday

    assert [(week.day, week.days) for week in result.weeks] == [
        (date(2026, 8, 1), 2),
        (date(2026, 8, 3), 7),
        (date(2026, 8, 10), 7),
        (date(2026, 8, 17), 7),
        (date(2026, 8, 24), 7),
    ]
    assert result.total is not None
    assert sum(week.pico for week in result.weeks) == result.total.pico
    for week in result.weeks:
        assert week.within_80.low is not None
        assert week.within_80.high is not None
        assert week.within_80.low < week.pico < week.within_80.high
