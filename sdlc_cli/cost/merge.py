"""Two records of one call made one: the better one, with what only the other knows."""

from collections.abc import Callable
from operator import attrgetter

from msgspec import structs

from sdlc_cli.cost.model import COUNTS, TOKENS, Row

TIERS = ("batch", "flex", "priority", "fast")
# What a record that does not count may know.
LENT = ("ts", "project", "user", "key", "tags", "max_output", "request_hash")
OWN = 1  # rank of a span that the provider's own library made
AGENT = -8  # rank of the sum that an agent tells: of no call, where any call below it is known
_NOTHING = ("", None)
_tokens: Callable[[Row], tuple[int, ...]] = attrgetter(*TOKENS)
_counts: Callable[[Row], tuple[int, ...]] = attrgetter(*COUNTS)


def merit(row: Row) -> tuple[int, ...]:
    """The rank of a row among those of its call: the highest counts, of equals the first.

    `engine.settle` has the same in SQL.
    """
    return (
        row.rank,
        row.known,
        sum(_tokens(row)),
        row.tier in TIERS,
        sum(count > 0 for count in _counts(row)),
        row.cache_write_1h > 0,
        row.ts is not None,
        row.project != "",
    )


def merged(*rows: Row) -> Row:
    """The row that counts for a call of which all these tell, in the order in which they came."""
    winner = max(rows, key=merit)  # of equals the first
    lent = {
        name: min(known)
        for name in LENT
        if getattr(winner, name) in _NOTHING
        and (known := [told for row in rows if (told := getattr(row, name)) not in _NOTHING])
    }
    return structs.replace(winner, **lent) if lent else winner


def join(row: Row, dedupe: str, rank: int, known: bool) -> None:
    """Has `row` tell of the same call as a row below it, and count only where that knows less."""
    row.dedupe = dedupe
    if row.rank != AGENT:
        row.rank = rank - 1 if known else rank
