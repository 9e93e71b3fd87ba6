"""Past hours and days of a ledger in Parquet: the same figures, and never instead of it."""

import shutil
import sqlite3
from datetime import UTC, datetime
from pathlib import Path

import pytest
from msgspec import structs

from sdlc_cli.cost.config import CostConfig
from sdlc_cli.cost.engine import clock, seal
from sdlc_cli.cost.engine.usage import open_usage
from sdlc_cli.cost.model import CostReport, Row, Told, Where
from sdlc_cli.cost.prices.resolve import Prices
from sdlc_cli.cost.store import seals
from sdlc_cli.cost.store.ledger import Ledger

FIRST = clock.micros(datetime(2026, 3, 1, tzinfo=UTC)) // clock.DAY


def rows(day: int, number: int) -> list[Told]:
    models = ("gpt-4o", "claude-sonnet-4-5", "no such")
    return [
        Told(
            row=Row(
                ts=day * clock.DAY + place * 60_000_000,
                provider="openai",
                model=models[place % 3],
                project=("shop", "")[place % 2],
                user="o'hara",
                tags='{"env":"prod"}' if place % 4 else "",
                call_id=f"{day}-{place}",
                dedupe=f"{day}-{place}" if place % 5 else "",
                input=place,
                output=7,
                known=place % 11 > 0,
                max_output=100 if place % 2 else None,
            )
        )
        for place in range(number)
    ]


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    made = Ledger(tmp_path / "usage.db")
    for day in range(FIRST, FIRST + 3):
        made.commit(rows(day, 300))
    made.commit([Told(row=Row(model="gpt-4o", input=5))])  # without a time
    return made


def report(file: Path, tmp: Path, where: Where = Where()) -> CostReport:  # noqa: B008 - frozen
    shutil.rmtree(tmp, ignore_errors=True)
    tmp.mkdir()
    with open_usage([f"sqlite:///{file}"], config=CostConfig(), prices=Prices(), tmp=tmp) as usage:
        return usage.report(("day", "model", "project", "user", "tag:env"), where)


def span(day: int) -> tuple[int, int]:
    return day * clock.DAY, (day + 1) * clock.DAY


def sealed(ledger: Ledger, since: int, until: int) -> bool:
    made = seal.seal(ledger.file, since, until)
    ledger.sealed = True
    return seals.seal(ledger.con, (since, until), made.file, (made.rows, made.top, made.total))


def open_(ledger: Ledger) -> list[tuple[int, int]]:
    """What there is to seal, two days and a bit later."""
    now = (FIRST + 2) * clock.DAY + 3 * clock.HOUR
    return seals.unsealed(ledger.con, now, 300, 50)


def test_a_report_over_sealed_days_says_the_same(ledger: Ledger, tmp_path: Path) -> None:
    before = report(ledger.file, tmp_path / "w")
    hours = [(span(FIRST + 2)[0] + n * clock.HOUR, span(FIRST + 2)[0] + (n + 1) * clock.HOUR)
             for n in range(2)]  # fmt: skip
    assert open_(ledger) == [span(FIRST), span(FIRST + 1), *hours]

    for one in open_(ledger):
        assert sealed(ledger, *one)

    assert open_(ledger) == []
    assert report(ledger.file, tmp_path / "w") == before
    assert before.totals.calls == 901
    assert before.totals.unknown_calls > 0


@pytest.mark.parametrize("mode", [0o600, 0o644])
def test_who_may_read_the_ledger_may_read_the_files(ledger: Ledger, mode: int) -> None:
    ledger.file.chmod(mode)

    made = seal.seal(ledger.file, *span(FIRST))

    assert (seal.folder_of(ledger.file) / made.file).stat().st_mode & 0o777 == mode


def test_the_files_are_what_is_read(ledger: Ledger, tmp_path: Path) -> None:
    sealed(ledger, *span(FIRST))
    con = sqlite3.connect(ledger.file)
    con.execute("DELETE FROM sdlc_usage WHERE ts < ?", ((FIRST + 1) * clock.DAY,))
    con.commit()
    con.close()

    assert report(ledger.file, tmp_path / "w").totals.calls == 901


def test_a_call_that_comes_late_unseals_its_day(ledger: Ledger, tmp_path: Path) -> None:
    sealed(ledger, *span(FIRST))
    late = structs.replace(rows(FIRST, 2)[1].row, dedupe="late", call_id="late")

    ledger.commit([Told(row=late)])

    assert span(FIRST) in open_(ledger)
    assert report(ledger.file, tmp_path / "w").totals.calls == 902
    assert sealed(ledger, *span(FIRST))
    assert report(ledger.file, tmp_path / "w").totals.calls == 902


def test_a_call_that_is_known_better_unseals_its_day(ledger: Ledger, tmp_path: Path) -> None:
    sealed(ledger, *span(FIRST))
    better = structs.replace(rows(FIRST, 2)[1].row, output=1_000)

    ledger.commit([Told(row=better)])

    assert span(FIRST) in open_(ledger)
    assert report(ledger.file, tmp_path / "w").totals.calls == 901


def test_a_day_that_changes_while_it_is_written_is_not_sealed(ledger: Ledger) -> None:
    made = seal.seal(ledger.file, *span(FIRST))
    late = structs.replace(rows(FIRST, 2)[1].row, dedupe="late", call_id="late")
    ledger.commit([Told(row=late)])

    seen = (made.rows, made.top, made.total)
    assert not seals.seal(ledger.con, span(FIRST), made.file, seen)
    assert seals.files(ledger.con) == set()


def test_a_file_that_is_gone_costs_nothing_but_time(ledger: Ledger, tmp_path: Path) -> None:
    before = report(ledger.file, tmp_path / "w")
    sealed(ledger, *span(FIRST))

    shutil.rmtree(seal.folder_of(ledger.file))

    assert report(ledger.file, tmp_path / "w") == before


def test_a_day_takes_the_place_of_its_hours(ledger: Ledger, tmp_path: Path) -> None:
    before = report(ledger.file, tmp_path / "w")
    first = span(FIRST)[0]
    for hour in range(3):
        assert sealed(ledger, first + hour * clock.HOUR, first + (hour + 1) * clock.HOUR)
    assert len(seals.listed(ledger.con)) == 3
    assert report(ledger.file, tmp_path / "w") == before

    assert sealed(ledger, *span(FIRST))

    assert [one[:2] for one in seals.listed(ledger.con)] == [span(FIRST)]
    assert report(ledger.file, tmp_path / "w") == before
