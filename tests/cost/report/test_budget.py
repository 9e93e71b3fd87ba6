"""What `sdlc cost budget` shows."""

import json
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from sdlc_cli.core import render
from sdlc_cli.cost.budget import BudgetState, judge, window
from sdlc_cli.cost.model import PICO, Amounts, Group
from sdlc_cli.cost.options import Budget
from sdlc_cli.cost.report import budget as report

NOON = datetime(2026, 11, 11, 12, tzinfo=UTC)


def state(name: str, limit: str, spent: Amounts, *, ahead: bool = False) -> BudgetState:
    one = Budget(name=name, limit_usd=Decimal(limit), project="shop")
    daily = tuple((date(2026, 11, 1) + timedelta(days=i), 5 * PICO) for i in range(11))
    groups = [
        Group(keys={"user": "ann|bob"}, amounts=Amounts(calls=4, pico=spent.pico // 4)),
        Group(keys={"model": "gpt-4o"}, amounts=Amounts(calls=4, pico=spent.pico)),
    ]
    within = window(one, NOON, "Europe/Berlin")
    return judge(one, within, spent, daily, spenders=groups, ahead=ahead)


def test_the_tables_and_their_json(golden: Callable[[str, str], None]) -> None:
    spent = Amounts(calls=11, pico=55 * PICO)
    states = [
        state("holds", "1000", spent),
        state("at risk", "60", spent),
        state("will break", "70", spent, ahead=True),
        state("broken", "50.5", Amounts(calls=11, pico=55 * PICO, unpriced_calls=1)),
        state("unknown", "90", Amounts(calls=11, pico=55 * PICO, unknown_calls=2)),
        state("zero", "0", Amounts(calls=1)),
    ]

    page = "\n".join(
        [
            f"{report.headline(states)}\n",
            *(f"{table.title}\n\n{render.markdown(table)}" for table in report.tables(states)),
            *(f"- {note}" for note in report.notes(states)),
        ]
    )
    golden("cost/budget.md", page + "\n")
    golden("cost/budget.json", json.dumps(report.document(states), indent=2) + "\n")


def test_the_headline_says_when_all_hold_and_when_there_is_none() -> None:
    held = [state("holds", "1000", Amounts(calls=11, pico=55 * PICO))]

    assert report.headline(held) == "All budgets hold: 1"
    assert report.headline([]) == "no budget is set up"
    assert report.document([])["exit_code"] == 4
