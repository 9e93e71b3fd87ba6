"""Budgets: their periods, their status, the day they break."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sdlc_cli.cost.budget import BudgetState, exit_code, judge, where, window
from sdlc_cli.cost.model import PICO, Amounts, Group, Series, Where
from sdlc_cli.cost.options import Budget

NOON = datetime(2026, 11, 11, 12, tzinfo=UTC)  # a Wednesday
TODAY = NOON.date()


def budget(limit: str = "100", **fields: Any) -> Budget:
    return Budget(name="shop", limit_usd=Decimal(limit), **fields)


def amounts(dollars: int, **fields: Any) -> Amounts:
    return Amounts(**{"calls": 10, "pico": dollars * PICO, **fields})


def series(dollars: Sequence[int], last: date = TODAY) -> Series:
    first = last - timedelta(days=len(dollars) - 1)
    return tuple((first + timedelta(days=i), d * PICO) for i, d in enumerate(dollars))


def state(one: Budget, dollars: Sequence[int], **fields: Any) -> BudgetState:
    """`dollars` a day up to today, all of them in the budget's period."""
    spent = fields.pop("spent", amounts(sum(dollars)))
    return judge(one, window(one, NOON, "UTC"), spent, series(dollars), **fields)


@pytest.mark.parametrize(
    ("period", "since", "until"),
    [
        ("day", "2026-11-10T23:00", "2026-11-11T23:00"),
        ("week", "2026-11-08T23:00", "2026-11-15T23:00"),
        ("month", "2026-10-31T23:00", "2026-11-30T23:00"),
        ("quarter", "2026-09-30T22:00", "2026-12-31T23:00"),  # summer time at its start
        ("year", "2025-12-31T23:00", "2026-12-31T23:00"),
        ("total", None, None),
    ],
)
def test_a_period_begins_and_ends_at_midnight_in_the_reports_zone(
    period: Any, since: str | None, until: str | None
) -> None:
    within = window(budget(period=period), NOON, "Europe/Berlin")

    assert within.since == (since and datetime.fromisoformat(f"{since}+00:00"))
    assert within.until == (until and datetime.fromisoformat(f"{until}+00:00"))


def test_today_is_what_the_calendar_of_the_zone_shows() -> None:
    late = datetime(2026, 11, 30, 23, 30, tzinfo=UTC)

    assert window(budget(), late, "UTC").first == date(2026, 11, 1)
    assert window(budget(), late, "Asia/Tokyo").first == date(2026, 12, 1)


def test_a_budget_asks_for_its_calls_within_its_period() -> None:
    one = budget(project="shop", user="ann", model="gpt-*", tag={"env": "prod"}, period="day")
    within = window(one, NOON, "UTC")

    assert where(one) == Where(project="shop", user="ann", model="gpt-*", tag=("env", "prod"))
    assert where(one, within).since == datetime(2026, 11, 11, tzinfo=UTC)
    assert where(one, within).until == datetime(2026, 11, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("limit", "spent", "status"),
    [
        pytest.param("100", amounts(79), "ok", id="below the warning"),
        pytest.param("100", amounts(80), "warn", id="at the warning"),
        pytest.param("100", amounts(100), "warn", id="exactly the limit is not above it"),
        pytest.param("100", Amounts(calls=1, pico=100 * PICO + 1), "broken", id="a pico above"),
        pytest.param("0", amounts(0), "warn", id="nothing allowed, nothing spent"),
        pytest.param("0", Amounts(calls=1, pico=1), "broken", id="nothing allowed"),
        pytest.param(
            "100",
            amounts(50, unpriced_calls=2, at_most_pico=100 * PICO),
            "ok",
            id="whatever the unpriced calls cost, it holds",
        ),
        pytest.param(
            "100",
            amounts(50, unpriced_calls=2, at_most_pico=100 * PICO + 1),
            "unknown",
            id="the unpriced calls may have broken it",
        ),
        pytest.param(
            "100", amounts(50, unknown_calls=1, at_most_pico=None), "unknown", id="no bound"
        ),
        pytest.param(
            "100",
            amounts(101, unknown_calls=1, at_most_pico=None),
            "broken",
            id="broken without them",
        ),
    ],
)
def test_the_status_of_a_budget(limit: str, spent: Amounts, status: str) -> None:
    found = state(budget(limit), [0], spent=spent)

    assert found.status == status
    assert (found.reason is not None) == (status == "unknown")


def test_a_budget_that_no_call_ever_matched_is_not_kept_but_unknown() -> None:
    one = budget(project="shpo")

    never = judge(one, window(one, NOON, "UTC"), Amounts(), ())
    quiet = judge(one, window(one, NOON, "UTC"), Amounts(), series([5], date(2026, 9, 1)))

    assert never.status == "unknown"
    assert "check its conditions" in str(never.reason)
    assert quiet.status == "ok"


def test_logs_that_end_before_every_period_pass_nothing() -> None:
    one = budget(project="shop")
    quiet = judge(one, window(one, NOON, "UTC"), Amounts(), series([5], date(2026, 9, 1)))
    busy = judge(one, window(one, NOON, "UTC"), amounts(1), series([1]))
    # An export of sums may tell tokens without telling calls.
    summed = judge(one, window(one, NOON, "UTC"), Amounts(tokens={"input": 9}), series([1]))

    assert exit_code([quiet, quiet]) == 4
    assert exit_code([quiet, busy]) == 0
    assert exit_code([summed]) == 0


@pytest.mark.parametrize(
    ("statuses", "code"),
    [
        (["ok", "warn"], 0),
        (["ok", "unknown"], 3),
        (["unknown", "broken"], 1),
        (["will_break"], 1),
        ([], 4),
    ],
)
def test_a_broken_budget_exits_1_and_one_that_cannot_be_judged_3(
    statuses: list[str], code: int
) -> None:
    limit = {"ok": "1000", "warn": "55", "unknown": "60", "broken": "10"}
    states = []
    for status in statuses:
        spent = amounts(50, unknown_calls=status == "unknown")
        one = budget(limit.get(status, "60"))
        states.append(state(one, [5] * 10, spent=spent, ahead=status == "will_break"))

    assert [s.status for s in states] == statuses
    assert exit_code(states) == code


# 11 November, noon. $7 on each of the last seven days, the last of them half over: 49 in 6.5 days
# are 7.538 a day; 19.5 days are left.
def test_the_rate_is_that_of_the_last_week_and_tells_the_day_the_budget_breaks() -> None:
    found = state(budget("110"), [30, 7, 7, 7, 7, 7, 7, 7], spent=amounts(79))

    assert found.rate_pico == 49 * PICO * 2 // 13
    assert found.outlook.expected_pico == pytest.approx(79 * PICO + 19.5 * 49 / 6.5 * PICO)
    # 31 left at 7.538 a day last 4.11 days from noon: into the 15th.
    assert found.outlook.breaks_on == date(2026, 11, 15)
    assert found.status == "ok"
    assert state(budget("110"), [7] * 8, spent=amounts(79), ahead=True).status == "will_break"


def test_a_budget_that_outlasts_its_period_does_not_break() -> None:
    found = state(budget("500"), [7] * 8, ahead=True)

    assert found.outlook.breaks_on is None
    assert found.status == "ok"


def test_the_rate_looks_back_over_the_start_of_the_period() -> None:
    one = budget("100")
    within = window(one, datetime(2026, 11, 1, 1, tzinfo=UTC), "UTC")

    found = judge(one, within, amounts(0), series([12] * 6 + [0], date(2026, 11, 1)))

    assert found.rate_pico == 72 * PICO * 24 // 145  # six days and an hour
    assert found.outlook.breaks_on == date(2026, 11, 9)


def test_a_budget_without_an_end_breaks_at_its_rate_some_day_or_never() -> None:
    # 951 left at 7.538 a day last 126.15 days: 19 to the end of November, 31 + 31 + 28, 17.15.
    assert state(budget("1000", period="total"), [7] * 7).outlook.breaks_on == date(2027, 3, 17)
    assert state(budget("1000", period="total"), [0] * 7).outlook.breaks_on is None
    assert state(budget("1000000000", period="total"), [1] * 7).outlook.breaks_on is None


def test_the_day_a_broken_budget_broke_is_told() -> None:
    found = state(budget("20"), [50, *[0] * 10, 9, 11, 1], spent=amounts(21))
    # The 50 were spent in October, outside the month.

    assert found.broke_on == TODAY
    assert state(budget("20"), [25, 9], spent=amounts(34)).broke_on == TODAY - timedelta(days=1)


def test_by_forecast_only_the_rest_of_today_is_added() -> None:
    one = budget("40", period="week")  # Monday the 9th to Sunday the 15th
    spent = [9, 9, 4]  # 22, of which 4 today
    coming = series([10, 6, 5, 1, 1], date(2026, 11, 15))  # today 10: 6 more

    found = state(one, spent, ahead=True, expected=coming)

    assert found.outlook.basis == "forecast"
    assert found.outlook.expected_pico == (22 + 6 + 6 + 5 + 1 + 1) * PICO
    assert found.outlook.breaks_on == date(2026, 11, 15)
    assert found.status == "will_break"
    assert "by the forecast" in str(found.reason)


def test_a_forecast_that_ends_too_early_gives_way_to_the_rate() -> None:
    found = state(budget("40"), [9, 9, 4], ahead=True, expected=series([1, 1], TODAY))

    assert found.outlook.basis == "rate"


def test_an_outlook_needs_an_hour_of_logs() -> None:
    one = budget()
    within = window(one, datetime(2026, 11, 11, 0, 30, tzinfo=UTC), "UTC")

    found = judge(one, within, amounts(1), series([1]), ahead=True)

    assert found.rate_pico is None
    assert found.status == "unknown"
    assert judge(one, within, amounts(1), series([1])).status == "ok"


def test_those_who_spent_most_are_named_by_user_and_by_model() -> None:
    spent = {"ann": 5, "bob": 9, "cem": 1, "": 2, "dee": 0}
    groups = [Group(keys={"user": u}, amounts=amounts(d)) for u, d in spent.items()]
    groups += [Group(keys={"model": "gpt-4o"}, amounts=amounts(17))]

    found = state(budget(), [17], spenders=groups)

    assert [(s.key, s.name, s.pico // PICO) for s in found.spenders] == [
        ("user", "bob", 9),
        ("user", "ann", 5),
        ("user", "", 2),
        ("model", "gpt-4o", 17),
    ]


@pytest.mark.parametrize(("limit", "share"), [("100", Decimal("0.5")), ("0", None)])
def test_the_share_of_a_limit_of_nothing_is_not_told(limit: str, share: Decimal | None) -> None:
    assert state(budget(limit), [50]).share == share


@given(
    st.lists(st.integers(0, 10**16), min_size=1, max_size=30),
    st.integers(0, 10**17),
    st.sampled_from(["day", "week", "month", "quarter", "year", "total"]),
    st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1)),
    st.sampled_from(["UTC", "Europe/Berlin", "America/Sao_Paulo", "Pacific/Apia"]),
)
def test_a_budget_that_is_said_to_last_is_not_expected_above_its_limit(
    picos: list[int], limit: int, period: Any, naive: datetime, timezone: str
) -> None:
    one = Budget(name="b", limit_usd=Decimal(limit).scaleb(-12), period=period)
    within = window(one, naive.replace(tzinfo=UTC), timezone)
    first = within.today - timedelta(days=len(picos) - 1)
    daily = tuple((first + timedelta(days=i), pico) for i, pico in enumerate(picos))
    inside = sum(p for d, p in daily if within.first is None or d >= within.first)

    found = judge(one, within, Amounts(calls=1, pico=inside), daily)

    assert (found.status == "broken") == (inside > limit) == (found.broke_on is not None)
    expected = found.outlook.expected_pico
    if found.outlook.basis and expected is not None and inside <= limit:
        assert (found.outlook.breaks_on is not None) == (expected >= limit and expected > 0) or (
            abs(expected - limit) <= len(picos) + 1  # to the pico-dollar of rounding
        )
