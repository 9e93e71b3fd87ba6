"""Who may be in the output folder when: one who writes, or all who read.

Nobody reads where a render was cut short and files of two renders lie.
"""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from sdlc_cli.core.errors import WorkError
from sdlc_cli.core.files import repository_root
from sdlc_cli.core.i18n import msg
from sdlc_cli.deploy.folder import JOURNAL, Folder

PATIENCE = 30.0  # seconds to wait for another run in the same folder
_EVERY = 0.02


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
            hint=msg("another folder, with --out DIR; nothing was changed"),
        ) from error


def is_there(path: Path) -> bool:
    """Whether there is such a file or folder. Raises WorkError where nobody may look for it."""
    try:
        return path.exists()
    except OSError as error:
        why = error.strerror or str(error)
        raise WorkError(msg("cannot read {path}: {why}", path=path, why=why)) from error


def wait(folder: Folder, verb: Literal["read", "write"], patience: float = PATIENCE) -> None:
    """Wait until others let us in, `patience` seconds at most. Raises WorkError."""
    end = time.monotonic() + patience
    while not folder.lock(shared=verb == "read"):
        if time.monotonic() > end:
            raise WorkError(
                msg("another sdlc deploy is writing to {path}", path=folder.root),
                hint=msg("wait for it to end, then run this again"),
            )
        time.sleep(_EVERY)


def was_interrupted(out: Path) -> bool:
    """Whether a run was killed between two files, so that `out` may hold parts of two sets.

    Waits for a run that goes on. Raises WorkError.
    """
    if not is_there(out / JOURNAL):
        return False
    with opened(out, "read") as folder:
        wait(folder, "read")
        return (out / JOURNAL).is_file()


def refuse_interrupted(out: Path) -> None:
    """Raises WorkError where `out` may hold parts of two sets."""
    if was_interrupted(out):
        raise WorkError(
            msg("a render was killed in {path}: files of two renders lie there", path=out),
            hint=msg("`sdlc deploy render`, which puts the old files back first"),
        )


def refuse_interrupted_above(folder: Path) -> None:
    """The same for `folder` and all folders above it in its repository."""
    root, here = repository_root(folder), Path(os.path.realpath(folder))
    for place in (here, *here.parents):
        refuse_interrupted(place)
        if place == root:
            return
