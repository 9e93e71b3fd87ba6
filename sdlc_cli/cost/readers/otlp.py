"""Spans with OpenTelemetry's gen_ai attributes: OTLP JSON lines, and what `sdlc serve` receives."""

from collections.abc import Iterable, Iterator, Sequence

from sdlc_cli.core.i18n import msg
from sdlc_cli.cost.model import Rejected, Row
from sdlc_cli.cost.readers import Format, Parse, Record, openinference
from sdlc_cli.cost.readers.counts import count
from sdlc_cli.cost.readers.fields import dollars, labels, text, tier
from sdlc_cli.cost.readers.overlap import inputs, outputs
from sdlc_cli.cost.readers.spans import (
    Attributes,
    Span,
    flat,
    is_flat,
    is_otlp,
    otlp,
    section_or_none,
)

_USAGE = "gen_ai.usage."

# The name that the registry has today comes first, then those it had before and the dialects of
# instrumentations. The first one that is there counts.
_INPUT = (f"{_USAGE}input_tokens", f"{_USAGE}prompt_tokens", "llm.usage.prompt_tokens")
_OUTPUT = (f"{_USAGE}output_tokens", f"{_USAGE}completion_tokens", "llm.usage.completion_tokens")
_READ = tuple(
    _USAGE + name
    for name in (
        "cache_read.input_tokens",
        "cache_read_input_tokens",
        "cache_read_tokens",
        "input_tokens.cached",
        "cached_tokens",
        "cached_input_tokens",
        "details.cache_read_tokens",
        "details.cache_read_input_tokens",
        "details.cached_tokens",
    )
)
_WRITE = tuple(
    _USAGE + name
    for name in (
        "cache_creation.input_tokens",
        "cache_write.input_tokens",
        "cache_creation_input_tokens",
        "cache_write_input_tokens",
        "cache_creation_tokens",
        "cache_write_tokens",
        "input_tokens.cache_write",
        "details.cache_write_tokens",
        "details.cache_creation_input_tokens",
    )
)
_REASONING = tuple(
    _USAGE + name
    for name in (
        "reasoning.output_tokens",
        "output_tokens.reasoning",
        "reasoning_tokens",
        "reasoning_output_tokens",
        "details.reasoning_tokens",
    )
)
_AUDIO_IN = (f"{_USAGE}audio.input_tokens", f"{_USAGE}details.input_audio_tokens")
_IMAGE_IN = (f"{_USAGE}image.input_tokens",)
_AUDIO_OUT = (f"{_USAGE}audio.output_tokens", f"{_USAGE}details.output_audio_tokens")
_IMAGE_OUT = (f"{_USAGE}image.output_tokens",)

_PROVIDER = ("gen_ai.provider.name", "gen_ai.system")
_TIER = (
    "openai.response.service_tier",
    "gen_ai.openai.response.service_tier",
    "openai.request.service_tier",
    "gen_ai.openai.request.service_tier",
)
_USER = ("user.id", "enduser.id", "user.name")

_AGENTS = frozenset(("invoke_agent", "invoke_workflow"))
# Operations that the registry knows and that call no model themselves. `fetch_response` reads an
# answer again that another span's call was paid for.
_NO_CALLS = frozenset(
    (
        "execute_tool",
        "create_agent",
        "fetch_response",
        "retrieval",
        "plan",
        "search_memory",
        "create_memory",
        "update_memory",
        "delete_memory",
        "upsert_memory",
        "create_memory_store",
        "delete_memory_store",
    )
)
_CALLS = frozenset(["chat", "text_completion", "generate_content", "embeddings"])
_REMEMBERED = 100_000  # spans above calls, kept until their own record comes


def row_of(span: Span) -> Row | None:
    """The model call that a span is, whichever conventions its attributes follow.

    None for anything else, and for the span of an agent: it may repeat the sums of the calls below
    it. `Calls` counts those agents below which no call was seen. Raises Rejected for counts that
    are none.
    """
    if openinference.speaks(span):
        return openinference.row_of(span)
    operation = _operation(span)
    if operation in _AGENTS or operation in _NO_CALLS:
        return None
    counted = _has_usage(span.attributes)
    if not counted and operation not in _CALLS:
        return None
    return _row(span, counted)


class Calls:
    """Turns spans into calls, and leaves out agents that repeat the calls below them.

    Spans end after those below them, so these are seen first or in the same export. One object
    reads one stream of spans.
    """

    def __init__(self) -> None:
        self._above: dict[tuple[str, str], None] = {}  # spans that a counted call is below

    def rows(self, spans: Sequence[Span]) -> Iterator[Row]:
        """The calls among the spans of one export.

        A span that cannot be counted raises Rejected after the rows of all the others.
        """
        refused: Rejected | None = None
        agents: list[Span] = []
        parents: dict[tuple[str, str], str] = {}
        for span in spans:
            parents[span.trace_id, span.span_id] = span.parent_id
            if _operation(span) in _AGENTS and not openinference.speaks(span):
                agents.append(span)
                continue
            try:
                row = row_of(span)
            except Rejected as refusal:
                refused = refused or refusal
                continue
            if row is not None:
                self._remember((span.trace_id, span.parent_id))
                yield row
        self._climb(parents)
        try:
            yield from self._alone(agents)
        except Rejected as refusal:
            refused = refused or refusal
        self._forget(parents)
        if refused is not None:
            raise refused

    def _remember(self, above: tuple[str, str]) -> None:
        if not above[1]:
            return
        self._above[above] = None
        if len(self._above) > _REMEMBERED:
            del self._above[next(iter(self._above))]

    def _climb(self, parents: dict[tuple[str, str], str]) -> None:
        """What is above a span that is above a call is above that call, too."""
        todo = [span for span in parents if span in self._above]
        while todo:
            trace, span = todo.pop()
            above = (trace, parents.get((trace, span), ""))
            if above[1] and above not in self._above:
                self._remember(above)
                if above in parents:
                    todo.append(above)

    def _alone(self, agents: Sequence[Span]) -> Iterator[Row]:
        """Agents that run elsewhere: no call of theirs is in these traces, their sum is.

        Of one inside another the inner one counts.
        """
        told = [span for span in agents if _has_usage(span.attributes)]
        inner = {(span.trace_id, span.parent_id) for span in told}
        for span in told:
            place = (span.trace_id, span.span_id)
            if place not in self._above and place not in inner:
                self._remember((span.trace_id, span.parent_id))
                yield _row(span, counted=True)

    def _forget(self, parents: dict[tuple[str, str], str]) -> None:
        for span in parents:
            self._above.pop(span, None)


def _operation(span: Span) -> str:
    told = span.attributes.get("gen_ai.operation.name")
    return told if isinstance(told, str) else ""


def _has_usage(found: Attributes) -> bool:
    return any(name in found for name in (*_INPUT, *_OUTPUT))


def _first(found: Attributes, names: Iterable[str]) -> int:
    for name in names:
        if found.get(name) is not None:
            return count(found, name)
    return 0


def _text(found: Attributes, names: Iterable[str]) -> str:
    return next((told for name in names if (told := text(found, name))), "")


def _row(span: Span, counted: bool) -> Row:
    found = span.attributes
    given = inputs(
        _first(found, _INPUT),
        read=_first(found, _READ),
        write=_first(found, _WRITE),
        audio=_first(found, _AUDIO_IN),
        image=_first(found, _IMAGE_IN),
    )
    made = outputs(
        _first(found, _OUTPUT),
        reasoning=_first(found, _REASONING),
        audio=_first(found, _AUDIO_OUT),
        image=_first(found, _IMAGE_OUT),
    )
    response = text(found, "gen_ai.response.id")
    failed = span.error or "error.type" in found
    key = f"span:{span.trace_id}:{span.span_id}" if span.span_id else ""
    return Row(
        ts=span.ts,
        provider=_text(found, _PROVIDER),
        model=_text(found, ("gen_ai.response.model", "gen_ai.request.model")),
        tier=tier(_text(found, _TIER)),
        project=text(span.resource, "service.name"),
        user=_text(found, _USER) or _text(span.resource, _USER),
        tags=_tags(span, given.exclusive or made.exclusive),
        call_id=response or span.span_id,
        dedupe=response or key,
        rank=-3 if failed else 0,
        status="error" if failed else "ok",
        # A call that failed before an answer began is not paid for.
        known=counted or (failed and not response),
        input=given.input,
        cache_read=given.cache_read,
        cache_write_5m=given.cache_write_5m,
        audio_in=given.audio_in,
        audio_cached=given.audio_cached,
        image_in=given.image_in,
        output=made.output,
        reasoning=made.reasoning,
        audio_out=made.audio_out,
        image_out=made.image_out,
        max_output=_limit(found),
        logged_pico=dollars(found.get("gen_ai.usage.cost"), "gen_ai.usage.cost"),
    )


def _limit(found: Attributes) -> int | None:
    name = "gen_ai.request.max_tokens"
    return count(found, name) if found.get(name) is not None else None


def _tags(span: Span, exclusive: bool) -> str:
    found = span.attributes
    return labels(
        {
            "env": _text(span.resource, ("deployment.environment.name", "deployment.environment")),
            "agent": text(found, "gen_ai.agent.name"),
            "session": _text(found, ("gen_ai.conversation.id", "session.id")),
            "usage": "exclusive" if exclusive else "",
        }
    )


def _parser() -> Parse:
    calls = Calls()

    def parse(record: Record) -> Iterable[Row]:
        if is_flat(record):
            return calls.rows((flat(record),))
        return calls.rows(tuple(otlp(record)))

    return parse


def _is_ours(record: Record) -> bool:
    # A file may mix signals: where metrics are too, the spans are read, and their sums are not.
    if is_otlp(record) or isinstance(record.get("resourceMetrics"), list):
        return True
    return is_flat(record) and any(
        name.partition(".")[0] == "gen_ai" for name in section_or_none(record, "attributes")
    )


FORMAT = Format(
    name="otlp",
    title=msg("OpenTelemetry spans (OTLP JSON lines)"),
    matches=_is_ours,
    start=_parser,
    stateful=True,
)
