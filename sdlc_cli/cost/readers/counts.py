"""Token counts as logs give them: whole numbers, and nothing that only looks like one."""

from decimal import Decimal

from sdlc_cli.core.i18n import msg
from sdlc_cli.cost.model import Rejected
from sdlc_cli.cost.readers import Record

BOUND = 2**53  # counts stay below; beyond it other programs would have rounded them already


def count(record: Record, key: str) -> int:
    """The count under `key`, 0 where it is missing or null.

    Raises Rejected for a bool, text, a fraction, a negative number and one of `BOUND` or more.
    A float without a fraction, as some tables give them, is a count.
    """
    value = record.get(key)
    if type(value) is int and 0 <= value < BOUND:
        return value
    if value is None:
        return 0
    return whole(value, key)


def optional(record: Record, key: str) -> int | None:
    """As `count`, but None where it is missing or null."""
    value = record.get(key)
    return None if value is None else whole(value, key)


def whole(value: object, key: str) -> int:
    """`value` as a count, `key` being its name in the reason. Raises Rejected as `count` does."""
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        raise Rejected(msg("{key} is not a number", key=key))
    if isinstance(value, Decimal) and not value.is_finite():
        raise Rejected(msg("{key} is not a number", key=key))
    if value < 0:
        raise Rejected(msg("{key} is negative", key=key))
    if not value < BOUND:  # a float that is not a number is not below it either
        raise Rejected(msg("{key} is too large", key=key))
    if value % 1:
        raise Rejected(msg("{key} is not a whole number", key=key))
    return int(value)
