"""The slots that a schedule is built in, compiled: what is free, what fits where, who holds it."""

from typing import Any, Final, NamedTuple

import numpy as np

from sdlc_cli.plan.compiled import inner
from sdlc_cli.plan.instance import I64
from sdlc_cli.plan.packed import (
    BUDGETS,
    CALENDAR,
    DEMAND,
    HORIZON,
    LENGTH,
    TASKS,
    WORDS,
    Packed,
)

START: Final = 0
FINISH: Final = 1
MODE: Final = 2
FLEX: Final = 3  # 0: in this mode, 1: by whoever ends first, 2: in whatever mode ends first
ANCHOR: Final = 4  # no start before it
TOUCHED: Final = 0  # and 1: what is no longer clean, from and to
USED: Final = 2  # what all tasks use up of each consumable


class Room(NamedTuple):
    """What one worker builds a schedule in; used again for each."""

    free: I64  # (horizon, words)
    plan: I64  # (n, START..ANCHOR)
    log: I64


def room(packed: Packed, facts: I64) -> Room:
    """An empty room. `facts` are the starts, finishes and modes of what is not planned."""
    plan = np.zeros((packed.sizes[TASKS], 5), dtype=np.int64)
    plan[:, :3] = facts
    return Room(
        free=packed.clean.copy(),
        plan=plan,
        log=np.zeros(USED + packed.sizes[BUDGETS], dtype=np.int64),
    )


@inner
def wipe(p: Packed, w: Room) -> None:
    """Take everything planned out again."""
    for t in range(w.log[TOUCHED], w.log[TOUCHED + 1]):
        for k in range(p.sizes[WORDS]):
            w.free[t, k] = p.clean[t, k]
    w.log[TOUCHED] = p.sizes[HORIZON]
    w.log[TOUCHED + 1] = 0


@inner
def fits(p: Packed, free: I64, row: int, slot: int) -> bool:
    """Whether a slot has what a mode needs."""
    for k in range(p.sizes[WORDS]):
        if (free[slot, k] - p.mode[row, DEMAND + k]) & p.limit[k] != p.limit[k]:
            return False
    return True


@inner
def earliest(p: Packed, free: I64, row: int, begin: int, end: int, limit: int) -> Any:
    """The first start from `begin` on with a finish from `end` on and up to `limit`; or -1.

    Windows are looked at from behind: one slot without room rules out all starts up to it.
    """
    d = p.mode[row, LENGTH]
    c = p.mode[row, CALENDAR]
    if d == 0:
        first = max(begin, end)
        return first if first <= limit else -1
    if c == 0:
        t = max(begin, end - d)
        known = t
        while t + d <= limit:
            k = t + d - 1
            while k >= known and fits(p, free, row, k):
                k -= 1
            if k < known:
                return t
            known = t + d
            t = k + 1
        return -1
    if begin >= p.sizes[HORIZON] or end > p.sizes[HORIZON]:
        return -1
    stop = p.rank[c, p.sizes[HORIZON]]
    i = p.rank[c, begin]
    if end > 0:
        i = max(i, p.rank[c, end - 1] - d + 1)
    known = i
    while i + d <= stop and p.open[i + d - 1] < limit:
        k = i + d - 1
        while k >= known and fits(p, free, row, p.open[k]):
            k -= 1
        if k < known:
            return p.open[i]
        known = i + d
        i = k + 1
    return -1


@inner
def latest(p: Packed, free: I64, row: int, begin: int, end: int, floor: int) -> Any:
    """The last finish up to `end` with a start up to `begin`, not before `floor`; or -1."""
    d = p.mode[row, LENGTH]
    c = p.mode[row, CALENDAR]
    if d == 0:
        last = min(begin, end)
        return last if last >= floor else -1
    if c == 0:
        t = min(begin, end - d)
        known = t + d
        while t >= floor:
            k = t
            while k < known and fits(p, free, row, k):
                k += 1
            if k >= known:
                return t + d
            known = t
            t = k - d
        return -1
    if begin < 0 or end < 0:
        return -1
    first = p.rank[c, 0]
    i = p.rank[c, min(end, p.sizes[HORIZON])] - d
    i = min(i, p.rank[c, min(begin + 1, p.sizes[HORIZON])] - 1)
    known = i + d
    while i >= first and p.open[i] >= floor:
        k = i
        while k < known and fits(p, free, row, p.open[k]):
            k += 1
        if k >= known:
            return p.open[i + d - 1] + 1
        known = i
        i = k - d
    return -1


@inner
def finish_of(p: Packed, row: int, start: int) -> Any:
    """Where a mode begun in the open slot `start` ends."""
    d = p.mode[row, LENGTH]
    c = p.mode[row, CALENDAR]
    if c == 0 or d == 0:
        return start + d
    return p.open[p.rank[c, start] + d - 1] + 1


@inner
def start_of(p: Packed, row: int, finish: int) -> Any:
    """Where a mode that ends with the open slot before `finish` begins."""
    d = p.mode[row, LENGTH]
    c = p.mode[row, CALENDAR]
    if c == 0 or d == 0:
        return finish - d
    return p.open[p.rank[c, finish] - d]


@inner
def hold(p: Packed, w: Room, row: int, start: int, finish: int, sign: int) -> None:
    """Take what a mode needs out of its slots, or give it back."""
    d = p.mode[row, LENGTH]
    if d == 0:
        return
    w.log[TOUCHED] = min(w.log[TOUCHED], start)
    w.log[TOUCHED + 1] = max(w.log[TOUCHED + 1], finish)
    c = p.mode[row, CALENDAR]
    i = p.rank[c, start]
    for at in range(d):
        t = start + at if c == 0 else p.open[i + at]
        for k in range(p.sizes[WORDS]):
            w.free[t, k] -= sign * p.mode[row, DEMAND + k]
