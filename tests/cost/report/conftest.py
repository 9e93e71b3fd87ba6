"""Reports to print: a realistic one, and the odd ones."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

import pytest

from sdlc_cli.core import charts
from sdlc_cli.core.i18n import msg
from sdlc_cli.cost.model import (
    PICO,
    Amounts,
    CostReport,
    Group,
    Rejection,
    SourceRead,
    Unpriced,
)
from sdlc_cli.cost.report import Sheet

HOSTILE = (
    "=cmd|' /C calc'!A0 <script>alert('x')</script></style></script> [bold red]x[/] `a` | **b** "
    "@octocat #12 \x1b[31mred\x1b[0m\r\nnext\tline \x00 \u202e ]]> \udcff"
)
START = datetime(2026, 11, 1, 8, 30, tzinfo=UTC)
Sheets = dict[str, Callable[[], Sheet]]


def amounts(
    calls: int,
    pico: int,
    *,
    at_most: int | None = -1,
    cached: int = 0,
    unknown: int = 0,
    unpriced: int = 0,
    **tokens: int,
) -> Amounts:
    return Amounts(
        calls=calls,
        tokens=tokens,
        pico=pico,
        at_most_pico=pico if at_most == -1 else at_most,
        cached_calls=cached,
        unknown_calls=unknown,
        unpriced_calls=unpriced,
    )


def report(
    *groups: Group,
    by: tuple[str, ...],
    totals: Amounts | None = None,
    rejected: tuple[Rejection, ...] = (),
    unpriced: tuple[Unpriced, ...] = (),
    unattributed: Amounts | None = None,
    duplicates: int = 0,
    price_sources: dict[str, int] | None = None,
    sources: tuple[SourceRead, ...] = (),
    timezone: str = "UTC",
) -> CostReport:
    return CostReport(
        groups=groups,
        totals=totals or groups[0].amounts,
        duplicates=duplicates,
        rejected_count=len(rejected),
        rejected=rejected,
        unattributed=unattributed or Amounts(),
        unpriced=unpriced,
        since=START,
        until=START + timedelta(days=2, hours=3),
        timezone=timezone,
        price_sources=price_sources or {},
        sources=sources,
        by=by,
    )


def realistic() -> Sheet:
    """Two models over three days, and all that can be wrong."""
    rows = [
        ("2026-11-01", "gpt-4o", 120, 812_450_000_000, 240_000, 60_000, 0, 18_000, 0),
        ("2026-11-01", "claude-sonnet-4-5", 8, 1_522_500_000_000, 250_000, 0, 0, 1_000, 200),
        ("2026-11-02", "gpt-4o", 310, 2_402_000_000_001, 700_100, 160_400, 0, 51_000, 0),
        ("2026-11-03", "house-model", 12, 0, 9_000, 0, 0, 700, 0),
        (
            "2026-11-03",
            "claude-sonnet-4-5",
            44,
            12_982_500_000_000,
            150_000,
            100_000,
            9_000,
            900,
            0,
        ),
    ]
    groups = [
        Group(
            keys={"day": day, "model": model},
            amounts=amounts(
                calls,
                pico,
                at_most=210_000_000_000 if model == "house-model" else -1,
                unpriced=12 if model == "house-model" else 0,
                input=text,
                cache_read=read,
                cache_write_5m=written,
                output=out - thought,
                reasoning=thought,
            ),
        )
        for day, model, calls, pico, text, read, written, out, thought in rows
    ]
    totals = amounts(
        497,
        sum(row[3] for row in rows),
        at_most=sum(row[3] for row in rows) + 310_000_000_000,
        cached=5,
        unknown=3,
        unpriced=12,
        input=1_349_100,
        cache_read=320_400,
        cache_write_5m=9_000,
        output=71_400,
        reasoning=200,
        web_searches=0,
    )
    made = report(
        *groups,
        by=("day", "model"),
        totals=totals,
        rejected=(
            Rejection(path="logs/a.jsonl", line=17, reason=msg("is not JSON")),
            Rejection(path="logs/a.jsonl", line=40, reason=msg("the count is negative")),
        ),
        unpriced=(
            Unpriced(
                provider="",
                model="house-model",
                calls=12,
                input_tokens=9_000,
                output_tokens=700,
                at_most_pico=210_000_000_000,
                reason=msg("no model of this name is known"),
            ),
        ),
        unattributed=amounts(40, 1_000_000_000_000),
        duplicates=21,
        price_sources={"catalogue genai-prices 0.2.3": 480, "cost.yaml:12": 2, "declared free": 0},
        sources=(
            SourceRead(
                path="logs/a.jsonl", format="openai-chat", rows=500, rejected=2, reused=False
            ),
            SourceRead(
                path="logs/b.jsonl.gz", format="anthropic", rows=21, rejected=0, reused=True
            ),
        ),
    )
    return Sheet(report=made, daily=daily(made), by_day=made.groups, hidden={"user": 4, "email": 1})


def daily(made: CostReport) -> tuple[tuple[date, int], ...]:
    days: dict[date, int] = {}
    for group in made.groups:
        day = date.fromisoformat(group.keys["day"])
        days[day] = days.get(day, 0) + group.amounts.pico
    return tuple(sorted(days.items()))


def hostile() -> Sheet:
    """Names that want to be formulas, markup, escapes and more."""
    keys = {"project": HOSTILE, "model": HOSTILE, "tag:t": HOSTILE, "day": "2026-11-01"}
    one = amounts(3, PICO, unpriced=1, at_most=None, input=5, output=6)
    bad = Rejection(path=HOSTILE, line=1, reason=msg("no key {key}", key=HOSTILE))
    model = Unpriced(
        provider=HOSTILE,
        model=HOSTILE,
        calls=1,
        input_tokens=5,
        output_tokens=6,
        at_most_pico=None,
        reason=msg("no price for {model}", model=HOSTILE),
    )
    made = report(
        Group(keys=keys, amounts=one),
        Group(keys={"day": "2026-11-01"}, amounts=one),
        by=("day", "project", "model", "tag:t"),
        totals=amounts(6, 2 * PICO, unpriced=2, at_most=None, input=10, output=12),
        rejected=(bad,),
        unpriced=(model,),
        unattributed=amounts(3, PICO),
        price_sources={HOSTILE: 2},
        sources=(SourceRead(path=HOSTILE, format="generic", rows=6, rejected=1, reused=False),),
    )
    return Sheet(report=made, daily=daily(made))


def empty() -> Sheet:
    """Records were read, and none lay in the time asked for."""
    made = report(by=("day",), totals=Amounts())
    return Sheet(report=made)


def tiny() -> Sheet:
    """A single call that cost next to nothing, in a zone far from UTC."""
    group = Group(keys={"day": "2026-11-01"}, amounts=amounts(1, 1, input=1))
    return Sheet(report=report(group, by=("day",), timezone="Pacific/Kiritimati"))


def large() -> Sheet:
    """A thousand users, hundreds of days."""
    groups = [
        Group(keys={"user": f"user-{n:04}"}, amounts=amounts(n, n * PICO, input=n, output=n))
        for n in range(1, 1001)
    ]
    days = tuple((date(2026, 1, 1) + timedelta(days=n), n * PICO) for n in range(320))
    totals = amounts(500_500, 500_500 * PICO, input=500_500, output=500_500)
    return Sheet(report=report(*groups, by=("user",), totals=totals), daily=days)


@pytest.fixture
def plain(monkeypatch: pytest.MonkeyPatch) -> None:
    """As where the extra `charts` is missing."""
    monkeypatch.setattr(charts, "installed", lambda: False)


@pytest.fixture
def sheets() -> Sheets:
    return {
        "realistic": realistic,
        "hostile": hostile,
        "empty": empty,
        "tiny": tiny,
        "large": large,
    }


@pytest.fixture
def hostile_text() -> str:
    return HOSTILE
