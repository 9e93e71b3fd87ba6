"""WhatIf -> a table, sentences, JSON."""

from sdlc_cli.core import money
from sdlc_cli.core.i18n import Message, _, msg
from sdlc_cli.core.table import Cell, Column, Table
from sdlc_cli.cost.report import caching
from sdlc_cli.cost.whatif import Difference, WhatIf, changed

SCHEMA_VERSION = 1
MOST_NAMED = 5  # models in a sentence


def tables(result: WhatIf) -> tuple[Table, ...]:
    """One line a group that changes, most first, and the total of all that can be compared."""
    keys = list(result.differences[0].keys) if result.differences else ["model"]
    decimals = money.decimals(
        pico for one in result.differences for pico in (one.before.pico, one.after.pico)
    )
    titles = {"provider": _("Provider"), "model": _("Model"), "project": _("Project")}
    money_titles = {"before_usd": _("Now $"), "after_usd": _("Then $"), "saved_usd": _("Saved $")}
    columns = (
        *(Column(key=key, title=titles.get(key, key)) for key in keys),
        Column(key="calls", title=_("Calls"), kind="number"),
        *(
            Column(key=key, title=title, kind="number", decimals=decimals)
            for key, title in money_titles.items()
        ),
    )
    rows = [_row(one, keys) for one in changed(result)]
    sums = (result.before_pico, result.after_pico, result.saved_pico)
    total: tuple[Cell, ...] = (_("Total"), *[""] * (len(keys) - 1), None, *map(money.usd, sums))
    return (Table(columns=columns, rows=(*rows, total)),)


def headline(result: WhatIf) -> Message:
    """What it costs now, what it would cost, and the difference."""
    facts = {
        "before": money.shown(result.before_pico),
        "after": money.shown(result.after_pico),
        "saved": money.shown(abs(result.saved_pico)),
    }
    if result.saved_pico < 0:
        return msg("${before} would be ${after}: ${saved} more", **facts)
    return msg("${before} would be ${after}: ${saved} saved", **facts)


def notes(result: WhatIf) -> tuple[Message, ...]:
    """What the figures assume, and what they leave out."""
    found: list[Message] = []
    if result.replaced:
        found.append(
            msg(
                "Assumes that the other model would read and write as many tokens, and answer"
                " well enough: models split text differently."
            )
        )
    if result.tier == "batch":
        found.append(
            msg("Assumes that every call can wait for its answer, which may take a day in batch.")
        )
    if any(one.caching for one in result.differences):
        found.append(
            msg(
                "Assumes that repeated beginnings of prompts stay cached from use to use, and that"
                " each is long enough for its model (1,024 to 4,096 tokens)."
            )
        )
    same = [one for one in result.differences if one.saved_pico == 0]
    if same:
        found.append(msg("Groups that cost as much as before, in the total: {n}.", n=len(same)))
    full = [one.keys.get("model", "") for one in same if one.before.pico]
    if result.tier and full:
        shown = ", ".join(full[:MOST_NAMED]) + (", ..." if len(full) > MOST_NAMED else "")
        found.append(
            msg(
                "No lower {tier} price is known for the time of the calls to {models}: they keep"
                " the full price.",
                tier=result.tier,
                models=shown,
            )
        )
    if result.not_comparable:
        found.append(
            msg(
                "Groups with a price on one side only, which the total leaves out: {n}.",
                n=result.not_comparable,
            )
        )
    return tuple(found)


def document(result: WhatIf) -> dict[str, object]:
    """The JSON result of `sdlc cost whatif`."""
    return {
        "schema_version": SCHEMA_VERSION,
        "models": dict(result.replaced),
        "tier": result.tier or None,
        "before_usd": money.text(result.before_pico),
        "after_usd": money.text(result.after_pico),
        "saved_usd": money.text(result.saved_pico),
        "not_comparable": result.not_comparable,
        "groups": [
            {
                "keys": dict(one.keys),
                "calls": one.calls,
                "before_usd": money.text(one.before.pico),
                "after_usd": money.text(_after(one)),
                "saved_usd": money.text(one.saved_pico),
                "comparable": one.comparable,
                "caching": one.caching and caching.document(one.caching),
            }
            for one in result.differences
        ],
        "assumptions": list(notes(result)),
    }


def _row(one: Difference, keys: list[str]) -> tuple[Cell, ...]:
    saved = one.saved_pico
    before, after = (
        # Nothing is known of what such calls cost, and 0 would look like knowledge.
        None if not side.pico and side.unpriced_calls + side.unknown_calls else pico
        for side, pico in ((one.before, one.before.pico), (one.after, _after(one)))
    )
    return (
        *(one.keys[key] for key in keys),
        one.calls,
        None if before is None else money.usd(before),
        None if after is None else money.usd(after),
        None if saved is None else money.usd(saved),
    )


def _after(one: Difference) -> int:
    return one.after.pico - (one.caching.saved_pico if one.caching else 0)
