"""The query and the receipt choose the same rate for the same call."""

import random
from datetime import UTC, datetime, timedelta

import duckdb

from sdlc_cli.cost.engine.pricing import TOTAL_INPUT, Priced, seg
from sdlc_cli.cost.model import Price
from sdlc_cli.cost.prices.receipt import applicable
from sdlc_cli.cost.prices.resolve import Prices

SIZES = [0, 100, 128_000, 128_001, 200_000, 200_001, 272_000, 272_001, 500_000]
Call = tuple[datetime | None, int]


def choices() -> dict[str, Price]:
    """One price for each way in the catalogue to choose between rates, by its SQL."""
    prices = Prices()
    return {
        seg(Priced(pms=("",), prices=(price,))): price
        for tier in ("", "batch", "priority")
        for price in prices.listed(tier=tier)
        if len(price.rates) > 1
    }


def drawn(chance: random.Random) -> list[Call]:
    start = datetime(2024, 1, 1, tzinfo=UTC)
    times = [start + timedelta(seconds=chance.randrange(94_608_000)) for _ in range(60)]
    return [(when, chance.choice(SIZES)) for when in [*times, None, None]]


def test_the_query_prices_every_call_as_its_receipt_does() -> None:
    chance, found = random.Random(3), choices()
    base = duckdb.connect(config={"threads": 1})
    for sql, price in found.items():
        calls = drawn(chance)
        rows = [
            (place, None if when is None else int(when.timestamp()) * 10**6, tokens)
            for place, (when, tokens) in enumerate(calls)
        ]
        values = ", ".join(f"({p}, {'NULL' if t is None else t}::BIGINT, {n})" for p, t, n in rows)
        chosen = base.execute(
            f"SELECT {sql.replace(TOTAL_INPUT, 'tokens')} FROM (SELECT *, 1 AS calls"
            f" FROM (VALUES {values}) AS v(place, ts, tokens)) ORDER BY place"
        ).fetchall()

        assert [price.rates[place] for (place,) in chosen] == [
            applicable(price, when, tokens) for when, tokens in calls
        ], (price.provider, price.model)

    assert len(found) > 50
