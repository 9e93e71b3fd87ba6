"""Spans with OpenInference's attributes, inside OTLP and one a line."""

import json

import pytest

from sdlc_cli.cost.model import Rejected, Row
from sdlc_cli.cost.readers import Record, openinference, otlp
from sdlc_cli.cost.readers.detect import detect
from sdlc_cli.cost.readers.spans import Span

LLM = {
    "openinference.span.kind": "LLM",
    "llm.model_name": "claude-sonnet-4-5",
    "llm.provider": "anthropic",
    "llm.token_count.prompt": 1_000,
    "llm.token_count.completion": 100,
    "llm.token_count.prompt_details.cache_read": 600,
    "llm.token_count.prompt_details.cache_write": 150,
    "llm.token_count.completion_details.reasoning": 40,
    "llm.cost.total": 0.25,
    "user.id": "ann",
    "session.id": "s1",
}


def line(attributes: Record, **fields: object) -> Record:
    context = {"trace_id": "5b8efff798038103d269b633813fc60c", "span_id": "eee19b7ec3c1b174"}
    started = "2026-05-01T10:00:00+00:00"
    return {"name": "ChatCompletion", "context": context, "start_time": started, **fields} | {
        "attributes": attributes
    }


def rows(record: Record) -> list[Row]:
    return list(openinference.FORMAT.start()(record))


def test_details_are_parts_of_the_prompt_and_the_completion() -> None:
    (row,) = rows(line(LLM))

    assert (row.input, row.cache_read, row.cache_write_5m) == (250, 600, 150)
    assert (row.output, row.reasoning, row.logged_pico) == (60, 40, 250_000_000_000)
    assert (row.provider, row.model, row.user) == ("anthropic", "claude-sonnet-4-5", "ann")
    assert row.dedupe == "span:5b8efff798038103d269b633813fc60c:eee19b7ec3c1b174"


def test_nested_attributes_are_the_same_as_dotted_ones() -> None:
    nested = {
        "openinference": {"span": {"kind": "LLM"}},
        "llm": {"model_name": "gpt-4o", "token_count": {"prompt": 10, "completion": 5}},
    }

    (row,) = rows(line(nested))

    assert (row.model, row.input, row.output) == ("gpt-4o", 10, 5)
    assert detect([line(nested)]) is openinference.FORMAT


@pytest.mark.parametrize("kind", ["CHAIN", "AGENT", "TOOL", "RETRIEVER"])
def test_what_stands_above_calls_only_repeats_their_counts(kind: str) -> None:
    assert rows(line({**LLM, "openinference.span.kind": kind})) == []


def test_an_embedding_is_a_call() -> None:
    told = {"openinference.span.kind": "EMBEDDING", "embedding.model_name": "text-embedding-3"}

    (row,) = rows(line({**told, "llm.token_count.prompt": 12}))

    assert (row.model, row.input, row.known) == ("text-embedding-3", 12, True)


def test_a_call_without_counts_is_unknown_and_a_failed_one_is_not() -> None:
    bare = {"openinference.span.kind": "LLM", "llm.model_name": "gpt-4o"}

    (unknown,) = rows(line(bare))
    (failed,) = rows(line(bare, status_code="ERROR"))

    assert (unknown.known, failed.known, failed.status) == (False, True, "error")


def test_a_prompt_below_its_cached_parts_is_taken_without_them_and_flagged() -> None:
    (row,) = rows(line({**LLM, "llm.token_count.prompt": 5}))

    assert (row.input, row.cache_read) == (5, 600)
    assert json.loads(row.tags) == {"session": "s1", "usage": "exclusive"}


def test_inside_otlp_the_same_attributes_give_the_same_call() -> None:
    found = otlp.row_of(Span(attributes=LLM, span_id="1" * 16))

    assert found is not None
    assert (found.input, found.cache_read) == (250, 600)


@pytest.mark.parametrize("told", [True, "12", -1, 1.5, 10**40, [1]])
def test_counts_of_wrong_types_are_refused_by_their_name(told: object) -> None:
    with pytest.raises(Rejected, match=r"llm\.token_count\.prompt"):
        rows(line({**LLM, "llm.token_count.prompt": told}))
