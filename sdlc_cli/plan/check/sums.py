"""What a schedule amounts to, added up again: money, quality, lateness, consumables, its end."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal, localcontext
from fractions import Fraction
from math import fsum, isclose

from sdlc_cli.core.i18n import Message, msg
from sdlc_cli.plan.check.opening import Opening
from sdlc_cli.plan.check.staffing import Held
from sdlc_cli.plan.check.violation import MISSES, Violation
from sdlc_cli.plan.model import Placement, Project, Resource, Schedule, Task

Part = tuple[Task, Placement, Held, Opening]

_HOUR = 3600
_MICRO = 1_000_000


def totals(
    project: Project,
    schedule: Schedule,
    parts: Sequence[Part],
    before: Iterable[Violation],
    *,
    whole: bool,
) -> Iterator[Violation]:
    """Limits of the whole that are missed, and sums that are not those of the placements."""
    with localcontext() as context:
        context.prec = 60
        spent, penalties = _money(project, parts)
        misses = [*_limits(project, parts, spent)]
        yield from misses
        if not whole:
            return
        missed = any(one.kind in MISSES for one in (*before, *misses))
        late = [(task, max(0, place.finish - task.deadline)) for task, place, _, _ in parts
                if task.deadline is not None]  # fmt: skip
        makespan = max((place.finish for _, place, _, _ in parts), default=0)
        yield from _unless(
            schedule.makespan == makespan,
            msg("the makespan is {n}, not {told}", n=makespan, told=schedule.makespan),
        )
        cost = spent + penalties
        yield from _unless(
            abs(Fraction(schedule.cost_usd) - cost) <= Fraction(max(len(parts), 1), _MICRO),
            msg("the cost is ${n}, not ${told}", n=_usd(cost), told=f"{schedule.cost_usd:f}"),
        )
        quality = fsum(task.modes[place.mode].quality for task, place, _, _ in parts)
        yield from _unless(
            isclose(schedule.quality, quality, rel_tol=1e-9, abs_tol=1e-9),
            msg("the quality is {n}, not {told}", n=quality, told=schedule.quality),
        )
        tardiness = sum(task.priority * slots for task, slots in late)
        yield from _unless(
            schedule.tardiness == tardiness,
            msg("the tardiness is {n}, not {told}", n=tardiness, told=schedule.tardiness),
        )
        yield from _unless(
            schedule.feasible != missed,
            msg("a limit is missed, and the plan is called feasible")
            if missed
            else msg("no limit is missed, and the plan is called infeasible"),
        )
        yield from _unless(
            missed or schedule.lower_bound <= makespan,
            msg("the lower bound {n} is above the makespan", n=schedule.lower_bound),
        )


def _money(project: Project, parts: Iterable[Part]) -> tuple[Fraction, Fraction]:
    """What modes and hours cost, and what soft deadlines do: exact, so that no limit is missed
    by a rounding.
    """
    resources = {one.id: one for one in project.resources}
    modes = hourly = penalties = Decimal(0)  # the last two for slots instead of hours
    for task, place, held, opening in parts:
        modes += task.modes[place.mode].cost_usd
        paid = [(resources[name], n) for name, n in held.amounts.items()]
        if rate := sum((_rate(one) * n for one, n in paid), start=Decimal(0)):
            slots = sum(end - begin for begin, end in opening.worked(place.start, place.finish))
            hourly += rate * slots
        if task.deadline is not None and not task.hard:
            penalties += task.late_usd_per_hour * max(0, place.finish - task.deadline)
    unit_hours = Fraction(project.unit_seconds, _HOUR)
    return Fraction(modes) + Fraction(hourly) * unit_hours, Fraction(penalties) * unit_hours


def _rate(resource: Resource) -> Decimal:
    """Dollars for an hour of holding one unit; half-time people are paid for half of it."""
    return resource.usd_per_hour * (resource.percent if resource.person else 100) / 100


def _limits(project: Project, parts: Sequence[Part], spent: Fraction) -> Iterator[Violation]:
    if project.deadline is not None:
        last = max((place.finish for _, place, _, _ in parts), default=0)
        if last > project.deadline:
            n = last - project.deadline
            yield Violation("deadline", (), msg("the plan ends {n} slots too late", n=n))
    if project.budget_usd is not None and spent > Fraction(project.budget_usd):
        over = _usd(spent - Fraction(project.budget_usd))
        yield Violation("budget", (), msg("the plan costs ${n} too much", n=over))
    used: Counter[str] = Counter()
    for task, place, _, _ in parts:
        for name, amount in task.modes[place.mode].uses:
            used[name] += amount
    for one in project.consumables:
        if used[one.id] > one.capacity:
            message = msg("{n} of {capacity} {resource} are used up",
                          n=used[one.id], capacity=one.capacity, resource=one.id)  # fmt: skip
            yield Violation("consumable", (), message)


def _usd(amount: Fraction) -> str:
    return f"{Decimal(amount.numerator) / amount.denominator:.6f}"


def _unless(holds: bool, message: Message) -> Iterator[Violation]:
    if not holds:
        yield Violation("total", (), message)
