"""The serial schedule generation: each task of a list at the earliest slot that holds it.

The free units of all resources of a slot lie in one whole number below 2^63, each in a field of
its own under a guard bit. A task fits where subtracting its word leaves every guard bit set: one
subtraction and one comparison, however many resources (bit-parallel arithmetic as in Lamport,
"Multiple byte processing with full-word instructions", CACM 1975). Where one word is too small
for the resources there are `wide` kernels of several words a slot.

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
    word: Ints,
    pred_ptr: Ints,
    pred: Ints,
    free: Ints,
    guard: int,
    full: int,
    finish: Ints,
) -> int:
    """Write the finish of every task of `order` and return the makespan. `free` comes back full."""
    last = 0
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
    for used in range(last):
        free[used] = full
    return last


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
