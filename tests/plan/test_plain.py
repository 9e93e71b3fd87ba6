"""Plans of plain projects: feasible, the same for a seed, proved where the bound is met."""

import random

import numpy as np
import pytest

from sdlc_cli.plan import bounds, plain
from sdlc_cli.plan.effort import Effort, Found, Progress
from sdlc_cli.plan.instance import Instance
from tests.plan import instances


def drawn(seed: int, n: int = 30, resources: int = 3) -> Instance:
    """A project of `n` tasks, each after up to three earlier ones."""
    rng = random.Random(seed)
    capacity = [rng.randint(5, 30) for _ in range(resources)]
    return instances.plain(
        [rng.randint(0, 10) for _ in range(n)],
        [[rng.randint(0, c // 2) for c in capacity] for _ in range(n)],
        capacity,
        [(a, b) for b in range(1, n) for a in {rng.randrange(b) for _ in range(rng.randint(0, 3))}],
    )


def broken(instance: Instance, found: Found) -> list[str]:
    """What the plan does wrong, by plain counting."""
    wrong = []
    if (found.start < 0).any() or (found.finish - found.start != instance.mode_duration).any():
        wrong.append("a task is cut or early")
    waits = np.repeat(np.arange(instance.n), np.diff(instance.pred_ptr))
    if (found.finish[instance.pred_task] > found.start[waits]).any():
        wrong.append("a task does not wait")
    for slot in range(found.makespan):
        busy = (found.start <= slot) & (slot < found.finish)
        if (instance.mode_demand[busy].sum(axis=0) > instance.capacity).any():
            wrong.append(f"slot {slot} holds too much")
    return wrong


@pytest.mark.parametrize("seed", range(20))
def test_plans_keep_what_they_have_to(seed: int) -> None:
    instance = drawn(seed)

    found = plain.search(instance, Effort(schedules=300, seed=seed))

    assert broken(instance, found) == []
    assert found.makespan >= bounds.makespan(instance)
    assert found.schedules <= 300


def test_the_same_seed_gives_the_same_plan_on_any_number_of_jobs() -> None:
    instance = drawn(1, n=60)

    plans = [
        plain.search(instance, Effort(schedules=10_000, seed=5, jobs=jobs)) for jobs in (1, 2, 3)
    ]

    for other in plans[1:]:
        np.testing.assert_array_equal(plans[0].start, other.start)
        assert other.schedules == plans[0].schedules


@pytest.mark.parametrize("seed", range(10))
def test_populations_that_meet_make_plans_as_one_does(
    monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    """Of 2,000 schedules four populations make a part each, and what they came to the rest.

    Tasks without length stay before those that wait for them, in every list.
    """
    monkeypatch.setattr(plain, "APART", 125)
    filled: list[bool] = []
    passes = plain._Run.passes

    def watched(run: plain._Run, schedules: int, end: float) -> bool:
        filled.append(not run.fresh)
        return passes(run, schedules, end)

    monkeypatch.setattr(plain._Run, "passes", watched)
    instance = drawn(seed, n=80)
    monkeypatch.setattr(bounds, "makespan", lambda instance: 1)  # which no plan meets

    plans = [
        plain.search(instance, Effort(schedules=2_000, seed=seed, jobs=jobs)) for jobs in (1, 2)
    ]

    assert filled == [False, False, False, False, True] * 2
    assert broken(instance, plans[0]) == []
    assert plans[0].schedules == 2_000
    np.testing.assert_array_equal(plans[0].start, plans[1].start)


def test_populations_without_time_to_be_filled_leave_the_rest_to_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(plain, "APART", 1e-6)  # some million populations in a moment each
    begun: list[float] = []
    passes = plain._Run.passes

    def watched(run: plain._Run, schedules: int, end: float) -> bool:
        begun.append(end)
        return passes(run, schedules, end)

    monkeypatch.setattr(plain._Run, "passes", watched)
    instance = drawn(3, n=300)
    monkeypatch.setattr(bounds, "makespan", lambda instance: 1)

    found = plain.search(instance, Effort(seconds=0.3, jobs=2))

    assert broken(instance, found) == []
    assert len(begun) == 3  # the trial, one that was not filled, and the rest
    assert begun[1] < begun[2]


def test_fifty_tasks_of_five_minutes_are_proved_at_once() -> None:
    instance = instances.plain([5] * 50, [[1, 2]] * 50, [4, 8])

    found = plain.search(instance, Effort(seconds=10))

    assert (found.makespan, found.proved, found.schedules) == (65, True, 1)


def test_a_watch_sees_progress_and_ends_the_search() -> None:
    seen: list[Progress] = []

    def watch(progress: Progress) -> bool:
        seen.append(progress)
        return len(seen) < 3

    found = plain.search(drawn(2, n=60), Effort(seconds=60), watch)

    assert len(seen) == 3
    assert found.makespan == seen[-1].makespan
    assert seen[-1].bound <= seen[-1].makespan


@pytest.mark.parametrize("seconds", [0.0, -1.0, 1e-9])
def test_no_time_is_time_for_a_plan(seconds: float) -> None:
    instance = drawn(3, n=60)

    found = plain.search(instance, Effort(seconds=seconds, jobs=2))

    assert broken(instance, found) == []


def test_no_task_is_a_plan_too() -> None:
    found = plain.search(instances.plain([], [], [3]), Effort())

    assert (found.makespan, found.proved) == (0, True)


@pytest.mark.parametrize(("length", "anew"), [(1, True), (601, False)])
def test_a_population_begins_anew_only_beside_branching(
    monkeypatch: pytest.MonkeyPatch, length: int, anew: bool
) -> None:
    """Tasks too long to branch over leave all the time to one population."""
    begun: list[int] = []
    settle = plain._Run.settle

    def counted(run: plain._Run, size: int, blocks: int) -> None:
        begun.append(size)
        settle(run, size, blocks)

    monkeypatch.setattr(plain._Run, "settle", counted)
    monkeypatch.setattr(bounds, "makespan", lambda instance: 1)  # which no plan meets
    monkeypatch.setattr(plain, "LIFE", 100)
    monkeypatch.setattr(plain, "EARLY", 1_000_000)
    rng = random.Random(5)
    lengths = [length + rng.randrange(7) for _ in range(20)]
    instance = instances.plain(lengths, [[1 + rng.randrange(6)] for _ in lengths], [7])

    found = plain.search(instance, Effort(schedules=2_000))

    assert found.schedules == 2_000
    assert (len(begun) > 1) is anew
