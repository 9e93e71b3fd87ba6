"""Verdict -> GitHub annotations."""

from sdlc_cli.core.findings_out import github
from sdlc_cli.core.view import DEFAULT, View
from sdlc_cli.deploy.report import Verdict, words


def render(verdict: Verdict, view: View = DEFAULT) -> str:
    """Workflow commands for standard output, at most ten. Empty when there is nothing to say."""
    del view
    return github.render(words.sets(verdict))
