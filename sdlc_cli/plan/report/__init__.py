"""A plan in the form somebody asked for. One module a format, loaded when asked for."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import import_module
from typing import TYPE_CHECKING, Protocol, cast

from sdlc_cli.core.view import DEFAULT, View
from sdlc_cli.plan import network, walks
from sdlc_cli.plan.explain import Step
from sdlc_cli.plan.model import Front, Project, Schedule
from sdlc_cli.plan.network import Network
from sdlc_cli.plan.verdict import Miss, misses

if TYPE_CHECKING:
    from sdlc_cli.plan.difference import Difference
    from sdlc_cli.plan.relax import Relaxation
    from sdlc_cli.plan.risk import Risk
    from sdlc_cli.plan.whatif import WhatIf

SCHEMA_VERSION = 1  # of the JSON; keys may be added, a change of meaning raises it
FORMATS: Mapping[str, str] = {
    "table": "sdlc_cli.plan.report.text",
    "json": "sdlc_cli.plan.report.json",
    "csv": "sdlc_cli.plan.report.csv",
    "markdown": "sdlc_cli.plan.report.markdown",
    "html": "sdlc_cli.plan.report.page",
    "svg": "sdlc_cli.plan.report.svg",
    "mermaid": "sdlc_cli.plan.report.mermaid",
    "ical": "sdlc_cli.plan.report.ical",
}
MACHINE = frozenset(("json", "csv", "svg", "mermaid", "ical"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """What is shown: a project, its plan, and the answers that were asked for.

    `slack` is as `walks` has it. `made` is the moment that iCal files carry.
    """

    project: Project
    schedule: Schedule
    network: Network
    slack: tuple[int | None, ...]
    misses: tuple[Miss, ...] = ()
    front: Front | None = None
    explained: tuple[Step, ...] = ()
    risk: "Risk | None" = None
    difference: "Difference | None" = None
    what_if: "WhatIf | None" = None
    relaxations: "tuple[Relaxation, ...]" = ()
    checked: bool = False
    interrupted: bool = False
    startup_seconds: float = 0.0
    made: datetime = datetime(1970, 1, 1, tzinfo=UTC)

    @property
    def passed(self) -> bool:
        """True when nothing is missed that may not be."""
        return not any(miss.fails for miss in self.misses)


def sheet(project: Project, schedule: Schedule) -> Sheet:
    """The sheet of a plan, with what is worked out of it; add answers with `replace`."""
    made = network.build(project, schedule)
    return Sheet(
        project=project,
        schedule=schedule,
        network=made,
        slack=walks.slack(made),
        misses=misses(project, schedule),
    )


class Reporter(Protocol):
    """Writes a plan in one format. Same sheet, same bytes."""

    def render(self, sheet: Sheet, view: View = DEFAULT) -> str:
        """The whole output, with a newline at its end. Encode it as UTF-8."""
        ...


def load(name: str) -> Reporter:
    """The reporter of a format. Raises KeyError for an unknown name."""
    return cast(Reporter, import_module(FORMATS[name]))


if TYPE_CHECKING:  # mypy holds each module against the Protocol; nothing is imported
    from sdlc_cli.plan.report import csv, ical, json, markdown, mermaid, page, svg, text

    _all: tuple[Reporter, ...] = (
        text, json, csv, markdown, page, svg, mermaid, ical,
    )  # fmt: skip
