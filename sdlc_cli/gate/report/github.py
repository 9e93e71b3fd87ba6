"""GateReport -> GitHub annotations, and the step summary that stands beside them."""

from sdlc_cli.core.findings_out import github
from sdlc_cli.core.view import DEFAULT, View
from sdlc_cli.gate import summary as words
from sdlc_cli.gate.model import GateReport
from sdlc_cli.gate.report import load


def render(report: GateReport, view: View = DEFAULT) -> str:
    """Workflow commands for standard output, at most ten. Empty when there is nothing to say."""
    del view
    return github.render(words.finding_sets(report))


def summary(report: GateReport) -> str:
    """Markdown to append to the file that `GITHUB_STEP_SUMMARY` names."""
    return load("markdown").render(report)
