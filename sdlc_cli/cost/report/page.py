"""CostReport -> one HTML page that needs nothing but itself.

The page asks for nothing: its policy allows only the style inside it, by hash. It has no script.
"""

from collections.abc import Mapping
from pathlib import Path

from sdlc_cli import __version__
from sdlc_cli.core import money, onepage
from sdlc_cli.core.i18n import _, language, local
from sdlc_cli.core.printable import visible
from sdlc_cli.core.table import Table, shown
from sdlc_cli.core.view import DEFAULT, View
from sdlc_cli.cost.model import CostReport
from sdlc_cli.cost.report import Sheet, spending, summary, tables

MOST_GROUPS = 2000  # a browser stays quick with these
MOST_SHARES = 10  # of the dearest, in the second chart

_TEMPLATES = Path(__file__).parent / "templates"


def render(sheet: Sheet, view: View = DEFAULT) -> str:
    """The page in the user's language, with the `MOST_GROUPS` first groups."""
    del view
    return onepage.render(_TEMPLATES, _values(sheet))


def _values(sheet: Sheet) -> dict[str, object]:
    report = sheet.report
    listed = tables.groups(report, people=True, most=MOST_GROUPS)
    more = len(report.groups) - MOST_GROUPS
    return {
        "language": language(),
        "words": _words(),
        "version": __version__,
        "cost": summary.people(report.totals.pico),
        "headline": summary.headline(report),
        "facts": _facts(report),
        "warnings": [visible(one) for one in summary.warnings(report)],
        "notes": [visible(one) for one in summary.notes(sheet)],
        "days": spending.drawn(sheet),
        "shares": _shares(report),
        "groups": _cells(listed) if report.groups else None,
        "total": len(report.groups) != 1,
        "more": _("and {n} more").format(n=f"{more:,}") if more > 0 else "",
        "unpriced": _cells(tables.unpriced(report)) if report.unpriced else None,
        "rejected": [
            {
                "place": visible(f"{one.path}:{one.line}"),
                "reason": summary.short(local(one.reason), 300),
            }
            for one in report.rejected[:100]
        ],
        "sources": [
            {"path": visible(one.path), "format": visible(one.format), "rows": f"{one.rows:,}"}
            for one in report.sources[:200]
        ],
    }


def _words() -> Mapping[str, str]:
    return {
        "title": _("LLM cost"),
        "skip": _("Skip to the groups"),
        "missing": _("What to know of this total"),
        "notes": _("Notes"),
        "days": _("Cost of each day"),
        "shares": _("Where it went"),
        "groups": _("Groups"),
        "unpriced": _("Unpriced"),
        "rejected": _("Rejected records"),
        "sources": _("What was read"),
        "none": _("No calls."),
        "records": _("records"),
        "share": _("Share"),
    }


def _facts(report: CostReport) -> list[str]:
    return [
        _("{n} calls").format(n=f"{report.totals.calls:,}"),
        summary.period(report),
        summary.coverage_line(report),
    ]


def _cells(table: Table) -> dict[str, object]:
    """A table's heads and rows as the template draws them."""
    return {
        "heads": [{"title": visible(c.title), "kind": c.kind} for c in table.columns],
        "rows": [
            [
                {"text": visible(shown(cell, column)), "kind": column.kind}
                for cell, column in zip(row, table.columns, strict=True)
            ]
            for row in table.rows
        ],
    }


def _shares(report: CostReport) -> dict[str, object] | None:
    """What cost most by the first key that is no time, the rest added up."""
    key = spending.key_of(report.by)
    total = report.totals.pico
    if not key or not total:
        return None
    sums = spending.sums(report.groups, key)
    ranked = sorted(sums.items(), key=lambda item: (-item[1], item[0]))
    rows = [(tables.key_text(key, name), pico) for name, pico in ranked[:MOST_SHARES]]
    rest = sum(pico for _name, pico in ranked[MOST_SHARES:])
    if rest:
        rows.append((_("all others"), rest))
    places = summary.decimals(pico for _name, pico in rows)
    return {
        "title": tables.key_title(key),
        "rows": [
            {
                "name": summary.short(name),
                "cost": f"{money.usd(pico):,.{places}f}",
                "share": summary.percent(pico / total),
                "width": f"{100 * pico / total:.2f}",
            }
            for name, pico in rows
            if pico
        ],
    }
