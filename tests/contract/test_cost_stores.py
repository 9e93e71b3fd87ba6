"""One mixed log through every engine: the answers must be equal, to the pico-dollar."""

import importlib.util
import json
import random
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import count
from pathlib import Path

import pytest
from msgspec import structs

from sdlc_cli.core.errors import UsageError
from sdlc_cli.cost import store
from sdlc_cli.cost.config import CostConfig, Match, Rule
from sdlc_cli.cost.engine import remote, table
from sdlc_cli.cost.engine.store import Store
from sdlc_cli.cost.engine.usage import Usage, open_usage
from sdlc_cli.cost.model import TOKENS, CostReport, Price, Rate, Row, Where
from sdlc_cli.cost.prices.resolve import Prices

ROWS = 20_000
START = datetime(2025, 9, 20, tzinfo=UTC)
ODD_TAG = "we\"ird.$[0]\\' ü"
MODELS = (
    ("openai", "gpt-4o"),
    ("openai", "gpt-4o-mini"),
    ("", "openai/gpt-4.1"),
    ("anthropic", "claude-sonnet-4-5"),
    ("google", "gemini-2.5-pro"),
    ("deepseek", "deepseek-chat"),
    ("openai", "night-owl"),
    ("acme", "no such model"),
    ("acme", 'o\'dd\\name\n|\t"%s"'),
    ("", ""),
)
HERE = Path(__file__).parent
EXAMPLES = HERE.parents[1] / "examples" / "cost"


class Book:
    """The catalogue, and a model that is cheaper at night and changes its price."""

    def __init__(self) -> None:
        self._prices = Prices()

    def price(self, provider: str, model: str, tier: str = "") -> Price:
        if model != "night-owl":
            return self._prices.price(provider, model, tier)
        day = dict.fromkeys(TOKENS, 7_000_001) | {"web_searches": 10**10}
        night = dict.fromkeys(TOKENS, 3_000_003) | {"web_searches": 10**10}
        change = START + timedelta(days=90)
        return Price(
            provider="openai",
            model=model,
            rates=(
                Rate(per_unit=night, until=change, hours=(1_320, 360), source="night"),
                Rate(per_unit=day, until=change, hours=(360, 1_320), request=11, source="day"),
                Rate(per_unit=day, since=change, source="later"),
                Rate(per_unit=night, since=change, above=100_000, source="later, large"),
            ),
            source="book",
            family="owl",
            ceiling=day,
            max_output=4_096,
            context=128_000,
        )


def mixed(seed: int, rows: int) -> list[Row]:
    """Duplicates, tiers, dates, cached, unknown and unpriced calls, tags, odd text."""
    chance = random.Random(seed)
    return [_row(chance, number) for number in range(rows)]


def _row(chance: random.Random, number: int) -> Row:
    provider, model = chance.choice(MODELS)
    call = chance.randrange(ROWS * 3 // 5) if chance.random() < 0.9 else None
    at = START + timedelta(seconds=chance.randrange(250 * 86_400), microseconds=number)
    tags = {"env": chance.choice(("prod", "dev", 'ünï"x')), ODD_TAG: str(chance.randrange(2))}
    counts = {
        name: chance.randrange(10 ** chance.randrange(1, 7))
        for name in chance.sample(TOKENS, chance.randrange(5))
    }
    big = {"input": 2**53 - 1 - number} if number % 997 == 0 else {}
    return Row(
        line=number + 1,
        ts=None
        if chance.random() < 0.01
        else (at - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1),
        provider=provider,
        model=model,
        tier=chance.choice(("", "", "", "batch", "priority")),
        project=chance.choice(("", "shop", "Shop", "zebra", "äpfel")),
        user=chance.choice(("", "ada", "grace")),
        key=chance.choice(("", "svc-1", "own")),
        path=chance.choice(("", "C:\\work\\shop")),
        tags=json.dumps(tags, ensure_ascii=False, sort_keys=True) if chance.random() < 0.5 else "",
        call_id=f"call-{call}" if call is not None else "",
        dedupe=f"call-{call}" if call is not None else "",
        rank=chance.choice((0, 0, 0, -1, -2, -3)),
        status=chance.choice(("ok", "ok", "ok", "ok", "error", "cached")),
        known=chance.random() > 0.05,
        calls=chance.choice((1, 1, 1, 1, 5)),
        max_output=chance.choice((None, 1_000)),
        request_hash=f"r{chance.randrange(400)}" if chance.random() < 0.3 else "",
        prefix_hash=f"p{chance.randrange(40)}" if chance.random() < 0.1 else "",
        prefix_tokens=chance.randrange(3_000),
        web_searches=chance.randrange(3),
        **(counts | big),
    )


CONFIGS = {
    "log's own projects": CostConfig(),
    "rules": CostConfig(
        attribute=(
            Rule(match=Match(key="svc-*", path="*/shop*"), project="ruled", team="web"),
            Rule(match=Match(tag={"env": "prod"}, model="gpt-*"), project="tagged"),
        )
    ),
}
QUESTIONS: dict[str, Callable[[Usage], object]] = {
    "days in Berlin": lambda u: u.report(("day",), timezone="Europe/Berlin"),
    "hours across the date line": lambda u: u.report(("hour",), timezone="Pacific/Apia"),
    "weeks and models": lambda u: u.report(("week", "model"), timezone="America/New_York"),
    "months, providers, tiers": lambda u: u.report(("month", "provider", "tier")),
    "projects and teams": lambda u: u.report(("project", "team")),
    "users, keys, folders": lambda u: u.report(("user", "key", "path")),
    "tags": lambda u: u.report(("tag:env", f"tag:{ODD_TAG}", "tag:none")),
    "sizes and ends": lambda u: u.report(("bucket", "status")),
    "a month of one user": lambda u: u.report(
        where=Where(since=START, until=START + timedelta(days=31), user="ada")
    ),
    "one tag, one model": lambda u: u.report(
        ("day",), Where(model="claude*", tag=("env", 'ünï"x'))
    ),
    "one project": lambda u: u.report(("model",), Where(project="shop", provider="openai")),
    "series": lambda u: u.series(timezone="Europe/Berlin"),
    "requests": lambda u: sorted(map(repr, u.requests())),
    "other prices": lambda u: u.with_prices({"gpt-4o*": "gpt-4.1"}, "batch").report(("model",)),
}


def asked(usage: Usage, question: str) -> object:
    """The answer without the names of what was read, which differ."""
    answer = QUESTIONS[question](usage)
    return replace(answer, sources=()) if isinstance(answer, CostReport) else answer


@pytest.fixture(scope="module")
def log() -> list[Row]:
    return mixed(4, ROWS)


Answer = Callable[[str, str], object]


@pytest.fixture(scope="module")
def duckdb_says(log: list[Row], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Answer]:
    """What DuckDB answers from files: `duckdb_says("rules", "tags")`."""
    tmp = tmp_path_factory.mktemp("duckdb")
    usages = {name: in_duckdb(log, tmp, config) for name, config in CONFIGS.items()}
    yield cache(lambda config, question: asked(usages[config], question))
    for usage in usages.values():
        usage.close()


def in_duckdb(log: list[Row], tmp: Path, config: CostConfig) -> Usage:
    """The usage of logs that have these rows."""
    con = table.connect(tmp, threads=2, memory_mib=250)
    table.create(con, "fresh")
    table.write_rows(tmp / "rows", 0, log)
    con.execute(f"INSERT INTO fresh {table.selected_rows(tmp / 'rows')}")
    (tmp / "rows").unlink()
    return Usage(Store(con=con, opened=(), memory=True), config, Book())


def _missing(*packages: str) -> None:
    for package in packages:
        if importlib.util.find_spec(package) is None:
            pytest.skip(f"{package} is not installed")


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """The address of a PostgreSQL that listens on a socket in a folder."""
    _missing("pgserver", "psycopg", "sqlglot")
    # Not pytest's folder: for root the server runs as another user, who may not enter that.
    with (
        tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder,
        pytest.MonkeyPatch.context() as patch,
    ):
        patch.setenv("XDG_RUNTIME_DIR", folder)  # platformdirs warns without one
        from pgserver.postgres_server import get_server

        server = get_server(Path(folder) / "data", cleanup_mode="delete")
        yield server.get_uri()
        server.cleanup()


@pytest.fixture(scope="session")
def clickhouse() -> Iterator[str]:
    """The address of a ClickHouse that speaks HTTP."""
    _missing("chdb", "sqlglot")
    server = subprocess.Popen(
        [sys.executable, str(HERE / "clickhouse_server.py")],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert server.stdout is not None
    port = server.stdout.readline().strip()
    assert port, "chdb did not start"
    yield f"clickhouse://127.0.0.1:{port}"
    server.terminate()
    server.wait()
    server.stdout.close()


STORES = ("postgres", "clickhouse", "sqlite")
Fresh = Callable[[str], str]


@pytest.fixture(scope="module")
def fresh(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Fresh:
    """`fresh("postgres")` is the address of a table that is not there yet."""
    names = (f"usage_{number}" for number in count())

    def address(kind: str) -> str:
        if kind == "sqlite":
            return f"sqlite:///{tmp_path_factory.mktemp('sqlite')}/usage.db"
        return f"{request.getfixturevalue(kind)}#{next(names)}"

    return address


@pytest.fixture(scope="module", params=STORES)
def loaded(request: pytest.FixtureRequest, fresh: Fresh, log: list[Row]) -> str:
    address = fresh(request.param)
    assert remote.load(address, log[:5]) == 5
    assert remote.load(address, log[5:]) == ROWS - 5
    return address


@pytest.fixture(scope="module", params=list(CONFIGS))
def config(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def stored(config: str, loaded: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Usage]:
    """The calls in a store."""
    tmp = tmp_path_factory.mktemp("tmp")
    with open_usage([loaded], config=CONFIGS[config], prices=Book(), tmp=tmp) as usage:
        yield usage


@pytest.mark.parametrize("question", list(QUESTIONS))
def test_a_store_answers_as_duckdb_does(
    stored: Usage, config: str, duckdb_says: Answer, question: str
) -> None:
    answer = asked(stored, question)

    assert answer == duckdb_says(config, question)
    assert answer


def test_the_log_has_all_that_can_differ(duckdb_says: Answer) -> None:
    report = duckdb_says("rules", "days in Berlin")

    assert isinstance(report, CostReport)
    assert report.duplicates > 5_000
    assert report.totals.pico > 0
    assert report.totals.unknown_calls > 0
    assert report.totals.cached_calls > 0
    assert report.unpriced
    assert len(report.price_sources) > 3


def test_a_store_says_how_many_rows_it_has(stored: Usage) -> None:
    (source,) = stored.sources

    assert (source.rows, source.format) == (ROWS, "sdlc-store")


def test_a_call_is_found_in_a_store(stored: Usage, log: list[Row]) -> None:
    call = next(row.call_id for row in log if row.call_id)
    there = [row for row in log if row.call_id == call]

    found = stored.find(call)

    assert sorted(each.row.ts or 0 for each in found) == sorted(row.ts or 0 for row in there)
    assert json.loads(found[0].raw)["model"] == found[0].row.model


def same(count: int, **more: object) -> list[Row]:
    """Rows of one call, all alike."""
    row = Row(ts=0, provider="openai", model="gpt-4o", dedupe="one", call_id="one", input=5)
    return [structs.replace(row, **more) for _ in range(count)]


def opened(paths: list[str], tmp: Path) -> Usage:
    return open_usage(paths, config=CostConfig(), prices=Book(), tmp=tmp)


@pytest.mark.parametrize("kind", STORES)
def test_equal_rows_of_one_call_in_several_loads_count_once(
    kind: str, fresh: Fresh, tmp_path: Path
) -> None:
    address = fresh(kind)
    for _ in range(3):
        remote.load(address, same(2))

    with opened([address], tmp_path) as usage:
        report = usage.report()

    assert (report.totals.calls, report.totals.tokens["input"], report.duplicates) == (1, 5, 5)


@pytest.mark.parametrize("kind", ["postgres", "clickhouse"])
def test_rows_that_somebody_gave_one_place_count_once_too(
    kind: str, fresh: Fresh, tmp_path: Path
) -> None:
    address = fresh(kind)
    remote.load(address, [*same(1), *same(1, dedupe="other")])
    where, _, name = address.partition("#")
    server = remote.connected(where)
    names = ", ".join(f'"{column}"' for column in store.COLUMNS)
    override = "OVERRIDING SYSTEM VALUE " if kind == "postgres" else ""
    if override:
        server.run(f"ALTER TABLE {name} DROP CONSTRAINT {name}_pkey")
    server.run(f"INSERT INTO {name} (seq, {names}) {override}SELECT seq, {names} FROM {name}")
    if override:
        server.run("COMMIT")
    server.close()

    with opened([address], tmp_path) as usage:
        report = usage.report()

    assert (report.totals.calls, report.duplicates) == (2, 2)


@pytest.mark.parametrize("kind", STORES)
def test_two_tables_of_one_server_are_counted_as_one_log(
    kind: str, fresh: Fresh, tmp_path: Path
) -> None:
    addresses = [fresh(kind), fresh(kind)]
    for address in addresses:
        remote.load(address, [*same(1), *same(1, dedupe="", call_id=address)])

    with opened(addresses, tmp_path) as usage:
        report = usage.report()
        sources = usage.sources

    assert (report.totals.calls, report.duplicates) == (3, 1)
    assert [source.rows for source in sources] == [2, 2]


@pytest.mark.parametrize("kind", STORES)
def test_sums_beyond_64_bits_are_exact(kind: str, fresh: Fresh, tmp_path: Path) -> None:
    address = fresh(kind)
    most = 2**53 - 1
    remote.load(address, same(1_100, dedupe="", input=most, model="night-owl"))

    with opened([address], tmp_path) as usage:
        totals = usage.report().totals

    assert totals.tokens["input"] == 1_100 * most > 2**63
    assert totals.pico == 1_100 * (most * 3_000_003)


@pytest.mark.parametrize("kind", STORES)
def test_rows_that_no_server_could_hold_as_they_are(
    kind: str, fresh: Fresh, tmp_path: Path
) -> None:
    address = fresh(kind)
    tags = json.dumps({"env": "a\0b"})
    remote.load(address, same(1, model="gpt\0'\\", user="%s\n;--", tags=tags))

    with opened([address], tmp_path) as usage:
        (group,) = usage.slices(("model", "user", "tag:env"))

    assert group.keys == {"model": "gpt\ufffd'\\", "user": "%s\n;--", "tag:env": "a\ufffdb"}


@pytest.mark.parametrize("kind", STORES)
def test_an_empty_store_has_no_calls(kind: str, fresh: Fresh, tmp_path: Path) -> None:
    address = fresh(kind)
    remote.load(address, [])

    with opened([address], tmp_path) as usage:
        report = usage.report()

    assert (report.totals.calls, report.groups) == (0, ())


@pytest.mark.parametrize("kind", STORES)
def test_rows_that_arrive_later_do_not_change_an_open_usage(
    kind: str, fresh: Fresh, tmp_path: Path
) -> None:
    address = fresh(kind)
    remote.load(address, same(1))

    with opened([address], tmp_path) as usage:
        remote.load(address, same(1, dedupe="other"))
        assert usage.report().totals.calls == 1


@pytest.mark.parametrize("kind", STORES)
def test_a_table_that_is_not_there_is_named(kind: str, fresh: Fresh, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="there is no"):
        opened([fresh(kind)], tmp_path)


@pytest.mark.parametrize("kind", ["postgres", "clickhouse"])
def test_a_table_of_another_kind_is_not_read(kind: str, fresh: Fresh, tmp_path: Path) -> None:
    address = fresh(kind)
    where, _, name = address.partition("#")
    server = remote.connected(where)
    engine = " ENGINE = Memory" if kind == "clickhouse" else "; COMMIT"
    server.run(f"CREATE TABLE {name} (seq bigint){engine}")
    server.close()

    with pytest.raises(UsageError, match="is no table of usage"):
        opened([address], tmp_path)


@pytest.mark.parametrize("kind", STORES)
def test_logs_that_were_loaded_are_reported_as_the_logs_are(
    kind: str, fresh: Fresh, tmp_path: Path
) -> None:
    address = fresh(kind)
    logs = [str(path) for path in sorted(EXAMPLES.glob("*.jsonl"))]
    remote.load(address, remote.rows(logs, tmp_path))

    (tmp_path / "logs").mkdir()

    with opened([address], tmp_path) as stored, opened(logs, tmp_path / "logs") as read:
        there = stored.report(("day", "model"))
        here = read.report(("day", "model"))

    assert there.totals.calls > 10
    assert replace(there, sources=()) == replace(here, sources=(), rejected=(), rejected_count=0)
