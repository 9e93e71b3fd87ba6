"""The acknowledged log: each call once, its sums always those of its rows, whole or not at all."""

import random
import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from msgspec import structs

from sdlc_cli.core.errors import UsageError, WorkError
from sdlc_cli.cost import store
from sdlc_cli.cost.config import CostConfig
from sdlc_cli.cost.engine import clock, sums
from sdlc_cli.cost.engine.usage import open_usage
from sdlc_cli.cost.model import TOKENS, Price, Rate, Row, Told
from sdlc_cli.cost.prices import load, segments
from sdlc_cli.cost.prices.resolve import Prices
from sdlc_cli.cost.store import migrate, rollup, sqlite
from sdlc_cli.cost.store.ledger import Ledger, Mark, Tally
from sdlc_cli.cost.store.rollup import Cuts, Scope

DAY = datetime(2026, 3, 1, tzinfo=UTC)
ZONE = "America/St_Johns"  # half an hour off


class Book:
    """The catalogue, and a model with every limit that a price can have."""

    def __init__(self) -> None:
        self._prices = Prices()

    def price(self, provider: str, model: str, tier: str = "") -> Price:
        if model != "night-owl":
            return self._prices.price(provider, model, tier)
        day = dict.fromkeys(TOKENS, 7_000_001) | {"web_searches": 10**10}
        night = dict.fromkeys(TOKENS, 3_000_003) | {"web_searches": 10**10}
        change = DAY + timedelta(days=20)
        return Price(
            provider="openai",
            model=model,
            rates=(
                Rate(per_unit=night, until=change, hours=(1_335, 390), source="night"),
                Rate(per_unit=day, until=change, hours=(390, 1_335), request=11, source="day"),
                Rate(per_unit=day, since=change, source="later"),
                Rate(per_unit=night, since=change, above=100_000, source="later, large"),
            ),
            source="book",
            ceiling=day,
            context=128_000,
        )


MODELS = (
    *(("openai", "gpt-4o"), ("openai", "night-owl"), ("google", "gemini-2.5-pro")),
    *(("deepseek", "deepseek-chat"), ("acme", "no such model"), ("", "")),
)


def cuts() -> Cuts:
    first, last = clock.micros(DAY), clock.micros(DAY + timedelta(days=40))
    local = clock.local(clock.jumps(ZONE, first, last))
    minutes, sizes = segments.limits(load.catalogue())
    return Cuts(
        minutes=tuple(sorted({*minutes, 390, 1_335})),
        sizes=tuple(sorted({*sizes, 100_000})),
        local=local,
    )


def rows(seed: int, number: int, calls: int) -> list[Row]:
    """Duplicates that know more or less, of every kind."""
    chance = random.Random(seed)
    found: list[Row] = []
    for _ in range(number):
        provider, model = chance.choice(MODELS)
        call = chance.randrange(calls) if chance.random() < 0.9 else None
        counts = {
            name: chance.randrange(10 ** chance.randrange(1, 7))
            for name in chance.sample(TOKENS, chance.randrange(5))
        }
        at = DAY + timedelta(seconds=chance.randrange(40 * 86_400))
        found.append(
            Row(
                ts=None if chance.random() < 0.02 else clock.micros(at),
                provider=provider,
                model=model,
                tier=chance.choice(("", "", "batch")),
                project=chance.choice(("", "shop", "äpfel")),
                user=chance.choice(("", "ada", "o'hara")),
                tags=chance.choice(("", '{"env":"prod"}')),
                call_id=f"call-{call}" if call is not None else "",
                dedupe=f"call-{call}" if call is not None else "",
                rank=chance.choice((0, 0, 0, -1, -3)),
                status=chance.choice(("ok", "ok", "ok", "error", "cached")),
                known=chance.random() > 0.1,
                max_output=chance.choice((None, 1_000)),
                **counts,  # type: ignore[arg-type]
            )
        )
    return found


def told(*found: Row) -> list[Told]:
    return [Told(row=row) for row in found]


def call(name: str = "one", **more: object) -> Row:
    row = Row(ts=clock.micros(DAY), provider="openai", model="gpt-4o", dedupe=name, call_id=name)
    return structs.replace(row, **{"input": 5, **more})


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "usage.db"


def sums_of(ledger: Ledger) -> list[tuple[object, ...]]:
    return ledger.con.execute(
        f"SELECT * FROM {rollup.TABLE} ORDER BY 1,2,3,4,5,6,7,8,9,10,11"
    ).fetchall()


def test_the_sums_say_what_the_query_over_the_calls_says(file: Path, tmp_path: Path) -> None:
    found = rows(7, 3_000, 1_200)
    ledger = Ledger(file, cuts=cuts())
    for start in range(0, len(found), 400):
        ledger.commit(told(*found[start : start + 400]))
    ledger.close()
    work = tmp_path / "work"
    work.mkdir()
    by = ("day", "model", "provider", "tier", "project")
    with open_usage([f"sqlite:///{file}"], config=CostConfig(), prices=Book(), tmp=work) as usage:
        expected = usage.report(by, timezone=ZONE)

    pricer = sums.Pricer(Book(), cuts())
    con = sqlite3.connect(file)
    lines = [pricer.line(record) for record in con.execute(f"SELECT * FROM {rollup.TABLE}")]
    con.close()
    answer = sums.answer(lines, by)

    assert answer.totals == expected.totals
    assert answer.groups == expected.groups
    assert answer.unattributed == expected.unattributed
    assert answer.unpriced == expected.unpriced
    assert answer.price_sources == expected.price_sources
    assert expected.totals.unknown_calls > 0
    assert len(expected.price_sources) > 4


def test_the_sums_grow_to_what_they_are_when_made_anew(file: Path) -> None:
    found = rows(3, 2_000, 500)
    scopes = (Scope(user="o'hara"), Scope(tag=("env", "prod")))
    ledger = Ledger(file, cuts=cuts(), scopes=scopes)
    for start in range(0, len(found), 77):
        ledger.commit(told(*found[start : start + 77]))
    grown = sums_of(ledger)
    ledger.close()

    con = sqlite3.connect(file)
    con.execute("DELETE FROM sdlc_rollup")
    con.execute("UPDATE sdlc_meta SET value = '' WHERE name = 'sums'")
    con.commit()
    con.close()
    ledger = Ledger(file, cuts=cuts(), scopes=scopes)

    assert sums_of(ledger) == grown
    assert {row[0] for row in grown} == {"", "user:o'hara", "tag:env=prod"}
    ledger.close()


def test_a_call_sent_again_counts_once(file: Path) -> None:
    ledger = Ledger(file)
    batch = told(call("a"), call("b"), call("a"))

    tallies = [ledger.commit(batch) for _ in range(3)]

    assert [(tally.added, tally.duplicates) for tally in tallies] == [(2, 1), (0, 3), (0, 3)]
    assert ledger.meta("duplicates") == "7"
    assert len(list(sqlite.read(file))) == 2


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_of_two_records_of_a_call_the_better_one_counts_with_what_the_other_knows(
    file: Path, order: tuple[int, int]
) -> None:
    pair = (call(known=False, input=0, user="ada"), call(output=7, ts=None))
    ledger = Ledger(file)

    for place in order:
        ledger.commit(told(pair[place]))

    (row,) = sqlite.read(file)
    assert (row.output, row.user, row.known, row.ts) == (7, "ada", True, clock.micros(DAY))
    (record,) = sums_of(ledger)
    amounts = dict(zip((*rollup.KEYS, *rollup.SUMS), record, strict=True))
    assert (amounts["kind"], amounts["calls"], amounts["output"]) == (rollup.PAID, 1, 7)
    ledger.close()


def test_calls_without_an_identity_are_never_one(file: Path) -> None:
    ledger = Ledger(file)

    tally = ledger.commit(told(call(""), call(""), call("")))

    assert (tally.added, tally.duplicates) == (3, 0)


def test_a_row_that_turns_out_to_tell_of_another_call_is_taken_off(file: Path) -> None:
    ledger = Ledger(file)
    ledger.commit(told(call("span:t:1", output=341, user="ada"), call("other")))

    ledger.commit([Told(row=call("msg_1", output=340), span="span:t:2", replaces=("span:t:1",))])

    found = {row.dedupe: row for row in sqlite.read(file)}
    assert set(found) == {"msg_1", "other"}
    assert (found["msg_1"].output, found["msg_1"].user) == (340, "ada")
    pricer = sums.Pricer(Prices(), Cuts())
    assert sums.amounts([pricer.line(row) for row in sums_of(ledger)]).calls == 2
    ledger.close()


def test_a_commit_that_fails_leaves_nothing(file: Path) -> None:
    ledger = Ledger(file)
    ledger.commit(told(call("a")))
    before = sums_of(ledger)
    bad = structs.replace(call("c"), input=2**70)

    with pytest.raises(OverflowError):
        ledger.commit(told(call("b"), bad), [Mark(key="k", said=b"", answer=b"", at=0)])

    assert [row.dedupe for row in sqlite.read(file)] == ["a"]
    assert sums_of(ledger) == before
    assert ledger.answered("k") is None
    assert ledger.commit(told(call("b"))).added == 1
    ledger.close()


def test_a_request_is_remembered_with_its_calls(file: Path) -> None:
    ledger = Ledger(file)

    ledger.commit(told(call()), [Mark(key="k", said=b"hash", answer=b"{}", at=100)])

    assert ledger.answered("k") == (b"hash", b"{}")
    ledger.forget(before=101, most=10)
    assert ledger.answered("k") is None
    ledger.close()


def test_every_commit_is_synced(file: Path) -> None:
    """What SQLite is told; that it does it is tested on the running service."""
    ledger = Ledger(file)

    told = {name: ledger.con.execute(f"PRAGMA {name}").fetchone()[0] for name in _SAFE}

    assert told == _SAFE
    ledger.close()


_SAFE = {"journal_mode": "wal", "synchronous": 2}


def test_a_file_of_the_first_version_becomes_a_ledger(file: Path, tmp_path: Path) -> None:
    found = rows(5, 1_500, 400)
    sqlite.load(file, found)
    work = [tmp_path / "a", tmp_path / "b"]
    for folder in work:
        folder.mkdir()

    def report(folder: Path) -> object:
        with open_usage([f"sqlite:///{file}"], config=CostConfig(), prices=Book(), tmp=folder) as u:
            return u.report(("day", "model")).groups

    before = report(work[0])
    Ledger(file, cuts=cuts()).close()

    con = sqlite3.connect(file)
    assert migrate.version(con) == migrate.LEDGER
    con.close()
    assert report(work[1]) == before


def test_a_file_of_a_later_version_is_refused(file: Path) -> None:
    Ledger(file).close()
    con = sqlite3.connect(file)
    con.execute(f"PRAGMA user_version = {migrate.NEWEST + 1}")
    con.close()

    with pytest.raises(WorkError, match="later sdlc"):
        Ledger(file)


def test_logs_are_not_loaded_beside_a_service(file: Path) -> None:
    Ledger(file).close()

    with pytest.raises(UsageError, match="kept by `sdlc serve`"):
        sqlite.load(file, [Row()])


def test_owners_come_from_rules(file: Path) -> None:
    ledger = Ledger(file, owner=lambda row: (f"{row.project}!", row.user), rules="1")
    ledger.commit(told(call(project="shop", user="ada")))
    grown = sums_of(ledger)
    ledger.close()

    again = Ledger(file, owner=lambda row: (f"{row.project}?", row.user), rules="2")

    assert [row[6:8] for row in grown] == [("shop!", "ada")]
    assert [row[6:8] for row in sums_of(again)] == [("shop?", "ada")]
    again.close()


def test_what_a_restart_needs_of_pairs_is_kept(file: Path) -> None:
    ledger = Ledger(file)
    above = {
        "none": (),
        "one": ("span:t:1",),
        "two": ('span:["t\n:1', "span:t:0"),
        "many": tuple(f"span:t:{n}" for n in range(64)),
    }
    for name, keys in above.items():
        ledger.commit([Told(row=call(name), span=f"span:t:{name}", above=keys)])

    found = {one.row.dedupe: one.above for one in ledger.recent(10)}

    assert found == {**above, "many": above["many"][:16]}
    ledger.close()


def test_the_record_of_a_row_is_what_the_columns_say() -> None:
    row = call(tags='{"a":"\\u0000"}', model="a\0b", user="c\0")

    record = dict(zip(store.COLUMNS, store.record(row), strict=True))

    assert record["tags"] == '{"a":"\N{REPLACEMENT CHARACTER}"}'
    assert (record["model"], record["user"]) == ("a\ufffdb", "c\ufffd")
    assert (record["project"], record["max_output"], record["h"]) == (
        None,
        None,
        store.digest("one"),
    )
    assert Tally(added=0, duplicates=0).changes == ()
