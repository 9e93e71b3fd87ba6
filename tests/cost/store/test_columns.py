"""Rows as columns hold what they hold as records."""

import random

import pytest

from sdlc_cli.cost import store
from sdlc_cli.cost.model import COUNTS, Row
from sdlc_cli.cost.store import COLUMNS, columns

TEXTS = ("provider", "model", "tier", "project", "user", "key", "path", "call_id", "dedupe")
WORDS = ("", "", "a", "ü", "x\0y", "\0")
TAGS = ("", '{"a":"b"}', '{"a":"\\u0000"}')


def row(chance: random.Random) -> Row:
    made = Row(
        ts=chance.choice((None, 0, 1_780_000_000_000_000)),
        known=chance.random() < 0.5,
        tags=chance.choice(TAGS),
        max_output=chance.choice((None, 0, 5)),
        rank=chance.choice((0, -3)),
    )
    made.status = chance.choice(store.STATUSES)
    for name in TEXTS:
        setattr(made, name, chance.choice(WORDS))
    for name in COUNTS:
        setattr(made, name, chance.choice((0, 0, 3)))
    return made


@pytest.mark.parametrize("most", [1, 2, 50])
@pytest.mark.parametrize("seed", range(10))
def test_columns_hold_what_records_hold(seed: int, most: int) -> None:
    chance = random.Random(seed)
    rows = [row(chance) for _ in range(most)]
    empty = dict(zip(COLUMNS, store.record(Row()), strict=True))

    found = columns.filled(rows)

    lines = [[found[n][i] if n in found else empty[n] for n in COLUMNS] for i in range(most)]
    assert [tuple(line) for line in lines] == list(store.records(rows))


def test_rows_that_say_nothing_have_no_columns() -> None:
    assert columns.filled([Row(), Row()]) == {}
