"""Whatever a provider's counts are: the classes add up to its own totals, each token once."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sdlc_cli.cost.model import INPUTS, OUTPUTS, TOKENS, Rejected, Row
from sdlc_cli.cost.readers import anthropic, bedrock, gemini, openai_chat, openai_responses

COUNT = st.integers(0, 10**7)


def parts(total: int, count: int) -> st.SearchStrategy[list[int]]:
    """Parts of a total that together do not exceed it."""
    cuts = st.lists(st.integers(0, total), min_size=count, max_size=count).map(sorted)
    return cuts.map(lambda at: [high - low for low, high in zip([0, *at], at, strict=False)])


def sums(row: Row) -> tuple[int, int]:
    assert all(getattr(row, name) >= 0 for name in TOKENS)
    return sum(getattr(row, n) for n in INPUTS), sum(getattr(row, n) for n in OUTPUTS)


@given(COUNT, COUNT, st.data())
def test_chat_and_responses(total_in: int, total_out: int, data: st.DataObject) -> None:
    read, write = data.draw(parts(total_in, 2))
    audio, image = data.draw(parts(total_in, 2))
    reasoning, audio_out, image_out = data.draw(parts(total_out, 3))
    details_in = {
        "cached_tokens": read,
        "cache_write_tokens": write,
        "audio_tokens": audio,
        "image_tokens": image,
    }
    details_out = {
        "reasoning_tokens": reasoning,
        "audio_tokens": audio_out,
        "image_tokens": image_out,
    }
    chat = {
        "prompt_tokens": total_in,
        "completion_tokens": total_out,
        "total_tokens": total_in + total_out,
        "prompt_tokens_details": details_in,
        "completion_tokens_details": details_out,
    }
    kept = data.draw(st.fixed_dictionaries({"audio_tokens": COUNT, "image_tokens": COUNT}))
    response = {
        "input_tokens": total_in,
        "output_tokens": total_out,
        "input_tokens_details": {**details_in, "cached_tokens_details": kept},
        "output_tokens_details": details_out,
    }

    (one,) = openai_chat.parse({"object": "chat.completion", "usage": chat})
    assert sums(one) == (total_in, total_out)
    assert one.cache_read + one.audio_cached <= read
    try:
        (two,) = openai_responses.parse({"object": "response", "usage": response})
    except Rejected:
        return  # more audio from the cache than can be: kept is drawn freely
    assert sums(two) == (total_in, total_out)


@given(COUNT, COUNT, COUNT, COUNT, st.data())
def test_gemini(
    prompt: int, candidates: int, thoughts: int, tool: int, data: st.DataObject
) -> None:
    sent = data.draw(parts(prompt, 3))
    kept = [data.draw(st.integers(0, count)) for count in sent]
    made = data.draw(parts(candidates, 2))

    def listed(counts: list[int]) -> list[dict[str, object]]:
        names = ("AUDIO", "IMAGE", "TEXT")
        return [{"modality": name, "tokenCount": n} for name, n in zip(names, counts, strict=False)]

    usage = {
        "promptTokenCount": prompt,
        "cachedContentTokenCount": sum(kept),
        "candidatesTokenCount": candidates,
        "thoughtsTokenCount": thoughts,
        "toolUsePromptTokenCount": tool,
        "promptTokensDetails": listed(sent),
        "cacheTokensDetails": listed(kept),
        "candidatesTokensDetails": listed(made),
    }
    (row,) = gemini.parse({"usageMetadata": usage})

    assert sums(row) == (prompt + tool, candidates + thoughts)
    assert row.cache_read + row.audio_cached == sum(kept)
    assert (row.audio_cached, row.audio_in) == (kept[0], sent[0] - kept[0])


@given(COUNT, COUNT, COUNT, COUNT, st.data())
def test_anthropic_and_bedrock(
    fresh: int, read: int, written: int, output: int, data: st.DataObject
) -> None:
    hour, minutes = data.draw(parts(written, 2))
    thinking = data.draw(st.integers(0, output))
    kept = {"ephemeral_1h_input_tokens": hour, "ephemeral_5m_input_tokens": minutes}
    (one,) = anthropic.parse(
        {
            "type": "message",
            "role": "assistant",
            "usage": {
                "input_tokens": fresh,
                "cache_read_input_tokens": read,
                "cache_creation_input_tokens": written,
                "cache_creation": kept,
                "output_tokens": output,
                "output_tokens_details": {"thinking_tokens": thinking},
            },
        }
    )
    details = [{"ttl": "1h", "inputTokens": hour}, {"ttl": "5m", "inputTokens": minutes}]
    (two,) = bedrock.parse(
        {
            "usage": {
                "inputTokens": fresh,
                "outputTokens": output,
                "cacheReadInputTokens": read,
                "cacheWriteInputTokens": written,
                "cacheDetails": details,
            }
        }
    )

    assert sums(one) == sums(two) == (fresh + read + written, output)
    assert one.cache_write_1h == two.cache_write_1h == hour


NAMES = st.sampled_from(
    [
        *("prompt_tokens", "completion_tokens", "total_tokens", "cached_tokens", "audio_tokens"),
        *("prompt_tokens_details", "completion_tokens_details", "reasoning_tokens", "cost"),
        *("input_tokens", "output_tokens", "input_tokens_details", "output_tokens_details"),
        *("cache_creation", "cache_creation_input_tokens", "server_tool_use", "service_tier"),
        *("inputTokens", "outputTokens", "cacheDetails", "promptTokenCount", "serviceTier"),
        *("promptTokensDetails", "candidatesTokenCount", "trafficType", "thoughtsTokenCount"),
    ]
)
LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.text(max_size=3),
    st.integers(-3, 10),
    st.sampled_from([2**53, 0.5]),
)
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=6,
)


@pytest.mark.parametrize(
    "body",
    [
        {"object": "chat.completion"},
        {"object": "response"},
        {"type": "message", "role": "assistant"},
        {"type": "message_start"},
    ],
)
@given(usage=st.dictionaries(NAMES, VALUES, max_size=6))
def test_strange_usage_is_counted_or_refused(
    body: dict[str, object], usage: dict[str, object]
) -> None:
    for record in ({**body, "usage": usage}, {"usageMetadata": usage}, {"usage": usage}):
        for parse in (
            openai_chat.parse,
            openai_responses.parse,
            anthropic.STREAM.start(),
            gemini.parse,
            bedrock.parse,
        ):
            try:
                rows = list(parse(record))
            except Rejected:
                continue
            assert all(getattr(row, name) >= 0 for row in rows for name in TOKENS)
