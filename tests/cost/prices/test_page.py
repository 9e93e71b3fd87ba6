"""The page on prices shows a file that works, and says of it what is so."""

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from sdlc_cli.cost.config import load_prices
from sdlc_cli.cost.prices.receipt import applicable
from sdlc_cli.cost.prices.resolve import Prices
from sdlc_cli.cost.prices.segments import RATE_OF

PAGE = (Path(__file__).parents[3] / "docs" / "cost-prices.md").read_text(encoding="utf-8")
MAY, NOVEMBER = datetime(2026, 5, 1, tzinfo=UTC), datetime(2026, 11, 22, tzinfo=UTC)


@pytest.fixture
def prices(tmp_path: Path) -> Prices:
    block = re.search(r"```yaml\n(.*?)```", PAGE, re.S)
    assert block
    file = tmp_path / "prices.yaml"
    file.write_text(block[1], encoding="utf-8")
    written = load_prices(file)
    return Prices(overrides=written.prices, aliases=written.aliases)


@pytest.mark.parametrize(
    ("provider", "model", "tier", "when", "pico"),
    [
        ("openai", "gpt-4o", "", MAY, 2_200_000),
        ("openai", "gpt-4o", "", NOVEMBER, 2_500_000),
        ("azure", "our-deployment", "", MAY, 2_200_000),
        ("openai", "gpt-4o", "batch", NOVEMBER, 1_100_000),
        ("anthropic", "claude-sonnet-4-5", "", MAY, 2_700_000),
        ("anthropic", "claude-sonnet-4-5", "batch", MAY, 1_350_000),
        ("anthropic", "claude-sonnet-4-5", "batch", NOVEMBER, 1_350_000),
        ("ollama", "llama3.1:8b", "", MAY, 0),
    ],
)
def test_the_example_prices_calls_as_the_page_says(
    prices: Prices, provider: str, model: str, tier: str, when: datetime, pico: int
) -> None:
    rate = applicable(prices.price(provider, model, tier), when, 1)

    assert rate
    assert rate.per_unit["input"] == pico


def test_every_class_is_in_the_table() -> None:
    assert [name for name in RATE_OF if f"| {name} |" not in PAGE] == []
