import pytest

from sdlc_cli.cost.prices.family import family, generation, make


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        ("claude-sonnet-4-5", "claude-sonnet"),
        ("claude-3-5-sonnet-20241022", "claude-sonnet"),
        ("regional.anthropic.claude-3-5-sonnet-20241022-v2:0", "claude-sonnet"),
        ("anthropic/claude-3.5-sonnet", "claude-sonnet"),
        ("gpt-4o", "gpt"),
        ("gpt-4o-mini-2024-07-18", "gpt-mini"),
        ("gpt-5-nano", "gpt-nano"),
        ("o3-mini", "o-mini"),
        ("gemini-2.5-flash-lite-preview-09-2025", "gemini-flash-lite"),
        ("meta-llama/Llama-3.1-8B-Instruct", "llama-8b"),
        ("mixtral-8x7b-instruct-v0:1", "mixtral-8x7b"),
        ("qwen2.5-1.5b", "qwen-1.5b"),
        ("command-r-plus-08-2024", "command-r-plus"),
        ("ft:gpt-4o-mini-2024-07-18:org::id", "ft-gpt-mini"),
        ("gpt-4o-mini-2024-07-18.ft", "ft-gpt-mini"),
        ("4.5", ""),
        ("", ""),
    ],
)
def test_a_family_is_the_name_without_what_releases_change(model: str, expected: str) -> None:
    assert family(model) == expected


@pytest.mark.parametrize(
    ("model", "other", "same"),
    [
        ("gpt-4o", "gpt-4o-mini", True),
        ("claude-opus-4-5", "claude-haiku-4-5", True),
        ("gpt-4o", "gpt-4o-audio-preview", False),
        ("gpt-4o", "ft:gpt-4o-mini", False),
        ("gpt-4o", "o3-mini", False),
        ("gemini-2.5-pro", "gemini-embedding-2", False),
    ],
)
def test_only_models_of_one_line_and_purpose_stand_in_for_each_other(
    model: str, other: str, same: bool
) -> None:
    assert (make(model) == make(other)) is same


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        ("claude-sonnet-4-5-20250929", (4, 5)),
        ("regional.anthropic.claude-3-5-sonnet-20241022-v2:0", (3, 5)),
        ("gpt-4o-2024-05-13", (4,)),
        ("gpt-4.1-mini", (4, 1)),
        ("gpt-4-32k", (4,)),
        ("gpt-4-0613", (4,)),
        ("o3", (3,)),
        ("gemini-2.5-flash-lite-preview-09-2025", (2, 5)),
        ("mistral-small-3.1-24b-instruct", (3, 1)),
        ("mistral-large-2512", ()),
        ("mistral-large-latest", ()),
        ("", ()),
    ],
)
def test_a_generation_is_the_version_in_a_name(model: str, expected: tuple[int, ...]) -> None:
    assert generation(model) == expected
