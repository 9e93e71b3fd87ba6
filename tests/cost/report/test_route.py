"""What `sdlc cost route` shows."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from sdlc_cli.core import render
from sdlc_cli.core.i18n import msg
from sdlc_cli.cost.model import PICO
from sdlc_cli.cost.options import Budget, Ladder
from sdlc_cli.cost.report import route as report
from sdlc_cli.cost.route import Decision, Slice, replay

LADDER = Ladder(primary="gpt-4o", fallback="gpt-4o-mini")
DECISION = Decision(
    model="gpt-4o-mini",
    step="fallback",
    budget="shop",
    share=Decimal("0.85"),
    reason=msg("{share} is spent", share="85.0%"),
)


def test_the_decision_and_the_replay(golden: Callable[[str, str], None]) -> None:
    start = datetime(2026, 11, 27, tzinfo=UTC)
    days = [
        Slice(moment=start + timedelta(days=i), pico=d * PICO)
        for i, d in enumerate([85, 30, 20, 12, 60])
    ]
    budget = Budget(name="shop", limit_usd=Decimal(100))
    past = replay(days, LADDER, budget, "UTC", lambda at, model: None if at.day == 29 else 10**13)

    page = "\n".join(
        [
            f"{report.headline(DECISION)}\n",
            *(f"{table.title}\n\n{render.markdown(table)}" for table in report.tables(past)),
            *(f"- {note}" for note in report.notes(past)),
        ]
    )
    golden("cost/route.md", page + "\n")
    golden("cost/route.json", json.dumps(report.document(DECISION, past), indent=2) + "\n")


def test_a_refusal_names_no_model() -> None:
    refused = Decision(model="", step="refused", budget="shop", share=None, reason=msg("all spent"))

    assert report.headline(refused) == "No model may be used: all spent"
    assert report.document(refused)["model"] is None
    assert report.document(refused)["replay"] is None
