"""tasks.yaml -> Project, with every mistake at once, and back."""

import os
from collections.abc import Callable, Mapping

from sdlc_cli.core import config
from sdlc_cli.core.errors import NothingToDo
from sdlc_cli.core.i18n import Message, msg
from sdlc_cli.core.sections import Key
from sdlc_cli.core.yaml_tree import Section
from sdlc_cli.plan.model import Project
from sdlc_cli.plan.options import TasksFile
from sdlc_cli.plan.readers.build import build
from sdlc_cli.plan.readers.writing import write

__all__ = ["HINT", "read", "read_tree", "write"]

MAX_VALUES = 3_000_000  # of a file; 100,000 tasks have about a million
HINT = msg("'sdlc schema tasks' describes every key of the file")


def read(text: str, name: str, environ: Mapping[str, str] | None = os.environ) -> Project:
    """The project in `text`. Raises ConfigError with every mistake, NothingToDo without a task."""
    return _whole(
        name,
        lambda type_: config.read(text, name, type_, environ, hint=HINT, most=MAX_VALUES),
    )


def read_tree(tree: Section, name: str) -> Project:
    """As `read`, of a tasks.yaml that another reader has made, with the lines of its own file."""
    return _whole(name, lambda type_: config.read_tree(tree, name, type_))


def _whole(name: str, read_as: Callable[[type[TasksFile]], TasksFile]) -> Project:
    made: list[Project | None] = []

    class Whole(TasksFile, frozen=True, kw_only=True, forbid_unknown_fields=True):
        def mistakes(self) -> list[tuple[Key, Message]]:
            project, problems = build(self, name)
            made.append(project)
            return problems

    read_as(Whole)
    (project,) = made
    assert project  # nothing is wrong with it
    if not project.tasks:
        raise NothingToDo(msg("{file} holds no task", file=name))
    return project
