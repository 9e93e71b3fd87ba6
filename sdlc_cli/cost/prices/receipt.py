"""The arithmetic of one call, line by line: what `sdlc cost explain` shows."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from sdlc_cli.core import money
from sdlc_cli.core.i18n import Message, _, local, msg
from sdlc_cli.core.table import Cell, Column, Table
from sdlc_cli.cost.model import COUNTS, INPUTS, Price, Rate, Row

SCHEMA_VERSION = 1
REQUEST = "request"
LABELS = {
    "input": msg("input"),
    "cache_read": msg("input read from a cache"),
    "cache_write_5m": msg("input written to a cache"),
    "cache_write_1h": msg("input written to a cache for an hour"),
    "audio_in": msg("audio input"),
    "audio_cached": msg("audio input read from a cache"),
    "image_in": msg("image input"),
    "output": msg("output"),
    "reasoning": msg("reasoning"),
    "audio_out": msg("audio output"),
    "image_out": msg("image output"),
    "web_searches": msg("web searches"),
    REQUEST: msg("requests"),
}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """`count` units of one class at `rate` pico-dollars each. A class without units has no line."""

    name: str  # one of COUNTS, or "request"
    count: int
    rate: int

    @property
    def pico(self) -> int:
        """What the line costs, in pico-dollars."""
        return self.count * self.rate

    @property
    def per(self) -> int:
        """How many units the price is usually told for."""
        return {"web_searches": 1_000, REQUEST: 1}.get(self.name, 1_000_000)

    @property
    def usd_per(self) -> Decimal:
        """US dollars for `per` units."""
        return money.usd(self.rate * self.per)


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """What a call costs and why. Without `rate` it is unpriced or unknown: `pico` is then None.

    `why` says which of the price's rates was chosen, or why there is none. `at_most_pico` bounds
    a call whose tokens are known and whose price is not.
    """

    row: Row
    price: Price
    rate: Rate | None
    lines: tuple[Line, ...]
    why: tuple[Message, ...]
    pico: int | None
    at_most_pico: int | None = None

    @property
    def source(self) -> str:
        """Where the rate comes from."""
        return self.rate.source or self.price.source if self.rate else ""


def call_time(row: Row) -> datetime | None:
    """When the call was made, in UTC."""
    return None if row.ts is None else _EPOCH + timedelta(microseconds=row.ts)


def total_input(row: Row) -> int:
    """All input tokens of the call: what the thresholds of prices are compared with."""
    return sum(getattr(row, name) for name in INPUTS)


def applicable(price: Price, when: datetime | None, tokens: int) -> Rate | None:
    """The rate of a call at `when` with `tokens` input tokens in all, or None.

    For a call whose time nobody wrote down it is the latest; where that changes with the hour,
    the dearest. `engine.pricing` says the same in SQL.
    """
    held = [rate for rate in price.rates if when is None or _holds(rate, when)]
    if when is None:
        newest = max((rate.since or _EPOCH for rate in held), default=_EPOCH)
        held = [rate for rate in held if (rate.since or _EPOCH) == newest]
    fitting = [rate for rate in held if rate.above == 0 or tokens > rate.above]
    return max(fitting, key=lambda rate: rate.above, default=None)


def _holds(rate: Rate, when: datetime) -> bool:
    if (rate.since and when < rate.since) or (rate.until and when >= rate.until):
        return False
    if rate.hours is None:
        return True
    first, last = rate.hours
    minute = when.hour * 60 + when.minute
    return first <= minute < last if first < last else minute >= first or minute < last


def receipt(row: Row, price: Price) -> Receipt:
    """The receipt of one call."""
    if row.status == "cached":
        why = (msg("the gateway answered from its own cache: nobody was paid"),)
        return Receipt(row=row, price=price, rate=None, lines=(), why=why, pico=0)
    if row.status == "error" and row.known and not any(getattr(row, name) for name in COUNTS):
        why = (msg("the call failed before it used any token"),)
        return Receipt(row=row, price=price, rate=None, lines=(), why=why, pico=0)
    # A record of many calls does not tell the input of each: none is taken to be above a threshold.
    tokens = total_input(row) if row.calls == 1 else 0
    rate = applicable(price, call_time(row), tokens)
    if not row.known:
        why = (msg("the log does not tell the tokens of this call"),)
        return Receipt(row=row, price=price, rate=None, lines=(), why=why, pico=None)
    if rate is None:
        reason = price.reason or msg("no price is known for this time")
        most = _at_most(row, price.ceiling)
        return Receipt(
            row=row, price=price, rate=None, lines=(), why=(reason,), pico=None, at_most_pico=most
        )
    lines = tuple(_lines(row, rate.per_unit, rate.request))
    return Receipt(
        row=row,
        price=price,
        rate=rate,
        lines=lines,
        why=tuple(_why(row, price, rate, tokens)),
        pico=sum(line.pico for line in lines),
    )


def _lines(row: Row, per_unit: Mapping[str, int], request: int) -> Iterable[Line]:
    for name in COUNTS:
        if count := getattr(row, name):
            yield Line(name=name, count=count, rate=per_unit[name])
    if request:
        yield Line(name=REQUEST, count=row.calls, rate=request)


def _at_most(row: Row, ceiling: Mapping[str, int]) -> int | None:
    if not ceiling:
        return None
    return sum(line.pico for line in _lines(row, ceiling, ceiling.get(REQUEST, 0)))


def _why(row: Row, price: Price, rate: Rate, tokens: int) -> Iterable[Message]:
    when = call_time(row)
    timed = any(other.since or other.until or other.hours for other in price.rates)
    if when is None and timed:
        yield msg("the log does not tell when: the latest price, at its dearest hours")
    elif when is not None:
        yield _when(when, rate)
    if rate.hours:
        yield msg(
            "the price of the hours from {start} to {end} UTC",
            start=_clock(rate.hours[0]),
            end=_clock(rate.hours[1]),
        )
    yield from _tier_reasons(row, price, rate, tokens)
    if rate.rounded:
        yield msg("a rate was rounded to whole pico-dollars")


def _when(when: datetime, rate: Rate) -> Message:
    at = f"{when:%Y-%m-%d %H:%M:%S}"
    since, until = (f"{day:%Y-%m-%d}" if day else "" for day in (rate.since, rate.until))
    if since and until:
        return msg(
            "made at {at} UTC: the price valid from {since} to before {until}",
            at=at,
            since=since,
            until=until,
        )
    if since:
        return msg("made at {at} UTC: the price valid since {since}", at=at, since=since)
    if until:
        return msg("made at {at} UTC: the price valid before {until}", at=at, until=until)
    return msg("made at {at} UTC", at=at)


def _tier_reasons(row: Row, price: Price, rate: Rate, tokens: int) -> Iterable[Message]:
    steps = sorted({other.above for other in price.rates if other.above})
    if not steps:
        return
    if row.calls > 1:
        yield msg(
            "{calls} calls in one record: their sizes are not known, so the rates of small inputs",
            calls=f"{row.calls:,}",
        )
    elif rate.above:
        yield msg(
            "{tokens} input tokens are above {above}: the higher rates, for the whole call",
            tokens=f"{tokens:,}",
            above=f"{rate.above:,}",
        )
    else:
        yield msg(
            "{tokens} input tokens are not above {above}: the lower rates",
            tokens=f"{tokens:,}",
            above=f"{steps[0]:,}",
        )


def _clock(minute: int) -> str:
    return f"{minute // 60 % 24:02}:{minute % 60:02}"


def as_json(made: Receipt) -> dict[str, object]:
    """The receipt for machines: money as decimal text in US dollars."""
    when, rate = call_time(made.row), made.rate
    return {
        "schema_version": SCHEMA_VERSION,
        "call_id": made.row.call_id,
        "time": None if when is None else when.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        "provider": made.price.provider,
        "model": made.price.model,
        "logged": {
            "provider": made.row.provider,
            "model": made.row.model,
            "tier": made.row.tier,
            "cost_usd": money.text(made.row.logged_pico),
        },
        "lines": [
            {
                "class": line.name,
                "count": line.count,
                "usd_per": f"{line.usd_per}",
                "per": line.per,
                "cost_usd": money.text(line.pico),
            }
            for line in made.lines
        ],
        "cost_usd": money.text(made.pico),
        "cost_at_most_usd": money.text(made.at_most_pico),
        "price": None if rate is None else _rate_json(rate, made.source),
        "why": [str(reason) for reason in made.why],
    }


def _rate_json(rate: Rate, source: str) -> dict[str, object]:
    return {
        "source": str(source),
        "since": rate.since.isoformat().replace("+00:00", "Z") if rate.since else None,
        "until": rate.until.isoformat().replace("+00:00", "Z") if rate.until else None,
        "hours_utc": [_clock(minute) for minute in rate.hours] if rate.hours else None,
        "above_input_tokens": rate.above,
        "rounded": rate.rounded,
    }


def table(made: Receipt) -> Table:
    """The lines of the receipt and their sum."""
    rows: list[tuple[Cell, ...]] = [
        (local(LABELS[line.name]), line.count, line.usd_per, line.per, money.usd(line.pico))
        for line in made.lines
    ]
    if made.pico is not None:
        rows.append((_("total"), None, None, None, money.usd(made.pico)))
    return Table(
        columns=(
            Column(key="class", title=_("What")),
            Column(key="count", title=_("Count"), kind="number"),
            Column(
                key="usd_per",
                title=_("US dollars"),
                kind="number",
                decimals=_decimals(line.usd_per for line in made.lines),
            ),
            Column(key="per", title=_("for"), kind="number"),
            Column(
                key="cost_usd",
                title=_("Cost in US dollars"),
                kind="number",
                decimals=_decimals(money.usd(line.pico) for line in made.lines),
            ),
        ),
        rows=tuple(rows),
        title=f"{made.price.provider} {made.price.model}",
    )


def _decimals(amounts: Iterable[Decimal]) -> int:
    """As many as the longest has: a receipt is exact, and its points stand below one another."""
    return max((-int(amount.as_tuple().exponent) for amount in amounts), default=2)
