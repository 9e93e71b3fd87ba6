"""Artifacts -> files: what a render may touch and what not, and one writer at a time."""

import time
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from sdlc_cli.core.errors import ConfigError, WorkError
from sdlc_cli.core.i18n import msg
from sdlc_cli.deploy import lock as locks
from sdlc_cli.deploy import swap
from sdlc_cli.deploy.folder import LOCK, Folder
from sdlc_cli.deploy.lock import Lock, Plan
from sdlc_cli.deploy.model import Artifact

_PATIENCE = 30.0  # seconds to wait for another run in the same folder
_EVERY = 0.02


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """What a write did. `undone`: an earlier run had been killed, and its half was taken back."""

    plan: Plan
    undone: bool = False


def compare(
    out: Path,
    artifacts: Sequence[Artifact],
    *,
    chosen: Collection[str],
    known: Collection[str],
    image: str = "",
) -> Plan:
    """What `write` would do; nothing is touched. Raises ConfigError and WorkError."""
    if not out.exists():
        return locks.plan(Lock(), artifacts, lambda _p: None, chosen=chosen, known=known)
    with opened(out, "read") as folder:
        before = locks.load(folder.read(LOCK))
        return locks.plan(before, artifacts, folder.find, chosen=chosen, known=known, image=image)


def last(out: Path) -> Lock:
    """What the lock in `out` says of the last render. Raises ConfigError and WorkError."""
    if not out.exists():
        return Lock()
    with opened(out, "read") as folder:
        return locks.load(folder.read(LOCK))


def exists(out: Path) -> bool:
    """Whether anything was rendered into `out`."""
    return (out / LOCK).is_file()


def was_interrupted(out: Path) -> bool:
    """Whether a run was killed between two files, so that `out` may hold parts of two sets."""
    return (out / swap.JOURNAL).is_file()


def write(
    out: Path,
    artifacts: Sequence[Artifact],
    *,
    chosen: Collection[str],
    known: Collection[str],
    image: str = "",
    force: bool = False,
    patience: float = _PATIENCE,
) -> Written:
    """Make `out` hold `artifacts`, take away what an earlier render left there, update the lock.

    Raises ConfigError, with everything untouched, for files that were changed by hand or never
    ours, unless `force`; WorkError for what the system refuses or another run that does not end.
    """
    with opened(out, "write") as folder:
        _keep_out_others(folder, patience)
        undone = swap.undo(folder)
        before = folder.read(LOCK)
        plan = locks.plan(
            locks.load(before),
            artifacts,
            folder.find,
            chosen=chosen,
            known=known,
            image=image,
        )
        if not force:
            _refuse(plan)
        swap.swap(folder, _changes(folder, plan, before, force=force))
    return Written(plan=plan, undone=undone)


def _changes(
    folder: Folder, plan: Plan, before: bytes | None, *, force: bool
) -> Iterator[swap.Change]:
    """What the plan does to files, and after it the lock."""
    for step in plan.steps:
        if step.artifact and step.state != "unchanged":
            data = step.artifact.text.encode()
            yield swap.Change(path=step.path, data=data, executable=step.artifact.executable)
        elif step.state == "stale" or (step.state == "left" and force):
            yield swap.Change(path=step.path, data=None)
    after = locks.dump(plan.lock).encode()
    if after != before:
        yield swap.Change(path=LOCK, data=after)


@contextmanager
def opened(out: Path, verb: Literal["read", "write"]) -> Iterator[Folder]:
    """The output folder; what the system refuses becomes a WorkError. To write, it is made."""
    try:
        with Folder(out, create=verb == "write") as folder:
            yield folder
    except OSError as error:
        place = error.filename if isinstance(error.filename, str) else out
        why = error.strerror or str(error)
        if verb == "read":
            raise WorkError(msg("cannot read {path}: {why}", path=place, why=why)) from error
        raise WorkError(
            msg("cannot write {path}: {why}", path=place, why=why),
            hint=msg("nothing was changed; a folder that you may write to, with --out DIR"),
        ) from error


def _keep_out_others(folder: Folder, patience: float) -> None:
    """Wait until no other run is in the folder. Raises WorkError after `patience` seconds."""
    end = time.monotonic() + patience
    while not folder.lock():
        if time.monotonic() > end:
            raise WorkError(
                msg("another sdlc deploy is writing to {path}", path=folder.root),
                hint=msg("wait for it to end, then run this again"),
            )
        time.sleep(_EVERY)


def _refuse(plan: Plan) -> None:
    """Raises ConfigError with every file that a render must not overwrite unasked."""
    edited = [
        msg("{path} was changed by hand since it was rendered", path=path)
        for path in plan.paths("edited")
    ]
    foreign = [
        msg("{path} exists and no render wrote it", path=path) for path in plan.paths("foreign")
    ]
    if edited or foreign:
        raise ConfigError(
            msg("files in the way"),
            problems=(*edited, *foreign),
            hint=msg("`sdlc deploy diff` shows what would change; --force overwrites them"),
        )
