"""What this program writes is not what it judges: reports of this run and of its other shards."""

import os
import re
from collections.abc import Collection, Iterable
from dataclasses import replace
from pathlib import Path
from subprocess import TimeoutExpired

from sdlc_cli.core import git
from sdlc_cli.core.files import read_regular
from sdlc_cli.gate.source import Project

# How the JSON report of a shard begins, whoever indented it.
_SHARD = re.compile(
    rb'\s*\{\s*"schema_version":\s*\d+,\s*"shard":\s*\{\s*"schema_version":\s*\d+,\s*"index":'
)
_BEGINNING = 300  # bytes


def left_out(project: Project, outputs: Iterable[str], *, sharded: bool = False) -> Project:
    """The project without the files in `outputs`, which this run writes or merges.

    A `sharded` run also passes over the reports of other shards, where git does not track them:
    they are written between one shard and the next, and all shards have to see the same files.
    """
    root = os.path.realpath(project.root)
    ours = {os.path.relpath(os.path.realpath(path), root) for path in outputs}
    if sharded:
        ours.update(_of_shards(project))
    if ours.isdisjoint(project.files):
        return project
    return replace(project, files=tuple(path for path in project.files if path not in ours))


def _of_shards(project: Project) -> Iterable[str]:
    tracked = _tracked(project.root)
    for path in project.files:
        candidate = path.endswith(".json") if tracked is None else path not in tracked
        if candidate and _is_of_shard(project.root / path):
            yield path


def _is_of_shard(path: Path) -> bool:
    try:
        return _SHARD.match(read_regular(path, _BEGINNING) or b"") is not None
    except OSError:
        return False


def _tracked(root: Path) -> Collection[str] | None:
    """What git tracks; None where it cannot be asked."""
    if not os.path.lexists(root / ".git"):
        return None
    try:
        done = git.ask(root, "ls-files", "-z")
    except (OSError, TimeoutExpired):
        return None
    return set(os.fsdecode(done.stdout).split("\0")) if not done.returncode else None
