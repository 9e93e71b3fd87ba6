"""How sure the dates of a plan are: its tasks take longer or shorter, its order stays.

Monte-Carlo over the durations. Of a task with p10, p50 and p90 both halves are lognormal, so that
the three percentiles are met exactly; where p10 is 0 the lower half is normal. Tasks vary one by
one: what delays all of them at once is not in here. Each sample is the plan done again with the
same people, modes and order, every task as soon as it can.
"""

import math
from dataclasses import dataclass
from decimal import Decimal
from statistics import NormalDist

import numpy as np

from sdlc_cli.plan import network as networks
from sdlc_cli.plan import walks
from sdlc_cli.plan.instance import F64, I64
from sdlc_cli.plan.model import Placement, Project, Schedule, Task
from sdlc_cli.plan.network import Network
from sdlc_cli.plan.rates import hourly
from sdlc_cli.plan.verdict import penalties
from sdlc_cli.plan.worktime import by_name

SAMPLES = 2000
LEVELS = (50, 80, 95)
_Z90 = NormalDist().inv_cdf(0.9)
_CELLS = 8_000_000  # of the arrays of one batch: tasks times samples
_LONGEST = 50  # times the median: a lognormal has no end, a calendar has


@dataclass(frozen=True, slots=True, kw_only=True)
class Driver:
    """A task that moves the finish. Shares are from 0 to 1.

    `share` is its part of the variance of the finish; `critical` how often it was on a longest
    way through the plan.
    """

    task: str
    share: float
    critical: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Risk:
    """Percentiles of the finish in slots and of the cost in dollars, by level.

    `planned` is the chance to be done no later than the plan says. `on_time` and `in_budget` are
    the chances to keep the hard deadlines and the budget, None without any.
    """

    samples: int
    seed: int
    uncertain: int  # tasks with p10 and p90
    finish: tuple[tuple[int, int], ...]
    cost_usd: tuple[tuple[int, Decimal], ...]
    planned: float
    on_time: float | None
    in_budget: float | None
    drivers: tuple[Driver, ...]


def assess(
    project: Project,
    schedule: Schedule,
    *,
    samples: int = SAMPLES,
    seed: int = 0,
    network: Network | None = None,
) -> Risk:
    """Do the plan again `samples` times. The same seed gives the same answer.

    `network` is that of the plan, where it is built already.
    """
    random = np.random.default_rng(seed)
    n = len(project.tasks)
    end = 2 * schedule.makespan + 64
    made = networks.until(network or networks.build(project, schedule), end)
    durations = np.stack(
        [_sampled(made, i, samples, random) for i in range(n)] or [np.zeros((samples,), np.int64)]
    )
    while True:
        try:
            return _assessed(made, durations, seed)
        except IndexError:  # a sample ran beyond the calendars
            end *= 2
            made = networks.until(made, end)


def _assessed(made: Network, durations: I64, seed: int) -> Risk:
    project, schedule = made.project, made.schedule
    n, samples = len(project.tasks), durations.shape[1]
    finish = np.zeros(samples, np.int64)
    on_time = np.ones(samples, np.bool_)
    late_hours = np.zeros(samples)
    critical = np.zeros(n)
    step = max(1, _CELLS // max(1, n))
    for low in range(0, samples, step):
        part = slice(low, min(samples, low + step))
        drawn = [durations[i, part] for i in range(n)]
        starts, ends = walks.earliest(made, drawn)
        finish[part] = np.max(np.stack(ends), axis=0) if n else 0
        last = walks.latest(made, starts, ends, drawn, deadlines=False)
        for i, task in enumerate(project.tasks):
            critical[i] += np.count_nonzero(last[i] <= starts[i])
            if task.deadline is not None:
                late = np.maximum(ends[i] - task.deadline, 0)
                if task.hard:
                    on_time[part] &= late == 0
                else:
                    late_hours[part] += late * float(task.late_usd_per_hour)
    if project.deadline is not None:
        on_time &= finish <= project.deadline
    budgeted = _budgeted(made, durations)
    cost = budgeted + late_hours * project.unit_seconds / 3600
    timed = project.deadline is not None or any(
        task.hard and task.deadline is not None for task in project.tasks
    )
    budget = project.budget_usd
    return Risk(
        samples=samples,
        seed=seed,
        uncertain=sum(_varies(task, p.mode) for task, p in _pairs(made)),
        finish=tuple((level, _at(finish, level)) for level in LEVELS),
        cost_usd=tuple((level, _dollars(cost, level)) for level in LEVELS),
        planned=float(np.mean(finish <= schedule.makespan)),
        on_time=float(np.mean(on_time)) if timed else None,
        in_budget=None if budget is None else float(np.mean(budgeted <= float(budget) + 1e-6)),
        drivers=_drivers(made, durations, finish, critical / samples),
    )


def _pairs(made: Network) -> list[tuple[Task, Placement]]:
    return list(zip(made.project.tasks, made.schedule.placements, strict=True))


def _varies(task: Task, mode: int) -> bool:
    way = task.modes[mode]
    low = way.duration if way.low is None else way.low
    high = way.duration if way.high is None else way.high
    return task.status != "done" and low < high


def _sampled(base: Network, i: int, samples: int, random: np.random.Generator) -> I64:
    """Durations in open slots, as the placement's people take them."""
    project, placed = base.project, base.schedule.placements[i]
    task, planned = project.tasks[i], base.duration[i]
    # drawn for every task, so that one task's numbers do not depend on another's percentiles
    normal = random.standard_normal(samples)
    if not _varies(task, placed.mode):
        return np.full(samples, planned, np.int64)
    mode = task.modes[placed.mode]
    factor = planned / mode.duration if mode.duration and task.status == "todo" else _pace(base, i)
    worked = 0
    if task.status == "running":
        worked = base.worktimes[i].count(placed.start, max(placed.start, project.now))
        normal = _beyond(normal, mode.low, mode.duration, mode.high, worked / factor)
    drawn = percentiles(normal, mode.low, mode.duration, mode.high) * factor
    longest = _LONGEST * max(1.0, mode.duration * factor)
    whole = np.rint(np.minimum(drawn, longest)).astype(np.int64)
    least = mode.duration if mode.low is None else mode.low
    return np.maximum(whole, max(worked, 1 if least else 0))


def _pace(base: Network, i: int) -> float:
    """How many slots the people of a running task take for one of the mode."""
    known = by_name(base.project)
    people = [
        known[name].percent
        for name, _amount in base.schedule.placements[i].resources
        if name in known and known[name].person
    ]
    return 100 / min(people, default=100)


def percentiles(normal: F64, low: int | None, middle: int, high: int | None) -> F64:
    """Standard normal numbers as durations with these 10th, 50th and 90th percentiles."""
    low, high = middle if low is None else low, middle if high is None else high
    if middle > 0 and low > 0 and high > 0:  # as `_half`, both at once
        rates = np.where(normal < 0, math.log(middle / low), math.log(high / middle))
        drawn: F64 = middle * np.exp(normal * rates / _Z90)
        return drawn
    below = _half(normal, middle, low, -1)
    above = _half(normal, middle, high, 1)
    return np.maximum(np.where(normal < 0, below, above), 0.0)


def _half(normal: F64, middle: int, edge: int, sign: int) -> F64:
    if middle > 0 and edge > 0:
        made: F64 = middle * np.exp(normal * sign * math.log(edge / middle) / _Z90)
        return made
    return middle + normal * sign * (edge - middle) / _Z90


def _beyond(normal: F64, low: int | None, middle: int, high: int | None, worked: float) -> F64:
    """Numbers redrawn, each at its own place, among those that last longer than `worked`."""
    bell = NormalDist()
    grid = np.linspace(-6, 6, 2001)
    passed = grid[percentiles(grid, low, middle, high) > worked]
    if not len(passed):
        return np.full_like(normal, 6.0)
    floor = bell.cdf(float(passed[0]))
    if floor <= 1e-9:
        return normal
    return np.array(
        [bell.inv_cdf(min(floor + (1 - floor) * bell.cdf(z), 1 - 1e-12)) for z in normal.tolist()]
    )


def _budgeted(made: Network, durations: I64) -> F64:
    """What each sample costs, without penalties: the plan's cost, hours more or less."""
    project, schedule = made.project, made.schedule
    known = by_name(project)
    cost = np.full(durations.shape[1], float(schedule.cost_usd - penalties(project, schedule)))
    for i, placed in enumerate(schedule.placements):
        rate = float(hourly(placed, known)) * project.unit_seconds / 3600
        if rate and project.tasks[i].status != "done":
            cost += (durations[i] - made.duration[i]) * rate
    return cost


def _drivers(made: Network, durations: I64, finish: I64, critical: F64) -> tuple[Driver, ...]:
    """The tasks whose duration goes with the finish, the strongest first."""
    centred = finish - finish.mean()
    weights = np.zeros(len(made.project.tasks))
    for i in range(len(weights)):
        own = durations[i] - durations[i].mean()
        spread = float(own @ own)
        if spread > 0:
            # the part of the finish's variance that this duration by itself explains
            weights[i] = max(0.0, float(own @ centred)) ** 2 / spread
    total = float(centred @ centred)
    found = [
        Driver(
            task=task.id,
            share=round(min(1.0, float(weights[i]) / total), 6) if total else 0.0,
            critical=round(float(critical[i]), 6),
        )
        for i, task in enumerate(made.project.tasks)
        if task.status != "done" and (weights[i] > 0 or critical[i] > 0)
    ]
    return tuple(sorted(found, key=lambda d: (-d.share, -d.critical)))


def _at(values: I64, level: int) -> int:
    """The value that `level` percent of the samples do not exceed."""
    return int(np.sort(values)[max(0, math.ceil(len(values) * level / 100) - 1)])


def _dollars(cost: F64, level: int) -> Decimal:
    value = float(np.sort(cost)[max(0, math.ceil(len(cost) * level / 100) - 1)])
    return Decimal(round(value * 100)) / 100
