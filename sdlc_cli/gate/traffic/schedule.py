"""When each request is due: fixed beforehand, whatever the answers do (open loop)."""

import math
import random
from collections.abc import Sequence


def constant(rate: float, seconds: float) -> tuple[float, ...]:
    """Moments from 0, `1 / rate` seconds apart, all before `seconds`; at least one."""
    count = max(math.ceil(rate * seconds - 1e-9), 1)
    return tuple(number / rate for number in range(count))


def poisson(rate: float, seconds: float, seed: int) -> tuple[float, ...]:
    """Moments as independent users make them, `rate` a second on average; at least one.

    The gaps are exponential; the same seed gives the same moments on every machine.
    """
    draw = random.Random(seed)
    moments = [0.0]
    while (later := moments[-1] + draw.expovariate(rate)) < seconds:
        moments.append(later)
    return tuple(moments)


def bursts(size: int, rounds: int, every: float) -> tuple[float, ...]:
    """`size` requests at one moment, `rounds` times, `every` seconds apart."""
    return tuple(number * every for number in range(rounds) for _ in range(size))


def spread(weights: Sequence[float], count: int) -> tuple[int, ...]:
    """Which kind of request each of `count` arrivals is, as evenly mixed as `weights` allow.

    Smooth weighted round robin: after any number of arrivals no kind is more than one request
    away from its share. A kind of weight 0 never comes.
    """
    total = sum(weights)
    owed = [0.0] * len(weights)
    chosen: list[int] = []
    for _ in range(count):
        owed = [debt + weight for debt, weight in zip(owed, weights, strict=True)]
        pick = max(range(len(owed)), key=lambda kind: (owed[kind], -kind))
        owed[pick] -= total
        chosen.append(pick)
    return tuple(chosen)
