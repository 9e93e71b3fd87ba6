"""Our integers against genai-prices' Decimals, call by call."""

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from genai_prices import types
from genai_prices.data_snapshot import get_snapshot

from sdlc_cli.cost.model import COUNTS, INPUTS, OUTPUTS, Rate
from sdlc_cli.cost.prices.receipt import applicable
from sdlc_cli.cost.prices.resolve import Prices

CALLS = 50_000
CONTEXTS: dict[str, dict[str, str] | None] = {
    "": None,
    "batch": {"processing": "batch"},
    "flex": {"service_tier": "flex"},
    "priority": {"service_tier": "priority"},
    "fast": {"service_tier": "fast", "speed": "fast"},
}
TIERS = ["", "", "", "batch", "flex", "priority", "fast"]
# Sizes about which tiers begin, and those between.
STEPS = [128_000, 128_001, 200_000, 200_001, 272_000, 272_001]

Counts = dict[str, int]
Sold = tuple[types.Provider, types.ModelInfo]


def usage(counts: Counts) -> types.Usage:
    """The same tokens as genai-prices counts them: classes inside classes."""
    return types.Usage(
        input_tokens=sum(counts[name] for name in INPUTS),
        output_tokens=sum(counts[name] for name in OUTPUTS),
        cache_read_tokens=counts["cache_read"] + counts["audio_cached"],
        cache_write_tokens=counts["cache_write_5m"] + counts["cache_write_1h"],
        cache_write_5m_tokens=counts["cache_write_5m"],
        cache_write_1h_tokens=counts["cache_write_1h"],
        input_audio_tokens=counts["audio_in"] + counts["audio_cached"],
        cache_audio_read_tokens=counts["audio_cached"],
        cache_audio_write_tokens=0,
        cache_image_read_tokens=0,
        input_image_tokens=counts["image_in"],
        input_video_tokens=0,
        output_video_tokens=0,
        output_reasoning_tokens=counts["reasoning"],
        output_audio_tokens=counts["audio_out"],
        output_image_tokens=counts["image_out"],
        output_citation_tokens=0,
        web_searches=counts["web_searches"],
        storage_searches=0,
        audio_seconds=0,
        input_audio_seconds=0,
    )


def draw(chance: random.Random) -> Counts:
    if chance.random() < 0.05:
        return {**dict.fromkeys(COUNTS, 0), "input": chance.choice(STEPS), "output": 10}
    size = chance.choice([100, 5_000, 60_000, 200_000, 400_000])
    counts = {name: chance.randrange(size) * (chance.random() < 0.6) for name in COUNTS}
    return {**counts, "web_searches": chance.randrange(4)}


def ours(counts: Counts, rate: Rate) -> Decimal:
    pico = sum(counts[name] * rate.per_unit[name] for name in COUNTS) + rate.request
    return Decimal(pico).scaleb(-12)


def calls(models: list[Sold], amount: int) -> Iterator[tuple[Sold, str, datetime, Counts]]:
    chance = random.Random(20261122)
    for number in range(amount):
        sold = models[number % len(models)]
        when = datetime(2024, 1, 1, tzinfo=UTC) + timedelta(seconds=chance.randrange(94_608_000))
        yield sold, chance.choice(TIERS), when, draw(chance)


@pytest.mark.slow
def test_50_000_mixed_calls_cost_what_genai_prices_says_to_the_last_digit() -> None:
    prices = Prices()
    models = [
        (provider, model)
        for provider in get_snapshot().providers
        for model in provider.models
        if prices.price(provider.id, model.id).rates
    ]
    compared = rounded = 0
    for (provider, model), tier, when, counts in calls(models, CALLS):
        used = usage(counts)
        expected = model.calc_price(
            used, provider, genai_request_timestamp=when, price_context=CONTEXTS[tier]
        ).total_price
        price = prices.price(provider.id, model.id, tier)
        rate = applicable(price, when, sum(counts[name] for name in INPUTS))
        assert rate is not None
        cost = ours(counts, rate)
        if rate.rounded:
            rounded += 1
            assert abs(cost - expected) <= Decimal(sum(counts.values()) + 1).scaleb(-12) / 2
        else:
            compared += 1
            assert cost == expected, (provider.id, model.id, tier, when, counts)

    assert len(models) > 2_000
    assert compared > 49_000
    assert rounded > 100


def test_prices_that_are_no_whole_picodollars_are_few_and_marked() -> None:
    marked = {
        (price.provider, price.model)
        for price in Prices().listed("*")
        if any(rate.rounded for rate in price.rates)
    }

    assert {provider for provider, _ in marked} == {"huggingface_together", "openrouter"}
    assert len(marked) < 30
