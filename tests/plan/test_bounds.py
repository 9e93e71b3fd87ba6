"""No plan is shorter than a bound: held against every order of small projects."""

import random
from itertools import permutations

import pytest

from sdlc_cli.plan import bounds
from sdlc_cli.plan.instance import Instance
from tests.plan import instances


def shortest(instance: Instance) -> int:
    """The optimum: some order's serial schedule is optimal (Kolisch 1996)."""
    return min(
        reference(instance, order)
        for order in permutations(range(instance.n))
        if all(
            order.index(before) < order.index(after)
            for after in range(instance.n)
            for before in waits_for(instance, after)
        )
    )


def reference(instance: Instance, order: tuple[int, ...]) -> int:
    """The makespan of a list, by trying slot after slot."""
    demand, length = instance.mode_demand.tolist(), instance.mode_duration.tolist()
    capacity = instance.capacity.tolist()
    held: dict[int, list[int]] = {}
    finish: dict[int, int] = {}
    for task in order:
        start = max((finish[before] for before in waits_for(instance, task)), default=0)
        while any(
            used + more > most
            for slot in range(start, start + length[task])
            for used, more, most in zip(
                held.get(slot, [0] * len(capacity)), demand[task], capacity, strict=True
            )
        ):
            start += 1
        finish[task] = start + length[task]
        for slot in range(start, finish[task]):
            row = held.setdefault(slot, [0] * len(capacity))
            row[:] = [used + more for used, more in zip(row, demand[task], strict=True)]
    return max(finish.values())


def waits_for(instance: Instance, task: int) -> list[int]:
    begin, end = instance.pred_ptr[task], instance.pred_ptr[task + 1]
    return [int(before) for before in instance.pred_task[begin:end]]


def drawn(seed: int) -> Instance:
    rng = random.Random(seed)
    n, capacity = rng.randint(1, 6), [rng.randint(1, 6) for _ in range(rng.randint(1, 2))]
    return instances.plain(
        [rng.randint(0, 6) for _ in range(n)],
        [[rng.randint(0, c) for c in capacity] for _ in range(n)],
        capacity,
        [(a, b) for b in range(n) for a in range(b) if rng.random() < 0.25],
    )


def test_no_plan_is_shorter_than_the_bound() -> None:
    pairs = [(bounds.makespan(i), shortest(i)) for i in map(drawn, range(150))]

    assert [pair for pair in pairs if pair[0] > pair[1]] == []
    assert sum(bound == best for bound, best in pairs) > 120  # nor is it a bound in name only


@pytest.mark.parametrize(
    ("durations", "demands", "capacity", "links", "bound"),
    [
        pytest.param([3, 4], [[1], [1]], [9], [(0, 1)], 7, id="a chain"),
        pytest.param([2, 4, 6], [[2], [2], [2]], [4], [], 6, id="work for two at a time"),
        pytest.param([3, 4], [[3], [3]], [5], [], 7, id="more than a half each"),
        pytest.param([2, 2, 2, 2], [[2]] * 4, [5], [], 4, id="more than a third each"),
        pytest.param(
            [2, 3, 3, 1], [[0], [5], [5], [0]], [5], [(0, 1), (0, 2), (1, 3), (2, 3)], 9, id="ends"
        ),
        pytest.param([0, 0], [[5], [5]], [5], [], 0, id="no work at all"),
        pytest.param([4], [[0]], [0], [], 4, id="a resource of nothing"),
    ],
)
def test_bounds_of_simple_projects(
    durations: list[int],
    demands: list[list[int]],
    capacity: list[int],
    links: list[tuple[int, int]],
    bound: int,
) -> None:
    assert bounds.makespan(instances.plain(durations, demands, capacity, links)) == bound
