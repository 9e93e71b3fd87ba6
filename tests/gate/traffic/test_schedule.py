import itertools
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sdlc_cli.gate.traffic import schedule


def test_a_constant_rate_keeps_its_distance() -> None:
    assert schedule.constant(4, 1) == (0, 0.25, 0.5, 0.75)
    assert len(schedule.constant(20, 10)) == 200
    assert schedule.constant(0.5, 1) == (0,)


def test_poisson_arrivals_are_the_same_for_a_seed_and_as_many_as_asked_for() -> None:
    moments = schedule.poisson(100, 50, seed=7)

    assert moments == schedule.poisson(100, 50, seed=7)
    assert moments != schedule.poisson(100, 50, seed=8)
    assert len(moments) == pytest.approx(5000, rel=0.05)
    gaps = [after - before for before, after in itertools.pairwise(moments)]
    assert all(gap > 0 for gap in gaps)
    assert sum(gap > 0.01 for gap in gaps) / len(gaps) == pytest.approx(1 / 2.718, rel=0.1)


def test_bursts_come_together() -> None:
    assert schedule.bursts(2, 3, 1.5) == (0, 0, 1.5, 1.5, 3, 3)


@given(st.lists(st.integers(1, 9), min_size=1, max_size=6), st.integers(1, 200))
def test_no_kind_of_request_runs_ahead_of_its_share(weights: list[int], count: int) -> None:
    chosen = schedule.spread(weights, count)

    for number in range(1, count + 1):
        came = Counter(chosen[:number])
        for kind, weight in enumerate(weights):
            assert abs(came[kind] - number * weight / sum(weights)) <= max(1, len(weights) / 2)
