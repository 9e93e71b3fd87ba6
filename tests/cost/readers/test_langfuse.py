"""Langfuse's observations: buckets that add up, and senders whose buckets are parts."""

import pytest

from sdlc_cli.cost.model import Rejected, Row
from sdlc_cli.cost.readers import Record
from sdlc_cli.cost.readers.detect import detect
from sdlc_cli.cost.readers.langfuse import FORMAT


def observation(usage: object, **fields: object) -> Record:
    return {
        "id": "obs-1",
        "trace_id": "t-1",
        "type": "GENERATION",
        "start_time": "2026-05-01 10:00:00.500000",
        "provided_model_name": "gpt-4o",
        "usage_details": usage,
        "total_cost": "0.0125",
        "user_id": "ann",
        "environment": "prod",
        **fields,
    }


def only(record: Record) -> Row:
    (row,) = FORMAT.start()(record)
    return row


def test_buckets_are_added_up_by_their_class() -> None:
    usage = {"input": 100, "input_cached_tokens": 40, "output": 20, "output_reasoning_tokens": 5}

    row = only(observation({**usage, "total": 165}))

    assert (row.input, row.cache_read, row.output, row.reasoning) == (100, 40, 20, 5)
    assert (row.ts, row.model, row.user) == (1_777_629_600_500_000, "gpt-4o", "ann")
    assert (row.dedupe, row.logged_pico) == ("langfuse:obs-1", 12_500_000_000)


def test_a_sender_whose_total_shows_that_buckets_are_parts_is_read_so_and_flagged() -> None:
    usage = {"input": 100, "input_cached_tokens": 40, "output": 20, "output_reasoning_tokens": 5}

    row = only(observation({**usage, "total": 120}))

    assert (row.input, row.cache_read, row.output, row.reasoning) == (60, 40, 15, 5)
    assert '"usage":"inclusive"' in row.tags


@pytest.mark.parametrize(
    ("bucket", "name"),
    [
        ("input", "input"),
        ("prompt_tokens", "input"),
        ("cache_read_input_tokens", "cache_read"),
        ("input_cache_read", "cache_read"),
        ("cache_creation_input_tokens", "cache_write_5m"),
        ("ephemeral_1h_input_tokens", "cache_write_1h"),
        ("input_audio_tokens", "audio_in"),
        ("input_cached_audio_tokens", "audio_cached"),
        ("output", "output"),
        ("completion_tokens", "output"),
        ("output_reasoning", "reasoning"),
        ("output_audio_tokens", "audio_out"),
        ("web_search_requests", "web_searches"),
    ],
)
def test_each_bucket_has_its_class(bucket: str, name: str) -> None:
    assert getattr(only(observation({bucket: 7})), name) == 7


def test_writes_told_in_sum_and_by_lifetime_count_once() -> None:
    usage = {
        "cache_creation_input_tokens": 10,
        "ephemeral_5m_input_tokens": 6,
        "ephemeral_1h_input_tokens": 4,
    }

    row = only(observation(usage))

    assert (row.cache_write_5m, row.cache_write_1h) == (6, 4)


def test_an_unknown_bucket_is_refused_unless_it_is_empty() -> None:
    assert only(observation({"input": 1, "tiles": 0})).input == 1
    with pytest.raises(Rejected, match="tiles"):
        only(observation({"input": 1, "tiles": 3}))


@pytest.mark.parametrize("kind", ["SPAN", "EVENT", "AGENT", "TOOL", "CHAIN"])
def test_other_observations_are_no_calls(kind: str) -> None:
    assert list(FORMAT.start()(observation({"input": 1}, type=kind))) == []


def test_a_generation_without_usage_is_unknown() -> None:
    assert not only(observation({})).known


def test_an_observation_that_was_a_span_has_the_spans_key() -> None:
    row = only(observation({"input": 1}, id="eee19b7ec3c1b174", trace_id="5b" * 16))

    assert row.dedupe == f"span:{'5b' * 16}:eee19b7ec3c1b174"


def test_the_apis_names_and_usage_written_as_text_are_read_too() -> None:
    record = {
        "id": "o",
        "traceId": "t",
        "type": "GENERATION",
        "startTime": "2026-05-01T10:00:00.500Z",
        "model": "gpt-4o",
        "usageDetails": '{"input": 3, "output": 4}',
    }

    row = only(record)

    assert (row.input, row.output, row.ts) == (3, 4, 1_777_629_600_500_000)
    assert detect([record]) is FORMAT


@pytest.mark.parametrize(
    ("usage", "reason"),
    [
        ({"input": True}, "input"),
        ({"input": -1}, "input"),
        ({"input": "5"}, "input"),
        ([1], "usage_details"),
        ("{", "cut off|JSON"),
        ('{"input": NaN}', "NaN"),
    ],
)
def test_wrong_types_are_refused_by_their_name(usage: object, reason: str) -> None:
    with pytest.raises(Rejected, match=reason):
        only(observation(usage))
