"""Sets of tasks that may run at once, and what weights of tasks such sets bound best.

Given weights of which no such set holds more than `room`, no slot holds more than `room` of them,
as if they were demands for a resource. The weights that make the most work of it are the dual of
covering the tasks by such sets (Mingozzi, Maniezzo, Ricciardelli and Bianco 1998): a linear
program, whose answer is rounded to whole weights, and `room` counted anew.
"""

import numpy as np

from sdlc_cli.plan.instance import I64

_LOOKS = 20_000  # at sets, of which some grow; where more are needed, there are none
_CELLS = 90_000  # of the linear program, which then takes a tenth of a second at most
_PIVOTS = 400
_SMALL = 1e-9
_ROUNDED = 24  # the largest denominator of weights


def maximal(
    tasks: list[int], words: list[int], guard: int, full: int, apart: list[int]
) -> I64 | None:
    """A row for each set of `tasks` to which no other can be added; None where they are too many.

    `words` are demands, as a kernel sees them; `apart` has a bit for whom each task waits for, or
    who waits for it.
    """
    stack = [(0, -1, tasks, full)]
    found: list[int] = []
    looked = 0
    while stack:
        held, last, others, free = stack.pop()
        looked += 1
        if looked > _LOOKS or len(found) * len(words) > _CELLS:
            return None
        fitting = [j for j in others if (free - words[j]) & guard == guard]
        if not fitting:
            found.append(held)
        for j in fitting:
            if j > last:
                rest = [k for k in fitting if k != j and not apart[j] >> k & 1]
                stack.append((held | 1 << j, j, rest, free - words[j]))
    return np.array([[held >> j & 1 for j in range(len(words))] for held in found], dtype=np.int64)


def weights(sets: I64, worth: I64) -> tuple[I64, int]:
    """Whole weights of the tasks, and their room, that make much of `worth` times weight."""
    exact = _packed(sets, worth)
    best, room = np.zeros(len(worth), dtype=np.int64), 1
    for denominator in range(1, _ROUNDED + 1):
        whole = np.floor(exact * denominator + 1e-6).astype(np.int64)
        held = int((sets * whole).sum(axis=1).max(initial=0))
        if held and int(whole @ worth) * room > int(best @ worth) * held:
            best, room = whole, held
    return best, room


def _packed(sets: I64, worth: I64) -> np.ndarray:
    """The weights of the linear program: at most 1 in each set, and the most worth (simplex)."""
    m, n = sets.shape
    table = np.zeros((m + 1, n + 1))
    table[:m, :n], table[:m, n], table[m, :n] = sets, 1.0, worth
    basis, outside = list(range(n, n + m)), list(range(n))
    for _ in range(_PIVOTS):
        column = int(np.argmax(table[m, :n]))
        if table[m, column] <= _SMALL:
            break
        steps = np.full(m, np.inf)
        rising = table[:m, column] > _SMALL
        steps[rising] = table[:m, n][rising] / table[:m, column][rising]
        row = int(np.argmin(steps))
        if not np.isfinite(steps[row]):
            break
        pivot = table[row, column]
        line, climb = table[row] / pivot, table[:, column].copy()
        table -= np.outer(climb, line)
        table[:, column] = -climb / pivot
        line[column] = 1 / pivot
        table[row] = line
        basis[row], outside[column] = outside[column], basis[row]
    answer = np.zeros(n)
    for row, variable in enumerate(basis):
        if variable < n:
            answer[variable] = max(0.0, table[row, n])
    return answer
