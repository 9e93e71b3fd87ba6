"""Copies into a real PostgreSQL: nothing lost, nothing twice, whatever happens to the server."""

import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from sdlc_cli.cost.config import CostConfig
from sdlc_cli.cost.engine.usage import open_usage
from sdlc_cli.cost.model import CostReport
from sdlc_cli.cost.prices.resolve import Prices

DOWN_S = 10
CALL = {"model": "gpt-4o", "provider": "openai", "input_tokens": 10, "output_tokens": 5}
_names = (f"calls_{number}" for number in count())


@pytest.fixture
def address(postgres: Any) -> str:
    """A table that is not there yet."""
    return f"{postgres.get_uri()}#{next(_names)}"


@pytest.fixture
def connection(postgres: Any) -> Iterator[Any]:
    import psycopg

    with psycopg.connect(postgres.get_uri(), autocommit=True) as con:
        yield con


def report(address: str, tmp: Path) -> CostReport:
    tmp.mkdir()
    with open_usage([address], config=CostConfig(), prices=Prices(), tmp=tmp) as usage:
        return usage.report(("model", "project"))


def lag(service: Any) -> int:
    state = service.get("/health").data["forward"]
    return int(state["lag"]) if not state["problem"] and state["forwarded"] else -1


def drained(service: Any, otlp: Any, number: int, seconds: float = 60) -> None:
    """Waits until so many rows were copied and none is left."""
    otlp.until(
        lambda: lag(service) == 0 and service.get("/health").data["forward"]["forwarded"] >= number,
        seconds,
    )


def test_both_stores_give_the_same_numbers(
    start: Any, tmp_path: Path, otlp: Any, address: str
) -> None:
    service = start(tmp_path, "--forward", address)
    for number in range(60):
        call = {**CALL, "call_id": f"c-{number % 50}", "project": ("shop", "search")[number % 2],
                "input_tokens": 10 * number, "user": "ada" if number % 3 else ""}  # fmt: skip
        if number % 7 == 0:
            call.pop("call_id")
        assert service.track(call).status == 200

    mine = report(f"sqlite:///{service.store}", tmp_path / "a")
    drained(service, otlp, mine.totals.calls)
    theirs = report(address, tmp_path / "b")

    assert theirs.groups == mine.groups
    assert theirs.totals == mine.totals
    assert mine.totals.calls > 50


def test_a_call_that_is_known_better_later_is_copied_again(
    start: Any, tmp_path: Path, otlp: Any, address: str
) -> None:
    service = start(tmp_path, "--forward", address)
    service.track({"model": "gpt-4o", "call_id": "later"})
    drained(service, otlp, 1)
    assert report(address, tmp_path / "a").totals.unknown_calls == 1

    service.track({**CALL, "call_id": "later"})
    drained(service, otlp, 2)

    found = report(address, tmp_path / "b").totals
    assert (found.calls, found.unknown_calls, found.tokens["input"]) == (1, 0, 10)


def test_a_call_that_turns_out_to_be_another_is_taken_off(
    start: Any, tmp_path: Path, otlp: Any, address: str
) -> None:
    service = start(tmp_path, "--forward", address)
    upper = {"openinference.span.kind": "LLM", "llm.model_name": "gpt-4o",
             "llm.token_count.prompt": 1_000, "llm.token_count.completion": 100}  # fmt: skip
    service.export(otlp.export(otlp.span(1, upper)))
    drained(service, otlp, 1)
    assert report(address, tmp_path / "a").totals.calls == 1

    lower = otlp.span(2, otlp.chat("chatcmpl-1"), parentSpanId=f"{1:016x}")
    service.export(otlp.export(lower))

    number = iter(range(100))
    otlp.until(lambda: report(address, tmp_path / f"b{next(number)}").totals.calls == 1)
    drained(service, otlp, 2)
    assert report(address, tmp_path / "c").totals.calls == 1
    assert len(service.rows()) == 1


def test_an_outage_is_absorbed(
    start: Any, tmp_path: Path, otlp: Any, address: str, postgres: Any
) -> None:
    service = start(tmp_path, "--forward", address)
    service.track({**CALL, "call_id": "before"})
    drained(service, otlp, 1)
    from pgserver._commands import pg_ctl  # type: ignore[attr-defined]

    statuses: list[int] = []
    ending = threading.Event()

    def send() -> None:
        number = 0
        while not ending.is_set():
            calls = [{**CALL, "call_id": f"o-{number}-{i}"} for i in range(200)]
            statuses.append(service.track(calls).status)
            number += 1
            time.sleep(0.1)  # 2,000 calls a second

    sender = threading.Thread(target=send)
    sender.start()
    try:
        pg_ctl(["-m", "immediate", "stop"], pgdata=postgres.pgdata, user=postgres.system_user)
        began = time.monotonic()
        otlp.until(lambda: service.get("/health").data["forward"]["breaker"] == "open")
        text = service.get("/metrics").body.decode()
        while time.monotonic() - began < DOWN_S:
            time.sleep(0.1)
    finally:
        postgres.ensure_postgres_running()
        ending.set()
        sender.join(60)
    back = time.monotonic()

    drained(service, otlp, len(statuses) * 200, 60)

    assert time.monotonic() - back < 60
    assert 'sdlc_forward_breaker{state="open"} 1' in text
    assert set(statuses) == {200}
    assert service.get("/health").data["forward"]["breaker"] == "closed"
    assert report(address, tmp_path / "a").totals.calls == 1 + 200 * len(statuses)


def test_a_row_that_is_refused_is_a_dead_letter_and_can_be_replayed(
    start: Any, tmp_path: Path, otlp: Any, address: str, connection: Any
) -> None:
    service = start(tmp_path, "--forward", address)
    service.track({**CALL, "call_id": "first"})
    drained(service, otlp, 1)
    table = address.partition("#")[2]
    connection.execute(f"ALTER TABLE {table} ADD CONSTRAINT odd CHECK (model <> 'poison')")
    calls = [{**CALL, "call_id": f"d-{i}", "model": "poison" if i == 5 else "m"} for i in range(9)]

    assert service.track(calls).status == 200
    drained(service, otlp, 9)

    assert service.get("/health").data["forward"]["dead_letters"] == 1
    assert report(address, tmp_path / "a").totals.calls == 9
    listed = command(tmp_path, "dead-letters")
    assert "d-5" in listed.stdout
    assert "odd" in listed.stdout
    connection.execute(f"ALTER TABLE {table} DROP CONSTRAINT odd")
    assert command(tmp_path, "dead-letters", "--replay").returncode == 0
    drained(service, otlp, 10)
    assert report(address, tmp_path / "b").totals.calls == 10
    assert service.get("/health").data["forward"]["dead_letters"] == 0


def command(folder: Path, *words: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "sdlc_cli", "serve", *words],
        cwd=folder, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


def test_a_restart_goes_on_where_it_was(
    start: Any, tmp_path: Path, otlp: Any, address: str
) -> None:
    service = start(tmp_path, "--forward", address)
    service.track([CALL] * 30)  # without ids: only the count tells whether one came twice
    drained(service, otlp, 30)
    service.process.kill()
    service.process.wait()

    again = start(tmp_path, "--forward", address)
    again.track([CALL] * 5)
    drained(again, otlp, 5)

    assert report(address, tmp_path / "a").totals.calls == 35


def test_a_table_that_holds_a_call_twice_is_told(
    start: Any, tmp_path: Path, otlp: Any, address: str
) -> None:
    from sdlc_cli.cost.engine import remote
    from sdlc_cli.cost.model import Row

    remote.load(address, [Row(dedupe="a", call_id="a"), Row(dedupe="a", call_id="a")])
    service = start(tmp_path, "--forward", address)

    problem = otlp.until(lambda: service.get("/health").data["forward"]["problem"])

    assert "holds a call twice" in problem
    assert service.track(CALL).status == 200
