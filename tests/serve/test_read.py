"""What the service answers: the figures of `sdlc cost report`, budgets, routes, health."""

import http.server
import json
import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from sdlc_cli.cost.engine import clock
from sdlc_cli.cost.model import Row, Told
from sdlc_cli.cost.store.ledger import Ledger
from sdlc_cli.serve import schema, webhook

COST = """
version: 1
timezone: America/New_York
attribute:
  - match: {key: "svc-*"}
    project: ruled
    team: web
budgets:
  - {name: shop, project: shop, limit_usd: 1.00, period: month}
  - {name: ada, user: ada, limit_usd: 0.01, period: day}
  - {name: prod, tag: {env: prod}, limit_usd: 1000, period: total}
  - {name: quiet, project: nobody, limit_usd: 5}
route:
  ladders:
    chat: {primary: gpt-4o, fallback: gpt-4o-mini, emergency: gpt-4.1-nano, swap_at: 80%}
"""
NOW = datetime.now(UTC)


def calls() -> list[dict[str, Any]]:
    """Calls of every kind over some days, near midnight too."""
    made: list[dict[str, Any]] = []
    models = ("gpt-4o", "gpt-4o-mini", "claude-sonnet-4-5", "no-such-model", "gemini-2.5-pro")
    for number in range(400):
        at = NOW - timedelta(minutes=37 * number)
        call: dict[str, Any] = {
            "model": models[number % 5],
            "time": at.isoformat(),
            "project": ("shop", "search", "")[number % 3],
            "user": ("ada", "grace")[number % 2],
            "tags": {"env": ("prod", "dev")[number % 2]},
            "call_id": f"c-{number}",
            "input_tokens": 1000 * number,
            "output_tokens": 300 + number,
            "reasoning_tokens": number % 50,
            "cache_read_tokens": number % 7,
        }
        if number % 11 == 0:
            call["key"] = "svc-1"
        if number % 13 == 0:
            del call["input_tokens"], call["output_tokens"]
            call["reasoning_tokens"] = 0
        if number % 17 == 0:
            call["tier"] = "batch"
        if number % 19 == 0:
            call["status"] = "cached"
        made.append(call)
    return made


@pytest.fixture(scope="module")
def full(start_once: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A service with calls and budgets."""
    folder = tmp_path_factory.mktemp("full")
    (folder / "cost.yaml").write_text(COST)
    service = start_once(folder, "--cache-seconds", "0")
    for call in calls():
        assert service.track(call).status == 200
    return service


def cli(folder: Path, *words: str) -> Any:
    done = subprocess.run(
        [sys.executable, "-m", "sdlc_cli", "cost", *words, "sqlite:///usage.db", "-f", "json"],
        cwd=folder, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.stdout, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("by=model", ["--by", "model"]),
        ("by=day&by=project", ["--by", "day", "--by", "project"]),
        ("by=week&by=provider&by=tier", ["--by", "week", "--by", "provider", "--by", "tier"]),
        ("by=month&by=team", ["--by", "month", "--by", "team"]),
        ("by=model&project=shop", ["--by", "model", "--where", "project=shop"]),
        ("by=project&model=gpt-4o*", ["--by", "project", "--where", "model=gpt-4o*"]),
        ("by=day&team=web&provider=openai",
         ["--by", "day", "--where", "team=web", "--where", "provider=openai"]),
    ],
)  # fmt: skip
def test_the_report_is_that_of_the_command(full: Any, query: str, words: list[str]) -> None:
    expected = cli(full.folder, "report", *words)

    found = full.get(f"/api/v1/cost/report?{query}").data

    assert {**found, "sources": 0} == {**expected, "sources": 0}
    assert found["totals"]["cost_usd"] != "0.00"


def test_days_far_away_are_those_of_the_command(start: Any, tmp_path: Path) -> None:
    (tmp_path / "cost.yaml").write_text("version: 1\ntimezone: Europe/Berlin\n")
    far = ("1999-07-01T22:30", "2014-03-30T23:30", "2030-07-01T22:30", "2149-07-01T22:30")
    told = [clock.micros(datetime.fromisoformat(at).replace(tzinfo=UTC)) for at in far]
    ledger = Ledger(tmp_path / "usage.db")  # as `sdlc cost load` made them from any log
    rows = [Row(ts=ts, model="gpt-4o", dedupe=f"far-{ts}", input=5) for ts in told]
    last = Row(ts=253_402_300_799_999_999, model="gpt-4o", dedupe="last", input=5)
    ledger.commit([Told(row=row) for row in (*rows, last)])
    ledger.close()
    service = start(tmp_path)

    found = service.get("/api/v1/cost/report?by=day")

    days = [group["keys"]["day"] for group in found.data["groups"]]
    assert days == ["1999-07-02", "2014-03-31", "2030-07-02", "2149-07-02", "9999-12-31"]
    assert found.data["groups"] == cli(tmp_path, "report", "--by", "day")["groups"]

    words = ("report", "--by", "day", "--format", "focus", "sqlite:///usage.db")
    done = subprocess.run(
        [sys.executable, "-m", "sdlc_cli", "cost", *words],
        cwd=tmp_path, capture_output=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0
    assert b"9999-12-30T23:00:00Z" in done.stdout


def test_the_report_of_some_days(full: Any) -> None:
    since = (NOW - timedelta(days=5)).date().isoformat()
    until = (NOW - timedelta(days=2)).date().isoformat()
    expected = cli(full.folder, "report", "--by", "day", "--since", since, "--until", until)

    found = full.get(f"/api/v1/cost/report?by=day&since={since}&until={until}").data

    assert {**found, "sources": 0} == {**expected, "sources": 0}
    assert 3 <= len(found["groups"]) <= 4


def test_the_budgets_are_those_of_the_command(full: Any) -> None:
    expected = {one["name"]: one for one in cli(full.folder, "budget")["budgets"]}

    found = {one["name"]: one for one in full.get("/api/v1/budgets").data["budgets"]}

    assert set(found) == {"shop", "ada", "prod", "quiet"}
    for name, one in found.items():
        for key in ("status", "spent_usd", "limit_usd", "calls", "uncertain_calls"):
            assert one.get(key) == expected[name].get(key), (name, key)
    assert (found["shop"]["status"], found["quiet"]["status"]) == ("broken", "unknown")


def test_the_metrics_tell_of_budgets_and_costs(full: Any, otlp: Any) -> None:
    text = otlp.until(
        lambda: (
            body if 'sdlc_budget_broken{budget="shop"} 1' in
            (body := full.get("/metrics").body.decode()) else ""
        )
    )  # fmt: skip

    assert 'sdlc_budget_limit_usd{budget="shop"} 1.00' in text
    total = cli(full.folder, "report", "--by", "model")["totals"]["cost_usd"]
    told = [line for line in text.splitlines() if line.startswith("llm_cost_usd_total{")]
    from decimal import Decimal

    assert sum(Decimal(line.rpartition(" ")[2]) for line in told) == Decimal(total)


@pytest.mark.parametrize(
    ("asked", "step", "model"),
    [
        ({"project": "shop", "model": "gpt-4o"}, "emergency", "gpt-4.1-nano"),
        ({"project": "shop", "model": "chat"}, "emergency", "gpt-4.1-nano"),
        ({"project": "free", "model": "chat"}, "primary", "gpt-4o"),
    ],
)
def test_the_route_is_that_of_the_ladder(
    full: Any, asked: dict[str, str], step: str, model: str
) -> None:
    answer = full.ask(
        "POST", "/api/v1/route", json.dumps(asked), {"Content-Type": "application/json"}
    )

    assert answer.status == 200
    assert (answer.data["step"], answer.data["model"]) == (step, model)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"model": "nothing"}, 404),
        ({}, 400),
        ({"model": 5}, 400),
        ({"model": "chat", "x": "y"}, 400),
    ],
)
def test_a_route_that_there_is_not(full: Any, body: object, status: int) -> None:
    headers = {"Content-Type": "application/json"}

    assert full.ask("POST", "/api/v1/route", json.dumps(body), headers).status == status


@pytest.mark.parametrize(
    "query",
    [
        "by=colour", "by=user", "since=yesterday", "until=1969-01-01", "x=1", "model=a&model=b",
        "since=2026-02-01&until=2026-01-01", "by=day&by=day&" + "by=model&" * 20,
        "project=" + "p" * 401, "%ff=1",
    ],
)  # fmt: skip
def test_a_question_that_cannot_be_answered_is_400(full: Any, query: str) -> None:
    assert full.get(f"/api/v1/cost/report?{query}").status == 400


def test_health(service: Any) -> None:
    assert service.get("/health/live").data == {"live": True}
    assert service.get("/health/ready").data == {"ready": True, "reasons": []}
    assert service.get("/health").data["ready"] is True


def test_the_demo_is_a_plan_of_the_annealer_on_no_quantum_hardware(service: Any) -> None:
    answer = service.get("/api/v1/quantum/demo")

    assert answer.status == 200
    assert answer.data["quantum_hardware"] is False
    assert answer.data["lower_bound"] <= answer.data["makespan"]
    assert answer.data["makespan"] == max(task["finish"] for task in answer.data["tasks"])
    reached = [step["makespan"] for step in answer.data["trace"]]
    assert reached == sorted(reached, reverse=True)
    assert reached[-1] == answer.data["makespan"]


def test_switches(start: Any, tmp_path: Path) -> None:
    service = start(tmp_path, "--no-metrics", "--no-demo")

    assert [service.get(p).status for p in ("/metrics", "/api/v1/quantum/demo")] == [404, 404]


def test_what_is_wrong_with_a_query_is_told(service: Any) -> None:
    nothing = service.get("/api/v1/cost/report?project=a%00b")
    long = service.get(f"/api/v1/cost/report?project={'a' * 401}")

    assert (nothing.status, long.status) == (400, 400)
    assert nothing.json["error"]["message"] == "project has a NUL in it"
    assert long.json["error"]["message"] == "project is too long"


def test_the_openapi_document_names_every_route_of_the_api(service: Any) -> None:
    document = service.get("/api/v1/openapi.json").json

    assert document["openapi"].startswith("3.1")
    for path in ("/api/v1/cost/track", "/api/v1/cost/report", "/api/v1/budgets", "/api/v1/route"):
        assert path in document["paths"]
    assert set(document["components"]["schemas"]) == {"Call", "Answer"}
    assert document["security"] == [{"key": []}]
    open_ = {
        path for path, of in document["paths"].items() if of.get("get", {}).get("security") == []
    }
    assert open_ == {"/health", "/health/live", "/health/ready"}


def test_reload_takes_budgets_and_prices_and_refuses_what_it_cannot(
    start: Any, tmp_path: Path, otlp: Any
) -> None:
    file = tmp_path / "cost.yaml"
    file.write_text("version: 1\n")
    service = start(tmp_path, "--cache-seconds", "0")
    service.track({"model": "own", "input_tokens": 10**6, "output_tokens": 0, "project": "p",
                   "user": "ada", "call_id": "a"})  # fmt: skip
    assert service.get("/api/v1/budgets").data["budgets"] == []

    file.write_text(
        "version: 1\nprices: [{model: own, input: 3, output: 3}]\n"
        "budgets: [{name: b, limit_usd: 2, user: ada}]\n"
    )

    (state,) = otlp.until(lambda: service.get("/api/v1/budgets").data["budgets"])
    assert (state["status"], state["spent_usd"]) == ("broken", "3.00")
    report = service.get("/api/v1/cost/report?by=model").data
    assert report["totals"]["cost_usd"] == "3.00"

    file.write_text("version: 1\nbudgets: [{name: b}]\n")
    otlp.until(lambda: any("limit_usd" in str(line) for line in service.log))
    (same,) = service.get("/api/v1/budgets").data["budgets"]
    assert (same["limit_usd"], same["status"]) == ("2.00", "broken")


def test_a_broken_budget_sends_one_signed_message(start: Any, tmp_path: Path, otlp: Any) -> None:
    got: list[tuple[bytes, str]] = []

    class Hook(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            got.append((body, self.headers[webhook.HEADER]))
            self.send_response(500 if len(got) == 1 else 204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Nothing."""

    hook = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Hook)
    thread = threading.Thread(target=hook.serve_forever)
    thread.start()
    try:
        (tmp_path / "cost.yaml").write_text(
            "version: 1\nprices: [{model: own, input: 3, output: 3}]\n"
            "budgets: [{name: b, limit_usd: 2}]\n"
            f"webhook: {{url: 'http://127.0.0.1:{hook.server_port}/x?y=1', "
            "secret: '${HOOK_SECRET}'}\n"
        )
        service = start(tmp_path, HOOK_SECRET="a secret of sixteen")
        for number in range(3):
            service.track({"model": "own", "input_tokens": 10**6, "output_tokens": 0,
                           "call_id": str(number)})  # fmt: skip
        otlp.until(lambda: len(got) == 2)  # refused once, then taken
        service.stop()
        again = start(tmp_path, HOOK_SECRET="a secret of sixteen")
        otlp.until(lambda: b"sdlc_budget_broken" in again.get("/metrics").body)
        import time

        time.sleep(2.5)  # two looks of the service
    finally:
        hook.shutdown()
        thread.join()
        hook.server_close()

    assert len(got) == 2
    (body, signed) = got[1]
    at = int(signed.partition(",")[0].removeprefix("t="))
    assert signed == webhook.signature("a secret of sixteen", at, body)
    told = json.loads(body)
    assert (told["event"], told["budget"], told["limit_usd"]) == ("budget.broken", "b", "2.00")
    assert told["id"] == json.loads(got[0][0])["id"]
    import jsonschema

    jsonschema.validate(told, dict(schema.get("serve-webhook")))


def test_its_own_requests_are_traced_where_asked(start: Any, tmp_path: Path, otlp: Any) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    sink = start(tmp_path / "a")
    service = start(tmp_path / "b", "--trace-to", f"http://127.0.0.1:{sink.port}/")

    service.get("/health/live")

    line = 'sdlc_serve_items_total{signal="traces",what="received"} '
    otlp.until(
        lambda: any(
            text.startswith(line) and int(text.removeprefix(line)) > 0
            for text in sink.get("/metrics").body.decode().splitlines()
        )
    )
    assert sink.rows() == []


def test_an_address_for_traces_that_is_none_is_a_wrong_word(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "sdlc_cli", "serve", "--trace-to", "localhost:4318"],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert done.returncode == 2


def test_the_message_and_the_listings_fit_their_schemas(tmp_path: Path) -> None:
    import jsonschema

    for name, words in (("serve-keys", ["keys"]), ("serve-dead-letters", ["dead-letters"])):
        command = [sys.executable, "-m", "sdlc_cli", "serve", *words]
        subprocess.run([*command[:4], "keys", "--new", "read"], cwd=tmp_path, check=True,
                       capture_output=True)  # fmt: skip
        done = subprocess.run(
            [*command, "-f", "json"], cwd=tmp_path, capture_output=True, text=True, check=True
        )
        jsonschema.validate(json.loads(done.stdout), dict(schema.get(name)))
