"""Artifacts -> files: what a render may touch and what not, and one writer at a time."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from sdlc_cli.core.errors import ConfigError
from sdlc_cli.core.i18n import msg
from sdlc_cli.deploy import apart, swap, turns
from sdlc_cli.deploy import lock as locks
from sdlc_cli.deploy.folder import LOCK, Folder
from sdlc_cli.deploy.lock import Lock, Plan
from sdlc_cli.deploy.model import Artifact


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
    if not turns.is_there(out):
        return locks.plan(Lock(), artifacts, lambda _p: None, chosen=chosen, known=known)
    with turns.opened(out, "read") as folder:
        turns.wait(folder, "read")
        before = locks.load(folder.read(LOCK))
        return locks.plan(before, artifacts, folder.find, chosen=chosen, known=known, image=image)


def last(out: Path) -> Lock:
    """What the lock in `out` says of the last render. Raises ConfigError and WorkError."""
    if not turns.is_there(out):
        return Lock()
    with turns.opened(out, "read") as folder:
        return locks.load(folder.read(LOCK))


def exists(out: Path) -> bool:
    """Whether anything was rendered into `out`."""
    return turns.is_there(out / LOCK)


def repair(out: Path) -> bool:
    """Take back what a killed run left half done; False when there is nothing. Raises WorkError."""
    if not turns.was_interrupted(out):
        return False
    with turns.opened(out, "write") as folder:
        turns.wait(folder, "write")
        return swap.undo(folder)


def write(
    out: Path,
    artifacts: Sequence[Artifact],
    *,
    chosen: Collection[str],
    known: Collection[str],
    image: str = "",
    force: bool = False,
    patience: float = turns.PATIENCE,
) -> Written:
    """Make `out` hold `artifacts`, take away what an earlier render left there, update the lock.

    Raises ConfigError, with everything untouched, for files that were changed by hand or never
    ours, unless `force`; WorkError for what the system refuses or another run that does not end.
    """
    with turns.opened(out, "write") as folder:
        turns.wait(folder, "write", patience)
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
        apart.carry_out(folder, _changes(folder, plan, before, force=force))
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
