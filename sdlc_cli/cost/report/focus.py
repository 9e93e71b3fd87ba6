"""CostReport -> a CSV file with the columns of FOCUS 1.2, which cost platforms read.

Names and allowed values are those of the FinOps Open Cost and Usage Specification; columns of our
own begin with `x_`, as it asks. It wants a report by day, provider and model (`BY`).
"""

import json
from collections.abc import Mapping
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from sdlc_cli.core import money
from sdlc_cli.core import render as tables_out
from sdlc_cli.core.printable import visible
from sdlc_cli.core.table import Cell, Column, Table
from sdlc_cli.core.view import DEFAULT, View
from sdlc_cli.core.when import begin, first_day, next_first_day
from sdlc_cli.cost.model import Amounts, CostReport, Group
from sdlc_cli.cost.report import Sheet, summary
from sdlc_cli.cost.zones import zone

BY = ("day", "provider", "model", "tier", "project", "team", "user")

_UNKNOWN = "unknown"  # where FOCUS allows no empty value and the logs tell nothing
_COLUMNS = (
    "BilledCost",
    "BillingAccountId",
    "BillingAccountName",
    "BillingCurrency",
    "BillingPeriodEnd",
    "BillingPeriodStart",
    "ChargeCategory",
    "ChargeClass",
    "ChargeDescription",
    "ChargeFrequency",
    "ChargePeriodEnd",
    "ChargePeriodStart",
    "ConsumedQuantity",
    "ConsumedUnit",
    "ContractedCost",
    "EffectiveCost",
    "InvoiceIssuerName",
    "ListCost",
    "PricingQuantity",
    "PricingUnit",
    "ProviderName",
    "PublisherName",
    "ServiceCategory",
    "ServiceName",
    "ServiceSubcategory",
    "SkuId",
    "SubAccountId",
    "SubAccountName",
    "Tags",
    "x_Calls",
    "x_InputTokens",
    "x_CacheReadTokens",
    "x_CacheWriteTokens",
    "x_OutputTokens",
    "x_ReasoningTokens",
    "x_UnknownUsageCalls",
    "x_UnpricedCalls",
    "x_CostAtMost",
)


def render(sheet: Sheet, view: View = DEFAULT) -> str:
    """One row for each day, model and owner. Calls without a time are in no charge period."""
    del view
    report = sheet.report
    at = zone(report.timezone)
    rows = [
        tuple(_row(group, report, at)[name] for name in _COLUMNS)
        for group in summary.ordered(report)
        if group.keys.get("day")
    ]
    columns = tuple(Column(key=name, title=name) for name in _COLUMNS)
    return tables_out.csv(Table(columns=columns, rows=tuple(rows)))


def _row(group: Group, report: CostReport, at: ZoneInfo) -> Mapping[str, Cell]:
    keys = {key: visible(value) for key, value in group.keys.items()}
    provider = keys.get("provider") or _UNKNOWN
    model = keys.get("model") or _UNKNOWN
    cost = money.usd(group.amounts.pico)
    tier = keys.get("tier") or "standard"
    return {
        "BilledCost": cost,
        "ContractedCost": cost,
        "EffectiveCost": cost,
        "ListCost": cost,
        "BillingAccountId": provider,
        "BillingAccountName": provider,
        "BillingCurrency": "USD",
        "ChargeCategory": "Usage",
        "ChargeClass": None,
        "ChargeDescription": f"{model}, {tier} tier",
        "ChargeFrequency": "Usage-Based",
        "InvoiceIssuerName": provider,
        "ProviderName": provider,
        "PublisherName": provider,
        "ServiceCategory": "AI and Machine Learning",
        "ServiceName": f"{provider} API",
        "ServiceSubcategory": "Generative AI",
        "SkuId": f"{provider}/{model}/{tier}",
        "SubAccountId": keys.get("project"),
        "SubAccountName": keys.get("project"),
        "Tags": _tags(keys, report),
        **_periods(date.fromisoformat(group.keys["day"]), at),
        **_quantities(group.amounts),
    }


def _quantities(amounts: Amounts) -> Mapping[str, Cell]:
    tokens = summary.tokens(amounts)
    consumed = sum(tokens.values()) - tokens["reasoning_tokens"]  # which is part of the output
    return {
        "ConsumedQuantity": consumed,
        "ConsumedUnit": "Tokens",
        "PricingQuantity": consumed,
        "PricingUnit": "Tokens",
        "x_Calls": amounts.calls,
        "x_InputTokens": tokens["input_tokens"],
        "x_CacheReadTokens": tokens["cache_read_tokens"],
        "x_CacheWriteTokens": tokens["cache_write_tokens"],
        "x_OutputTokens": tokens["output_tokens"],
        "x_ReasoningTokens": tokens["reasoning_tokens"],
        "x_UnknownUsageCalls": amounts.unknown_calls,
        "x_UnpricedCalls": amounts.unpriced_calls,
        "x_CostAtMost": None if amounts.at_most_pico is None else money.usd(amounts.at_most_pico),
    }


def _periods(day: date, at: ZoneInfo) -> Mapping[str, Cell]:
    """The day, and the calendar month that it is billed in, by the clock of the report's zone."""
    first, following = first_day(day, "month"), next_first_day(day, "month")
    after = next_first_day(day, "day")
    assert first is not None
    assert following is not None
    assert after is not None
    return {
        "ChargePeriodStart": _time(begin(day, at)),
        "ChargePeriodEnd": _time(begin(after, at)),
        "BillingPeriodStart": _time(begin(first, at)),
        "BillingPeriodEnd": _time(begin(following, at)),
    }


def _tags(keys: Mapping[str, str], report: CostReport) -> str | None:
    """Team, user and the tags that the report is grouped by, as a JSON object."""
    named = {key: key.removeprefix("tag:") for key in report.by if key.startswith("tag:")}
    named |= {"team": "team", "user": "user"}
    found = {name: keys[key] for key, name in named.items() if keys.get(key)}
    return json.dumps(found, ensure_ascii=False, sort_keys=True) if found else None


def _time(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
