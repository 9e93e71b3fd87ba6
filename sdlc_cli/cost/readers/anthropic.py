"""Anthropic messages, the results of message batches, and the events of a message's stream.

`input_tokens` excludes what was read from and written to the cache; thinking is part of
`output_tokens`. A stream's counts are cumulative: its last event holds.
"""

from sdlc_cli.core.i18n import msg
from sdlc_cli.cost.model import Rejected, Row
from sdlc_cli.cost.readers import Format, Parse, Record
from sdlc_cli.cost.readers.counts import count
from sdlc_cli.cost.readers.fields import section, text, tier

_EVENTS = (
    *("message_start", "message_delta", "message_stop", "ping"),
    *("content_block_start", "content_block_delta", "content_block_stop"),
)
# Ids of messages that another company's service answered.
_SERVICES = (("msg_bdrk_", "bedrock"), ("msg_vrtx_", "vertex_ai"))


def matches(record: Record) -> bool:
    """Whether the record is a message, or a batch's result with a message in it."""
    if record.get("type") in ("message", "error"):
        return "role" in record or "usage" in record or "error" in record
    usage = record.get("usage")
    if isinstance(usage, dict):
        return "input_tokens" in usage and "total_tokens" not in usage
    result = record.get("result")
    return isinstance(result, dict) and "custom_id" in record and "type" in result


def matches_event(record: Record) -> bool:
    """Whether the record is an event of a message's stream."""
    return record.get("type") in _EVENTS


def parse(record: Record) -> tuple[Row, ...]:
    """The call that a message or a batch's result tells of. Raises Rejected."""
    if "result" in record:
        return _batch(record)
    if record.get("type") == "error":
        return (_error(text(record, "request_id")),)
    if not matches(record):
        raise Rejected(msg("not an Anthropic message"))
    return (_message(record),)


def _message(record: Record) -> Row:
    name = text(record, "id")
    row = Row(
        provider=provider_of(name),
        model=text(record, "model"),
        call_id=name,
        dedupe=name,
    )
    fill(row, section(record, "usage"))
    return row


def provider_of(name: str) -> str:
    """Whose service answered, told by the id of the message."""
    return next((to for begin, to in _SERVICES if name.startswith(begin)), "anthropic")


def _error(name: str) -> Row:
    return Row(provider="anthropic", status="error", rank=-3, call_id=name, dedupe=name)


def _batch(record: Record) -> tuple[Row, ...]:
    result = section(record, "result")
    if result.get("type") != "succeeded":
        return (_error(""),)
    row = _message(section(result, "message"))
    row.tier = "batch"
    return (row,)


def fill(row: Row, usage: Record) -> None:
    """Puts the counts of a `usage` object into the row. Raises Rejected."""
    if "input_tokens" not in usage and "output_tokens" not in usage:
        row.known = False
        return
    row.tier = tier(text(usage, "service_tier"))
    if not row.tier and usage.get("speed") == "fast":
        row.tier = "fast"
    row.input = count(usage, "input_tokens")
    row.cache_read = count(usage, "cache_read_input_tokens")
    _fill_writes(row, usage)
    row.reasoning = count(section(usage, "output_tokens_details"), "thinking_tokens")
    row.output = count(usage, "output_tokens") - row.reasoning
    if row.output < 0:
        raise Rejected(msg("more thinking_tokens than output_tokens"))
    row.web_searches = count(section(usage, "server_tool_use"), "web_search_requests")


def _fill_writes(row: Row, usage: Record) -> None:
    written = count(usage, "cache_creation_input_tokens")
    kept = section(usage, "cache_creation")
    row.cache_write_1h = count(kept, "ephemeral_1h_input_tokens")
    row.cache_write_5m = count(kept, "ephemeral_5m_input_tokens")
    told = row.cache_write_1h + row.cache_write_5m
    if usage.get("cache_creation_input_tokens") is None or told == written:
        return
    if told > written:
        raise Rejected(msg("cache_creation exceeds cache_creation_input_tokens"))
    row.cache_write_5m += written - told


class _Stream:
    """Reads events in their order: a message_delta has no id, it belongs to the message begun."""

    def __init__(self) -> None:
        self._begun: Record | None = None

    def __call__(self, record: Record) -> tuple[Row, ...]:
        kind = record.get("type")
        if kind not in _EVENTS:
            return parse(record)
        if kind == "message_start":
            self._begun = section(record, "message")
            return (_message(self._begun),)
        if kind == "message_stop":
            self._begun = None
        if kind != "message_delta":
            return ()
        if self._begun is None:
            # Also where streams are interleaved: the first that ends takes the message begun.
            raise Rejected(msg("a message_delta without its message_start"))
        usage = {**section(self._begun, "usage"), **_told(section(record, "usage"))}
        row = _message({**self._begun, "usage": usage})
        if section(record, "delta").get("stop_reason"):
            self._begun = None
        return (row,)


def _told(usage: Record) -> Record:
    return {key: value for key, value in usage.items() if value is not None}


def events(records: list[object]) -> tuple[Row, ...]:
    """The rows of one stream's events, kept together as a list. Raises Rejected."""
    stream = _Stream()
    return tuple(row for record in records if isinstance(record, dict) for row in stream(record))


def _start() -> Parse:
    return parse


FORMAT = Format(name="anthropic", title=msg("Anthropic messages"), matches=matches, start=_start)
STREAM = Format(
    name="anthropic-stream",
    title=msg("events of Anthropic message streams"),
    matches=matches_event,
    start=_Stream,
    stateful=True,
)
