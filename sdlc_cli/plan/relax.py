"""The smallest changes that let a plan keep all its limits, each tried by planning again.

Levers, one at a time: more of a resource, a person more with a skill, later deadlines, a larger
budget, more of what is used up. Where none helps by itself, more time or money with one of the
others. An amount is the smallest that was found to help: the search that tries it may miss a plan
that a smaller one has.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import ROUND_UP, Decimal

from sdlc_cli.core.errors import ConfigError
from sdlc_cli.plan.model import Objective, Project, Schedule
from sdlc_cli.plan.verdict import misses, penalties
from sdlc_cli.plan.whatif import Change, apply

Solve = Callable[[Project, Objective], Schedule]
"""Plans a project by an objective. Raises ConfigError for what no plan can do."""
Going = Callable[[], bool]
MOST_MORE = 8  # units or people, unless one task needs more
MOST_TRIES = 60  # plans made in all


@dataclass(frozen=True, slots=True, kw_only=True)
class Relaxation:
    """Changes after which `schedule` keeps every limit."""

    changes: tuple[Change, ...]
    schedule: Schedule


class _Tries:
    """Plans again, so many times at most, and as long as `going` says so."""

    def __init__(self, project: Project, solve: Solve, most: int, going: Going) -> None:
        self.project = project
        self.solve = solve
        self.left = most
        self.going = going

    def plan(self, changes: Sequence[Change], objective: Objective = "makespan") -> Schedule | None:
        """The plan after these changes, None where there is none or nobody may try more."""
        if self.left <= 0 or not self.going():
            return None
        self.left -= 1
        try:
            return self.solve(apply(self.project, changes), objective)
        except ConfigError:
            return None

    def helps(self, *changes: Change) -> Schedule | None:
        """The plan after these changes, if it keeps every limit."""
        made = self.plan(changes)
        if made is None:
            return None
        after = apply(self.project, changes)
        return None if any(miss.fails for miss in misses(after, made)) else made


def relaxations(
    project: Project,
    schedule: Schedule | None,
    solve: Solve,
    *,
    most: int = MOST_TRIES,
    going: Going = lambda: True,
) -> tuple[Relaxation, ...]:
    """What helps, the smallest of each lever: people and units, then time, then money.

    `schedule` is the best plan found, None where the project allows none at all. `going` is asked
    before each try, and ends the search.
    """
    tries = _Tries(project, solve, most, going)
    time = _more_time(project, schedule)
    money = _more_money(tries)
    # Time and money take a try or two each, so they come before the levers are gone through.
    direct = [
        _tightened(tries, Relaxation(changes=changes, schedule=made))
        for changes in (time, money, _used_up(project, schedule))
        if changes and (made := tries.helps(*changes)) is not None
    ]
    least = (_least(tries, lever, highest) for lever, highest in _levers(project))
    found = [one for one in least if one is not None] + direct
    if not found:
        both = _more_money(tries, time) if time and not money else money
        found += _pairs(tries, time, both)
    return tuple(found)


Lever = Callable[[int], Change]


def _levers(project: Project) -> Iterator[tuple[Lever, int]]:
    """More of each resource and skill that some task needs, with the most that is tried."""
    needs: dict[tuple[str, str], int] = {}
    for task in project.tasks:
        for mode in task.modes if task.status != "done" else ():
            for need in mode.needs:
                key = need.kind, need.id
                needs[key] = max(needs.get(key, 0), need.amount)
    for resource in project.resources:
        amount = needs.get(("resource", resource.id), 0)
        if amount and not resource.person:
            yield _lever("capacity", resource.id), max(MOST_MORE, amount - resource.capacity)
    for kind, name in sorted(needs):
        if kind == "skill" and any(name in resource.skills for resource in project.resources):
            yield _lever("skill", name), max(MOST_MORE, needs[kind, name])


def _lever(kind: str, name: str) -> Lever:
    def more(amount: int) -> Change:
        return Change(
            kind="skill" if kind == "skill" else "capacity",
            name=name,
            sign="+",
            amount=Decimal(amount),
            written=f"{name}+{amount}",
        )

    return more


def _least(tries: _Tries, lever: Lever, highest: int) -> Relaxation | None:
    """The smallest amount that helps: first whether the most does, then less and less."""
    made = tries.helps(lever(highest))
    if made is None:
        return None
    low, high = 0, highest
    best = Relaxation(changes=(lever(high),), schedule=made)
    middle = 1
    while high - low > 1:
        less = tries.helps(lever(middle))
        if less is None:
            low = middle
        else:
            high, best = middle, Relaxation(changes=(lever(middle),), schedule=less)
        middle = (low + high) // 2
    return best


def _more_time(project: Project, schedule: Schedule | None) -> tuple[Change, ...]:
    """Each hard deadline moved to where the plan meets it."""
    if schedule is None:
        return ()
    changes: list[Change] = []
    for miss in misses(project, schedule):
        if miss.kind == "deadline":
            changes.append(_later("task deadline", miss.name, int(miss.by), project))
        elif miss.kind == "project deadline":
            changes.append(_later("deadline", "", int(miss.by), project))
    return tuple(changes)


def _later(kind: str, name: str, slots: int, project: Project) -> Change:
    seconds = slots * project.unit_seconds
    hours = f"{seconds // 3600}h" if seconds % 3600 == 0 else f"{seconds}s"
    label = f"{name}.deadline" if name else "deadline"
    return Change(
        kind="task deadline" if kind == "task deadline" else "deadline",
        name=name,
        amount=Decimal(slots),
        written=f"{label}+{hours}",
    )


def _more_money(tries: _Tries, changes: tuple[Change, ...] = ()) -> tuple[Change, ...]:
    """The budget raised to the cheapest plan found that keeps all other limits.

    With `changes` it comes on top of these.
    """
    if tries.project.budget_usd is None or tries.left <= 0:
        return ()
    tries.left -= 1
    free = replace(apply(tries.project, changes), budget_usd=None)
    cheap = _Tries(free, tries.solve, 1, tries.going).plan((), "cost")
    if cheap is None or any(miss.fails for miss in misses(free, cheap)):
        return ()
    needed = cheap.cost_usd - penalties(free, cheap) - tries.project.budget_usd
    return (_dearer(needed),) if needed > 0 else ()


def _dearer(dollars: Decimal) -> Change:
    amount = max(dollars, Decimal("0.01")).quantize(Decimal("0.01"), rounding=ROUND_UP)
    return Change(kind="budget", name="budget", amount=amount, written=f"budget+{amount}")


def _used_up(project: Project, schedule: Schedule | None) -> tuple[Change, ...]:
    if schedule is None:
        return ()
    return tuple(
        Change(kind="consumable", name=miss.name, amount=miss.by, written=f"{miss.name}+{miss.by}")
        for miss in misses(project, schedule)
        if miss.kind == "consumable"
    )


def _tightened(tries: _Tries, found: Relaxation) -> Relaxation:
    """One deadline moved by less, where a plan is found for it."""
    if len(found.changes) != 1 or found.changes[0].kind not in ("deadline", "task deadline"):
        return found
    change, best = found.changes[0], found
    low, high = 0, int(change.amount)
    for _step in range(4):
        if high - low <= 1:
            break
        middle = (low + high) // 2
        less = _later(change.kind, change.name, middle, tries.project)
        made = tries.helps(less)
        if made is None:
            low = middle
        else:
            high, best = middle, Relaxation(changes=(less,), schedule=made)
    return best


def _pairs(
    tries: _Tries, time: tuple[Change, ...], money: tuple[Change, ...]
) -> Iterator[Relaxation]:
    """Two levers at once, where one was not enough."""
    options: list[tuple[Change, ...]] = [(*time, *money)] if time and money else []
    levers = [lever for lever, _highest in _levers(tries.project)]
    for lever in levers:
        options += [(lever(1), *other) for other in (time, money) if other]
    options += [(a(1), b(1)) for i, a in enumerate(levers) for b in levers[i + 1 :]]
    for changes in options:
        made = tries.helps(*changes)
        if made is not None:
            yield Relaxation(changes=changes, schedule=made)
