"""Prompt caching, replayed at a model's prices."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sdlc_cli.cost.model import COUNTS, Price, Rate
from sdlc_cli.cost.prefixes import best_caching


class Use(NamedTuple):
    ts: int | None
    prefix_hash: str
    prefix_tokens: int
    tokens_uncached: int
    tokens_in: int


DOLLAR = 1_000_000  # pico-dollars a token, of $1 a million tokens


def rate(**dollars: float) -> Rate:
    per_unit = dict.fromkeys(COUNTS, 0)
    return Rate(per_unit=per_unit | {name: round(d * DOLLAR) for name, d in dollars.items()})


# Sonnet's: $3 in, $0.30 read, $3.75 and $6 written.
SONNET = Price(
    provider="anthropic",
    model="claude-sonnet-4-5",
    rates=(rate(input=3, cache_read=0.3, cache_write_5m=3.75, cache_write_1h=6, output=15),),
    source="test",
)

SONNET_WITHOUT_HOUR = replace(
    SONNET, rates=(rate(input=3, cache_read=0.3, cache_write_5m=3.75, cache_write_1h=3.75),)
)


def use(minute: float, prefix: str = "a", tokens: int = 10_000, uncached: int = 12_000) -> Use:
    return Use(round(minute * 60e6), prefix, tokens, uncached, uncached)


def dollars(pico: int) -> float:
    return pico / 1e12


def test_a_prefix_used_thrice_in_five_minutes_by_hand() -> None:
    # One write: 10,000 * (3.75 - 3) / M = $0.0075 more. Two reads: 2 * 10,000 * 2.70 / M = $0.054.
    found = best_caching([use(0), use(2), use(4)], SONNET)

    assert found is not None
    assert (found.lifetime_s, found.writes, found.reads) == (300, 1, 2)
    assert (found.tokens_written, found.tokens_read) == (10_000, 20_000)
    assert dollars(found.saved_pico) == pytest.approx(0.0465)


def test_a_use_keeps_the_prefix_and_a_longer_pause_writes_it_again() -> None:
    found = best_caching([use(0), use(4), use(8), use(70)], SONNET)

    assert found is not None
    # Of five minutes: 2 writes, $0.015, and 2 reads, $0.054. Of an hour 2 writes cost $0.06.
    assert (found.lifetime_s, found.writes, found.reads) == (300, 2, 2)
    assert dollars(found.saved_pico) == pytest.approx(0.039)


def test_a_pause_of_exactly_the_lifetime_is_too_long() -> None:
    found = best_caching([use(0), use(5), use(9.9)], SONNET_WITHOUT_HOUR)

    assert found is not None
    assert (found.writes, found.reads) == (2, 1)


def test_an_hours_lifetime_without_a_price_of_its_own_is_not_for_sale() -> None:
    assert best_caching([use(0), use(20), use(40)], SONNET_WITHOUT_HOUR) is None


def test_an_hours_lifetime_is_chosen_where_it_saves_more() -> None:
    # 5 m: every use writes. 1 h: one write, $0.03 more, and 3 reads, $0.081.
    found = best_caching([use(0), use(20), use(40), use(60)], SONNET)

    assert found is not None
    assert (found.lifetime_s, found.writes, found.reads) == (3600, 1, 3)
    assert dollars(found.saved_pico) == pytest.approx(0.051)


@pytest.mark.parametrize(
    "uses",
    [
        pytest.param([], id="no calls"),
        pytest.param([use(0)], id="once"),
        pytest.param([use(0), use(1, prefix="b")], id="never again"),
        pytest.param([use(0, tokens=1000), use(1, tokens=1000)], id="too short"),
        pytest.param([use(0, uncached=500), use(1, uncached=500)], id="cached already"),
        pytest.param([use(0, prefix=""), use(1, prefix="")], id="not told"),
        pytest.param([use(0)._replace(ts=None), use(1)._replace(ts=None)], id="no time"),
        pytest.param([use(0), use(200)], id="too far apart"),
    ],
)
def test_where_a_cache_saves_nothing_nothing_is_found(uses: list[Use]) -> None:
    assert best_caching(uses, SONNET) is None


def test_a_prefix_for_which_caching_does_not_pay_is_left_alone() -> None:
    lonely = [use(i, prefix=f"once {i}") for i in range(50)]

    found = best_caching([*lonely, use(0), use(1)], SONNET)

    assert found is not None
    assert (found.prefixes, found.calls) == (1, 2)


def test_a_model_without_a_price_for_reads_saves_nothing() -> None:
    flat = replace(SONNET, rates=(rate(input=3, cache_read=3, cache_write_5m=3, cache_write_1h=3),))

    assert best_caching([use(0), use(1)], flat) is None


def test_each_call_is_priced_at_its_own_time() -> None:
    noon = datetime(1970, 1, 1, 0, 3, tzinfo=UTC)
    cheap = rate(input=1, cache_read=0.5, cache_write_5m=1, cache_write_1h=1)
    dear = rate(input=9, cache_read=0.5, cache_write_5m=9, cache_write_1h=9)
    price = replace(SONNET, rates=(replace(cheap, until=noon), replace(dear, since=noon)))

    found = best_caching([use(0), use(2), use(4)], price)

    assert found is not None
    assert dollars(found.saved_pico) == pytest.approx(0.01 * 0.5 + 0.01 * 8.5)


def test_calls_without_a_price_at_their_time_are_left_as_they_are() -> None:
    price = replace(
        SONNET, rates=(replace(SONNET.rates[0], since=datetime(2030, 1, 1, tzinfo=UTC)),)
    )

    assert best_caching([use(0), use(1)], price) is None


@given(
    st.lists(st.tuples(st.integers(0, 300), st.sampled_from("abc"), st.integers(1, 5)), max_size=40)
)
def test_what_is_saved_never_exceeds_the_price_of_the_prefixes(
    calls: list[tuple[int, str, int]],
) -> None:
    uses = [use(minute, prefix, tokens * 1_024, 6_000) for minute, prefix, tokens in calls]

    found = best_caching(uses, SONNET)

    if found is not None:
        assert 0 < found.saved_pico <= found.tokens_read * round(2.7 * DOLLAR)
        assert found.writes >= found.prefixes
        assert found.calls == found.writes + found.reads <= len(uses)
