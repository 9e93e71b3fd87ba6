"""What is a count and what only looks like one."""

from decimal import Decimal

import pytest

from sdlc_cli.cost.model import Rejected
from sdlc_cli.cost.readers.counts import count, optional


@pytest.mark.parametrize("value", [0, 1, 2**53 - 1, Decimal("12.0"), Decimal("1e3"), 7.0])
def test_a_whole_number_is_a_count(value: object) -> None:
    found = count({"n": value}, "n")

    assert type(found) is int
    assert found == value
    assert optional({"n": value}, "n") == value


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (True, "n is not a number"),
        (False, "n is not a number"),
        ("12", "n is not a number"),
        ([], "n is not a number"),
        ({}, "n is not a number"),
        (Decimal("NaN"), "n is not a number"),
        (float("nan"), "n is too large"),
        (float("inf"), "n is too large"),
        (-1, "n is negative"),
        (Decimal("-0.5"), "n is negative"),
        (2**53, "n is too large"),
        (10**40, "n is too large"),
        (Decimal("1e999999"), "n is too large"),
        (Decimal("1.5"), "n is not a whole number"),
        (Decimal("1e-999999"), "n is not a whole number"),
    ],
)
def test_anything_else_is_refused_by_name(value: object, reason: str) -> None:
    with pytest.raises(Rejected, match=reason):
        count({"n": value}, "n")
    with pytest.raises(Rejected, match=reason):
        optional({"n": value}, "n")


@pytest.mark.parametrize("record", [{}, {"n": None}])
def test_a_missing_count_is_zero_or_unknown(record: dict[str, object]) -> None:
    assert count(record, "n") == 0
    assert optional(record, "n") is None
