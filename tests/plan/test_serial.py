"""The kernels against plain counting, with one word a slot, several, and none that fits."""

import random
from typing import Any

import numpy as np
import pytest

from sdlc_cli.plan import plain
from sdlc_cli.plan.compiled import engine
from sdlc_cli.plan.evolve import cross
from sdlc_cli.plan.instance import Instance
from sdlc_cli.plan.serial import latest_first, serial
from tests.plan import instances
from tests.plan.test_bounds import reference, waits_for


def drawn(seed: int, most: int, resources: int) -> Instance:
    rng = random.Random(seed)
    capacity = [rng.randint(most // 2, most) for _ in range(resources)]
    return instances.plain(
        [rng.randint(0, 8) for _ in range(25)],
        [[rng.randint(0, c) for c in capacity] for _ in range(25)],
        capacity,
        [(a, b) for b in range(25) for a in range(b) if rng.random() < 0.06],
    )


def some_list(instance: Instance, seed: int) -> list[int]:
    """A random list that keeps precedence."""
    rng = random.Random(seed)
    order: list[int] = []
    while len(order) < instance.n:
        ready = [
            task
            for task in range(instance.n)
            if task not in order and all(b in order for b in waits_for(instance, task))
        ]
        order.append(rng.choice(ready))
    return order


def as_given(values: Any) -> Any:
    return np.array(values, dtype=np.int64) if engine()[0] == "numba" else list(values)


def scheduled(instance: Instance, order: list[int]) -> tuple[int, Any]:
    net = plain.net(instance, 1)
    slots = int(instance.mode_duration.sum()) + 10
    free = as_given(list(net.full) * slots)
    finish = as_given([0] * instance.n)
    pointers, links = net.pred_ptr[0], net.pred[0]
    guards, full = net.guards, net.full
    last = serial(
        as_given(order), net.duration, net.words, pointers, links, free, guards, full, finish
    )
    assert list(free) == list(net.full) * slots  # ready for the next list
    return last, finish


@pytest.mark.parametrize(
    ("most", "resources", "words"),
    [
        pytest.param(9, 4, 1, id="one word"),
        pytest.param(2**30, 5, 3, id="three words"),
        pytest.param(2**61, 2, 2, id="a word each"),
        pytest.param(1, 12, 1, id="people"),
    ],
)
def test_lists_are_scheduled_as_by_plain_counting(most: int, resources: int, words: int) -> None:
    for seed in range(15):
        instance = drawn(seed, most, resources)
        order = some_list(instance, seed)

        last, _ = scheduled(instance, order)

        assert len(plain.net(instance, 1).guards) == words
        assert last == reference(instance, tuple(order))


def test_the_latest_come_first_and_still_keep_precedence_backward() -> None:
    for seed in range(30):
        instance = drawn(seed, 9, 2)
        last, finish = scheduled(instance, some_list(instance, seed))
        order = as_given([0] * instance.n)
        ties = as_given(instance.order[::-1].tolist())

        latest_first(finish, last, ties, as_given([0] * (last + 3)), order)

        listed = [int(task) for task in order]
        assert sorted(listed) == list(range(instance.n))
        assert [finish[task] for task in listed] == sorted(finish, reverse=True)
        for task in range(instance.n):
            assert all(listed.index(task) < listed.index(b) for b in waits_for(instance, task))


def test_children_keep_precedence() -> None:
    rng = random.Random(1)
    for seed in range(40):
        instance = drawn(seed, 9, 2)
        mother, father = (as_given(some_list(instance, seed + k)) for k in (0, 1000))
        begin, end = sorted(rng.sample(range(26), 2))
        child = as_given([0] * 25)

        cross(mother, father, begin, end, as_given([0] * 25), child)

        listed = [int(task) for task in child]
        assert sorted(listed) == list(range(25))
        assert listed[:begin] == [int(task) for task in mother[:begin]]
        for task in range(25):
            assert all(listed.index(b) < listed.index(task) for b in waits_for(instance, task))
