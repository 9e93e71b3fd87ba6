"""CacheReport -> a table, sentences, JSON."""

from sdlc_cli.core import money
from sdlc_cli.core.i18n import Message, _, msg
from sdlc_cli.core.table import Column, Table
from sdlc_cli.cost.cachesim import BEST, UNLIMITED, CacheReport, Outcome

SCHEMA_VERSION = 1


def tables(report: CacheReport) -> tuple[Table, ...]:
    """One line for each policy and size; the bounds stand below the policies they bound."""
    decimals = money.decimals(o.saved_pico for o in report.outcomes)
    columns = (
        Column(key="size", title=_("Answers kept"), kind="number"),
        Column(key="policy", title=_("Policy")),
        Column(key="hits", title=_("Hits"), kind="number"),
        Column(key="hit_rate_percent", title=_("Hit rate %"), kind="number", decimals=1),
        Column(key="saved_usd", title=_("Saved $"), kind="number", decimals=decimals),
    )
    rows = tuple(
        (
            outcome.size,
            _policy(outcome),
            outcome.hits,
            100 * report.hit_rate(outcome),
            money.usd(outcome.saved_pico),
        )
        for outcome in report.outcomes
    )
    return (Table(columns=columns, rows=rows),)


def headline(report: CacheReport) -> Message:
    """The most that any cache of answers could have saved."""
    most = report.outcomes[-1]
    return msg(
        "A cache that keeps every answer would have saved ${saved} of ${spent} ({share} of calls)",
        saved=money.shown(most.saved_pico),
        spent=money.shown(report.spent_pico),
        share=f"{report.hit_rate(most):.1%}",
    )


def notes(report: CacheReport) -> tuple[Message, ...]:
    """What the figures assume, and which calls they leave out."""
    found = [
        msg(
            "Assumes that equal requests may get the same answer, that an answer is there at once"
            " and that a lookup costs nothing."
        ),
        msg(
            "'best possible' knows the future: no policy with the same room answers more requests."
        ),
    ]
    if report.left_out:
        found.append(
            msg(
                "Calls without a request hash or a time, which count as never answered: {n}.",
                n=f"{report.left_out:,}",
            )
        )
    if report.ttl_seconds is not None:
        found.append(
            msg(
                "An answer is used until {seconds} s after it was stored; a use does not renew it.",
                seconds=f"{report.ttl_seconds:g}",
            )
        )
    return tuple(found)


def document(report: CacheReport) -> dict[str, object]:
    """The JSON result of `sdlc cost cache`."""
    return {
        "schema_version": SCHEMA_VERSION,
        "requests": report.requests,
        "distinct": report.distinct,
        "left_out": report.left_out,
        "spent_usd": money.text(report.spent_pico),
        "ttl_seconds": report.ttl_seconds,
        "outcomes": [
            {
                "policy": outcome.policy,
                "size": outcome.size,
                "bound": outcome.is_bound,
                "hits": outcome.hits,
                "hit_rate": round(report.hit_rate(outcome), 6),
                "saved_usd": money.text(outcome.saved_pico),
            }
            for outcome in report.outcomes
        ],
        "assumptions": list(notes(report)),
    }


def _policy(outcome: Outcome) -> str:
    if outcome.policy == BEST:
        return _("best possible")
    if outcome.policy == UNLIMITED:
        return _("keeps everything")
    return outcome.policy.upper()
