"""Which format a file is in; and what holds for every format."""

import pytest

from sdlc_cli.core.i18n import Message
from sdlc_cli.cost.model import Rejected
from sdlc_cli.cost.readers import Format, detect

CHAT = {"object": "chat.completion", "id": "c", "usage": {"prompt_tokens": 1}}
MESSAGE = {"type": "message", "role": "assistant", "id": "m", "usage": {"input_tokens": 1}}
RESPONSE = {"object": "response", "id": "r", "usage": {"input_tokens": 1, "total_tokens": 1}}
GEMINI = {"usageMetadata": {"promptTokenCount": 1}, "modelVersion": "g"}
BEDROCK = {"usage": {"inputTokens": 1, "outputTokens": 1}, "metrics": {"latencyMs": 5}}
SPEND = {"request_id": "c", "startTime": "2025-11-03 09:15:02", "prompt_tokens": 1, "spend": 0}
PAYLOAD = {"id": "c", "startTime": 1762161302.1, "prompt_tokens": 1, "response_cost": 0}


@pytest.mark.parametrize(
    ("records", "name"),
    [
        ([CHAT], "openai-chat"),
        ([{**CHAT, "object": "chat.completion.chunk", "usage": None}, CHAT], "openai-chat"),
        ([{"model": "e", "data": [], "usage": {"prompt_tokens": 5}}], "openai-chat"),
        ([RESPONSE], "openai-responses"),
        ([{"type": "response.created", "response": RESPONSE}], "openai-responses"),
        ([{"id": "b", "custom_id": "a", "response": {"body": CHAT}}], "openai-batch"),
        ([MESSAGE], "anthropic"),
        ([{"custom_id": "a", "result": {"type": "expired"}}], "anthropic"),
        ([{"type": "message_start", "message": MESSAGE}, {"type": "ping"}], "anthropic-stream"),
        ([GEMINI], "gemini"),
        ([BEDROCK], "bedrock-converse"),
        ([SPEND], "litellm-spend"),
        ([{**PAYLOAD, "response": CHAT}], "litellm-json"),
        ([{"ts": 1762161302, "response": CHAT}], "envelope"),
        ([{"time": "x", "body": MESSAGE}, {"time": "x", "result": GEMINI}], "envelope"),
        ([{"response": '{"usage": {"inputTokens": 1}}'}], "envelope"),
        ([CHAT, MESSAGE, GEMINI], "envelope"),
        ([CHAT, CHAT, {"level": "info"}, Rejected(Message("bad")), None, 7], "openai-chat"),
    ],
)
def test_a_file_is_told_by_its_first_records(records: list[object], name: str) -> None:
    found = detect.detect(records)

    assert found is not None
    assert found.name == name


@pytest.mark.parametrize(
    "records", [[], [{}], [{"level": "info", "message": "started"}], [None, 1, "x", []]]
)
def test_what_fits_no_format_is_none(records: list[object]) -> None:
    assert detect.detect(records) is None


@pytest.mark.parametrize("form", detect.FORMATS.values(), ids=lambda form: str(form.name))
def test_every_format_refuses_what_it_does_not_know_without_a_traceback(form: Format) -> None:
    strange: list[dict[str, object]] = [
        {},
        {"level": "info", "message": "started"},
        {"usage": 5},
        {"usage": [], "id": []},
        {"response": [], "body": {}, "result": 1},
        {"type": [], "object": {}},
        {"metadata": [], "attributes": 3, "message": "x"},
    ]
    for record in strange:
        assert form.matches(record) in (True, False)
        try:
            rows = list(form.start()(record))
        except Rejected:
            continue
        assert all(row.input == 0 for row in rows)


def test_the_table_names_every_format_once() -> None:
    assert all(name == form.name for name, form in detect.FORMATS.items())
    assert len(detect.FORMATS) >= 10
