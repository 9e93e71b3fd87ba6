"""Our cache policies against libCacheSim's, on random and on skewed requests."""

import random
from collections.abc import Sequence
from itertools import accumulate

import pytest

from sdlc_cli.cost import evictions

sim = pytest.importorskip("libcachesim", reason="libcachesim is not installed")

pytestmark = pytest.mark.dev

COUNT = 6_000


def uniform(seed: int) -> list[int]:
    dice = random.Random(seed)
    return [dice.randrange(400) for _ in range(COUNT)]


def zipf(seed: int, exponent: float = 0.9, distinct: int = 1_500) -> list[int]:
    weights = list(accumulate(1 / rank**exponent for rank in range(1, distinct + 1)))
    return random.Random(seed).choices(range(distinct), cum_weights=weights, k=COUNT)


def with_scans(seed: int) -> list[int]:
    """Skewed requests with runs of keys that come once."""
    keys = zipf(seed)
    for start in range(0, COUNT, 1_000):
        keys[start : start + 200] = range(10_000 + start, 10_200 + start)
    return keys


TRACES = {
    "uniform": uniform(1),
    "zipf": zipf(2),
    "steep zipf": zipf(3, 1.3),
    "with scans": with_scans(4),
}


def theirs(name: str, keys: Sequence[int], size: int) -> int:
    cache = getattr(sim, name)(size, hashpower=16)
    hits = 0
    for key in keys:
        request = sim.Request()
        request.obj_id = key + 1
        request.obj_size = 1
        hits += cache.get(request)
    return hits


def ours(name: str, keys: Sequence[int], size: int) -> int:
    cache = evictions.POLICIES[name.lower()](size)
    return sum(cache.access(key) for key in keys)


@pytest.mark.parametrize("size", [1, 10, 100, 300])
@pytest.mark.parametrize("trace", TRACES)
@pytest.mark.parametrize("name", ["LRU", "LFU", "ARC"])
def test_a_policy_answers_what_libcachesim_answers(name: str, trace: str, size: int) -> None:
    keys = TRACES[trace]

    assert ours(name, keys, size) == theirs(name, keys, size)
