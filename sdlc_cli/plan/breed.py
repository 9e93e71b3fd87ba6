"""One population of lists and modes, compiled: parents, a child, its schedule, its place."""

from typing import Any

from sdlc_cli.plan.compiled import inlined, inner, light
from sdlc_cli.plan.herd import (
    AMOUNT,
    BORN,
    CHILD,
    COUNT,
    GIVEN,
    LOOSE,
    MADE,
    MARK,
    MISSED,
    MODES,
    STAMP,
    SWAPS,
    Herd,
    chance,
    less,
    lighter,
    pick,
    roll,
)
from sdlc_cli.plan.instance import F64, I64
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
    WISH,
    WORDS,
    Packed,
)
from sdlc_cli.plan.room import ANCHOR, FINISH, FLEX, MODE, START, USED, Room
from sdlc_cli.plan.sgs import at_once, backward, count_use, forward, key, to_mates, turn


@inner
def settle(p: Packed, h: Herd, order: I64) -> None:
    """Put what has to come first before what waits for it, the order kept where it can be."""
    units = p.sizes[UNITS]
    for u in range(units):
        h.desk[COUNT, u] = p.unit[u, BEFORE]
        h.desk[MARK, u] = 0
    done = 0
    while done < units:
        for i in range(units):
            u = order[i]
            if h.desk[MARK, u] == 0 and h.desk[COUNT, u] == 0:
                h.desk[MARK, u] = 1
                h.desk[STAMP, done] = u
                done += 1
                for k in range(p.unit[u, AFTER_FROM], p.unit[u, AFTER_TO]):
                    h.desk[COUNT, p.many[k]] -= 1
    for i in range(units):
        order[i] = h.desk[STAMP, i]


@inner
def by_time(p: Packed, w: Room, h: Herd, order: I64, of: int) -> None:
    """Sort units by their finish, or their start; earlier units of the project first in ties.

    By Shell's method: the order is nearly right already.
    """
    units = p.sizes[UNITS]
    for i in range(units):
        u = order[i]
        stamp = 0
        for k in range(p.unit[u, FIRST], p.unit[u, STOP]):
            stamp = max(stamp, w.plan[p.many[k], of])
        h.desk[STAMP, i] = stamp * units + u
    gap = 1
    while 3 * gap < units:
        gap = 3 * gap + 1
    while gap > 0:
        for i in range(gap, units):
            stamp = h.desk[STAMP, i]
            k = i
            while k >= gap and h.desk[STAMP, k - gap] > stamp:
                h.desk[STAMP, k] = h.desk[STAMP, k - gap]
                k -= gap
            h.desk[STAMP, k] = stamp
        gap //= 3
    for i in range(units):
        order[i] = h.desk[STAMP, i] % units
    if p.sizes[SWAPPED]:
        settle(p, h, order)


@inlined
def draw_order(p: Packed, h: Herd) -> None:
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
        h.desk[CHILD, i] = u
        ready -= 1
        h.desk[MARK, pick] = h.desk[MARK, ready]
        for k in range(p.unit[u, AFTER_FROM], p.unit[u, AFTER_TO]):
            v = p.many[k]
            h.desk[COUNT, v] -= 1
            if h.desk[COUNT, v] == 0:
                h.desk[MARK, ready] = v
                ready += 1


@inner
def draw_row(p: Packed, h: Herd, j: int) -> Any:
    """A random mode: any way to do the task first, then anybody who can."""
    low, high = p.task[j, MODE_FROM], p.task[j, MODE_TO]
    row = low + roll(h.state, high - low)
    if h.state[0] % 3 == 0:
        other = low + roll(h.state, high - low)
        if p.mode[other, LENGTH] < p.mode[row, LENGTH]:
            row = other
    return row


@inner
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


@inner
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


@inlined
def agree(p: Packed, w: Room, h: Herd) -> None:
    """Draw other modes for groups that ask for more at once than there is."""
    for u in range(p.sizes[UNITS]):
        first, stop = p.unit[u, FIRST], p.unit[u, STOP]
        if stop - first == 1:
            continue
        left = 8
        while left > 0 and not at_once(p, w, u):
            left -= 1
            for i in range(first, stop):
                turn(p, w, p.many[i], draw_row(p, h, p.many[i]))
        if left == 0:
            to_mates(p, w, u)


@inlined
def early(p: Packed, w: Room, order: I64) -> bool:
    """A plan of the list; where the horizon is too near, with groups and starts made easy."""
    for again in range(2):
        if forward(p, w, order):
            return True
        for u in range(p.sizes[UNITS]):
            if again == 0 and p.unit[u, STOP] - p.unit[u, FIRST] > 1:
                to_mates(p, w, u)
        for j in range(p.sizes[TASKS]):
            w.plan[j, ANCHOR] = 0
    return False


@inlined
def judge(p: Packed, w: Room, h: Herd, order: I64, weights: F64) -> tuple[Any, Any]:
    """The weight of the schedule of `order` and the room's modes, justified; both are updated."""
    h.state[MADE] += 1
    if not early(p, w, order):
        return 1e300, 1e300
    note = remember(p, w, h, weights)
    top = 0
    for u in range(p.sizes[UNITS]):
        for i in range(p.unit[u, FIRST], p.unit[u, STOP]):
            top = max(top, w.plan[p.many[i], FINISH])
    by_time(p, w, h, order, FINISH)
    h.state[MADE] += 1
    if not backward(p, w, order, top):
        return note
    by_time(p, w, h, order, START)
    h.state[MADE] += 1
    if not forward(p, w, order):
        return note
    note = remember(p, w, h, weights)
    by_time(p, w, h, order, START)
    return note


@inner
def remember(p: Packed, w: Room, h: Herd, weights: F64) -> tuple[Any, Any]:
    """The weight of the schedule in the room, which is kept if it is the best."""
    missed, amount = key(p, w, weights)
    if less(missed, amount, h.best[MISSED], h.best[AMOUNT]):
        h.best[MISSED] = missed
        h.best[AMOUNT] = amount
        for j in range(p.sizes[TASKS]):
            for k in range(3):
                h.best_plan[j, k] = w.plan[j, k]
    return missed, amount


@inner
def inherit(p: Packed, w: Room, h: Herd, parent: int, j: int) -> None:
    """The mode of a task as a member has it, and whether it waits for its wished start."""
    gene = h.gene[parent, j]
    w.plan[j, MODE] = gene // 2
    w.plan[j, ANCHOR] = p.task[j, WISH] if gene % 2 == 1 else 0


@inlined
def fresh(p: Packed, w: Room, h: Herd, m: int) -> None:
    """A member that has no parents: given, or drawn at random; every second one unanchored."""
    if m < h.state[GIVEN]:
        for u in range(p.sizes[UNITS]):
            h.desk[CHILD, u] = h.order[m, u]
        for j in range(p.sizes[TASKS]):
            inherit(p, w, h, m, j)
            w.plan[j, FLEX] = 0
        return
    draw_order(p, h)
    loose = roll(h.state, 3)
    for j in range(p.sizes[TASKS]):
        w.plan[j, MODE] = draw_row(p, h, j)
        w.plan[j, FLEX] = loose
        w.plan[j, ANCHOR] = 0
        if m % 2 == 1 and p.task[j, WISH] >= 0 and roll(h.state, 2) == 0:
            w.plan[j, ANCHOR] = p.task[j, WISH]


@inlined
def mix(p: Packed, w: Room, h: Herd, a: int, b: int) -> None:
    """A child of two: the head and the end of one's order, between them the order of the other."""
    units = p.sizes[UNITS]
    for u in range(units):
        h.desk[MARK, u] = 0
    q = roll(h.state, units + 1)
    r = roll(h.state, units + 1)
    if q > r:
        q, r = r, q
    for j in range(p.sizes[TASKS]):
        inherit(p, w, h, a, j)
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
                inherit(p, w, h, b, p.many[t])
    k = 0
    while i < units:
        u = h.order[a, k]
        k += 1
        if h.desk[MARK, u] == 0:
            h.desk[CHILD, i] = u
            i += 1


@inlined
def mutate(p: Packed, w: Room, h: Herd) -> None:
    """Swap neighbours that do not wait for each other; try other modes and other starts."""
    for i in range(p.sizes[UNITS] - 1):
        if chance(h.state) < h.habit[SWAPS]:
            u, v = h.desk[CHILD, i], h.desk[CHILD, i + 1]
            linked = False
            for k in range(p.unit[u, AFTER_FROM], p.unit[u, AFTER_TO]):
                if p.many[k] == v:
                    linked = True
            if not linked:
                h.desk[CHILD, i], h.desk[CHILD, i + 1] = v, u
    share = h.habit[MODES] * chance(h.state)
    loose = h.habit[LOOSE] * chance(h.state)
    for j in range(p.sizes[TASKS]):
        if chance(h.state) * p.sizes[TASKS] < share:
            w.plan[j, MODE] = draw_row(p, h, j)
        w.plan[j, FLEX] = 0
        if chance(h.state) < loose:
            w.plan[j, FLEX] = 1 + roll(h.state, 2)
        if p.task[j, WISH] >= 0 and chance(h.state) * p.sizes[TASKS] < share:
            w.plan[j, ANCHOR] = 0 if w.plan[j, ANCHOR] > 0 else p.task[j, WISH]


@light
def breed(p: Packed, w: Room, h: Herd, weights: F64, schedules: int) -> None:
    """Members, then children, until `schedules` are made; the worse of two makes room."""
    until = h.state[MADE] + schedules
    size = len(h.weight)
    while h.state[MADE] < until:
        if h.state[BORN] < size:
            out = h.state[BORN]
            h.state[BORN] += 1
            fresh(p, w, h, out)
        else:
            mix(p, w, h, pick(h), pick(h))
            mutate(p, w, h)
            x = roll(h.state, size)
            y = roll(h.state, size)
            out = y if lighter(h, x, y) else x
        afford(p, w, h)
        agree(p, w, h)
        missed, amount = judge(p, w, h, h.desk[CHILD], weights)
        if not less(h.weight[out, MISSED], h.weight[out, AMOUNT], missed, amount):
            h.weight[out, MISSED] = missed
            h.weight[out, AMOUNT] = amount
            for i in range(p.sizes[UNITS]):
                h.order[out, i] = h.desk[CHILD, i]
            for j in range(p.sizes[TASKS]):
                h.gene[out, j] = 2 * w.plan[j, MODE] + (1 if w.plan[j, ANCHOR] > 0 else 0)
