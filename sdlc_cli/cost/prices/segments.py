"""What a model costs over all of time: catalogue and layers -> rates that do not overlap.

Time is cut wherever a price starts, ends or changes with the hour; in each piece the prices are
looked up as the catalogue defines it, the layers are laid over them, and equal neighbours become
one again.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time
from decimal import ROUND_HALF_EVEN, Decimal
from itertools import pairwise

from sdlc_cli.core.i18n import Message, msg
from sdlc_cli.cost.model import COUNTS, Rate
from sdlc_cli.cost.prices.load import Amount, Catalogue, Model, Stretch, Variant
from sdlc_cli.cost.prices.user import Layer

DAY = 24 * 60  # minutes

# The price of each class of a row: the first of these units that has one.
RATE_OF = {
    "input": ("input_mtok",),
    "cache_read": ("cache_read_mtok", "input_mtok"),
    "cache_write_5m": ("cache_write_5m_mtok", "cache_write_mtok", "input_mtok"),
    "cache_write_1h": ("cache_write_1h_mtok", "cache_write_mtok", "input_mtok"),
    "audio_in": ("input_audio_mtok", "input_mtok"),
    "audio_cached": (
        "cache_audio_read_mtok",
        "input_audio_mtok",
        "cache_read_mtok",
        "input_mtok",
    ),
    "image_in": ("input_image_mtok", "input_mtok"),
    "output": ("output_mtok",),
    "reasoning": ("output_reasoning_mtok", "output_mtok"),
    "audio_out": ("output_audio_mtok", "output_mtok"),
    "image_out": ("output_image_mtok", "output_mtok"),
    "web_searches": ("web_searches_kcount",),
}
_REQUEST = "requests_kcount"
_TOKEN_UNITS = ("input_mtok", "output_mtok")
_KEPT = ("web_searches_kcount", _REQUEST)  # what an entry of cost.yaml leaves as it is below

# What a call's tier means to the catalogue's variants.
CONTEXT: Mapping[str, Mapping[str, str]] = {
    "batch": {"processing": "batch"},
    "flex": {"service_tier": "flex"},
    "priority": {"service_tier": "priority"},
    "fast": {"service_tier": "fast", "speed": "fast"},
}


def limits(catalogue: Catalogue) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The minutes of the UTC day, and the sizes of an input, at which any price changes."""
    models = [model for provider in catalogue.providers for model in provider.models]
    timed: list[_Timed] = [price for model in models for price in model.prices]
    timed += [variant for model in models for variant in model.variants]
    minutes = {minute % DAY for one in timed for minute in one.hours or ()}
    sizes = {
        start
        for one in timed
        for amount in one.usd.values()
        if not isinstance(amount, str)
        for start, _ in amount[1]
    }
    return tuple(sorted(minutes - {0})), tuple(sorted(sizes - {0}))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Piece:
    """The prices of one piece of time: the standard ones, and the tier's over them."""

    standard: Mapping[str, Amount]
    tier: Mapping[str, Amount]
    sources: tuple[Message, ...]
    full: bool = False  # a tier was asked for, and only the standard prices are known

    @property
    def usd(self) -> dict[str, Amount]:
        return {**self.standard, **self.tier}


_Timed = Stretch | Variant
_Hours = tuple[tuple[int, int], ...]
_Days = tuple[datetime | None, datetime | None, tuple[tuple[_Hours, _Piece], ...]]


def rates(
    model: Model | None,
    layers: Sequence[Layer],
    tier: str,
    *,
    title: Message,
    resold: bool = False,
) -> tuple[Rate, ...]:
    """The rates of calls of `tier` at all times. None where no price is known.

    `title` names the catalogue. Of a model that is priced as another provider's (`resold`) the
    tiers are not known to be the same, so its variants are left out.
    """
    variants = _variants(model, tier) if model and not resold else ()
    holding = [layer for layer in layers if layer.holds(tier)]
    found: list[Rate] = []
    for since, until, day in _days(model, variants, holding, tier, title):
        within = [
            rate
            for hours, piece in day
            for span in hours
            for rate in _rates(piece, since, until, None if span == (0, DAY) else span, tier)
        ]
        found += sorted(within, key=_dearest_first)
    return tuple(found)


def _dearest_first(rate: Rate) -> tuple[int, int, int]:
    """Small inputs first; of the same size the dearest, which a call of unknown time takes."""
    return (rate.above, -rate.per_unit["output"], -rate.per_unit["input"])


def _variants(model: Model, tier: str) -> tuple[Variant, ...]:
    context = CONTEXT.get(tier, {})
    return tuple(
        variant
        for variant in model.variants
        if all(context.get(key) == value for key, value in variant.when.items())
    )


def _days(
    model: Model | None,
    variants: Sequence[Variant],
    layers: Sequence[Layer],
    tier: str,
    title: Message,
) -> list[_Days]:
    timed: list[_Timed] = [*(model.prices if model else ()), *variants]
    minutes = sorted({0, DAY, *(m % DAY for s in timed if s.hours for m in s.hours)})
    days = {_start(s.since) for s in timed if s.since}
    cuts = days | {t for layer in layers for t in (layer.since, layer.until) if t}
    found: list[_Days] = []
    for since, until in pairwise((None, *sorted(cuts), None)):
        spans: list[tuple[int, int, _Piece]] = []
        for first, last in pairwise(minutes):
            piece = _piece(model, variants, since, first, tier, title)
            for layer in layers:
                if _within(layer, since):
                    piece = _laid(piece, layer, tier)
            spans.append((first, last, piece))
        day = tuple(
            (_joined([(first, last) for first, last, other in spans if other == piece]), piece)
            for piece in _distinct(spans)
        )
        if found and found[-1][2] == day:
            found[-1] = (found[-1][0], until, day)
        else:
            found.append((since, until, day))
    return found


def _distinct(spans: Sequence[tuple[int, int, _Piece]]) -> list[_Piece]:
    seen: list[_Piece] = []
    for _, _, piece in spans:
        if piece not in seen:
            seen.append(piece)
    return seen


def _joined(spans: Sequence[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    """Spans of a day with neighbours made one, also over midnight."""
    joined: list[tuple[int, int]] = []
    for first, last in spans:
        if joined and joined[-1][1] == first:
            joined[-1] = (joined[-1][0], last)
        else:
            joined.append((first, last))
    if len(joined) > 1 and joined[0][0] == 0 and joined[-1][1] == DAY:
        joined = [(joined[-1][0], joined[0][1]), *joined[1:-1]]
    return tuple(joined)


def _piece(
    model: Model | None,
    variants: Sequence[Variant],
    since: datetime | None,
    minute: int,
    tier: str,
    title: Message,
) -> _Piece:
    if model is None:
        return _Piece(standard={}, tier={}, sources=(), full=bool(tier))
    standard = dict(_standard(model, since, minute).usd)
    if not standard and model.id.endswith(":free"):
        standard = dict.fromkeys(_TOKEN_UNITS, "0")
        title = msg("{source}, listed as free", source=title)
    over: dict[str, Amount] = {}
    holding = [variant for variant in variants if _active(variant, since, minute)]
    for variant in holding:
        for unit, amount in variant.usd.items():
            over.setdefault(unit, amount)
    return _Piece(standard=standard, tier=over, sources=(title,), full=bool(tier) and not holding)


def _standard(model: Model, since: datetime | None, minute: int) -> Stretch:
    """The last of the model's prices that holds then; its first when none does."""
    for price in reversed(model.prices):
        if _active(price, since, minute):
            return price
    return model.prices[0]


def _active(timed: _Timed, since: datetime | None, minute: int) -> bool:
    if timed.since:
        return since is not None and since >= _start(timed.since)
    if timed.hours:
        first, last = timed.hours
        if last < first:
            return minute >= first or minute < last
        return first <= minute < last
    return True


def _within(layer: Layer, since: datetime | None) -> bool:
    if layer.since and (since is None or since < layer.since):
        return False
    return not (layer.until and since is not None and since >= layer.until)


def _laid(piece: _Piece, layer: Layer, tier: str) -> _Piece:
    """The prices with one entry of cost.yaml over them."""
    if layer.kind == "discount":
        left = 1 - layer.discount
        return replace(
            piece,
            standard={unit: _scaled(amount, left) for unit, amount in piece.standard.items()},
            tier={unit: _scaled(amount, left) for unit, amount in piece.tier.items()},
            sources=(*piece.sources, layer.source),
            full=piece.full and layer.tier != tier,
        )
    usd: dict[str, Amount] = {unit: str(amount) for unit, amount in layer.usd.items()}
    if layer.kind == "free":
        return _Piece(standard=usd, tier={}, sources=(layer.source,))
    kept = {unit: piece.standard[unit] for unit in _KEPT if unit in piece.standard}
    if tier and layer.tier == tier:
        return _Piece(standard=kept, tier=usd, sources=(layer.source,))
    # Standard rates lie below what is known of the tier.
    sources = (layer.source, *piece.sources) if piece.tier else (layer.source,)
    return replace(piece, standard={**kept, **usd}, sources=sources)


def _scaled(amount: Amount, factor: Decimal) -> Amount:
    if isinstance(amount, str):
        return f"{Decimal(amount) * factor:f}"
    base, tiers = amount
    return f"{Decimal(base) * factor:f}", tuple(
        (start, f"{Decimal(price) * factor:f}") for start, price in tiers
    )


def _rates(
    piece: _Piece,
    since: datetime | None,
    until: datetime | None,
    hours: tuple[int, int] | None,
    tier: str,
) -> Iterator[Rate]:
    usd = piece.usd
    if not any(unit in usd for unit in _TOKEN_UNITS):
        return
    used = {unit for units in RATE_OF.values() for unit in units} | {_REQUEST}
    starts = {
        start
        for unit, amount in usd.items()
        if unit in used and not isinstance(amount, str)
        for start, _ in amount[1]
    }
    source = _source(piece, tier)
    for above in sorted({0, *starts}):
        exact = {name: _price_of(usd, name, above) for name in COUNTS}
        request = _at(usd.get(_REQUEST, "0"), above).scaleb(9)
        whole = {name: _whole(amount) for name, amount in exact.items()}
        yield Rate(
            per_unit=whole,
            request=_whole(request),
            since=since,
            until=until,
            hours=hours,
            above=above,
            rounded=whole != exact or _whole(request) != request,
            source=source,
        )


def _price_of(usd: Mapping[str, Amount], name: str, above: int) -> Decimal:
    """Pico-dollars for one of `name`, not yet rounded."""
    for unit in RATE_OF[name]:
        if unit in usd:
            return _at(usd[unit], above).scaleb(9 if unit.endswith("_kcount") else 6)
    return Decimal(0)


def _at(amount: Amount, above: int) -> Decimal:
    """The price once the call's input is above so many tokens."""
    if isinstance(amount, str):
        return Decimal(amount)
    base, tiers = amount
    return Decimal(next((price for start, price in reversed(tiers) if above >= start), base))


def _whole(amount: Decimal) -> int:
    return int(amount.quantize(Decimal(1), ROUND_HALF_EVEN))


def _source(piece: _Piece, tier: str) -> Message:
    text = joined_sources(piece.sources)
    if piece.full and not piece.tier:
        return msg("{source}, no {tier} price, so the full price", source=text, tier=tier)
    return text


def joined_sources(sources: Sequence[Message]) -> Message:
    """Several sources as one text, each once."""
    text, *rest = dict.fromkeys(sources)
    for other in rest:
        text = msg("{first}; {then}", first=text, then=other)
    return text


def _start(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)
