"""What can be asked of the logs, over small files of a known content."""

import json
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from sdlc_cli.core.errors import NothingToDo, UsageError
from sdlc_cli.cost.config import CostConfig, Match, Rule
from sdlc_cli.cost.engine.ingest import SMALL
from sdlc_cli.cost.engine.usage import Usage, open_usage
from sdlc_cli.cost.model import COUNTS, Price, Rate, Where
from sdlc_cli.cost.options import Columns

NOON = 1_767_268_800  # 2026-01-01 12:00 UTC


def rate(price_in: int, price_out: int, **more: object) -> Rate:
    units = dict.fromkeys(COUNTS, 0) | {"input": price_in, "output": price_out}
    units |= {"cache_read": price_in // 10, "reasoning": price_out}
    return Rate(per_unit=units, **more)  # type: ignore[arg-type]


class Book:
    """Prices of three models: one flat, one with a second tier and a later rise, one unknown."""

    def price(self, provider: str, model: str, tier: str = "") -> Price:
        if model == "flat":
            rates: tuple[Rate, ...] = (rate(1_000, 10_000, source="book"),)
            if tier == "batch":
                rates = (rate(500, 5_000, source="book"),)
        elif model == "tiered":
            rise = datetime(2026, 2, 1, tzinfo=UTC)
            rates = (
                rate(100, 200, until=rise, source="book"),
                rate(300, 200, until=rise, above=1_000, source="book"),
                rate(400, 200, since=rise, source="book"),
            )
        elif model == "bounded":
            ceiling = dict.fromkeys(COUNTS, 100) | {"request": 7}
            return Price(provider="openai", model=model, rates=(), source="", ceiling=ceiling)
        else:
            return Price(provider="openai", model=model, rates=(), source="")
        return Price(provider="openai", model=model, rates=rates, source="book", family=model)


def chat(
    number: int, *, model: str = "flat", prompt: int = 10, out: int = 1, **more: object
) -> str:
    body = {
        "id": f"chatcmpl-{number}",
        "object": "chat.completion",
        "created": NOON,
        "model": model,
        "usage": {"prompt_tokens": prompt, "completion_tokens": out},
    }
    return json.dumps(body | more)


@pytest.fixture
def usage(tmp_path: Path) -> Iterator["Opener"]:
    opener = Opener(tmp_path)
    yield opener
    for each in opener.opened:
        each.close()


class Opener:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.opened: list[Usage] = []

    def __call__(
        self, *lines: str, config: CostConfig | None = None, name: str = "a.jsonl"
    ) -> Usage:
        (self.folder / name).write_text("".join(line + "\n" for line in lines))
        tmp = self.folder / f"tmp{len(self.opened)}"
        tmp.mkdir()
        found = open_usage(
            [str(self.folder / name)], config=config or CostConfig(), prices=Book(), tmp=tmp
        )
        self.opened.append(found)
        return found


def test_calls_are_counted_and_priced(usage: Opener) -> None:
    report = usage(chat(1), chat(2, prompt=20)).report(("model",))

    assert report.totals.calls == 2
    assert report.totals.tokens["input"] == 30
    assert report.totals.pico == 30 * 1_000 + 2 * 10_000
    assert report.groups[0].keys == {"model": "flat"}
    assert report.price_sources == {"book": 2}


def test_one_call_logged_twice_counts_once_with_its_largest_usage(usage: Opener) -> None:
    report = usage(chat(1, out=1), chat(1, out=5), chat(1, out=3)).report()

    assert (report.totals.calls, report.duplicates) == (1, 2)
    assert report.totals.tokens["output"] == 5


def test_calls_without_an_id_are_all_counted(usage: Opener) -> None:
    assert usage(chat(1, id=""), chat(2, id=None), chat(3, id="")).report().totals.calls == 3


@pytest.mark.parametrize(
    ("prompt", "created", "pico"),
    [
        pytest.param(1_000, NOON, 100 * 1_000 + 200, id="at the threshold"),
        pytest.param(1_001, NOON, 300 * 1_001 + 200, id="above it the whole call moves"),
        pytest.param(1_001, NOON + 40 * 86_400, 400 * 1_001 + 200, id="after the rise"),
        pytest.param(1_001, None, 400 * 1_001 + 200, id="without a time, by the latest"),
    ],
)
def test_the_rate_follows_time_and_size(
    usage: Opener, prompt: int, created: int | None, pico: int
) -> None:
    report = usage(chat(1, model="tiered", prompt=prompt, created=created)).report()

    assert report.totals.pico == pico


def test_what_has_no_price_is_listed_and_never_free(usage: Opener) -> None:
    report = usage(chat(1), chat(2, model="mystery", prompt=7)).report()

    assert report.totals.unpriced_calls == 1
    assert [(u.model, u.calls, u.input_tokens) for u in report.unpriced] == [("mystery", 1, 7)]
    assert report.totals.at_most_pico is None


def test_days_follow_the_zone(usage: Opener) -> None:
    late = chat(1, created=NOON + 11 * 3600 + 1800)  # 23:30 in UTC

    found = usage(late)

    assert [g.keys["day"] for g in found.report(("day",)).groups] == ["2026-01-01"]
    berlin = found.report(("day",), timezone="Europe/Berlin")
    assert [g.keys["day"] for g in berlin.groups] == ["2026-01-02"]


def test_the_clocks_change_inside_the_range(usage: Opener) -> None:
    # Berlin: 22:30 UTC is 23:30 before the change on 2026-03-29 and 00:30 after it.
    winter, summer = 1_774_737_000, 1_774_737_000 + 86_400
    found = usage(chat(1, created=winter), chat(2, created=summer))

    days = [g.keys["day"] for g in found.report(("day",), timezone="Europe/Berlin").groups]

    assert days == ["2026-03-28", "2026-03-30"]


def test_a_series_leaves_no_day_out(usage: Opener) -> None:
    found = usage(chat(1), chat(2, created=NOON + 3 * 86_400))

    assert [pico for _, pico in found.series()] == [20_000, 0, 0, 20_000]


def test_rules_give_calls_an_owner(usage: Opener) -> None:
    rules = (Rule(match=Match(model="fl*"), project="shop", team="web"),)
    found = usage(chat(1), chat(2, model="tiered"), config=CostConfig(attribute=rules))

    report = found.report(("project", "team"))

    assert [dict(g.keys) for g in report.groups] == [
        {"project": "", "team": ""},
        {"project": "shop", "team": "web"},
    ]
    assert report.unattributed.calls == 1
    assert found.report(where=Where(team="web")).totals.calls == 1


def test_conditions_limit_the_calls(usage: Opener) -> None:
    found = usage(chat(1), chat(2, model="tiered"), chat(3, created=NOON + 86_400))

    assert found.report(where=Where(model="tier*")).totals.calls == 1
    until = datetime(2026, 1, 2, tzinfo=UTC)
    assert found.report(where=Where(until=until)).totals.calls == 2
    assert found.report(where=Where(since=until)).totals.calls == 1


def test_an_unknown_group_is_refused_with_the_nearest(usage: Opener) -> None:
    with pytest.raises(UsageError) as caught:
        usage(chat(1)).report(("modle",))

    assert "model" in caught.value.hint


def test_other_models_can_be_asked_about(usage: Opener) -> None:
    found = usage(chat(1, model="tiered", prompt=10))

    assert found.with_prices({"tier*": "flat"}).report().totals.pico == 20_000
    assert found.with_prices({"tier*": "flat"}, tier="batch").report().totals.pico == 10_000
    assert found.report().totals.pico == 1_200


def test_a_call_is_found_with_its_line_and_text(usage: Opener) -> None:
    found = usage(chat(1), "", chat(2, out=4), chat(2, out=5)).find("chatcmpl-2")

    assert [(f.line, f.row.output) for f in found] == [(4, 5), (3, 4)]
    assert '"chatcmpl-2"' in found[0].raw
    assert found[0].price.source == "book"


def test_a_line_longer_than_any_record_is_rejected_and_the_rest_counts(usage: Opener) -> None:
    found = usage(chat(1), '{"x": "' + "a" * 20 * 2**20 + '"}', chat(2))

    report = found.report()

    assert report.totals.calls == 2
    assert [rejected.line for rejected in report.rejected] == [2]


def test_bad_lines_are_rejected_with_their_place(usage: Opener) -> None:
    found = usage(chat(1), "nonsense", "", chat(2, usage={"prompt_tokens": -1}), chat(3))

    report = found.report()

    assert report.totals.calls == 2
    assert [(r.line, bool(r.reason)) for r in report.rejected] == [(2, True), (4, True)]
    assert report.rejected_count == 2


def test_a_call_that_failed_before_it_used_anything_costs_nothing(usage: Opener) -> None:
    refused = {"response": {"error": {"code": 429}}, "status_code": 429}

    report = usage(json.dumps({"response": json.loads(chat(1))}), json.dumps(refused)).report()

    assert (report.totals.calls, report.totals.failed_calls) == (2, 1)
    assert (report.totals.unpriced_calls, report.unpriced) == (0, ())
    assert report.totals.at_most_pico == report.totals.pico == 20_000


def test_calls_without_a_time_are_told(usage: Opener) -> None:
    report = usage(chat(1), chat(2, created=None)).report(("day",))

    assert report.totals.timeless_calls == 1
    assert [g.keys["day"] for g in report.groups] == ["", "2026-01-01"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param('{"a": 1}', "no log format fits", id="no known format"),
        pytest.param("not json", "no log format fits", id="no JSON at all"),
        pytest.param("", "there is no call", id="an empty file"),
    ],
)
def test_a_file_of_no_known_format_is_nothing_to_do(usage: Opener, text: str, message: str) -> None:
    with pytest.raises(NothingToDo, match=message):
        usage(text) if text else usage()


@pytest.mark.parametrize(
    ("name", "lines"),
    [
        pytest.param("a.csv", ["ts,in,out", "2026-01-01,10,1"], id="a table"),
        pytest.param("a.jsonl", ['{"ts": "2026-01-01", "in": 10, "out": 1}'], id="JSON lines"),
    ],
)
def test_columns_of_the_users_own_are_read_as_mapped(
    usage: Opener, name: str, lines: list[str]
) -> None:
    columns = Columns(ts="ts", input="in", output="out", fixed={"model": "flat"})

    found = usage(*lines, name=name, config=CostConfig(columns=columns))

    assert found.report().totals.pico == 20_000
    assert [source.format for source in found.sources] == ["mapped"]


def test_what_an_unpriced_call_costs_at_most_has_its_price_by_the_request(usage: Opener) -> None:
    report = usage(chat(1, model="bounded", prompt=10, out=1)).report()

    assert report.totals.at_most_pico == 11 * 100 + 7
    assert report.unpriced[0].at_most_pico == 11 * 100 + 7


def test_hashes_in_the_line_arrive_with_the_requests(usage: Opener) -> None:
    lines = [
        json.dumps({"response": json.loads(chat(n)), "request_hash": "q", "prefix_hash": "p"})
        for n in (1, 2)
    ]

    asked = usage(*lines).requests()

    assert [(one.request_hash, one.prefix_hash) for one in asked] == [("q", "p")] * 2


def span(response: str, prompt: int) -> str:
    """What an instrumentation tells of a call: tokens, without classes or a tier."""
    told = {
        "gen_ai.response.id": {"stringValue": response},
        "gen_ai.response.model": {"stringValue": "flat"},
        "gen_ai.operation.name": {"stringValue": "chat"},
        "gen_ai.usage.input_tokens": {"intValue": str(prompt)},
        "gen_ai.usage.output_tokens": {"intValue": "1"},
    }
    attributes = [{"key": key, "value": value} for key, value in told.items()]
    one = {
        "traceId": "a" * 32,
        "spanId": "b" * 16,
        "startTimeUnixNano": f"{NOON}000000000",
        "attributes": attributes,
    }
    return json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": [one]}]}]})


@pytest.mark.parametrize("order", [("a.jsonl", "b.jsonl"), ("b.jsonl", "a.jsonl")])
@pytest.mark.parametrize(
    "more",
    [
        pytest.param({"service_tier": "batch"}, id="the body knows the tier"),
        pytest.param({"created": None, "service_tier": "batch"}, id="only the span knows when"),
    ],
)
def test_the_order_of_files_changes_no_figure(
    tmp_path: Path, order: tuple[str, str], more: dict[str, Any]
) -> None:
    (tmp_path / "a.jsonl").write_text(span("chatcmpl-1", 10) + "\n")
    (tmp_path / "b.jsonl").write_text(chat(1, **more) + "\n")
    tmp = tmp_path / "tmp"
    tmp.mkdir()

    paths = [str(tmp_path / name) for name in order]
    with open_usage(paths, config=CostConfig(), prices=Book(), tmp=tmp) as found:
        report = found.report(("day",))
        first = found.find("chatcmpl-1")[0]

    assert (report.totals.calls, report.duplicates) == (1, 1)
    assert report.totals.pico == 10 * 500 + 5_000
    assert [group.keys["day"] for group in report.groups] == ["2026-01-01"]
    assert first.path.endswith("b.jsonl")
    assert first.row.ts == NOON * 10**6


def test_nothing_but_the_answer_is_written_to_stdout(tmp_path: Path) -> None:
    asked = (
        "import sys; from pathlib import Path; from sdlc_cli.cost.engine import table; "
        "con = table.connect(Path(sys.argv[1]), threads=1, memory_mib=100); "
        "print(con.execute(\"SELECT current_setting('enable_progress_bar')\").fetchall())"
    )

    done = subprocess.run(
        [sys.executable, "-c", asked, str(tmp_path)], capture_output=True, text=True, check=True
    )

    assert done.stdout == "[(False,)]\n"


def test_a_process_of_its_own_reads_a_large_log(tmp_path: Path) -> None:
    log = tmp_path / "log.jsonl"
    lines = [chat(number) + "\n" for number in range(1_000)]
    log.write_text("".join(lines) * (SMALL // len("".join(lines)) + 1))

    words = [sys.executable, "-m", "sdlc_cli", "cost", "report", str(log), "--no-cache"]
    done = subprocess.run([*words, "-f", "json"], capture_output=True, text=True, check=True)

    assert json.loads(done.stdout)["calls"] == 1_000
