"""Says whether one way to run a benchmark is slower than another, on a machine that is noisy.

Both are run by turns, in blocks of two pairs, A B B A or B A A B by the toss of a coin, so that a
drift of the machine's speed falls on both alike. Each pair gives the logarithm of the ratio of
its two figures; where the code is the same, its sign is as good as a coin's whatever the noise.
So the interval is the Hodges-Lehmann one: Wilcoxon's signed-rank test turned round, exact for any
noise that is symmetric about the true ratio, and hardly moved by single wild pairs (Hodges and
Lehmann 1963; Hollander, Wolfe and Chicken 2014, 3.1-3.3).

Looking several times makes false alarms likelier. Therefore the looks are planned before the
first figure is seen, and the chance of error is dealt out to them by `alpha * (n / N) ** 1.5` (a
spending function of Kim and DeMets 1987). The shares add up to alpha, so that by Boole's
inequality all looks together err with that chance at most, however they hang together.
"""

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from statistics import NormalDist
from typing import Literal

import numpy as np
import numpy.typing as npt

from sdlc_cli.core.errors import WorkError
from sdlc_cli.core.i18n import msg

Floats = npt.NDArray[np.float64]
By = Literal["cpu", "wall", "memory"]
Verdict = Literal["slower", "not slower", "inconclusive"]
Ended = Literal["decided", "pairs", "time"]
_ALL: tuple[By, ...] = ("cpu", "wall", "memory")

LEAST_PAIRS = 8  # fewer cannot reach 0.5 %: all of 8 coins fall alike in 0.4 %
MOST_PAIRS = 1000
_STEP = math.sqrt(2)  # each look has so many times the pairs of the one before
_SPENDING = 1.5  # exponent: 1 deals evenly, 3 keeps nearly all for the end
_POWER = 0.9  # the chance of being seen that `detectable` stands for
_SECOND_WARMUP = 20  # run the warm-up twice when the time is enough for so many pairs
_COIN_SEED = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """The figures of one run: user and system time, wall time, peak memory."""

    cpu_s: float
    wall_s: float
    peak_bytes: float

    def value(self, by: By) -> float:
        """The figure called `by`."""
        return {"cpu": self.cpu_s, "wall": self.wall_s, "memory": self.peak_bytes}[by]


# Gets the number of the pair, so that both sides can use the same random seed.
Sampler = Callable[[int], Sample]


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What decides. `limit` is the largest ratio that is not yet slower, as 1.03.

    `false_alarm` is the chance of 'slower' for a true ratio at the limit (far less below it),
    `miss` that of 'not slower' for one at the limit. `seconds` of wall time and `max_pairs` end
    it undecided.
    """

    limit: float = 1.03
    by: By = "cpu"
    seconds: float = 120
    max_pairs: int = 80
    false_alarm: float = 0.005
    miss: float = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """A ratio, head to base, and between what ends it lies; inf where nothing is known."""

    ratio: float
    low: float
    high: float

    def inverted(self) -> "Interval":
        """The ratio of base to head."""
        return Interval(ratio=1 / self.ratio, low=1 / self.high, high=_inverse(self.low))


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """A verdict and what it rests on.

    `interval`: over all comparisons the true ratio lies below its `low` in at most
    `terms.false_alarm` of them, above its `high` in at most `terms.miss`. `detectable` is the
    smallest true ratio that this many pairs with this noise would have called slower in 9 of 10
    comparisons; None when nothing could have been. `planned` is how many pairs time allowed.
    `ratios` holds all three figures, each with a plain interval of 99 %; `base` and `head` the
    medians.
    """

    verdict: Verdict
    terms: Terms
    pairs: int
    planned: int
    interval: Interval
    detectable: float | None
    ended: Ended
    ratios: Mapping[By, Interval]
    base: Sample | None
    head: Sample | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """After `pairs` pairs look, with these chances of error for the two ends."""

    pairs: int
    false_alarm: float
    miss: float


def schedule(terms: Terms, pairs: int) -> tuple[Look, ...]:
    """When to look at up to `pairs` pairs; whole ABBA blocks, each look 1.4 times the last.

    A share of the chance of error that so few pairs cannot use yet is kept for the next look.
    """
    counts = [pairs]
    while (earlier := 2 * round(counts[-1] / _STEP / 2)) >= LEAST_PAIRS:
        counts.append(earlier)
    looks: list[Look] = []
    false_alarm = miss = spent = 0.0
    for count in reversed(counts):
        share = (count / pairs) ** _SPENDING
        false_alarm += terms.false_alarm * (share - spent)
        miss += terms.miss * (share - spent)
        spent = share
        least = 0.5**count  # all coins alike: the smallest chance there is
        look = Look(
            pairs=count,
            false_alarm=false_alarm if false_alarm >= least else 0.0,
            miss=miss if miss >= least else 0.0,
        )
        if look.false_alarm or look.miss or count == pairs:
            looks.append(look)
            false_alarm -= look.false_alarm
            miss -= look.miss
    return tuple(looks)


def bounds(logs: Floats, low_chance: float, high_chance: float) -> tuple[Floats, Floats, Floats]:
    """The Hodges-Lehmann estimate and the two ends, for each row of log ratios.

    The true value lies below the low end with a chance of at most `low_chance`, above the high
    end of at most `high_chance`; an end is infinite when the row is too short to say.
    """
    rows, count = logs.shape
    first, second = np.triu_indices(count)
    means = np.sort((logs[:, first] + logs[:, second]) / 2, axis=1)
    low, high = _dropped(count, low_chance), _dropped(count, high_chance)
    total = means.shape[1]
    middle = (means[:, (total - 1) // 2] + means[:, total // 2]) / 2
    return (
        middle,
        means[:, low - 1] if low else np.full(rows, -np.inf),
        means[:, total - high] if high else np.full(rows, np.inf),
    )


def _dropped(count: int, chance: float) -> int:
    """How many of the pairwise means lie outside one end: P(T+ < this) <= chance."""
    return int(np.searchsorted(_signed_rank(count), chance, side="right"))


@cache
def _signed_rank(count: int) -> Floats:
    """P(T+ <= 0, 1, 2, …) of Wilcoxon's signed-rank statistic for `count` fair coins."""
    chances = np.zeros(count * (count + 1) // 2 + 1)
    chances[0] = 1.0
    for rank in range(1, count + 1):
        shifted = chances.copy()
        shifted[rank:] += chances[:-rank]
        chances = shifted / 2
    return np.cumsum(chances)


def decide(low: float, high: float, limit: float) -> Verdict:
    """What an interval of the ratio says about the limit."""
    if low > limit:
        return "slower"
    return "not slower" if high < limit else "inconclusive"


def compare(
    base: Sampler,
    head: Sampler,
    terms: Terms,
    *,
    clock: Callable[[], float] = time.monotonic,
    advance: Callable[[int, int], None] = lambda done, planned: None,
) -> Comparison:
    """Run both by turns until the interval decides, or the pairs or the time end.

    `advance` hears how many pairs are done of how many planned. Raises what the samplers raise,
    and WorkError when a run shows no figure to compare.
    """
    run = _Run(base, head, terms, clock, advance)
    planned = run.plan()
    if planned < LEAST_PAIRS:
        return _undecided(terms, planned)
    for look in schedule(terms, planned):
        timely = run.extend(look.pairs)
        middle, low, high = _row(run.logs(terms.by), look.false_alarm, look.miss)
        interval = Interval(ratio=middle, low=low, high=high)
        verdict = decide(low, high, terms.limit)
        if verdict != "inconclusive" or look.pairs == planned or not timely:
            break
    ended: Ended = "pairs" if timely and planned >= _even(terms.max_pairs) else "time"
    return Comparison(
        verdict=verdict,
        terms=terms,
        pairs=run.pairs,
        planned=planned,
        interval=interval,
        detectable=_detectable(terms.limit, interval, look.false_alarm),
        ended="decided" if verdict != "inconclusive" else ended,
        ratios=run.ratios(),
        base=_median(run.base),
        head=_median(run.head),
    )


class _Run:
    """The samples so far, as many of one side as of the other."""

    def __init__(
        self,
        base: Sampler,
        head: Sampler,
        terms: Terms,
        clock: Callable[[], float],
        advance: Callable[[int, int], None],
    ) -> None:
        self.base: list[Sample] = []
        self.head: list[Sample] = []
        self._sides = ((base, self.base), (head, self.head))
        self._terms = terms
        self._clock = clock
        self._until = clock() + terms.seconds
        self._advance = advance
        self._planned = 0
        self._coin = np.random.default_rng(_COIN_SEED)
        self._swapped = False

    @property
    def pairs(self) -> int:
        """How many pairs are complete."""
        return len(self.base)

    def plan(self) -> int:
        """Warm both up, and from that how many pairs the time allows.

        The plan is made before any figure counts, so that it owes nothing to the result.
        """
        for again in (True, False):
            start = self._clock()
            for sampler, _ in self._sides:
                sampler(-1)
            seconds = max(self._clock() - start, 1e-9)
            left = max(self._until - self._clock(), 0)
            if again and seconds * _SECOND_WARMUP > left:
                break
        self._planned = _even(min(left / seconds, self._terms.max_pairs))
        return self._planned

    def extend(self, count: int) -> bool:
        """Take pairs until there are `count`; False when the time was up before that.

        LEAST_PAIRS are always taken, and only whole blocks.
        """
        while (done := self.pairs) < count:
            if done >= LEAST_PAIRS and done % 2 == 0 and self._clock() >= self._until:
                return False
            self._swapped = not self._swapped if done % 2 else self._coin.random() < 0.5
            for sampler, samples in reversed(self._sides) if self._swapped else self._sides:
                sample = sampler(done)
                if not sample.value(self._terms.by) > 0:
                    raise _nothing(self._terms.by)
                samples.append(sample)
            self._advance(done + 1, self._planned)
        return True

    def logs(self, by: By) -> Floats:
        """The logarithm of each pair's ratio, head to base."""
        base = np.array([sample.value(by) for sample in self.base])
        head = np.array([sample.value(by) for sample in self.head])
        return np.asarray(np.log(head / base), dtype=np.float64)

    def ratios(self) -> dict[By, Interval]:
        """All figures that were taken, with plain intervals of 99 %."""
        found: dict[By, Interval] = {}
        for by in _ALL:
            if all(sample.value(by) > 0 for sample in (*self.base, *self.head)):
                middle, low, high = _row(self.logs(by), 0.005, 0.005)
                found[by] = Interval(ratio=middle, low=low, high=high)
        return found


def _nothing(by: By) -> WorkError:
    return WorkError(
        msg("a run took no measurable {what}", what=by),
        hint=msg("give the benchmark more to do"),
    )


def _row(logs: Floats, low_chance: float, high_chance: float) -> tuple[float, float, float]:
    """Estimate and ends of the ratio itself."""
    middle, low, high = bounds(logs[np.newaxis], low_chance, high_chance)
    return float(np.exp(middle[0])), float(np.exp(low[0])), float(np.exp(high[0]))


def _detectable(limit: float, interval: Interval, chance: float) -> float | None:
    """From the interval's width: what would clear the limit 9 times in 10 (normal approximation).

    The lower end stands off by z(chance) standard errors, and must itself clear the limit by
    z(0.9) more of them.
    """
    if interval.low <= 0:
        return None
    half = math.log(interval.ratio / interval.low)
    normal = NormalDist()
    error = half / -normal.inv_cdf(chance)
    return limit * math.exp(half + normal.inv_cdf(_POWER) * error)


def _median(samples: Sequence[Sample]) -> Sample:
    cpu, wall, peak = np.median([(s.cpu_s, s.wall_s, s.peak_bytes) for s in samples], axis=0)
    return Sample(cpu_s=float(cpu), wall_s=float(wall), peak_bytes=float(peak))


def _undecided(terms: Terms, planned: int) -> Comparison:
    return Comparison(
        verdict="inconclusive",
        terms=terms,
        pairs=0,
        planned=planned,
        interval=Interval(ratio=1, low=0, high=math.inf),
        detectable=None,
        ended="time",
        ratios={},
        base=None,
        head=None,
    )


def _even(count: float) -> int:
    return int(count) // 2 * 2


def _inverse(value: float) -> float:
    return 1 / value if value else math.inf
