"""Names as logs have them -> provider and model of the catalogue.

Logs write the same model in a dozen ways: `openai/gpt-4o`, `models/gemini-2.5-flash`, Bedrock ids
and ARNs, Vertex paths, deployments. What cannot be told stays unpriced, with the reason: a
fine-tuned model never takes its base model's price.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from sdlc_cli.core.i18n import Message, msg
from sdlc_cli.cost.prices.load import Catalogue, Model, Provider
from sdlc_cli.cost.prices.match import model_named, provider_named, provider_of

# What logs, SDKs and OpenTelemetry call a provider -> its id in the catalogue.
PROVIDERS = {
    "az.ai.openai": "azure",
    "az.ai.inference": "azure",
    "claude": "anthropic",
    "converse": "aws",
    "gcp.gemini": "google",
    "gcp.gen_ai": "google",
    "gcp.vertex_ai": "google",
    "gemini": "google",
    "google_genai": "google",
    "fireworks_ai": "fireworks",
    "fireworks-ai": "fireworks",
    "minimaxi": "minimax",
    "mistral_ai": "mistral",
    "mistralai": "mistral",
    "moonshot": "moonshotai",
    "moonshot_ai": "moonshotai",
    "novita_ai": "novita",
    "novita-ai": "novita",
    "text-completion-openai": "openai",
    "together_ai": "together",
    "together-ai": "together",
    "togethercomputer": "together",
    "x_ai": "x-ai",
    "xai": "x-ai",
    "z-ai": "zai",
    "z.ai": "zai",
    "zhipu": "zhipuai",
}
# A part of a name that decides before the catalogue's clauses do: to those, `azure_openai` is
# OpenAI and `vertex_ai-anthropic_models` is Anthropic.
_DECISIVE = {"azure": "azure", "vertex": "google", "bedrock": "aws", "openrouter": "openrouter"}
# These only pass calls on; the model's name has to say whose it is.
GATEWAYS = frozenset(
    {
        "cloudflare-ai-gateway",
        "custom",
        "custom_openai",
        "gateway",
        "helicone",
        "langchain",
        "langfuse",
        "litellm",
        "litellm_proxy",
        "llmgateway",
        "openai_compatible",
        "openai-compatible",
        "other",
        "portkey",
        "proxy",
        "unknown",
        "vercel",
    }
)
# Models that run on one's own machine cost no tokens, but also are not known to be free.
LOCAL = frozenset(
    {
        "gpt4all",
        "hosted_vllm",
        "jan",
        "koboldcpp",
        "llama.cpp",
        "llama_cpp",
        "llama-cpp",
        "llamacpp",
        "llamafile",
        "lm_studio",
        "lm-studio",
        "lmstudio",
        "local",
        "localai",
        "mlx",
        "ollama",
        "ollama_chat",
        "sglang",
        "text-generation-inference",
        "tgi",
        "triton",
        "vllm",
        "xinference",
    }
)

# Who sell models of their own. One that only one of them has is theirs, whoever else resells it.
_FIRST_HAND = (
    "anthropic",
    "cohere",
    "deepseek",
    "google",
    "minimax",
    "mistral",
    "moonshotai",
    "openai",
    "perplexity",
    "voyageai",
    "x-ai",
    "zai",
)
_MAKERS = (
    "ai21|amazon|anthropic|cohere|deepseek|google|luma|meta|minimax|mistral|moonshot|moonshotai"
    "|nvidia|openai|qwen|stability|twelvelabs|writer|zai"
)
_BEDROCK = re.compile(rf"(?:(?P<region>[a-z]{{2,6}}(?:-gov)?)\.)?(?:{_MAKERS})\.[a-z]")
_ARN = re.compile(r"arn:aws[a-z-]*:bedrock:[^:]*:[^:]*:(?P<kind>[a-z-]+)/(?P<id>.+)")
_ARNS_WITH_MODEL = ("inference-profile", "foundation-model")
_RESOURCE = re.compile(r"(?:.*/)?(?:publishers/[^/]+/)?models/(?P<id>[^/]+)")
_LITELLM_BEDROCK = re.compile(r"(?:converse/|converse_like/|invoke/|[a-z]{2}(?:-[a-z]+)+-\d/)+")
_FINE_TUNED = re.compile(r"^ft:|\.ft-|^tunedmodels/|/tunedmodels/", re.I)
_ROUTED = re.compile(r":(?:online|nitro|floor|exacto)$")
_BRACKET = re.compile(r"\[[^\]]*\]$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Name:
    """What a logged name means. Without `entry` the catalogue does not have it; `reason` says why.

    `provider` and `model` are the catalogue's names where it has them, else the logged ones
    without what is not part of a name. `logged` is the model as the log has it.
    """

    provider: str
    model: str
    logged: str
    entry: Model | None = None
    resold: bool = False  # the model is priced as another provider's, who makes it
    reason: Message | None = None

    @property
    def spellings(self) -> tuple[str, ...]:
        """All that a glob in cost.yaml may mean: the canonical name, the logged, without paths."""
        short = plain(self.logged)
        return (self.model, self.logged, short, short.partition("/")[2] or short)


def look_up(
    catalogue: Catalogue, provider: str, model: str, aliases: Mapping[str, str] | None = None
) -> Name:
    """What `provider` and `model` mean. `aliases` come first, by `provider/model` or `model`."""
    logged = model
    provider, model = provider.strip(), model.strip()
    if aliased := _alias(aliases or {}, provider, model):
        model = aliased
        if owner := _prefix(catalogue, model):
            provider, model = owner.id, model.partition("/")[2]
    if not model:
        return Name(provider=provider, model="", logged=logged, reason=msg("no model is named"))
    if provider.lower() in LOCAL:
        return Name(provider=provider.lower(), model=model, logged=logged, reason=_local(provider))
    if arn := _ARN.fullmatch(model):
        provider, model = "aws", arn["id"]
        if arn["kind"] not in _ARNS_WITH_MODEL:
            return Name(provider=provider, model=logged, logged=logged, reason=_opaque(arn["kind"]))
    return _find(catalogue, provider, model, logged)


def _find(catalogue: Catalogue, provider: str, model: str, logged: str) -> Name:
    tuned = bool(_FINE_TUNED.search(model))
    given = canonical_provider(catalogue, provider)
    if given is None and provider and provider.lower() not in GATEWAYS:
        reason = msg("'{provider}' is no provider of the catalogue", provider=provider)
        known = plain(model).removeprefix(f"{provider.lower()}/")
        return Name(provider=provider.lower(), model=known, logged=logged, reason=reason)
    owner = given
    for owner, name in _readings(catalogue, given, model):
        found = model_named(catalogue, owner, name)
        if found is None or (tuned and not _FINE_TUNED.search(found[1].id)):
            continue
        return Name(
            provider=owner.id,
            model=found[1].id.rstrip("-"),
            logged=logged,
            entry=found[1],
            resold=found[0] is not owner,
        )
    return Name(
        provider=given.id if given else owner.id if owner else provider.lower(),
        model=plain(model),
        logged=logged,
        reason=_missing(model, tuned, given or owner),
    )


def canonical_provider(catalogue: Catalogue, name: str) -> Provider | None:
    """The provider that a log means by `name`, or None: unknown, a gateway, or nothing."""
    name = name.lower().strip()
    if not name or name in GATEWAYS or name in LOCAL:
        return None
    if name in catalogue.by_id:
        return catalogue.by_id[name]
    known = PROVIDERS.get(name) or next((p for w, p in _DECISIVE.items() if w in name), "")
    return catalogue.by_id.get(known) or provider_named(catalogue, name)


def plain(model: str) -> str:
    """A model's name without paths of a cloud, in lower case."""
    name = model.strip().lower()
    resource = _RESOURCE.fullmatch(name)
    return _BRACKET.sub("", resource["id"] if resource else name)


def _readings(
    catalogue: Catalogue, given: Provider | None, model: str
) -> Iterator[tuple[Provider, str]]:
    """(provider, name) that `model` may mean, the most literal reading first."""
    whole = model.lower()
    owner, rest = _prefix(catalogue, whole), whole.partition("/")[2]
    if given:
        yield from ((given, name) for name in _spellings(given, whole))
        if owner:
            yield from ((given, name) for name in _spellings(given, rest))
    if owner and owner is not given:
        yield from ((owner, name) for name in _spellings(owner, rest))
    if given is None and owner is None and (maker := _alone(catalogue, whole)):
        yield from ((maker, name) for name in _spellings(maker, whole))


def _alone(catalogue: Catalogue, model: str) -> Provider | None:
    """Whose a model is that is named without a provider."""
    name = plain(model)
    if _BEDROCK.match(name):
        return catalogue.by_id.get("aws")
    if name.startswith("ft:"):
        return catalogue.by_id.get("openai")
    if claimed := provider_of(catalogue, model) or provider_of(catalogue, name):
        return claimed
    makers = [catalogue.by_id[maker] for maker in _FIRST_HAND if maker in catalogue.by_id]
    knowing = [maker for maker in makers if model_named(catalogue, maker, name)]
    return knowing[0] if len(knowing) == 1 else None


def _spellings(provider: Provider, name: str) -> Iterator[str]:
    """The name as it is, then without what clouds and gateways add to it."""
    yield name
    short = plain(name)
    if short != name:
        yield short
    if "@" in short:  # Vertex: claude-sonnet-4-5@20250929
        yield short.replace("@", "-")
        yield short.partition("@")[0]
    if _ROUTED.search(short):
        yield _ROUTED.sub("", short)
    if provider.id == "aws":
        short = _LITELLM_BEDROCK.sub("", short, count=1)
        yield short
        if (region := _BEDROCK.match(short)) and region["region"]:
            yield short.partition(".")[2]
    if provider.id == "azure" and short.startswith("gpt-35-"):
        yield short.replace("gpt-35-", "gpt-3.5-", 1)


def _prefix(catalogue: Catalogue, model: str) -> Provider | None:
    """The provider that stands before the first slash."""
    before, slash, after = model.partition("/")
    if not slash or not after or before.lower() in ("models", "publishers", "projects"):
        return None
    return canonical_provider(catalogue, before)


def _alias(aliases: Mapping[str, str], provider: str, model: str) -> str:
    folded = {name.casefold(): target for name, target in aliases.items()}
    return folded.get(f"{provider}/{model}".casefold()) or folded.get(model.casefold(), "")


def _local(provider: str) -> Message:
    return msg(
        "{provider} runs on your own machine: give it a price, or declare it free",
        provider=provider,
    )


def _opaque(kind: str) -> Message:
    return msg("an ARN of the kind {kind} does not tell its model: give it an alias", kind=kind)


def _missing(model: str, tuned: bool, owner: Provider | None) -> Message:
    if tuned:
        return msg("a fine-tuned model without a price of its own in the catalogue")
    if owner is None:
        return msg("no provider is named, and the model's name does not tell it")
    close = nearest_names(plain(model), owner)
    if not close:
        return msg("{provider} has no such model in the catalogue", provider=owner.id)
    return msg(
        "{provider} has no such model in the catalogue; the nearest: {names}",
        provider=owner.id,
        names=", ".join(close),
    )


def nearest_names(name: str, provider: Provider) -> list[str]:
    """Up to three models of the provider whose names are most like `name`."""
    from difflib import get_close_matches

    return get_close_matches(name[:100], [model.id for model in provider.models])
