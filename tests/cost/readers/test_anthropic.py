"""Anthropic's messages, batches and streams: tokens by class, and what is refused."""

from collections.abc import Mapping

import pytest

from sdlc_cli.cost.model import TOKENS, Rejected, Row
from sdlc_cli.cost.readers import anthropic

Usage = Mapping[str, object]


def classes(row: Row) -> dict[str, int]:
    """The classes that are not empty."""
    return {name: getattr(row, name) for name in TOKENS if getattr(row, name)}


def message(usage: object, **more: object) -> dict[str, object]:
    return {"type": "message", "role": "assistant", "id": "msg_1", "usage": usage, **more}


@pytest.mark.parametrize(
    ("usage", "expected"),
    [
        pytest.param(
            {
                "input_tokens": 2048,
                "cache_read_input_tokens": 1800,
                "cache_creation_input_tokens": 248,
                "output_tokens": 503,
                "cache_creation": {
                    "ephemeral_5m_input_tokens": 148,
                    "ephemeral_1h_input_tokens": 100,
                },
            },
            {
                "input": 2048,
                "cache_read": 1800,
                "cache_write_5m": 148,
                "cache_write_1h": 100,
                "output": 503,
            },
            id="input excludes the cache",
        ),
        pytest.param(
            {"input_tokens": 1, "cache_creation_input_tokens": 9, "cache_creation": None},
            {"input": 1, "cache_write_5m": 9},
            id="without a lifetime it is five minutes",
        ),
        pytest.param(
            {
                "input_tokens": 1,
                "cache_creation_input_tokens": 9,
                "cache_creation": {"ephemeral_1h_input_tokens": 4},
            },
            {"input": 1, "cache_write_5m": 5, "cache_write_1h": 4},
            id="so is the rest",
        ),
        pytest.param(
            {
                "input_tokens": 1,
                "output_tokens": 50,
                "output_tokens_details": {"thinking_tokens": 30},
            },
            {"input": 1, "output": 20, "reasoning": 30},
            id="thinking is part of the output",
        ),
    ],
)
def test_anthropic_counts_each_token_once(usage: Usage, expected: Usage) -> None:
    (row,) = anthropic.parse(message(usage))

    assert classes(row) == expected
    assert row.provider == "anthropic"


@pytest.mark.parametrize(
    ("usage", "reason"),
    [
        (
            {
                "input_tokens": 1,
                "cache_creation_input_tokens": 3,
                "cache_creation": {"ephemeral_1h_input_tokens": 4},
            },
            "cache_creation exceeds",
        ),
        (
            {"output_tokens": 1, "output_tokens_details": {"thinking_tokens": 2}},
            "more thinking_tokens than output_tokens",
        ),
    ],
)
def test_anthropic_refuses_counts_that_cannot_be(usage: Usage, reason: str) -> None:
    with pytest.raises(Rejected, match=reason):
        anthropic.parse(message(usage))


@pytest.mark.parametrize(
    ("name", "provider"),
    [("msg_01", "anthropic"), ("msg_bdrk_01", "bedrock"), ("msg_vrtx_01", "vertex_ai")],
)
def test_the_id_of_a_message_tells_whose_service_answered(name: str, provider: str) -> None:
    (row,) = anthropic.parse(message({"input_tokens": 1}, id=name))

    assert row.provider == provider


def test_anthropic_tells_tier_speed_and_web_searches() -> None:
    usage = {"input_tokens": 1, "server_tool_use": {"web_search_requests": 3}}
    (plain,) = anthropic.parse(message({**usage, "service_tier": "standard"}))
    (prior,) = anthropic.parse(message({**usage, "service_tier": "priority"}))
    (fast,) = anthropic.parse(message({**usage, "speed": "fast"}))

    assert (plain.tier, prior.tier, fast.tier) == ("", "priority", "fast")
    assert plain.web_searches == 3


def test_results_of_a_message_batch_are_at_batch_rates() -> None:
    done = {"type": "succeeded", "message": message({"input_tokens": 4})}
    (row,) = anthropic.parse({"custom_id": "a", "result": done})
    (gone,) = anthropic.parse({"custom_id": "b", "result": {"type": "expired"}})

    assert (row.tier, row.input, row.dedupe) == ("batch", 4, "msg_1")
    assert (gone.status, gone.known) == ("error", True)


def stream(*events: dict[str, object]) -> list[Row]:
    parse = anthropic.STREAM.start()
    return [row for event in events for row in parse(event)]


START: dict[str, object] = {
    "type": "message_start",
    "message": message(
        {"input_tokens": 25, "cache_read_input_tokens": 100, "output_tokens": 1}, model="claude"
    ),
}


def delta(output: int, stop: str | None = None, **usage: object) -> dict[str, object]:
    told = {"output_tokens": output, **usage}
    return {"type": "message_delta", "delta": {"stop_reason": stop}, "usage": told}


def test_the_last_event_of_a_stream_has_most_tokens_and_the_same_id() -> None:
    rows = stream(
        {"type": "ping"}, START, delta(7), delta(15, "end_turn"), {"type": "message_stop"}
    )

    assert [row.output for row in rows] == [1, 7, 15]
    assert {(row.dedupe, row.model, row.input, row.cache_read) for row in rows} == {
        ("msg_1", "claude", 25, 100)
    }


def test_an_event_replaces_only_what_it_tells() -> None:
    *_, row = stream(START, delta(15, input_tokens=40, cache_read_input_tokens=None))

    assert (row.input, row.cache_read, row.output) == (40, 100, 15)


def test_an_event_without_a_beginning_is_refused() -> None:
    with pytest.raises(Rejected, match="without its message_start"):
        stream(delta(3))
    with pytest.raises(Rejected, match="without its message_start"):
        stream(START, START, delta(3, "end_turn"), delta(4, "end_turn"))
