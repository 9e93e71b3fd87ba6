"""OpenAI's answers: which tokens are in which class, and what is refused."""

from collections.abc import Mapping

import pytest

from sdlc_cli.cost.model import TOKENS, Rejected, Row
from sdlc_cli.cost.readers import openai_batch, openai_responses
from sdlc_cli.cost.readers import openai_chat as chat

Usage = Mapping[str, object]


def classes(row: Row) -> dict[str, int]:
    """The classes that are not empty."""
    return {name: getattr(row, name) for name in TOKENS if getattr(row, name)}


def chat_row(usage: object, **more: object) -> Row:
    (row,) = chat.parse({"object": "chat.completion", "model": "m", "usage": usage, **more})
    return row


@pytest.mark.parametrize(
    ("usage", "expected"),
    [
        pytest.param(
            {"prompt_tokens": 19, "completion_tokens": 10}, {"input": 19, "output": 10}, id="plain"
        ),
        pytest.param({"prompt_tokens": 8, "total_tokens": 8}, {"input": 8}, id="embedding"),
        pytest.param(
            {
                "prompt_tokens": 2006,
                "completion_tokens": 300,
                "prompt_tokens_details": {"cached_tokens": 1920, "cache_write_tokens": 40},
            },
            {"input": 46, "cache_read": 1920, "cache_write_5m": 40, "output": 300},
            id="cached and written are parts of the prompt",
        ),
        pytest.param(
            {
                "prompt_tokens": 100,
                "completion_tokens": 50,
                "prompt_tokens_details": {"audio_tokens": 30, "image_tokens": 20},
                "completion_tokens_details": {"audio_tokens": 15, "reasoning_tokens": 25},
            },
            {
                "input": 50,
                "audio_in": 30,
                "image_in": 20,
                "output": 10,
                "reasoning": 25,
                "audio_out": 15,
            },
            id="audio, images and reasoning are parts",
        ),
        pytest.param(
            {
                "prompt_tokens": 100,
                "completion_tokens": 0,
                "prompt_tokens_details": {"audio_tokens": 90, "cached_tokens": 80},
            },
            {"cache_read": 10, "audio_in": 20, "audio_cached": 70},
            id="audio that can only have come from the cache",
        ),
        pytest.param(
            {
                "prompt_tokens": 10120,
                "completion_tokens": 1499,
                "total_tokens": 14428,
                "completion_tokens_details": {"reasoning_tokens": 2809},
            },
            {"input": 10120, "output": 1499, "reasoning": 2809},
            id="reasoning on top of the completion, as the total tells",
        ),
        pytest.param(
            {
                "prompt_tokens": 10,
                "completion_tokens": 30,
                "total_tokens": 40,
                "completion_tokens_details": {"reasoning_tokens": 20},
            },
            {"input": 10, "output": 10, "reasoning": 20},
            id="reasoning inside the completion, as the total tells",
        ),
        pytest.param(
            {"prompt_tokens": 50, "completion_tokens": 1, "prompt_cache_hit_tokens": 40},
            {"input": 10, "cache_read": 40, "output": 1},
            id="DeepSeek's name for cached tokens",
        ),
        pytest.param(
            {
                "prompt_tokens": 100,
                "completion_tokens": 1,
                "cache_read_input_tokens": 40,
                "cache_creation_input_tokens": 50,
                "prompt_tokens_details": {
                    "cache_creation_token_details": {"ephemeral_1h_input_tokens": 20}
                },
            },
            {
                "input": 10,
                "cache_read": 40,
                "cache_write_5m": 30,
                "cache_write_1h": 20,
                "output": 1,
            },
            id="LiteLLM's names for cached and written tokens",
        ),
    ],
)
def test_chat_counts_each_token_once(usage: Usage, expected: Usage) -> None:
    row = chat_row(usage)

    assert classes(row) == expected
    assert row.known


@pytest.mark.parametrize(
    ("usage", "reason"),
    [
        ({"prompt_tokens": True}, "prompt_tokens is not a number"),
        ({"prompt_tokens": "12"}, "prompt_tokens is not a number"),
        ({"prompt_tokens": 10**40}, "prompt_tokens is too large"),
        ({"prompt_tokens": -5}, "prompt_tokens is negative"),
        (
            {"prompt_tokens": 5, "prompt_tokens_details": {"cached_tokens": 6}},
            "more cached tokens than prompt_tokens",
        ),
        (
            {
                "prompt_tokens": 5,
                "prompt_tokens_details": {"cached_tokens": 3, "cache_write_tokens": 3},
            },
            "more cached tokens than prompt_tokens",
        ),
        (
            {"prompt_tokens": 5, "prompt_tokens_details": {"audio_tokens": 6}},
            "more audio and image tokens",
        ),
        (
            {"completion_tokens": 5, "completion_tokens_details": {"audio_tokens": 6}},
            "completion_tokens_details exceed completion_tokens",
        ),
        (
            {
                "prompt_tokens": 1,
                "completion_tokens": 5,
                "total_tokens": 6,
                "completion_tokens_details": {"reasoning_tokens": 6},
            },
            "completion_tokens_details exceed completion_tokens",
        ),
        ({"prompt_tokens": 5, "prompt_tokens_details": [1]}, "prompt_tokens_details is not"),
        ([5], "usage is not an object"),
    ],
)
def test_chat_refuses_counts_that_cannot_be(usage: object, reason: str) -> None:
    with pytest.raises(Rejected, match=reason):
        chat_row(usage)


@pytest.mark.parametrize("usage", [None, {}, {"total_tokens": 5}])
def test_missing_usage_is_unknown_and_not_zero(usage: object) -> None:
    row = chat_row(usage)

    assert not row.known
    assert classes(row) == {}


@pytest.mark.parametrize(
    ("told", "tier"),
    [
        *((None, ""), ("", ""), ("auto", ""), ("default", ""), ("standard", "")),
        *(("flex", "flex"), ("priority", "priority"), ("scale", "scale"), ("batch", "batch")),
    ],
)
def test_the_tier_is_kept_unless_it_is_the_standard_one(told: str | None, tier: str) -> None:
    assert chat_row({"prompt_tokens": 1}, service_tier=told).tier == tier


def test_chat_takes_time_and_id_from_the_answer() -> None:
    row = chat_row({"prompt_tokens": 1}, id="chatcmpl-1", created=1741569952)

    assert (row.ts, row.call_id, row.dedupe) == (1741569952_000_000, "chatcmpl-1", "chatcmpl-1")


@pytest.mark.parametrize("name", [None, ""])
def test_an_empty_id_makes_no_two_calls_one(name: str | None) -> None:
    assert chat_row({"prompt_tokens": 1}, id=name).dedupe == ""


@pytest.mark.parametrize(
    ("usage", "pico"),
    [
        ({"prompt_tokens": 1, "cost": 0.000012345}, 12_345_000),
        ({"prompt_tokens": 1, "cost": {"total_cost": 0.25}}, 250_000_000_000),
        ({"prompt_tokens": 1, "cost_in_usd_ticks": 232_856_000}, 23_285_600_000),
        ({"prompt_tokens": 1}, None),
    ],
)
def test_a_cost_in_the_answer_is_kept_for_comparison(usage: Usage, pico: int | None) -> None:
    assert chat_row(usage).logged_pico == pico


def chunk(usage: object = ..., finish: str | None = None) -> dict[str, object]:
    piece: dict[str, object] = {
        "object": "chat.completion.chunk",
        "id": "chatcmpl-s",
        "choices": [{"index": 0, "delta": {}, "finish_reason": finish}],
    }
    return piece if usage is ... else {**piece, "usage": usage}


def test_of_a_stream_only_the_chunk_with_usage_counts() -> None:
    pieces = [chunk(None), chunk(None), chunk(None, "stop"), chunk({"prompt_tokens": 7})]

    rows = [row for piece in pieces for row in chat.parse(piece)]

    assert [(row.input, row.dedupe) for row in rows] == [(7, "chatcmpl-s")]


def test_a_stream_that_was_not_asked_for_usage_is_an_unknown_call() -> None:
    rows = [row for piece in (chunk(), chunk(), chunk(finish="stop")) for row in chat.parse(piece)]

    assert [(row.known, row.dedupe) for row in rows] == [(False, "chatcmpl-s")]


def responses_row(usage: object, **more: object) -> Row:
    (row,) = openai_responses.parse({"object": "response", "usage": usage, **more})
    return row


@pytest.mark.parametrize(
    ("usage", "expected"),
    [
        pytest.param(
            {
                "input_tokens": 75,
                "input_tokens_details": {"cached_tokens": 50, "cache_write_tokens": 5},
                "output_tokens": 1186,
                "output_tokens_details": {"reasoning_tokens": 1024},
            },
            {
                "input": 20,
                "cache_read": 50,
                "cache_write_5m": 5,
                "output": 162,
                "reasoning": 1024,
            },
            id="details are parts",
        ),
        pytest.param(
            {
                "total_tokens": 300,
                "input_tokens": 200,
                "output_tokens": 100,
                "input_token_details": {
                    "text_tokens": 80,
                    "audio_tokens": 120,
                    "cached_tokens": 64,
                    "cached_tokens_details": {"text_tokens": 24, "audio_tokens": 40},
                },
                "output_token_details": {"text_tokens": 30, "audio_tokens": 70},
            },
            {
                "input": 56,
                "cache_read": 24,
                "audio_in": 80,
                "audio_cached": 40,
                "output": 30,
                "audio_out": 70,
            },
            id="realtime, with the audio that was cached",
        ),
        pytest.param(
            {
                "total_tokens": 100,
                "input_tokens": 50,
                "output_tokens": 50,
                "input_tokens_details": {"text_tokens": 10, "image_tokens": 40},
                "output_tokens_details": {"text_tokens": 0, "image_tokens": 50},
            },
            {"input": 10, "image_in": 40, "image_out": 50},
            id="images",
        ),
    ],
)
def test_responses_count_each_token_once(usage: Usage, expected: Usage) -> None:
    assert classes(responses_row(usage)) == expected


@pytest.mark.parametrize(
    ("usage", "reason"),
    [
        (
            {"input_tokens": 5, "input_tokens_details": {"cached_tokens": 6}},
            "more cached tokens than input_tokens",
        ),
        (
            {"output_tokens": 5, "output_tokens_details": {"reasoning_tokens": 6}},
            "output_tokens_details exceed output_tokens",
        ),
        ({"input_tokens": 1.5}, "input_tokens is not a whole number"),
    ],
)
def test_responses_refuse_counts_that_cannot_be(usage: Usage, reason: str) -> None:
    with pytest.raises(Rejected, match=reason):
        responses_row(usage)


def test_only_the_event_that_ends_a_response_counts() -> None:
    body = {"object": "response", "id": "resp_1", "usage": {"input_tokens": 3}}
    events: list[dict[str, object]] = [
        {"type": "response.created", "response": {**body, "status": "queued", "usage": None}},
        {"type": "response.output_text.delta", "delta": "…"},
        {"type": "response.completed", "response": {**body, "status": "completed"}},
    ]

    rows = [row for event in events for row in openai_responses.parse(event)]

    assert [(row.input, row.dedupe) for row in rows] == [(3, "resp_1")]


def test_a_response_under_way_is_no_call_and_a_failed_one_costs_nothing() -> None:
    body = {"object": "response", "id": "resp_1", "usage": None}

    assert openai_responses.parse({**body, "status": "in_progress"}) == ()
    (row,) = openai_responses.parse({**body, "status": "failed", "error": {"code": "x"}})
    assert (row.status, row.rank, row.known) == ("error", -3, True)


def test_web_searches_are_counted_and_opened_pages_are_not() -> None:
    output = [
        {"type": "web_search_call", "action": {"type": "search"}},
        {"type": "web_search_call", "action": {"type": "open_page"}},
        {"type": "web_search_call"},
        {"type": "message"},
    ]

    assert responses_row({"input_tokens": 1}, output=output).web_searches == 2


def test_a_response_tells_its_own_limit_and_tags() -> None:
    row = responses_row({"input_tokens": 1}, max_output_tokens=99, metadata={"env": "prod"})

    assert (row.max_output, row.tags) == (99, '{"env":"prod"}')


def test_a_batch_line_is_at_batch_rates() -> None:
    body = {"object": "chat.completion", "id": "chatcmpl-1", "usage": {"prompt_tokens": 3}}
    (row,) = openai_batch.parse(
        {
            "id": "batch_req_1",
            "custom_id": "a",
            "error": None,
            "response": {
                "status_code": 200,
                "request_id": "req_1",
                "body": {**body, "service_tier": "default"},
            },
        }
    )

    assert (row.tier, row.input, row.dedupe, row.status) == ("batch", 3, "chatcmpl-1", "ok")


@pytest.mark.parametrize(
    ("response", "error"),
    [
        (None, {"code": "batch_expired"}),
        ({"status_code": 400, "request_id": "", "body": {"error": {"code": "x"}}}, None),
        ({"status_code": 500, "body": {}}, None),
    ],
)
def test_a_batch_line_that_failed_has_no_usage(response: object, error: object) -> None:
    line = {"id": "batch_req_1", "response": response, "error": error}
    rows = [openai_batch.parse({**line, "custom_id": name})[0] for name in "ab"]

    assert {(row.status, row.rank, row.known) for row in rows} == {("error", -3, True)}
    assert classes(rows[0]) == {}
    assert rows[0].dedupe != rows[1].dedupe
