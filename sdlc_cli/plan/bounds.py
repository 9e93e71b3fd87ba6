"""What no plan can finish before: bounds of the makespan that hold for every Instance.

Of a task with several modes the shortest and the least demanding count, be they two; closed slots
of calendars are taken for open ones; facts, lags and groups count as they are.
"""

import numpy as np

from sdlc_cli.plan.instance import FS, I64, SS, Instance


def makespan(instance: Instance) -> int:
    """The best of the bounds."""
    if instance.n == 0:
        return 0
    duration, demand = _least(instance)
    head = _heads(instance, duration)
    return max(int(np.max(head + duration)), _energy(instance, duration, demand))


def _least(instance: Instance) -> tuple[I64, I64]:
    """The shortest duration of each task, and the least it needs of each resource."""
    first = instance.mode_ptr[:-1]
    duration = np.minimum.reduceat(instance.mode_duration, first)
    demand = np.minimum.reduceat(instance.mode_demand, first, axis=0)
    return duration.astype(np.int64), demand.astype(np.int64)


def _heads(instance: Instance, duration: I64) -> I64:
    """The earliest start of each task by its links and releases."""
    head = np.maximum(instance.release, 0).tolist()
    fixed = instance.fixed_start.tolist()
    length = duration.tolist()
    for task in instance.order.tolist():
        if fixed[task] >= 0:
            head[task] = fixed[task]
            continue
        for i in range(instance.pred_ptr[task], instance.pred_ptr[task + 1]):
            other, kind = int(instance.pred_task[i]), int(instance.pred_kind[i])
            moment = head[other] + (length[other] if kind in (FS, 2) else 0)
            moment += int(instance.pred_lag[i])
            head[task] = max(head[task], moment - (0 if kind in (FS, SS) else length[task]))
    return np.array(head, dtype=np.int64)


def _energy(instance: Instance, duration: I64, demand: I64) -> int:
    """The time in which each resource could do its work if it were never idle."""
    work = duration @ demand
    used = work > 0
    return int(np.max(-(-work[used] // np.maximum(instance.capacity[used], 1)), initial=0))
