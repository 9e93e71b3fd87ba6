"""One population of lists and modes, compiled: parents, a child, its schedule, its place."""

from typing import Any, Final, NamedTuple

import numpy as np

from sdlc_cli.plan.compiled import jit
from sdlc_cli.plan.instance import F64, I32, I64
from sdlc_cli.plan.packed import (
    AFTER_FROM,
    AFTER_TO,
    BEFORE,
    BUDGETS,
    FIRST,
    LENGTH,
    MODE_FROM,
    MODE_TO,
    STOP,
    SWAPPED,
    TAIL,
    TASKS,
    UNITS,
    USE,
    WORDS,
    Packed,
)
from sdlc_cli.plan.sgs import (
    FINISH,
    FLEX,
    MODE,
    START,
    USED,
    Room,
    backward,
    count_use,
    forward,
    key,
)

NOWHERE: Final = 1e300  # the weight of what has no schedule
_PRIME: Final = 2147483647
DICE: Final = 0
MADE: Final = 1
CHILD: Final = 0
COUNT: Final = 1
MARK: Final = 2
STAMP: Final = 3


class Herd(NamedTuple):
    """A population: an order of units and a mode for each task, and what it weighs."""

    order: I32  # (size, units)
    mode: I32  # (size, n)
    weight: F64  # (size)
    desk: I64  # (4, units) to work on
    state: I64  # random numbers, schedules made
    best: F64  # (1)
    best_plan: I64  # (n, 3)


def herd(p: Packed, facts: I64, size: int, seed: int) -> Herd:
    """An unborn population."""
    units, n = int(p.sizes[UNITS]), int(p.sizes[TASKS])
    return Herd(
        order=np.zeros((size, units), dtype=np.int32),
        mode=np.zeros((size, n), dtype=np.int32),
        weight=np.full(size, NOWHERE),
        desk=np.zeros((4, units), dtype=np.int64),
        state=np.array([seed % (_PRIME - 1) + 1, 0], dtype=np.int64),
        best=np.full(1, NOWHERE),
        best_plan=facts.copy(),
    )


@jit
def roll(dice: I64, n: int) -> Any:
    """A number from 0 to n - 1 (the minimal standard generator: alike in Python and compiled)."""
    dice[0] = dice[0] * 48271 % 2147483647
    return dice[0] % n


@jit
def chance(dice: I64) -> Any:
    """A number in [0, 1)."""
    dice[0] = dice[0] * 48271 % 2147483647
    return dice[0] / 2147483647.0


@jit
def settle(p: Packed, h: Herd, order: I32) -> None:
    """Put what has to come first before what waits for it, the order kept where it can be."""
    for u in range(p.sizes[UNITS]):
        h.desk[COUNT, u] = p.unit[u, BEFORE]
        h.desk[MARK, u] = 0
    done = 0
    while done < p.sizes[UNITS]:
        for i in range(p.sizes[UNITS]):
            u = order[i]
            if h.desk[MARK, u] == 0 and h.desk[COUNT, u] == 0:
                h.desk[MARK, u] = 1
                h.desk[CHILD, done] = u
                done += 1
                for k in range(p.unit[u, AFTER_FROM], p.unit[u, AFTER_TO]):
                    h.desk[COUNT, p.many[k]] -= 1
    for i in range(p.sizes[UNITS]):
        order[i] = h.desk[CHILD, i]


@jit
def by_time(p: Packed, w: Room, h: Herd, order: I32, finishes: bool) -> None:
    """Sort units by their finish, or their start; earlier units of the project first in ties."""
    for u in range(p.sizes[UNITS]):
        stamp = 0
        for i in range(p.unit[u, FIRST], p.unit[u, STOP]):
            j = p.many[i]
            stamp = max(stamp, w.plan[j, FINISH] if finishes else w.plan[j, START])
        h.desk[STAMP, u] = stamp
    sorted_ = np.argsort(h.desk[STAMP], kind="mergesort")
    for i in range(p.sizes[UNITS]):
        order[i] = sorted_[i]
    if p.sizes[SWAPPED]:
        settle(p, h, order)


@jit
def draw_order(p: Packed, h: Herd, order: I32) -> None:
    """A random list, those first more often that have a long way to go."""
    for u in range(p.sizes[UNITS]):
        h.desk[COUNT, u] = p.unit[u, BEFORE]
    ready = 0
    for u in range(p.sizes[UNITS]):
        if h.desk[COUNT, u] == 0:
            h.desk[MARK, ready] = u
            ready += 1
    for i in range(p.sizes[UNITS]):
        pick = roll(h.state, ready)
        for _ in range(2):
            other = roll(h.state, ready)
            if p.unit[h.desk[MARK, other], TAIL] > p.unit[h.desk[MARK, pick], TAIL]:
                pick = other
        u = h.desk[MARK, pick]
        order[i] = u
        ready -= 1
        h.desk[MARK, pick] = h.desk[MARK, ready]
        for k in range(p.unit[u, AFTER_FROM], p.unit[u, AFTER_TO]):
            v = p.many[k]
            h.desk[COUNT, v] -= 1
            if h.desk[COUNT, v] == 0:
                h.desk[MARK, ready] = v
                ready += 1


@jit
def draw_row(p: Packed, h: Herd, j: int) -> Any:
    """A random mode: any way to do the task first, then anybody who can."""
    low, high = p.task[j, MODE_FROM], p.task[j, MODE_TO]
    row = low + roll(h.state, high - low)
    if h.state[0] % 3 == 0:
        other = low + roll(h.state, high - low)
        if p.mode[other, LENGTH] < p.mode[row, LENGTH]:
            row = other
    return row


@jit
def excess_after(p: Packed, w: Room, j: int, row: int) -> Any:
    """How far the budgets are overdrawn, as shares, once a task is done in another mode."""
    over = 0.0
    for k in range(p.sizes[BUDGETS]):
        used = (
            w.log[USED + k]
            - p.mode[w.plan[j, MODE], p.sizes[USE] + k]
            + p.mode[row, p.sizes[USE] + k]
            - p.limit[p.sizes[WORDS] + k]
        )
        if used > 0:
            over += used / max(1, p.limit[p.sizes[WORDS] + k])
    return over


@jit
def afford(p: Packed, w: Room, h: Herd) -> None:
    """Change modes at random until the budgets hold, or no single change helps."""
    if p.sizes[BUDGETS] == 0:
        return
    count_use(p, w)
    over = excess_after(p, w, 0, w.plan[0, MODE])
    idle = 0
    while over > 0 and idle < 2 * p.sizes[TASKS]:
        j = roll(h.state, p.sizes[TASKS])
        low, high = p.task[j, MODE_FROM], p.task[j, MODE_TO]
        row = low + roll(h.state, high - low)
        less = excess_after(p, w, j, row)
        if less < over:
            for k in range(p.sizes[BUDGETS]):
                w.log[USED + k] += (
                    p.mode[row, p.sizes[USE] + k] - p.mode[w.plan[j, MODE], p.sizes[USE] + k]
                )
            w.plan[j, MODE] = row
            over = less
            idle = 0
        else:
            idle += 1
    while over > 0:
        best, task, to = over, -1, 0
        for j in range(p.sizes[TASKS]):
            for row in range(p.task[j, MODE_FROM], p.task[j, MODE_TO]):
                less = excess_after(p, w, j, row)
                if less < best:
                    best, task, to = less, j, row
        if task < 0:
            return
        for k in range(p.sizes[BUDGETS]):
            w.log[USED + k] += (
                p.mode[to, p.sizes[USE] + k] - p.mode[w.plan[task, MODE], p.sizes[USE] + k]
            )
        w.plan[task, MODE] = to
        over = best


@jit
def judge(p: Packed, w: Room, h: Herd, order: I32, weights: F64) -> Any:
    """The weight of the schedule of `order` and the room's modes, justified; both are updated."""
    h.state[MADE] += 1
    if not forward(p, w, order):
        return 1e300
    note = remember(p, w, h, weights)
    top = 0
    for u in range(p.sizes[UNITS]):
        for i in range(p.unit[u, FIRST], p.unit[u, STOP]):
            top = max(top, w.plan[p.many[i], FINISH])
    by_time(p, w, h, order, True)
    h.state[MADE] += 1
    if not backward(p, w, order, top):
        return note
    by_time(p, w, h, order, False)
    h.state[MADE] += 1
    if not forward(p, w, order):
        return note
    note = remember(p, w, h, weights)
    by_time(p, w, h, order, False)
    return note


@jit
def remember(p: Packed, w: Room, h: Herd, weights: F64) -> Any:
    """The weight of the schedule in the room, which is kept if it is the best."""
    value = key(p, w, weights)
    if value < h.best[0]:
        h.best[0] = value
        for j in range(p.sizes[TASKS]):
            for k in range(3):
                h.best_plan[j, k] = w.plan[j, k]
    return value


@jit
def born(p: Packed, w: Room, h: Herd, weights: F64, first: int, last: int) -> None:
    """Random members of the population."""
    for m in range(first, last):
        order = h.order[m]
        draw_order(p, h, order)
        loose = roll(h.state, 3)
        for j in range(p.sizes[TASKS]):
            w.plan[j, MODE] = draw_row(p, h, j)
            w.plan[j, FLEX] = loose
        afford(p, w, h)
        h.weight[m] = judge(p, w, h, order, weights)
        for j in range(p.sizes[TASKS]):
            h.mode[m, j] = w.plan[j, MODE]


@jit
def pick(h: Herd) -> Any:
    """The better of two members."""
    a = roll(h.state, len(h.weight))
    b = roll(h.state, len(h.weight))
    return a if h.weight[a] <= h.weight[b] else b


@jit
def mix(p: Packed, w: Room, h: Herd, a: int, b: int) -> None:
    """A child of two: the head and the end of one's order, between them the order of the other."""
    for u in range(p.sizes[UNITS]):
        h.desk[MARK, u] = 0
    q = roll(h.state, p.sizes[UNITS] + 1)
    r = roll(h.state, p.sizes[UNITS] + 1)
    if q > r:
        q, r = r, q
    for j in range(p.sizes[TASKS]):
        w.plan[j, MODE] = h.mode[a, j]
    for i in range(q):
        u = h.order[a, i]
        h.desk[CHILD, i] = u
        h.desk[MARK, u] = 1
    i = q
    k = 0
    while i < r:
        u = h.order[b, k]
        k += 1
        if h.desk[MARK, u] == 0:
            h.desk[MARK, u] = 1
            h.desk[CHILD, i] = u
            i += 1
            for t in range(p.unit[u, FIRST], p.unit[u, STOP]):
                w.plan[p.many[t], MODE] = h.mode[b, p.many[t]]
    k = 0
    while i < p.sizes[UNITS]:
        u = h.order[a, k]
        k += 1
        if h.desk[MARK, u] == 0:
            h.desk[CHILD, i] = u
            i += 1


@jit
def mutate(p: Packed, w: Room, h: Herd) -> None:
    """Swap neighbours that do not wait for each other; try other modes."""
    for i in range(p.sizes[UNITS] - 1):
        if chance(h.state) < 0.05:
            u, v = h.desk[CHILD, i], h.desk[CHILD, i + 1]
            linked = False
            for k in range(p.unit[u, AFTER_FROM], p.unit[u, AFTER_TO]):
                if p.many[k] == v:
                    linked = True
            if not linked:
                h.desk[CHILD, i], h.desk[CHILD, i + 1] = v, u
    share = 0.5 + 2.0 * chance(h.state)
    loose = chance(h.state)
    loose = loose * loose
    for j in range(p.sizes[TASKS]):
        if chance(h.state) * p.sizes[TASKS] < share:
            w.plan[j, MODE] = draw_row(p, h, j)
        w.plan[j, FLEX] = 0
        if chance(h.state) < loose:
            w.plan[j, FLEX] = 1 + roll(h.state, 2)


@jit
def breed(p: Packed, w: Room, h: Herd, weights: F64, schedules: int) -> None:
    """Children, one after the other, until `schedules` are made; the worse of two makes room."""
    until = h.state[MADE] + schedules
    child = np.zeros(p.sizes[UNITS], dtype=np.int32)
    while h.state[MADE] < until:
        a, b = pick(h), pick(h)
        mix(p, w, h, a, b)
        mutate(p, w, h)
        afford(p, w, h)
        for i in range(p.sizes[UNITS]):
            child[i] = h.desk[CHILD, i]
        value = judge(p, w, h, child, weights)
        x = roll(h.state, len(h.weight))
        y = roll(h.state, len(h.weight))
        out = x if h.weight[x] >= h.weight[y] else y
        if value <= h.weight[out]:
            h.weight[out] = value
            for i in range(p.sizes[UNITS]):
                h.order[out, i] = child[i]
            for j in range(p.sizes[TASKS]):
                h.mode[out, j] = w.plan[j, MODE]
