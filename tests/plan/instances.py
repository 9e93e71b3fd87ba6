"""Plain instances for the tests: drawn by a seed, or written out."""

from collections.abc import Sequence

import numpy as np

from sdlc_cli.plan.instance import NEVER, Instance


def plain(
    durations: Sequence[int],
    demands: Sequence[Sequence[int]],
    capacity: Sequence[int],
    links: Sequence[tuple[int, int]] = (),
) -> Instance:
    """The instance of tasks that wait for each other: `links` are (before, after)."""
    n, m = len(durations), len(links)
    before = np.array([a for a, _ in links], dtype=np.int32)
    after = np.array([b for _, b in links], dtype=np.int32)

    def rows(key: np.ndarray, other: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        ptr = np.zeros(n + 1, dtype=np.int32)
        np.cumsum(np.bincount(key, minlength=n), out=ptr[1:])
        return ptr, other[np.argsort(key, kind="stable")]

    pred_ptr, pred_task = rows(after, before)
    succ_ptr, succ_task = rows(before, after)
    whole = np.zeros(n, dtype=np.int64)
    return Instance(
        tasks=tuple(f"t{i}" for i in range(n)),
        resources=tuple(f"r{i}" for i in range(len(capacity))),
        pred_ptr=pred_ptr,
        pred_task=pred_task,
        pred_kind=np.zeros(m, dtype=np.int32),
        pred_lag=np.zeros(m, dtype=np.int64),
        succ_ptr=succ_ptr,
        succ_task=succ_task,
        succ_kind=np.zeros(m, dtype=np.int32),
        succ_lag=np.zeros(m, dtype=np.int64),
        mode_ptr=np.arange(n + 1, dtype=np.int32),
        mode_base=np.zeros(n, dtype=np.int32),
        mode_duration=np.array(durations, dtype=np.int64),
        mode_calendar=np.zeros(n, dtype=np.int32),
        mode_demand=np.array(demands, dtype=np.int64).reshape(n, len(capacity)),
        mode_use=np.zeros((n, 0), dtype=np.int64),
        mode_cost=whole,
        mode_quality=np.zeros(n),
        capacity=np.array(capacity, dtype=np.int64),
        budget=np.zeros(0, dtype=np.int64),
        open_ptr=np.zeros(2, dtype=np.int64),
        open_slots=np.zeros(0, dtype=np.int64),
        release=whole,
        deadline=np.full(n, NEVER, dtype=np.int64),
        hard=np.zeros(n, dtype=np.bool_),
        priority=whole + 1,
        late_cost=whole,
        fixed_start=whole - 1,
        fixed_finish=whole - 1,
        group=np.full(n, -1, dtype=np.int32),
        mate=np.full(n, -1, dtype=np.int32),
        order=_topological(n, links),
        horizon=sum(durations) + 1,
        unit_seconds=60,
    )


def _topological(n: int, links: Sequence[tuple[int, int]]) -> np.ndarray:
    waiting = [0] * n
    for _, b in links:
        waiting[b] += 1
    order = [i for i in range(n) if not waiting[i]]
    for a in order:
        for x, b in links:
            if x == a:
                waiting[b] -= 1
                if not waiting[b]:
                    order.append(b)
    return np.array(order, dtype=np.int32)
