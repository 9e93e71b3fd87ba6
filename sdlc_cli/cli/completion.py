"""Shell completion: the scripts are Typer's, the words come from our command table."""

import os
from pathlib import Path

import typer
from typer import _completion_classes, _completion_shared
from typer._click.core import Command

from sdlc_cli.cli import front
from sdlc_cli.core.errors import UsageError, WorkError
from sdlc_cli.core.i18n import msg

VARIABLE = "_SDLC_COMPLETE"  # set by the scripts


def script(shell: str) -> str:
    """The completion script for `shell`, or for the shell sdlc was started from."""
    return _completion_shared.get_completion_script(
        prog_name="sdlc", complete_var=VARIABLE, shell=_known(shell)
    )


def install(shell: str) -> tuple[str, Path]:
    """Write the script where `shell` looks for it. Raises WorkError when that is not possible."""
    try:
        return _completion_shared.install(
            shell=_known(shell), prog_name="sdlc", complete_var=VARIABLE
        )
    except (OSError, UnicodeDecodeError) as error:
        raise WorkError(
            msg("completion could not be installed: {reason}", reason=error),
            hint="sdlc --show-completion",
        ) from error


def answer(root: Command) -> int:
    """Print what may follow the words that the shell has put into the environment."""
    _completion_classes.completion_init()
    # Typer passes each line through rich, which takes 0.1 s and swallows words in brackets.
    _completion_classes._sanitize_help_text = _as_it_is
    try:
        root._main_shell_completion({}, "sdlc", VARIABLE)
    except typer.Exit as end:
        return end.exit_code
    return 0


def _as_it_is(text: str) -> str:
    return text


def _known(shell: str) -> str:
    name = _detected() if shell == front.AUTO else shell
    if name not in front.SHELLS:
        raise UsageError(
            msg("there is no completion for the shell '{shell}'", shell=name),
            hint=f"sdlc --show-completion {'|'.join(front.SHELLS)}",
        )
    return name


def _detected() -> str:
    found = _completion_shared._get_shell_name()
    if found in front.SHELLS:
        return found
    return Path(os.environ.get("SHELL", "")).name or found or ""
