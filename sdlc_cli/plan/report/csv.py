"""Sheet -> CSV: one row a task."""

from sdlc_cli.core import render as out
from sdlc_cli.core.view import DEFAULT, View
from sdlc_cli.plan.report import Sheet, tables


def render(sheet: Sheet, view: View = DEFAULT) -> str:
    """Keys in the first row, tasks in the project's order, times in UTC."""
    del view
    return out.csv(tables.machine(sheet))
