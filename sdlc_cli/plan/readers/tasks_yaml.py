"""tasks.yaml -> Project, with every mistake at once, and back."""

import os
from collections.abc import Mapping

from sdlc_cli.core import config
from sdlc_cli.core.errors import NothingToDo
from sdlc_cli.core.i18n import Message, msg
from sdlc_cli.core.sections import Key
from sdlc_cli.plan.model import Project
from sdlc_cli.plan.options import TasksFile
from sdlc_cli.plan.readers.build import build
from sdlc_cli.plan.readers.writing import write

__all__ = ["HINT", "read", "write"]

HINT = msg("'sdlc schema tasks' describes every key of the file")


def read(text: str, name: str, environ: Mapping[str, str] | None = os.environ) -> Project:
    """The project in `text`. Raises ConfigError with every mistake, NothingToDo without a task."""
    made: list[Project] = []

    class Whole(TasksFile, frozen=True, kw_only=True, forbid_unknown_fields=True):
        def mistakes(self) -> list[tuple[Key, Message]]:
            project, problems = build(self, name)
            made.append(project)
            return problems

    config.read(text, name, Whole, environ, hint=HINT)
    (project,) = made
    if not project.tasks:
        raise NothingToDo(msg("{file} holds no task", file=name))
    return project
