"""Which model may be used, and the replay of the past."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sdlc_cli.cost.budget import BudgetState, judge, window
from sdlc_cli.cost.model import PICO, Amounts
from sdlc_cli.cost.options import Budget, Ladder, Route
from sdlc_cli.cost.route import Replay, Slice, budgets_for, decide, ladder_for, replay

NOW = datetime(2026, 11, 11, 12, tzinfo=UTC)
LADDER = Ladder(primary="gpt-4o", fallback="gpt-4o-mini", emergency="gpt-4.1-nano")
NO_EMERGENCY = Ladder(primary="gpt-4o", fallback="gpt-4o-mini")


def state(spent: int, limit: str = "100", name: str = "shop") -> BudgetState:
    one = Budget(name=name, limit_usd=Decimal(limit))
    return judge(one, window(one, NOW, "UTC"), Amounts(calls=1, pico=spent * PICO), ())


@pytest.mark.parametrize(
    ("spent", "ladder", "step", "model"),
    [
        (0, LADDER, "primary", "gpt-4o"),
        (79, LADDER, "primary", "gpt-4o"),
        (80, LADDER, "fallback", "gpt-4o-mini"),
        (99, LADDER, "fallback", "gpt-4o-mini"),
        (100, LADDER, "emergency", "gpt-4.1-nano"),
        (500, LADDER, "emergency", "gpt-4.1-nano"),
        (100, NO_EMERGENCY, "refused", ""),
    ],
)
def test_the_share_of_the_budget_decides_the_step(
    spent: int, ladder: Ladder, step: str, model: str
) -> None:
    found = decide([state(spent)], ladder)

    assert (found.step, found.model) == (step, model)
    assert f"{spent}.0%" in str(found.reason)


def test_the_fullest_budget_decides() -> None:
    found = decide([state(10, name="wide"), state(85, name="full"), state(2)], LADDER)

    assert (found.step, found.budget, found.share) == ("fallback", "full", Decimal("0.85"))


def test_a_budget_of_nothing_outranks_all_and_lets_nothing_through() -> None:
    found = decide([state(0, limit="0", name="none"), state(99)], NO_EMERGENCY)

    assert (found.step, found.budget, found.share) == ("refused", "none", None)


def test_without_a_budget_the_primary_model_is_used() -> None:
    found = decide([], LADDER)

    assert (found.step, found.model, found.share) == ("primary", "gpt-4o", None)


ROUTE = Route(
    ladders={
        "web-chat": Ladder(primary="gpt-4o", fallback="small", projects=("web-*",)),
        "chat": NO_EMERGENCY,
    }
)


@pytest.mark.parametrize(
    ("project", "model", "name"),
    [
        ("web-shop", "gpt-4o", "web-chat"),
        ("shop", "gpt-4o", "chat"),
        ("shop", "chat", "chat"),
        ("shop", "web-chat", None),
        ("shop", "claude", None),
    ],
)
def test_a_ladder_is_found_by_its_name_or_primary_model_and_project(
    project: str, model: str, name: str | None
) -> None:
    found = ladder_for(ROUTE, project, model)

    assert (found and found[0]) == name


@pytest.mark.parametrize(
    ("fields", "counts"),
    [
        ({}, True),
        ({"project": "shop"}, True),
        ({"project": "other"}, False),
        ({"model": "gpt-*"}, True),
        ({"model": "claude*"}, False),
        ({"team": "web", "user": "ann"}, True),
        ({"user": "bob"}, False),
        ({"provider": "openai"}, False),
        ({"tag": {"env": "prod"}}, False),
    ],
)
def test_a_call_counts_towards_the_budgets_whose_conditions_it_fits(
    fields: dict[str, Any], counts: bool
) -> None:
    one = Budget(name="b", limit_usd=Decimal(1), **fields)

    found = budgets_for([one], project="shop", model="gpt-4o", team="web", user="ann")

    assert found == ((one,) if counts else ())


def slices(dollars: Sequence[int], start: datetime, hours: int = 24) -> list[Slice]:
    return [
        Slice(moment=start + timedelta(hours=hours * i), pico=d * PICO)
        for i, d in enumerate(dollars)
    ]


def replayed(parts: Sequence[Slice], ladder: Ladder = LADDER, **fields: Any) -> Replay:
    """Each model costs its part of what the primary does."""
    part = {"gpt-4o-mini": 10, "gpt-4.1-nano": 100}
    amounts = {one.moment: one.pico for one in parts}
    one = Budget(name="b", **{"limit_usd": Decimal(100), **fields})
    return replay(parts, ladder, one, "UTC", lambda at, model: amounts[at] // part[model])


# 50, 40 -> 90 spent: fallback. 60 cost 6, 96. 30 cost 3, 99. 20 cost 2, 101: emergency.
# 100 cost 1. Without the ladder 300, with it 102.
def test_a_replay_worked_out_by_hand() -> None:
    found = replayed(slices([50, 40, 60, 30, 20, 100], datetime(2026, 11, 1, tzinfo=UTC)))

    assert found.spent_pico == 300 * PICO
    assert found.routed_pico == 102 * PICO
    assert found.saved_pico == 198 * PICO
    (period,) = found.periods
    assert [(s.moment.day, s.before, s.after, s.share) for s in period.switches] == [
        (3, "primary", "fallback", Decimal("0.9")),
        (6, "fallback", "emergency", Decimal("1.01")),
    ]


def test_a_new_period_starts_again_with_the_primary_model() -> None:
    found = replayed(slices([90, 50, 10, 10], datetime(2026, 11, 29, tzinfo=UTC)))

    assert [(p.first, p.routed_pico // PICO, len(p.switches)) for p in found.periods] == [
        (date(2026, 11, 1), 95, 1),
        (date(2026, 12, 1), 20, 0),
    ]


def test_periods_begin_by_the_clock_of_the_zone() -> None:
    parts = slices([90, 50], datetime(2026, 11, 30, 14, tzinfo=UTC), hours=1)
    one = Budget(name="b", limit_usd=Decimal(100))

    found = replay(parts, LADDER, one, "Asia/Tokyo", lambda at, model: 0)

    assert [p.first for p in found.periods] == [date(2026, 11, 1), date(2026, 12, 1)]


def test_other_calls_of_the_budget_are_spent_too_and_stay_as_they_are() -> None:
    start = datetime(2026, 11, 1, tzinfo=UTC)
    parts = [
        Slice(moment=start, pico=0, others_pico=85 * PICO),
        Slice(moment=start + timedelta(days=1), pico=50 * PICO, others_pico=1 * PICO),
    ]

    found = replayed(parts)

    assert (found.spent_pico // PICO, found.routed_pico // PICO) == (136, 91)


def test_refused_calls_are_not_called_a_saving() -> None:
    parts = slices([100, 30], datetime(2026, 11, 1, tzinfo=UTC))

    found = replayed(parts, NO_EMERGENCY)

    assert (found.refused_pico // PICO, found.saved_pico) == (30, 0)


def test_a_model_without_a_price_is_named_and_saves_nothing() -> None:
    parts = slices([85, 10], datetime(2026, 11, 1, tzinfo=UTC))
    one = Budget(name="b", limit_usd=Decimal(100))

    found = replay(parts, LADDER, one, "UTC", lambda at, model: None)

    assert found.unpriced == ("gpt-4o-mini",)
    assert found.saved_pico == 0


@given(
    st.lists(st.integers(0, 60), max_size=40),
    st.integers(0, 100),
    st.booleans(),
)
def test_the_parts_of_a_replay_add_up_and_cheaper_models_never_cost_more(
    dollars: list[int], limit: int, emergency: bool
) -> None:
    parts = slices(dollars, datetime(2026, 10, 25, tzinfo=UTC))
    ladder = LADDER if emergency else NO_EMERGENCY

    found = replayed(parts, ladder, limit_usd=Decimal(limit))

    assert found.spent_pico == sum(dollars) * PICO
    assert found.saved_pico >= 0
    assert sum(p.routed_pico for p in found.periods) == found.routed_pico
