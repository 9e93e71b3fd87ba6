"""A draft of a column map: right where names and numbers tell, honest where they do not."""

import contextlib
import string
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sdlc_cli.core.errors import NothingToDo
from sdlc_cli.cost import config
from sdlc_cli.cost.model import Rejected
from sdlc_cli.cost.options import Columns
from sdlc_cli.cost.readers import Record, mapped
from sdlc_cli.cost.readers.draft import columns

TIME = "2026-05-01T10:00:00Z"


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        pytest.param(
            {"TIMESTAMP": "2023-11-16 18:17:03.97", "ContextTokens": "4808", "GeneratedTokens": 10},
            Columns(ts="TIMESTAMP", input="ContextTokens", output="GeneratedTokens"),
            id="an arrival trace",
        ),
        pytest.param(
            {"timestamp": 27000, "input_length": 6758, "output_length": 500, "hash_ids": [0, 1]},
            Columns(
                ts="timestamp",
                ts_unit="ms",
                input="input_length",
                output="output_length",
                request_hash="hash_ids",
            ),
            id="offsets and block hashes",
        ),
        pytest.param(
            {
                "createdAt": TIME,
                "llmModel": "gpt-4o",
                "provider": "openai",
                "requestId": "r1",
                "usage": {"prompt_tokens": 10, "completion_tokens": 4, "total_tokens": 14},
                "cached_tokens": 3,
                "userId": "ann",
                "project": "shop",
                "costUSD": 0.1,
                "env": "prod",
                "latency_ms": 12,
            },
            Columns(
                ts="createdAt",
                model="llmModel",
                provider="provider",
                call_id="requestId",
                input="usage.prompt_tokens",
                output="usage.completion_tokens",
                cache_read="cached_tokens",
                input_includes_cache=True,
                user="userId",
                project="project",
                cost_usd="costUSD",
                tags={"env": "env"},
            ),
            id="a team's own log",
        ),
    ],
)
def test_columns_are_told_by_their_names_and_values(record: Record, expected: Columns) -> None:
    assert columns([record]).columns == expected


@pytest.mark.parametrize(
    ("record", "includes"),
    [
        ({"input_tokens": 10, "cached_tokens": 4, "output_tokens": 1, "total_tokens": 11}, True),
        ({"input_tokens": 10, "cached_tokens": 4, "output_tokens": 1, "total_tokens": 15}, False),
        ({"input_tokens": 3, "cached_tokens": 4, "output_tokens": 1}, False),
    ],
)
def test_whether_the_input_includes_the_cache_is_told_by_the_numbers(
    record: Record, includes: bool
) -> None:
    draft = columns([record])

    assert draft.columns is not None
    assert draft.columns.input_includes_cache is includes
    assert not any("includes" in note for note in draft.notes)


def test_a_guess_is_owned_up_to() -> None:
    draft = columns([{"input_tokens": 10, "cached_tokens": 4, "output_tokens": 1}])

    assert any("input_includes_cache" in note for note in draft.notes)
    assert "# the numbers do not tell whether input_includes_cache" in draft.yaml


def test_texts_are_no_counts_and_prompts_are_not_shown() -> None:
    draft = columns([{"input": "tell me", "output": "a secret", "ts": TIME}])

    assert draft.columns is None
    assert "secret" not in draft.yaml
    assert any("count of tokens" in note for note in draft.notes)


def test_the_draft_can_be_put_into_cost_yaml(tmp_path: Path) -> None:
    record = {"ts": TIME, "tokens in": 5, 'out"put': 1, "completion_tokens": 2, "yes": "x"}
    path = tmp_path / "cost.yaml"
    path.write_text("version: 1\n" + columns([record]).yaml, encoding="utf-8")

    told = config.load(path, tmp_path, {})

    assert told.columns is not None
    assert (told.columns.input, told.columns.output) == ("tokens in", "completion_tokens")


def test_a_sample_without_a_column_is_nothing_to_do() -> None:
    with pytest.raises(NothingToDo):
        columns([{}])


NAMES = st.one_of(
    st.sampled_from(
        (
            *("input_tokens", "output_tokens", "cached_tokens", "ts", "model", "id", "tags"),
            *("a.b", "${HOME}", "yes", "#", "- x", "a: b", "'", '"', "\n", "\x1b[31m", "ü"),
        )
    ),
    st.text(max_size=12),
    st.text(string.printable, max_size=12),
)
VALUES = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(),
        st.floats(),
        st.text(max_size=8),
        st.sampled_from((1, 100, TIME, "12")),
    ),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(NAMES, inner, max_size=3)),
    max_leaves=8,
)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.dictionaries(NAMES, VALUES, max_size=8), min_size=1, max_size=4))
def test_any_sample_gives_a_map_that_can_be_read_and_used(sample: list[Record]) -> None:
    try:
        draft = columns(sample)
    except NothingToDo:
        return
    if draft.columns is None:
        return
    parse = mapped.parser(draft.columns, table=True)
    for record in sample:
        with contextlib.suppress(Rejected):
            assert all(row.input >= 0 and row.output >= 0 for row in parse(record))
