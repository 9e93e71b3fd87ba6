"""A population of lists and modes, compiled: what it is made of, its dice, who weighs less."""

from typing import Any, Final, NamedTuple

import numpy as np

from sdlc_cli.plan.compiled import inner
from sdlc_cli.plan.instance import F64, I32, I64
from sdlc_cli.plan.packed import TASKS, UNITS, Packed

NOWHERE: Final = 1e300  # the weight of what has no schedule
MISSED, AMOUNT = range(2)  # of `weight`: no amount makes up for a missed limit
_PRIME: Final = 2147483647
DICE, MADE, BORN, GIVEN = range(4)  # of `state`; the first GIVEN members are not drawn
CHILD, COUNT, MARK, STAMP = range(4)  # of `desk`
SWAPS, MODES, LOOSE, TOURNAMENT = range(4)  # of `habit`


class Herd(NamedTuple):
    """A population: an order of units and a mode for each task, and what it weighs."""

    order: I32  # (size, units)
    gene: I32  # (size, n) twice a mode, plus one where the task waits for its wished start
    weight: F64  # (size, MISSED..AMOUNT)
    habit: F64  # how often neighbours swap, modes change; how many tasks choose their mode
    desk: I64  # (4, units) to work on
    state: I64
    best: F64  # (MISSED..AMOUNT)
    best_plan: I64  # (n, 3)


def herd(p: Packed, facts: I64, size: int, seed: int, habit: tuple[float, ...]) -> Herd:
    """An unborn population."""
    units, n = int(p.sizes[UNITS]), int(p.sizes[TASKS])
    return Herd(
        order=np.zeros((size, units), dtype=np.int32),
        gene=np.zeros((size, n), dtype=np.int32),
        weight=np.full((size, 2), NOWHERE),
        habit=np.array(habit),
        desk=np.zeros((4, units), dtype=np.int64),
        state=np.array([seed % (_PRIME - 1) + 1, 0, 0, 0], dtype=np.int64),
        best=np.full(2, NOWHERE),
        best_plan=facts.copy(),
    )


@inner
def roll(dice: I64, n: int) -> Any:
    """A number from 0 to n - 1 (the minimal standard generator: alike in Python and compiled)."""
    dice[0] = dice[0] * 48271 % 2147483647
    return dice[0] % n


@inner
def chance(dice: I64) -> Any:
    """A number in [0, 1)."""
    dice[0] = dice[0] * 48271 % 2147483647
    return dice[0] / 2147483647.0


@inner
def less(missed: float, amount: float, than_missed: float, than_amount: float) -> bool:
    """Whether one weight is the smaller one."""
    return missed < than_missed or (missed == than_missed and amount < than_amount)


@inner
def lighter(h: Herd, a: int, b: int) -> bool:
    """Whether one member weighs less than another."""
    return less(h.weight[a, MISSED], h.weight[a, AMOUNT], h.weight[b, MISSED], h.weight[b, AMOUNT])


@inner
def pick(h: Herd) -> Any:
    """The best of a few members."""
    best = roll(h.state, len(h.weight))
    for _ in range(int(h.habit[TOURNAMENT]) - 1):
        other = roll(h.state, len(h.weight))
        if lighter(h, other, best):
            best = other
    return best
