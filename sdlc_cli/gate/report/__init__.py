"""A GateReport in the form somebody asked for. One module a format, loaded when asked for."""

from collections.abc import Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Protocol, cast

from sdlc_cli.core.view import DEFAULT, View
from sdlc_cli.gate.model import GateReport

FORMATS: Mapping[str, str] = {
    "text": "sdlc_cli.gate.report.text",
    "json": "sdlc_cli.gate.report.json",
    "sarif": "sdlc_cli.gate.report.sarif",
    "junit": "sdlc_cli.gate.report.junit",
    "github": "sdlc_cli.gate.report.github",
    "gitlab": "sdlc_cli.gate.report.gitlab",
    "markdown": "sdlc_cli.gate.report.markdown",
    "html": "sdlc_cli.gate.report.html",
}


class Reporter(Protocol):
    """Writes a report in one format. Same report, same bytes."""

    def render(self, report: GateReport, view: View = DEFAULT) -> str:
        """The whole output, with a newline at its end unless it is empty. Encode it as UTF-8."""
        ...


def load(name: str) -> Reporter:
    """The reporter of a format. Raises KeyError for an unknown name."""
    return cast(Reporter, import_module(FORMATS[name]))


if TYPE_CHECKING:  # mypy holds each module against the Protocol; nothing is imported
    from sdlc_cli.gate.report import github, gitlab, html, json, junit, markdown, sarif, text

    _all: tuple[Reporter, ...] = (text, json, sarif, junit, github, gitlab, markdown, html)
