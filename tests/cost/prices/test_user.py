from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from sdlc_cli.cost.config import RATES, PriceEntry
from sdlc_cli.cost.model import Price, Rate
from sdlc_cli.cost.prices.receipt import applicable
from sdlc_cli.cost.prices.resolve import Prices

NOW = datetime(2026, 11, 22, tzinfo=UTC)
FLAT = {"input": Decimal(1), "output": Decimal(4)}


def entry(**fields: object) -> PriceEntry:
    return PriceEntry(**{"place": "cost.yaml:7", **fields})  # type: ignore[arg-type]


def priced(*entries: PriceEntry, model: str = "gpt-4o", tier: str = "") -> Price:
    return Prices(overrides=entries).price("openai", model, tier)


def rate_of(price: Price, when: datetime = NOW, tokens: int = 1) -> Rate:
    rate = applicable(price, when, tokens)
    assert rate is not None
    return rate


def dollars(price: Price, name: str = "input", when: datetime = NOW) -> Decimal:
    """Per million tokens."""
    return Decimal(rate_of(price, when).per_unit[name]).scaleb(-6)


def test_a_price_of_yours_replaces_the_catalogues_and_its_caches_cost_as_input() -> None:
    price = priced(entry(model="gpt-4o*", **FLAT))

    assert [dollars(price, name) for name in ("input", "cache_read", "output", "reasoning")] == [
        1, 1, 4, 4
    ]  # fmt: skip
    assert price.source == "cost.yaml:7"


def test_every_rate_of_an_entry_is_taken() -> None:
    rates = {name: Decimal(i) for i, name in enumerate(RATES, start=1)}
    rate = rate_of(priced(entry(model="*", **rates)))

    assert {name: count // 10**6 for name, count in rate.per_unit.items()} == {
        "input": 1,
        "cache_read": 2,
        "cache_write_5m": 3,
        "cache_write_1h": 4,
        "audio_in": 5,
        "audio_cached": 6,
        "image_in": 7,
        "output": 8,
        "reasoning": 9,
        "audio_out": 10,
        "image_out": 11,
        "web_searches": 12_000,  # $12 for a thousand
    }
    assert rate.request == 13 * 10**12


def test_the_last_entry_that_fits_wins() -> None:
    entries = (
        entry(model="gpt-4o*", **FLAT),
        entry(place="cost.yaml:9", model="gpt-*", input=Decimal(2), output=Decimal(2)),
        entry(place="cost.yaml:11", model="claude-*", input=Decimal(3), output=Decimal(3)),
    )

    price = priced(*entries)

    assert dollars(price) == 2
    assert price.source == "cost.yaml:9"


@pytest.mark.parametrize(
    ("when", "expected"),
    [
        (datetime(2025, 12, 31, 23, 59, 59, tzinfo=UTC), Decimal("2.5")),
        (datetime(2026, 1, 1, tzinfo=UTC), 1),
        (datetime(2026, 6, 30, 23, 59, 59, tzinfo=UTC), 1),
        (datetime(2026, 7, 1, tzinfo=UTC), Decimal("2.5")),
    ],
)
def test_an_entry_holds_from_its_first_day_through_its_last(
    when: datetime, expected: Decimal
) -> None:
    price = priced(
        entry(model="gpt-4o", valid_from=date(2026, 1, 1), valid_to=date(2026, 6, 30), **FLAT)
    )

    assert dollars(price, when=when) == expected
    assert price.source == "catalogue genai-prices 0.2.3; cost.yaml:7"


def test_a_discount_comes_off_what_is_below_it_in_every_tier() -> None:
    off = entry(provider="openai", discount=Decimal("0.1"))

    assert dollars(priced(off)) == Decimal("2.25")
    assert dollars(priced(off, tier="batch")) == Decimal("1.125")
    assert dollars(priced(off, off)) == Decimal("2.025")
    assert dollars(priced(entry(model="gpt-4o", **FLAT), off)) == Decimal("0.9")
    assert dollars(priced(off, entry(model="gpt-4o", **FLAT))) == 1
    assert priced(off).source == "catalogue genai-prices 0.2.3; cost.yaml:7: 10% off"


def test_a_discount_keeps_what_a_whole_call_tier_is() -> None:
    prices = Prices(overrides=[entry(provider="anthropic", discount=Decimal("0.5"))])
    price = prices.price("anthropic", "claude-sonnet-4-5")

    assert [(rate.above, rate.per_unit["input"]) for rate in price.rates] == [
        (0, 1_500_000),
        (200_000, 3_000_000),
    ]


def test_rates_without_a_tier_leave_what_is_known_of_other_tiers() -> None:
    standard = entry(model="gpt-4o", **FLAT)
    batch = entry(
        place="cost.yaml:9", model="gpt-4o", tier="batch", input=Decimal("0.5"), output=Decimal(1)
    )

    assert dollars(priced(standard, tier="batch")) == Decimal("1.25")
    assert dollars(priced(standard, tier="flex")) == 1
    assert "no flex price, so the full price" in priced(standard, tier="flex").source
    assert dollars(priced(standard, batch, tier="batch")) == Decimal("0.5")
    assert dollars(priced(standard, batch)) == 1


def test_a_tiers_discount_makes_a_tiers_price() -> None:
    half = entry(provider="anthropic", tier="batch", discount=Decimal("0.5"))
    price = Prices(overrides=[half]).price("anthropic", "claude-3-haiku", "batch")

    assert dollars(price) == Decimal("0.125")
    assert "full price" not in price.source


def test_what_is_declared_free_for_the_standard_tier_is_not_free_in_batch() -> None:
    free = entry(model="gpt-4o", tier="standard", free=True)

    assert dollars(priced(free)) == 0
    assert dollars(priced(free, tier="batch")) == Decimal("1.25")


def test_a_local_model_is_free_only_where_that_is_declared() -> None:
    declared = Prices(overrides=[entry(model="llama*", free=True)])

    free = declared.price("ollama", "llama3.1:8b")
    assert rate_of(free).per_unit["output"] == 0
    assert free.source == "cost.yaml:7: declared free"
    assert not any(free.ceiling.values())
    assert declared.price("ollama", "mistral").rates == ()


def test_an_unknown_model_takes_your_price_and_none_outside_its_days() -> None:
    price = priced(entry(model="zorp-9", valid_from=date(2026, 1, 1), **FLAT), model="zorp-9")

    assert dollars(price) == 1
    assert applicable(price, datetime(2025, 1, 1, tzinfo=UTC), 1) is None
    assert str(price.reason) == "the prices known for it do not cover this time"


def test_days_between_two_entries_are_not_covered_either() -> None:
    price = priced(
        entry(model="zorp-9", valid_to=date(2026, 1, 31), **FLAT),
        entry(model="zorp-9", valid_from=date(2026, 3, 1), **FLAT),
        model="zorp-9",
    )

    assert applicable(price, datetime(2026, 2, 10, tzinfo=UTC), 1) is None
    assert str(price.reason) == "the prices known for it do not cover this time"


def test_a_discount_prices_nothing_that_has_no_price() -> None:
    assert priced(entry(model="zorp-9", discount=Decimal("0.1")), model="zorp-9").rates == ()


@pytest.mark.parametrize(
    "glob", ["gpt-4o", "GPT-4O*", "gpt-4o-2024-08-06", "openai/gpt-4o-2024*", "gpt-4o-2024*"]
)
def test_a_glob_may_mean_the_canonical_name_or_the_logged_one(glob: str) -> None:
    prices = Prices(overrides=[entry(model=glob, **FLAT)])

    assert dollars(prices.price("", "openai/gpt-4o-2024-08-06")) == 1


def test_an_entry_without_a_place_is_named_by_its_number() -> None:
    price = priced(entry(place="", model="other", **FLAT), entry(place="", model="gpt-4o", **FLAT))

    assert price.source == "cost.yaml prices[1]"


def test_a_price_per_request_alone_makes_tokens_cost_nothing_more() -> None:
    rate = rate_of(priced(entry(model="gpt-4o", request=Decimal("0.005"))))

    assert rate.request == 5 * 10**9
    assert rate.per_unit["output"] == 0


def test_searches_keep_their_price_under_an_entry_that_does_not_name_them() -> None:
    prices = Prices(overrides=[entry(model="claude-*", **FLAT)])
    rate = rate_of(prices.price("anthropic", "claude-sonnet-4-5"))

    assert rate.per_unit["web_searches"] == 10**10
