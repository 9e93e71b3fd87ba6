"""`POST /api/v1/cost/track`: what is taken, what is refused, what is done once."""

import json
from typing import Any

import pytest

from sdlc_cli.cost.store.ledger import Ledger

CALL = {"model": "gpt-4o", "provider": "openai", "input_tokens": 100, "output_tokens": 20}
JSON = {"Content-Type": "application/json"}


def known(service: Any, call: str) -> list[Any]:
    return [row for row in service.rows() if row["call_id"] == call]


@pytest.mark.parametrize(
    "body",
    [
        pytest.param({**CALL, "call_id": "one"}, id="one"),
        pytest.param([{**CALL, "call_id": "list"}], id="list"),
        pytest.param({"calls": [{**CALL, "call_id": "wrapped"}]}, id="wrapped"),
    ],
)
def test_calls_come_alone_in_a_list_or_wrapped(service: Any, body: Any) -> None:
    answer = service.track(body)

    assert (answer.status, answer.json["status"]) == (200, "ok")
    assert answer.data == {"accepted": 1}
    assert set(answer.json["meta"]) == {"version", "timestamp"}


def test_a_call_is_kept_as_it_was_told(service: Any) -> None:
    service.track(
        {
            "model": "claude-sonnet-4-5", "provider": "anthropic", "time": "2026-05-01T10:00:00Z",
            "tier": "batch", "project": "shop", "user": "ada", "key": "svc", "call_id": "whole",
            "tags": {"env": "prod"}, "input_tokens": 176, "cache_read_tokens": 1024,
            "cache_write_tokens": 512, "cache_write_1h_tokens": 7, "output_tokens": 340,
            "reasoning_tokens": 40, "web_searches": 2, "max_output_tokens": 1000,
        }
    )  # fmt: skip

    (row,) = known(service, "whole")
    assert (row["ts"], row["tier"], row["tags"]) == (1777629600000000, "batch", '{"env":"prod"}')
    assert (row["project"], row["user"], row["key"]) == ("shop", "ada", "svc")
    assert (row["input"], row["cache_read"], row["cache_write_5m"]) == (176, 1024, 512)
    assert (row["cache_write_1h"], row["output"], row["reasoning"]) == (7, 300, 40)
    assert (row["web_searches"], row["max_output"], row["known"]) == (2, 1000, 1)


@pytest.mark.parametrize(
    ("told", "ts"),
    [("1777629600", 1777629600_000000), ("1777629600.5", 1777629600_500000),
     ("1777629600.123456", 1777629600_123456), ("1.7776296e9", 1777629600_000000),
     ("1777629600500", 1777629600_500000), ('"1777629600.25"', 1777629600_250000),
     ("1e300", None), ("-1.5", None), ("1e-400", None), ("true", None), ("[1]", None)],
)  # fmt: skip
def test_a_time_is_taken_in_seconds(service: Any, told: str, ts: int | None) -> None:
    name = f"time-{told}"
    body = json.dumps({**CALL, "call_id": name, "time": "T"}).replace('"T"', told)

    answer = service.ask("POST", "/api/v1/cost/track", body, JSON)

    assert answer.status == (400 if ts is None else 200)
    assert [row["ts"] for row in known(service, name)] == ([] if ts is None else [ts])


def test_a_call_without_tokens_is_of_unknown_usage(service: Any) -> None:
    service.track({"model": "gpt-4o", "call_id": "unknown"})
    service.track({"model": "gpt-4o", "call_id": "none", "input_tokens": 0, "output_tokens": 0})

    assert [known(service, name)[0]["known"] for name in ("unknown", "none")] == [0, 1]


def test_a_call_without_an_id_is_a_call_of_its_own(service: Any) -> None:
    before = len(service.rows())

    for _ in range(2):
        service.track([CALL, CALL])
        service.track({**CALL, "call_id": "None"})

    assert len(service.rows()) == before + 6


def test_a_call_that_a_span_tells_too_counts_once(service: Any, otlp: Any) -> None:
    service.export(otlp.export(otlp.span(1, otlp.chat("chatcmpl-both"))))

    service.track({**CALL, "call_id": "chatcmpl-both", "user": "ada"})

    (row,) = known(service, "chatcmpl-both")
    assert (row["input"], row["user"]) == (1_000, "ada")


@pytest.mark.parametrize(
    ("body", "words"),
    [
        pytest.param(b"", "cut off", id="nothing"),
        pytest.param(b"{", "cut off", id="cut"),
        pytest.param(b'{"model": NaN}', "NaN", id="NaN"),
        pytest.param(b'{"model":"a","model":"b"}', "stands twice", id="twice"),
        pytest.param(b'{"model":"a","input_tokens":1.5}', "int", id="fraction"),
        pytest.param(b'{"model":"a","input_tokens":"5"}', "int", id="text"),
        pytest.param(b'{"model":"a","input_tokens":true}', "int", id="bool"),
        pytest.param(b'{"model":"a","input_tokens":-1}', ">= 0", id="negative"),
        pytest.param(b'{"model":"a","input_tokens":%d}' % 10**40, "<=", id="10^40"),
        pytest.param(b'{"model":"a","input_tokens":%d}' % 2**40, "<", id="2^40"),
        pytest.param(b'{"model":"a","output_token":5}', "output_token", id="unknown key"),
        pytest.param(b'{"model":""}', "length", id="no model"),
        pytest.param(b'{"provider":"a"}', "model", id="model missing"),
        pytest.param(b'{"model":"a","time":"yesterday"}', "time", id="time"),
        pytest.param(b'{"model":"a","time":"9999-12-31T23:59:59Z"}', "time", id="year 9999"),
        pytest.param(b'{"model":"a","time":"2100-01-01"}', "a year ahead", id="year 2100"),
        pytest.param(b'{"model":"a","time":"2014-12-31T23:59:59Z"}', "before 2015", id="2014"),
        pytest.param(b'{"model":"a","status":"done"}', "status", id="status"),
        pytest.param(b'{"model":"a","output_tokens":1,"reasoning_tokens":2}', "more", id="more"),
        pytest.param(b'{"calls":[]}', "1 to 10000", id="no call"),
        pytest.param(b'{"calls":[{"model":"a"}],"x":1}', "beside", id="beside"),
        pytest.param(b"[" * 5_000, "nested", id="nested"),
        pytest.param(b'{"model":"%s"}' % (b"m" * 401), "length", id="long"),
        pytest.param(b'{"model":"\\ud800"}', "JSON", id="surrogate"),
    ],
)
def test_what_is_wrong_is_told(service: Any, body: bytes, words: str) -> None:
    before = len(service.rows())

    answer = service.ask("POST", "/api/v1/cost/track", body, JSON)

    assert (answer.status, answer.json["status"], answer.data) == (400, "error", None)
    assert words in answer.json["error"]["message"]
    assert len(service.rows()) == before


def test_one_bad_call_takes_its_request_with_it(service: Any) -> None:
    before = len(service.rows())

    assert service.track([CALL, {**CALL, "input_tokens": -1}]).status == 400
    assert len(service.rows()) == before


def test_only_json_is_taken(service: Any) -> None:
    body = json.dumps(CALL)

    for kind in ("text/plain", "application/x-www-form-urlencoded", ""):
        headers = {"Content-Type": kind} if kind else {}
        assert service.ask("POST", "/api/v1/cost/track", body, headers).status == 415


def test_a_request_with_a_key_is_done_once(service: Any) -> None:
    before = len(service.rows())

    answers = [service.track([CALL, CALL], **{"Idempotency-Key": "k-1"}) for _ in range(3)]

    assert {answer.status for answer in answers} == {200}
    assert len({answer.body for answer in answers}) == 1
    assert [a.headers.get("idempotency-replayed") for a in answers] == [None, "true", "true"]
    assert len(service.rows()) == before + 2


def test_a_key_for_another_body_is_409(service: Any) -> None:
    before = len(service.rows())
    service.track(CALL, **{"Idempotency-Key": "k-2"})

    answer = service.track({**CALL, "output_tokens": 21}, **{"Idempotency-Key": "k-2"})

    assert answer.status == 409
    assert len(service.rows()) == before + 1


def test_a_key_is_remembered_through_a_restart(start: Any, tmp_path: Any) -> None:
    headers = {"Idempotency-Key": "k"}
    first = start(tmp_path)
    kept = first.track(CALL, **headers).body
    first.stop()

    again = start(tmp_path)

    assert again.track(CALL, **headers).body == kept
    assert again.track({**CALL, "model": "x"}, **headers).status == 409
    assert len(again.rows()) == 1


def test_two_requests_of_one_key_at_once_are_one(service: Any) -> None:
    from concurrent.futures import ThreadPoolExecutor

    before = len(service.rows())
    with ThreadPoolExecutor(8) as pool:
        answers = list(
            pool.map(lambda _: service.track(CALL, **{"Idempotency-Key": "k-3"}), range(8))
        )

    assert {answer.status for answer in answers} == {200}
    assert len(service.rows()) == before + 1


def counters(service: Any) -> dict[str, float]:
    """What only ever grows on `/metrics`, as far as it is about calls."""
    told = {}
    for line in service.get("/metrics").body.decode().splitlines():
        name, _, value = line.rpartition(" ")
        if name.startswith(("llm_cost_usd_total{", "gen_ai_client_token_usage_sum{",
                            "sdlc_serve_calls_total{")):  # fmt: skip
            told[name] = float(value)
    return told


def test_no_counter_goes_down_when_a_call_is_told_better(start: Any, tmp_path: Any) -> None:
    service = start(tmp_path)
    large = {**CALL, "call_id": "c1", "status": "error", "input_tokens": 1_000_000}
    service.track(large)
    first = counters(service)

    service.track({**CALL, "call_id": "c1", "model": "gpt-4o-mini", "input_tokens": 10})
    service.track({**CALL, "call_id": "c2"})

    (row,) = known(service, "c1")
    assert row["input"] == 10  # it was told better
    last = counters(service)
    assert len(first) == 4
    assert {name: last[name] for name in first if last[name] < first[name]} == {}


def test_a_key_that_is_forgotten_may_name_other_calls(start: Any, tmp_path: Any) -> None:
    service = start(tmp_path)
    key = {"Idempotency-Key": "daily"}
    first, second = [CALL, CALL], {**CALL, "input_tokens": 7}
    assert service.track(first, **key).status == 200
    assert service.track(second, **key).status == 409
    service.stop()
    ledger = Ledger(service.store)
    ledger.forget(2**40, 0)
    ledger.close()

    service = start(tmp_path)
    answers = [service.track(body, **key) for body in (second, second, first)]

    assert [answer.status for answer in answers] == [200, 200, 409]
    assert [row["input"] for row in service.rows()] == [100, 100, 7]
    ledger = Ledger(service.store)
    ledger.forget(2**40, 0)
    ledger.close()
    assert service.track(first, **key).status == 200
    assert len(service.rows()) == 3  # the same request, late: once
