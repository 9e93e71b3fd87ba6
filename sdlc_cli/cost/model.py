"""The types of the cost job: a usage row, prices, and what a report is made of. No I/O."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Literal

import msgspec

from sdlc_cli.core.i18n import Message

PICO = 10**12  # pico-dollars in a dollar

# The token classes of a row. Disjoint: a token is in exactly one, so sums never count it twice.
# Each is priced by its own rate; `RATE_OF` in `prices` names the price of each.
INPUTS = (
    "input",  # text, image without a class of its own, neither read from nor written to a cache
    "cache_read",
    "cache_write_5m",  # also writes whose lifetime nobody told
    "cache_write_1h",
    "audio_in",
    "audio_cached",
    "image_in",
)
OUTPUTS = ("output", "reasoning", "audio_out", "image_out")
TOKENS = INPUTS + OUTPUTS
COUNTS = (*TOKENS, "web_searches")  # web searches are priced by the thousand, not by the token

Status = Literal["ok", "error", "cached"]


class Row(msgspec.Struct, kw_only=True, gc=False):
    """One call as a reader found it; the columns of the canonical table, in its order.

    Text that is not known is "". Counts are >= 0 and below 2**53; a reader refuses the line
    otherwise. Provider and model stand as they were logged: `prices.names` reads them later.
    """

    line: int = 0  # 1-based: line, CSV record or element of the document
    ts: int | None = None  # microseconds since 1970 in UTC, when the call was made
    provider: str = ""
    model: str = ""
    tier: str = ""  # "" is standard; batch, flex, priority
    project: str = ""
    user: str = ""
    key: str = ""  # name or hash of the API key, team or workspace: what attribution rules match
    path: str = ""  # working folder of a session, where the format has one
    tags: str = ""  # a JSON object of strings with sorted keys, or ""
    call_id: str = ""  # what `sdlc cost explain` takes
    dedupe: str = ""  # rows with the same non-empty text are one call
    rank: int = 0  # of rows of one call the highest rank wins, then known, then most tokens
    status: Status = "ok"  # cached: the gateway answered from its own cache, nobody was paid
    known: bool = True  # False: the record tells of a call but not of its usage
    calls: int = 1  # an aggregated export tells of many calls in one record
    input: int = 0
    cache_read: int = 0
    cache_write_5m: int = 0
    cache_write_1h: int = 0
    audio_in: int = 0
    audio_cached: int = 0
    image_in: int = 0
    output: int = 0
    reasoning: int = 0
    audio_out: int = 0
    image_out: int = 0
    web_searches: int = 0
    max_output: int | None = None  # the request's own limit, bounds what an unknown call costs
    logged_pico: int | None = None  # what the log itself says the call cost, in pico-dollars
    request_hash: str = ""  # equal requests have equal hashes; never the text itself
    prefix_hash: str = ""  # of the part that a prompt cache could have kept
    prefix_tokens: int = 0


class Told(msgspec.Struct, kw_only=True, gc=False):
    """A call as one record tells it. `above` are the keys of the spans above it, nearest first.

    `replaces` identified earlier rows that have turned out to tell of this call, from above it;
    `absorbs` such that tell of it from below.
    """

    row: Row
    span: str = ""
    above: tuple[str, ...] = ()
    replaces: tuple[str, ...] = ()
    absorbs: tuple[str, ...] = ()


class Rejected(Exception):
    """A record that cannot be counted, with the reason in words."""

    def __init__(self, reason: Message) -> None:
        super().__init__(str(reason))
        self.reason = reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejection:
    """A record that was not counted: where it is, and why."""

    path: str
    line: int
    reason: Message


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """What one model costs over one stretch of time: pico-dollars for a unit of each class.

    `per_unit` maps every name of `COUNTS` to pico-dollars per token (or per web search).
    It applies to calls from `since` until before `until` (UTC), within `hours` of the day where
    these are given, whose total input (all of INPUTS) is above `above` tokens: of several, the
    highest `above` below the call's input holds, for the whole call. `request` is per call.
    """

    per_unit: Mapping[str, int]
    request: int = 0
    since: datetime | None = None
    until: datetime | None = None
    hours: tuple[int, int] | None = None  # minutes of the UTC day, [from, to), may wrap midnight
    above: int = 0
    rounded: bool = False  # a price was no whole number of pico-dollars and was rounded
    source: str = ""  # where these figures come from, as in `Price.source`


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """How calls of one (provider, model, tier) as logged are priced.

    A call at a time that no rate holds for is unpriced, as is one without `rates`.
    """

    provider: str  # canonical
    model: str  # canonical; what reports group by
    rates: tuple[Rate, ...]  # empty: unpriced
    source: str  # "catalogue genai-prices 0.2.3", "cost.yaml:12", "declared free"
    family: str = ""  # models of one make, for bounds and advice: "claude-sonnet"
    ceiling: Mapping[str, int] = field(default_factory=dict)  # dearest rates of the family
    max_output: int | None = None  # the model's token limits where the catalogue has them
    context: int | None = None
    reason: Message | None = None  # why there is no rate, or none for a part of the time


@dataclass(frozen=True, slots=True, kw_only=True)
class Amounts:
    """The figures of a group of calls. Tokens disjoint by class; money in pico-dollars."""

    calls: int = 0
    tokens: Mapping[str, int] = field(default_factory=dict)  # by the names of COUNTS
    pico: int = 0
    at_most_pico: int | None = None  # with unpriced and unknown calls at their dearest
    cached_calls: int = 0
    failed_calls: int = 0  # without any tokens: they cost nothing
    unknown_calls: int = 0
    unpriced_calls: int = 0
    timeless_calls: int = 0  # in no day, and priced as of the newest price

    @property
    def cost(self) -> Decimal:
        """US dollars, exact."""
        return Decimal(self.pico).scaleb(-12)


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """One line of a report: what it is grouped by, and its figures."""

    keys: Mapping[str, str]  # {"day": "2026-11-22", "model": "gpt-4o"}
    amounts: Amounts


@dataclass(frozen=True, slots=True, kw_only=True)
class Unpriced:
    """Calls of one model that no price was found for."""

    provider: str
    model: str
    calls: int
    input_tokens: int
    output_tokens: int
    at_most_pico: int | None
    reason: Message


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceRead:
    """One input: what it was read as, how many records counted, were refused, came from a cache."""

    path: str
    format: str
    rows: int
    rejected: int
    reused: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class CostReport:
    """What `sdlc cost report` prints."""

    groups: tuple[Group, ...]
    totals: Amounts
    duplicates: int
    rejected_count: int
    rejected: tuple[Rejection, ...]  # the first 1,000
    unattributed: Amounts
    unpriced: tuple[Unpriced, ...]
    since: datetime | None  # of the first and last call counted, UTC
    until: datetime | None
    timezone: str
    price_sources: Mapping[str, int]  # source -> calls
    sources: tuple[SourceRead, ...]
    by: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Where:
    """Which calls a question is about. Text fields are exact values; "" asks for no limit."""

    since: datetime | None = None
    until: datetime | None = None
    project: str = ""
    team: str = ""
    user: str = ""
    model: str = ""  # a glob over the canonical name
    provider: str = ""
    tag: tuple[str, str] | None = None


Series = tuple[tuple[date, int], ...]  # (day in the report's zone, pico-dollars), no day left out
