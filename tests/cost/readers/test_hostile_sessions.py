"""No record, however wrong, makes a reader of sessions, spans or exports do anything but refuse."""

import contextlib
import copy
import json
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sdlc_cli.cost.model import COUNTS, Rejected, Row
from sdlc_cli.cost.readers import (
    Format,
    anthropic_usage,
    claude_code,
    codex,
    langfuse,
    openai_usage,
    openinference,
    otlp,
)
from sdlc_cli.cost.readers.detect import detect

STAMP = "2026-05-12T08:00:01Z"
GOOD: dict[Format, list[object]] = {
    claude_code.FORMAT: [
        {
            "type": "assistant",
            "sessionId": "s",
            "cwd": "/w",
            "timestamp": STAMP,
            "requestId": "r",
            "isSidechain": False,
            "costUSD": 1,
            "message": {
                "id": "msg_1",
                "model": "m",
                "usage": {
                    "input_tokens": 1,
                    "output_tokens": 2,
                    "cache_creation_input_tokens": 3,
                    "cache_creation": {"ephemeral_1h_input_tokens": 3},
                    "server_tool_use": {"web_search_requests": 1},
                    "iterations": [{"type": "advisor_message", "model": "n", "input_tokens": 1}],
                },
            },
        },
        {
            "type": "progress",
            "sessionId": "s",
            "cwd": "/w",
            "data": {
                "message": {
                    "timestamp": STAMP,
                    "message": {"id": "msg_2", "model": "m", "usage": {"input_tokens": 1}},
                }
            },
        },
    ],
    codex.FORMAT: [
        {
            "timestamp": STAMP,
            "type": "session_meta",
            "payload": {"id": "s", "cwd": "/w", "forked_from_id": "p"},
        },
        {"timestamp": STAMP, "type": "turn_context", "payload": {"model": "m"}},
        {
            "timestamp": "2026-05-12T08:00:09Z",
            "type": "event_msg",
            "payload": {
                "type": "token_count",
                "info": {
                    "last_token_usage": {"input_tokens": 9, "cached_input_tokens": 3},
                    "total_token_usage": {"input_tokens": 9, "output_tokens": 3},
                },
            },
        },
        {
            "timestamp": STAMP,
            "type": "token_usage_record",
            "payload": {"response_id": "resp", "usage": {"input_tokens": 4}},
        },
        {"timestamp": STAMP, "type": "compacted", "payload": {"compaction_response_id": "resp"}},
    ],
    otlp.FORMAT: [
        {
            "resourceSpans": [
                {
                    "resource": {
                        "attributes": [{"key": "service.name", "value": {"stringValue": "x"}}]
                    },
                    "scopeSpans": [
                        {
                            "spans": [
                                {
                                    "traceId": "5b" * 16,
                                    "spanId": "5b" * 8,
                                    "startTimeUnixNano": "1777629600500000000",
                                    "status": {"code": 1},
                                    "attributes": [
                                        {"key": name, "value": {"intValue": "7"}}
                                        for name in (
                                            "gen_ai.usage.input_tokens",
                                            "gen_ai.usage.output_tokens",
                                            "gen_ai.usage.cache_read.input_tokens",
                                        )
                                    ],
                                }
                            ]
                        }
                    ],
                }
            ]
        }
    ],
    openinference.FORMAT: [
        {
            "context": {"trace_id": "5b" * 16, "span_id": "5b" * 8},
            "start_time": STAMP,
            "attributes": {
                "openinference.span.kind": "LLM",
                "llm": {"token_count": {"prompt": 5, "completion": 6}, "cost": {"total": 1}},
            },
        }
    ],
    langfuse.FORMAT: [
        {
            "id": "o",
            "type": "GENERATION",
            "start_time": STAMP,
            "provided_model_name": "m",
            "usage_details": {"input": 5, "output": 6, "total": 11},
            "total_cost": 1,
        }
    ],
    openai_usage.FORMAT: [
        {
            "object": "bucket",
            "start_time": 1_730_419_200,
            "end_time": 1_730_505_600,
            "results": [
                {
                    "object": "organization.usage.completions.result",
                    "input_tokens": 10,
                    "input_cached_tokens": 5,
                    "output_tokens": 4,
                    "num_model_requests": 2,
                }
            ],
        }
    ],
    anthropic_usage.FORMAT: [
        {
            "starting_at": STAMP,
            "ending_at": STAMP,
            "results": [
                {
                    "uncached_input_tokens": 4,
                    "output_tokens": 5,
                    "cache_creation": {"ephemeral_5m_input_tokens": 3},
                }
            ],
        }
    ],
}
EVIL: tuple[object, ...] = (
    *("=cmd|' /C calc'!A1", "<script>alert(1)</script>", "[red]x[/red]", "\x1b[31mx", "a|b\nc"),
    *(None, True, -1, 1.5, float("nan"), float("inf"), 10**40, "12", "", [], {}, [[1]], {"a": {}}),
)
JUNK = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=5,
)


def places(value: object, path: tuple[object, ...] = ()) -> list[tuple[object, ...]]:
    """The way to every value inside `value`."""
    found = [path] if path else []
    pairs: list[tuple[object, object]] = []
    if isinstance(value, dict):
        pairs = list(value.items())
    elif isinstance(value, list):
        pairs = list(enumerate(value))
    for key, inner in pairs:
        found += places(inner, (*path, key))
    return found


def put(value: object, path: tuple[object, ...], new: object) -> None:
    for key in path[:-1]:
        value = value[key]  # type: ignore[index]
    value[path[-1]] = new  # type: ignore[index]


def read(form: Format, records: list[object]) -> list[Row]:
    """Rows of the records that are not refused; anything but a refusal is a failure."""
    parse = form.start()
    rows: list[Row] = []
    for record in records:
        if isinstance(record, dict):
            form.matches(record)
            with contextlib.suppress(Rejected):
                rows.extend(parse(record))
    return rows


def sound(rows: list[Row]) -> None:
    for row in rows:
        for name in COUNTS:
            told = getattr(row, name)
            assert type(told) is int
            assert 0 <= told < 2**54
        for name in ("provider", "model", "tier", "project", "user", "key", "path", "dedupe"):
            assert type(getattr(row, name)) is str
        assert row.ts is None or 0 <= row.ts < 2**58
        assert row.tags == "" or json.loads(row.tags)


def by_name(form: Format) -> str:
    return form.name


@pytest.mark.parametrize("form", GOOD, ids=by_name)
def test_the_good_records_are_detected_and_counted(form: Format) -> None:
    assert detect(GOOD[form]) is form
    assert read(form, GOOD[form])


@pytest.mark.parametrize("form", GOOD, ids=by_name)
@pytest.mark.parametrize("new", EVIL, ids=repr)
def test_each_value_may_be_anything(form: Format, new: object) -> None:
    for number, record in enumerate(GOOD[form]):
        for path in places(record):
            records = copy.deepcopy(GOOD[form])
            put(records[number], path, copy.deepcopy(new))
            sound(read(form, records))


@settings(max_examples=60, deadline=None)
@given(st.data())
@pytest.mark.parametrize("form", GOOD, ids=by_name)
def test_junk_in_several_places_is_refused_at_most(form: Format, data: st.DataObject) -> None:
    records = copy.deepcopy(GOOD[form])
    for _ in range(data.draw(st.integers(1, 4))):
        record = data.draw(st.sampled_from(records))
        path = data.draw(st.sampled_from(places(record) or [("x",)]))
        new = data.draw(JUNK)
        if places(record):
            put(record, path, new)

    sound(read(form, records))


@pytest.mark.parametrize("form", GOOD, ids=by_name)
def test_names_come_out_as_they_were_written(form: Format) -> None:
    """Escaping is for whoever prints: a reader changes no name."""
    evil = "=x|<b>\x1b[1m\n[red]"
    setters: dict[str, Callable[[list[object]], None]] = {
        "claude-code": lambda r: put(r, (0, "message", "model"), evil),
        "codex": lambda r: put(r, (1, "payload", "model"), evil),
        "langfuse": lambda r: put(r, (0, "provided_model_name"), evil),
        "openai-usage": lambda r: put(r, (0, "results", 0, "model"), evil),
        "anthropic-usage": lambda r: put(r, (0, "results", 0, "model"), evil),
        "openinference": lambda r: put(r, (0, "attributes", "llm", "model_name"), evil),
        "otlp": lambda r: put(
            r,
            (0, "resourceSpans", 0, "scopeSpans", 0, "spans", 0, "attributes", 2),
            {"key": "gen_ai.request.model", "value": {"stringValue": evil}},
        ),
    }
    records = copy.deepcopy(GOOD[form])
    setters[form.name](records)

    assert evil in {row.model for row in read(form, records)}
