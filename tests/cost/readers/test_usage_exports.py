"""What OpenAI and Anthropic export of their own books."""

from decimal import Decimal

import pytest

from sdlc_cli.cost.model import Rejected, Row
from sdlc_cli.cost.readers import (
    Record,
    anthropic_costs,
    anthropic_usage,
    openai_costs,
    openai_usage,
)
from sdlc_cli.cost.readers.detect import detect

OPENAI: Record = {
    "object": "organization.usage.completions.result",
    "input_tokens": 1_000,
    "input_cached_tokens": 600,
    "output_tokens": 100,
    "num_model_requests": 5,
    "project_id": "proj_1",
    "user_id": None,
    "api_key_id": "key_1",
    "model": "gpt-4o-2024-08-06",
    "batch": False,
}
ANTHROPIC: Record = {
    "uncached_input_tokens": 1_500,
    "cache_creation": {"ephemeral_1h_input_tokens": 1_000, "ephemeral_5m_input_tokens": 500},
    "cache_read_input_tokens": 200,
    "output_tokens": 500,
    "server_tool_use": {"web_search_requests": 10},
    "api_key_id": "apikey_1",
    "workspace_id": "wrkspc_1",
    "model": "claude-sonnet-4-20250514",
    "service_tier": "standard",
    "context_window": "0-200k",
}


def openai(*results: object) -> Record:
    times = {"start_time": 1_730_419_200, "end_time": 1_730_505_600}
    return {"object": "bucket", **times, "results": list(results)}


def anthropic(*results: object) -> Record:
    times = {"starting_at": "2025-08-01T00:00:00Z", "ending_at": "2025-08-02T00:00:00Z"}
    return {**times, "results": list(results)}


def rows(record: Record) -> list[Row]:
    form = openai_usage.FORMAT if "object" in record else anthropic_usage.FORMAT
    assert detect([record]) is form
    return list(form.start()(record))


def test_openais_input_contains_the_cached_tokens_and_a_row_is_many_calls() -> None:
    (row,) = rows(openai(OPENAI))

    assert (row.input, row.cache_read, row.output, row.calls) == (400, 600, 100, 5)
    assert (row.project, row.key, row.model) == ("proj_1", "key_1", "gpt-4o-2024-08-06")
    assert (row.ts, row.tier) == (1_730_419_200_000_000, "")


def test_openais_batches_are_at_the_batch_tier() -> None:
    (batch,) = rows(openai({**OPENAI, "batch": True}))
    (flex,) = rows(openai({**OPENAI, "service_tier": "flex"}))

    assert (batch.tier, flex.tier) == ("batch", "flex")


def test_openais_counts_by_kind_exclude_the_cache_where_it_has_counts_of_its_own() -> None:
    (row,) = rows(
        openai(
            {
                **OPENAI,
                "input_uncached_tokens": 300,
                "input_cache_write_tokens": 100,
                "input_text_tokens": 180,
                "input_audio_tokens": 70,
                "input_image_tokens": 50,
                "input_cached_audio_tokens": 20,
                "output_audio_tokens": 40,
            }
        )
    )

    assert (row.input, row.audio_in, row.image_in) == (180, 70, 50)
    assert (row.cache_read, row.audio_cached, row.cache_write_5m) == (580, 20, 100)
    assert (row.output, row.audio_out) == (60, 40)


def test_openais_older_counts_by_kind_include_the_cache() -> None:
    (row,) = rows(openai({**OPENAI, "input_audio_tokens": 500}))

    assert (row.input, row.audio_in, row.cache_read, row.audio_cached) == (0, 400, 500, 100)


def test_equal_buckets_of_two_exports_are_one_and_other_groups_are_not() -> None:
    first, other = rows(openai(OPENAI, {**OPENAI, "model": "gpt-4o-mini"}))
    (again,) = rows(openai(OPENAI))

    assert first.dedupe == again.dedupe != other.dedupe


def test_anthropics_classes_are_disjoint_already() -> None:
    (row,) = rows(anthropic(ANTHROPIC))

    assert (row.input, row.cache_read, row.output) == (1_500, 200, 500)
    assert (row.cache_write_5m, row.cache_write_1h, row.web_searches) == (500, 1_000, 10)
    assert (row.project, row.key, row.provider) == ("wrkspc_1", "apikey_1", "anthropic")


def test_a_sum_of_anthropics_short_calls_is_not_taken_for_one_long_call() -> None:
    (short,) = rows(anthropic(ANTHROPIC))
    (long,) = rows(anthropic({**ANTHROPIC, "context_window": "200k-1M"}))

    assert (short.calls, long.calls) == (0, 1)


def test_empty_buckets_have_no_rows() -> None:
    assert rows(openai()) == []
    assert rows(anthropic({"uncached_input_tokens": 0, "output_tokens": 0})) == []


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        (openai({**OPENAI, "input_tokens": "7"}), "input_tokens"),
        (openai({**OPENAI, "input_cached_tokens": 7_000}), "cached"),
        (openai({"object": "organization.usage.images.result", "images": 3}), "images"),
        (anthropic({**ANTHROPIC, "output_tokens": True}), "output_tokens"),
        (anthropic({"model": "x"}), "no token counts"),
    ],
)
def test_a_bad_result_is_refused_and_costs_no_other_of_its_bucket(
    record: Record, reason: str
) -> None:
    form = openai_usage.FORMAT if "object" in record else anthropic_usage.FORMAT
    results = record["results"]
    assert isinstance(results, list)
    good = OPENAI if "object" in record else ANTHROPIC
    found: list[Row] = []

    with pytest.raises(Rejected, match=reason):
        found.extend(form.start()({**record, "results": [*results, good]}))

    assert len(found) == 1


OPENAI_COST: Record = {
    "object": "organization.costs.result",
    "amount": {"value": Decimal("0.13080438"), "currency": "usd"},
    "line_item": "gpt-4o-2024-08-06, cached input",
    "project_id": "proj_1",
}
ANTHROPIC_COST: Record = {
    "currency": "USD",
    "amount": "123.45",
    "workspace_id": "wrkspc_1",
    "description": None,
    "cost_type": "tokens",
    "model": "claude-sonnet-4-20250514",
    "service_tier": "batch",
}


def bill(record: Record) -> list[Row]:
    form = openai_costs.FORMAT if "object" in record else anthropic_costs.FORMAT
    assert detect([record]) is form
    assert form.bill is not None
    return list(form.bill()(record))


def test_openais_costs_are_lines_of_dollars_by_model() -> None:
    (row,) = bill(openai(OPENAI_COST))

    assert (row.model, row.project, row.logged_pico) == (
        "gpt-4o-2024-08-06", "proj_1", 130_804_380_000,
    )  # fmt: skip
    assert (row.known, row.calls) == (False, 0)


def test_anthropics_costs_are_in_cents() -> None:
    (row,) = bill(anthropic(ANTHROPIC_COST))

    assert (row.logged_pico, row.tier) == (1_234_500_000_000, "batch")


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        (openai({**OPENAI_COST, "amount": {"value": 1, "currency": "eur"}}), "US dollars"),
        (openai({**OPENAI_COST, "amount": {"value": True}}), "not an amount"),
        (openai({**OPENAI_COST, "amount": {}}), "not an amount"),
        (anthropic({**ANTHROPIC_COST, "amount": "1,5"}), "not an amount"),
        (anthropic({**ANTHROPIC_COST, "amount": "-3"}), "not an amount"),
        (anthropic({**ANTHROPIC_COST, "currency": "EUR"}), "US dollars"),
    ],
)
def test_an_amount_that_is_none_is_refused(record: Record, reason: str) -> None:
    with pytest.raises(Rejected) as refused:
        bill(record)

    assert reason in str(refused.value.reason)


@pytest.mark.parametrize("record", [openai(OPENAI_COST), anthropic(ANTHROPIC_COST)])
def test_a_bill_is_never_counted_as_calls(record: Record) -> None:
    form = detect([record])
    assert form is not None

    with pytest.raises(Rejected) as refused:
        list(form.start()(record))

    assert "sdlc cost reconcile" in str(refused.value.reason)
