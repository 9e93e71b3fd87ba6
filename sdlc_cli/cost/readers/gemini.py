"""Gemini's generateContent answers, from the Gemini API and from Vertex AI, streamed or whole.

Cached tokens are part of the prompt; thoughts are outside the candidates, and what tools brought
in is outside the prompt. The details by modality are parts of their totals.
"""

from sdlc_cli.core.i18n import msg
from sdlc_cli.cost.model import Rejected, Row
from sdlc_cli.cost.readers import Format, Parse, Record
from sdlc_cli.cost.readers.counts import count
from sdlc_cli.cost.readers.fields import moment, section, text, tier
from sdlc_cli.cost.readers.overlap import inputs_kept

# How Vertex AI says which quota paid.
_TRAFFIC = {
    "PROVISIONED_THROUGHPUT": "provisioned",
    "ON_DEMAND_PRIORITY": "priority",
    "ON_DEMAND_FLEX": "flex",
}


def matches(record: Record) -> bool:
    """Whether the record is an answer of generateContent."""
    if isinstance(record.get("usageMetadata"), dict):
        return True
    return "candidates" in record and ("modelVersion" in record or "responseId" in record)


def parse(record: Record) -> tuple[Row, ...]:
    """The call that an answer tells of; none for a piece of a stream without usage.

    Each piece repeats the counts so far under the same id. Raises Rejected.
    """
    if not matches(record):
        raise Rejected(msg("not an answer of Gemini"))
    usage = section(record, "usageMetadata")
    name = text(record, "responseId")
    row = Row(
        ts=moment(record.get("createTime"), "createTime"),
        provider="google",
        model=text(record, "modelVersion"),
        tier=_TRAFFIC.get(text(usage, "trafficType")) or tier(text(usage, "serviceTier")),
        call_id=name,
        dedupe=name,
    )
    if not usage:
        row.known = False
        return (row,) if _ends(record) else ()
    fill(row, usage)
    return (row,)


def _ends(record: Record) -> bool:
    candidates = record.get("candidates")
    return isinstance(candidates, list) and any(
        isinstance(candidate, dict) and candidate.get("finishReason") for candidate in candidates
    )


def fill(row: Row, usage: Record) -> None:
    """Puts the counts of `usageMetadata` into the row. Raises Rejected."""
    prompt = count(usage, "promptTokenCount")
    read = count(usage, "cachedContentTokenCount")
    sent = _by_modality(usage, "promptTokensDetails")
    kept = _by_modality(usage, "cacheTokensDetails")
    tools = _by_modality(usage, "toolUsePromptTokensDetails")
    if read > prompt:
        raise Rejected(msg("more cached tokens than promptTokenCount"))
    split = inputs_kept(
        prompt,
        read=read,
        audio=sent.get("AUDIO", 0),
        image=sent.get("IMAGE", 0),
        audio_kept=kept.get("AUDIO", 0),
        image_kept=kept.get("IMAGE", 0),
    )
    tool = count(usage, "toolUsePromptTokenCount")
    tool_audio = min(tools.get("AUDIO", 0), tool)
    row.input = split.input + tool - tool_audio
    row.cache_read = split.cache_read
    row.audio_in = split.audio_in + tool_audio
    row.audio_cached = split.audio_cached
    row.image_in = split.image_in
    _fill_outputs(row, usage)


def _fill_outputs(row: Row, usage: Record) -> None:
    # The Live API calls candidates a response.
    live = "responseTokenCount" in usage
    made = _by_modality(usage, "responseTokensDetails" if live else "candidatesTokensDetails")
    row.audio_out = made.get("AUDIO", 0)
    row.image_out = made.get("IMAGE", 0)
    row.reasoning = count(usage, "thoughtsTokenCount")
    row.output = count(usage, "responseTokenCount" if live else "candidatesTokenCount")
    row.output -= row.audio_out + row.image_out
    if row.output < 0:
        raise Rejected(msg("the details by modality exceed their total"))


def _by_modality(usage: Record, key: str) -> dict[str, int]:
    """Tokens by modality, of a list of {modality, tokenCount}."""
    details = usage.get(key)
    if details is None:
        return {}
    if not isinstance(details, list) or not all(isinstance(entry, dict) for entry in details):
        raise Rejected(msg("{key} is not a list of objects", key=key))
    found: dict[str, int] = {}
    for entry in details:
        modality = text(entry, "modality").upper()
        found[modality] = found.get(modality, 0) + count(entry, "tokenCount")
    return found


def _start() -> Parse:
    return parse


FORMAT = Format(
    name="gemini", title=msg("Gemini generateContent answers"), matches=matches, start=_start
)
