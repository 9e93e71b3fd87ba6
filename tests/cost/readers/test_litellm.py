"""LiteLLM's spend logs and logging payloads."""

import json
from datetime import datetime
from decimal import Decimal

import pytest

from sdlc_cli.cost.model import TOKENS, Rejected, Row
from sdlc_cli.cost.readers import litellm_json, litellm_spend, strict

SPEND: dict[str, object] = {
    "request_id": "chatcmpl-1",
    "startTime": "2025-11-03T09:15:02.125000+00:00",
    "model": "gpt-4o-mini",
    "custom_llm_provider": "openai",
    "prompt_tokens": 2006,
    "completion_tokens": 300,
    "spend": Decimal("0.0003369"),
    "cache_hit": "False",
    "team_id": "team-shop",
    "end_user": "ada",
    "user": "svc",
    "request_tags": ["env:prod"],
    "status": "success",
    "metadata": {},
}
PAYLOAD: dict[str, object] = {
    "id": "chatcmpl-1",
    "startTime": Decimal("1762161302.125"),
    "model": "gpt-4o-mini",
    "custom_llm_provider": "openai",
    "prompt_tokens": 2006,
    "completion_tokens": 300,
    "response_cost": Decimal("0.0003369"),
    "cache_hit": False,
    "status": "success",
    "metadata": {},
}
CACHED = {"prompt_tokens_details": {"cached_tokens": 1920}}


def spend(**more: object) -> Row:
    (found,) = litellm_spend.parse({**SPEND, **more})
    return found


def payload(**more: object) -> Row:
    (found,) = litellm_json.parse({**PAYLOAD, **more})
    return found


def classes(row: Row) -> dict[str, int]:
    return {name: getattr(row, name) for name in TOKENS if getattr(row, name)}


def test_both_logs_tell_the_same_of_a_call() -> None:
    for found in (spend(), payload()):
        assert found.ts == 1762161302_125_000
        assert (found.provider, found.model, found.dedupe) == (
            "openai",
            "gpt-4o-mini",
            "chatcmpl-1",
        )
        assert classes(found) == {"input": 2006, "output": 300}
        assert found.logged_pico == 336_900_000


def test_the_prompt_includes_what_was_cached() -> None:
    about = {"usage_object": CACHED}

    for found in (spend(metadata=about), payload(metadata=about)):
        assert classes(found) == {"input": 86, "cache_read": 1920, "output": 300}


def test_a_prompt_smaller_than_its_cache_excludes_it() -> None:
    about = {"usage_object": {"cache_creation_input_tokens": 1253, "cache_read_input_tokens": 0}}

    assert classes(spend(prompt_tokens=31, metadata=about)) == {
        "input": 31,
        "cache_write_5m": 1253,
        "output": 300,
    }


def test_an_export_of_the_table_holds_json_as_text() -> None:
    found = spend(
        metadata=json.dumps({"usage_object": CACHED, "user_api_key_alias": "shop-key"}),
        request_tags='["env:test","beta"]',
        startTime=datetime(2025, 11, 3, 9, 15, 2, 125000),
    )

    assert found.cache_read == 1920
    assert found.ts == 1762161302_125_000
    assert found.tags == '{"beta":"true","env":"test","key":"shop-key"}'


def test_team_end_user_and_tags_tell_whose_it_is() -> None:
    found = spend()

    assert (found.key, found.user, found.tags) == ("team-shop", "ada", '{"env":"prod"}')
    assert spend(team_id=None, metadata={"user_api_key_alias": "k"}).key == "k"
    assert spend(team_id="", api_key="88dc").key == "88dc"
    assert spend(end_user=None).user == "svc"
    assert payload(metadata={"user_api_key_team_id": "t"}).key == "t"
    assert payload(metadata={"user_api_key_hash": "h"}).key == "h"
    assert payload(metadata={"user_api_key_end_user_id": "bob"}).user == "bob"


@pytest.mark.parametrize("hit", [True, "True", "true"])
def test_a_cache_hit_was_not_paid(hit: object) -> None:
    for found in (spend(cache_hit=hit), payload(cache_hit=hit)):
        assert (found.status, found.rank) == ("cached", -2)


@pytest.mark.parametrize("miss", [False, "False", "None", "", None])
def test_anything_else_is_no_cache_hit(miss: object) -> None:
    for found in (spend(cache_hit=miss), payload(cache_hit=miss)):
        assert found.status == "ok"


def test_a_failed_call_is_an_error() -> None:
    found = spend(status="failure", prompt_tokens=0, completion_tokens=0, spend=0)

    assert (found.status, found.rank, found.known) == ("error", -3, True)


def test_what_was_paid_for_without_tokens_is_unknown() -> None:
    assert not spend(prompt_tokens=0, completion_tokens=0, spend=Decimal("0.04")).known
    assert spend(prompt_tokens=0, completion_tokens=0, spend=0).known


@pytest.mark.parametrize(
    ("text", "pico"),
    [
        ("2.4750000000000002e-05", 24_750_000),
        ("0.1", 100_000_000_000),
        ("0", 0),
        ("1E-12", 1),
        ("0.0000000000005", 0),  # half a pico-dollar, to even
        ("null", None),
    ],
)
def test_money_is_exact_to_the_pico_dollar(text: str, pico: int | None) -> None:
    line = json.dumps({k: v for k, v in SPEND.items() if k != "spend"}, default=str)
    record = strict.decode(f'{line[:-1]}, "spend": {text}}}'.encode())
    assert isinstance(record, dict)
    (found,) = litellm_spend.parse(record)

    assert found.logged_pico == pico


@pytest.mark.parametrize("cost", [True, "much", -1, Decimal("1e30"), Decimal("1e999999")])
def test_money_that_is_none_refuses_the_record(cost: object) -> None:
    with pytest.raises(Rejected, match="spend is not an amount"):
        spend(spend=cost)
    with pytest.raises(Rejected, match="response_cost is not an amount"):
        payload(response_cost=cost)


def test_equal_messages_have_equal_hashes_unless_they_were_redacted() -> None:
    said = [{"role": "user", "content": "hello"}]
    one = payload(messages=said, model_parameters={"max_tokens": 5, "user": "a"})
    same = payload(messages=said, model_parameters={"user": "b", "max_tokens": 5})

    assert one.request_hash == same.request_hash != ""
    assert one.max_output == 5
    assert payload(messages="redacted-by-litellm").request_hash == ""


@pytest.mark.parametrize("parse", [litellm_spend.parse, litellm_json.parse])
def test_other_records_are_refused(parse: object) -> None:
    assert callable(parse)
    with pytest.raises(Rejected, match="LiteLLM"):
        parse({"request_id": "x"})
