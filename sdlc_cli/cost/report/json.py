"""CostReport -> JSON, the form that other programs rely on. docs/cost.md lists its keys."""

from datetime import UTC, datetime

from sdlc_cli.core import money
from sdlc_cli.core.jsontext import dumped
from sdlc_cli.core.view import DEFAULT, View
from sdlc_cli.cost.model import Amounts, Unpriced
from sdlc_cli.cost.report import SCHEMA_VERSION, Sheet, summary


def render(sheet: Sheet, view: View = DEFAULT) -> str:
    """Always English; money as decimal text, exact to the pico-dollar; times in UTC."""
    del view
    return dumped(document(sheet))


def document(sheet: Sheet) -> dict[str, object]:
    """The result as JSON has it."""
    report = sheet.report
    totals = report.totals
    return {
        "schema_version": SCHEMA_VERSION,
        "calls": totals.calls,
        "duplicates": report.duplicates,
        "rejected_count": report.rejected_count,
        "rejected": [
            {"path": one.path, "line": one.line, "reason": str(one.reason)}
            for one in report.rejected
        ],
        "unknown_usage": totals.unknown_calls,
        "without_time": totals.timeless_calls,
        "unattributed": report.unattributed.calls,
        "unattributed_cost_usd": money.text(report.unattributed.pico),
        "unattributed_share": _rounded(summary.unattributed_share(report)),
        "unpriced": [_unpriced(one) for one in report.unpriced],
        "priced_coverage": _rounded(summary.priced_coverage(totals)),
        "totals": _figures(totals),
        "groups": [
            {"keys": dict(group.keys), **_figures(group.amounts)}
            for group in summary.ordered(report)
        ],
        "by": list(report.by),
        "period": {
            "since": _time(report.since),
            "until": _time(report.until),
            "timezone": report.timezone,
        },
        "price_sources": {str(k): n for k, n in sorted(report.price_sources.items())},
        "sources": [
            {
                "path": source.path,
                "format": source.format,
                "records": source.rows,
                "rejected": source.rejected,
                "reused": source.reused,
            }
            for source in report.sources
        ],
        "redacted": dict(sorted(sheet.hidden.items())),
    }


def _figures(amounts: Amounts) -> dict[str, object]:
    return {
        "calls": amounts.calls,
        **summary.tokens(amounts),
        "web_searches": amounts.tokens.get("web_searches", 0),
        "cached_calls": amounts.cached_calls,
        "failed_calls": amounts.failed_calls,
        "unknown_usage": amounts.unknown_calls,
        "unpriced_calls": amounts.unpriced_calls,
        "cost_usd": money.text(amounts.pico),
        "cost_at_most_usd": money.text(amounts.at_most_pico),
    }


def _unpriced(one: Unpriced) -> dict[str, object]:
    return {
        "provider": one.provider,
        "model": one.model,
        "calls": one.calls,
        "input_tokens": one.input_tokens,
        "output_tokens": one.output_tokens,
        "cost_at_most_usd": money.text(one.at_most_pico),
        "reason": str(one.reason),
    }


def _time(moment: datetime | None) -> str | None:
    return None if moment is None else moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _rounded(share: float | None) -> float | None:
    """Six decimals: more would be the noise of a division."""
    return None if share is None else round(share, 6)
