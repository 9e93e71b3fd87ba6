"""Verdict -> JUnit XML."""

from sdlc_cli.core.findings_out import junit
from sdlc_cli.core.view import DEFAULT, View
from sdlc_cli.deploy.report import Verdict, words


def render(verdict: Verdict, view: View = DEFAULT) -> str:
    """One suite, a case for each rule that was broken."""
    del view
    return junit.render(words.sets(verdict), name="sdlc deploy")
