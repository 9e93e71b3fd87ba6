"""What a prompt cache would save: repeated beginnings of prompts, replayed at their prices."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol

from sdlc_cli.cost.model import Price, Rate
from sdlc_cli.cost.prices.receipt import applicable

LEAST_TOKENS = 1_024  # shorter beginnings are not cached; some models want up to 4,096
# Seconds that a beginning is kept after its last use, by the name of the class that a write is
# priced as.
LIFETIMES: Mapping[str, int] = {"cache_write_5m": 300, "cache_write_1h": 3_600}

_MICRO = 1_000_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class PrefixUse(Protocol):
    """One call whose prompt may begin as others do, as `Usage.requests` gives it."""

    @property
    def ts(self) -> int | None:
        """Microseconds since 1970 in UTC."""

    @property
    def prefix_hash(self) -> str:
        """Empty where the log does not tell how the prompt begins."""

    @property
    def prefix_tokens(self) -> int:
        """How long the beginning is."""

    @property
    def tokens_in(self) -> int:
        """All input tokens: what the thresholds of prices are compared with."""

    @property
    def tokens_uncached(self) -> int:
        """Of these, the ones neither read from nor written to a cache."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Caching:
    """What caching the beginnings for which it pays would have done. Money in pico-dollars."""

    lifetime_s: int
    prefixes: int
    calls: int  # with one of these beginnings
    writes: int
    tokens_written: int
    reads: int
    tokens_read: int
    saved_pico: int  # by reads, less what writes cost above plain input


@dataclass(slots=True)
class _Tally:
    writes: int = 0
    written: int = 0
    reads: int = 0
    read: int = 0
    saved: int = 0
    last: int = -(10**18)


def best_caching(
    uses: Iterable[PrefixUse],
    price: Price,
    *,
    least_tokens: int = LEAST_TOKENS,
) -> Caching | None:
    """The lifetime that saves most for calls of one model, or None where nothing is saved.

    A use keeps a beginning for its lifetime anew. A call that is unpriced at its time, has no
    time, or whose beginning was cached already (less uncached input than the beginning is long)
    is left as it is. Only beginnings are cached that save more by reads than they cost by writes.
    """
    known = (use for use in uses if _counts(use, least_tokens))
    ordered = sorted(known, key=lambda use: use.ts or 0)
    found = [_replayed(ordered, price, written) for written in LIFETIMES]
    best = max(found, key=lambda one: one.saved_pico)
    return best if best.saved_pico > 0 else None


def _counts(use: PrefixUse, least_tokens: int) -> bool:
    return (
        use.ts is not None
        and use.prefix_hash != ""
        and use.prefix_tokens >= least_tokens
        and use.tokens_uncached >= use.prefix_tokens
    )


def _offered(rate: Rate, written: str) -> bool:
    """Who does not sell the long lifetime at a price of its own gives only the short one."""
    return written != "cache_write_1h" or rate.per_unit[written] != rate.per_unit["cache_write_5m"]


def _replayed(ordered: Iterable[PrefixUse], price: Price, written: str) -> Caching:
    lifetime = LIFETIMES[written]
    tallies: dict[str, _Tally] = {}
    for use in ordered:
        assert use.ts is not None
        rate = applicable(price, _EPOCH + timedelta(microseconds=use.ts), use.tokens_in)
        if rate is None or not _offered(rate, written):
            continue
        tally = tallies.setdefault(use.prefix_hash, _Tally())
        plain = rate.per_unit["input"]
        if use.ts - tally.last < lifetime * _MICRO:
            tally.reads += 1
            tally.read += use.prefix_tokens
            tally.saved += use.prefix_tokens * (plain - rate.per_unit["cache_read"])
        else:
            tally.writes += 1
            tally.written += use.prefix_tokens
            tally.saved -= use.prefix_tokens * (rate.per_unit[written] - plain)
        tally.last = use.ts
    paying = [tally for tally in tallies.values() if tally.saved > 0]
    return Caching(
        lifetime_s=lifetime,
        prefixes=len(paying),
        calls=sum(tally.writes + tally.reads for tally in paying),
        writes=sum(tally.writes for tally in paying),
        tokens_written=sum(tally.written for tally in paying),
        reads=sum(tally.reads for tally in paying),
        tokens_read=sum(tally.read for tally in paying),
        saved_pico=sum(tally.saved for tally in paying),
    )
