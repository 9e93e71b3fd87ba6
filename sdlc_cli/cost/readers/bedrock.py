"""Amazon Bedrock's Converse answers, and the metadata event that ends a ConverseStream.

`inputTokens` excludes the cache. The answer does not name its model: the line around it must.
"""

from sdlc_cli.core.i18n import msg
from sdlc_cli.cost.model import Rejected, Row
from sdlc_cli.cost.readers import Format, Parse, Record
from sdlc_cli.cost.readers.counts import count
from sdlc_cli.cost.readers.fields import moment, section, text, tier


def matches(record: Record) -> bool:
    """Whether the record is an answer of Converse or the last event of its stream."""
    if isinstance(record.get("metadata"), dict) and "usage" not in record:
        record = section(record, "metadata")
    usage = record.get("usage")
    return isinstance(usage, dict) and "inputTokens" in usage


def parse(record: Record) -> tuple[Row, ...]:
    """The call that an answer tells of. Raises Rejected."""
    if not matches(record):
        raise Rejected(msg("not an answer of Bedrock Converse"))
    about = section(record, "ResponseMetadata")
    body = record if "usage" in record else section(record, "metadata")
    name = text(about, "RequestId") or text(record, "requestId")
    row = Row(
        ts=_time(section(about, "HTTPHeaders")),
        provider="bedrock",
        model=text(record, "modelId") or text(record, "model"),
        tier=_tier(body),
        call_id=name,
        dedupe=name,
    )
    fill(row, section(body, "usage"))
    return (row,)


def _time(headers: Record) -> int | None:
    """The time in the headers that the AWS SDK for Python keeps."""
    from email.utils import parsedate_to_datetime  # takes longer than most other modules

    told = headers.get("date")
    if not isinstance(told, str):
        return None
    try:
        return moment(parsedate_to_datetime(told).isoformat(), "date")
    except ValueError:
        return None


def _tier(body: Record) -> str:
    told = body.get("serviceTier")
    return tier(text(told, "type") if isinstance(told, dict) else text(body, "serviceTier"))


def fill(row: Row, usage: Record) -> None:
    """Puts the counts of a `usage` object into the row. Raises Rejected."""
    row.input = count(usage, "inputTokens")
    row.output = count(usage, "outputTokens")
    row.cache_read = count(usage, "cacheReadInputTokens")
    written = count(usage, "cacheWriteInputTokens")
    kept = usage.get("cacheDetails") or []
    if not isinstance(kept, list) or not all(isinstance(entry, dict) for entry in kept):
        raise Rejected(msg("{key} is not a list of objects", key="cacheDetails"))
    row.cache_write_1h = sum(
        count(entry, "inputTokens") for entry in kept if entry.get("ttl") == "1h"
    )
    row.cache_write_5m = written - row.cache_write_1h
    if row.cache_write_5m < 0:
        raise Rejected(msg("cacheDetails exceed cacheWriteInputTokens"))


def _start() -> Parse:
    return parse


FORMAT = Format(
    name="bedrock-converse", title=msg("Bedrock Converse answers"), matches=matches, start=_start
)
