"""OTLP bodies, protobuf and JSON -> calls, and the answers that the protocol asks for.

Of a span only the attributes that the readers know are looked at: prompts and completions are
never taken out of the message.
"""

from collections.abc import Iterator
from itertools import islice
from typing import Any

import msgspec
from opentelemetry.proto.collector.logs.v1 import logs_service_pb2 as logs_pb
from opentelemetry.proto.collector.metrics.v1 import metrics_service_pb2 as metrics_pb
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2 as trace_pb

from sdlc_cli.cost.model import Rejected, Told
from sdlc_cli.cost.readers import Record, otlp, spans, strict
from sdlc_cli.cost.readers.spans import Span
from sdlc_cli.serve import plain, proto
from sdlc_cli.serve.proto import Malformed
from sdlc_cli.serve.sound import check

PROTOBUF = "application/x-protobuf"
JSON = "application/json"

_POINTS = ("gauge", "sum", "histogram", "exponentialHistogram", "summary")
_BATCH = 4_000  # spans that are looked at together; of the largest body there are many more
# gRPC's numbers of what an HTTP status means, for Status bodies.
_CODES = {400: 3, 401: 16, 403: 7, 404: 5, 405: 12, 413: 8, 415: 3, 429: 8, 431: 8, 503: 14}
_UNKNOWN = 2

_REJECTED = {"traces": "Spans", "metrics": "DataPoints", "logs": "LogRecords"}
_PARTIAL = {
    "traces": trace_pb.ExportTraceServiceResponse,
    "metrics": metrics_pb.ExportMetricsServiceResponse,
    "logs": logs_pb.ExportLogsServiceResponse,
}


class Export(msgspec.Struct, kw_only=True, gc=False):
    """What one request told. `items` are its spans, points or records, whatever they were."""

    told: list[Told] = []
    refused: list[Rejected] = []
    items: int = 0


def traces(body: bytes, kind: str) -> Export:
    """The calls that an export of spans tells of, each held against `check`. Raises Malformed."""
    if kind == PROTOBUF and (quick := plain.read(body)) is not None:
        return Export(told=quick.told, refused=quick.refused, items=quick.items)
    export = Export()
    if kind == JSON:
        found = iter(_json_spans(body, export.refused))
        export.items = len(export.refused)
    else:
        found = proto.spans(body)
    while batch := list(islice(found, _BATCH)):
        told, refused = otlp.read(batch, whole=False)
        export.refused += refused
        export.items += len(batch)
        for one in told:
            try:
                check(one.row)
            except Rejected as refusal:
                export.refused.append(refusal)
            else:
                export.told.append(one)
    return export


def counted(signal: str, body: bytes, kind: str) -> Export:
    """How many points or records an export of metrics or logs has. Raises Malformed.

    They are never summed: the points about tokens repeat what the spans tell.
    """
    if kind == JSON:
        record = _json(body)
        items = _json_points(record) if signal == "metrics" else _json_records(record)
    elif signal == "metrics":
        items = _proto_points(proto.parsed(metrics_pb.ExportMetricsServiceRequest, body))
    else:
        request = proto.parsed(logs_pb.ExportLogsServiceRequest, body)
        items = sum(len(s.log_records) for r in request.resource_logs for s in r.scope_logs)
    return Export(items=items)


def answer(signal: str, kind: str, refused: list[Rejected]) -> bytes:
    """The body of a success, which says how much of it was refused."""
    name = _REJECTED[signal]
    why = f"{refused[0].reason}" if refused else ""
    if kind == JSON:
        partial = {f"rejected{name}": str(len(refused)), "errorMessage": why}
        return msgspec.json.encode({"partialSuccess": partial} if refused else {})
    response: Any = _PARTIAL[signal]()
    if refused:
        response.partial_success.error_message = why
        snake = {"Spans": "spans", "DataPoints": "data_points", "LogRecords": "log_records"}[name]
        setattr(response.partial_success, f"rejected_{snake}", len(refused))
    done: bytes = response.SerializeToString()
    return done


def status(http: int, message: str, kind: str) -> bytes:
    """A google.rpc.Status: the body of every error."""
    code = _CODES.get(http, _UNKNOWN)
    if kind == JSON:
        return msgspec.json.encode({"code": code, "message": message})
    text = message.encode()
    return b"\x08" + _varint(code) + b"\x12" + _varint(len(text)) + text


def _varint(number: int) -> bytes:
    found = bytearray()
    while number > 0x7F:
        found.append(number & 0x7F | 0x80)
        number >>= 7
    found.append(number)
    return bytes(found)


def _proto_points(request: Any) -> int:
    points = 0
    for group in request.resource_metrics:
        for scope in group.scope_metrics:
            for metric in scope.metrics:
                kind = metric.WhichOneof("data")
                points += len(getattr(metric, kind).data_points) if kind else 0
    return points


def _json(body: bytes) -> Record:
    try:
        record = strict.decode(body)
    except Rejected as refusal:
        raise Malformed(str(refusal.reason)) from None
    if not isinstance(record, dict):
        raise Malformed("the body is not a JSON object")
    return record


def _json_spans(body: bytes, refused: list[Rejected]) -> list[Span]:
    try:
        return list(spans.otlp(_json(body), refused, plain=True))
    except Rejected as refusal:
        raise Malformed(str(refusal.reason)) from None


def _below(record: Record, *keys: str) -> Iterator[Record]:
    if not keys:
        yield record
        return
    for one in spans.objects(record, keys[0]):
        yield from _below(one, *keys[1:])


def _json_points(record: Record) -> int:
    try:
        return sum(
            len(list(spans.objects(spans.section_or_none(metric, kind), "dataPoints")))
            for metric in _below(record, "resourceMetrics", "scopeMetrics", "metrics")
            for kind in _POINTS
        )
    except Rejected as refusal:
        raise Malformed(str(refusal.reason)) from None


def _json_records(record: Record) -> int:
    try:
        return len(list(_below(record, "resourceLogs", "scopeLogs", "logRecords")))
    except Rejected as refusal:
        raise Malformed(str(refusal.reason)) from None
