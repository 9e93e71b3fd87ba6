"""Verdict -> SARIF 2.1.0."""

from sdlc_cli import __version__
from sdlc_cli.core.findings_out import sarif
from sdlc_cli.core.view import DEFAULT, View
from sdlc_cli.deploy.report import Verdict, words


def render(verdict: Verdict, view: View = DEFAULT) -> str:
    """One run. Findings have lines and no columns, so no file is read for them."""
    del view
    return sarif.render(
        words.sets(verdict),
        tool=words.TOOL,
        version=__version__,
        not_read=verdict.checked.skipped,
    )
