"""Spans of traces as OTLP JSON and as the SDKs' own JSON have them, decoded into one type."""

import base64
import binascii
import re
from collections.abc import Iterator, Mapping
from decimal import Decimal

import msgspec

from sdlc_cli.core.i18n import msg
from sdlc_cli.cost.model import Rejected
from sdlc_cli.cost.readers import Record
from sdlc_cli.cost.readers.fields import moment, section, text

Attributes = Mapping[str, object]
REMOTE = 3  # `Span.kind` of an operation that another process carries out, SPAN_KIND_CLIENT

_HEX = re.compile(r"(?:0x)?([0-9a-fA-F]{16}|[0-9a-fA-F]{32})")
_NO_ID = frozenset(("", "0" * 16, "0" * 32))
_KINDS = {"SPAN_KIND_CLIENT": REMOTE}
_PLAIN = (str, int, float, Decimal)
_DEPTH = 20  # levels of arrays and maps inside one attribute


class Span(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One operation of a trace. Ids are lower-case hexadecimal, "" where there is none.

    Attributes and the resource's attributes hold str, bool, int, float, None, list and dict.
    `ts` is when it began, in microseconds since 1970 in UTC. `kind` is OTLP's number, 0 where it
    is not told; `scope` is the name of the library that made the span.
    """

    trace_id: str = ""
    span_id: str = ""
    parent_id: str = ""
    name: str = ""
    ts: int | None = None
    error: bool = False
    kind: int = 0
    scope: str = ""
    attributes: Attributes = {}
    resource: Attributes = {}

    @property
    def key(self) -> str:
        """What its row is known by where nothing better is; "" without an id."""
        return f"span:{self.trace_id}:{self.span_id}" if self.span_id else ""


def identity(value: object, key: str) -> str:
    """A trace's or span's id as hexadecimal; some exporters write it in base64, or with 0x."""
    if value is None:
        return ""
    if isinstance(value, bytes):
        value = value.hex()
    if not isinstance(value, str):
        raise Rejected(msg("{key} is not text", key=key))
    found = _HEX.fullmatch(value)
    if found:
        plain = found[1].lower()
        return "" if plain in _NO_ID else plain
    try:
        raw = base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        raw = b""
    plain = raw.hex() if len(raw) in (8, 16) else value
    return "" if plain in _NO_ID else plain


def is_otlp(record: Record) -> bool:
    """Whether this is a line of the collector's file exporter that may hold spans."""
    return isinstance(record.get("resourceSpans"), list)


def is_flat(record: Record) -> bool:
    """Whether this is one span as an SDK prints it, or as Phoenix exports it."""
    context = record.get("context")
    identified = isinstance(context, Mapping) and ("trace_id" in context or "span_id" in context)
    return isinstance(record.get("attributes"), Mapping) and (
        identified or "context.span_id" in record or "span_id" in record
    )


def otlp(record: Record, refused: list[Rejected], *, plain: bool = False) -> Iterator[Span]:
    """The spans of one export; why others of it are none is added to `refused`.

    With `plain` attributes are as `attributes` gives them then. Raises Rejected where the structure
    of the export is not OTLP's.
    """
    for group in objects(record, "resourceSpans"):
        resource: Attributes = {}
        bad: Rejected | None = None
        try:
            resource = attributes(section(group, "resource"), plain=plain)
        except Rejected as refusal:
            bad = refusal
        for scope in objects(group, "scopeSpans"):
            library = section_or_none(scope, "scope").get("name")
            name = library if isinstance(library, str) else ""
            for span in objects(scope, "spans"):
                try:
                    if bad:
                        raise bad
                    found = _span(span, name, resource, plain)
                except Rejected as refusal:
                    refused.append(refusal)
                else:
                    yield found


def _span(span: Record, scope: str, resource: Attributes, plain: bool) -> Span:
    status = section(span, "status").get("code")
    kind = span.get("kind")
    began = moment(span.get("startTimeUnixNano"), "startTimeUnixNano", "ns")
    return Span(
        trace_id=identity(span.get("traceId"), "traceId"),
        span_id=identity(span.get("spanId"), "spanId"),
        parent_id=identity(span.get("parentSpanId"), "parentSpanId"),
        name=text(span, "name"),
        ts=began or None,  # 0 is how protobuf says that it is not told
        error=status in (2, "2", "STATUS_CODE_ERROR"),
        kind=kind if type(kind) is int else _KINDS.get(str(kind), 0),
        scope=scope,
        attributes=attributes(span, plain=plain),
        resource=resource,
    )


def flat(record: Record) -> Span:
    """The span that a record is."""
    context = section(record, "context")

    def told(name: str) -> object:
        return context.get(name) or record.get(f"context.{name}") or record.get(name)

    status = record.get("status_code") or section_or_none(record, "status").get("status_code")
    return Span(
        trace_id=identity(told("trace_id"), "trace_id"),
        span_id=identity(told("span_id"), "span_id"),
        parent_id=identity(record.get("parent_id"), "parent_id"),
        name=text(record, "name"),
        ts=moment(record.get("start_time"), "start_time"),
        error=status in ("ERROR", 2),
        attributes=_flattened(section(record, "attributes")),
        resource=_flattened(section_or_none(section_or_none(record, "resource"), "attributes")),
    )


def section_or_none(record: Record, key: str) -> Record:
    """The object under `key`, an empty one where something else is: nothing there is counted."""
    value = record.get(key)
    return value if isinstance(value, Mapping) else {}


def attributes(holder: Record, *, plain: bool = False) -> dict[str, object]:
    """OTLP's list of keys and typed values as a plain dict.

    With `plain` as it is read of protobuf, where a key may be left out: only texts and numbers.
    """
    found: dict[str, object] = {}
    for pair in objects(holder, "attributes"):
        name = pair.get("key", "" if plain else None)
        if not isinstance(name, str):
            raise Rejected(msg("an attribute has no key"))
        value = _value(pair.get("value"))
        if not plain or isinstance(value, _PLAIN):
            found[name] = value
    return found


def _value(value: object, depth: int = 0) -> object:
    """The value inside `{"intValue": "12"}`. 64-bit integers are text in JSON, or numbers."""
    if not isinstance(value, Mapping) or depth > _DEPTH:
        return None
    for kind, inner in value.items():
        if kind == "intValue" and isinstance(inner, str):
            return integer(inner)
        if kind == "doubleValue" and inner in ("NaN", "Infinity", "-Infinity"):
            return float(str(inner))
        if kind in ("intValue", "stringValue", "boolValue", "doubleValue"):
            return inner
        if kind == "arrayValue":
            values = inner.get("values") if isinstance(inner, Mapping) else None
            return [_value(v, depth + 1) for v in values] if isinstance(values, list) else []
    return None


def integer(written: str) -> object:
    """The number that OTLP's text of a 64-bit integer is; the text itself where it is none."""
    plain = written.removeprefix("-")
    if plain.isascii() and plain.isdigit() and len(plain) <= len(str(2**63)):
        return int(written)
    return written  # whoever counts it refuses it by its name


def objects(record: Record, key: str) -> Iterator[Record]:
    """The objects in the list under `key`; none where it is missing or null."""
    value = record.get(key)
    if value is None:
        return
    if not isinstance(value, list):
        raise Rejected(msg("{key} is not a list", key=key))
    for element in value:
        if not isinstance(element, Mapping):
            raise Rejected(msg("{key} holds something else than objects", key=key))
        yield element


def _flattened(record: Record) -> dict[str, object]:
    """Nested objects as dotted names: `{"llm": {"model_name": …}}` is `llm.model_name`."""
    found: dict[str, object] = {}
    todo = [("", record, 0)]
    while todo:
        prefix, level, depth = todo.pop()
        for name, value in level.items():
            if isinstance(value, Mapping) and depth < _DEPTH:
                todo.append((f"{prefix}{name}.", value, depth + 1))
            else:
                found[prefix + name] = value
    return found
