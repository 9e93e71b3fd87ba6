"""Sums that were read are kept by their days, and read anew where a commit changed them."""

import sqlite3
from pathlib import Path

import pytest

from sdlc_cli.cost.config import CostConfig
from sdlc_cli.cost.engine.sums import Line, Wanted
from sdlc_cli.cost.model import Row, Told
from sdlc_cli.cost.store import rollup
from sdlc_cli.cost.store.ledger import Ledger
from sdlc_cli.serve import days, figures
from sdlc_cli.serve.days import Days
from sdlc_cli.serve.figures import Figures

NOON = 20_000 * rollup.DAY + rollup.DAY // 2


@pytest.fixture
def store(tmp_path: Path) -> tuple[Ledger, Figures]:
    config = CostConfig()
    prices = figures.prices_of(config)
    cuts = figures.cuts_of(config, prices)
    file = tmp_path / "usage.db"
    return Ledger(file, cuts=cuts), Figures(file, config, prices, cuts)


def commit(
    store: tuple[Ledger, Figures],
    *calls: tuple[str, int | None, int],
    replaces: tuple[str, ...] = (),
) -> None:
    """Adds calls, each a name, a day and its tokens, as the service does."""
    ledger, asked = store
    batch = [
        Told(
            row=Row(
                ts=None if day is None else NOON + day * rollup.DAY,
                provider="openai", model="gpt-4o", project="shop",
                call_id=name, dedupe=name, input=tokens,
            ),
            replaces=replaces,
        )
        for name, day, tokens in calls
    ]  # fmt: skip
    asked.days.touch(record[1] for record in ledger.commit(batch).changes)


def told(store: tuple[Ledger, Figures]) -> dict[str, int]:
    report = store[1].report(("day",), Wanted(), None, None)
    assert report.totals.calls == sum(group.amounts.calls for group in report.groups)
    return {group.keys["day"]: group.amounts.tokens["input"] for group in report.groups}


def test_each_commit_is_in_the_next_answer(store: tuple[Ledger, Figures]) -> None:
    commit(store, ("a", 0, 10), ("b", 1, 20), ("c", None, 5))
    first = told(store)
    commit(store, ("d", 0, 1), ("e", 3, 7))
    second = told(store)
    commit(store, ("e2", 3, 9), replaces=("e",))
    third = told(store)

    assert sorted(first.values()) == [5, 10, 20]
    assert sorted(second.values()) == [5, 7, 11, 20]
    assert sorted(third.values()) == [5, 9, 11, 20]


def test_a_call_that_moves_to_another_day_leaves_the_first(store: tuple[Ledger, Figures]) -> None:
    commit(store, ("a", 0, 10))
    told(store)
    commit(store, ("a", 1, 30))  # told again, better: the day of the winner counts

    assert sorted(told(store).values()) == [30]


def test_only_days_that_changed_are_read(store: tuple[Ledger, Figures]) -> None:
    commit(store, ("a", 0, 10), ("b", 1, 20))
    told(store)
    asked: list[str] = []
    read = store[1].days._read

    def watched(condition: str) -> list[Line]:
        asked.append(condition)
        return read(condition)

    store[1].days._read = watched
    told(store)
    commit(store, ("c", 1, 20))
    told(store)

    assert asked == ["scope = '' AND day IN (20001)"]


def test_a_read_that_failed_is_done_again(store: tuple[Ledger, Figures]) -> None:
    commit(store, ("a", 0, 10))
    told(store)
    commit(store, ("b", 0, 20))
    read = store[1].days._read

    def failing(condition: str) -> list[Line]:
        raise sqlite3.OperationalError("locked")

    store[1].days._read = failing
    with pytest.raises(sqlite3.OperationalError):
        told(store)
    store[1].days._read = read

    assert list(told(store).values()) == [30]


def test_more_than_memory_is_meant_for_is_not_kept(
    store: tuple[Ledger, Figures], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(days, "_MOST", 1)
    commit(store, ("a", 0, 10), ("b", 1, 20))
    kept = Days(store[1].days._read)

    assert len(list(kept.lines())) == 2
    assert kept._lines is None
    assert len(list(kept.lines())) == 2
