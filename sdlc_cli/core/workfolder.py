"""A folder for a command's own files that is gone when the command is, even when it was killed.

A process that is killed outright cannot clean up. Each folder therefore holds a locked file; the
system lets go of the lock when its process dies, however that happens, and the next run removes
what nobody holds any more.
"""

import fcntl
import os
import shutil
import stat
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_LOCK = ".lock"
_MOST = 20  # folders that one run removes, so that no run is slow because of others
_UNLOCKED_S = 86_400  # after so long a folder without a lock was not just being made


@contextmanager
def workfolder(prefix: str) -> Iterator[Path]:
    """A new folder in the system's place for temporary files; removed at the end.

    Before it, folders of the same `prefix` that processes of this user left behind are removed.
    """
    _sweep(prefix)
    with tempfile.TemporaryDirectory(prefix=prefix, ignore_cleanup_errors=True) as name:
        held = _hold(Path(name))
        try:
            yield Path(name)
        finally:
            os.close(held)


def _hold(folder: Path) -> int:
    """The open, locked file of a folder. It gets its name when it is locked, not before."""
    unnamed = folder / f"{_LOCK}.new"
    handle = os.open(unnamed, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    with suppress(OSError):  # a file system without locks: then the folder's age decides
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.rename(unnamed, folder / _LOCK)
    return handle


def _sweep(prefix: str) -> None:
    """Remove what processes that are dead left behind. Never raises."""
    with suppress(OSError):
        with os.scandir(tempfile.gettempdir()) as entries:
            found = [Path(entry.path) for entry in entries if entry.name.startswith(prefix)]
        for folder in found[:_MOST]:
            with suppress(OSError):
                _remove_if_left(folder)


def _remove_if_left(folder: Path) -> None:
    about = folder.lstat()
    if not stat.S_ISDIR(about.st_mode) or about.st_uid != os.geteuid():
        return
    try:
        handle = os.open(folder / _LOCK, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
    except FileNotFoundError:
        if time.time() - about.st_mtime > _UNLOCKED_S:
            shutil.rmtree(folder, ignore_errors=True)
        return
    try:
        fcntl.flock(
            handle, fcntl.LOCK_EX | fcntl.LOCK_NB
        )  # held by a living process: BlockingIOError
        shutil.rmtree(folder, ignore_errors=True)
    finally:
        os.close(handle)
