"""What a cache of answers would have saved: past requests replayed through each policy."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from sdlc_cli.cost.evictions import POLICIES, Policy, optimum
from sdlc_cli.cost.model import Amounts

UNLIMITED = "unlimited"  # keeps every answer
BEST = "best"  # knows the future: no policy of its size answers more
MICRO = 1_000_000

SIZES = (10, 100, 1_000, 10_000, 100_000, 1_000_000)


class Request(Protocol):
    """One call, as `Usage.requests` gives it."""

    @property
    def ts(self) -> int | None:
        """Microseconds since 1970 in UTC."""

    @property
    def request_hash(self) -> str:
        """Empty where the log does not tell what was asked."""

    @property
    def pico(self) -> int:
        """What the call cost, in pico-dollars."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What one policy with room for `size` answers would have done."""

    policy: str  # lru, lfu, arc; `best` and `unlimited` are bounds, not policies
    size: int | None  # None: no limit
    hits: int
    saved_pico: int

    @property
    def is_bound(self) -> bool:
        """True for what no real cache of this size can exceed."""
        return self.policy in (BEST, UNLIMITED)


@dataclass(frozen=True, slots=True, kw_only=True)
class CacheReport:
    """What `sdlc cost cache` prints."""

    requests: int  # replayed
    distinct: int  # different requests among them
    left_out: int  # without a request hash or a time: never answered from a cache
    spent_pico: int  # of all, those left out too
    ttl_seconds: float | None
    outcomes: tuple[Outcome, ...]  # by size, policies before their bound; `unlimited` last

    def hit_rate(self, outcome: Outcome) -> float:
        """The share of all requests, those left out too, that the cache answers."""
        asked = self.requests + self.left_out
        return outcome.hits / asked if asked else 0.0


@dataclass(frozen=True, slots=True)
class _Trace:
    keys: Sequence[int]
    times: Sequence[int]
    pico: Sequence[int]


def simulate(
    requests: Iterable[Request],
    *,
    sizes: Sequence[int] = (),
    ttl_seconds: float | None = None,
    total: Amounts | None = None,
) -> CacheReport:
    """`simulate(usage.requests(where), ttl_seconds=3600)`: replays requests in order of time.

    `total` are the figures of all calls, `usage.report(by=(), where=where).totals`: `requests`
    lacks those without a hash, and hit rates are shares of all. Without it, of `requests`.
    `sizes` counts answers; none given, powers of ten below the number of different requests.
    An answer may be used until `ttl_seconds` after it was stored; a use does not renew it.
    Assumes that equal hashes would have had equal answers, that an answer is there at once, and
    that a lookup costs nothing. Raises ValueError for a size or lifetime that is not above 0.
    """
    if any(size < 1 for size in sizes) or (ttl_seconds is not None and ttl_seconds <= 0):
        raise ValueError("sizes and lifetimes are above 0")
    ttl = None if ttl_seconds is None else max(1, round(ttl_seconds * MICRO))
    trace, left_out, spent = _trace(requests)
    if total is not None:
        left_out, spent = total.calls - len(trace.keys), total.pico
    distinct = len(set(trace.keys))
    unlimited = _total(UNLIMITED, None, _hits(trace, _Everything(), ttl), trace)
    outcomes: list[Outcome] = []
    for size in sorted(set(sizes)) or default_sizes(distinct):
        for name, policy in POLICIES.items():
            outcomes.append(_total(name, size, _hits(trace, policy(size), ttl), trace))
        best = _total(BEST, size, optimum(trace.keys, trace.times, size, ttl), trace)
        outcomes.append(best if best.hits <= unlimited.hits else _as_best(unlimited, size))
    return CacheReport(
        requests=len(trace.keys),
        distinct=distinct,
        left_out=left_out,
        spent_pico=spent,
        ttl_seconds=ttl_seconds,
        outcomes=(*outcomes, unlimited),
    )


def default_sizes(distinct: int) -> list[int]:
    """The sizes worth trying where there are `distinct` requests: fewer than that, at least one."""
    return [size for size in SIZES if size < distinct] or [max(1, distinct)]


def _trace(
    requests: Iterable[Request],
) -> tuple[_Trace, int, int]:
    timed: list[tuple[int, int, int]] = []
    numbers: dict[str, int] = {}
    left_out = spent = 0
    for request in requests:
        spent += request.pico
        if request.ts is None or not request.request_hash:
            left_out += 1
            continue
        key = numbers.setdefault(request.request_hash, len(numbers))
        timed.append((request.ts, key, request.pico))
    timed.sort(key=lambda one: one[0])
    trace = _Trace([k for _, k, _ in timed], [t for t, _, _ in timed], [p for _, _, p in timed])
    return trace, left_out, spent


class _Everything:
    """A cache without a limit."""

    def __init__(self) -> None:
        self._held: set[int] = set()

    def access(self, key: int) -> bool:
        held = key in self._held
        self._held.add(key)
        return held


def _hits(trace: _Trace, policy: Policy, ttl: int | None) -> list[int]:
    """The places that were answered. A stale answer keeps its room until it is asked for again."""
    access = policy.access
    if ttl is None:
        return [place for place, key in enumerate(trace.keys) if access(key)]
    hits: list[int] = []
    stored: dict[int, int] = {}
    for place, (key, now) in enumerate(zip(trace.keys, trace.times, strict=True)):
        if access(key) and now - stored[key] < ttl:
            hits.append(place)
        else:
            stored[key] = now
    return hits


def _total(policy: str, size: int | None, hits: Sequence[int], trace: _Trace) -> Outcome:
    saved = sum(trace.pico[place] for place in hits)
    return Outcome(policy=policy, size=size, hits=len(hits), saved_pico=saved)


def _as_best(unlimited: Outcome, size: int) -> Outcome:
    return Outcome(policy=BEST, size=size, hits=unlimited.hits, saved_pico=unlimited.saved_pico)
