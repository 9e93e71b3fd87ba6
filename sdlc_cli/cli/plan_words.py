"""Words of `sdlc plan` that do not go together."""

from dataclasses import fields
from typing import TYPE_CHECKING

from sdlc_cli.core.errors import UsageError
from sdlc_cli.core.i18n import msg

if TYPE_CHECKING:
    from sdlc_cli.cli.planning import Asked

_WRITES = ("file", "source_format", "form", "output")  # what `--format yaml` heeds


def refuse_idle(asked: "Asked", command: str) -> None:
    """Raise UsageError where `--format yaml`, which plans nothing, comes with what asks for a plan.

    A `--check` that looked at nothing would pass.
    """
    idle = [
        f"--{one.name.replace('_', '-')}"
        for one in fields(asked)
        if one.name not in _WRITES and getattr(asked, one.name) != one.default
    ]
    if asked.form == "yaml" and idle:
        raise UsageError(
            msg("--format yaml plans nothing: {words} would have no effect", words=", ".join(idle)),
            hint=f"{command} {asked.file}".rstrip() + " --format yaml",
        )
