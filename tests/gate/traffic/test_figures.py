import pytest

from sdlc_cli.gate.traffic.figures import Result, burst_rate, percentile, recovery, summarise


def result(intended: float, latency: float = 0.01, trouble: str = "") -> Result:
    return Result(intended=intended, latency=latency, lag=0.001, trouble=trouble)


@pytest.mark.parametrize(
    ("percent", "expected"), [(50, 5), (95, 10), (90, 9), (10, 1), (0, 1), (100, 10)]
)
def test_percentiles_are_nearest_ranks(percent: float, expected: float) -> None:
    assert percentile([float(n) for n in range(1, 11)], percent) == expected


def test_no_value_has_no_percentile() -> None:
    assert percentile([], 95) is None


def test_fast_errors_do_not_make_a_service_look_fast() -> None:
    seen = summarise(
        [result(0, 0.2), result(1, 0.001, "refused"), result(2, 5, "timeout")], seconds=3
    )

    assert (seen.p50, seen.p95, seen.longest) == (0.2, 5, 5)
    assert seen.errors == pytest.approx(200 / 3)
    assert seen.troubles == {"refused": 1, "timeout": 1}
    assert seen.answered == 1


def test_the_rate_counts_until_the_last_answer() -> None:
    slow = [result(n / 10, 2.0) for n in range(10)]

    assert summarise(slow, seconds=1).rate == pytest.approx(10 / 2.9)
    assert summarise([result(n / 10) for n in range(10)], seconds=1).rate == 10


def test_the_loops_own_lateness_counts_as_lag() -> None:
    assert summarise([result(0)], 1, lags=[0.5]).lag == 0.5


def test_the_rate_of_bursts_leaves_out_the_rests() -> None:
    burst = [result(0, 0.1), result(0, 0.5), result(10, 0.5), result(10, 0.2, "refused")]

    assert burst_rate(burst) == 3


def recovered(results: list[Result], since: float = 1.0) -> float | None:
    return recovery(results, since, steady=1, most_errors=0.5, latency=0.25)


def test_recovery_is_the_first_moment_of_lasting_good_answers() -> None:
    bad = [result(1 + n / 10, trouble="refused") for n in range(10)]
    good = [result(2 + n / 10) for n in range(20)]

    assert recovered(bad + good) == pytest.approx(1.0)


def test_a_short_calm_is_no_recovery() -> None:
    calm = [result(1 + n / 10) for n in range(5)]
    bad = [result(1.5 + n / 10, latency=0.9) for n in range(5)]
    good = [result(2 + n / 10) for n in range(20)]

    assert recovered(calm + bad + good) == pytest.approx(1.0)


def test_a_recovery_that_was_not_seen_to_its_end_does_not_count() -> None:
    bad = [result(1 + n / 10, trouble="timeout") for n in range(10)]

    assert recovered(bad + [result(2 + n / 10) for n in range(9)]) is None
    assert recovered(bad) is None
    assert recovered([]) is None


def test_what_was_due_before_does_not_count() -> None:
    before = [result(n / 10, trouble="refused") for n in range(10)]

    assert recovered(before + [result(1 + n / 10) for n in range(20)]) == 0
