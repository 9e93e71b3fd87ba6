"""Exports of OpenAI's costs API: dollars for each bucket of time, line item and project."""

from collections.abc import Iterator, Mapping

from sdlc_cli.core.i18n import msg
from sdlc_cli.cost.model import Rejected, Row
from sdlc_cli.cost.readers import Format, Record
from sdlc_cli.cost.readers.bills import kept, refused
from sdlc_cli.cost.readers.fields import dollars, moment, section, text

_KIND = "organization.costs"


def _is_ours(record: Record) -> bool:
    results = record.get("results")
    return (
        "start_time" in record
        and isinstance(results, list)
        and bool(results)
        and all(
            isinstance(result, Mapping)
            and isinstance(result.get("amount"), Mapping)
            and str(result.get("object", _KIND)).startswith(_KIND)
            for result in results
        )
    )


def lines(record: Record) -> Iterator[Row]:
    """The bill's lines of one bucket; one without a sound amount raises Rejected last."""
    return kept(record, _line)


def _line(bucket: Record, result: Record) -> Row:
    amount = section(result, "amount")
    if text(amount, "currency").lower() not in ("", "usd"):
        raise Rejected(msg("the amount is not in US dollars"))
    item = text(result, "line_item")
    return Row(
        ts=moment(bucket.get("start_time"), "start_time"),
        provider="openai",
        model=item.partition(", ")[0],  # "gpt-4o-2024-08-06, cached input"
        project=text(result, "project_id"),
        key=text(result, "api_key_id"),
        known=False,
        calls=0,
        logged_pico=dollars(amount.get("value"), "amount.value"),
    )


FORMAT = Format(
    name="openai-costs",
    title=msg("OpenAI costs API export, for reconcile"),
    matches=_is_ours,
    start=lambda: refused,
    bill=lambda: lines,
)
