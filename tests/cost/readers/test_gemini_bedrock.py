"""Answers of Gemini and Bedrock: tokens by class, and what is refused."""

from collections.abc import Mapping

import pytest

from sdlc_cli.cost.model import TOKENS, Rejected, Row
from sdlc_cli.cost.readers import bedrock, gemini

Usage = Mapping[str, object]


def classes(row: Row) -> dict[str, int]:
    """The classes that are not empty."""
    return {name: getattr(row, name) for name in TOKENS if getattr(row, name)}


@pytest.mark.parametrize(
    ("usage", "expected"),
    [
        pytest.param(
            {
                "promptTokenCount": 34,
                "candidatesTokenCount": 418,
                "thoughtsTokenCount": 438,
                "totalTokenCount": 890,
            },
            {"input": 34, "output": 418, "reasoning": 438},
            id="thoughts are outside the candidates",
        ),
        pytest.param(
            {
                "promptTokenCount": 100,
                "toolUsePromptTokenCount": 20,
                "cachedContentTokenCount": 60,
                "candidatesTokenCount": 5,
            },
            {"input": 60, "cache_read": 60, "output": 5},
            id="cached is inside the prompt, tools outside",
        ),
        pytest.param(
            {
                "promptTokenCount": 100,
                "cachedContentTokenCount": 50,
                "promptTokensDetails": [
                    {"modality": "TEXT", "tokenCount": 20},
                    {"modality": "AUDIO", "tokenCount": 60},
                    {"modality": "IMAGE", "tokenCount": 20},
                ],
                "cacheTokensDetails": [
                    {"modality": "AUDIO", "tokenCount": 30},
                    {"modality": "IMAGE", "tokenCount": 15},
                    {"modality": "TEXT", "tokenCount": 5},
                ],
                "candidatesTokenCount": 9,
                "candidatesTokensDetails": [
                    {"modality": "AUDIO", "tokenCount": 3},
                    {"modality": "IMAGE", "tokenCount": 4},
                ],
            },
            {
                "input": 15,
                "cache_read": 20,
                "audio_in": 30,
                "audio_cached": 30,
                "image_in": 5,
                "output": 2,
                "audio_out": 3,
                "image_out": 4,
            },
            id="by modality",
        ),
        pytest.param(
            {
                "promptTokenCount": 120,
                "promptTokensDetails": [{"modality": "AUDIO", "tokenCount": 100}],
                "responseTokenCount": 30,
                "responseTokensDetails": [{"modality": "AUDIO", "tokenCount": 25}],
            },
            {"input": 20, "audio_in": 100, "output": 5, "audio_out": 25},
            id="the Live API",
        ),
    ],
)
def test_gemini_counts_each_token_once(usage: Usage, expected: Usage) -> None:
    (row,) = gemini.parse({"usageMetadata": usage, "modelVersion": "gemini", "responseId": "r"})

    assert classes(row) == expected
    assert (row.provider, row.model, row.dedupe) == ("google", "gemini", "r")


@pytest.mark.parametrize(
    ("usage", "reason"),
    [
        ({"promptTokenCount": 1, "cachedContentTokenCount": 2}, "more cached tokens"),
        (
            {
                "promptTokenCount": 1,
                "promptTokensDetails": [{"modality": "AUDIO", "tokenCount": 2}],
            },
            "more audio and image tokens",
        ),
        (
            {
                "candidatesTokenCount": 1,
                "candidatesTokensDetails": [{"modality": "AUDIO", "tokenCount": 2}],
            },
            "details by modality exceed",
        ),
        ({"promptTokensDetails": {"AUDIO": 1}}, "promptTokensDetails is not a list"),
        ({"promptTokenCount": "7"}, "promptTokenCount is not a number"),
    ],
)
def test_gemini_refuses_counts_that_cannot_be(usage: Usage, reason: str) -> None:
    with pytest.raises(Rejected, match=reason):
        gemini.parse({"usageMetadata": usage})


@pytest.mark.parametrize(
    ("usage", "tier"),
    [
        ({"trafficType": "ON_DEMAND"}, ""),
        ({"trafficType": "PROVISIONED_THROUGHPUT"}, "provisioned"),
        ({"trafficType": "ON_DEMAND_FLEX"}, "flex"),
        ({"serviceTier": "standard"}, ""),
        ({"serviceTier": "PRIORITY"}, "priority"),
    ],
)
def test_gemini_tells_who_paid(usage: Usage, tier: str) -> None:
    (row,) = gemini.parse({"usageMetadata": {"promptTokenCount": 1, **usage}})

    assert row.tier == tier


def test_a_piece_of_geminis_stream_without_usage_counts_only_where_it_ends() -> None:
    piece: dict[str, object] = {"candidates": [{"index": 0}], "responseId": "r"}
    end = {"candidates": [{"index": 0, "finishReason": "STOP"}], "responseId": "r"}

    assert gemini.parse(piece) == ()
    assert [row.known for row in gemini.parse(end)] == [False]


def test_bedrock_counts_each_token_once() -> None:
    (row,) = bedrock.parse(
        {
            "ResponseMetadata": {
                "RequestId": "4a9c",
                "HTTPHeaders": {"date": "Mon, 03 Nov 2025 09:15:02 GMT"},
            },
            "usage": {
                "inputTokens": 30,
                "outputTokens": 628,
                "cacheReadInputTokens": 1024,
                "cacheWriteInputTokens": 512,
                "cacheDetails": [
                    {"ttl": "1h", "inputTokens": 500},
                    {"ttl": "5m", "inputTokens": 12},
                ],
            },
            "serviceTier": {"type": "flex"},
        }
    )

    assert classes(row) == {
        "input": 30,
        "cache_read": 1024,
        "cache_write_5m": 12,
        "cache_write_1h": 500,
        "output": 628,
    }
    assert (row.dedupe, row.tier, row.ts) == ("4a9c", "flex", 1762161302_000_000)


def test_bedrock_refuses_details_that_exceed_their_total() -> None:
    usage = {"inputTokens": 1, "cacheDetails": [{"ttl": "1h", "inputTokens": 5}]}

    with pytest.raises(Rejected, match="cacheDetails exceed"):
        bedrock.parse({"usage": usage})


def test_the_end_of_a_bedrock_stream_is_a_call() -> None:
    usage = {"inputTokens": 3, "outputTokens": 4}
    (row,) = bedrock.parse({"metadata": {"usage": usage, "metrics": {"latencyMs": 1}}})

    assert classes(row) == {"input": 3, "output": 4}
    assert row.dedupe == ""
