import math
from collections.abc import Callable
from dataclasses import astuple, dataclass, replace

import numpy as np
import pytest

from sdlc_cli.core.errors import WorkError
from sdlc_cli.gate.paired import (
    LEAST_PAIRS,
    Comparison,
    Interval,
    Sample,
    Terms,
    bounds,
    compare,
    decide,
    schedule,
)

LIMIT = math.log(1.03)


Logs = np.ndarray[tuple[int, int], np.dtype[np.float64]]


@dataclass(frozen=True)
class Kind:
    """How unsteady a machine is."""

    jitter: float
    switching: float


def noise(count: int, pairs: int, kind: Kind) -> Logs:
    """Log ratios of identical code on a machine with two speeds, as measured on a shared one.

    Runs come in ABBA order; a neighbour makes them 1.5 times as slow and comes and goes with
    the chance `switching`; one run in 50 takes a spike.
    """
    rng = np.random.default_rng(1)
    shape = (count, 2 * pairs)
    slow = np.logical_xor.accumulate(rng.random(shape) < kind.switching, axis=1)
    runs = 0.4 * slow + kind.jitter * rng.standard_normal(shape)
    runs += (rng.random(shape) < 0.02) * rng.exponential(0.3, shape)
    first, second = runs[:, 0::2], runs[:, 1::2]
    return np.where(np.arange(pairs) % 2 == 0, second - first, first - second)


CALM = Kind(jitter=0.02, switching=0.02)
SHARED = Kind(jitter=0.03, switching=0.1)  # what two shared cores showed
UNSTEADY = Kind(jitter=0.12, switching=0.3)


def verdicts(logs: Logs, terms: Terms) -> list[str]:
    """What `compare` would say of each row, for all rows at once."""
    found = ["inconclusive"] * len(logs)
    live = np.arange(len(logs))
    for look in schedule(terms, terms.max_pairs):
        _, low, high = bounds(logs[live, : look.pairs], look.false_alarm, look.miss)
        open_ = []
        for row, one, other in zip(live, np.exp(low), np.exp(high), strict=True):
            found[row] = decide(float(one), float(other), terms.limit)
            if found[row] == "inconclusive":
                open_.append(row)
        live = np.array(open_, dtype=int)
    return found


def share(logs: Logs, verdict: str) -> float:
    return verdicts(logs, Terms()).count(verdict) / len(logs)


@pytest.mark.parametrize("kind", [CALM, SHARED, UNSTEADY], ids=["calm", "shared", "unsteady"])
def test_identical_code_is_called_slower_in_fewer_than_1_of_200(kind: Kind) -> None:
    assert share(noise(2000, 80, kind), "slower") < 0.005


@pytest.mark.parametrize("kind", [CALM, SHARED, UNSTEADY], ids=["calm", "shared", "unsteady"])
def test_a_ratio_on_the_limit_is_misjudged_no_oftener_than_promised(kind: Kind) -> None:
    found = verdicts(noise(2000, 80, kind) + LIMIT, Terms())

    # Three standard errors of 2,000 draws above 0.5 % and 5 %.
    assert found.count("slower") / 2000 <= 0.010
    assert found.count("not slower") / 2000 <= 0.065


@pytest.mark.parametrize(
    ("kind", "ratio", "least"),
    [
        pytest.param(CALM, 1.05, 0.90, id="calm +5"),
        pytest.param(CALM, 1.10, 0.99, id="calm +10"),
        pytest.param(SHARED, 1.05, 0.45, id="shared +5"),
        pytest.param(SHARED, 1.10, 0.99, id="shared +10"),
        pytest.param(UNSTEADY, 1.50, 0.99, id="unsteady +50"),
    ],
)
def test_slower_code_is_found_within_80_pairs(kind: Kind, ratio: float, least: float) -> None:
    assert share(noise(1000, 80, kind) + math.log(ratio), "slower") >= least


def test_code_that_got_faster_is_never_called_slower() -> None:
    found = verdicts(noise(1000, 80, SHARED) + math.log(0.9), Terms())

    assert found.count("not slower") == 1000


def test_unadjusted_looks_would_raise_more_false_alarms_than_promised() -> None:
    """The reason for dealing the chance out: each look at the full 0.5 %, on the limit."""
    logs = noise(3000, 80, Kind(jitter=0.1, switching=0)) + LIMIT
    alarms = np.zeros(len(logs), dtype=bool)
    for look in schedule(Terms(), 80):
        alarms |= bounds(logs[:, : look.pairs], 0.005, 0.05)[1] > LIMIT

    assert alarms.mean() > 0.010
    assert verdicts(logs, Terms()).count("slower") / len(logs) <= 0.0085


@pytest.mark.parametrize("pairs", [8, 10, 14, 20, 50, 80, 200, 1000])
def test_the_looks_spend_no_more_than_the_whole_chance(pairs: int) -> None:
    looks = schedule(Terms(), pairs)

    assert looks[-1].pairs == pairs
    assert sum(look.false_alarm for look in looks) == pytest.approx(0.005)
    assert sum(look.miss for look in looks) == pytest.approx(0.05)
    assert all(look.pairs % 2 == 0 and look.pairs >= LEAST_PAIRS for look in looks)
    assert all(chance == 0 or chance >= 0.5**n for n, chance in
               [(look.pairs, look.false_alarm) for look in looks])  # fmt: skip


def test_an_interval_is_the_one_of_the_textbook() -> None:
    """Hollander, Wolfe and Chicken, example 3.1 to 3.4: Hamilton's depression scale."""
    before = [1.83, 0.50, 1.62, 2.48, 1.68, 1.88, 1.55, 3.06, 1.30]
    after = [0.878, 0.647, 0.598, 2.05, 1.06, 1.29, 1.06, 3.14, 1.29]
    differences = np.array([[b - a for a, b in zip(before, after, strict=True)]])

    middle, low, high = bounds(differences, 0.0196, 0.0196)

    assert middle[0] == pytest.approx(-0.46)
    assert (low[0], high[0]) == (pytest.approx(-0.786), pytest.approx(-0.010))


def test_too_few_pairs_say_nothing() -> None:
    _, low, high = bounds(np.full((1, 7), 0.5), 0.005, 0.05)

    assert (low[0], high[0]) == (-math.inf, 0.5)


class Machine:
    """Fake runs on a fake clock: each takes so long, with noise of a seed."""

    def __init__(self, jitter: float = 0.02, drift: float = 0.0, seed: int = 7) -> None:
        self.now = 0.0
        self.order: list[str] = []
        self._rng = np.random.default_rng(seed)
        self._jitter = jitter
        self._drift = drift

    def side(self, name: str, seconds: float) -> Callable[[int], Sample]:
        def run(pair: int) -> Sample:
            cpu = seconds * math.exp(self._jitter * self._rng.standard_normal())
            cpu *= math.exp(self._drift * len(self.order))
            self.now += cpu
            self.order.append(name if pair >= 0 else name.lower())
            return Sample(cpu_s=cpu, wall_s=2 * cpu, peak_bytes=1000)

        return run

    def compare(self, ratio: float, **terms: float | str) -> Comparison:
        return compare(
            self.side("A", 0.05),
            self.side("B", 0.05 * ratio),
            replace(Terms(), **terms),  # type: ignore[arg-type]
            clock=lambda: self.now,
        )


@pytest.mark.parametrize(
    ("ratio", "verdict"), [(1.0, "not slower"), (1.1, "slower"), (0.8, "not slower")]
)
def test_a_steady_machine_decides_after_few_pairs(ratio: float, verdict: str) -> None:
    got = Machine().compare(ratio)

    assert (got.verdict, got.ended) == (verdict, "decided")
    assert got.pairs <= 28
    assert got.interval.low < ratio < got.interval.high
    assert got.interval.ratio == pytest.approx(ratio, rel=0.02)


def test_runs_come_in_blocks_of_abba_or_baab_after_a_warm_up() -> None:
    machine = Machine(jitter=0.3)
    machine.compare(1.03)
    runs = "".join(machine.order)

    warm, runs = runs[:4], runs[4:]
    blocks = {runs[i : i + 4] for i in range(0, len(runs), 4)}

    assert warm == "abab"
    assert blocks == {"ABBA", "BAAB"}


def test_a_machine_that_slows_down_does_not_make_code_slower() -> None:
    got = Machine(jitter=0.002, drift=0.003).compare(1.0)  # 0.3 % slower with each run

    assert got.verdict == "not slower"
    assert got.interval.ratio == pytest.approx(1, abs=0.003)


def test_what_noise_hides_is_inconclusive_and_says_what_could_have_been_seen() -> None:
    got = Machine(jitter=0.4).compare(1.05)

    assert (got.verdict, got.ended, got.pairs) == ("inconclusive", "pairs", 80)
    assert got.detectable is not None
    assert 1.2 < got.detectable < 1.6


def test_what_is_said_to_be_detectable_is_detected_nine_times_in_ten() -> None:
    machines = [Machine(jitter=0.1, seed=seed).compare(1.03) for seed in range(12)]
    said = sorted(got.detectable for got in machines if got.detectable and got.pairs == 80)
    logs = 0.1 * math.sqrt(2) * np.random.default_rng(1).standard_normal((600, 80))
    last = schedule(Terms(), 80)[-1]

    _, low, _ = bounds(logs + math.log(said[len(said) // 2]), last.false_alarm, last.miss)

    assert 0.8 <= (low > LIMIT).mean() <= 0.97


def test_the_time_limits_the_pairs_before_the_first_counts() -> None:
    got = Machine(jitter=0.3).compare(1.05, seconds=2.5)

    assert (got.verdict, got.ended) == ("inconclusive", "time")
    assert 14 <= got.pairs <= got.planned < 30


def test_when_runs_get_longer_than_planned_the_time_still_ends_it() -> None:
    got = Machine(jitter=0.3, drift=0.05).compare(1.0, seconds=4)

    assert (got.verdict, got.ended) == ("inconclusive", "time")
    assert LEAST_PAIRS <= got.pairs < got.planned


def test_without_time_for_8_pairs_nothing_is_judged() -> None:
    got = Machine().compare(2.0, seconds=0.5)

    assert (got.verdict, got.pairs, got.ended) == ("inconclusive", 0, "time")
    assert (got.interval.low, got.interval.high, got.detectable) == (0, math.inf, None)


def test_all_figures_are_compared_and_the_named_one_decides() -> None:
    machine = Machine()
    heavy = machine.side("B", 0.05)

    def head(pair: int) -> Sample:
        return replace(heavy(pair), peak_bytes=1200)

    got = compare(machine.side("A", 0.05), head, Terms(by="memory"), clock=lambda: machine.now)

    assert got.verdict == "slower"
    assert astuple(got.interval) == pytest.approx((1.2, 1.2, 1.2))
    assert set(got.ratios) == {"cpu", "wall", "memory"}
    assert got.ratios["cpu"].ratio == pytest.approx(1, abs=0.03)
    assert got.base is not None
    assert got.base.wall_s == pytest.approx(0.1, rel=0.05)


def test_figures_that_were_not_taken_are_left_out() -> None:
    got = compare(
        lambda pair: Sample(cpu_s=1, wall_s=math.nan, peak_bytes=0),
        lambda pair: Sample(cpu_s=1, wall_s=math.nan, peak_bytes=0),
        Terms(),
        clock=lambda: 0.0,
    )

    assert (got.verdict, set(got.ratios)) == ("not slower", {"cpu"})


def test_a_run_that_shows_no_time_is_an_error() -> None:
    with pytest.raises(WorkError, match="no measurable cpu"):
        compare(
            lambda pair: Sample(cpu_s=0, wall_s=1, peak_bytes=1),
            lambda pair: Sample(cpu_s=1, wall_s=1, peak_bytes=1),
            Terms(),
            clock=lambda: 0.0,
        )


def test_progress_is_told_pair_by_pair() -> None:
    told: list[tuple[int, int]] = []
    machine = Machine()

    got = compare(
        machine.side("A", 0.05),
        machine.side("B", 0.05),
        Terms(),
        clock=lambda: machine.now,
        advance=lambda done, planned: told.append((done, planned)),
    )

    assert told == [(n + 1, 80) for n in range(got.pairs)]


def test_an_inverted_interval_is_the_ratio_of_base_to_head() -> None:
    assert Interval(ratio=2, low=1, high=4).inverted() == Interval(ratio=0.5, low=0.25, high=1)
    assert Interval(ratio=1, low=0, high=math.inf).inverted().high == math.inf
