"""CostReport -> tables: the groups, the unpriced models, the price sources."""

from collections.abc import Mapping

from sdlc_cli.core import money
from sdlc_cli.core.i18n import _, local
from sdlc_cli.core.printable import visible
from sdlc_cli.core.table import Cell, Column, Table
from sdlc_cli.cost.model import Amounts, CostReport, Group
from sdlc_cli.cost.report import summary


def groups(report: CostReport, *, people: bool, most: int | None = None) -> Table:
    """One row a group, at most `most`. For people: what is always 0 is left out, a total ends it.

    Nobody's project or user shows as that for people, and as nothing for machines.
    """
    listed = summary.ordered(report)[:most]
    columns = (*_key_columns(report), *_figure_columns(report, listed))
    rows = [
        (*_keys(group.keys, report, people=people), *_figures(group.amounts, people=people))
        for group in listed
    ]
    if people and len(report.groups) != 1:
        total: tuple[Cell, ...] = (_("Total"), *[" "] * (len(report.by) - 1))
        rows.append((*total[: len(report.by)], *_figures(report.totals, people=True)))
    table = Table(columns=columns, rows=tuple(rows))
    return table.without(_always_nothing(report)) if people else table


def unpriced(report: CostReport) -> Table:
    """The models that no price was found for."""
    digits = summary.decimals(one.at_most_pico for one in report.unpriced)
    columns = (
        Column(key="provider", title=_("Provider")),
        Column(key="model", title=_("Model")),
        Column(key="calls", title=_("Calls"), kind="number"),
        Column(key="input_tokens", title=_("Tokens in"), kind="number"),
        Column(key="output_tokens", title=_("Tokens out"), kind="number"),
        Column(key="cost_at_most_usd", title=_("At most $"), kind="number", decimals=digits),
        Column(key="reason", title=_("Why")),
    )
    rows = tuple(
        (
            one.provider,
            one.model,
            one.calls,
            one.input_tokens,
            one.output_tokens,
            _usd(one.at_most_pico),
            local(one.reason),
        )
        for one in report.unpriced
    )
    return Table(title=_("Unpriced"), columns=columns, rows=rows)


def key_title(key: str) -> str:
    """What a group's key is called."""
    titles = {
        "day": _("Day"),
        "week": _("Week"),
        "month": _("Month"),
        "hour": _("Hour"),
        "model": _("Model"),
        "provider": _("Provider"),
        "tier": _("Tier"),
        "project": _("Project"),
        "team": _("Team"),
        "user": _("User"),
        "key": _("Key"),
        "status": _("Status"),
    }
    return titles.get(key) or key.removeprefix("tag:")


def key_text(key: str, value: str) -> str:
    """A group's value of `key`; words where there is none."""
    if value:
        return value
    nothing = {
        "project": _("(no project)"),
        "team": _("(no team)"),
        "user": _("(no user)"),
        "model": _("(no model)"),
        "tier": _("standard"),
        "day": _("(no time)"),
        "week": _("(no time)"),
        "month": _("(no time)"),
        "hour": _("(no time)"),
    }
    return nothing.get(key) or _("(none)")


def _key_columns(report: CostReport) -> tuple[Column, ...]:
    return tuple(Column(key=key, title=key_title(key)) for key in report.by)


def _figure_columns(report: CostReport, listed: tuple[Group, ...]) -> tuple[Column, ...]:
    amounts = [report.totals, *(group.amounts for group in listed)]
    cost = summary.decimals(one.pico for one in amounts)
    most = summary.decimals(one.at_most_pico for one in amounts)
    return (
        Column(key="calls", title=_("Calls"), kind="number"),
        Column(key="input_tokens", title=_("Input"), kind="number"),
        Column(key="cache_read_tokens", title=_("Cache read"), kind="number"),
        Column(key="cache_write_tokens", title=_("Cache write"), kind="number"),
        Column(key="output_tokens", title=_("Output"), kind="number"),
        Column(key="reasoning_tokens", title=_("Reasoning"), kind="number"),
        Column(key="web_searches", title=_("Searches"), kind="number"),
        Column(key="unknown_usage", title=_("Unknown"), kind="number"),
        Column(key="unpriced_calls", title=_("Unpriced"), kind="number"),
        Column(key="cost_usd", title=_("Cost $"), kind="number", decimals=cost),
        Column(key="cost_at_most_usd", title=_("At most $"), kind="number", decimals=most),
    )


def _figures(amounts: Amounts, *, people: bool) -> tuple[Cell, ...]:
    # Nothing is known of what such calls cost, and 0 would look like knowledge.
    nothing = amounts.calls and amounts.calls == amounts.unknown_calls + amounts.unpriced_calls
    return (
        amounts.calls,
        *summary.tokens(amounts).values(),
        amounts.tokens.get("web_searches", 0),
        amounts.unknown_calls,
        amounts.unpriced_calls,
        _usd(None if people and nothing and not amounts.pico else amounts.pico),
        _usd(amounts.at_most_pico),
    )


def _keys(keys: Mapping[str, str], report: CostReport, *, people: bool) -> tuple[str, ...]:
    values = [(key, keys.get(key, "")) for key in report.by]
    # A control character would do something where a CSV file is shown, or split its line.
    return tuple(key_text(key, value) if people else visible(value) for key, value in values)


def _always_nothing(report: CostReport) -> set[str]:
    """Columns that would hold nothing, or the same as another."""
    totals = report.totals
    figures = {
        **summary.tokens(totals),
        "web_searches": totals.tokens.get("web_searches", 0),
        "unknown_usage": totals.unknown_calls,
        "unpriced_calls": totals.unpriced_calls,
    }
    optional = set(figures) - {"input_tokens", "output_tokens"}
    gone = {key for key in optional if not figures[key]}
    certain = not totals.unknown_calls and not totals.unpriced_calls
    return gone | ({"cost_at_most_usd"} if certain else set())


def _usd(pico: int | None) -> Cell:
    return None if pico is None else money.usd(pico)
