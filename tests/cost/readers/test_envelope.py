"""Lines that teams write around a provider's answer: whose it is, when, and what is never kept."""

import json

import msgspec
import pytest

from sdlc_cli.cost.model import Rejected, Row
from sdlc_cli.cost.readers import envelope

CHAT: dict[str, object] = {
    "object": "chat.completion",
    "id": "chatcmpl-1",
    "created": 1741569952,
    "model": "gpt-4o",
    "usage": {"prompt_tokens": 100, "completion_tokens": 10},
}
SECRET = "the quick brown fox asks about its medical record"


def row(**line: object) -> Row:
    (found,) = envelope.parse(line)
    return found


def test_a_line_tells_when_and_whose_the_call_was() -> None:
    found = row(
        ts="2025-11-03T10:15:02+01:00",
        project="shop",
        user="ada",
        key_name="svc-shop",
        provider="azure",
        request_id="req-1",
        service_tier="flex",
        cost_usd=0.00125,
        latency_ms=812,
        response=CHAT,
    )

    assert found.ts == 1762161302_000_000
    assert (found.project, found.user, found.key) == ("shop", "ada", "svc-shop")
    assert (found.provider, found.model, found.tier) == ("azure", "gpt-4o", "flex")
    assert (found.dedupe, found.call_id) == ("chatcmpl-1", "chatcmpl-1")
    assert found.logged_pico == 1_250_000_000
    assert (found.input, found.output) == (100, 10)


@pytest.mark.parametrize(
    ("time", "expected"),
    [
        ("2025-11-03T09:15:02Z", 1762161302_000_000),
        ("2025-11-03 09:15:02.000001", 1762161302_000_001),
        ("2025-11-03T09:15:02", 1762161302_000_000),
        ("2025-11-03T14:45:02+05:30", 1762161302_000_000),
        (1762161302, 1762161302_000_000),
        (1762161302_000, 1762161302_000_000),
        (1762161302_000_000, 1762161302_000_000),
        ("1762161302", 1762161302_000_000),
    ],
)
@pytest.mark.parametrize("name", ["ts", "timestamp", "time", "created_at"])
def test_times_are_understood_with_and_without_a_zone(
    name: str, time: object, expected: int
) -> None:
    assert row(**{name: time, "response": CHAT}).ts == expected


def test_without_a_time_of_its_own_the_answers_time_holds() -> None:
    assert row(response=CHAT).ts == 1741569952_000_000


@pytest.mark.parametrize("time", ["yesterday", -1, True, {}, "2025-13-01"])
def test_a_time_that_is_none_refuses_the_line(time: object) -> None:
    with pytest.raises(Rejected, match="ts is not a time"):
        row(ts=time, response=CHAT)


@pytest.mark.parametrize(
    "line",
    [
        {"response": CHAT},
        {"body": CHAT},
        {"result": CHAT},
        {"response": {"status_code": 200, "body": CHAT}},
        {"response": json.dumps(CHAT)},
        {"response": [CHAT]},
        CHAT,
    ],
)
def test_the_answer_is_found_under_what_wraps_it(line: dict[str, object]) -> None:
    found = row(**line)

    assert (found.dedupe, found.model, found.input) == ("chatcmpl-1", "gpt-4o", 100)


def test_a_bedrock_answer_takes_its_model_from_the_line() -> None:
    usage = {"usage": {"inputTokens": 3, "outputTokens": 4}}

    assert row(model="nova", response=usage).model == "nova"
    assert row(request={"modelId": "nova"}, response=usage).model == "nova"


def test_events_of_one_stream_in_one_line_are_one_call() -> None:
    start = {"type": "message_start", "message": {"id": "msg_1", "usage": {"input_tokens": 5}}}
    end = {"type": "message_delta", "delta": {"stop_reason": "x"}, "usage": {"output_tokens": 9}}

    rows = envelope.parse({"project": "shop", "response": [start, end]})

    assert {found.dedupe for found in rows} == {"msg_1"}
    assert rows[-1].output == 9
    assert {found.project for found in rows} == {"shop"}


@pytest.mark.parametrize("name", [None, ""])
def test_without_an_answers_id_the_request_id_tells_calls_apart(name: str | None) -> None:
    answer = {**CHAT, "id": name}

    assert row(request_id="req-1", response=answer).dedupe == "req-1"
    assert row(response=answer).dedupe == ""
    assert row(request_id="", response=answer).dedupe == ""


@pytest.mark.parametrize("told", [{"cache_hit": True}, {"cached": "True"}, {"from_cache": "true"}])
def test_an_answer_from_the_gateways_cache_is_not_the_call_that_was_paid(
    told: dict[str, object],
) -> None:
    found = row(request_id="req-2", response=CHAT, **told)

    assert (found.status, found.rank, found.dedupe) == ("cached", -2, "req-2")
    assert row(response=CHAT, **told).dedupe == ""


@pytest.mark.parametrize("told", [{"cache_hit": False}, {"cache_hit": "False"}, {"cached": None}])
def test_a_cache_miss_is_a_call(told: dict[str, object]) -> None:
    assert row(response=CHAT, **told).status == "ok"


@pytest.mark.parametrize(
    "line",
    [
        {"response": {"error": {"message": "slow down"}}},
        {"status_code": 429, "response": {}},
        {"status": "error", "response": {"detail": "x"}},
        {"error": "timeout", "response": None},
        {"status": 500, "response": {**CHAT, "usage": None}},
    ],
)
def test_a_call_that_failed_has_no_usage_and_is_known_to_cost_nothing(
    line: dict[str, object],
) -> None:
    found = row(**line)

    assert (found.status, found.rank, found.known, found.input) == ("error", -3, True, 0)


def test_an_answer_without_usage_is_unknown() -> None:
    assert not row(response={**CHAT, "usage": None}).known
    assert not row(model="m", response={"text": "hello"}).known


@pytest.mark.parametrize(
    ("line", "tags"),
    [
        (
            {"tags": {"env": "prod", "n": 3, "beta": True}},
            {"beta": "true", "env": "prod", "n": "3"},
        ),
        (
            {"tags": ["env:prod", "tier=gold", "beta"]},
            {"beta": "true", "env": "prod", "tier": "gold"},
        ),
        ({"metadata": {"a": "1", "deep": {"b": 2}, "list": [1]}}, {"a": "1"}),
        ({"metadata": {"env": "test"}, "tags": {"env": "prod"}}, {"env": "prod"}),
        ({"team": "web", "env": "prod", "color": "red"}, {"env": "prod", "team": "web"}),
        ({"tags": {"note": "x" * 201, "prompt": "hello", "Content": "hi"}}, None),
        ({"tags": "env:prod"}, None),
        ({"tags": None, "metadata": []}, None),
        ({"tags": {"a": Ellipsis}}, None),
    ],
)
def test_tags_are_short_texts_under_known_names(
    line: dict[str, object], tags: dict[str, str] | None
) -> None:
    found = row(response=CHAT, **line).tags

    assert found == (json.dumps(tags, separators=(",", ":")) if tags else "")


def test_a_line_has_at_most_64_tags() -> None:
    found = row(response=CHAT, tags={f"t{n:03}": "x" for n in range(1000)}).tags

    assert list(json.loads(found)) == [f"t{n:03}" for n in range(64)]


def test_a_key_in_the_clear_is_hashed() -> None:
    found = row(api_key="sk-proj-abcdefghijklmnop0123456789", response=CHAT).key

    assert found.startswith("sha256:")
    assert "abcdef" not in found
    assert row(api_key="svc-shop", response=CHAT).key == "svc-shop"


def test_no_text_of_a_prompt_or_an_answer_is_kept() -> None:
    turn = {"role": "user", "content": SECRET}
    found = row(
        prompt=SECRET,
        messages=[turn],
        input=SECRET,
        output=SECRET,
        metadata={"prompt": SECRET, "question": SECRET, "env": "prod"},
        request={"model": "gpt-4o", "messages": [turn], "system": SECRET},
        response={**CHAT, "choices": [{"message": {"role": "assistant", "content": SECRET}}]},
    )

    assert found.request_hash
    assert "fox" not in str(msgspec.to_builtins(found))


def asked(**request: object) -> Row:
    return row(response=CHAT, request={"model": "gpt-4o", **request})


def turns(*texts: str, system: str = "") -> list[dict[str, str]]:
    said = [{"role": "user", "content": text} for text in texts]
    return [{"role": "system", "content": system}, *said] if system else said


def test_equal_requests_have_equal_hashes_whoever_asks() -> None:
    one = asked(messages=turns("hello"), temperature=0.5, user="ada", stream=True)
    same = asked(temperature=0.5, messages=turns("hello"), user="bob", metadata={"a": 1})
    warmer = asked(messages=turns("hello"), temperature=0.7)
    other = asked(messages=turns("goodbye"), temperature=0.5)

    assert one.request_hash == same.request_hash
    assert len({one.request_hash, warmer.request_hash, other.request_hash}) == 3
    assert one.prefix_hash == ""


def test_the_start_of_a_prompt_is_its_system_prompt_and_tools() -> None:
    first = asked(messages=turns("one", system="s" * 900))
    second = asked(messages=turns("another", "and more", system="s" * 900))
    third = asked(messages=turns("one", system="t" * 900))

    assert first.prefix_hash == second.prefix_hash != third.prefix_hash
    assert first.request_hash != second.request_hash
    assert 80 <= first.prefix_tokens <= 100  # the prompt has 100 tokens, nearly all at its start
    assert second.prefix_tokens <= first.prefix_tokens


@pytest.mark.parametrize(
    "request_body",
    [
        {"max_tokens": 500},
        {"max_completion_tokens": 500, "max_tokens": 7},
        {"generationConfig": {"maxOutputTokens": 500}},
        {"inferenceConfig": {"maxTokens": 500}},
    ],
)
def test_the_limit_of_a_request_is_kept(request_body: dict[str, object]) -> None:
    assert asked(**request_body).max_output == 500


@pytest.mark.parametrize("limit", [True, -5, "500", 0, 10**40])
def test_a_limit_that_is_none_is_passed_over(limit: object) -> None:
    assert asked(max_tokens=limit).max_output is None


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ({"level": "info"}, "no answer of a known provider in it"),
        ({"response": {**CHAT, "usage": {"prompt_tokens": -1}}}, "prompt_tokens is negative"),
        ({"response": '{"a":1,"a":2}'}, "the key a stands twice"),
        ({"response": CHAT, "cost": "much"}, "cost is not an amount"),
        ({"response": CHAT, "cost": -1}, "cost is not an amount"),
    ],
)
def test_a_line_that_cannot_be_counted_is_refused(line: dict[str, object], reason: str) -> None:
    with pytest.raises(Rejected, match=reason):
        envelope.parse(line)


def test_a_line_may_have_hashes_of_its_request_itself() -> None:
    found = row(response=CHAT, request_hash="abc-1", prefix_hash="p1", prefix_tokens=60)

    assert (found.request_hash, found.prefix_hash, found.prefix_tokens) == ("abc-1", "p1", 60)


def test_a_text_in_place_of_a_hash_is_hashed() -> None:
    found = row(response=CHAT, request_hash=SECRET)

    assert len(found.request_hash) == 32
    assert SECRET not in repr(found)


@pytest.mark.parametrize("tokens", [-1, True, "60", 10**40, 1.5])
def test_impossible_prefix_tokens_are_refused(tokens: object) -> None:
    with pytest.raises(Rejected, match="prefix_tokens"):
        row(response=CHAT, prefix_tokens=tokens)


def test_a_request_that_nothing_can_hash_has_no_hash() -> None:
    deep: object = "x"
    for _ in range(100_000):
        deep = [deep]

    found = row(response=CHAT, request={"model": "gpt-4o", "system": deep, "messages": deep})

    assert (found.request_hash, found.prefix_tokens) == ("", 0)
