"""genai-prices -> catalogue.json. Imported by `sdlc cost prices --update` and by tests only."""

import hashlib
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time
from decimal import Decimal
from importlib.metadata import version
from pathlib import Path

import msgspec
from genai_prices import types
from genai_prices.data_snapshot import get_snapshot

from sdlc_cli.core.errors import WorkError
from sdlc_cli.core.i18n import msg
from sdlc_cli.cost.prices.load import (
    FILE,
    Amount,
    Catalogue,
    Clause,
    Model,
    Provider,
    Stretch,
    Variant,
)

SOURCE = "genai-prices"

_Constraint = types.StartDateConstraint | types.TimeOfDateConstraint | None


def compiled() -> Catalogue:
    """The prices of the installed genai-prices, in their own order."""
    providers = tuple(_provider(provider) for provider in get_snapshot().providers)
    digest = hashlib.sha256(msgspec.json.encode(providers, order="sorted")).hexdigest()
    return Catalogue(source=SOURCE, version=version(SOURCE), sha256=digest, providers=providers)


def written(catalogue: Catalogue) -> bytes:
    """The catalogue as JSON with one model a line, so that a diff shows what changed."""
    head = msgspec.json.encode(
        {"source": catalogue.source, "version": catalogue.version, "sha256": catalogue.sha256}
    )
    providers = b",\n".join(b"".join(_lines(provider)) for provider in catalogue.providers)
    return head[:-1] + b',"providers":[\n' + providers + b"\n]}\n"


def update(path: Path = FILE) -> Catalogue:
    """Compile the catalogue anew into `path`. Raises WorkError where that cannot be written."""
    made = compiled()
    try:
        path.write_bytes(written(made))
    except OSError as error:
        raise WorkError(
            msg("cannot write {path}: {reason}", path=str(path), reason=error.strerror or error),
            hint=msg("run it where you may change the installed package"),
        ) from None
    return made


def _lines(provider: Provider) -> Iterator[bytes]:
    fields = msgspec.to_builtins(provider)
    del fields["models"]
    yield msgspec.json.encode(fields, order="deterministic")[:-1] + b',"models":[\n'
    yield b",\n".join(
        msgspec.json.encode(model, order="deterministic") for model in provider.models
    )
    yield b"\n]}"


def _provider(provider: types.Provider) -> Provider:
    return Provider(
        id=provider.id,
        match=_clause(provider.provider_match),
        model_match=_clause(provider.model_match),
        fallback=tuple(provider.fallback_model_providers or ()),
        models=tuple(_model(model) for model in provider.models),
    )


def _model(model: types.ModelInfo) -> Model:
    match = _clause(model.match)
    assert match is not None
    return Model(
        id=model.id,
        match=match,
        prices=tuple(_stretches(model.prices)),
        variants=tuple(_variant(variant) for variant in model.price_variants or ()),
        context=model.context_window,
        deprecated=bool(model.deprecated),
    )


def _stretches(prices: types.ModelPrice | list[types.ConditionalPrice]) -> Iterator[Stretch]:
    if isinstance(prices, types.ModelPrice):
        yield Stretch(usd=_usd(prices))
        return
    for price in prices:
        since, hours = _when(price.constraint)
        yield Stretch(usd=_usd(price.prices), since=since, hours=hours)


def _variant(variant: types.PriceVariant) -> Variant:
    since, hours = _when(variant.constraint)
    return Variant(when=dict(variant.when), usd=_usd(variant.prices), since=since, hours=hours)


def _when(constraint: _Constraint) -> tuple[date | None, tuple[int, int] | None]:
    if isinstance(constraint, types.StartDateConstraint):
        return constraint.start_date, None
    if isinstance(constraint, types.TimeOfDateConstraint):
        return None, (_minute(constraint.start_time), _minute(constraint.end_time))
    return None, None


def _minute(clock: time) -> int:
    """The minute of the UTC day; a time without a zone is UTC."""
    moment = datetime.combine(date(2000, 1, 1), clock)
    moment = moment.astimezone(UTC) if moment.tzinfo else moment
    assert (moment.second, moment.microsecond) == (0, 0), "the catalogue counts whole minutes"
    return moment.hour * 60 + moment.minute


def _usd(prices: types.ModelPrice) -> dict[str, Amount]:
    found: dict[str, Amount] = {}
    for unit, price in sorted(vars(prices).items()):
        if isinstance(price, types.TieredPrices):
            tiers = tuple((tier.start, _text(tier.price)) for tier in price.tiers)
            found[unit] = (_text(price.base), tiers)
        elif price is not None:
            found[unit] = _text(price)
    return found


def _text(amount: Decimal) -> str:
    text = f"{amount:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _clause(clause: object) -> Clause | None:
    match clause:
        case None:
            return None
        case types.ClauseEquals(equals=text):
            return Clause(equals=text.lower())
        case types.ClauseStartsWith(starts_with=text):
            return Clause(starts_with=text.lower())
        case types.ClauseEndsWith(ends_with=text):
            return Clause(ends_with=text.lower())
        case types.ClauseContains(contains=text):
            return Clause(contains=text.lower())
        case types.ClauseRegex(regex=text):
            return Clause(regex=text)
        case types.ClauseOr(or_=parts):
            return Clause(any=_clauses(parts))
        case types.ClauseAnd(and_=parts):
            return Clause(all=_clauses(parts))
    raise TypeError(f"genai-prices matches names by something new: {clause!r}")


def _clauses(parts: Sequence[object]) -> tuple[Clause, ...]:
    return tuple(clause for clause in map(_clause, parts) if clause is not None)
