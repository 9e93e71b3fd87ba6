"""Spans with OpenInference's attributes (Phoenix, Arize and the instrumentations they share)."""

from collections.abc import Iterable

from sdlc_cli.core.i18n import msg
from sdlc_cli.cost.model import Row
from sdlc_cli.cost.readers import Format, Record
from sdlc_cli.cost.readers.counts import count
from sdlc_cli.cost.readers.fields import dollars, labels, text
from sdlc_cli.cost.readers.overlap import inputs, outputs
from sdlc_cli.cost.readers.spans import Attributes, Span, flat, is_flat, section_or_none

_KIND = "openinference.span.kind"
_PROMPT = "llm.token_count.prompt"
_COMPLETION = "llm.token_count.completion"
_DETAILS = (
    "llm.token_count.prompt_details.cache_read",
    "llm.token_count.prompt_details.cache_write",
    "llm.token_count.prompt_details.audio",
    "llm.token_count.completion_details.reasoning",
    "llm.token_count.completion_details.audio",
)
_PROVIDER = ("llm.provider", "llm.system")
_MODEL = ("llm.model_name", "embedding.model_name")
_USER = "user.id"
_SESSION = "session.id"
_COST = "llm.cost.total"
_PROJECTS = ("openinference.project.name", "service.name")
ATTRIBUTES = frozenset(
    (_KIND, _PROMPT, _COMPLETION, *_DETAILS, *_PROVIDER, *_MODEL, _USER, _SESSION, _COST)
)
RESOURCE = frozenset(_PROJECTS)
SPOKEN = (_KIND, _PROMPT, _COMPLETION)  # whoever tells one of these speaks OpenInference

# Chains, agents and tools hand on the counts of the calls below them.
_CALLS = frozenset(("LLM", "EMBEDDING"))


def speaks(found: Attributes) -> bool:
    """Whether the attributes are OpenInference's."""
    return any(name in found for name in SPOKEN)


def row_of(span: Span) -> Row | None:
    """The call that a span is; None for a span that is none or stands for several."""
    found = span.attributes
    kind = text(found, _KIND).upper()
    counted = _PROMPT in found or _COMPLETION in found
    if kind not in _CALLS and (kind or not counted):
        return None
    read, written, audio, reasoning, audio_out = (count(found, name) for name in _DETAILS)
    given = inputs(count(found, _PROMPT), read=read, write=written, audio=audio)
    made = outputs(count(found, _COMPLETION), reasoning=reasoning, audio=audio_out)
    overlap = "exclusive" if given.exclusive or made.exclusive else ""
    return Row(
        ts=span.ts,
        provider=_first(found, _PROVIDER),
        model=_first(found, _MODEL),
        project=_first(span.resource, _PROJECTS),
        user=text(found, _USER),
        tags=labels({"session": text(found, _SESSION), "usage": overlap}),
        call_id=span.span_id,
        dedupe=span.key,
        rank=-3 if span.error else 0,
        status="error" if span.error else "ok",
        known=counted or span.error,  # a call that failed without a count was not answered
        input=given.input,
        cache_read=given.cache_read,
        cache_write_5m=given.cache_write_5m,
        audio_in=given.audio_in,
        audio_cached=given.audio_cached,
        output=made.output,
        reasoning=made.reasoning,
        audio_out=made.audio_out,
        logged_pico=dollars(found.get(_COST), _COST),
    )


def _first(found: Attributes, names: Iterable[str]) -> str:
    return next((told for name in names if (told := text(found, name))), "")


def parse(record: Record) -> Iterable[Row]:
    """The call of one exported span."""
    row = row_of(flat(record))
    return () if row is None else (row,)


def _is_ours(record: Record) -> bool:
    if not is_flat(record):
        return False
    return any(
        name.partition(".")[0] in ("llm", "openinference")
        for name in section_or_none(record, "attributes")
    )


FORMAT = Format(
    name="openinference",
    title=msg("Spans with OpenInference attributes, one a line"),
    matches=_is_ours,
    start=lambda: parse,
)
