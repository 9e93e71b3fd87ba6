"""Codex CLI's session files: the model and the tier from events before, each call once."""

from pathlib import PurePosixPath

import pytest

from sdlc_cli.cost.model import Rejected, Row
from sdlc_cli.cost.readers import Record
from sdlc_cli.cost.readers.codex import FORMAT, superseded
from sdlc_cli.cost.readers.detect import detect

ZERO = "2026-05-12T08:00:00.000Z"


def usage(given: int, cached: int = 0, made: int = 0, reasoning: int = 0) -> Record:
    return {
        "input_tokens": given,
        "cached_input_tokens": cached,
        "output_tokens": made,
        "reasoning_output_tokens": reasoning,
        "total_tokens": given + made,
    }


def at(second: float, kind: str, payload: object) -> Record:
    stamp = f"2026-05-12T08:{int(second) // 60:02}:{second % 60:06.3f}Z"
    return {"timestamp": stamp, "type": kind, "payload": payload}


def count(second: float, last: Record | None, total: Record | None = None) -> Record:
    info = {"last_token_usage": last, "total_token_usage": total}
    return at(second, "event_msg", {"type": "token_count", "info": info})


META = at(0, "session_meta", {"id": "s1", "cwd": "/home/dev/shop"})
MODEL = at(0, "turn_context", {"model": "gpt-5-codex"})


def tier(second: float, settings: Record) -> Record:
    payload = {"type": "thread_settings_applied", "thread_settings": settings}
    return at(second, "event_msg", payload)


def rows(*records: Record) -> list[Row]:
    parse = FORMAT.start()
    return [row for record in records for row in parse(record)]


def test_a_call_takes_model_and_folder_from_the_events_before() -> None:
    (row,) = rows(META, MODEL, count(5, usage(1_000, 600, 80, 30), usage(1_000, 600, 80, 30)))

    assert (row.provider, row.model, row.path) == ("openai", "gpt-5-codex", "/home/dev/shop")
    assert (row.input, row.cache_read, row.output, row.reasoning) == (400, 600, 50, 30)


def test_a_count_that_repeats_the_same_total_is_no_new_call() -> None:
    first = usage(100, made=10)
    second = usage(300, made=30)

    found = rows(
        MODEL,
        count(1, first, first),
        count(2, first, first),
        count(3, usage(200, made=20), second),
        at(4, "event_msg", {"type": "token_count", "info": None, "rate_limits": {}}),
    )

    assert [(row.input, row.output) for row in found] == [(100, 10), (200, 20)]


def test_where_only_totals_are_told_calls_are_their_differences() -> None:
    found = rows(MODEL, count(1, None, usage(100, made=10)), count(2, None, usage(250, made=11)))

    assert [(row.input, row.output) for row in found] == [(100, 10), (150, 1)]


def test_the_tier_changes_with_the_settings_that_name_one() -> None:
    found = rows(
        MODEL,
        tier(1, {"service_tier": "priority"}),
        count(2, usage(1)),
        tier(3, {"model": "other"}),
        count(4, usage(2)),
        tier(5, {"service_tier": "default"}),
        count(6, usage(3)),
        tier(7, {"service_tier": "fast"}),
        count(8, usage(4)),
    )

    assert [row.tier for row in found] == ["priority", "priority", "", "priority"]


def test_a_fork_that_copies_a_call_with_its_time_has_the_same_key() -> None:
    call = count(5, usage(100, made=10), usage(100, made=10))
    fork = at(60, "session_meta", {"id": "s2", "forked_from_id": "s1"})

    (first,) = rows(META, MODEL, call)
    copied, own = rows(fork, META, MODEL, call, count(90, usage(7), usage(107, made=10)))

    assert copied.dedupe == first.dedupe != ""
    assert own.dedupe != first.dedupe


def test_calls_that_a_fork_copied_with_new_times_are_left_out() -> None:
    fork = at(60, "session_meta", {"id": "s2", "forked_from_id": "s1"})
    copies = [count(60.010 + n / 50, usage(n + 1), usage(n + 1)) for n in range(80)]

    found = rows(fork, MODEL, *copies, count(70, usage(500), usage(600)))

    assert [row.input for row in found] == [500]


def test_a_compaction_counts_though_no_token_count_tells_of_it() -> None:
    used = {"response_id": "resp_1", "usage": usage(5_000, made=400)}
    compacted = at(9, "compacted", {"message": "…", "compaction_response_id": "resp_1"})

    before = rows(MODEL, at(8, "token_usage_record", used), compacted)
    after = rows(MODEL, compacted, at(10, "token_usage_record", used))

    assert [(row.input, row.dedupe) for row in before] == [(5_000, "resp_1")]
    assert [(row.input, row.dedupe) for row in after] == [(5_000, "resp_1")]


def test_a_response_that_a_token_count_tells_of_is_counted_once() -> None:
    used = usage(100, made=10)

    found = rows(
        MODEL,
        at(1, "token_usage_record", {"response_id": "resp_1", "usage": used}),
        count(1.2, used, used),
        at(2, "compacted", {"compaction_response_id": "resp_1"}),
    )

    assert len(found) == 1


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        (at(1, "event_msg", None), "payload"),
        (count(1, {"input_tokens": "12"}), "input_tokens"),
        (count(1, {"input_tokens": 1.5}), "input_tokens"),
        (at(1, "event_msg", {"type": "token_count", "info": [1]}), "info"),
        ({**count(1, usage(1)), "timestamp": []}, "timestamp"),
        (at(1, "turn_context", {"model": 1.5}), "model"),
    ],
)
def test_wrong_types_are_refused_by_their_name(record: Record, reason: str) -> None:
    with pytest.raises(Rejected, match=reason):
        rows(record)


def test_an_archived_session_is_left_out_where_it_is_still_live() -> None:
    live = PurePosixPath("/h/.codex/sessions/2026/05/12/rollout-1.jsonl")
    archived = PurePosixPath("/h/.codex/archived_sessions/rollout-1.jsonl")
    other = PurePosixPath("/h/.codex/archived_sessions/rollout-2.jsonl")
    elsewhere = PurePosixPath("/g/.codex/archived_sessions/rollout-1.jsonl")

    assert superseded([live, archived, other, elsewhere]) == {archived}


def test_a_session_is_told_from_its_events() -> None:
    assert detect([META, MODEL]) is FORMAT
