"""Schedules from lists, compiled: every unit as early, or as late, as all the others let it."""

from typing import Any

from sdlc_cli.plan.compiled import inner
from sdlc_cli.plan.instance import F64, FF, FS, I64, NEVER, SS
from sdlc_cli.plan.packed import (
    BUDGETS,
    COST,
    DEADLINE,
    DEMAND,
    FACT,
    FIRST,
    HARD,
    HIGH,
    HORIZON,
    KIND,
    LAG,
    LATE_COST,
    LATEST,
    LENGTH,
    LOW,
    MATE,
    MODE_FROM,
    MODE_TO,
    OTHER,
    PRED_FROM,
    PRED_TO,
    PRIORITY,
    QUALITY,
    RELEASE,
    STOP,
    SUCC_FROM,
    SUCC_TO,
    TASKS,
    UNITS,
    USE,
    WISH,
    WISHED_MODE,
    WORDS,
    Packed,
)
from sdlc_cli.plan.room import (
    ANCHOR,
    FINISH,
    FLEX,
    MODE,
    START,
    USED,
    Room,
    earliest,
    finish_of,
    hold,
    latest,
    start_of,
    wipe,
)


@inner
def allowed(p: Packed, w: Room, old: int, new: int) -> bool:
    """Whether a change of mode leaves what is used up within the budget, or lessens it."""
    for k in range(p.sizes[BUDGETS]):
        more = p.mode[new, p.sizes[USE] + k] - p.mode[old, p.sizes[USE] + k]
        if more > 0 and w.log[USED + k] + more > p.limit[p.sizes[WORDS] + k]:
            return False
    return True


@inner
def turn(p: Packed, w: Room, j: int, new: int) -> None:
    """Change the mode of a task."""
    old = w.plan[j, MODE]
    if old != new:
        for k in range(p.sizes[BUDGETS]):
            w.log[USED + k] += p.mode[new, p.sizes[USE] + k] - p.mode[old, p.sizes[USE] + k]
        w.plan[j, MODE] = new


@inner
def count_use(p: Packed, w: Room) -> None:
    """Reckon anew what all modes use up."""
    for k in range(p.sizes[BUDGETS]):
        total = 0
        for j in range(p.sizes[TASKS]):
            total += p.mode[w.plan[j, MODE], p.sizes[USE] + k]
        w.log[USED + k] = total


@inner
def after_links(p: Packed, w: Room, j: int) -> tuple[Any, Any]:
    """The first start and the first finish that the links into a task leave it."""
    begin = max(p.task[j, RELEASE], w.plan[j, ANCHOR])
    end = 0
    for i in range(p.task[j, PRED_FROM], p.task[j, PRED_TO]):
        a = p.link[i, OTHER]
        kind = p.link[i, KIND]
        if kind == FS:
            begin = max(begin, w.plan[a, FINISH] + p.link[i, LAG])
        elif kind == SS:
            begin = max(begin, w.plan[a, START] + p.link[i, LAG])
        elif kind == FF:
            end = max(end, w.plan[a, FINISH] + p.link[i, LAG])
        else:
            end = max(end, w.plan[a, START] + p.link[i, LAG])
    return begin, end


@inner
def before_links(p: Packed, w: Room, j: int, top: int) -> tuple[Any, Any]:
    """The last start and the last finish that the links out of a task leave it."""
    begin = top
    end = top
    for i in range(p.task[j, SUCC_FROM], p.task[j, SUCC_TO]):
        b = p.link[i, OTHER]
        if p.task[b, FACT]:
            continue
        kind = p.link[i, KIND]
        if kind == FS:
            end = min(end, w.plan[b, START] - p.link[i, LAG])
        elif kind == SS:
            begin = min(begin, w.plan[b, START] - p.link[i, LAG])
        elif kind == FF:
            end = min(end, w.plan[b, FINISH] - p.link[i, LAG])
        else:
            begin = min(begin, w.plan[b, FINISH] - p.link[i, LAG])
    return begin, end


@inner
def place(p: Packed, w: Room, j: int) -> bool:
    """One task as early as can be, in the mode that ends first of those it may take."""
    begin, end = after_links(p, w, j)
    old = w.plan[j, MODE]
    best = old
    start = earliest(p, w.free, old, begin, end, p.sizes[HORIZON] - 1)
    finish = finish_of(p, old, start) if start >= 0 else NEVER
    if w.plan[j, FLEX] > 0:
        low, high = p.mode[old, LOW], p.mode[old, HIGH]
        if w.plan[j, FLEX] == 2:
            low, high = p.task[j, MODE_FROM], p.task[j, MODE_TO]
        for row in range(low, high):
            if row == old or not allowed(p, w, old, row):
                continue
            t = earliest(p, w.free, row, begin, end, min(finish, p.sizes[HORIZON] - 1))
            if t < 0:
                continue
            f = finish_of(p, row, t)
            if f < finish or p.mode[row, COST] < p.mode[best, COST]:
                best, start, finish = row, t, f
    if start < 0:
        return False
    turn(p, w, j, best)
    w.plan[j, START] = start
    w.plan[j, FINISH] = finish
    hold(p, w, best, start, finish, 1)
    return True


@inner
def place_group(p: Packed, w: Room, u: int) -> bool:
    """The tasks of a group in one slot, the first in which all of them find room.

    Those that wait for another of the group come after it in the unit.
    """
    first, stop = p.unit[u, FIRST], p.unit[u, STOP]
    t = 0
    for i in range(first, stop):
        w.plan[p.many[i], START] = w.plan[p.many[i], FINISH] = -NEVER
    for i in range(first, stop):
        t = max(t, after_links(p, w, p.many[i])[0])
    done = first
    while done < stop:
        j = p.many[done]
        begin, end = after_links(p, w, j)
        begin = max(begin, t)
        row = w.plan[j, MODE]
        start = earliest(p, w.free, row, begin, end, p.sizes[HORIZON] - 1)
        if w.plan[j, FLEX] > 0 and start != t:
            low, high = p.mode[row, LOW], p.mode[row, HIGH]
            for other in range(low, high):
                if not allowed(p, w, w.plan[j, MODE], other):
                    continue
                s = earliest(p, w.free, other, begin, end, p.sizes[HORIZON] - 1)
                if s >= 0 and (start < 0 or s < start):
                    row, start = other, s
        if start == t:
            turn(p, w, j, row)
            w.plan[j, START] = t
            w.plan[j, FINISH] = finish_of(p, row, t)
            hold(p, w, row, t, w.plan[j, FINISH], 1)
            done += 1
            continue
        for i in range(first, done):
            a = p.many[i]
            hold(p, w, w.plan[a, MODE], w.plan[a, START], w.plan[a, FINISH], -1)
        if start < 0:
            return False
        t = start
        done = first
    return True


@inner
def at_once(p: Packed, w: Room, u: int) -> bool:
    """Whether there is enough for all tasks of a unit at once, in their modes."""
    for k in range(p.sizes[WORDS]):
        free = p.clean[p.sizes[HORIZON] - 1, k]
        for i in range(p.unit[u, FIRST], p.unit[u, STOP]):
            row = w.plan[p.many[i], MODE]
            if p.mode[row, LENGTH] > 0:
                free -= p.mode[row, DEMAND + k]
                if free & p.limit[k] != p.limit[k]:
                    return False
    return True


@inner
def to_mates(p: Packed, w: Room, u: int) -> None:
    """Turn the tasks of a unit to the modes in which they are known to start together."""
    for i in range(p.unit[u, FIRST], p.unit[u, STOP]):
        j = p.many[i]
        if p.task[j, MATE] >= 0:
            turn(p, w, j, p.task[j, MATE])
            w.plan[j, FLEX] = 0


@inner
def forward(p: Packed, w: Room, order: I64) -> bool:
    """All units of `order`, one after the other; False when the horizon is too near."""
    wipe(p, w)
    for i in range(p.sizes[UNITS]):
        u = order[i]
        if p.unit[u, STOP] - p.unit[u, FIRST] > 1:
            if not place_group(p, w, u):
                return False
        elif not place(p, w, p.many[p.unit[u, FIRST]]):
            return False
    return True


@inner
def backward(p: Packed, w: Room, order: I64, top: int) -> bool:
    """All units, the last first, as late as can be: up to `top`, a deadline or their own finish."""
    wipe(p, w)
    for i in range(p.sizes[UNITS] - 1, -1, -1):
        u = order[i]
        first, stop = p.unit[u, FIRST], p.unit[u, STOP]
        if stop - first > 1:
            if not late_group(p, w, u, top):
                return False
            continue
        j = p.many[first]
        begin, end = before_links(p, w, j, min(top, max(p.task[j, DEADLINE], w.plan[j, FINISH])))
        f = latest(p, w.free, w.plan[j, MODE], begin, end, p.task[j, RELEASE])
        if f < 0:
            return False
        w.plan[j, START] = start_of(p, w.plan[j, MODE], f)
        w.plan[j, FINISH] = f
        hold(p, w, w.plan[j, MODE], w.plan[j, START], f, 1)
    return True


@inner
def late_group(p: Packed, w: Room, u: int, top: int) -> bool:
    """The tasks of a group in one slot, the last in which all of them find room."""
    first, stop = p.unit[u, FIRST], p.unit[u, STOP]
    t = top
    done = stop - 1
    while done >= first:
        j = p.many[done]
        begin, end = before_links(p, w, j, min(top, max(p.task[j, DEADLINE], w.plan[j, FINISH])))
        row = w.plan[j, MODE]
        f = latest(p, w.free, row, min(begin, t), end, p.task[j, RELEASE])
        s = start_of(p, row, f) if f >= 0 else -1
        if s == t:
            w.plan[j, START] = s
            w.plan[j, FINISH] = f
            hold(p, w, row, s, f, 1)
            done -= 1
            continue
        for i in range(done + 1, stop):
            a = p.many[i]
            hold(p, w, w.plan[a, MODE], w.plan[a, START], w.plan[a, FINISH], -1)
        if s < 0:
            return False
        t = s
        done = stop - 1
    return True


@inner
def key(p: Packed, w: Room, weights: F64) -> tuple[Any, Any]:
    """What a schedule misses of its limits, and what it weighs by the goal: see goal.py."""
    makespan = 0
    late = 0
    missed = 0.0
    cost = 0
    quality = 0
    for j in range(p.sizes[TASKS]):
        row = w.plan[j, MODE]
        makespan = max(makespan, w.plan[j, FINISH])
        cost += p.mode[row, COST]
        quality += p.mode[row, QUALITY]
        slots = w.plan[j, FINISH] - p.task[j, DEADLINE]
        if slots > 0:
            late += slots * p.task[j, PRIORITY]
            cost += slots * p.task[j, LATE_COST]
            if p.task[j, HARD]:
                missed += slots
    missed += max(0, makespan - p.sizes[LATEST])
    for k in range(p.sizes[BUDGETS]):
        over = w.log[USED + k] - p.limit[p.sizes[WORDS] + k]
        if over > 0:
            missed += over / max(1, p.limit[p.sizes[WORDS] + k])
    amount = weights[0] * makespan + weights[1] * late + weights[2] * cost
    amount -= weights[3] * quality / 1e6
    if weights[4] > 0.0 or weights[5] > 0.0:
        amount += strayed(p, w, weights)
    return missed, amount


@inner
def strayed(p: Packed, w: Room, weights: F64) -> Any:
    """What it weighs to leave the plan that is to be kept."""
    moved = 0
    changed = 0
    for j in range(p.sizes[TASKS]):
        if p.task[j, WISH] >= 0:
            moved += abs(w.plan[j, START] - p.task[j, WISH])
        if p.task[j, WISHED_MODE] >= 0 and w.plan[j, MODE] != p.task[j, WISHED_MODE]:
            changed += 1
    return weights[4] * moved + weights[5] * changed
