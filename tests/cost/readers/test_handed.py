"""A file of spans tells of a call once, whichever of its spans comes first."""

import itertools
from collections.abc import Sequence

import pytest

from sdlc_cli.cost.merge import merged
from sdlc_cli.cost.model import Row
from sdlc_cli.cost.readers.otlp import Calls
from sdlc_cli.cost.readers.spans import Span

USAGE = {"gen_ai.usage.input_tokens": 10, "gen_ai.usage.output_tokens": 5}
CHAT = {"gen_ai.operation.name": "chat", "gen_ai.response.model": "m", "gen_ai.system": "openai"}


def span(place: int, above: int = 0, *, output: int | None = 5, answer: str = "") -> Span:
    """A span of a call; without `output` it tells no usage."""
    usage = {} if output is None else {**USAGE, "gen_ai.usage.output_tokens": output}
    named = {"gen_ai.response.id": answer} if answer else {}
    return Span(
        trace_id="a" * 32,
        span_id=f"{place:016x}",
        parent_id=f"{above:016x}" if above else "",
        ts=10**15 + place,
        attributes={**CHAT, **usage, **named},
    )


def counted(exports: Sequence[Sequence[Span]]) -> list[Row]:
    """The rows that count, as the engine settles them."""
    calls = Calls()
    rows = [row for export in exports for row in calls.rows(export)]
    names = dict.fromkeys(row.dedupe for row in rows)
    return [merged(*(row for row in rows if row.dedupe == name)) for name in names]


CASES = [
    pytest.param([span(1, output=4), span(2, 1, answer="a")], id="the lower one has the id"),
    pytest.param([span(1, output=4, answer="a"), span(2, 1)], id="the upper one has the id"),
    pytest.param([span(1, output=4), span(2, 1)], id="neither has an id"),
    pytest.param([span(1, output=None), span(2, 1, answer="a")], id="the upper one knows nothing"),
    pytest.param([span(1), span(2, 1, output=None, answer="a")], id="the lower one knows nothing"),
]


@pytest.mark.parametrize("spans", CASES)
def test_a_call_counts_once_in_any_order(spans: list[Span]) -> None:
    for order in itertools.permutations(spans):
        for exports in ([[one] for one in order], [order], [[one] for one in order * 2]):
            (row,) = counted(exports)

            assert (row.known, row.input, row.output) == (True, 10, 5), order


def test_and_in_any_order_in_which_the_link_comes_before_both_ends() -> None:
    spans = [span(1, output=3), span(2, 1, output=4), span(3, 2, answer="a")]
    for order in itertools.permutations(spans):
        found = counted([[one] for one in order])

        if order[2] == spans[1]:  # both ends were handed on before anything told of the other
            assert sorted(row.output for row in found) == [3, 5]
        else:
            assert [row.output for row in found] == [5], order


def test_what_the_provider_s_own_library_tells_wins_whenever_it_comes() -> None:
    own = Span(
        trace_id="b" * 32,
        span_id="9" * 16,
        ts=10**15,
        scope="com.anthropic.sdk",
        attributes={**CHAT, **USAGE, "gen_ai.response.id": "a"},
    )
    link = span(2, 1, output=9, answer="a")
    for order in itertools.permutations([span(1, output=3), link, own]):
        if order[2] != link:
            assert [row.output for row in counted([[one] for one in order])] == [5], order
