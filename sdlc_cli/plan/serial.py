"""The serial schedule generation: each task of a list at the earliest slot that holds it.

The free units of all resources of a slot lie in one whole number below 2^63, each in a field of
its own under a guard bit. A task fits where subtracting its word leaves every guard bit set: one
subtraction and one comparison, however many resources (arithmetic on fields of a word as in
Lamport, "Multiple byte processing with full-word instructions", 1975). Resources that one word is
too small for take several, and a slot that many places of `free` in a row.

Backward is forward in the mirrored project, with the successors as predecessors and time counted
from the end. A kernel takes arrays, or lists where there is no numba, and makes none.
"""

from typing import Any

from sdlc_cli.plan.compiled import jit

Ints = Any  # an array of whole numbers, or a list of them where Python runs the kernels


@jit
def serial(
    order: Ints,
    duration: Ints,
    words: Ints,
    pred_ptr: Ints,
    pred: Ints,
    free: Ints,
    guards: Ints,
    full: Ints,
    finish: Ints,
) -> int:
    """Write the finish of every task of `order` and return the makespan. `free` comes back full."""
    if len(guards) > 1:
        return serial_wide(order, duration, words, pred_ptr, pred, free, guards, full, finish)
    last = 0
    guard = guards[0]
    word = words[0]
    for task in order:
        low = 0
        for i in range(pred_ptr[task], pred_ptr[task + 1]):
            low = max(low, finish[pred[i]])
        length = duration[task]
        need = word[task]
        end = low + length
        slot = end - 1
        while slot >= low:  # from the end, so that a conflict moves the window beyond itself
            if (free[slot] - need) & guard == guard:
                slot -= 1
            else:
                low = end
                end = slot + 1 + length
                slot = end - 1
        for used in range(end - length, end):
            free[used] -= need
        finish[task] = end
        last = max(last, end)
    empty = full[0]
    for used in range(last):
        free[used] = empty
    return int(last)


@jit
def serial_wide(
    order: Ints,
    duration: Ints,
    words: Ints,
    pred_ptr: Ints,
    pred: Ints,
    free: Ints,
    guards: Ints,
    full: Ints,
    finish: Ints,
) -> int:
    """The same for resources that need several words a slot."""
    last = 0
    width = len(guards)
    for task in order:
        low = 0
        for i in range(pred_ptr[task], pred_ptr[task + 1]):
            low = max(low, finish[pred[i]])
        length = duration[task]
        end = low + length
        slot = end - 1
        while slot >= low:
            fits = True
            for k in range(width):
                if (free[slot * width + k] - words[k][task]) & guards[k] != guards[k]:
                    fits = False
            if fits:
                slot -= 1
            else:
                low = end
                end = slot + 1 + length
                slot = end - 1
        for used in range(end - length, end):
            for k in range(width):
                free[used * width + k] -= words[k][task]
        finish[task] = end
        last = max(last, end)
    for used in range(last):
        for k in range(width):
            free[used * width + k] = full[k]
    return int(last)


@jit
def latest_first(finish: Ints, last: int, ties: Ints, heads: Ints, order: Ints) -> None:
    """Write to `order` the tasks by falling finish, those of one slot in the order of `ties`."""
    for slot in range(last + 2):
        heads[slot] = 0
    for task in ties:
        heads[last - finish[task] + 1] += 1
    for slot in range(last + 1):
        heads[slot + 1] += heads[slot]
    for task in ties:
        slot = last - finish[task]
        order[heads[slot]] = task
        heads[slot] += 1
