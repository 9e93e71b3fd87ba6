"""Spans out of OTLP's protobuf messages, by the library of protobuf."""

from collections.abc import Iterable, Iterator
from typing import Any

from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2 as trace_pb
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1 import trace_pb2

from sdlc_cli.cost.readers import gen_ai
from sdlc_cli.cost.readers.spans import Attributes, Span

_NO_TRACE, _NO_SPAN = bytes(16), bytes(8)
_ERROR = 2  # STATUS_CODE_ERROR
_PLAIN = frozenset(("string_value", "int_value", "double_value", "bool_value"))


class Malformed(Exception):
    """A body that is not what it is said to be."""


def parsed(message: Any, body: bytes) -> Any:
    """The message in a body. Raises Malformed."""
    try:
        return message.FromString(body)
    except DecodeError:
        raise Malformed("the body is not a valid protobuf message of this kind") from None


def spans(body: bytes) -> Iterator[Span]:
    """The spans of an export. Raises Malformed."""
    request = parsed(trace_pb.ExportTraceServiceRequest, body)
    for group in request.resource_spans:
        resource = _attributes(group.resource.attributes, gen_ai.RESOURCE)
        for library in group.scope_spans:
            scope = library.scope.name
            for one in library.spans:
                yield _span(one, scope, resource)


def span(body: bytes, scope: str, resource: Attributes) -> Span:
    """One span. Raises Malformed."""
    return _span(parsed(trace_pb2.Span, body), scope, resource)


def resource(body: bytes) -> Attributes:
    """What is read of a resource. Raises Malformed."""
    return _attributes(parsed(Resource, body).attributes, gen_ai.RESOURCE)


def _span(told: Any, scope: str, resource: Attributes) -> Span:
    return Span(
        trace_id=_id(told.trace_id, _NO_TRACE),
        span_id=_id(told.span_id, _NO_SPAN),
        parent_id=_id(told.parent_span_id, _NO_SPAN),
        ts=told.start_time_unix_nano // 1000 or None,
        error=told.status.code == _ERROR,
        kind=told.kind,
        scope=scope,
        attributes=_attributes(told.attributes, gen_ai.ATTRIBUTES),
        resource=resource,
    )


def _id(value: bytes, nothing: bytes) -> str:
    return "" if value == nothing else value.hex()


def _attributes(pairs: Iterable[Any], wanted: frozenset[str]) -> dict[str, object]:
    found: dict[str, object] = {}
    for pair in pairs:
        key = pair.key
        if key in wanted:
            value = pair.value
            # Asking what kind it is costs more than asking for what it nearly always is.
            plain = value.string_value or value.int_value
            if plain:
                found[key] = plain
                continue
            kind = value.WhichOneof("value")
            if kind in _PLAIN:
                found[key] = getattr(value, kind)
    return found
