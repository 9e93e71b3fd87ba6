"""Spans with OpenTelemetry's gen_ai attributes: OTLP JSON lines, and what `sdlc serve` receives."""

import ast
from collections.abc import Iterable, Iterator, Mapping, Sequence

from sdlc_cli.core.i18n import msg
from sdlc_cli.cost.merge import AGENT, OWN
from sdlc_cli.cost.model import Rejected, Row, Told
from sdlc_cli.cost.readers import Format, Parse, Record, openinference
from sdlc_cli.cost.readers import gen_ai as names
from sdlc_cli.cost.readers.counts import count
from sdlc_cli.cost.readers.fields import dollars, identity, labels, text, tier
from sdlc_cli.cost.readers.gen_ai import Shape
from sdlc_cli.cost.readers.handed import Handed
from sdlc_cli.cost.readers.overlap import inputs, outputs
from sdlc_cli.cost.readers.pairs import REMEMBERED, Pairs, parent_key, told_of
from sdlc_cli.cost.readers.spans import (
    REMOTE,
    Attributes,
    Span,
    flat,
    is_flat,
    is_otlp,
    otlp,
    section_or_none,
)

LITELLM = "litellm"  # the scope of its spans
_LIBRARIES = ("com.anthropic.sdk",)  # how the scopes of providers' own libraries begin
_LONGEST_USAGE = 4_000  # letters of a dictionary

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


def row_of(span: Span) -> Row | None:
    """The model call that a span is, whichever conventions its attributes follow.

    None for anything else, and for the span of an agent: it may repeat the sums of the calls below
    it. Raises Rejected for counts that are none.
    """
    shape = names.shape(span.attributes)
    if shape.inference:
        return openinference.row_of(span)
    operation = _operation(span)
    if operation in _AGENTS or operation in _NO_CALLS:
        return None
    if not shape.has_usage and operation not in _CALLS:
        return None
    return _row(span, shape)


def read(spans: Sequence[Span], *, whole: bool) -> tuple[list[Told], list[Rejected]]:
    """The calls among the spans of one export, and why others cannot be counted.

    The sum that an agent tells is among them, at the rank `AGENT`. Unless `spans` are part of a
    `whole` file, only that of an agent elsewhere: calls below one in this process may come later.
    """
    keys = [span.key for span in spans]
    parents = {key: parent_key(span) for key, span in zip(keys, spans, strict=True) if key}
    found: list[Told] = []
    refused: list[Rejected] = []
    for key, span in zip(keys, spans, strict=True):
        try:
            row = call_of(span, whole=whole)
        except Rejected as refusal:
            refused.append(refusal)
            continue
        if row is not None:
            found.append(told_of(row, key, parents))
    return found, refused


def call_of(span: Span, *, whole: bool) -> Row | None:
    """As `row_of`, with the sum of an agent as `read` takes it."""
    row = row_of(span)
    if row is None and is_sum(span) and (whole or span.kind == REMOTE):
        row = _row(span, names.shape(span.attributes))
        row.rank = AGENT
    return row


def is_sum(span: Span) -> bool:
    """Whether it is an agent's span that may repeat the sums of the calls below it."""
    shape = names.shape(span.attributes)
    return shape.has_usage and not shape.inference and _operation(span) in _AGENTS


class Calls:
    """Turns the spans of a file into calls, and leaves out agents that repeat calls below them.

    Spans end after those below them, so these are seen first or in the same export. One object
    reads one stream of spans.
    """

    def __init__(self) -> None:
        self._above: dict[str, None] = {}  # spans that a counted call is below
        self._pairs = Pairs()
        self._handed = Handed()

    def rows(self, spans: Sequence[Span]) -> Iterator[Row]:
        """The calls among the spans of one export.

        A span that cannot be counted raises Rejected after the rows of all the others.
        """
        found, refused = read(spans, whole=True)
        parents = {key: parent_key(span) for span in spans if (key := span.key)}
        calls = [told for told in found if told.row.rank != AGENT]
        self._pairs.settle(calls)
        self._handed.settle(calls)
        for told in calls:
            self._remember(told.above)
        self._climb(parents)
        agents = [told for told in found if told.row.rank == AGENT]
        inner = {told.above[0] for told in agents if told.above}
        alone = [one for one in agents if one.span not in self._above and one.span not in inner]
        for told in alone:
            told.row.rank = 0
            self._remember(told.above)
        for key in parents:
            self._above.pop(key, None)
        yield from (told.row for told in (*calls, *alone))
        if refused:
            raise refused[0]

    def _remember(self, above: Sequence[str]) -> None:
        self._above.update(dict.fromkeys(above))
        while len(self._above) > REMEMBERED:
            del self._above[next(iter(self._above))]

    def _climb(self, parents: Mapping[str, str]) -> None:
        """What is above a span that is above a call is above that call, too."""
        todo = [key for key in parents if key in self._above]
        while todo:
            above = parents.get(todo.pop(), "")
            if above and above not in self._above:
                self._remember((above,))
                todo.append(above)


def _operation(span: Span) -> str:
    told = span.attributes.get(names.OPERATION)
    return told if isinstance(told, str) else ""


def _first(found: Attributes, keys: Iterable[str]) -> int:
    for key in keys:
        if found[key] is not None:
            return count(found, key)
    return 0


def _text(found: Attributes, keys: Iterable[str]) -> str:
    for key in keys:
        if told := text(found, key):
            return told
    return ""


def _row(span: Span, shape: Shape) -> Row:
    found = span.attributes
    counted = shape.has_usage
    if span.scope == LITELLM:
        # Of a stream that was left it tells zeros: nobody knows what it used.
        counted = any(found.get(name) for name in (*shape.input, *shape.output))
        found = _of_litellm(found)
        shape = names.shape(found)
    given = inputs(
        _first(found, shape.input),
        read=_first(found, shape.read),
        write=_first(found, shape.write),
        audio=_first(found, shape.audio_in),
        image=_first(found, shape.image_in),
    )
    made = outputs(
        _first(found, shape.output),
        reasoning=_first(found, shape.reasoning),
        audio=_first(found, shape.audio_out),
        image=_first(found, shape.image_out),
    )
    response = identity(found, names.RESPONSE)
    failed = span.error or names.ERROR in found
    own = OWN if span.scope.startswith(_LIBRARIES) else 0
    return Row(
        ts=span.ts,
        provider=_text(found, shape.provider),
        model=_text(found, shape.model),
        tier=tier(_text(found, shape.tier)) if shape.tier else "",
        project=text(span.resource, names.SERVICE),
        user=_text(found, shape.user) or _text(span.resource, names.USER),
        tags=_tags(span, shape, given.exclusive or made.exclusive),
        call_id=response or span.span_id,
        dedupe=response or span.key,
        rank=-3 if failed else own,
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
        logged_pico=dollars(found[names.COST], names.COST) if names.COST in found else None,
    )


def _of_litellm(found: Attributes) -> Attributes:
    """With the classes of tokens, which it tells in the text of a Python dictionary alone."""
    told = found.get(names.LITELLM_USAGE)
    if not isinstance(told, str) or len(told) > _LONGEST_USAGE:
        return found
    try:
        usage = ast.literal_eval(told)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return found
    if not isinstance(usage, dict):
        return found
    given = section_or_none(usage, "prompt_tokens_details")
    made = section_or_none(usage, "completion_tokens_details")
    more: dict[str, object] = {
        names.READ[0]: given.get("cached_tokens") or usage.get("cache_read_input_tokens"),
        names.WRITE[0]: given.get("cache_creation_tokens")
        or usage.get("cache_creation_input_tokens"),
        names.AUDIO_IN[0]: given.get("audio_tokens"),
        names.REASONING[0]: made.get("reasoning_tokens"),
        names.AUDIO_OUT[0]: made.get("audio_tokens"),
    }
    return {**{name: value for name, value in more.items() if value is not None}, **found}


def _limit(found: Attributes) -> int | None:
    return count(found, names.MAX) if found.get(names.MAX) is not None else None


def _tags(span: Span, shape: Shape, exclusive: bool) -> str:
    found = span.attributes
    return labels(
        {
            "env": _text(span.resource, names.ENVIRONMENT),
            "agent": text(found, names.AGENT_NAME),
            "session": _text(found, shape.session),
            "usage": "exclusive" if exclusive else "",
        }
    )


def _parser() -> Parse:
    calls = Calls()

    def parse(record: Record) -> Iterable[Row]:
        if is_flat(record):
            return calls.rows((flat(record),))
        return exported(record)

    def exported(record: Record) -> Iterator[Row]:
        refused: list[Rejected] = []
        yield from calls.rows(tuple(otlp(record, refused)))
        if refused:
            raise refused[0]

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
