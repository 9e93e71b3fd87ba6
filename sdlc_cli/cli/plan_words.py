"""The words of `sdlc plan`: what they ask for, and which do not go together."""

import os
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING

from sdlc_cli.core.errors import NothingToDo, UsageError
from sdlc_cli.core.i18n import msg
from sdlc_cli.core.nearest import nearest
from sdlc_cli.core.units import seconds

if TYPE_CHECKING:
    from sdlc_cli.plan.effort import Effort
    from sdlc_cli.plan.model import Project
    from sdlc_cli.plan.whatif import Change

DEFAULT_SECONDS = 5.0
_MOST_JOBS = 64
_WRITES = ("file", "source_format", "form", "output")  # what `--format yaml` heeds


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """The words of the command."""

    file: str = ""
    time_limit: str = ""
    schedules: int | None = None
    seed: int = 0
    objective: str = "makespan"
    front: bool = False
    jobs: int | None = None
    exact: bool = False
    check: bool = False
    diff: Path | None = None
    what_if: tuple[str, ...] = ()
    keep: Path | None = None
    stability: float | None = None
    explain: str = ""
    risk: bool = False
    source_format: str = ""
    form: str = "table"
    output: Path | None = None


def refuse_idle(asked: Asked, command: str) -> None:
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


def effort_of(asked: Asked, command: str) -> "Effort":
    """How long to search. Raises UsageError."""
    from sdlc_cli.plan.effort import Effort

    if asked.time_limit and asked.schedules is not None:
        raise UsageError(
            msg("--time-limit and --schedules are two limits: give one of them"),
            hint=f"{command} --schedules {asked.schedules}",
        )
    limit: float | None = DEFAULT_SECONDS if asked.schedules is None else None
    if asked.time_limit:
        try:
            limit = seconds(asked.time_limit)
        except ValueError:
            limit = 0.0
        if not 0 < limit <= 604_800:
            raise UsageError(
                msg(
                    "--time-limit takes an amount of time up to a week, not '{word}'",
                    word=asked.time_limit,
                ),
                hint=f"{command} --time-limit 5s",
            )
    if asked.stability is not None and asked.keep is None:
        raise UsageError(
            msg("--stability is of the plan that --keep names"),
            hint=f"{command} --keep OLD.json --stability {asked.stability:g}",
        )
    return Effort(
        seconds=limit, schedules=asked.schedules, seed=asked.seed, jobs=_workers(asked.jobs)
    )


def _workers(asked: int | None) -> int:
    """Each has plans of its own: more of them than cores only take memory and time."""
    return min(asked, max(_MOST_JOBS, _cores())) if asked else _cores()


def _cores() -> int:
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # macOS
        return os.cpu_count() or 1


def read(asked: Asked, command: str) -> "Project":
    """The project of the file. Raises NothingToDo where none is named and none is found."""
    from sdlc_cli.core.files import find_upward, repository_root
    from sdlc_cli.plan import readers

    file = asked.file
    if not file:
        here = Path.cwd()
        found = find_upward("tasks.yaml", here, repository_root(here))
        if found is None:
            raise NothingToDo(
                msg("no file is named, and there is no tasks.yaml here or upward"),
                hint=f"{command} tasks.yaml",
            )
        file = os.path.relpath(found)
    return readers.load(file, source_format=asked.source_format)


def changes_of(asked: Asked, project: "Project") -> "tuple[Change, ...]":
    """What `--what-if` changes. Raises UsageError; also for an unknown `--explain`."""
    from sdlc_cli.plan import whatif

    changes = tuple(whatif.parse(words, project) for words in asked.what_if)
    known = whatif.apply(project, changes).by_id if changes else project.by_id
    if asked.explain and asked.explain not in known:
        close = nearest(asked.explain, known)
        raise UsageError(
            msg("there is no task {name}", name=asked.explain),
            hint=f"--explain {close}" if close else "",
        )
    return changes
