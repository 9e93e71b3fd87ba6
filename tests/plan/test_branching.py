"""Branching over small projects: the optimum and its proof, from either end, on any jobs."""

import random
from itertools import combinations

import numpy as np
import pytest

from sdlc_cli.plan import antichains, plain
from sdlc_cli.plan.compiled import given
from sdlc_cli.plan.effort import Effort, Progress
from sdlc_cli.plan.evolve import block
from sdlc_cli.plan.instance import Instance
from sdlc_cli.plan.serial import serial
from sdlc_cli.plan.trees import Trees, fitting
from tests.plan import instances
from tests.plan.test_bounds import drawn as tiny
from tests.plan.test_bounds import shortest, waits_for
from tests.plan.test_plain import broken

MANY = 1_000_000


def tight(seed: int, n: int = 24) -> Instance:
    """A project in which most tasks need some of each resource, and few can run at once."""
    rng = random.Random(seed)
    capacity = [rng.randint(10, 20) for _ in range(4)]
    return instances.plain(
        [rng.randint(1, 10) for _ in range(n)],
        [[rng.randint(1, c // 2 + 1) for c in capacity] for _ in range(n)],
        capacity,
        [(a, b) for b in range(3, n) for a in {rng.randrange(b) for _ in range(2)}],
    )


def branched(instance: Instance, makespan: int, side: int) -> Trees:
    """One side looked through for what is shorter than `makespan`."""
    trees = Trees(instance, plain.net(instance, 1), makespan)
    trees.count(side, MANY)
    assert trees.over
    return trees


@pytest.mark.parametrize("side", [0, 1])
def test_of_tiny_projects_the_optimum_is_found_and_nothing_shorter(side: int) -> None:
    for seed in range(150):
        instance = tiny(seed)
        best = shortest(instance)
        if not fitting(instance, plain.net(instance, 1)):
            assert best == 0
            continue

        assert branched(instance, best + 3, side).shortest == best
        assert branched(instance, best, side).shortest > best


def test_both_ends_agree() -> None:
    for seed in range(25):
        instance = tight(seed, 14)
        loose = int(instance.mode_duration.sum()) + 1

        one, other = (branched(instance, loose, side) for side in (0, 1))

        assert one.shortest == other.shortest
        assert one.least <= one.shortest


def test_what_dives_find_is_a_plan_and_no_proof() -> None:
    found = 0
    for seed in range(20):
        instance = tight(seed, 16)
        net = plain.net(instance, 1)
        optimum = plain.search(instance, Effort(schedules=100_000))
        run = plain._Run(instance, 1, 0, Effort(schedules=100), None, 0.0)
        run.populations(100, float("inf"))
        trees = Trees(instance, net, run.shortest + 3)
        trees.known = run.population

        for one in (2, 3):
            trees.count(one, 3_000)

        assert optimum.proved
        assert not trees.over
        if trees.shortest < run.shortest + 3:
            found += 1
            order = given(np.array(trees.found(), dtype=np.int32))
            room = block(net, instance.n, 0, 0, 0)
            links = net.pred_ptr[0], net.pred[0]
            made = serial(
                order, net.duration, net.words, *links, room.free, net.guards, net.full, room.finish
            )
            assert optimum.makespan <= trees.shortest == made
    assert found > 15


def test_no_plan_is_lost_where_populations_change_within_the_trial(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(plain, "EARLY", 100)
    monkeypatch.setattr(plain, "LIFE", 200)
    monkeypatch.setattr(plain, "TICK", 0.01)
    for seed in range(8):
        seen: list[int] = []

        def watch(progress: Progress, seen: list[int] = seen) -> bool:
            seen.append(progress.makespan)
            return True

        instance = tight(seed, 20)
        best = plain.search(instance, Effort(schedules=100_000)).makespan

        found = plain.search(instance, Effort(seconds=0.5, seed=seed), watch)

        assert seen == sorted(seen, reverse=True)
        assert found.makespan <= min(seen)
        assert not found.proved or found.makespan == best


def test_a_plan_is_proved_where_no_bound_is_met() -> None:
    proved = 0
    for seed in range(6):
        instance = tight(seed)

        found = plain.search(instance, Effort(schedules=200_000, seed=1, jobs=2))

        assert broken(instance, found) == []
        proved += found.proved and found.schedules > plain.EARLY
        if found.proved:
            assert not branched(instance, found.makespan, 0).shortest < found.makespan
    assert proved >= 2


def test_the_same_seed_gives_the_same_plan_on_any_number_of_jobs() -> None:
    for seed in (3, 5):
        one, two, three = (
            plain.search(tight(seed, 40), Effort(schedules=30_000, seed=5, jobs=jobs))
            for jobs in (1, 2, 3)
        )

        assert one.schedules == two.schedules == three.schedules
        np.testing.assert_array_equal(one.start, two.start)
        np.testing.assert_array_equal(one.start, three.start)


@pytest.mark.parametrize("jobs", [1, 2])
def test_an_interrupt_keeps_the_best_plan(jobs: int) -> None:
    seen: list[Progress] = []

    def watch(progress: Progress) -> bool:
        seen.append(progress)
        if len(seen) == 4:
            raise KeyboardInterrupt
        return True

    instance = tight(2, 60)
    found = plain.search(instance, Effort(seconds=60, jobs=jobs), watch)

    assert len(seen) == 4
    assert broken(instance, found) == []
    assert found.makespan <= seen[-1].makespan


def test_large_projects_are_left_to_the_population() -> None:
    small, large, long = tight(1, 62), tight(1, 63), instances.plain([512, 1], [[1], [1]], [1])

    assert fitting(small, plain.net(small, 1))
    assert not fitting(large, plain.net(large, 1))
    assert not fitting(long, plain.net(long, 1))


def test_sets_that_may_run_at_once_are_all_there() -> None:
    for seed in range(40):
        instance = tiny(seed)
        net = plain.net(instance, 1)
        n = instance.n
        before = [waits_for(instance, task) for task in range(n)]
        for task in instance.order:
            before[task] = sorted({b for a in before[task] for b in (a, *before[a])})
        apart = [
            sum(1 << b for b in range(n) if b in before[a] or a in before[b]) for a in range(n)
        ]

        words = [int(word) for word in net.words[0]]
        guard, full = int(net.guards[0]), int(net.full[0])
        sets = antichains.maximal(list(range(n)), words, guard, full, apart)

        def fits(
            some: tuple[int, ...], instance: Instance = instance, apart: list[int] = apart
        ) -> bool:
            used = instance.mode_demand[list(some)].sum(axis=0)
            pairs = combinations(some, 2)
            return bool((used <= instance.capacity).all()) and not any(
                apart[a] >> b & 1 for a, b in pairs
            )

        every = [
            set(some) for k in range(n + 1) for some in combinations(range(n), k) if fits(some)
        ]
        largest = [one for one in every if not any(one < other for other in every)]
        assert sets is not None
        assert sorted(map(sorted, largest)) == sorted(np.flatnonzero(row).tolist() for row in sets)


def test_weights_fit_into_their_room_and_see_what_single_resources_do_not() -> None:
    # any two of three tasks lack some resource: they run one after the other
    demands = [[1, 0, 1], [1, 1, 0], [0, 1, 1]]
    instance = instances.plain([3, 4, 5], demands, [1, 1, 1])

    trees = Trees(instance, plain.net(instance, 1), 13)

    assert trees.least == 12
    for seed in range(20):
        rng = np.random.default_rng(seed)
        sets = rng.integers(0, 2, size=(12, 8))
        weight, room = antichains.weights(sets, rng.integers(1, 10, size=8))
        assert (sets @ weight <= room).all()
        assert (weight >= 0).all()
        assert weight.any()


def test_too_many_sets_are_none() -> None:
    assert antichains.maximal(list(range(40)), [1] * 40, 64, 64 + 20, [0] * 40) is None
