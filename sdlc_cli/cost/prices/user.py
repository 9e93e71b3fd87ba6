"""The `prices:` of cost.yaml, as layers that lie over the catalogue in their order."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Literal

from sdlc_cli.core.exact import percentage
from sdlc_cli.core.i18n import Message, msg

if TYPE_CHECKING:  # loading it takes as long as loading the catalogue
    from sdlc_cli.cost.config import PriceEntry

# A price's name in cost.yaml -> its unit in the catalogue.
UNITS = {
    "input": "input_mtok",
    "cache_read": "cache_read_mtok",
    "cache_write": "cache_write_mtok",
    "cache_write_1h": "cache_write_1h_mtok",
    "audio_in": "input_audio_mtok",
    "audio_cached": "cache_audio_read_mtok",
    "image_in": "input_image_mtok",
    "output": "output_mtok",
    "reasoning": "output_reasoning_mtok",
    "audio_out": "output_audio_mtok",
    "image_out": "output_image_mtok",
    "web_search": "web_searches_kcount",
    "request": "requests_kcount",
}
ANY_TIER = "*"


@dataclass(frozen=True, slots=True, kw_only=True)
class Layer:
    """One entry of `prices:` that fits a model: when it holds, for which tier, and what it does.

    `tier` is "" for the standard rates, `ANY_TIER` for all. `usd` are dollars by unit.
    """

    kind: Literal["rates", "free", "discount"]
    tier: str
    source: Message
    since: datetime | None = None
    until: datetime | None = None
    usd: Mapping[str, Decimal]
    discount: Decimal = Decimal(0)

    def holds(self, tier: str) -> bool:
        """Whether it has a say in the price of calls of `tier`.

        Standard rates have: a tier's own prices lie over them, where they are known.
        """
        return self.tier in (ANY_TIER, tier) or (self.kind == "rates" and not self.tier)


def layers(
    entries: "Iterable[PriceEntry]", provider: str, models: Iterable[str]
) -> tuple[Layer, ...]:
    """The entries that fit the provider and one of the model's names, in their order."""
    names = tuple(models)
    return tuple(
        _layer(entry, number)
        for number, entry in enumerate(entries)
        if _fits(entry.provider, (provider,)) and _fits(entry.model, names)
    )


def _fits(glob: str, names: Iterable[str]) -> bool:
    glob = glob.lower()
    return not glob or any(fnmatchcase(name.lower(), glob) for name in names)


def _layer(entry: "PriceEntry", number: int) -> Layer:
    place = entry.place or f"cost.yaml prices[{number}]"
    tier = "" if entry.tier == "standard" else entry.tier
    kind: Literal["rates", "free", "discount"] = "rates"
    source, usd = msg("{place}", place=place), _usd(entry)
    if entry.discount is not None:
        kind, usd = "discount", {}
        off = percentage(entry.discount)
        source = msg("{place}: {share} off", place=place, share=off)
    elif entry.free:
        kind, source = "free", msg("{place}: declared free", place=place)
    return Layer(
        kind=kind,
        tier=tier if entry.tier or kind == "rates" else ANY_TIER,
        source=source,
        since=_midnight(entry.valid_from),
        until=_midnight(entry.valid_to + timedelta(days=1) if entry.valid_to else None),
        usd=usd,
        discount=entry.discount or Decimal(0),
    )


def _usd(entry: "PriceEntry") -> dict[str, Decimal]:
    usd = {"input_mtok": Decimal(0), "output_mtok": Decimal(0)}
    for name, rate in entry.rates.items():
        # The unit of the catalogue is a thousand requests, that of cost.yaml is one.
        usd[UNITS[name]] = rate * 1000 if name == "request" else rate
    return usd


def _midnight(day: date | None) -> datetime | None:
    return datetime.combine(day, time(), UTC) if day else None
