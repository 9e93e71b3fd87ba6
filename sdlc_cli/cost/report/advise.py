"""Advice -> tables, sentences, JSON."""

from sdlc_cli.core import money
from sdlc_cli.core.i18n import Message, _, local, msg
from sdlc_cli.core.table import Column, Table
from sdlc_cli.cost.advise import Advice, Gap, Suggestion
from sdlc_cli.cost.report import caching

SCHEMA_VERSION = 1


def tables(advice: Advice) -> tuple[Table, ...]:
    """What saves most first; then what the figures lack."""
    found = [_suggestions(advice)] if advice.suggestions else []
    return (*found, _gaps(advice)) if advice.gaps else tuple(found)


def headline(advice: Advice) -> Message:
    """What the best combination saves."""
    if not advice.suggestions:
        return msg("Nothing found that would save a thousandth of ${spent}", spent=_spent(advice))
    return msg(
        "Up to ${saved} of ${spent} could be saved, each call counted once",
        saved=money.shown(advice.saved_pico),
        spent=_spent(advice),
    )


def notes(advice: Advice) -> tuple[Message, ...]:
    """How the sum is made, and what could not be looked for."""
    found: list[Message] = []
    if any(not one.chosen for one in advice.suggestions):
        found.append(
            msg(
                "Suggestions for one model touch the same calls: only the best of each model is"
                " in the sum. Two of them together may save more, but not their sum."
            )
        )
    if any(one.kind == "cheaper-model" for one in advice.suggestions):
        found.append(
            msg(
                "Models that the catalogue marks as deprecated, or whose name is of an earlier"
                " generation, are not suggested. It does not tell all that is going to be retired."
            )
        )
    if not advice.told_calls:
        found.append(
            msg(
                "No log tells a hash of requests or of prompt beginnings: repeated requests and"
                " prompts could not be looked for."
            )
        )
    return tuple(found)


def document(advice: Advice) -> dict[str, object]:
    """The JSON result of `sdlc cost advise`."""
    return {
        "schema_version": SCHEMA_VERSION,
        "spent_usd": money.text(advice.spent_pico),
        "saved_usd": money.text(advice.saved_pico),
        "suggestions": [_suggestion(one) for one in advice.suggestions],
        "gaps": [_gap(one) for one in advice.gaps],
        "notes": list(notes(advice)),
    }


def _suggestions(advice: Advice) -> Table:
    columns = (
        Column(
            key="saved_usd",
            title=_("Saves $"),
            kind="number",
            decimals=money.decimals(one.saved_pico for one in advice.suggestions),
        ),
        Column(key="what", title=_("What to do")),
        Column(key="calls", title=_("Calls"), kind="number"),
        Column(key="assumption", title=_("If")),
        Column(key="in_sum", title=_("In the sum")),
    )
    rows = tuple(
        (
            money.usd(one.saved_pico),
            local(one.what),
            one.calls,
            local(one.assumption),
            _("yes") if one.chosen else _("no"),
        )
        for one in advice.suggestions
    )
    return Table(columns=columns, rows=rows)


def _gaps(advice: Advice) -> Table:
    columns = (
        Column(key="what", title=_("What to do")),
        Column(key="calls", title=_("Calls"), kind="number"),
        Column(
            key="at_most_usd",
            title=_("At most $"),
            kind="number",
            decimals=money.decimals(one.at_most_pico for one in advice.gaps),
        ),
    )
    rows = tuple(
        (
            local(one.what),
            one.calls,
            None if one.at_most_pico is None else money.usd(one.at_most_pico),
        )
        for one in advice.gaps
    )
    return Table(title=_("What the figures lack"), columns=columns, rows=rows)


def _suggestion(one: Suggestion) -> dict[str, object]:
    return {
        "kind": one.kind,
        "provider": one.provider,
        "model": one.model,
        "target": one.target or None,
        "calls": one.calls,
        "spent_usd": money.text(one.spent_pico),
        "saved_usd": money.text(one.saved_pico),
        "in_sum": one.chosen,
        "what": one.what,
        "assumption": one.assumption,
        "caching": one.caching and caching.document(one.caching),
    }


def _gap(one: Gap) -> dict[str, object]:
    return {
        "kind": one.kind,
        "provider": one.provider or None,
        "model": one.model or None,
        "calls": one.calls,
        "cost_at_most_usd": money.text(one.at_most_pico),
        "what": one.what,
    }


def _spent(advice: Advice) -> str:
    return money.shown(advice.spent_pico)
