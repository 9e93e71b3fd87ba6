"""What `sdlc cost forecast` shows."""

import json
from collections.abc import Callable
from datetime import date, timedelta

from sdlc_cli.core import render
from sdlc_cli.cost import forecast
from sdlc_cli.cost.model import PICO, Series
from sdlc_cli.cost.report import forecast as report

# Four weeks of 10 on workdays and 2 or 1 at the end of the week, one cent more each day.
DAYS: Series = tuple(
    (date(2026, 6, 1) + timedelta(days=i), (10, 10, 10, 10, 10, 2, 1)[i % 7] * PICO + i * 10**10)
    for i in range(28)
)


def test_the_tables_and_their_json(golden: Callable[[str, str], None]) -> None:
    result = forecast.forecast(DAYS, 3)

    page = "\n".join(
        [
            f"{report.headline(result)}\n",
            *(f"{table.title}\n\n{render.markdown(table)}" for table in report.tables(result)),
            *(f"- {note}" for note in report.notes(result)),
        ]
    )
    golden("cost/forecast.md", page + "\n")
    golden("cost/forecast.json", json.dumps(report.document(result), indent=2) + "\n")


def test_no_forecast_shows_its_reason_and_no_figures() -> None:
    result = forecast.forecast(DAYS[:5], 3)

    assert report.tables(result) == ()
    assert report.notes(result) == ()
    assert "needs 21 days" in report.headline(result)
    assert report.document(result)["total"] is None
    assert report.document(result)["status"] == "unknown"
