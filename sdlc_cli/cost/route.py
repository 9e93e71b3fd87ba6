"""Which model a project may use now, and what following that rule would have saved."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, tzinfo
from decimal import Decimal
from fnmatch import fnmatchcase
from typing import Literal

from sdlc_cli.core import money, when
from sdlc_cli.core.exact import percentage
from sdlc_cli.core.i18n import Message, msg
from sdlc_cli.cost.budget import BudgetState
from sdlc_cli.cost.options import Budget, Ladder, Route
from sdlc_cli.cost.zones import zone

Step = Literal["primary", "fallback", "emergency", "refused"]

# What the calls of a slice would have cost on another model, in pico-dollars; None: no price.
Reprice = Callable[[datetime, str], int | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """The model to use; none when calls are to be refused. `share` is that of the budget named."""

    model: str
    step: Step
    budget: str
    share: Decimal | None
    reason: Message


@dataclass(frozen=True, slots=True, kw_only=True)
class Slice:
    """What was spent from `moment` on until the next slice, in pico-dollars."""

    moment: datetime  # UTC
    pico: int  # by calls of the ladder's primary model
    others_pico: int = 0  # by other calls of the same budget: they are left as they are


@dataclass(frozen=True, slots=True, kw_only=True)
class Switch:
    """A change of step, and how much of the budget was spent then."""

    moment: datetime
    before: Step
    after: Step
    share: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """One period of the budget, as it was and as it would have been. Money in pico-dollars."""

    first: date | None
    spent_pico: int
    routed_pico: int
    switches: tuple[Switch, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Replay:
    """What the ladder would have done. `refused_pico` was not saved: those calls were not made."""

    ladder: Ladder
    budget: Budget
    timezone: str
    periods: tuple[Kept, ...]
    spent_pico: int
    routed_pico: int
    refused_pico: int
    unpriced: tuple[str, ...]  # models without a price: their calls keep what they did cost

    @property
    def saved_pico(self) -> int:
        """By cheaper models alone."""
        return self.spent_pico - self.routed_pico - self.refused_pico


def ladder_for(route: Route, project: str, model: str) -> tuple[str, Ladder] | None:
    """The name and the ladder for calls of `project` to `model`; the first that fits.

    `model` is a ladder's name or the name of its primary model. None: nothing stands in for it.
    """
    for name, ladder in route.ladders.items():
        fits = not ladder.projects or any(fnmatchcase(project, glob) for glob in ladder.projects)
        if fits and model in (name, ladder.primary):
            return name, ladder
    return None


def budgets_for(
    budgets: Iterable[Budget], *, project: str, model: str, team: str = "", user: str = ""
) -> tuple[Budget, ...]:
    """The budgets that a call of `project` to `model` counts towards.

    Those with a provider or a tag are left out: a call that is not made yet has none.
    """
    return tuple(
        budget
        for budget in budgets
        if budget.project in ("", project)
        and budget.team in ("", team)
        and budget.user in ("", user)
        and (not budget.model or fnmatchcase(model, budget.model))
        and not budget.provider
        and not budget.tag
    )


def decide(states: Sequence[BudgetState], ladder: Ladder) -> Decision:
    """The step of `ladder` by the fullest of the budgets that the call counts towards.

    `states`: `budget.judge` of each of `budgets_for(…)`. Calls of unknown cost count as nothing.
    Without a budget the primary model is used.
    """
    if not states:
        return Decision(
            model=ladder.primary,
            step="primary",
            budget="",
            share=None,
            reason=msg("no budget limits these calls"),
        )
    worst = max(states, key=_fullness)
    step = step_at(worst.spent_pico, worst.limit_pico, ladder)
    return Decision(
        model=model_of(step, ladder),
        step=step,
        budget=worst.budget.name,
        share=worst.share,
        reason=_reason(worst, step, ladder),
    )


def step_at(spent_pico: int, limit_pico: int, ladder: Ladder) -> Step:
    """The step when so much of the limit is spent; of a limit of nothing, all is spent."""
    if spent_pico >= ladder.emergency_at * limit_pico:
        return "emergency" if ladder.emergency else "refused"
    return "fallback" if spent_pico >= ladder.swap_at * limit_pico else "primary"


def model_of(step: Step, ladder: Ladder) -> str:
    """The model that serves at `step`; none where calls are refused."""
    models = {
        "primary": ladder.primary,
        "fallback": ladder.fallback,
        "emergency": ladder.emergency,
        "refused": "",
    }
    return models[step]


def replay(
    slices: Iterable[Slice], ladder: Ladder, budget: Budget, timezone: str, reprice: Reprice
) -> Replay:
    """What following `ladder` under `budget` would have done to past spending.

    `slices`: `usage.slices(by=("hour",), where=…)`, of the primary model and of the rest.
    `reprice(moment, model)`: the same slice of `usage.with_prices({primary: model}, None)`.
    The step is chosen at the start of each slice by what the replay has spent until then: the
    shorter the slices, the closer to what would have happened. Assumes that the other model
    would have answered with as many tokens. Raises `zones.UnknownZone`.
    """
    walk = _Walk(ladder, money.pico(budget.limit_usd), reprice)
    periods: list[Kept] = []
    place = zone(timezone)
    for one in sorted(slices, key=lambda part: part.moment):
        first = _first(one, budget, place)
        if not periods or periods[-1].first != first:
            periods.append(Kept(first=first, spent_pico=0, routed_pico=0))
            walk.begin()
        periods[-1] = walk.through(one, periods[-1])
    return Replay(
        ladder=ladder,
        budget=budget,
        timezone=timezone,
        periods=tuple(periods),
        spent_pico=sum(period.spent_pico for period in periods),
        routed_pico=sum(period.routed_pico for period in periods),
        refused_pico=walk.refused_pico,
        unpriced=tuple(sorted(walk.unpriced)),
    )


class _Walk:
    """Goes through the slices of one period after the other."""

    def __init__(self, ladder: Ladder, limit: int, reprice: Reprice) -> None:
        self._ladder = ladder
        self._limit = limit
        self._reprice = reprice
        self._step: Step = "primary"
        self.refused_pico = 0
        self.unpriced: set[str] = set()

    def begin(self) -> None:
        """A new period: nothing is spent of it."""
        self._step = "primary"

    def through(self, one: Slice, period: Kept) -> Kept:
        """`period` with the slice added."""
        step = step_at(period.routed_pico, self._limit, self._ladder)
        switches = period.switches
        if step != self._step:
            share = Decimal(period.routed_pico) / Decimal(self._limit or 1)
            switches += (Switch(moment=one.moment, before=self._step, after=step, share=share),)
            self._step = step
        return replace(
            period,
            spent_pico=period.spent_pico + one.pico + one.others_pico,
            routed_pico=period.routed_pico + self._cost(one, step) + one.others_pico,
            switches=switches,
        )

    def _cost(self, one: Slice, step: Step) -> int:
        if step == "primary" or not one.pico:
            return one.pico
        if step == "refused":
            self.refused_pico += one.pico
            return 0
        model = model_of(step, self._ladder)
        pico = self._reprice(one.moment, model)
        if pico is None:
            self.unpriced.add(model)
            return one.pico
        return pico


def _first(one: Slice, budget: Budget, place: tzinfo) -> date | None:
    return when.first_day(when.local_day(one.moment, place), budget.period)


def _fullness(state: BudgetState) -> tuple[bool, Decimal]:
    return (state.share is None, state.share or Decimal(0))


def _reason(state: BudgetState, step: Step, ladder: Ladder) -> Message:
    if state.share is None:
        return msg("the budget '{budget}' allows nothing", budget=state.budget.name)
    facts = {"budget": state.budget.name, "share": f"{state.share:.1%}"}
    if step == "primary":
        return msg(
            "{share} of the budget '{budget}' is spent, below the {limit} at which models change",
            **facts,
            limit=percentage(ladder.swap_at),
        )
    limit = percentage(ladder.swap_at if step == "fallback" else ladder.emergency_at)
    if step == "refused":
        return msg(
            "{share} of the budget '{budget}' is spent: from {limit} on calls are refused,"
            " since the ladder names no emergency model",
            **facts,
            limit=limit,
        )
    return msg(
        "{share} of the budget '{budget}' is spent: from {limit} on {model} is used",
        **facts,
        limit=limit,
        model=model_of(step, ladder),
    )
