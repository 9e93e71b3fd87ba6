"""(provider, model, tier) as logged -> Price, from the catalogue and the user's own prices."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from functools import cached_property
from typing import TYPE_CHECKING

from sdlc_cli.core.i18n import Message, msg
from sdlc_cli.cost.model import Price, Rate
from sdlc_cli.cost.prices import load
from sdlc_cli.cost.prices.family import dearest, family, generation, make
from sdlc_cli.cost.prices.load import Catalogue, Model, Provider
from sdlc_cli.cost.prices.match import model_named
from sdlc_cli.cost.prices.names import Name, look_up
from sdlc_cli.cost.prices.segments import joined_sources, rates
from sdlc_cli.cost.prices.user import Layer, layers

if TYPE_CHECKING:  # loading it takes as long as loading the catalogue
    from sdlc_cli.cost.config import PriceEntry

_STANDARD = frozenset(("", "auto", "default", "on_demand", "standard", "standard_only"))


class Prices:
    """All prices there are. One triple is resolved once; the same object comes back after that,
    unless `most` others were asked for in between.

    `overrides` lie over the catalogue in their order. `aliases` map a logged model, or
    `provider/model`, to the model it is, `openai/gpt-4o`.
    """

    def __init__(
        self,
        catalogue: Catalogue | None = None,
        overrides: "Sequence[PriceEntry]" = (),
        aliases: Mapping[str, str] | None = None,
        most: int = 1_000_000,
    ) -> None:
        self.catalogue = catalogue or load.catalogue()
        self.overrides = tuple(overrides)
        self.aliases = dict(aliases or {})
        self._most = most
        self._prices: dict[tuple[str, str, str], Price] = {}
        self._ceilings: dict[tuple[str, str, str], Mapping[str, int]] = {}

    def price(self, provider: str, model: str, tier: str = "") -> Price:
        """How calls logged as these are priced, at all times.

        Without `rates` they are unpriced and `reason` says why; `ceiling` then has the dearest
        rates of the family, and is empty where the catalogue has no model of it.
        """
        key = (provider, model, tier)
        if key not in self._prices:
            if len(self._prices) >= self._most:
                self._prices.clear()
            name = look_up(self.catalogue, provider, model, self.aliases)
            self._prices[key] = self._resolved(name, canonical_tier(tier))
        return self._prices[key]

    def cheaper(
        self, price: Price, *, tier: str = "", at: datetime | None = None
    ) -> tuple[Price, ...]:
        """Models of the same provider and line that cost less, dearest first, one of each family.

        Both input and output have to cost less at the time `at` (now, when it is not given) for
        small inputs. Left out are models for another purpose (audio, images, embeddings, ...),
        deprecated ones, those that cost nothing, and what the names show to be of an earlier
        generation than this one or than another of their family.
        """
        at = at or datetime.now(UTC)
        limit = _costs(price, at)
        provider = self.catalogue.by_id.get(price.provider)
        if limit is None or provider is None:
            return ()
        own = generation(price.model)
        newest: dict[str, tuple[tuple[int, ...], tuple[int, int], Price]] = {}
        for owner, entry in self._sold(provider):
            if entry.deprecated or entry.id == price.model or make(entry.id) != make(price.model):
                continue
            other = self._resolved(_named(provider, entry, owner), canonical_tier(tier))
            costs = _costs(other, at)
            if not costs or not 0 < costs[0] < limit[0] or not costs[1] < limit[1]:
                continue
            age = generation(other.model)
            if age < own or bool(age) != bool(own):  # earlier, or nobody can tell
                continue
            before = newest.get(other.family)
            # Of two of one age the cheaper one.
            if before is None or (before[0], costs) < (age, before[1]):
                newest[other.family] = (age, costs, other)
        found = sorted(newest.values(), key=lambda one: one[1], reverse=True)
        return tuple(other for _age, _costs, other in found)

    def listed(self, glob: str = "*", *, tier: str = "") -> tuple[Price, ...]:
        """The catalogue's models whose name, or `provider/name`, fits the glob."""
        glob = glob.lower()
        return tuple(
            self._resolved(_named(provider, entry, provider), canonical_tier(tier))
            for provider in self.catalogue.providers
            for entry in provider.models
            if fnmatchcase(entry.id.lower(), glob)
            or fnmatchcase(f"{provider.id}/{entry.id}".lower(), glob)
        )

    @cached_property
    def _title(self) -> Message:
        return msg(
            "catalogue {name} {version}",
            name=self.catalogue.source,
            version=self.catalogue.version,
        )

    def _resolved(self, name: Name, tier: str) -> Price:
        over = layers(self.overrides, name.provider, name.spellings)
        found = rates(name.entry, over, tier, title=self._title, resold=name.resold)
        kind = family(name.model)
        ceiling = dearest(found)
        if not _free(found):
            ceiling = _higher(ceiling, self._ceiling(name.provider, kind, tier))
        return Price(
            provider=name.provider,
            model=name.model,
            rates=found,
            source=_sources(found),
            family=kind,
            ceiling=ceiling,
            context=name.entry.context if name.entry else None,
            reason=_reason(name, found, over),
        )

    def _ceiling(self, provider: str, kind: str, tier: str) -> Mapping[str, int]:
        """The dearest catalogue rates of the family, at this provider or else at any."""
        key = (provider, kind, tier)
        if key not in self._ceilings:
            known = self.catalogue.by_id
            here = _of_family(kind, [known[provider]] if provider in known else ())
            here = here or _of_family(kind, self.catalogue.providers)
            self._ceilings[key] = dearest(
                rate for entry in here for rate in rates(entry, (), tier, title=self._title)
            )
        return self._ceilings[key]

    def _sold(self, provider: Provider) -> Iterator[tuple[Provider, Model]]:
        """The provider's own models, and those of others that it offers under the same name."""
        yield from ((provider, entry) for entry in provider.models)
        for other in provider.fallback:
            owner = self.catalogue.by_id[other]
            for entry in owner.models:
                if model_named(self.catalogue, provider, entry.id) == (owner, entry):
                    yield owner, entry


def _of_family(kind: str, providers: Iterable[Provider]) -> tuple[Model, ...]:
    parts = kind.split("-")  # looked for first: a name is split into words only where they are
    return tuple(
        entry
        for provider in providers
        for entry in provider.models
        if kind and all(part in entry.id.lower() for part in parts) and family(entry.id) == kind
    )


def canonical_tier(tier: str) -> str:
    """The tier as prices know it: "" is standard."""
    tier = tier.strip().lower()
    return "" if tier in _STANDARD else tier


def _named(provider: Provider, entry: Model, owner: Provider) -> Name:
    model = entry.id.rstrip("-")
    return Name(
        provider=provider.id, model=model, logged=model, entry=entry, resold=owner is not provider
    )


def _free(found: Sequence[Rate]) -> bool:
    return bool(found) and not any(rate.request or any(rate.per_unit.values()) for rate in found)


def _higher(one: Mapping[str, int], other: Mapping[str, int]) -> Mapping[str, int]:
    return {name: max(one.get(name, 0), other.get(name, 0)) for name in {**other, **one}}


def _sources(found: Sequence[Rate]) -> str:
    sources = [rate.source for rate in found if isinstance(rate.source, Message)]
    return joined_sources(sources) if sources else ""


def _reason(name: Name, found: Sequence[Rate], over: Sequence[Layer]) -> Message | None:
    """Why calls of this model are unpriced, always or at some time."""
    if found:
        if _covers_all(found):
            return None
        return msg("the prices known for it do not cover this time")
    if name.reason:
        return name.reason
    units = sorted(
        {unit for price in (name.entry.prices if name.entry else ()) for unit in price.usd}
    )
    if not units:
        return msg("the catalogue lists it without a price: give it one, or declare it free")
    return msg("priced by {units}, which no log tells", units=", ".join(units))


def _covers_all(found: Sequence[Rate]) -> bool:
    """Whether there is a rate for every day."""
    if found[0].since is not None or not any(rate.until is None for rate in found):
        return False
    starts = {rate.since for rate in found}
    return all(rate.until is None or rate.until in starts for rate in found)


def _costs(price: Price, at: datetime) -> tuple[int, int] | None:
    """The dearest input and output rate of the day for calls of small input."""
    now = [
        rate.per_unit
        for rate in price.rates
        if rate.above == 0
        and (rate.since is None or rate.since <= at)
        and (rate.until is None or at < rate.until)
    ]
    if not now:
        return None
    return max(rate["input"] for rate in now), max(rate["output"] for rate in now)
