"""CostReport -> CSV: the groups, numbers whole, money exact."""

from sdlc_cli.core import render as tables_out
from sdlc_cli.core.view import DEFAULT, View
from sdlc_cli.cost.report import Sheet, tables


def render(sheet: Sheet, view: View = DEFAULT) -> str:
    """The first row holds the keys; no totals, so that a column may be summed."""
    del view
    return tables_out.csv(tables.groups(sheet.report, people=False))
