"""The repository's root, the cache folder, reading safely, and writing all or nothing."""

import errno
import os
import stat
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from sdlc_cli.core.errors import WorkError
from sdlc_cli.core.i18n import msg
from sdlc_cli.core.regular import read_regular

__all__ = [
    "cache_dir",
    "find_upward",
    "read_regular",
    "read_within",
    "repository_root",
    "write_atomic",
]


def repository_root(path: Path) -> Path:
    """The nearest folder at or above `path` that holds `.git`; without one the folder itself.

    The answer is absolute, with symlinks resolved.
    """
    path = Path(os.path.realpath(path))
    start = path if path.is_dir() else path.parent
    for folder in (start, *start.parents):
        if os.path.lexists(folder / ".git"):
            return folder
    return start


def read_within(path: Path, root: Path, limit: int) -> bytes:
    """The bytes of the file at `path`, `limit` at most, through symlinks that stay in `root`.

    Raises OSError, its `strerror` worded for people: also for what is no regular file, leads
    out of `root`, or is larger.
    """
    real = Path(os.path.realpath(path))
    if not real.is_relative_to(os.path.realpath(root)):
        raise OSError(errno.EPERM, msg("it leads out of the repository"))
    data = read_regular(real, limit + 1)
    if data is None:
        raise OSError(errno.EINVAL, msg("not a regular file"))
    if len(data) > limit:
        raise OSError(errno.EFBIG, msg("larger than {limit} bytes", limit=f"{limit:,}"))
    return data


def find_upward(name: str, start: Path, stop: Path) -> Path | None:
    """The file called `name` nearest to `start`, looking upward as far as `stop`."""
    start, stop = Path(os.path.realpath(start)), Path(os.path.realpath(stop))
    for folder in (start, *start.parents):
        if (folder / name).is_file():
            return folder / name
        if folder == stop:
            break
    return None


def cache_dir(environ: Mapping[str, str] = os.environ) -> Path | None:
    """Our folder for what can be made again, created if need be; None where none can be had.

    `SDLC_CACHE_DIR` names it; else it lies in `XDG_CACHE_HOME`, `~/Library/Caches` on macOS or
    `~/.cache`. Nothing may depend on it: a container's user may have no home.
    """
    folder = _cache_place(environ)
    if folder is None:
        return None
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return None
    return folder if os.access(folder, os.W_OK | os.X_OK) else None


def _cache_place(environ: Mapping[str, str]) -> Path | None:
    if named := environ.get("SDLC_CACHE_DIR"):
        return Path(named).absolute()
    # The XDG base directory specification: a path that is not absolute is to be ignored.
    if (shared := environ.get("XDG_CACHE_HOME", "")) and os.path.isabs(shared):
        return Path(shared, "sdlc")
    home = environ.get("HOME", "")
    if not os.path.isabs(home):
        return None
    return Path(home, "Library/Caches" if sys.platform == "darwin" else ".cache", "sdlc")


def write_atomic(path: Path, content: str | bytes) -> None:
    """Write `path` so that nobody ever sees half of it; text as UTF-8, line ends as they are.

    Keeps an existing file's permissions and writes through a symlink. Something that is no
    file, as /dev/stdout, is written in place. Characters that UTF-8 cannot hold (from a file
    name that is not UTF-8) come out as `\\udc..`. Raises WorkError.
    """
    data = content.encode("utf-8", "backslashreplace") if isinstance(content, str) else content
    target = Path(os.path.realpath(path))
    try:
        mode = target.stat().st_mode if target.exists() else None
        if mode is not None and not stat.S_ISREG(mode):
            with open(path, "wb") as file:
                file.write(data)
            return
        target.parent.mkdir(parents=True, exist_ok=True)
        _replace(target, data, mode)
    except OSError as error:
        raise WorkError(
            msg("cannot write {path}: {why}", path=str(path), why=error.strerror or str(error)),
            hint=msg("check that the folder exists and that you may write there"),
        ) from error


def _replace(target: Path, data: bytes, mode: int | None) -> None:
    import tempfile  # loads the random numbers, which only a run that writes a file needs

    handle, name = tempfile.mkstemp(prefix=f".{target.name[:100]}.", dir=target.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fchmod(file.fileno(), stat.S_IMODE(mode) if mode is not None else _new_file_mode())
            os.fsync(file.fileno())
        os.replace(name, target)
    except BaseException:
        with suppress(OSError):
            os.unlink(name)
        raise


def _new_file_mode() -> int:
    """What `open` would give: the process's umask can only be read by setting it."""
    mask = os.umask(0o022)
    os.umask(mask)
    return 0o666 & ~mask
