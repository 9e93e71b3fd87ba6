"""Names mean the same to us as to genai-prices, which the catalogue comes from."""

import pytest
from genai_prices.data_snapshot import get_snapshot

from sdlc_cli.cost.prices import load
from sdlc_cli.cost.prices.match import fits, model_named, provider_named, provider_of
from sdlc_cli.cost.prices.names import look_up

Found = tuple[str, str] | None

SNAPSHOT = get_snapshot()
CATALOGUE = load.catalogue()
IDS = sorted({model.id for provider in SNAPSHOT.providers for model in provider.models})
WRITTEN = [
    "GPT-4o",
    "gpt-4o-2024-08-06",
    "gpt-5.2-20251211",
    "gpt-5.2-20259999",
    "claude-sonnet-4-5-20250929",
    "claude-3-5-sonnet-20241022",
    "anthropic.claude-3-5-sonnet-20241022-v2:0",
    "us.anthropic.claude-sonnet-4-5-20250929-v1:0",
    "gemini-2.5-flash-preview-05-20",
    "models/gemini-2.5-flash",
    "ft:gpt-4o-mini-2024-07-18:org::id",
    "open-mistral-7b",
    "labs-devstral-small-2512",
    "MiniMax-M2",
    "system.ai.claude",
    "o3-mini",
    "o5",
    "",
    "no-such-model",
]
PROVIDERS = [
    *sorted(provider.id for provider in SNAPSHOT.providers),
    "Anthropic",
    " openai ",
    "bedrock",
    "vertex_ai",
    "together_ai",
    "xai",
    "huggingface-together",
    "nobody",
]


def theirs(provider: str | None, name: str) -> Found:
    try:
        found, model = SNAPSHOT.find_provider_model(name, None, provider, None)
    except LookupError:
        return None
    return found.id, model.id


def ours(provider: str | None, name: str) -> Found:
    owner = (
        provider_of(CATALOGUE, name) if provider is None else provider_named(CATALOGUE, provider)
    )
    found = model_named(CATALOGUE, owner, name) if owner else None
    return (owner.id, found[1].id) if owner and found else None


def test_every_model_id_alone_means_the_same() -> None:
    names = IDS + WRITTEN

    assert [ours(None, name) for name in names] == [theirs(None, name) for name in names]


@pytest.mark.parametrize("provider", PROVIDERS)
def test_names_mean_the_same_at_every_provider(provider: str) -> None:
    names = IDS[len(provider) % 7 :: 7] + WRITTEN

    assert [ours(provider, name) for name in names] == [theirs(provider, name) for name in names]


def test_every_model_is_found_by_its_id_where_it_is_sold() -> None:
    for provider in SNAPSHOT.providers:
        for model in provider.models:
            name = look_up(CATALOGUE, provider.id, model.id)
            found = (name.provider, name.entry.id) if name.entry else None

            assert found == theirs(provider.id, model.id)


def test_no_clause_describes_nothing() -> None:
    assert not fits(None, "gpt-4o")
    assert not fits(load.Clause(), "gpt-4o")
