"""What every form of the report says beside its groups: figures, and the sentences on them."""

import math
from collections.abc import Iterable, Iterator
from datetime import date, datetime, timedelta

from sdlc_cli.core import money
from sdlc_cli.core.columns import cut
from sdlc_cli.core.i18n import _, local, ngettext
from sdlc_cli.core.printable import one_line
from sdlc_cli.core.when import local_day
from sdlc_cli.cost.model import OUTPUTS, Amounts, CostReport, Group, Series, Unpriced
from sdlc_cli.cost.report import Sheet
from sdlc_cli.cost.zones import zone

TIMES = ("day", "week", "month", "hour")  # groups of these stand in their own order
MOST_UNPRICED = 10  # models that are named; the rest is counted
MOST_SOURCES = 6  # of prices

_INPUT = ("input", "audio_in", "image_in")
_CACHE_READ = ("cache_read", "audio_cached")
_CACHE_WRITE = ("cache_write_5m", "cache_write_1h")


def tokens(amounts: Amounts) -> dict[str, int]:
    """The token columns that all forms share; `reasoning_tokens` is part of `output_tokens`."""

    def total(names: Iterable[str]) -> int:
        return sum(amounts.tokens.get(name, 0) for name in names)

    return {
        "input_tokens": total(_INPUT),
        "cache_read_tokens": total(_CACHE_READ),
        "cache_write_tokens": total(_CACHE_WRITE),
        "output_tokens": total(OUTPUTS),
        "reasoning_tokens": total(("reasoning",)),
    }


def ordered(report: CostReport) -> tuple[Group, ...]:
    """The groups: times in their order, within them what cost most comes first."""
    times = [key for key in report.by if key in TIMES]

    def rank(group: Group) -> tuple[object, ...]:
        keys = group.keys
        return (
            tuple(keys.get(key, "") for key in times),
            -group.amounts.pico,
            -(group.amounts.at_most_pico or 0),
            tuple(keys.get(key, "") for key in report.by),
        )

    return tuple(sorted(report.groups, key=rank))


def days(report: CostReport) -> Series:
    """What each day from the first to the last one cost, of a report by day."""
    costs: dict[date, int] = {}
    for group in report.groups:
        if group.keys["day"]:
            day = date.fromisoformat(group.keys["day"])
            costs[day] = costs.get(day, 0) + group.amounts.pico
    if not costs:
        return ()
    first = min(costs)
    all_days = (first + timedelta(days=n) for n in range((max(costs) - first).days + 1))
    return tuple((day, costs.get(day, 0)) for day in all_days)


def priced_coverage(amounts: Amounts) -> float | None:
    """The share of the calls whose cost is certain; None without calls."""
    if not amounts.calls:
        return None
    return 1 - (amounts.unknown_calls + amounts.unpriced_calls) / amounts.calls


def unattributed_share(report: CostReport) -> float | None:
    """Of the cost; of the calls where nothing cost anything. None without calls."""
    if report.totals.pico:
        return report.unattributed.pico / report.totals.pico
    return report.unattributed.calls / report.totals.calls if report.totals.calls else None


def headline(report: CostReport) -> str:
    """What it cost, and how many calls that were, in which time."""
    calls = report.totals.calls
    text = ngettext("${cost} for {n} call, {period}", "${cost} for {n} calls, {period}", calls)
    return text.format(cost=people(report.totals.pico), n=f"{calls:,}", period=period(report))


def period(report: CostReport) -> str:
    """The days of the first and of the last call, in the report's zone."""
    if report.since is None or report.until is None:
        return _("without times")
    first, last = _day(report.since, report.timezone), _day(report.until, report.timezone)
    if first == last:
        return _("{day} ({timezone})").format(day=first, timezone=report.timezone)
    return _("{first} to {last} ({timezone})").format(
        first=first, last=last, timezone=report.timezone
    )


def coverage_line(report: CostReport) -> str:
    """How much of the calls is priced."""
    share = priced_coverage(report.totals)
    if share is None:
        return _("there are no calls to price")
    return _("{share} of the calls are priced").format(share=percent(share))


def warnings(report: CostReport) -> Iterator[str]:
    """What the total does not hold, or holds without an owner."""
    yield from _rejected(report)
    totals = report.totals
    if totals.unknown_calls:
        yield ngettext(
            "{n} call whose usage no record tells counts as nothing",
            "{n} calls whose usage no record tells count as nothing",
            totals.unknown_calls,
        ).format(n=f"{totals.unknown_calls:,}")
    yield from _unpriced(report)
    if totals.unknown_calls or totals.unpriced_calls:
        yield _at_most(totals)
    if report.unattributed.calls:
        yield ngettext(
            "{share} of the cost (${cost}, {calls} call) belongs to no project or team",
            "{share} of the cost (${cost}, {calls} calls) belongs to no project or team",
            report.unattributed.calls,
        ).format(
            share=percent(unattributed_share(report) or 0),
            cost=people(report.unattributed.pico),
            calls=f"{report.unattributed.calls:,}",
        )


def notes(sheet: Sheet) -> Iterator[str]:
    """What else went into the figures."""
    report = sheet.report
    if report.duplicates:
        yield ngettext(
            "{n} record of a call that was counted already was left out",
            "{n} records of calls that were counted already were left out",
            report.duplicates,
        ).format(n=f"{report.duplicates:,}")
    cached = report.totals.cached_calls
    if cached:
        yield ngettext(
            "{n} call was answered from a gateway's own cache and cost nothing",
            "{n} calls were answered from a gateway's own cache and cost nothing",
            cached,
        ).format(n=f"{cached:,}")
    failed = report.totals.failed_calls
    if failed:
        yield ngettext(
            "{n} call failed before it used any token and cost nothing",
            "{n} calls failed before they used any token and cost nothing",
            failed,
        ).format(n=f"{failed:,}")
    timeless = report.totals.timeless_calls
    if timeless:
        yield ngettext(
            "{n} call has no time: it is in no day, and priced at the newest price",
            "{n} calls have no time: they are in no day, and priced at the newest price",
            timeless,
        ).format(n=f"{timeless:,}")
    if report.price_sources:
        yield _("Prices: {sources}").format(sources=", ".join(_price_sources(report)))
    words = {
        "user": _("users"),
        "email": _("e-mail addresses"),
        "phone": _("phone numbers"),
        "card": _("card numbers"),
    }
    if sheet.hidden:
        listed = (f"{words.get(kind, kind)}: {n:,}" for kind, n in sorted(sheet.hidden.items()))
        yield _("Shown as hashes ({what})").format(what=", ".join(listed))


def people(pico: int) -> str:
    """Dollars for a sentence, with two decimals from $100 on and at least four below."""
    return f"{money.usd(pico):,.{decimals([pico])}f}"


def decimals(amounts: Iterable[int | None]) -> int:
    """How many decimals a column of these pico-dollars shows to people."""
    known = [abs(amount) for amount in amounts if amount is not None]
    largest = max(known, default=0)
    if largest >= 100 * money.PICO or not largest:
        return 2
    return 4 if largest >= money.PICO else money.decimals(known)


def short(name: str, width: int = 60) -> str:
    """A name from a log, fit for a sentence."""
    return cut(one_line(name), width)


def percent(share: float) -> str:
    """A share that never shows as all or nothing when it is not."""
    tenths = math.floor(share * 1000) if share > 0.5 else math.ceil(share * 1000)
    return f"{tenths / 10:.1f}%" if tenths % 1000 else f"{tenths // 10}%"


def _rejected(report: CostReport) -> Iterator[str]:
    if not report.rejected_count:
        return
    text = ngettext(
        "{n} record was rejected and is not counted",
        "{n} records were rejected and are not counted",
        report.rejected_count,
    ).format(n=f"{report.rejected_count:,}")
    if report.rejected:
        first = report.rejected[0]
        place = f"{short(first.path)}:{first.line}" if first.line else short(first.path)
        text = _("{text}, the first at {place}: {reason}").format(
            text=text, place=place, reason=short(local(first.reason), 200)
        )
    yield text


def _unpriced(report: CostReport) -> Iterator[str]:
    for one in report.unpriced[:MOST_UNPRICED]:
        yield unpriced_line(one)
    rest = report.unpriced[MOST_UNPRICED:]
    if rest:
        yield ngettext(
            "{n} more model is unpriced, with {calls} calls",
            "{n} more models are unpriced, with {calls} calls",
            len(rest),
        ).format(n=f"{len(rest):,}", calls=f"{sum(one.calls for one in rest):,}")


def unpriced_line(one: Unpriced) -> str:
    """A model without a price: how large it is, and the most it can have cost."""
    text = ngettext(
        "unpriced: {model}, {calls} call, {tokens_in} tokens in, {tokens_out} out",
        "unpriced: {model}, {calls} calls, {tokens_in} tokens in, {tokens_out} out",
        one.calls,
    ).format(
        model=short("/".join(name for name in (one.provider, one.model) if name)) or _("no model"),
        calls=f"{one.calls:,}",
        tokens_in=f"{one.input_tokens:,}",
        tokens_out=f"{one.output_tokens:,}",
    )
    if one.at_most_pico is not None:
        text = _("{text}, at most ${cost}").format(text=text, cost=people(one.at_most_pico))
    return f"{text} ({short(local(one.reason), 200)})" if one.reason else text


def _at_most(totals: Amounts) -> str:
    if totals.at_most_pico is None:
        return _("what the unpriced and unknown calls cost at most is not known")
    return _("with the unpriced and unknown calls it is at most ${cost}").format(
        cost=people(totals.at_most_pico)
    )


def _price_sources(report: CostReport) -> list[str]:
    ranked = sorted(report.price_sources.items(), key=lambda item: (-item[1], item[0]))
    shown = [
        f"{short(local(source), 120)} ({calls:,})"
        for source, calls in ranked[:MOST_SOURCES]
        if calls
    ]
    if len(ranked) > MOST_SOURCES:
        shown.append(_("and {n} more").format(n=f"{len(ranked) - MOST_SOURCES:,}"))
    return shown


def _day(moment: datetime, timezone: str) -> str:
    return local_day(moment, zone(timezone)).isoformat()
