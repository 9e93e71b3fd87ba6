"""What `sdlc cost reconcile` shows."""

import json
from collections.abc import Callable

from sdlc_cli.core import render
from sdlc_cli.cost.model import Amounts, Group
from sdlc_cli.cost.reconcile import reconcile, sides
from sdlc_cli.cost.report import reconcile as report

CENT = 10**10


def group(day: str, model: str = "gpt-4o", cents: int = 150, tokens: int = 100) -> Group:
    return Group(
        keys={"day": day, "provider": "openai", "model": model, "tier": "", "project": ""},
        amounts=Amounts(
            calls=2,
            pico=cents * CENT,
            tokens={"input": tokens, "output": 7},
            unpriced_calls=int(model == "o3"),
        ),
    )


OURS = [group("2026-11-01"), group("2026-11-02"), group("2026-11-03"), group("2026-11-04", "o3")]
BILL = [
    group("2026-11-01"),
    group("2026-11-02", cents=175),
    group("2026-11-03", tokens=90),
    group("2026-11-04", "=cmd()|"),
]


def test_the_tables_and_their_json(golden: Callable[[str, str], None]) -> None:
    result = reconcile(sides(OURS), sides(BILL))

    page = "\n".join(
        [
            f"{report.headline(result)}\n",
            *(f"{table.title}\n\n{render.markdown(table)}" for table in report.tables(result)),
            *(f"- {note}" for note in report.notes(result)),
        ]
    )
    golden("cost/reconcile.md", page + "\n")
    golden("cost/reconcile.json", json.dumps(report.document(result), indent=2) + "\n")


def test_where_all_matches_no_line_is_listed_unless_asked_for() -> None:
    result = reconcile(sides(OURS), sides(OURS, with_money=False))

    assert len(report.tables(result)) == 1
    assert len(report.tables(result, matched=True)[0].rows) == 4
    assert "the bill tells no money" in report.headline(result)
    assert report.document(result)["passed"] is True
