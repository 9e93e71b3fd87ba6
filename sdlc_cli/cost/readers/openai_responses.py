"""OpenAI Responses, their stream's events, and the image, speech and realtime answers like them.

`input_tokens_details` and `output_tokens_details` are parts of the totals. Of a stream's events
only those that end a response tell its usage.
"""

from sdlc_cli.core.i18n import msg
from sdlc_cli.cost.model import Rejected, Row
from sdlc_cli.cost.readers import Format, Parse, Record
from sdlc_cli.cost.readers.counts import count, optional
from sdlc_cli.cost.readers.fields import labels, moment, section, text, tier
from sdlc_cli.cost.readers.overlap import inputs_kept

_OBJECTS = ("response", "realtime.response")
_ENDS = frozenset(
    f"response.{end}" for end in ("completed", "incomplete", "failed", "cancelled", "done")
)
_UNDER_WAY = ("in_progress", "queued")


def matches(record: Record) -> bool:
    """Whether the record is a response, an event of its stream, or an answer counted like one."""
    if record.get("object") in _OBJECTS:
        return True
    kind = record.get("type")
    if isinstance(kind, str) and kind.startswith("response."):
        return True
    usage = record.get("usage")
    # Only OpenAI counts input_tokens and adds them up in total_tokens.
    return isinstance(usage, dict) and "input_tokens" in usage and "total_tokens" in usage


def parse(record: Record) -> tuple[Row, ...]:
    """The call that a response tells of; none while it is under way. Raises Rejected."""
    kind = record.get("type")
    if isinstance(kind, str) and kind.startswith("response."):
        if kind not in _ENDS:
            return ()
        record = section(record, "response")
    if not matches(record):
        raise Rejected(msg("not an OpenAI response"))
    if record.get("status") in _UNDER_WAY:
        return ()
    name = text(record, "id")
    row = Row(
        ts=moment(record.get("created_at") or record.get("created") or None, "created_at"),
        model=text(record, "model"),
        tier=tier(text(record, "service_tier")),
        call_id=name,
        dedupe=name,
        max_output=_limit(record),
    )
    metadata = record.get("metadata")
    if isinstance(metadata, dict):
        row.tags = labels({k: v for k, v in metadata.items() if isinstance(v, str)})
    usage = section(record, "usage")
    fill(row, usage)
    row.web_searches = _searches(record.get("output"))
    if not row.known and record.get("error"):
        row.status, row.rank, row.known = "error", -3, True
    return (row,)


def _limit(record: Record) -> int | None:
    limit = record.get("max_output_tokens")
    return None if limit == "inf" else optional(record, "max_output_tokens")


def fill(row: Row, usage: Record) -> None:
    """Puts the counts of a `usage` object into the row. Raises Rejected."""
    if "input_tokens" not in usage and "output_tokens" not in usage:
        row.known = False
        return
    total = count(usage, "input_tokens")
    # Speech and realtime answers leave out the s.
    details = section(usage, "input_tokens_details") or section(usage, "input_token_details")
    read = count(details, "cached_tokens")
    write = count(details, "cache_write_tokens")
    audio = count(details, "audio_tokens")
    image = count(details, "image_tokens")
    if read + write > total:
        raise Rejected(msg("more cached tokens than input_tokens"))
    cached = section(details, "cached_tokens_details")
    split = inputs_kept(
        total,
        read=read,
        write=write,
        audio=audio,
        image=image,
        audio_kept=count(cached, "audio_tokens"),
        image_kept=count(cached, "image_tokens"),
    )
    row.input = split.input
    row.cache_read = split.cache_read
    row.cache_write_5m = split.cache_write_5m
    row.audio_in = split.audio_in
    row.audio_cached = split.audio_cached
    row.image_in = split.image_in
    _fill_outputs(row, usage)


def _fill_outputs(row: Row, usage: Record) -> None:
    details = section(usage, "output_tokens_details") or section(usage, "output_token_details")
    row.reasoning = count(details, "reasoning_tokens")
    row.audio_out = count(details, "audio_tokens")
    row.image_out = count(details, "image_tokens")
    parts = row.reasoning + row.audio_out + row.image_out
    row.output = count(usage, "output_tokens") - parts
    if row.output < 0:
        raise Rejected(msg("output_tokens_details exceed output_tokens"))


def _searches(output: object) -> int:
    """Web searches among the items of a response; opening a page that was found is none."""
    if not isinstance(output, list):
        return 0
    calls = [item for item in output if isinstance(item, dict)]
    return sum(
        item.get("type") == "web_search_call" and _action(item) in ("", "search") for item in calls
    )


def _action(item: Record) -> object:
    action = item.get("action")
    return action.get("type", "") if isinstance(action, dict) else ""


def _start() -> Parse:
    return parse


FORMAT = Format(
    name="openai-responses", title=msg("OpenAI Responses"), matches=matches, start=_start
)
