"""Makes states of a project ready to be measured: set up, and sure to run their own code."""

import fnmatch
import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from sdlc_cli.core import proc
from sdlc_cli.core.errors import WorkError
from sdlc_cli.core.files import read_within
from sdlc_cli.core.i18n import Message, msg
from sdlc_cli.gate import environment
from sdlc_cli.gate.environment import Environment
from sdlc_cli.gate.options import Performance
from sdlc_cli.gate.sampling import Side

SETUP_TIMEOUT_S = 1800.0
_LOCK_BYTES = 100_000_000
_LOCKS = (
    "uv.lock", "poetry.lock", "pdm.lock", "Pipfile.lock", "pylock*.toml", "conda-lock.yml",
    "environment.yml", "requirements*.txt",
)  # fmt: skip
_BUILDS = ("pyproject.toml", "setup.py", "setup.cfg")  # what counts where nothing is locked
_COMPILED = (
    ".c", ".cc", ".cpp", ".cxx", ".cu", ".f", ".f90", ".go", ".pxd", ".pyx", ".rs",
)  # fmt: skip
_OWN = (".venv", "venv")
_ACTIVE = ("VIRTUAL_ENV", "CONDA_PREFIX")


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """A checked-out state: its top folder, the folder of gates.yaml in it, the files in it."""

    root: Path
    cwd: Path
    files: Sequence[str]


def ready(
    states: Mapping[str, State], options: Performance, project: Path
) -> tuple[dict[str, Side], tuple[Message, ...]]:
    """A Side for each state, the first one's environment shared where that is right; and notes.

    `project` is the folder of gates.yaml in the working tree: its environment is used where no
    setup makes one. Raises WorkError when the setup fails or no environment is found.
    """
    if not options.setup:
        return _without_setup(states, options, project)
    done: dict[str, Side] = {}
    first: State | None = None  # the one whose own environment others may use
    home: Environment | None = None
    shared = 0
    for name, state in states.items():
        if first and home and _may_share(first, state):
            done[name] = _guest(state, home)
            shared += 1
            continue
        _set_up(state, options)
        found = _own(state, options, project)
        within = found.root is not None and found.root.is_relative_to(state.cwd)
        if within and not _pure(state):  # what is built lies in the environment, not beside it
            done[name] = Side(root=state.root, cwd=state.cwd, environment=found)
            continue
        done[name] = _guest(state, found)
        if within and first is None:
            first, home = state, found
    notes = [msg("the lock files agree, so the states share one environment")] if shared else []
    return done, tuple(notes)


def _without_setup(
    states: Mapping[str, State], options: Performance, project: Path
) -> tuple[dict[str, Side], tuple[Message, ...]]:
    found = environment.resolve(options.python, project, os.environ)
    notes = []
    first = next(iter(states.values()))
    if not all(_same_locks(first, state) for state in states.values()):
        notes.append(
            msg(
                "the lock files differ, but without 'setup' all states ran with the packages that"
                " are installed now"
            )
        )
    return {name: _guest(state, found) for name, state in states.items()}, tuple(notes)


def _guest(state: State, found: Environment) -> Side:
    """The state in an environment that may hold another state: its own folders come first."""
    folders = (state.cwd, state.cwd / "src")
    return Side(
        root=state.root,
        cwd=state.cwd,
        environment=found,
        paths=tuple(folder for folder in folders if folder.is_dir()),
    )


def _set_up(state: State, options: Performance) -> None:
    variables = {name: value for name, value in os.environ.items() if name not in _ACTIVE}
    done = proc.run(options.setup, cwd=state.cwd, environment=variables, timeout=SETUP_TIMEOUT_S)
    if done.timed_out or done.code:
        raise WorkError(
            msg(
                "the setup of {state} ended with exit code {code}. The last lines: {lines}",
                state=state.root.name,
                code=done.code,
                lines=done.last_lines() or msg("none"),
            ),
            hint=msg("'setup' in gates.yaml is run in a fresh checkout; no shell reads it"),
        )


def _own(state: State, options: Performance, project: Path) -> Environment:
    """The environment that the setup made in the state's folder, else the project's."""
    names = _OWN if options.python == "auto" else (options.python,)
    for name in names:
        if not Path(name).is_absolute() and (state.cwd / name / "pyvenv.cfg").is_file():
            return environment.resolve(name, state.cwd, os.environ)
    return environment.resolve(options.python, project, os.environ)


def _may_share(first: State, other: State) -> bool:
    return _same_locks(first, other) and _pure(other)


def _pure(state: State) -> bool:
    """Whether nothing in it is compiled: what is built lies in one state's folders only."""
    return not any(name.endswith(_COMPILED) for name in state.files)


def _same_locks(one: State, other: State) -> bool:
    first, second = _locks(one, _LOCKS), _locks(other, _LOCKS)
    if not first and not second:
        first, second = _locks(one, _BUILDS), _locks(other, _BUILDS)
    return first == second


def _locks(state: State, names: Sequence[str]) -> dict[str, bytes]:
    """Content of the lock files beside gates.yaml and in the top folder."""
    found: dict[str, bytes] = {}
    for folder in {state.root, state.cwd}:
        for path in sorted(folder.iterdir()):
            if any(fnmatch.fnmatchcase(path.name, name) for name in names) and path.is_file():
                name = path.relative_to(state.root).as_posix()
                with suppress(OSError):  # a symlink out of the tree
                    found[name] = read_within(path, state.root, _LOCK_BYTES)
    return found
