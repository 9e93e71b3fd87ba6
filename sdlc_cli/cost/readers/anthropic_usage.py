"""Exports of Anthropic's usage report: token sums for each bucket of time and group."""

from collections.abc import Iterator, Mapping

from sdlc_cli.core.i18n import msg
from sdlc_cli.cost.model import Rejected, Row
from sdlc_cli.cost.readers import Format, Record
from sdlc_cli.cost.readers.counts import count
from sdlc_cli.cost.readers.fields import labels, moment, section, text, tier

_DIMENSIONS = ("api_key_id", "workspace_id", "model", "service_tier", "context_window", "speed")
_SHORT = "0-200k"


def _is_ours(record: Record) -> bool:
    results = record.get("results")
    return (
        "starting_at" in record
        and isinstance(results, list)
        and all(
            isinstance(result, Mapping) and "amount" not in result  # the cost report has amounts
            for result in results
        )
    )


def parse(record: Record) -> Iterator[Row]:
    """One row for each result of a bucket; one that cannot be counted raises Rejected last."""
    results = record.get("results")
    if not isinstance(results, list):
        raise Rejected(msg("{key} is not a list", key="results"))
    refused: Rejected | None = None
    for result in results:
        try:
            if not isinstance(result, Mapping):
                raise Rejected(msg("{key} holds something else than objects", key="results"))
            row = _row(record, result)
        except Rejected as refusal:
            refused = refused or refusal
            continue
        if row is not None:
            yield row
    if refused is not None:
        raise refused


def _row(bucket: Record, result: Record) -> Row | None:
    if "uncached_input_tokens" not in result and "output_tokens" not in result:
        raise Rejected(msg("no token counts"))
    written = section(result, "cache_creation")
    counts = (
        count(result, "uncached_input_tokens"),
        count(result, "cache_read_input_tokens"),
        count(written, "ephemeral_5m_input_tokens"),
        count(written, "ephemeral_1h_input_tokens"),
        count(result, "output_tokens"),
        count(section(result, "server_tool_use"), "web_search_requests"),
    )
    if not any(counts):
        return None
    start = moment(bucket.get("starting_at"), "starting_at")
    window = text(result, "context_window")
    end = moment(bucket.get("ending_at"), "ending_at")
    dimensions = [text(result, name) for name in _DIMENSIONS]
    return Row(
        ts=start,
        provider="anthropic",
        model=text(result, "model"),
        tier=_tier(result),
        project=text(result, "workspace_id"),
        key=text(result, "api_key_id"),
        tags=labels({"context_window": window}),
        call_id=":".join(filter(None, (text(bucket, "starting_at"), *dimensions))),
        dedupe=":".join(("anthropic-usage", str(start), str(end), *dimensions)),
        # The report does not tell how many calls. As one call, a sum is priced as a long one:
        # right for the sums of long calls only.
        calls=1 if window not in ("", _SHORT) else 0,
        input=counts[0],
        cache_read=counts[1],
        cache_write_5m=counts[2],
        cache_write_1h=counts[3],
        output=counts[4],
        web_searches=counts[5],
    )


def _tier(result: Record) -> str:
    return "fast" if text(result, "speed") == "fast" else tier(text(result, "service_tier"))


FORMAT = Format(
    name="anthropic-usage",
    title=msg("Anthropic usage report export"),
    matches=_is_ours,
    start=lambda: parse,
    sums=True,
)
