"""From single results to what is judged: percentiles, error rates, throughput, recovery."""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

NOT_SENT = "not sent"  # we had too many requests open ourselves
TIMEOUT = "timeout"


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """How one request went, in seconds from the start of its phase.

    `latency` counts from `intended`, when the request was due, to the last byte of the answer:
    a request that had to wait behind a slow one waited too (no coordinated omission). For one
    without an answer it is how long we waited. `lag` is how late we ourselves began. `trouble`
    is empty for a good answer.
    """

    intended: float
    latency: float
    lag: float
    trouble: str = ""

    @property
    def answered(self) -> bool:
        """True when an answer came, good or not."""
        return not self.trouble or self.trouble.startswith("status ")


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """One phase. Latencies are seconds, `None` when no answer was good and none timed out.

    `rate` is requests a second: good answers, over the time from the first request's moment to
    the last answer. `lag` is the 99th percentile of how late we began ourselves.
    """

    requests: int
    answered: int
    rate: float
    p50: float | None
    p95: float | None
    p99: float | None
    longest: float | None
    troubles: Mapping[str, int]
    lag: float

    @property
    def errors(self) -> float:
        """Percent of the requests that had no good answer."""
        return 100 * sum(self.troubles.values()) / self.requests if self.requests else 0.0


def percentile(ordered: Sequence[float], percent: float) -> float | None:
    """By nearest rank: the least value that `percent` of the sorted values do not exceed."""
    if not ordered:
        return None
    return ordered[max(math.ceil(len(ordered) * percent / 100 - 1e-9), 1) - 1]


def summarise(results: Sequence[Result], seconds: float, lags: Sequence[float] = ()) -> Summary:
    """`seconds` is how long the phase was planned to be, `lags` further signs of our lateness.

    Latencies are those of good answers and, with the time waited at least, of timeouts: fast
    errors must not make a service look fast.
    """
    times = sorted(one.latency for one in results if one.trouble in ("", TIMEOUT))
    good = [one for one in results if not one.trouble]
    last = max((one.intended + one.latency for one in good), default=0.0)
    late = [*(one.lag for one in results), *lags]
    return Summary(
        requests=len(results),
        answered=sum(one.answered for one in results),
        rate=len(good) / max(seconds, last, 1e-9),
        p50=percentile(times, 50),
        p95=percentile(times, 95),
        p99=percentile(times, 99),
        longest=times[-1] if times else None,
        troubles=dict(sorted(Counter(one.trouble for one in results if one.trouble).items())),
        lag=percentile(sorted(late), 99) or 0.0,
    )


def burst_rate(results: Sequence[Result]) -> float:
    """Good answers a second while bursts were worked off; the rests between them do not count."""
    longest: dict[float, float] = {}
    for one in results:
        longest[one.intended] = max(longest.get(one.intended, 0.0), one.latency)
    good = sum(not one.trouble for one in results)
    return good / max(sum(longest.values()), 1e-9)


def recovery(
    results: Sequence[Result],
    since: float,
    *,
    steady: float,
    most_errors: float,
    latency: float,
) -> float | None:
    """Seconds from `since` to the first moment from which answers are good again for `steady`.

    Good: the request due at that moment has a good answer, and of those due in the `steady`
    seconds from then on at most `most_errors` percent have none and the 95th percentile is at
    most `latency` seconds. None when no such moment was seen to its end.
    """
    due = sorted((one for one in results if one.intended >= since), key=lambda one: one.intended)
    end = due[-1].intended if due else since
    for number, first in enumerate(due):
        if first.intended + steady > end + 1e-9:
            return None
        if first.trouble or first.latency > latency:
            continue
        window = [one for one in due[number:] if one.intended < first.intended + steady]
        seen = summarise(window, steady)
        if seen.errors <= most_errors and seen.p95 is not None and seen.p95 <= latency:
            return first.intended - since
    return None
