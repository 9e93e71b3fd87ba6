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


def test_people_read_many_days_by_the_week_and_machines_day_by_day() -> None:
    result = forecast.forecast(DAYS, 21)

    by_week = report.tables(result, by_week=True)[0]
    by_day = report.tables(result)[0]

    assert [row[0] for row in by_week.rows] == [
        "2026-06-29 to 2026-07-05",
        "2026-07-06 to 2026-07-12",
        "2026-07-13 to 2026-07-19",
        "Total",
    ]
    assert len(by_day.rows) == 22
    assert by_week.rows[-1] == by_day.rows[-1]


def test_old_logs_and_calls_of_unknown_cost_are_told() -> None:
    result = forecast.forecast(DAYS, 7)

    told = [str(note) for note in report.notes(result, today=date(2026, 7, 8), uncertain=12)]

    assert "The logs end on 2026-06-28: the forecast begins there, 9 days ago." in told
    assert "Calls of unknown cost are not in it: 12." in told
