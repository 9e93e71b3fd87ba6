"""Our totals against a provider's."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sdlc_cli.cost.model import PICO, Amounts, Group, Row
from sdlc_cli.cost.reconcile import (
    Keys,
    Reconciliation,
    Side,
    bill_of_rows,
    reconcile,
    sides,
)

CENT = 10**10


def group(
    day: str, model: str = "gpt-4o", cents: int = 10, tokens: int = 100, **keys: str
) -> Group:
    return Group(
        keys={"day": day, "provider": "openai", "model": model, "tier": "", "project": "", **keys},
        amounts=Amounts(calls=2, pico=cents * CENT, tokens={"input": tokens, "output": 7}),
    )


def statuses(result: Reconciliation) -> list[str]:
    return [line.status for line in result.lines]


OURS = sides([group("2026-11-01"), group("2026-11-02"), group("2026-11-03")])


@pytest.mark.parametrize(
    ("theirs", "expected"),
    [
        pytest.param(group("2026-11-02"), "matched", id="equal"),
        pytest.param(group("2026-11-02", cents=12), "price", id="another price"),
        pytest.param(group("2026-11-02", tokens=101), "tokens", id="other tokens"),
        pytest.param(group("2026-11-02", cents=12, tokens=90), "tokens", id="both"),
        pytest.param(group("2026-11-02", model="o3"), "not-in-bill", id="another model"),
    ],
)
def test_a_line_is_matched_when_tokens_and_money_are_equal(theirs: Group, expected: str) -> None:
    bill = sides([group("2026-11-01"), theirs, group("2026-11-03")])

    result = reconcile(OURS, bill)

    by_line = {(line.keys["day"], line.keys["model"]): line.status for line in result.lines}
    assert by_line["2026-11-02", "gpt-4o"] == expected
    assert result.exit_code == (0 if expected == "matched" else 1)


def test_what_one_side_lacks_is_told_with_its_amount() -> None:
    bill = sides([group("2026-11-02"), group("2026-11-03"), group("2026-11-04", cents=25)])

    result = reconcile(OURS, bill)

    assert statuses(result) == ["not-in-bill", "matched", "matched", "not-in-log"]
    assert [line.difference_pico for line in result.lines] == [10 * CENT, 0, 0, -25 * CENT]
    assert (result.ours_pico, result.theirs_pico) == (30 * CENT, 45 * CENT)
    assert result.counts == {
        "matched": 2, "tokens": 0, "price": 0, "not-in-bill": 1, "not-in-log": 1,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("tolerance", "status"), [("0", "tokens"), ("0.009", "tokens"), ("0.01", "matched")]
)
def test_a_tolerance_is_a_share_of_the_bill(tolerance: str, status: str) -> None:
    ours, bill = sides([group("d", tokens=99)]), sides([group("d", tokens=100)])

    assert statuses(reconcile(ours, bill, tolerance=Decimal(tolerance))) == [status]


def test_a_key_that_the_bill_leaves_empty_is_not_compared() -> None:
    ours = sides([group("d", tier="batch", project="a"), group("d", tier="", project="b")])
    bill = sides([group("d", cents=20, tokens=200)])
    doubled = {keys: Side(calls=4, tokens=(200, 0, 0, 14), pico=20 * CENT) for keys in bill}

    result = reconcile(ours, doubled)

    assert result.by == ("day", "provider", "model")
    assert statuses(result) == ["matched"]


def test_a_bill_of_tokens_alone_is_compared_by_tokens_alone() -> None:
    bill = sides([group("2026-11-01"), group("2026-11-02", tokens=1)], with_money=False)

    result = reconcile(OURS, bill)

    assert statuses(result) == ["matched", "tokens", "not-in-bill"]
    assert result.theirs_pico is None
    assert result.lines[1].difference_pico is None


def test_lines_without_tokens_and_money_are_no_lines() -> None:
    nothing = sides([group("d", cents=0, tokens=0)])
    empty = {keys: Side(calls=3, tokens=(0, 0, 0, 0), pico=0) for keys in nothing}

    assert reconcile(empty, {}).lines == ()
    assert reconcile(empty, {}).exit_code == 4


def row(hour: int, tokens: int, **fields: int | str | None) -> Row:
    ts = datetime(2026, 11, 1, tzinfo=UTC) + timedelta(hours=hour)
    found = Row(ts=round(ts.timestamp() * 1e6), model="gpt-4o", input=tokens)
    for name, value in fields.items():
        setattr(found, name, value)
    return found


def test_a_bill_is_made_of_the_rows_of_an_export() -> None:
    rows = [
        row(0, 5, logged_pico=PICO, cache_read=2, cache_write_1h=3, calls=4),
        row(23, 6, logged_pico=PICO, reasoning=8, audio_out=1),
        row(24, 7, logged_pico=None),
        row(25, 1, logged_pico=PICO),
        Row(model="gpt-4o", input=9),
    ]

    bill = bill_of_rows(rows, lambda one: ("openai", one.model), "UTC")

    assert {dict(keys)["day"]: side for keys, side in bill.items()} == {
        "2026-11-01": Side(calls=5, tokens=(11, 2, 3, 9), pico=2 * PICO),
        "2026-11-02": Side(calls=2, tokens=(8, 0, 0, 0), pico=None),
        "": Side(calls=1, tokens=(9, 0, 0, 0), pico=None),
    }


def hours_as_bill(counts: Mapping[int, int], timezone: str) -> dict[Keys, Side]:
    rows = [row(hour, tokens, logged_pico=tokens) for hour, tokens in counts.items()]
    return bill_of_rows(rows, lambda one: ("openai", one.model), timezone)


HOURS = {hour: 100 + hour for hour in range(12, 24 * 5, 6)}


def test_days_that_begin_at_another_hour_are_recognised() -> None:
    bill = hours_as_bill(HOURS, "UTC")
    tokyo = hours_as_bill(HOURS, "Asia/Tokyo")

    guessed = reconcile(tokyo, bill)
    tried = reconcile(tokyo, bill, elsewhere={"UTC": bill, "Europe/Berlin": tokyo})

    assert "cancel out over the days" in guessed.hints[0]
    assert "with the days of UTC, 5 lines match" in tried.hints[0]
    assert reconcile(bill, bill, elsewhere={"Asia/Tokyo": tokyo}).hints == ()


def test_a_real_lack_is_not_taken_for_another_midnight() -> None:
    bill = hours_as_bill(HOURS, "UTC")
    lossy = hours_as_bill({hour: n for hour, n in HOURS.items() if hour % 24}, "UTC")

    assert reconcile(lossy, bill).hints == ()


def test_the_same_tokens_under_another_name_hint_at_an_alias() -> None:
    ours, bill = sides([group("d", model="my-gpt")]), sides([group("d", model="gpt-4o")])

    (hint,) = reconcile(ours, bill).hints

    assert "'my-gpt' of the log and 'gpt-4o' of the bill" in hint


def test_input_that_is_split_differently_is_told_apart_from_missing_input() -> None:
    (keys,) = sides([group("d")])
    ours = {keys: Side(calls=1, tokens=(100, 0, 0, 5), pico=CENT)}
    bill = {keys: Side(calls=1, tokens=(60, 40, 0, 5), pico=CENT)}

    (hint,) = reconcile(ours, bill).hints

    assert "differently split" in hint


GROUPS = st.lists(
    st.tuples(
        st.sampled_from(["2026-11-01", "2026-11-02", "2026-11-03"]),
        st.sampled_from(["a", "b"]),
        st.integers(0, 50),
        st.integers(0, 500),
        st.sampled_from(["", "p"]),
    ),
    max_size=12,
)


@given(GROUPS, GROUPS, st.decimals(0, 1, places=2))
def test_every_amount_of_both_sides_is_in_exactly_one_line(
    left: list[tuple[str, str, int, int, str]],
    right: list[tuple[str, str, int, int, str]],
    tolerance: Decimal,
) -> None:
    ours, bill = (
        sides([group(day, model, cents, tokens, project=p) for day, model, cents, tokens, p in one])
        for one in (left, right)
    )

    result = reconcile(ours, bill, tolerance=tolerance)

    for side, total in (("ours", result.ours_pico), ("theirs", result.theirs_pico)):
        found = [getattr(line, side) for line in result.lines]
        assert sum(one.pico for one in found if one) == (total or 0)
    assert sum(result.counts.values()) == len(result.lines)
    assert set(statuses(reconcile(ours, ours))) <= {"matched"}


def test_against_a_bill_of_money_alone_only_amounts_are_compared() -> None:
    def line(day: int, cents: int) -> Row:
        moment = datetime(2026, 11, day, tzinfo=UTC)
        return Row(
            ts=int(moment.timestamp()) * 10**6,
            provider="openai",
            model="gpt-4o",
            known=False,
            calls=0,
            logged_pico=cents * CENT,
        )

    bill = bill_of_rows(
        [line(1, 4), line(1, 6), line(2, 9), line(3, 10)],
        lambda row: (row.provider, row.model),
        "UTC",
    )

    result = reconcile(OURS, bill)

    assert statuses(result) == ["matched", "price", "matched"]
    assert result.money_only
    assert result.exit_code == 1
    assert reconcile(OURS, OURS).money_only is False
