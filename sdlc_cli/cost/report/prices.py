"""Prices -> a table, JSON: what `sdlc cost prices` shows of models."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from sdlc_cli.core import money
from sdlc_cli.core.i18n import _, local
from sdlc_cli.core.table import Cell, Column, Table
from sdlc_cli.cost.model import Price, Rate

SCHEMA_VERSION = 1
PER = 10**6  # tokens that a shown price is for
_SHOWN = ("input", "cache_read", "cache_write_5m", "output")


def table(prices: Sequence[Price]) -> Table:
    """One row a rate; dollars for a million tokens, dates in UTC. What is always alike is left out.

    A model without a price has a row that says why.
    """
    columns = (
        Column(key="model", title=_("Model")),
        Column(key="input", title=_("Input"), kind="number"),
        Column(key="cache_read", title=_("Cache read"), kind="number"),
        Column(key="cache_write", title=_("Cache write"), kind="number"),
        Column(key="output", title=_("Output"), kind="number"),
        Column(key="valid", title=_("Valid")),
        Column(key="source", title=_("Source")),
    )
    rows = [row for price in prices for row in _rows(price)]
    sources = {row[-1] for row in rows}
    alike = {"source"} if len(sources) == 1 else set()
    alike |= {"valid"} if all(row[-2] == _("always") for row in rows) else set()
    title = _("US dollars for a million tokens")
    if "source" in alike:
        title = _("{title}, {source}").format(title=title, source=sources.pop())
    return Table(title=title, columns=columns, rows=tuple(rows)).without(alike)


def _rows(price: Price) -> Iterator[tuple[Cell, ...]]:
    name = f"{price.provider}/{price.model}" if price.provider else price.model
    for rate in price.rates:
        yield (name, *_rates(rate), _valid(rate), local(rate.source or price.source))
    if not price.rates:
        yield (name, None, None, None, None, "", local(price.reason or ""))


def document(prices: Iterable[Price]) -> dict[str, object]:
    """The JSON result: every class of every rate, as decimal text."""
    return {
        "schema_version": SCHEMA_VERSION,
        "prices": [
            {
                "provider": price.provider,
                "model": price.model,
                "family": price.family,
                "context": price.context,
                "reason": None if price.reason is None else str(price.reason),
                "rates": [_rate(rate, price) for rate in price.rates],
            }
            for price in prices
        ],
    }


def _rate(rate: Rate, price: Price) -> dict[str, object]:
    return {
        "source": str(rate.source or price.source),
        "since": _iso(rate.since),
        "until": _iso(rate.until),
        "hours_utc": [_clock(minute) for minute in rate.hours] if rate.hours else None,
        "above_input_tokens": rate.above,
        "rounded": rate.rounded,
        "usd_per_unit": {name: money.text(pico) for name, pico in rate.per_unit.items()},
        "usd_per_request": money.text(rate.request),
    }


def _rates(rate: Rate) -> Iterator[Cell]:
    for name in _SHOWN:
        yield money.usd(rate.per_unit.get(name, 0) * PER)


def _valid(rate: Rate) -> str:
    parts: list[str] = []
    if rate.since:
        parts.append(_("from {day}").format(day=f"{rate.since:%Y-%m-%d}"))
    if rate.until:
        parts.append(_("before {day}").format(day=f"{rate.until:%Y-%m-%d}"))
    if rate.hours:
        hours = [_clock(minute) for minute in rate.hours]
        parts.append(_("{start} to {end} UTC").format(start=hours[0], end=hours[1]))
    if rate.above:
        parts.append(_("above {n} tokens").format(n=f"{rate.above:,}"))
    return ", ".join(parts) or _("always")


def _iso(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat().replace("+00:00", "Z")


def _clock(minute: int) -> str:
    return f"{minute // 60 % 24:02}:{minute % 60:02}"
