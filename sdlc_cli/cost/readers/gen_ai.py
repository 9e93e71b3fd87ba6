"""The names of gen_ai attributes: of today's registry, of yesterday's, and of dialects.

Of each thing that a span tells, the name that the registry has today comes first, then those that
it had before and those of instrumentations. The first one that is there counts.
"""

from collections.abc import Iterable

import msgspec

from sdlc_cli.cost.readers import openinference
from sdlc_cli.cost.readers.spans import Attributes

_USAGE = "gen_ai.usage."

INPUT = (f"{_USAGE}input_tokens", f"{_USAGE}prompt_tokens", "llm.usage.prompt_tokens")
OUTPUT = (f"{_USAGE}output_tokens", f"{_USAGE}completion_tokens", "llm.usage.completion_tokens")
READ = tuple(
    _USAGE + name
    for name in (
        "cache_read.input_tokens",
        "cache_read_input_tokens",
        "cache_read_tokens",
        "input_tokens.cached",
        "cached_tokens",
        "cached_input_tokens",
        "details.cache_read_tokens",
        "details.cache_read_input_tokens",
        "details.cached_tokens",
    )
)
WRITE = tuple(
    _USAGE + name
    for name in (
        "cache_creation.input_tokens",
        "cache_write.input_tokens",
        "cache_creation_input_tokens",
        "cache_write_input_tokens",
        "cache_creation_tokens",
        "cache_write_tokens",
        "input_tokens.cache_write",
        "details.cache_write_tokens",
        "details.cache_creation_input_tokens",
    )
)
REASONING = tuple(
    _USAGE + name
    for name in (
        "reasoning.output_tokens",
        "output_tokens.reasoning",
        "reasoning_tokens",
        "reasoning_output_tokens",
        "details.reasoning_tokens",
    )
)
AUDIO_IN = (f"{_USAGE}audio.input_tokens", f"{_USAGE}details.input_audio_tokens")
IMAGE_IN = (f"{_USAGE}image.input_tokens",)
AUDIO_OUT = (f"{_USAGE}audio.output_tokens", f"{_USAGE}details.output_audio_tokens")
IMAGE_OUT = (f"{_USAGE}image.output_tokens",)

PROVIDER = ("gen_ai.provider.name", "gen_ai.system")
TIER = (
    "openai.response.service_tier",
    "gen_ai.openai.response.service_tier",
    "openai.request.service_tier",
    "gen_ai.openai.request.service_tier",
)
USER = ("user.id", "enduser.id", "user.name")
MODEL = ("gen_ai.response.model", "gen_ai.request.model")
SESSION = ("gen_ai.conversation.id", "session.id")
ENVIRONMENT = ("deployment.environment.name", "deployment.environment")
OPERATION = "gen_ai.operation.name"
RESPONSE = "gen_ai.response.id"
MAX = "gen_ai.request.max_tokens"
COST = "gen_ai.usage.cost"
AGENT_NAME = "gen_ai.agent.name"
ERROR = "error.type"
SERVICE = "service.name"
LITELLM_USAGE = "metadata.usage_object"

# All that is ever read of a span and of its resource: a reader may leave out the rest.
ATTRIBUTES = frozenset(
    (
        *(*INPUT, *OUTPUT, *READ, *WRITE, *REASONING),
        *(*AUDIO_IN, *IMAGE_IN, *AUDIO_OUT, *IMAGE_OUT),
        *(*PROVIDER, *TIER, *USER, *MODEL, *SESSION),
        *(OPERATION, RESPONSE, MAX, COST, AGENT_NAME, ERROR, LITELLM_USAGE),
        *openinference.ATTRIBUTES,
    )
)
RESOURCE = frozenset((SERVICE, *USER, *ENVIRONMENT, *openinference.RESOURCE))


_SHAPES = 1_000  # that are remembered


class Shape(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Of each thing the names that a span has, best first. Spans of one library are all alike."""

    input: tuple[str, ...]
    output: tuple[str, ...]
    read: tuple[str, ...]
    write: tuple[str, ...]
    reasoning: tuple[str, ...]
    audio_in: tuple[str, ...]
    image_in: tuple[str, ...]
    audio_out: tuple[str, ...]
    image_out: tuple[str, ...]
    provider: tuple[str, ...]
    model: tuple[str, ...]
    tier: tuple[str, ...]
    user: tuple[str, ...]
    session: tuple[str, ...]
    inference: bool  # OpenInference's names are there

    @property
    def has_usage(self) -> bool:
        """Whether tokens are told."""
        return bool(self.input or self.output)


_known: dict[tuple[str, ...], Shape] = {}


def shape(found: Attributes) -> Shape:
    """The shape of these attributes."""
    key = tuple(found)
    known = _known.get(key)
    if known is None:
        if len(_known) >= _SHAPES:
            _known.clear()
        known = _known[key] = _shape(found)
    return known


def _shape(found: Attributes) -> Shape:
    def there(names: Iterable[str]) -> tuple[str, ...]:
        return tuple(name for name in names if name in found)

    return Shape(
        input=there(INPUT),
        output=there(OUTPUT),
        read=there(READ),
        write=there(WRITE),
        reasoning=there(REASONING),
        audio_in=there(AUDIO_IN),
        image_in=there(IMAGE_IN),
        audio_out=there(AUDIO_OUT),
        image_out=there(IMAGE_OUT),
        provider=there(PROVIDER),
        model=there(MODEL),
        tier=there(TIER),
        user=there(USER),
        session=there(SESSION),
        inference=openinference.speaks(found),
    )
