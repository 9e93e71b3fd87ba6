"""GateReport -> JUnit XML: a suite for each gate, and one for the verdict of the run."""

from sdlc_cli.core.findings_out import junit
from sdlc_cli.core.view import DEFAULT, View
from sdlc_cli.gate import summary
from sdlc_cli.gate.model import GateReport


def render(report: GateReport, view: View = DEFAULT) -> str:
    """The verdict comes first: a run can miss its score though no gate failed."""
    del view
    return junit.render([summary.whole(report), *summary.finding_sets(report)], name="sdlc gate")
