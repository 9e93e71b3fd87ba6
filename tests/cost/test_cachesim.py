"""Request hashes replayed through caches."""

import itertools
import random
from collections.abc import Callable, Sequence
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sdlc_cli.cost import cachesim, evictions
from sdlc_cli.cost.cachesim import CacheReport, Outcome
from sdlc_cli.cost.model import PICO, Amounts

KEYS = st.lists(st.integers(min_value=0, max_value=8), max_size=60)
CENT = 10**10


class Request(NamedTuple):
    ts: int | None
    request_hash: str
    pico: int


def requests(keys: str | Sequence[int], every_s: float = 1, pico: int = CENT) -> list[Request]:
    return [
        Request(round(i * every_s * 1e6), str(key), pico)
        for i, key in enumerate(keys)
        if key != " "
    ]


def outcome(report: CacheReport, policy: str, size: int | None) -> Outcome:
    (found,) = [o for o in report.outcomes if (o.policy, o.size) == (policy, size)]
    return found


# By hand, room for two. `.` is a miss, `h` a hit.
#   a b a c b a   LRU: a b hold; a hit; c drops b; b drops a; a drops c            -> 1 hit
#                 LFU: a has 2 uses, so c drops b, b drops c, a hit                -> 2 hits
#                 best: c is never needed again and not kept; a and b hit          -> 3 hits
@pytest.mark.parametrize(("policy", "hits"), [("lru", 1), ("lfu", 2), ("best", 3)])
def test_a_worked_example_of_each_policy(policy: str, hits: int) -> None:
    report = cachesim.simulate(requests("abacba"), sizes=[2])

    assert outcome(report, policy, 2).hits == hits
    assert outcome(report, policy, 2).saved_pico == hits * CENT


# ARC, c = 2: a: T1=a. b: T1=ab. a: hit, T1=b T2=a. c: L1 has 1 < 2, 2 keys known: REPLACE with
# p=0 moves b to B1; T1=c. b: in B1, p becomes 1, |T1|=1 is not above p: a goes to B2; T2=b.
# a: in B2, p becomes 0, c goes to B1; T2=ba. c: in B1, p=1, T1 is empty: b goes to B2; T2=ac.
# a: hit.
def test_arc_follows_the_paper_step_by_step() -> None:
    cache = evictions.Arc(2)

    assert [cache.access(ord(key)) for key in "abacbaca"] == [
        False, False, True, False, False, False, False, True,
    ]  # fmt: skip


def test_a_scan_does_not_flush_what_arc_knows_to_come_again() -> None:
    often = [1, 2, 3, 4] * 10
    trace = often + list(range(100, 200)) + often

    report = cachesim.simulate(requests(trace), sizes=[8])

    assert outcome(report, "arc", 8).hits == 36 + 40
    assert outcome(report, "lru", 8).hits == 36 + 36


def test_an_answer_is_used_until_it_is_too_old_and_a_use_does_not_renew_it() -> None:
    # Stored at 0; asked for at 40 s and 80 s: at 80 s it is older than a minute, and stored anew.
    report = cachesim.simulate(requests("aaaa", every_s=40), sizes=[1], ttl_seconds=60)

    assert {o.policy: o.hits for o in report.outcomes} == {
        "lru": 2, "lfu": 2, "arc": 2, "best": 2, "unlimited": 2,
    }  # fmt: skip


def test_an_answer_exactly_as_old_as_its_lifetime_is_stale() -> None:
    report = cachesim.simulate(requests("aa", every_s=60), ttl_seconds=60)

    assert outcome(report, "unlimited", None).hits == 0


def test_calls_that_do_not_tell_what_was_asked_are_counted_but_never_answered() -> None:
    calls = [Request(1, "", CENT), Request(2, "", CENT), Request(None, "a", CENT)]
    calls += [Request(3, "a", CENT), Request(4, "a", 3 * CENT)]

    report = cachesim.simulate(calls)

    assert (report.requests, report.left_out, report.distinct) == (2, 3, 1)
    assert report.spent_pico == 7 * CENT
    assert outcome(report, "unlimited", None).saved_pico == 3 * CENT
    assert report.hit_rate(outcome(report, "unlimited", None)) == pytest.approx(0.2)


def test_calls_that_are_in_the_total_alone_count_as_never_answered() -> None:
    total = Amounts(calls=10, pico=PICO)

    report = cachesim.simulate(requests("aab"), total=total)

    assert (report.requests, report.left_out, report.spent_pico) == (3, 7, PICO)
    assert report.hit_rate(outcome(report, "unlimited", None)) == pytest.approx(0.1)


def test_requests_are_replayed_in_order_of_time_whatever_their_order_in_the_log() -> None:
    shuffled = requests("abacba")
    random.Random(4).shuffle(shuffled)

    assert cachesim.simulate(shuffled, sizes=[2]) == cachesim.simulate(
        requests("abacba"), sizes=[2]
    )


def test_nothing_to_replay_gives_no_hits() -> None:
    report = cachesim.simulate([])

    assert report.hit_rate(report.outcomes[0]) == 0
    assert {o.hits for o in report.outcomes} == {0}


@pytest.mark.parametrize(("sizes", "ttl"), [([0], None), ([1, -1], None), ([], 0), ([], -1.0)])
def test_a_cache_without_room_or_lifetime_is_refused(sizes: list[int], ttl: float | None) -> None:
    with pytest.raises(ValueError, match="above 0"):
        cachesim.simulate([], sizes=sizes, ttl_seconds=ttl)


@pytest.mark.parametrize(
    ("distinct", "sizes"), [(0, [1]), (7, [7]), (11, [10]), (5_000, [10, 100, 1_000])]
)
def test_the_sizes_tried_are_below_the_number_of_different_requests(
    distinct: int, sizes: list[int]
) -> None:
    assert cachesim.default_sizes(distinct) == sizes


@given(KEYS, st.integers(min_value=1, max_value=9), st.none() | st.integers(1, 20))
def test_no_policy_answers_more_than_the_bounds(
    keys: list[int], size: int, ttl: int | None
) -> None:
    report = cachesim.simulate(requests(keys), sizes=[size], ttl_seconds=ttl)
    most = outcome(report, "unlimited", None)
    best = outcome(report, "best", size)

    assert best.hits <= most.hits
    assert all(outcome(report, p, size).hits <= best.hits for p in evictions.POLICIES)
    assert size < 9 or ttl is not None or best.hits == most.hits == len(keys) - len(set(keys))


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.integers(0, 3), max_size=9),
    st.integers(min_value=1, max_value=3),
)
def test_the_best_possible_is_what_trying_every_choice_finds(keys: list[int], size: int) -> None:
    assert len(evictions.optimum(keys, range(len(keys)), size, None)) == _most_hits(keys, size)


def _most_hits(keys: Sequence[int], size: int) -> int:
    """Every subset of what may be kept after every request, tried."""
    reached: dict[frozenset[int], int] = {frozenset(): 0}
    for key in keys:
        after: dict[frozenset[int], int] = {}
        for held, hits in reached.items():
            hits += key in held
            could = held | {key}
            for n in range(min(size, len(could)) + 1):
                for kept in itertools.combinations(sorted(could), n):
                    now = frozenset(kept)
                    after[now] = max(after.get(now, 0), hits)
        reached = after
    return max(reached.values())


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 5)), max_size=9), st.integers(1, 8))
def test_with_a_lifetime_keeping_all_is_the_most_there_can_be(
    steps: list[tuple[int, int]], ttl: int
) -> None:
    """Dropping a fresh answer so as to store it later never gains a hit: all choices are tried."""
    now, times, keys = 0, [], []
    for key, wait in steps:
        now += wait
        times.append(now)
        keys.append(key)
    calls = [Request(t * 1_000_000, str(k), 1) for t, k in zip(times, keys, strict=True)]
    report = cachesim.simulate(calls, ttl_seconds=ttl)

    best = 0
    for renewed in itertools.product([False, True], repeat=len(keys)):
        stored: dict[int, int] = {}
        hits = 0
        for key, at, again in zip(keys, times, renewed, strict=True):
            fresh = key in stored and at - stored[key] < ttl
            hits += fresh and not again
            if again or not fresh:
                stored[key] = at
        best = max(best, hits)

    assert outcome(report, "unlimited", None).hits == best


@given(KEYS, st.integers(min_value=1, max_value=9))
def test_lru_and_lfu_do_as_their_definition_says(keys: list[int], size: int) -> None:
    assert _replayed(evictions.Lru(size), keys) == _by_definition(keys, size, _lru_order)
    assert _replayed(evictions.Lfu(size), keys) == _by_definition(keys, size, _lfu_order)


def _replayed(cache: evictions.Policy, keys: Sequence[int]) -> list[bool]:
    return [cache.access(key) for key in keys]


Uses = dict[int, list[int]]  # of what is held: when it was asked for since it came in


def _lru_order(uses: Uses, key: int) -> tuple[int, ...]:
    return (uses[key][-1],)


def _lfu_order(uses: Uses, key: int) -> tuple[int, ...]:
    return (len(uses[key]), uses[key][-1])


def _by_definition(
    keys: Sequence[int], size: int, order: Callable[[Uses, int], tuple[int, ...]]
) -> list[bool]:
    held: Uses = {}
    hits = []
    for place, key in enumerate(keys):
        hits.append(key in held)
        if key not in held and len(held) == size:
            del held[min(held, key=lambda k: order(held, k))]
        held.setdefault(key, []).append(place)
    return hits


@given(KEYS, st.integers(min_value=1, max_value=6))
def test_arc_holds_no_more_than_its_room_and_remembers_no_more_than_twice_that(
    keys: list[int], size: int
) -> None:
    cache = evictions.Arc(size)
    for key in keys:
        cache.access(key)
        held = len(cache._t1) + len(cache._t2)
        seen_once = len(cache._t1) + len(cache._b1)
        assert held <= size
        assert seen_once <= size
        assert held + len(cache._b1) + len(cache._b2) <= 2 * size
        assert 0 <= cache._p <= size
