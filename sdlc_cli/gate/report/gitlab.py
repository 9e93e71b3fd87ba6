"""GateReport -> GitLab's Code Quality report."""

from sdlc_cli.core.findings_out import gitlab
from sdlc_cli.core.view import DEFAULT, View
from sdlc_cli.gate import summary
from sdlc_cli.gate.model import GateReport


def render(report: GateReport, view: View = DEFAULT) -> str:
    """Every finding, whatever its gate's verdict."""
    del view
    return gitlab.render(summary.finding_sets(report))
