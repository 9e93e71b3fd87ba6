"""An Instance laid out for kernels: all renewable resources of a slot in a few 64-bit words.

Each resource has a field of bits in a word, with a guard bit above it. `free - demand` leaves all
guard bits standing exactly where every resource has enough, so that one subtraction and one mask
ask for all of them at once.
"""

from typing import Final, NamedTuple

import numpy as np

from sdlc_cli.plan.effort import Found
from sdlc_cli.plan.instance import FS, I32, I64, MICRO, SS, Instance

_BITS: Final = 62
"""A word stays below 2^62, so that whole numbers of Python and of a machine agree."""

TASKS, UNITS, WORDS, HORIZON, BUDGETS, USE, LATEST, SWAPPED = range(8)  # of `sizes`
(MODE_FROM, MODE_TO, PRED_FROM, PRED_TO, SUCC_FROM, SUCC_TO, RELEASE, DEADLINE, HARD, PRIORITY,
 LATE_COST,
    FACT,
    WISH,
    WISHED_MODE,
    MATE,
) = range(15)  # of `task`  # fmt: skip
OTHER, KIND, LAG = range(3)  # of `link`
FIRST, STOP, AFTER_FROM, AFTER_TO, BEFORE, TAIL = range(6)  # of `unit`
LENGTH, CALENDAR, LOW, HIGH, COST, QUALITY, DEMAND = range(7)  # of `mode`


class Packed(NamedTuple):
    """What kernels read, in few tables: each array that a kernel is handed costs compile time.

    Units are tasks, or groups of tasks that start together. SWAPPED says that a later task may
    start or finish before an earlier one. From LOW to HIGH modes differ in who does it only.
    """

    sizes: I64
    task: I64  # (n, MODE_FROM..MATE) the wishes are -1 without a plan to keep to
    link: I64  # (2 x links, OTHER..LAG)
    unit: I64  # (units, FIRST..TAIL)
    many: I64  # the tasks of the units from FIRST to STOP, the later units from AFTER_FROM to _TO
    mode: I64  # (m, LENGTH..QUALITY, DEMAND + word, sizes[USE] + consumable)
    limit: I64  # guard bits of each word, then the consumables
    clean: I64  # (horizon, words) what facts leave free, with the guards
    open: I64  # the open slots of all calendars
    rank: I64  # (calendars, horizon + 1) where in `open` the first open slot from there on stands


def pack(instance: Instance, wish: Found | None = None) -> Packed:
    """The layout of `instance`, and of a plan to keep to; there, what is -1 is not wished."""
    none = np.full(instance.n, -1)
    fact = instance.fixed_start >= 0
    unit_ptr, unit_task, task_unit = _units(instance, fact)
    after_ptr, after_unit, before_count = _unit_links(instance, task_unit, len(unit_ptr) - 1)
    tails = _tails(instance, unit_ptr, unit_task, after_ptr, after_unit)
    horizon = instance.horizon + 1
    demand, clean, guard = _words(instance, fact, horizon)
    simple = ((instance.pred_kind == FS) | (instance.pred_kind == SS)) & (instance.pred_lag >= 0)
    links = len(instance.pred_task)
    shift = len(unit_task)
    sizes = [
        instance.n, len(unit_ptr) - 1, len(guard), horizon, len(instance.budget),
        DEMAND + len(guard), instance.latest, not simple.all(),
    ]  # fmt: skip
    return Packed(
        sizes=np.array(sizes, dtype=np.int64),
        task=_table(
            instance.mode_ptr[:-1], instance.mode_ptr[1:], instance.pred_ptr[:-1],
            instance.pred_ptr[1:], instance.succ_ptr[:-1] + links, instance.succ_ptr[1:] + links,
            instance.release, instance.deadline, instance.hard, instance.priority,
            instance.late_cost, fact,
            none if wish is None else wish.start, none if wish is None else wish.mode,
            instance.mate,
        ),
        link=np.concatenate([
            _table(instance.pred_task, instance.pred_kind, instance.pred_lag),
            _table(instance.succ_task, instance.succ_kind, instance.succ_lag),
        ]),
        unit=_table(
            unit_ptr[:-1], unit_ptr[1:], after_ptr[:-1] + shift, after_ptr[1:] + shift,
            before_count, tails,
        ),
        many=np.concatenate([unit_task, after_unit]).astype(np.int64),
        mode=_table(
            instance.mode_duration, instance.mode_calendar, *_bases(instance), instance.mode_cost,
            np.round(instance.mode_quality * MICRO), *demand.T, *instance.mode_use.T,
        ),
        limit=np.concatenate([guard, instance.budget]),
        clean=clean,
        open=instance.open_slots,
        rank=_ranks(instance, horizon),
    )  # fmt: skip


def _table(*columns: np.ndarray) -> I64:
    return np.ascontiguousarray(np.stack([c.astype(np.int64) for c in columns], axis=1))


def _ranks(instance: Instance, horizon: int) -> I64:
    ptr = instance.open_ptr
    ranks = np.zeros((len(ptr) - 1, horizon + 1), dtype=np.int64)
    for c in range(1, len(ptr) - 1):
        slots = instance.open_slots[ptr[c] : ptr[c + 1]]
        ranks[c] = ptr[c] + np.searchsorted(slots, np.arange(horizon + 1))
    return ranks


def _units(instance: Instance, fact: np.ndarray) -> tuple[I32, I32, I32]:
    """Tasks that are planned as one, in a topological order; facts are not among them."""
    members: list[list[int]] = []
    task_unit = np.full(instance.n, -1, dtype=np.int32)
    for j in instance.order.tolist():
        if fact[j]:
            continue
        group = instance.group[j]
        if members and group >= 0 and instance.group[members[-1][0]] == group:
            members[-1].append(j)
        else:
            members.append([j])
        task_unit[j] = len(members) - 1
    ptr = np.cumsum([0, *map(len, members)], dtype=np.int32)
    return ptr, np.array([j for tasks in members for j in tasks], dtype=np.int32), task_unit


def _unit_links(instance: Instance, task_unit: I32, units: int) -> tuple[I32, I32, I32]:
    into = np.repeat(np.arange(instance.n), np.diff(instance.pred_ptr))
    a, b = task_unit[instance.pred_task], task_unit[into]
    pairs = np.unique(np.stack([a, b], axis=1)[(a >= 0) & (b >= 0) & (a != b)], axis=0)
    ptr = np.searchsorted(pairs[:, 0], np.arange(units + 1)).astype(np.int32)
    count = np.bincount(pairs[:, 1], minlength=units).astype(np.int32)
    return ptr, pairs[:, 1].astype(np.int32), count


def _tails(
    instance: Instance, unit_ptr: I32, unit_task: I32, after_ptr: I32, after_unit: I32
) -> I32:
    """The longest way from each unit to the end, in the shortest modes, lags left aside."""
    units = len(unit_ptr) - 1
    shortest = np.minimum.reduceat(instance.mode_duration, instance.mode_ptr[:-1])
    tail = np.zeros(units, dtype=np.int32)
    for u in range(units - 1, -1, -1):
        own = max(int(shortest[j]) for j in unit_task[unit_ptr[u] : unit_ptr[u + 1]])
        later = after_unit[after_ptr[u] : after_ptr[u + 1]]
        tail[u] = own + (int(tail[later].max()) if len(later) else 0)
    return tail


def _bases(instance: Instance) -> tuple[I32, I32]:
    rows = len(instance.mode_base)
    task = np.repeat(np.arange(instance.n), np.diff(instance.mode_ptr))
    new = np.ones(rows, dtype=np.bool_)
    new[1:] = (np.diff(task) != 0) | (np.diff(instance.mode_base) != 0)
    first = np.flatnonzero(new)
    number = np.cumsum(new) - 1
    low = first[number]
    high = np.append(first[1:], rows)[number]
    return low.astype(np.int32), high.astype(np.int32)


def _words(instance: Instance, fact: np.ndarray, horizon: int) -> tuple[I64, I64, I64]:
    """Demands, free units of each slot and guard bits; a word for as many fields as it holds."""
    asked = instance.mode_demand.max(axis=0, initial=0)
    planned = np.repeat(~fact, np.diff(instance.mode_ptr))
    most = instance.mode_demand[planned].max(axis=0, initial=0)
    fields: list[tuple[int, int, int, int]] = []  # resource, word, shift, divisor
    word, shift = 0, 0
    for r in np.flatnonzero(most > 0).tolist():
        divisor = int(np.gcd.reduce(instance.mode_demand[:, r]))
        bits = (int(max(instance.capacity[r], asked[r])) // divisor).bit_length() + 1
        if shift + bits > _BITS:
            word, shift = word + 1, 0
        fields.append((r, word, shift, divisor))
        shift += bits
    demand = np.zeros((len(instance.mode_base), word + 1), dtype=np.int64)
    clean = np.zeros((horizon, word + 1), dtype=np.int64)
    guard = np.zeros(word + 1, dtype=np.int64)
    for r, w, at, divisor in fields:
        demand[:, w] |= (instance.mode_demand[:, r] // divisor) << at
        free = np.full(horizon, instance.capacity[r] // divisor, dtype=np.int64)
        for j in np.flatnonzero(fact).tolist():
            row = instance.mode_ptr[j]
            held = _slots(instance, int(instance.mode_calendar[row]), j)
            free[held[held < horizon]] -= instance.mode_demand[row, r] // divisor
        bits = (int(max(instance.capacity[r], asked[r])) // divisor).bit_length()
        clean[:, w] |= (free.clip(min=0) | (1 << bits)) << at
        guard[w] |= 1 << (at + bits)
    return demand, clean, guard


def _slots(instance: Instance, calendar: int, j: int) -> I64:
    """The slots in which the fact j is worked on."""
    begin, end = instance.fixed_start[j], instance.fixed_finish[j]
    if calendar == 0:
        return np.arange(begin, end)
    slots = instance.open_slots[instance.open_ptr[calendar] : instance.open_ptr[calendar + 1]]
    held: I64 = slots[(slots >= begin) & (slots < end)]
    return held
