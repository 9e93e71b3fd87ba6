"""OpenAI chat completions, and the many services that answer in the same shape.

Also the older text completions, embeddings, and the chunks of a stream, where only the chunk with
usage counts. The counts in `prompt_tokens_details` and `completion_tokens_details` are parts of
the totals, except that some services count reasoning on top, which `total_tokens` tells.
"""

from sdlc_cli.core.i18n import msg
from sdlc_cli.cost.model import Rejected, Row
from sdlc_cli.cost.readers import Format, Parse, Record
from sdlc_cli.cost.readers.counts import count
from sdlc_cli.cost.readers.fields import dollars, moment, section, text, tier
from sdlc_cli.cost.readers.overlap import inputs

_OBJECTS = ("chat.completion", "chat.completion.chunk", "text_completion")
_PICO_PER_TICK = 100  # xAI counts a call's cost in ticks, 10^10 to the dollar


def matches(record: Record) -> bool:
    """Whether the record is an answer of this shape."""
    if record.get("object") in _OBJECTS:
        return True
    usage = record.get("usage")
    return isinstance(usage, dict) and "prompt_tokens" in usage


def parse(record: Record) -> tuple[Row, ...]:
    """The call that an answer tells of; none for a chunk without usage. Raises Rejected."""
    usage = record.get("usage")
    if not usage and record.get("object") == "chat.completion.chunk" and not _ends(record):
        return ()
    if not matches(record):
        raise Rejected(msg("not an OpenAI chat completion"))
    name = text(record, "id")
    row = Row(
        ts=moment(record.get("created") or None, "created"),
        model=text(record, "model"),
        tier=tier(text(record, "service_tier")),
        call_id=name,
        dedupe=name,
    )
    fill(row, section(record, "usage"))
    return (row,)


def _ends(chunk: Record) -> bool:
    """Whether a stream ends here without usage.

    Where usage was asked for, each chunk has the key, and one more chunk follows with the counts.
    """
    choices = chunk.get("choices")
    return "usage" not in chunk and any(
        isinstance(choice, dict) and choice.get("finish_reason")
        for choice in (choices if isinstance(choices, list) else ())
    )


def fill(row: Row, usage: Record, *, may_exclude: bool = False) -> None:
    """Puts the counts of a `usage` object into the row. Raises Rejected.

    With `may_exclude`, a prompt smaller than what was cached is taken to exclude it.
    """
    if "prompt_tokens" not in usage and "completion_tokens" not in usage:
        row.known = False
        return
    prompt = count(usage, "prompt_tokens")
    _fill_inputs(row, usage, prompt, may_exclude)
    _fill_outputs(row, usage, prompt)
    tools = usage.get("server_tool_use")
    if isinstance(tools, dict):
        row.web_searches = count(tools, "web_search_requests")
    cost = _cost(usage)
    row.logged_pico = row.logged_pico if cost is None else cost


def _fill_inputs(row: Row, usage: Record, prompt: int, may_exclude: bool) -> None:
    details = section(usage, "prompt_tokens_details")
    # Beside OpenAI's own name stand those of DeepSeek and LiteLLM.
    read = (
        count(details, "cached_tokens")
        or count(usage, "prompt_cache_hit_tokens")
        or count(usage, "cache_read_input_tokens")
    )
    write = (
        count(details, "cache_write_tokens")
        or count(details, "cache_creation_tokens")
        or count(usage, "cache_creation_input_tokens")
    )
    audio = count(details, "audio_tokens")
    image = count(details, "image_tokens")
    if not (read or write or audio or image):
        row.input = prompt
        return
    kept = section(details, "cache_creation_token_details")
    write_1h = min(count(kept, "ephemeral_1h_input_tokens"), write)
    if read + write > prompt and not may_exclude:
        raise Rejected(msg("more cached tokens than prompt_tokens"))
    split = inputs(
        prompt, read=read, write=write - write_1h, write_1h=write_1h, audio=audio, image=image
    )
    row.input = split.input
    row.cache_read = split.cache_read
    row.cache_write_5m = split.cache_write_5m
    row.cache_write_1h = split.cache_write_1h
    row.audio_in = split.audio_in
    row.audio_cached = split.audio_cached
    row.image_in = split.image_in


def _fill_outputs(row: Row, usage: Record, prompt: int) -> None:
    completion = count(usage, "completion_tokens")
    details = section(usage, "completion_tokens_details")
    row.reasoning = reasoning = count(details, "reasoning_tokens")
    row.audio_out = count(details, "audio_tokens")
    row.image_out = count(details, "image_tokens")
    if reasoning:
        total = count(usage, "total_tokens")
        on_top = total == prompt + completion + reasoning or (not total and reasoning > completion)
        completion += reasoning if on_top else 0
    row.output = completion - reasoning - row.audio_out - row.image_out
    if row.output < 0:
        raise Rejected(msg("completion_tokens_details exceed completion_tokens"))


def _cost(usage: Record) -> int | None:
    """What the service says the call cost: OpenRouter, Perplexity and xAI do."""
    ticks = count(usage, "cost_in_usd_ticks")
    if ticks:
        return ticks * _PICO_PER_TICK
    cost = usage.get("cost")
    if isinstance(cost, dict):
        cost = cost.get("total_cost")
    return None if cost is None else dollars(cost, "cost")


def _start() -> Parse:
    return parse


FORMAT = Format(
    name="openai-chat", title=msg("OpenAI chat completions"), matches=matches, start=_start
)
