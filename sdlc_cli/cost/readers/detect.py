"""Which log format a file is in, told by its first records; and the table of all formats."""

from collections.abc import Sequence

from sdlc_cli.cost.readers import (
    Format,
    anthropic,
    anthropic_costs,
    anthropic_usage,
    bedrock,
    claude_code,
    codex,
    envelope,
    gemini,
    langfuse,
    litellm_json,
    litellm_spend,
    openai_batch,
    openai_chat,
    openai_costs,
    openai_responses,
    openai_usage,
    openinference,
    otel_metrics,
    otlp,
)

# Gateways' logs, providers' answers, and lines around them, which also take files where answers
# of several providers are mixed.
_ANSWERS: tuple[Format, ...] = (
    litellm_spend.FORMAT,
    litellm_json.FORMAT,
    openai_batch.FORMAT,
    gemini.FORMAT,
    bedrock.FORMAT,
    openai_responses.FORMAT,
    openai_chat.FORMAT,
    anthropic.FORMAT,
    anthropic.STREAM,
    envelope.FORMAT,
)

# Sessions, spans and exports. Files with the user's own columns are read as `mapped.format_of`
# makes it of these columns; nothing but the user can tell them.
_OTHERS: tuple[Format, ...] = (
    claude_code.FORMAT,
    codex.FORMAT,
    otel_metrics.FORMAT,
    otlp.FORMAT,
    openinference.FORMAT,
    langfuse.FORMAT,
    openai_usage.FORMAT,
    anthropic_usage.FORMAT,
    openai_costs.FORMAT,
    anthropic_costs.FORMAT,
)

FORMATS: dict[str, Format] = {form.name: form for form in (*_OTHERS, *_ANSWERS)}


def detect(records: Sequence[object], name: str = "") -> Format | None:
    """The format that most of a file's first records are of; None where none fits any.

    `records` are decoded JSON values or rows of a table; of formats that fit as many, the one that
    asks for more comes first in the table. `name` is the file's.
    """
    best: Format | None = None
    most = 0
    seen = [record for record in records if isinstance(record, dict)]
    for form in FORMATS.values():
        fitting = sum(map(form.matches, seen))
        if fitting > most:
            best, most = form, fitting
        if most == len(seen):
            break  # no other can fit more
    return best
