"""A CostReport in the form somebody asked for. One module a format, loaded when asked for."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import import_module
from typing import TYPE_CHECKING, Protocol, cast

from sdlc_cli.core.view import DEFAULT, View
from sdlc_cli.cost.model import CostReport, Group, Series

SCHEMA_VERSION = 1  # of the JSON; keys may be added, a change of meaning raises it
FORMATS: Mapping[str, str] = {
    "table": "sdlc_cli.cost.report.text",
    "json": "sdlc_cli.cost.report.json",
    "csv": "sdlc_cli.cost.report.csv",
    "markdown": "sdlc_cli.cost.report.markdown",
    "html": "sdlc_cli.cost.report.page",
    "focus": "sdlc_cli.cost.report.focus",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """What is shown: the report, the cost of each day where it is known, what was hashed.

    `daily` and `by_day` are for charts: what does not draw does without them.
    """

    report: CostReport
    daily: Series = ()
    by_day: tuple[Group, ...] = ()  # by day and the first group that is no time
    hidden: Mapping[str, int] = field(default_factory=dict)  # kind -> how many names


class Reporter(Protocol):
    """Writes a report in one format. Same sheet, same bytes."""

    def render(self, sheet: Sheet, view: View = DEFAULT) -> str:
        """The whole output, with a newline at its end. Encode it as UTF-8."""
        ...


def load(name: str) -> Reporter:
    """The reporter of a format. Raises KeyError for an unknown name."""
    return cast(Reporter, import_module(FORMATS[name]))


if TYPE_CHECKING:  # mypy holds each module against the Protocol; nothing is imported
    from sdlc_cli.cost.report import csv, focus, json, markdown, page, text

    _all: tuple[Reporter, ...] = (text, json, csv, markdown, page, focus)
