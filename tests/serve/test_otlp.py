"""What OTLP/HTTP asks of a server (1.9.0), each MUST and SHOULD of it by name.

https://opentelemetry.io/docs/specs/otlp/
"""

import base64
import gzip
import json
import time
from datetime import UTC, datetime
from typing import Any

import pytest
from google.protobuf.json_format import Parse
from opentelemetry.proto.collector.logs.v1 import logs_service_pb2 as logs_pb
from opentelemetry.proto.collector.metrics.v1 import metrics_service_pb2 as metrics_pb
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2 as trace_pb

from sdlc_cli.serve import otlp as serve_otlp

JSON = {"Content-Type": "application/json"}
PROTOBUF = {"Content-Type": "application/x-protobuf"}
RESPONSES: dict[str, Any] = {
    "/v1/traces": trace_pb.ExportTraceServiceResponse,
    "/v1/metrics": metrics_pb.ExportMetricsServiceResponse,
    "/v1/logs": logs_pb.ExportLogsServiceResponse,
}
POINT = {"timeUnixNano": "1", "asInt": "3"}
METRICS = {
    "resourceMetrics": [
        {
            "scopeMetrics": [
                {
                    "metrics": [
                        {"name": "gen_ai.client.token.usage", "sum": {"dataPoints": [POINT, POINT]}}
                    ]
                }
            ]
        }
    ]
}
LOGS = {"resourceLogs": [{"scopeLogs": [{"logRecords": [{"body": {"stringValue": "x"}}]}]}]}


def message(kind: Any, record: object) -> bytes:
    """JSON as protobuf has it; ids in JSON are base64 there, so spans get theirs after."""
    done: bytes = Parse(json.dumps(record), kind()).SerializeToString()
    return done


def spans(otlp: Any, *calls: str) -> bytes:
    record = otlp.export(*(otlp.span(i + 1, otlp.chat(name)) for i, name in enumerate(calls)))
    request = trace_pb.ExportTraceServiceRequest()
    for one in record["resourceSpans"][0]["scopeSpans"][0]["spans"]:
        del one["traceId"], one["spanId"]
    Parse(json.dumps(record), request)
    for number, made in enumerate(request.resource_spans[0].scope_spans[0].spans):
        made.trace_id, made.span_id = bytes(15) + b"\1", bytes(7) + bytes([number + 1])
    done: bytes = request.SerializeToString()
    return done


def status_of(body: bytes) -> tuple[int, str]:
    """A google.rpc.Status, read by its fields: code is 1, message is 2."""
    assert body[0] == 0x08
    assert body[2] == 0x12
    length = body[3]
    return body[1], body[4 : 4 + length].decode()


def known(service: Any, call: str) -> list[Any]:
    return [row for row in service.rows() if row["call_id"] == call]


def test_protobuf_is_taken_and_answered_as_protobuf(service: Any, otlp: Any) -> None:
    answer = service.ask("POST", "/v1/traces", spans(otlp, "proto"), PROTOBUF)

    assert (answer.status, answer.headers["content-type"]) == (200, PROTOBUF["Content-Type"])
    response = trace_pb.ExportTraceServiceResponse.FromString(answer.body)
    assert not response.HasField("partial_success")
    (row,) = known(service, "proto")
    assert (row["input"], row["output"], row["project"]) == (1_000, 100, "shop")


def test_json_is_taken_and_answered_as_json(service: Any, otlp: Any) -> None:
    answer = service.export(otlp.export(otlp.span(9, otlp.chat("json"))))

    assert (answer.status, answer.headers["content-type"]) == (200, "application/json")
    assert answer.json == {}
    assert len(known(service, "json")) == 1


def test_a_charset_beside_the_content_type_is_taken(service: Any, otlp: Any) -> None:
    body = json.dumps(otlp.export(otlp.span(9, otlp.chat("charset"))))

    answer = service.ask(
        "POST", "/v1/traces", body, {"Content-Type": "application/json; charset=utf-8"}
    )

    assert answer.status == 200


@pytest.mark.parametrize("kind", [PROTOBUF, JSON])
def test_gzip_is_taken(service: Any, otlp: Any, kind: dict[str, str]) -> None:
    name = f"gzip-{len(kind['Content-Type'])}"
    plain = (
        spans(otlp, name)
        if kind is PROTOBUF
        else json.dumps(otlp.export(otlp.span(3, otlp.chat(name)))).encode()
    )

    answer = service.ask(
        "POST", "/v1/traces", gzip.compress(plain), {**kind, "Content-Encoding": "gzip"}
    )

    assert answer.status == 200
    assert len(known(service, name)) == 1


def test_ids_in_json_are_hexadecimal_in_any_case(service: Any, otlp: Any) -> None:
    attributes = otlp.chat("")
    del attributes["gen_ai.response.id"]
    upper = otlp.span(0, attributes, traceId="5B8EFFF798038103D269B633813FC60D")

    service.export(otlp.export({**upper, "spanId": "EEE19B7EC3C1B174"}))
    service.export(otlp.export({**upper, "traceId": upper["traceId"].lower(),
                                "spanId": "eee19b7ec3c1b174"}))  # fmt: skip

    assert len(known(service, "eee19b7ec3c1b174")) == 1


@pytest.mark.parametrize("path", list(RESPONSES))
@pytest.mark.parametrize("kind", [PROTOBUF, JSON])
def test_an_empty_request_is_a_success(service: Any, path: str, kind: dict[str, str]) -> None:
    answer = service.ask("POST", path, b"{}" if kind is JSON else b"", kind)

    assert answer.status == 200
    if kind is JSON:
        assert answer.json == {}
    else:
        assert RESPONSES[path].FromString(answer.body) == RESPONSES[path]()


def test_unknown_fields_of_json_are_ignored(service: Any, otlp: Any) -> None:
    record = otlp.export(otlp.span(4, otlp.chat("fields"), tomorrow={"a": 1}))

    assert service.export({**record, "later": [1]}).status == 200
    assert len(known(service, "fields")) == 1


def test_enumerations_of_json_may_be_numbers(service: Any, otlp: Any) -> None:
    failed = otlp.span(5, otlp.chat("failed"), status={"code": 2})

    service.export(otlp.export(failed))

    assert known(service, "failed")[0]["status"] == 1


@pytest.mark.parametrize("path", list(RESPONSES))
@pytest.mark.parametrize(
    ("kind", "body"),
    [(PROTOBUF, b"\xff\xff\xff"), (JSON, b'{"resourceSpans": 3'), (JSON, b"[1]"), (JSON, b"")],
)
def test_a_malformed_body_is_400_with_a_status(
    service: Any, path: str, kind: dict[str, str], body: bytes
) -> None:
    answer = service.ask("POST", path, body, kind)

    assert (answer.status, answer.headers["content-type"]) == (400, kind["Content-Type"])
    if kind is JSON:
        assert answer.json["code"] == 3
        assert answer.json["message"]
    else:
        code, text = status_of(answer.body)
        assert code == 3
        assert text


@pytest.mark.parametrize(
    "body",
    [b"no gzip at all", b"", gzip.compress(b"x" * 999)[:-3]],
    ids=["not gzip", "empty", "cut off"],
)
def test_a_body_that_is_not_packed_as_it_says_is_400(service: Any, body: bytes) -> None:
    answer = service.ask("POST", "/v1/traces", body, {**JSON, "Content-Encoding": "gzip"})

    assert answer.status == 400


def test_spans_that_cannot_be_counted_are_told_and_the_others_are_kept(
    service: Any, otlp: Any
) -> None:
    bad = otlp.chat("bad", **{"gen_ai.usage.input_tokens": -5})
    huge = otlp.chat("huge", **{"gen_ai.usage.input_tokens": 2**41})

    answer = service.export(
        otlp.export(
            otlp.span(6, otlp.chat("good")), otlp.span(7, bad), otlp.span(8, huge),
        )
    )  # fmt: skip

    assert answer.status == 200
    assert answer.json["partialSuccess"]["rejectedSpans"] == "2"
    assert "negative" in answer.json["partialSuccess"]["errorMessage"]
    assert known(service, "good")
    assert not known(service, "bad") + known(service, "huge")


@pytest.mark.parametrize("year", [1971, 2100])
def test_a_span_of_a_time_when_no_call_was_made_is_refused_alike(otlp: Any, year: int) -> None:
    nanos = int(datetime(year, 1, 1, tzinfo=UTC).timestamp()) * 10**9
    request = trace_pb.ExportTraceServiceRequest.FromString(spans(otlp, "one", "two"))
    made = request.resource_spans[0].scope_spans[0].spans
    made[0].start_time_unix_nano = nanos
    record = otlp.export(
        otlp.span(1, otlp.chat("one"), startTimeUnixNano=str(nanos)), otlp.span(2, otlp.chat("two"))
    )

    for body, kind in (
        (request.SerializeToString(), PROTOBUF),
        (json.dumps(record).encode(), JSON),
    ):
        export = serve_otlp.traces(body, kind["Content-Type"])
        assert [str(one.reason) for one in export.refused] == [
            "time is before 2015 or more than a year ahead"
        ]
        assert [one.row.call_id for one in export.told] == ["two"]


NAMED = "gen_ai.usage.output_tokens"
ODD: dict[str, tuple[dict[str, object], dict[str, object] | None]] = {
    "no time": ({"startTimeUnixNano": "0"}, None),
    "an array": ({}, {"key": NAMED, "value": {"arrayValue": {"values": [{"intValue": "5"}]}}}),
    "a map": ({}, {"key": NAMED, "value": {"kvlistValue": {"values": []}}}),
    "no value": ({}, {"key": NAMED}),
    "no key": ({}, {"value": {"intValue": "5"}}),
    "an endless number": ({}, {"key": "gen_ai.response.model",
                               "value": {"doubleValue": "Infinity"}}),
}  # fmt: skip


@pytest.mark.parametrize("odd", ODD)
def test_a_span_tells_the_same_in_json_and_in_protobuf(otlp: Any, odd: str) -> None:
    fields, more = ODD[odd]
    record = otlp.export(otlp.span(1, otlp.chat("one"), **fields))
    (made,) = record["resourceSpans"][0]["scopeSpans"][0]["spans"]
    made["attributes"] = [one for one in made["attributes"] if one["key"] != NAMED]
    made["attributes"] += [more] if more else []
    text = json.dumps(record).encode()
    made |= {
        name: base64.b64encode(bytes.fromhex(made[name])).decode() for name in ("traceId", "spanId")
    }
    body = message(trace_pb.ExportTraceServiceRequest, record)

    found = serve_otlp.traces(text, JSON["Content-Type"])
    expected = serve_otlp.traces(body, PROTOBUF["Content-Type"])

    assert [told.row for told in found.told] == [told.row for told in expected.told]
    reasons = [[str(one.reason) for one in export.refused] for export in (found, expected)]
    assert reasons[0] == reasons[1]
    assert found.items == expected.items == 1


@pytest.mark.parametrize(
    "odd",
    [{"attributes": [None]}, {"startTimeUnixNano": "soon"}, {"traceId": 5}, {"status": []}],
    ids=["null attribute", "time", "trace", "status"],
)
def test_one_odd_span_in_json_costs_no_other(service: Any, otlp: Any, odd: Any) -> None:
    name = f"beside {next(iter(odd))}"

    made = [otlp.span(70, otlp.chat("odd")) | odd, otlp.span(71, otlp.chat(name))]
    answer = service.export(otlp.export(*made))

    assert (answer.status, answer.json["partialSuccess"]["rejectedSpans"]) == (200, "1")
    assert known(service, name)


def test_what_is_partly_refused_is_told_in_protobuf_too(service: Any, otlp: Any) -> None:
    request = trace_pb.ExportTraceServiceRequest.FromString(spans(otlp, "one"))
    (made,) = request.resource_spans[0].scope_spans[0].spans
    for pair in made.attributes:
        if pair.key == "gen_ai.usage.input_tokens":
            pair.value.int_value = -1

    answer = service.ask("POST", "/v1/traces", request.SerializeToString(), PROTOBUF)

    response = trace_pb.ExportTraceServiceResponse.FromString(answer.body)
    assert response.partial_success.rejected_spans == 1
    assert response.partial_success.error_message


@pytest.mark.parametrize("kind", ["text/plain", "", "application/json-seq"])
def test_another_content_type_is_415(service: Any, kind: str) -> None:
    headers = {"Content-Type": kind} if kind else {}

    assert service.ask("POST", "/v1/traces", b"{}", headers).status == 415


def test_another_encoding_is_415(service: Any) -> None:
    answer = service.ask("POST", "/v1/traces", b"{}", {**JSON, "Content-Encoding": "br"})

    assert answer.status == 415


def test_another_method_is_405_and_another_path_404(service: Any) -> None:
    assert service.get("/v1/traces").status == 405
    assert service.ask("POST", "/v1/traces/", b"", PROTOBUF).status == 404
    assert service.ask("POST", "/v1development/profiles", b"", PROTOBUF).status == 404


def test_a_body_larger_than_the_limit_once_unpacked_is_413(service: Any) -> None:
    body = gzip.compress(b" " * (20 * 2**20 + 1))

    answer = service.ask("POST", "/v1/traces", body, {**PROTOBUF, "Content-Encoding": "gzip"})

    assert answer.status == 413
    assert status_of(answer.body)[0] == 8


def test_a_body_of_the_limit_is_taken(service: Any) -> None:
    body = b"{}" + b" " * (20 * 2**20 - 2)

    answer = service.ask(
        "POST", "/v1/traces", gzip.compress(body), {**JSON, "Content-Encoding": "gzip"}
    )

    assert answer.status == 200


@pytest.mark.parametrize(
    ("path", "record", "kind"),
    [
        ("/v1/metrics", METRICS, metrics_pb.ExportMetricsServiceRequest),
        ("/v1/logs", LOGS, logs_pb.ExportLogsServiceRequest),
    ],
)
def test_metrics_and_logs_are_taken_and_counted_and_never_summed(
    service: Any, path: str, record: object, kind: Any
) -> None:
    before = len(service.rows())

    answers = [
        service.export(record, path),
        service.ask("POST", path, message(kind, record), PROTOBUF),
    ]

    assert [answer.status for answer in answers] == [200, 200]
    assert len(service.rows()) == before
    signal = path.rpartition("/")[2]
    number = 4 if signal == "metrics" else 2
    line = f'sdlc_serve_items_total{{signal="{signal}",what="received"}} {number}'
    assert line in service.get("/metrics").body.decode().splitlines()


def test_requests_go_on_over_one_connection(service: Any, otlp: Any) -> None:
    import http.client

    connection = http.client.HTTPConnection("127.0.0.1", service.port)
    statuses = []
    for number in range(3):
        connection.request("POST", "/v1/traces", spans(otlp, f"alive-{number}"), PROTOBUF)
        answer = connection.getresponse()
        answer.read()
        statuses.append(answer.status)
    connection.close()

    assert statuses == [200, 200, 200]


def test_a_request_that_is_sent_again_counts_once(service: Any, otlp: Any) -> None:
    body = spans(otlp, "again-1", "again-2")

    for _ in range(3):
        assert service.ask("POST", "/v1/traces", body, PROTOBUF).status == 200

    assert len(known(service, "again-1") + known(service, "again-2")) == 2


@pytest.mark.parametrize(("place", "word"), list(enumerate(["None", "null", "", "undefined"])))
def test_a_word_for_nothing_is_no_id(service: Any, otlp: Any, place: int, word: str) -> None:
    before = len(service.rows())

    for number in (901, 902):
        service.export(otlp.export(otlp.span(number + 10 * place, otlp.chat(word))))

    assert len(service.rows()) == before + 2


def test_unknown_usage_stays_unknown(service: Any, otlp: Any) -> None:
    told = {"gen_ai.operation.name": "chat", "gen_ai.request.model": "gpt-4o",
            "gen_ai.response.id": "abandoned"}  # fmt: skip

    service.export(otlp.export(otlp.span(77, told)))

    (row,) = known(service, "abandoned")
    assert (row["known"], row["input"]) == (0, 0)


@pytest.mark.parametrize("kind", [PROTOBUF, JSON])
def test_a_span_without_a_time_counts_when_it_came(
    service: Any, otlp: Any, kind: dict[str, str]
) -> None:
    name = f"timeless-{len(kind['Content-Type'])}"
    if kind is JSON:
        span = otlp.span(77, otlp.chat(name))
        del span["startTimeUnixNano"]
        body = json.dumps(otlp.export(span)).encode()
    else:
        request = trace_pb.ExportTraceServiceRequest.FromString(spans(otlp, name))
        request.resource_spans[0].scope_spans[0].spans[0].start_time_unix_nano = 0
        body = request.SerializeToString()
    before = time.time()

    for _ in range(2):
        assert service.ask("POST", "/v1/traces", body, kind).status == 200

    (row,) = known(service, name)
    assert before - 1 <= row["ts"] / 10**6 <= time.time() + 1
