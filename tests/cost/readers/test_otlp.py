"""Spans with gen_ai attributes: names old and new, parts of totals, agents above their calls."""

import base64
import json

import pytest

from sdlc_cli.cost.model import Rejected, Row
from sdlc_cli.cost.readers import Record
from sdlc_cli.cost.readers.detect import detect
from sdlc_cli.cost.readers.otlp import FORMAT, Calls, row_of
from sdlc_cli.cost.readers.spans import Span, identity

TRACE = "5b8efff798038103d269b633813fc60c"
CHAT = {
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": "openai",
    "gen_ai.request.model": "gpt-4o",
    "gen_ai.response.model": "gpt-4o-2024-08-06",
    "gen_ai.usage.input_tokens": 1_000,
    "gen_ai.usage.output_tokens": 100,
}
RESOURCE = {"service.name": "checkout", "deployment.environment.name": "prod"}


def value(given: object) -> Record:
    if isinstance(given, bool):
        return {"boolValue": given}
    if isinstance(given, int):
        return {"intValue": str(given)}
    if isinstance(given, float):
        return {"doubleValue": given}
    return {"stringValue": given}


def attributes(given: Record) -> list[Record]:
    return [{"key": key, "value": value(inner)} for key, inner in given.items()]


def span(number: int, given: Record, *, parent: int = 0, **fields: object) -> Record:
    return {
        "traceId": TRACE,
        "spanId": f"{number:016x}",
        "parentSpanId": f"{parent:016x}" if parent else "",
        "name": "chat gpt-4o",
        "startTimeUnixNano": "1777629600500000000",
        "attributes": attributes(given),
        **fields,
    }


def export(*spans: Record) -> Record:
    resource = {"attributes": attributes(RESOURCE)}
    return {"resourceSpans": [{"resource": resource, "scopeSpans": [{"spans": list(spans)}]}]}


def rows(*records: Record) -> list[Row]:
    parse = FORMAT.start()
    return [row for record in records for row in parse(record)]


def agent(number: int, parent: int = 0, given: int = 2_000) -> Record:
    told = {"gen_ai.operation.name": "invoke_agent", "gen_ai.usage.input_tokens": given}
    return span(number, told, parent=parent)


def test_a_chat_span_is_a_call_with_its_resource_as_the_project() -> None:
    (row,) = rows(export(span(1, {**CHAT, "user.id": "ann", "gen_ai.request.max_tokens": 512})))

    assert (row.provider, row.model) == ("openai", "gpt-4o-2024-08-06")
    assert (row.input, row.output, row.max_output) == (1_000, 100, 512)
    assert (row.project, row.user, row.tags) == ("checkout", "ann", '{"env":"prod"}')
    assert (row.ts, row.dedupe) == (1_777_629_600_500_000, f"span:{TRACE}:{1:016x}")


def test_spans_of_one_response_are_one_call_with_the_providers_own_answer() -> None:
    (row,) = rows(export(span(1, {**CHAT, "gen_ai.response.id": "chatcmpl-1"})))

    assert (row.dedupe, row.call_id) == ("chatcmpl-1", "chatcmpl-1")


USAGE = "gen_ai.usage."


@pytest.mark.parametrize(
    ("given", "name", "tokens"),
    [
        ({"gen_ai.usage.prompt_tokens": 7}, "input", 7),
        ({"llm.usage.completion_tokens": 7, "llm.usage.prompt_tokens": 1}, "output", 7),
        ({USAGE + "cache_read.input_tokens": 7}, "cache_read", 7),
        ({USAGE + "cache_read_input_tokens": 7}, "cache_read", 7),
        ({USAGE + "cache_read_tokens": 7}, "cache_read", 7),
        ({USAGE + "input_tokens.cached": 7}, "cache_read", 7),
        ({USAGE + "cache_creation.input_tokens": 7}, "cache_write_5m", 7),
        ({USAGE + "cache_creation_input_tokens": 7}, "cache_write_5m", 7),
        ({USAGE + "cache_write.input_tokens": 7}, "cache_write_5m", 7),
        ({USAGE + "reasoning.output_tokens": 7}, "reasoning", 7),
        ({USAGE + "output_tokens.reasoning": 7}, "reasoning", 7),
        ({USAGE + "audio.input_tokens": 7}, "audio_in", 7),
        ({USAGE + "image.input_tokens": 7}, "image_in", 7),
    ],
)
def test_each_name_of_a_count_is_read_as_part_of_its_total(
    given: Record, name: str, tokens: int
) -> None:
    replaced = any("prompt" in key or "completion" in key for key in given)
    base = {key: told for key, told in CHAT.items() if not (replaced and USAGE in key)}

    (row,) = rows(export(span(1, {**base, **given})))

    assert getattr(row, name) == tokens
    if not replaced:
        classes = (row.input, row.cache_read, row.cache_write_5m, row.audio_in, row.image_in)
        assert sum(classes) == 1_000
        assert row.output + row.reasoning == 100


def test_an_input_below_its_cached_parts_is_taken_without_them_and_flagged() -> None:
    (row,) = rows(
        export(span(1, {**CHAT, USAGE + "input_tokens": 5, USAGE + "cache_read.input_tokens": 900}))
    )

    assert (row.input, row.cache_read) == (5, 900)
    assert json.loads(row.tags)["usage"] == "exclusive"


@pytest.mark.parametrize(
    "operation", ["execute_tool", "create_agent", "fetch_response", "retrieval", "invoke_workflow"]
)
def test_operations_that_call_no_model_are_no_calls(operation: str) -> None:
    above = span(1, {**CHAT, "gen_ai.operation.name": operation})

    assert rows(export(above, span(2, CHAT, parent=1)))[0].call_id == f"{2:016x}"
    assert len(rows(export(above, span(2, CHAT, parent=1)))) == 1


def test_spans_of_other_libraries_are_no_calls() -> None:
    assert rows(export(span(1, {"http.request.method": "GET"}))) == []


def test_an_agent_above_its_calls_is_not_counted_however_deep_they_are() -> None:
    step = span(2, {"gen_ai.operation.name": "execute_tool"}, parent=1)

    found = rows(export(agent(1), step, span(3, CHAT, parent=2), span(4, CHAT, parent=1)))

    assert sorted(row.call_id for row in found) == [f"{3:016x}", f"{4:016x}"]


def test_an_agent_whose_calls_came_in_exports_before_is_not_counted() -> None:
    step = span(2, {"gen_ai.operation.name": "execute_tool"}, parent=1)

    found = rows(export(span(3, CHAT, parent=2)), export(step), export(agent(1)))

    assert [row.call_id for row in found] == [f"{3:016x}"]


def test_an_agent_without_calls_in_the_trace_is_counted_and_the_one_above_it_is_not() -> None:
    found = rows(export(agent(1), agent(2, parent=1, given=700)))

    assert [row.input for row in found] == [700]


def test_a_failed_call_has_no_unknown_usage_unless_an_answer_began() -> None:
    bare = {key: told for key, told in CHAT.items() if USAGE not in key}
    failed, begun, unknown = rows(
        export(
            span(1, {**bare, "error.type": "429"}),
            span(2, {**bare, "gen_ai.response.id": "r"}, status={"code": 2}),
            span(3, bare),
        )
    )

    assert (failed.status, failed.known) == ("error", True)
    assert (begun.status, begun.known) == ("error", False)
    assert (unknown.status, unknown.known) == ("ok", False)


@pytest.mark.parametrize(
    "written",
    [TRACE, TRACE.upper(), "0x" + TRACE, base64.b64encode(bytes.fromhex(TRACE)).decode()],
)
def test_ids_are_the_same_in_every_notation(written: str) -> None:
    assert identity(written, "traceId") == TRACE


@pytest.mark.parametrize("written", ["", None, "0" * 16, "0" * 32, "AAAAAAAAAAA="])
def test_an_id_of_zeros_is_none(written: str | None) -> None:
    assert identity(written, "spanId") == ""


@pytest.mark.parametrize("whole", [1_000, "1000"])
def test_integers_may_be_text_or_numbers(whole: object) -> None:
    record = span(1, {})
    name = USAGE + "input_tokens"

    (row,) = rows(export({**record, "attributes": [{"key": name, "value": {"intValue": whole}}]}))

    assert row.input == 1_000


def test_one_bad_span_costs_itself_and_no_other_of_its_export() -> None:
    parse = FORMAT.start()
    found: list[Row] = []

    with pytest.raises(Rejected, match="input_tokens"):  # noqa: PT012
        bad = span(1, {**CHAT, USAGE + "input_tokens": -4})
        for row in parse(export(bad, span(2, CHAT))):
            found.append(row)  # noqa: PERF402

    assert [row.call_id for row in found] == [f"{2:016x}"]


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        ({"resourceSpans": [1]}, "resourceSpans"),
        ({"resourceSpans": [{"scopeSpans": {}}]}, "scopeSpans"),
        (export(span(1, {}, attributes=[{"value": {}}])), "attribute"),
        (export(span(1, CHAT, startTimeUnixNano="soon")), "startTimeUnixNano"),
        (export(span(1, CHAT, traceId=5)), "traceId"),
        (export(span(1, {**CHAT, USAGE + "input_tokens": "12"})), "input_tokens"),
        (export(span(1, {**CHAT, USAGE + "output_tokens": 1.5})), "output_tokens"),
        (export(span(1, {**CHAT, "gen_ai.response.model": 1.5})), "model"),
    ],
)
def test_what_is_not_otlp_is_refused_by_its_name(record: Record, reason: str) -> None:
    with pytest.raises(Rejected, match=reason):
        rows(record)


def test_decoded_spans_can_be_fed_directly() -> None:
    fed = Span(trace_id=TRACE, span_id="1" * 16, attributes=CHAT, resource=RESOURCE, ts=5)

    row = row_of(fed)

    assert row is not None
    assert (row.input, row.project, row.ts) == (1_000, "checkout", 5)
    assert list(Calls().rows([fed])) == [row]


def test_a_span_as_an_sdk_prints_it_is_read_like_its_export() -> None:
    printed = {
        "name": "chat gpt-4o",
        "context": {"trace_id": "0x" + TRACE, "span_id": "0x" + f"{1:016x}"},
        "parent_id": None,
        "start_time": "2026-05-01T10:00:00.500000Z",
        "status": {"status_code": "UNSET"},
        "attributes": CHAT,
        "resource": {"attributes": RESOURCE},
    }

    assert rows(printed) == rows(export(span(1, CHAT)))
    assert detect([printed]) is FORMAT
    assert detect([export(span(1, CHAT))]) is FORMAT


def test_a_span_that_is_none_costs_no_other_of_its_export() -> None:
    parse = FORMAT.start()
    found: list[Row] = []

    with pytest.raises(Rejected, match="startTimeUnixNano"):  # noqa: PT012
        for row in parse(export(span(1, CHAT, startTimeUnixNano="soon"), span(2, CHAT))):
            found.append(row)  # noqa: PERF402

    assert [row.call_id for row in found] == [f"{2:016x}"]
