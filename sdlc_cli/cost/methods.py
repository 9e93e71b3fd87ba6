"""Ways to continue a series of days, each plain enough to be checked by hand.

A method gets the whole series and several origins, and gives a row for each origin: what it would
have said there about the `horizon` days that follow, from the days before the origin alone.
"""

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Method = Callable[[Floats, Ints, int], Floats]

WEEK = 7
WEEKS = 4  # that the mean of a weekday looks back, where there are as many
WARM_UP = 7  # days whose errors do not choose the smoothing's parameters


def last_week(values: Floats, origins: Ints, horizon: int) -> Floats:
    """Each day is as the same weekday of the last week was (seasonal naive)."""
    return values[_weekdays(origins, horizon)]


def weekday_mean(values: Floats, origins: Ints, horizon: int) -> Floats:
    """Each day is the mean of the last four same weekdays, or of as many as there are."""
    places = _weekdays(origins, horizon)
    total = np.zeros(places.shape)
    count = np.zeros(places.shape)
    for back in range(WEEKS):
        place = places - WEEK * back
        there = place >= 0
        total += np.where(there, values[np.maximum(place, 0)], 0.0)
        count += there
    path: Floats = total / count
    return path


def mean_of(days: int) -> Method:
    """Every day is the mean of the last `days`, or of as many as there are."""

    def mean(values: Floats, origins: Ints, horizon: int) -> Floats:
        sums = np.concatenate([[0.0], np.cumsum(values)])
        first = np.maximum(origins - days, 0)
        level = (sums[origins] - sums[first]) / (origins - first)
        path: Floats = np.repeat(level[:, None], horizon, axis=1)
        return path

    return mean


def drift(values: Floats, origins: Ints, horizon: int) -> Floats:
    """The line from the first day through the last one goes on."""
    last = values[origins - 1]
    slope = (last - values[0]) / np.maximum(origins - 1, 1)
    path: Floats = last[:, None] + slope[:, None] * np.arange(1, horizon + 1)
    return path


def damped_trend(values: Floats, origins: Ints, horizon: int) -> Floats:
    """Exponential smoothing whose trend fades out.

    Gardner and McKenzie, "Forecasting trends in time series", Management Science 31(10), 1985.
    At each origin the parameters are those of a grid whose one-step forecasts of the days before
    had the least squared error. Level begins at the first day, the trend at none.
    """
    alpha, beta, phi = _grid()
    level = np.full(alpha.shape, values[0])
    trend = np.zeros(alpha.shape)
    squares = np.zeros(alpha.shape)
    wanted = set(origins.tolist())
    chosen: dict[int, tuple[float, float, float]] = {}
    for day in range(1, int(origins.max()) + 1):
        if day in wanted:
            best = int(np.argmin(squares))
            chosen[day] = (float(level[best]), float(trend[best]), float(phi[best]))
        if day == len(values):
            break
        error = values[day] - level - phi * trend
        if day >= WARM_UP:
            squares += error * error
        level = level + phi * trend + alpha * error
        trend = phi * trend + alpha * beta * error
    states = np.array([chosen[origin] for origin in origins.tolist()])
    fading = np.cumsum(states[:, 2:3] ** np.arange(1, horizon + 1), axis=1)
    path: Floats = states[:, 0:1] + fading * states[:, 1:2]
    return path


# By name; of two that did equally well, the earlier is taken.
METHODS: Mapping[str, Method] = {
    "mean-28": mean_of(28),
    "mean-7": mean_of(7),
    "weekday-mean": weekday_mean,
    "last-week": last_week,
    "damped-trend": damped_trend,
    "drift": drift,
}


def _weekdays(origins: Ints, horizon: int) -> Ints:
    ahead: Ints = np.arange(horizon, dtype=np.int64) % WEEK
    return origins[:, None] - WEEK + ahead


def _grid() -> tuple[Floats, Floats, Floats]:
    alpha, beta, phi = np.meshgrid(
        [0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 0.9], [0.02, 0.1, 0.2, 0.4], [0.8, 0.9, 0.98]
    )
    return alpha.ravel(), beta.ravel(), phi.ravel()
