import pytest

from sdlc_cli.cost.prices import load
from sdlc_cli.cost.prices.names import LOCAL, look_up

CATALOGUE = load.catalogue()
BEDROCK_SONNET = "aws/regional.anthropic.claude-3-5-sonnet-20241022-v2:0"


@pytest.mark.parametrize(
    ("provider", "model", "expected"),
    [
        pytest.param("openai", "gpt-4o-2024-08-06", "openai/gpt-4o", id="dated"),
        pytest.param("", "gpt-5.2-20251211", "openai/gpt-5.2", id="dated without dashes"),
        pytest.param("OpenAI", " GPT-4o ", "openai/gpt-4o", id="upper case and blanks"),
        pytest.param("", "openai/gpt-4o", "openai/gpt-4o", id="provider before a slash"),
        pytest.param("litellm_proxy", "openai/gpt-4o", "openai/gpt-4o", id="a gateway's name"),
        pytest.param("openai", "anthropic/claude-sonnet-4-5", "anthropic/claude-sonnet-4-5"),
        pytest.param(
            "", "openrouter/anthropic/claude-3.5-sonnet", "openrouter/anthropic/claude-3.5-sonnet"
        ),
        pytest.param(
            "openrouter",
            "anthropic/claude-sonnet-4.5:online",
            "openrouter/anthropic/claude-sonnet-4.5",
        ),
        pytest.param("groq", "groq/llama-3.3-70b-versatile", "groq/llama-3.3-70b-versatile"),
        pytest.param("google_genai", "models/gemini-2.5-flash", "google/gemini-2.5-flash"),
        pytest.param("gcp.gemini", "gemini-2.5-pro", "google/gemini-2.5-pro"),
        pytest.param("vertex_ai", "claude-sonnet-4-5@20250929", "google/claude-sonnet-4-5"),
        pytest.param(
            "vertex_ai-anthropic_models", "vertex_ai/claude-sonnet-4-5", "google/claude-sonnet-4-5"
        ),
        pytest.param(
            "gcp.vertex_ai",
            "projects/p/locations/us-central1/publishers/google/models/gemini-2.5-pro",
            "google/gemini-2.5-pro",
            id="a path of Vertex",
        ),
        pytest.param("", "anthropic.claude-3-5-sonnet-20241022-v2:0", BEDROCK_SONNET),
        pytest.param("", "us.anthropic.claude-3-5-sonnet-20241022-v2:0", BEDROCK_SONNET),
        pytest.param("aws.bedrock", "eu.amazon.nova-pro-v1:0", "aws/amazon.nova-pro-v1:0"),
        pytest.param("", "bedrock/us-east-1/amazon.nova-pro-v1:0", "aws/amazon.nova-pro-v1:0"),
        pytest.param(
            "aws.bedrock",
            "arn:aws:bedrock:us-east-1:123456789012:inference-profile/"
            "us.anthropic.claude-3-5-sonnet-20241022-v2:0",
            BEDROCK_SONNET,
            id="the ARN of an inference profile",
        ),
        pytest.param(
            "",
            "arn:aws:bedrock:eu-west-1::foundation-model/amazon.nova-lite-v1:0",
            "aws/amazon.nova-lite-v1:0",
        ),
        pytest.param("azure_openai", "gpt-4o", "azure/gpt-4o"),
        pytest.param("az.ai.openai", "gpt-4o-2024-11-20", "azure/gpt-4o"),
        pytest.param("azure", "gpt-35-turbo", "azure/gpt-3.5-turbo", id="Azure writes 35 for 3.5"),
        pytest.param("xai", "grok-4", "x-ai/grok-4-0709"),
        pytest.param("mistral_ai", "mistral-large-latest", "mistral/mistral-large"),
        pytest.param("", "claude-sonnet-4-5[1m]", "anthropic/claude-sonnet-4-5"),
        pytest.param(
            "", "text-embedding-3-small", "openai/text-embedding-3-small", id="one maker has it"
        ),
        pytest.param("openai", "ft:gpt-4o-mini-2024-07-18:org::id", "openai/ft:gpt-4o-mini"),
        pytest.param("", "ft:gpt-4o-2024-08-06:org:name:id", "openai/ft:gpt-4o"),
        pytest.param("azure", "gpt-4o-mini-2024-07-18.ft-0a1", "azure/gpt-4o-mini-2024-07-18.ft"),
    ],
)
def test_a_logged_name_means_a_model(provider: str, model: str, expected: str) -> None:
    name = look_up(CATALOGUE, provider, model)

    assert f"{name.provider}/{name.model}" == expected
    assert name.entry is not None
    assert name.reason is None


@pytest.mark.parametrize(
    ("provider", "model", "reason"),
    [
        ("openai", "ft:gpt-4.1-2025-04-14:org::id", "fine-tuned model without a price of its own"),
        ("azure", "gpt-4o-2024-08-06.ft-0a1", "fine-tuned model without a price of its own"),
        ("google", "tunedModels/my-gemini-2.5-flash", "fine-tuned model without a price"),
        ("openai", "gpt-4o-turbo-max", r"has no such model .*the nearest: gpt-4"),
        ("azure", "our-deployment", "azure has no such model"),
        ("acme", "gpt-4o", "'acme' is no provider"),
        ("", "meta-llama/Llama-3.1-8B-Instruct", "no provider is named"),
        ("ollama", "llama3.1:8b", "runs on your own machine"),
        ("openai", "", "no model is named"),
        (
            "aws.bedrock",
            "arn:aws:bedrock:us-east-1:1:application-inference-profile/abc123",
            "application-inference-profile does not tell its model",
        ),
    ],
)
def test_what_cannot_be_told_has_a_reason(provider: str, model: str, reason: str) -> None:
    import re

    name = look_up(CATALOGUE, provider, model)

    assert name.entry is None
    assert re.search(reason, str(name.reason))


@pytest.mark.parametrize("provider", sorted(LOCAL))
def test_no_local_server_is_taken_for_a_provider(provider: str) -> None:
    assert look_up(CATALOGUE, provider, "gpt-4o").entry is None


@pytest.mark.parametrize(
    ("aliases", "provider", "expected"),
    [
        ({"our-deployment": "gpt-4o"}, "azure", "azure/gpt-4o"),
        ({"Our-Deployment": "openai/gpt-4o"}, "azure", "openai/gpt-4o"),
        (
            {"azure/our-deployment": "gpt-4o-mini", "our-deployment": "gpt-4o"},
            "azure",
            "azure/gpt-4o-mini",
        ),
        ({"our-deployment": "anthropic/claude-sonnet-4-5"}, "", "anthropic/claude-sonnet-4-5"),
    ],
)
def test_an_alias_says_what_a_deployment_is(
    aliases: dict[str, str], provider: str, expected: str
) -> None:
    name = look_up(CATALOGUE, provider, "our-deployment", aliases)

    assert f"{name.provider}/{name.model}" == expected
    assert name.logged == "our-deployment"
