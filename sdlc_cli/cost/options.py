"""What may be written in each part of cost.yaml, and what must fit together."""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Annotated, Literal

from msgspec import Meta, Struct

from sdlc_cli.core.exact import Dollars, Place, Share
from sdlc_cli.core.i18n import Message, msg
from sdlc_cli.core.sections import Key

Mistakes = Iterator[tuple[Key, Message]]
Text = Annotated[str, Meta(min_length=1)]
Glob = Text
Tags = Annotated[dict[Text, Glob], Meta(min_length=1)]
Period = Literal["day", "week", "month", "quarter", "year", "total"]

# Fields of a price entry that are dollars for a million tokens; the other two are for a thousand
# web searches and for one request.
TOKEN_RATES = (
    "input",
    "cache_read",
    "cache_write",
    "cache_write_1h",
    "audio_in",
    "audio_cached",
    "image_in",
    "output",
    "reasoning",
    "audio_out",
    "image_out",
)
RATES = (*TOKEN_RATES, "web_search", "request")


class PriceEntry(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A price of your own, over the catalogue's. The last entry that fits a call wins.

    `provider` and `model` are globs over canonical names. Rates are US dollars for a million
    tokens; `web_search` for a thousand searches, `request` for one call. What is left out is
    priced as the nearest class: caches and images as `input`, reasoning and the rest as `output`.
    `valid_from` and `valid_to` are the first and the last day (UTC) that the entry holds. `tier`
    limits it to calls of that tier; without it, rates are those of the standard tier, and `free`
    and `discount` hold for every tier.
    """

    place: Place = ""
    provider: str = ""
    model: str = ""
    valid_from: date | None = None
    valid_to: date | None = None
    tier: Literal["", "standard", "batch", "flex", "priority"] = ""
    free: bool = False
    discount: Annotated[Share, Meta(extra={"unit": "share", "least": 0, "most": 1})] | None = None
    input: Dollars | None = None
    cache_read: Dollars | None = None
    cache_write: Dollars | None = None
    cache_write_1h: Dollars | None = None
    audio_in: Dollars | None = None
    audio_cached: Dollars | None = None
    image_in: Dollars | None = None
    output: Dollars | None = None
    reasoning: Dollars | None = None
    audio_out: Dollars | None = None
    image_out: Dollars | None = None
    web_search: Dollars | None = None
    request: Dollars | None = None

    @property
    def rates(self) -> dict[str, Decimal]:
        """The rates that are written, by their names."""
        written = {name: getattr(self, name) for name in RATES}
        return {name: rate for name, rate in written.items() if rate is not None}

    def mistakes(self) -> Mistakes:
        """Something to price, and one way to price it."""
        if not self.provider and not self.model:
            yield (), msg("needs model or provider, to know which calls it prices")
        ways = [self.free, self.discount is not None, bool(self.rates)]
        if sum(ways) != 1:
            yield (), msg("needs one of: rates, discount, free")
        elif self.rates and "request" not in self.rates:
            for name in ("input", "output"):
                if name not in self.rates:
                    yield (name,), msg("missing, and needed here; write 0 if it costs nothing")
        if self.valid_from and self.valid_to and self.valid_to < self.valid_from:
            yield ("valid_to",), msg("lies before valid_from")


class Match(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Globs that a call must fit, all of them. `tag` maps a tag's name to a glob of its value."""

    key: str = ""
    path: str = ""
    user: str = ""
    model: str = ""
    project: str = ""
    tag: dict[Text, Glob] = {}

    def mistakes(self) -> Mistakes:
        """Without a condition everything would match."""
        if not (self.key or self.path or self.user or self.model or self.project or self.tag):
            yield (), msg("needs a condition: key, path, user, model, project or tag")


class Rule(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whose a call is. The first rule that matches decides; it keeps what it does not set."""

    match: Match
    project: str = ""
    team: str = ""

    def mistakes(self) -> Mistakes:
        """A rule that sets nothing only hides later ones."""
        if not self.project and not self.team:
            yield (), msg("needs project or team: it sets nothing")


class Budget(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A limit in US dollars for the calls that fit every condition; without any, for all calls.

    `model` is a glob, the others are exact. `period` is the calendar's, in the file's time zone;
    weeks start on Monday. From `warn_at` of the limit on the budget is shown as at risk.
    """

    name: Text
    limit_usd: Dollars
    period: Period = "month"
    project: str = ""
    team: str = ""
    user: str = ""
    provider: str = ""
    model: str = ""
    tag: Annotated[dict[Text, str], Meta(max_length=1)] = {}
    warn_at: Annotated[Share, Meta(extra={"unit": "share", "least": 0, "most": 1})] = Decimal("0.8")


class Ladder(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which model to use as a budget is spent: `primary`, from `swap_at` of the budget on
    `fallback`, from `emergency_at` on `emergency`; without one, calls are refused then.

    `projects` are globs; without any the ladder is for every project.
    """

    primary: Text
    fallback: Text
    emergency: str = ""
    swap_at: Share = Decimal("0.8")
    emergency_at: Share = Decimal(1)
    projects: tuple[Glob, ...] = ()

    def mistakes(self) -> Mistakes:
        """The steps go down in order."""
        if self.emergency_at < self.swap_at:
            yield ("emergency_at",), msg("lies below swap_at")
        if self.fallback == self.primary:
            yield ("fallback",), msg("is the same model as primary")


class Route(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`ladders`: by name, which models stand in for which as budgets run out."""

    ladders: dict[Text, Ladder] = {}


class Columns(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which column of your CSV, Parquet or JSON lines holds what.

    Each is a column's name; in JSON lines `a.b` is the key `b` inside `a`. `cost_usd` is what
    the log itself says that the call cost. `tags` maps a tag's name to a column; `fixed` gives a
    value to what has no column (`fixed: {model: gpt-4o}`). `ts_unit` is the unit of a number in
    `ts`; without it, it is told from the size. Say with `input_includes_cache` whether `input`
    counts cached tokens too, and so on for the others: nobody can tell from the numbers.
    """

    ts: str = ""
    provider: str = ""
    model: str = ""
    tier: str = ""
    project: str = ""
    user: str = ""
    key: str = ""
    path: str = ""
    call_id: str = ""
    status: str = ""
    calls: str = ""
    input: str = ""
    cache_read: str = ""
    cache_write: str = ""
    cache_write_1h: str = ""
    audio_in: str = ""
    audio_cached: str = ""
    image_in: str = ""
    output: str = ""
    reasoning: str = ""
    audio_out: str = ""
    image_out: str = ""
    web_searches: str = ""
    max_output: str = ""
    cost_usd: str = ""
    request_hash: str = ""
    prefix_hash: str = ""
    prefix_tokens: str = ""
    tags: dict[Text, Text] = {}
    fixed: dict[Literal["provider", "model", "tier", "project", "user", "key", "path"], Text] = {}
    ts_unit: Literal["", "s", "ms", "us", "ns"] = ""
    input_includes_cache: bool | None = None
    input_includes_audio: bool | None = None
    output_includes_reasoning: bool | None = None
    output_includes_audio: bool | None = None

    def mistakes(self) -> Mistakes:
        """Tokens to count, and no class that might be counted twice."""
        if not self.input and not self.output:
            yield (), msg("needs input or output: the columns of the token counts")
        for name in self.fixed:
            if getattr(self, name):
                yield ("fixed", name), msg("has a column already")
        for field, parts in (
            ("input_includes_cache", (self.cache_read, self.cache_write, self.cache_write_1h)),
            ("input_includes_audio", (self.audio_in, self.audio_cached)),
            ("output_includes_reasoning", (self.reasoning,)),
            ("output_includes_audio", (self.audio_out,)),
        ):
            if any(parts) and getattr(self, field) is None:
                yield (field,), msg("missing: true or false, else tokens might be counted twice")


class Privacy(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What reports show of people. `users: hash` replaces users by a keyed hash (HMAC-SHA256).

    `key` is its secret: take it from the environment, `${SDLC_PRIVACY_KEY}`. `tags: redact` does
    the same with e-mail addresses, phone and card numbers inside tags, users and projects.
    """

    users: Literal["keep", "hash"] = "keep"
    tags: Literal["keep", "redact"] = "keep"
    key: str = ""

    def mistakes(self) -> Mistakes:
        """A hash without a key can be undone by trying names."""
        if (self.users == "hash" or self.tags == "redact") and not self.key:
            yield (
                ("key",),
                msg("missing: hashes without a secret key can be undone by trying names"),
            )
        elif self.key and len(self.key) < 16:
            yield ("key",), msg("must have at least 16 letters")


class Webhook(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whom `sdlc serve` tells, once, that a budget broke: a POST to `url`, signed with `secret`.

    Take the secret from the environment, `${SDLC_WEBHOOK_SECRET}`.
    """

    url: str = ""
    secret: str = ""

    def mistakes(self) -> Mistakes:
        """An address of the web, and a secret that cannot be guessed."""
        if self.url and not self.url.startswith(("http://", "https://")):
            yield ("url",), msg("must start with http:// or https://")
        if self.url and len(self.secret) < 16:
            yield ("secret",), msg("must have at least 16 letters")
