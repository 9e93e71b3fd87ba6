"""Money: integer pico-dollars inside, exact decimal dollars outside."""

from collections.abc import Iterable
from decimal import Decimal

PICO = 10**12  # pico-dollars in a dollar


def usd(pico: int) -> Decimal:
    """US dollars, exact at any size, with at least two decimals and no exponent when printed."""
    return Decimal(text(pico) or 0)


def text(pico: int | None) -> str | None:
    """Dollars as machines get them: "12.50", "0.000003", never an exponent; None stays None."""
    if pico is None:
        return None
    whole, part = divmod(abs(pico), PICO)
    digits = f"{part:012}".rstrip("0").ljust(2, "0")
    return f"{'-' if pico < 0 else ''}{whole}.{digits}"


def pico(dollars: Decimal) -> int:
    """Pico-dollars of an amount in US dollars; half-even where it has more than 12 decimals.

    Raises OverflowError on NaN and infinities.
    """
    if not dollars.is_finite():
        raise OverflowError(f"not an amount of money: {dollars}")
    sign, digits, exponent = dollars.as_tuple()
    assert isinstance(exponent, int)
    whole = int("".join(map(str, digits))) * (-1 if sign else 1)
    shift = exponent + 12
    return whole * 10**shift if shift >= 0 else _divided(whole, 10**-shift)


def decimals(amounts: Iterable[int | None]) -> int:
    """How many decimals people see of such pico-dollars: cents, below a dollar more."""
    largest = max((abs(a) for a in amounts if a is not None), default=0)
    if largest >= PICO or not largest:
        return 2
    return min(12, max(4, 2 + len(str(PICO)) - len(str(largest))))


def shown(amount: int) -> str:
    """Dollars for a sentence: "1,234.50", "0.0030"."""
    return f"{usd(amount):,.{decimals([amount])}f}"


def _divided(number: int, by: int) -> int:
    whole, rest = divmod(number, by)
    twice = 2 * rest
    return whole + (twice > by or (twice == by and whole % 2 == 1))
