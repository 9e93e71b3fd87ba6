"""Exports of Anthropic's cost report: cents for each bucket of time, model, tier and workspace."""

from collections.abc import Iterator, Mapping

from sdlc_cli.core.i18n import msg
from sdlc_cli.cost.model import Rejected, Row
from sdlc_cli.cost.readers import Format, Record
from sdlc_cli.cost.readers.bills import kept, refused
from sdlc_cli.cost.readers.fields import dollars, moment, text, tier

_CENTS = 100


def _is_ours(record: Record) -> bool:
    results = record.get("results")
    return (
        "starting_at" in record
        and isinstance(results, list)
        and bool(results)
        and all(isinstance(result, Mapping) and "amount" in result for result in results)
    )


def lines(record: Record) -> Iterator[Row]:
    """The bill's lines of one bucket; one without a sound amount raises Rejected last."""
    return kept(record, _line)


def _line(bucket: Record, result: Record) -> Row:
    if text(result, "currency").upper() not in ("", "USD"):
        raise Rejected(msg("the amount is not in US dollars"))
    cents = dollars(result.get("amount"), "amount")  # of the hundredfold: the report tells cents
    return Row(
        ts=moment(bucket.get("starting_at"), "starting_at"),
        provider="anthropic",
        model=text(result, "model"),
        tier=tier(text(result, "service_tier")),
        project=text(result, "workspace_id"),
        known=False,
        calls=0,
        logged_pico=None if cents is None else (cents + _CENTS // 2) // _CENTS,
    )


FORMAT = Format(
    name="anthropic-costs",
    title=msg("Anthropic cost report export, for reconcile"),
    matches=_is_ours,
    start=lambda: refused,
    bill=lambda: lines,
)
