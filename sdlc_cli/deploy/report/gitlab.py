"""Verdict -> GitLab's Code Quality report."""

from sdlc_cli.core.findings_out import gitlab
from sdlc_cli.core.view import DEFAULT, View
from sdlc_cli.deploy.report import Verdict, words


def render(verdict: Verdict, view: View = DEFAULT) -> str:
    """Every finding, whatever the verdict."""
    del view
    return gitlab.render(words.sets(verdict))
