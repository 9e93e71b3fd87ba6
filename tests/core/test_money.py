"""Pico-dollars and dollars."""

from decimal import Decimal, localcontext

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sdlc_cli.core import money


@pytest.mark.parametrize(
    ("pico", "text"),
    [
        (0, "0.00"),
        (12_500_000_000_000, "12.50"),
        (3_000_000, "0.000003"),
        (1, "0.000000000001"),
        (-1_522_500_000_000, "-1.5225"),
        (10**40, "1" + "0" * 28 + ".00"),
        (None, None),
    ],
)
def test_machines_get_money_whole_and_without_an_exponent(
    pico: int | None, text: str | None
) -> None:
    assert money.text(pico) == text


@given(st.integers(min_value=-(10**45), max_value=10**45))
def test_money_survives_the_way_out_and_in_whatever_the_context(pico: int) -> None:
    with localcontext() as context:
        context.prec = 3
        assert money.pico(money.usd(pico)) == pico
        assert money.pico(Decimal(money.text(pico) or "")) == pico


@pytest.mark.parametrize(
    ("dollars", "pico"),
    [
        ("2.5", 2_500_000_000_000),
        ("1e3", 10**15),
        ("0.0000000000005", 0),
        ("0.0000000000015", 2),
        ("0.0000000000025", 2),
        ("-0.0000000000015", -2),
        ("0.00000000000051", 1),
    ],
)
def test_money_finer_than_a_pico_dollar_is_rounded_half_even(dollars: str, pico: int) -> None:
    assert money.pico(Decimal(dollars)) == pico


@pytest.mark.parametrize("text", ["NaN", "Infinity", "-Infinity"])
def test_what_is_no_number_is_no_money(text: str) -> None:
    with pytest.raises(OverflowError):
        money.pico(Decimal(text))


@pytest.mark.parametrize(
    ("amounts", "decimals"),
    [([], 2), ([0], 2), ([10**12], 2), ([5 * 10**11], 4), ([1], 12), ([2 * 10**9, None], 5)],
)
def test_small_amounts_show_more_decimals(amounts: list[int | None], decimals: int) -> None:
    assert money.decimals(amounts) == decimals


@pytest.mark.parametrize(
    ("pico", "text"),
    [
        (1_234_500_000_000_000, "1,234.50"),
        (3 * 10**9, "0.00300"),
        (0, "0.00"),
        (-(10**11), "-0.1000"),
    ],
)
def test_a_sentence_shows_money_short(pico: int, text: str) -> None:
    assert money.shown(pico) == text
