"""Claude Code's session files: which events are calls, and which of them are one call."""

import pytest

from sdlc_cli.cost.model import Rejected, Row
from sdlc_cli.cost.readers import Record
from sdlc_cli.cost.readers.claude_code import FORMAT
from sdlc_cli.cost.readers.detect import detect

USAGE: Record = {
    "input_tokens": 4,
    "cache_creation_input_tokens": 100,
    "cache_read_input_tokens": 2_000,
    "cache_creation": {"ephemeral_5m_input_tokens": 60, "ephemeral_1h_input_tokens": 40},
    "output_tokens": 30,
    "output_tokens_details": {"thinking_tokens": 12},
    "server_tool_use": {"web_search_requests": 2},
    "service_tier": "standard",
}


def event(message: Record | None = None, **fields: object) -> Record:
    answer = {"id": "msg_1", "model": "claude-sonnet-4-5", "usage": USAGE, **(message or {})}
    return {
        "type": "assistant",
        "sessionId": "s1",
        "cwd": "/home/dev/shop",
        "timestamp": "2026-05-01T10:00:00.500Z",
        "requestId": "req_1",
        "isSidechain": False,
        "message": answer,
        **fields,
    }


def rows(*records: Record) -> list[Row]:
    parse = FORMAT.start()
    return [row for record in records for row in parse(record)]


def test_an_answer_gives_disjoint_classes_and_where_it_was_asked() -> None:
    (row,) = rows(event())

    assert (row.input, row.cache_read) == (4, 2_000)
    assert (row.cache_write_5m, row.cache_write_1h) == (60, 40)
    assert (row.output, row.reasoning, row.web_searches) == (18, 12, 2)
    assert (row.provider, row.model, row.tier) == ("anthropic", "claude-sonnet-4-5", "")
    assert (row.ts, row.path) == (1_777_629_600_500_000, "/home/dev/shop")
    assert (row.call_id, row.tags) == ("msg_1", '{"session":"s1"}')


@pytest.mark.parametrize(
    ("message", "fields", "dedupe"),
    [
        pytest.param({}, {}, "msg_1", id="Anthropic's ids are unique without the request's"),
        pytest.param({}, {"requestId": None}, "msg_1", id="no request id"),
        pytest.param({"id": "chat-1"}, {}, "claude-code:chat-1:req_1", id="a gateway's id"),
        pytest.param({"id": "chat-1"}, {"requestId": ""}, "chat-1", id="a gateway's id alone"),
        pytest.param({"id": None}, {}, "claude-code:req_1", id="the request's id alone"),
        pytest.param({"id": ""}, {"requestId": None}, "", id="an empty id is never a key"),
    ],
)
def test_records_are_one_call_by_the_ids_they_have(
    message: Record, fields: dict[str, object], dedupe: str
) -> None:
    (row,) = rows(event(message, **fields))

    assert row.dedupe == dedupe


def test_a_side_conversation_that_repeats_an_answer_has_its_key_and_a_lower_rank() -> None:
    first, repeated = rows(event(), event(requestId="req_2", isSidechain=True))

    assert repeated.dedupe == first.dedupe
    assert repeated.rank < first.rank


@pytest.mark.parametrize(
    "record",
    [
        pytest.param({"type": "summary", "summary": "x", "leafUuid": "u"}, id="a summary"),
        pytest.param({**event(), "message": {"role": "user", "content": "hi"}, "type": "user"}),
        pytest.param(event({"model": "<synthetic>"}), id="an error shown as an answer"),
        pytest.param(
            event({"usage": {"input_tokens": 0, "output_tokens": 0}}, isApiErrorMessage=True),
            id="an error of the service",
        ),
        pytest.param({"type": "user", "toolUseResult": {"usage": USAGE}, "message": {}}),
    ],
)
def test_events_that_are_no_call_give_no_row(record: Record) -> None:
    assert rows(record) == []


def test_an_answer_without_usage_is_a_call_of_unknown_usage() -> None:
    (row,) = rows(event({"usage": None}))

    assert not row.known


def test_what_a_subagent_passes_on_counts_as_its_own_record_does() -> None:
    inner = {key: value for key, value in event().items() if key not in ("cwd", "sessionId")}
    outer = {
        "type": "progress",
        "sessionId": "s1",
        "cwd": "/home/dev/shop",
        "data": {"type": "agent_progress", "message": inner},
    }

    assert rows(outer) == rows(event())


def test_another_model_inside_the_call_is_a_call_of_its_own() -> None:
    step = {"type": "advisor_message", "model": "claude-opus-4-1", "input_tokens": 9}
    iterations = [{"type": "message", "model": None, "input_tokens": 4}, step]

    outer, inner = rows(event({"usage": {**USAGE, "iterations": iterations}}))

    assert (outer.model, outer.input) == ("claude-sonnet-4-5", 4)
    assert (inner.model, inner.input, inner.dedupe) == ("claude-opus-4-1", 9, "msg_1:advisor:1")


def test_writes_to_the_cache_without_a_lifetime_are_of_five_minutes() -> None:
    usage = {"input_tokens": 1, "output_tokens": 1, "cache_creation_input_tokens": 7}

    (row,) = rows(event({"usage": usage}))

    assert (row.cache_write_5m, row.cache_write_1h) == (7, 0)


def test_fast_answers_have_their_own_tier_and_logged_costs_are_kept() -> None:
    (row,) = rows(event({"usage": {**USAGE, "speed": "fast"}}, costUSD=2))

    assert (row.tier, row.logged_pico) == ("fast", 2 * 10**12)


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        (event({"usage": {"input_tokens": True, "output_tokens": 1}}), "input_tokens"),
        (event({"usage": {"input_tokens": "4", "output_tokens": 1}}), "input_tokens"),
        (event({"usage": {"input_tokens": -1, "output_tokens": 1}}), "input_tokens"),
        (event({"usage": {"input_tokens": 10**40, "output_tokens": 1}}), "input_tokens"),
        (event({"usage": [1]}), "usage"),
        (event({"model": {"name": "x"}}), "model"),
        (event(timestamp="yesterday"), "timestamp"),
    ],
)
def test_wrong_types_are_refused_by_their_name(record: Record, reason: str) -> None:
    with pytest.raises(Rejected, match=reason):
        rows(record)


def test_a_session_is_told_from_its_events() -> None:
    found = detect([{"type": "summary", "summary": "x"}, event()])

    assert found is FORMAT
