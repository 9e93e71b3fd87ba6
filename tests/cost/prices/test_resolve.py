from datetime import UTC, datetime

import pytest

from sdlc_cli.cost.model import COUNTS, Price, Rate
from sdlc_cli.cost.prices.family import generation
from sdlc_cli.cost.prices.load import Catalogue, Clause, Model, Provider, Stretch, Variant
from sdlc_cli.cost.prices.receipt import applicable
from sdlc_cli.cost.prices.resolve import Prices, canonical_tier

PRICES = Prices()
NOW = datetime(2026, 11, 22, tzinfo=UTC)


def cost(price: Price, when: datetime | None = NOW, **counts: int) -> int:
    """Pico-dollars of a call."""
    output = ("output", "reasoning", "audio_out", "image_out", "web_searches")
    total = sum(count for name, count in counts.items() if name not in output)
    rate = applicable(price, when, total)
    assert rate is not None
    return sum(count * rate.per_unit[name] for name, count in counts.items()) + rate.request


def catalogue(*models: Model) -> Catalogue:
    return Catalogue(
        source="a test",
        version="1",
        sha256="",
        providers=(Provider(id="openai", models=models), Provider(id="google", models=())),
    )


def test_a_call_above_200_000_tokens_pays_the_higher_rates_for_all_of_it() -> None:
    sonnet = PRICES.price("anthropic", "claude-sonnet-4-5")

    assert cost(sonnet, input=250_000, output=1_000) == 1_522_500_000_000
    assert cost(sonnet, input=150_000, cache_read=100_000, output=1_000) == 982_500_000_000


def test_a_tier_begins_above_its_threshold_not_at_it() -> None:
    sonnet = PRICES.price("anthropic", "claude-sonnet-4-5")

    assert cost(sonnet, input=200_000) == 200_000 * 3_000_000
    assert cost(sonnet, input=200_001) == 200_001 * 6_000_000


def test_batch_rates_hold_for_calls_sent_as_batch_and_the_source_says_since_when() -> None:
    batch = PRICES.price("anthropic", "claude-sonnet-4-5", "batch")
    before = datetime(2026, 10, 13, 23, 59, tzinfo=UTC)

    assert cost(batch, input=1_000_000 // 10, output=100) == 100_000 * 1_500_000 + 100 * 7_500_000
    assert cost(batch, before, input=100_000) == 100_000 * 3_000_000
    early = applicable(batch, before, 1)
    late = applicable(batch, NOW, 1)
    assert early
    assert late
    assert early.source == ("catalogue genai-prices 0.2.3, no batch price, so the full price")
    assert late.source == "catalogue genai-prices 0.2.3"


def test_a_tier_without_a_price_costs_the_full_price_and_says_so() -> None:
    price = PRICES.price("anthropic", "claude-3-haiku", "priority")

    assert cost(price, input=1) == cost(PRICES.price("anthropic", "claude-3-haiku"), input=1)
    assert "no priority price, so the full price" in price.source


@pytest.mark.parametrize("tier", ["", "standard", "default", "Auto", "on_demand"])
def test_all_names_of_the_standard_tier_are_one(tier: str) -> None:
    assert canonical_tier(tier) == ""


def test_prices_change_with_the_hour_of_the_day() -> None:
    flash = PRICES.price("deepseek", "deepseek-v4-flash")

    night = cost(flash, datetime(2026, 11, 1, 0, 59, 59, tzinfo=UTC), input=1)
    day = cost(flash, datetime(2026, 11, 1, 1, 0, tzinfo=UTC), input=1)
    assert (night, day) == (150_000, 300_000)


def test_hours_join_over_midnight() -> None:
    model = Model(
        id="m",
        match=Clause(equals="m"),
        prices=(
            Stretch(usd={"input_mtok": "4"}),
            Stretch(usd={"input_mtok": "1"}, hours=(990, 30)),
        ),
    )

    rates = Prices(catalogue(model)).price("openai", "m").rates

    found = sorted((rate.hours, rate.per_unit["input"]) for rate in rates if rate.hours)
    assert found == [((30, 990), 4_000_000), ((990, 30), 1_000_000)]


def test_equal_prices_next_to_each_other_are_one_rate() -> None:
    from datetime import date

    prices = tuple(
        Stretch(usd={"input_mtok": usd}, since=since)
        for usd, since in [("2", None), ("2", date(2026, 1, 1)), ("3", date(2026, 5, 1))]
    )

    rates = (
        Prices(catalogue(Model(id="m", match=Clause(equals="m"), prices=prices)))
        .price("openai", "m")
        .rates
    )

    may = datetime(2026, 5, 1, tzinfo=UTC)
    assert [(rate.since, rate.until) for rate in rates] == [(None, may), (may, None)]


def test_the_first_variant_that_holds_counts_unit_by_unit() -> None:
    model = Model(
        id="m",
        match=Clause(equals="m"),
        prices=(Stretch(usd={"input_mtok": "4", "output_mtok": "8"}),),
        variants=(
            Variant(when={"processing": "batch"}, usd={"input_mtok": "2"}),
            Variant(when={"processing": "batch"}, usd={"input_mtok": "1", "output_mtok": "3"}),
            Variant(when={"service_tier": "flex"}, usd={"input_mtok": "9"}),
        ),
    )

    (rate,) = Prices(catalogue(model)).price("openai", "m", "batch").rates

    assert (rate.per_unit["input"], rate.per_unit["output"]) == (2_000_000, 3_000_000)


@pytest.mark.parametrize(
    ("usd", "expected"),
    [
        pytest.param(
            {},
            dict.fromkeys(
                ("cache_read", "cache_write_1h", "audio_in", "audio_cached", "image_in"), 10
            ),
            id="inputs cost as input",
        ),
        pytest.param(
            {"cache_write_mtok": "12"},
            {"cache_write_5m": 12, "cache_write_1h": 12},
            id="one price for all writes",
        ),
        pytest.param(
            {"cache_write_mtok": "12", "cache_write_1h_mtok": "20"},
            {"cache_write_5m": 12, "cache_write_1h": 20},
            id="writes for an hour",
        ),
        pytest.param(
            {"cache_read_mtok": "1"},
            {"cache_read": 1, "audio_cached": 1},
            id="cached audio as cached text",
        ),
        pytest.param(
            {"input_audio_mtok": "30"},
            {"audio_in": 30, "audio_cached": 30},
            id="cached audio as audio",
        ),
        pytest.param(
            {"output_reasoning_mtok": "7"},
            {"reasoning": 7, "output": 50, "audio_out": 50},
            id="reasoning has its own",
        ),
    ],
)
def test_a_class_without_a_price_costs_what_the_class_around_it_costs(
    usd: dict[str, str], expected: dict[str, int]
) -> None:
    model = Model(
        id="m",
        match=Clause(equals="m"),
        prices=(Stretch(usd={"input_mtok": "10", "output_mtok": "50", **usd}),),
    )

    (rate,) = Prices(catalogue(model)).price("openai", "m").rates

    assert {name: rate.per_unit[name] // 10**6 for name in expected} == expected
    assert set(rate.per_unit) == set(COUNTS)


def test_a_price_that_is_no_whole_picodollar_is_rounded_half_even_and_marked() -> None:
    usd = {"input_mtok": "0.0000025", "output_mtok": "0.0000035"}
    model = Model(id="m", match=Clause(equals="m"), prices=(Stretch(usd=dict(usd)),))

    (rate,) = Prices(catalogue(model)).price("openai", "m").rates

    assert (rate.per_unit["input"], rate.per_unit["output"], rate.rounded) == (2, 4, True)


@pytest.mark.parametrize(
    ("provider", "model", "reason"),
    [
        ("openai", "gpt-99", "has no such model"),
        ("ollama", "llama3", "runs on your own machine"),
        ("openai", "whisper-1", "priced by audio_hours, input_audio_hours, which no log tells"),
        ("github-copilot", "gpt-4o", "lists it without a price"),
    ],
)
def test_an_unpriced_model_has_no_rates_and_a_reason(
    provider: str, model: str, reason: str
) -> None:
    price = PRICES.price(provider, model)

    assert price.rates == ()
    assert price.source == ""
    assert reason in str(price.reason)


def test_what_the_catalogue_calls_free_is_free_and_says_so() -> None:
    price = PRICES.price("openrouter", "openai/gpt-oss-20b:free")

    assert cost(price, input=1_000, output=1_000) == 0
    assert price.source == "catalogue genai-prices 0.2.3, listed as free"
    assert not any(price.ceiling.values())


def test_an_unknown_model_is_bounded_by_the_dearest_of_its_family() -> None:
    known = PRICES.price("anthropic", "claude-opus-4-1")
    unknown = PRICES.price("anthropic", "claude-opus-9")

    assert unknown.rates == ()
    assert unknown.family == "claude-opus"
    assert all(
        unknown.ceiling[name] >= rate.per_unit[name] for rate in known.rates for name in COUNTS
    )


def test_nothing_bounds_a_model_of_no_known_family() -> None:
    assert PRICES.price("openai", "zorp-9").ceiling == {}


def test_a_triple_is_resolved_once() -> None:
    assert PRICES.price("openai", "gpt-4o", "batch") is PRICES.price("openai", "gpt-4o", "batch")


def test_cheaper_models_are_of_the_same_line_and_cost_less_for_input_and_output() -> None:
    price = PRICES.price("openai", "gpt-4o")

    found = PRICES.cheaper(price, at=NOW)

    names = [other.model for other in found]
    assert "gpt-4.1" in names
    assert not {"gpt-4o", "gpt-4", "ft:gpt-4o-mini", "text-embedding-3-small"} & set(names)
    assert all(
        cost(other, input=10**5) < cost(price, input=10**5)
        and cost(other, input=1, output=10**5) < cost(price, input=1, output=10**5)
        for other in found
    )


@pytest.mark.parametrize(
    ("provider", "model"),
    [
        ("openai", "gpt-4o"),
        ("openai", "gpt-4-turbo"),
        ("anthropic", "claude-opus-4-1"),
        ("google", "gemini-2.5-pro"),
        ("mistral", "mistral-large-latest"),
        ("aws", "anthropic.claude-3-5-sonnet-20241022-v2:0"),
    ],
)
def test_no_cheaper_model_is_of_an_earlier_generation(provider: str, model: str) -> None:
    price = PRICES.price(provider, model)

    found = PRICES.cheaper(price, at=NOW)

    assert found
    assert all(generation(other.model) >= generation(price.model) for other in found)
    assert len({other.family for other in found}) == len(found)


def test_of_one_family_the_latest_generation_is_offered() -> None:
    found = PRICES.cheaper(PRICES.price("anthropic", "claude-opus-4-1"), at=NOW)

    opus = [other.model for other in found if other.family == "claude-opus"]
    assert opus == ["claude-opus-5-5"]


def test_nothing_is_cheaper_than_what_is_unpriced_or_of_an_unknown_provider() -> None:
    assert PRICES.cheaper(PRICES.price("openai", "gpt-99"), at=NOW) == ()
    assert PRICES.cheaper(PRICES.price("acme", "gpt-4o"), at=NOW) == ()


def test_models_are_listed_by_a_glob() -> None:
    found = PRICES.listed("AWS/amazon.nova-p*")

    assert {price.provider for price in found} == {"aws"}
    assert "amazon.nova-pro-v1:0" in {price.model for price in found}


def test_every_model_of_the_catalogue_has_rates_for_all_time_or_a_reason() -> None:
    for price in PRICES.listed("*"):
        assert bool(price.rates) != bool(price.reason), (price.provider, price.model)
        assert not price.rates or any(_starts(rate) for rate in price.rates)
        assert price.ceiling or not price.rates


def _starts(rate: Rate) -> bool:
    return rate.since is None and rate.above == 0
