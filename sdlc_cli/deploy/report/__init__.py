"""What the rules found, in the form somebody asked for: one module a form, loaded on demand."""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Literal, Protocol, cast

from sdlc_cli.core.finding import Finding, Severity
from sdlc_cli.core.view import DEFAULT, View
from sdlc_cli.deploy.rules import Checked

SCHEMA_VERSION = 1  # of the JSON; keys may be added, a change of meaning raises it
FORMATS: Mapping[str, str] = {
    "text": "sdlc_cli.deploy.report.text",
    "json": "sdlc_cli.deploy.report.json",
    "sarif": "sdlc_cli.deploy.report.sarif",
    "junit": "sdlc_cli.deploy.report.junit",
    "github": "sdlc_cli.deploy.report.github",
    "gitlab": "sdlc_cli.deploy.report.gitlab",
    "markdown": "sdlc_cli.deploy.report.markdown",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What was checked, and from which severity on a finding breaks it; None: none does."""

    checked: Checked
    fail_on: Severity | None = Severity.MEDIUM

    @property
    def breaking(self) -> tuple[Finding, ...]:
        """The findings that decide."""
        if self.fail_on is None:
            return ()
        least = self.fail_on.rank
        return tuple(one for one in self.checked.findings if one.severity.rank >= least)

    @property
    def passed(self) -> bool:
        """Whether no finding breaks it."""
        return not self.breaking

    @property
    def exit_code(self) -> Literal[0, 1]:
        """1 when it did not pass."""
        return 0 if self.passed else 1


class Reporter(Protocol):
    """Writes a verdict in one form. Same verdict, same bytes."""

    def render(self, verdict: Verdict, view: View = DEFAULT) -> str:
        """The whole output, with a newline at its end unless it is empty. Encode it as UTF-8."""
        ...


def load(name: str) -> Reporter:
    """The reporter of a form. Raises KeyError for an unknown name."""
    return cast(Reporter, import_module(FORMATS[name]))
