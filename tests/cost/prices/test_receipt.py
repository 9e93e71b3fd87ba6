import json
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from sdlc_cli.core.render import markdown
from sdlc_cli.cost.config import PriceEntry
from sdlc_cli.cost.model import COUNTS, Row
from sdlc_cli.cost.prices.receipt import LABELS, REQUEST, as_json, receipt, table
from sdlc_cli.cost.prices.resolve import Prices

PRICES = Prices()


def micros(*when: int) -> int:
    return int(datetime(*when, tzinfo=UTC).timestamp()) * 10**6  # type: ignore[misc,arg-type]


def test_a_receipt_shows_every_line_and_their_sum(golden: Callable[[str, str], None]) -> None:
    row = Row(
        call_id="msg_1",
        provider="anthropic",
        model="claude-sonnet-4-5-20250929",
        ts=micros(2026, 11, 22, 9, 30),
        input=150_000,
        cache_read=100_000,
        output=1_000,
        web_searches=3,
    )
    made = receipt(row, PRICES.price(row.provider, row.model))

    assert made.pico == sum(line.pico for line in made.lines) == 1_012_500_000_000
    golden("cost/receipt.json", json.dumps(as_json(made), indent=2) + "\n")
    golden("cost/receipt.md", markdown(table(made)) + "\n")


def test_a_receipt_tells_the_hours_of_its_price() -> None:
    row = Row(ts=micros(2026, 11, 1, 2), input=10)
    made = receipt(row, PRICES.price("deepseek", "deepseek-v4-flash"))

    assert [str(reason) for reason in made.why] == [
        "made at 2026-11-01 02:00:00 UTC: the price valid since 2026-09-10",
        "the price of the hours from 01:00 to 04:00 UTC",
    ]


@pytest.mark.parametrize(
    ("day", "why"),
    [
        (1, "made at 2026-11-01 00:00:00 UTC: the price valid before 2026-11-05"),
        (
            5,
            "made at 2026-11-05 00:00:00 UTC: the price valid from 2026-11-05 to before 2026-11-08",
        ),
        (8, "made at 2026-11-08 00:00:00 UTC: the price valid since 2026-11-08"),
    ],
)
def test_a_receipt_tells_the_days_of_its_price(day: int, why: str) -> None:
    entry = PriceEntry(
        model="*",
        valid_from=date(2026, 11, 5),
        valid_to=date(2026, 11, 7),
        input=Decimal(1),
        output=Decimal(1),
    )
    row = Row(ts=micros(2026, 11, day), input=10)

    made = receipt(row, Prices(overrides=[entry]).price("openai", "gpt-4o"))

    assert [str(reason) for reason in made.why] == [why]


@pytest.mark.parametrize(
    ("row", "pico", "why"),
    [
        (Row(status="cached", input=10), 0, "nobody was paid"),
        (Row(known=False), None, "does not tell the tokens"),
        (Row(calls=3, input=600_000), 600_000 * 3_000_000, "3 calls in one record"),
        (Row(input=200_000), 200_000 * 3_000_000, "200,000 input tokens are not above 200,000"),
        (Row(input=200_001), 200_001 * 6_000_000, "200,001 input tokens are above 200,000"),
    ],
)
def test_a_receipt_says_why(row: Row, pico: int | None, why: str) -> None:
    made = receipt(row, PRICES.price("anthropic", "claude-sonnet-4-5"))

    assert made.pico == pico
    assert why in " ".join(map(str, made.why))


def test_an_unpriced_call_has_no_sum_but_a_bound() -> None:
    made = receipt(Row(input=10, output=5), PRICES.price("anthropic", "claude-opus-9"))
    unbounded = receipt(Row(input=10), PRICES.price("ollama", "zorp"))

    assert made.pico is None
    assert made.at_most_pico
    assert as_json(made)["cost_usd"] is None
    assert table(made).rows == ()
    assert unbounded.at_most_pico is None


def test_a_call_of_unknown_time_takes_the_latest_price() -> None:
    entries = [
        PriceEntry(model="m", valid_to=date(2026, 1, 31), input=Decimal(9), output=Decimal(9)),
        PriceEntry(model="m", valid_from=date(2026, 2, 1), input=Decimal(1), output=Decimal(1)),
    ]
    made = receipt(Row(input=10), Prices(overrides=entries).price("openai", "m"))

    assert made.pico == 10 * 10**6
    assert "the log does not tell when" in str(made.why[0])


def test_a_call_of_unknown_time_pays_the_dearest_hours_of_the_latest_price() -> None:
    made = receipt(Row(input=10), PRICES.price("deepseek", "deepseek-v4-flash"))

    assert made.pico == 10 * 300_000


def test_a_price_per_request_is_paid_for_every_call() -> None:
    entries = [PriceEntry(model="m", request=Decimal("0.5"), input=Decimal(1), output=Decimal(1))]
    made = receipt(Row(input=10, calls=4), Prices(overrides=entries).price("openai", "m"))

    assert made.pico == 2 * 10**12 + 10 * 10**6
    assert made.lines[-1].usd_per == Decimal("0.50")


def test_a_rounded_rate_is_told() -> None:
    entries = [PriceEntry(model="m", input=Decimal("0.0000001"), output=Decimal(1))]
    made = receipt(Row(input=10), Prices(overrides=entries).price("openai", "m"))

    assert str(made.why[-1]) == "a rate was rounded to whole pico-dollars"


def test_every_class_has_a_name_for_people() -> None:
    assert set(LABELS) == {*COUNTS, REQUEST}


def test_a_call_that_failed_before_it_used_anything_costs_nothing() -> None:
    made = receipt(Row(status="error", call_id="req-1"), PRICES.price("", "", ""))

    assert (made.pico, made.lines) == (0, ())
    assert "failed" in str(made.why[0])
