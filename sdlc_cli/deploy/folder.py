"""The output folder, reached through folder handles so that no link inside it leads anywhere else.

Every path is relative to the folder, with `/`. Whoever takes paths from outside (a lock, an
artifact) asks `is_ours` first. Raises OSError, its `strerror` worded for people where the system
has no words for it.
"""

import errno
import fcntl
import hashlib
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

from sdlc_cli.core.i18n import msg

# Where a render puts its files; a folder ends with `/`.
PLACES = (
    "Dockerfile",
    ".dockerignore",
    "compose.yaml",
    ".secrets/.gitignore",
    "k8s/",
    "helm/",
    "terraform/",
    ".github/workflows/",
    "scripts/",
    "monitoring/",
)
LOCK = "render.lock.json"
HIDDEN = ".sdlc-render"  # where a render prepares what it is about to do
JOURNAL = f"{HIDDEN}/journal.json"  # there while files of two renders may lie side by side
_LARGEST = 1 << 24  # bytes; no file of ours comes near: a larger one is the user's, unread
_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_PLAIN = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC


def is_ours(path: str) -> bool:
    """Whether a render could put a file at `path`: never above the folder, nor among the user's."""
    plain = path.isascii() and path.isprintable() and "\\" not in path
    whole = plain and all(part not in ("", ".", "..") for part in path.split("/"))
    return whole and any(
        path == place or (place.endswith("/") and path.startswith(place)) for place in PLACES
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What lies at a path. `sha256` is that of the file's bytes; of a link, of where it points.

    It is "" for what is neither, and for a file too large to be one of ours.
    """

    kind: Literal["file", "link", "other"]
    sha256: str = ""
    executable: bool = False


def digest(data: bytes) -> str:
    """The SHA-256 of `data` in hexadecimal."""
    return hashlib.sha256(data).hexdigest()


@contextmanager
def _named(path: str) -> Iterator[None]:
    """Let an error name the whole path: the system only knows its last word."""
    try:
        yield
    except OSError as error:
        error.filename, error.filename2 = path, None
        raise


class Folder:
    """The folder at `root`, which may itself be reached through links. Use it with `with`."""

    def __init__(self, root: Path, *, create: bool = False) -> None:
        if create:
            try:
                root.mkdir(parents=True, exist_ok=True)
            except FileExistsError:
                raise OSError(errno.ENOTDIR, msg("it is no folder"), str(root)) from None
        self.root = root
        self._handles: dict[str, int] = {
            "": os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        }

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for handle in self._handles.values():
            os.close(handle)
        self._handles.clear()

    def lock(self, *, shared: bool = False) -> bool:
        """Keep other runs out until the folder is closed; False while another is in there.

        Those who only read share it. Where the file system knows no locks, nothing keeps anybody
        out.
        """
        kind = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
        try:
            fcntl.flock(self._handles[""], kind | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        except OSError as error:
            if error.errno not in (errno.ENOLCK, errno.EOPNOTSUPP, errno.EBADF, errno.EINVAL):
                raise
        return True

    def find(self, path: str) -> Found | None:
        """What lies at `path`, or nothing."""
        try:
            parent, name = self._parent(path)
            status = os.stat(name, dir_fd=parent, follow_symlinks=False)
        except FileNotFoundError:
            return None
        if stat.S_ISLNK(status.st_mode):
            target = os.readlink(name, dir_fd=parent)
            return Found(kind="link", sha256=digest(os.fsencode(target)))
        if not stat.S_ISREG(status.st_mode):
            return Found(kind="other")
        if status.st_size > _LARGEST:
            return Found(kind="file")
        executable = bool(status.st_mode & stat.S_IXUSR)
        return Found(kind="file", sha256=digest(self.read(path) or b""), executable=executable)

    def read(self, path: str) -> bytes | None:
        """The bytes of the plain file at `path`; None when there is none."""
        try:
            parent, name = self._parent(path)
            handle = os.open(name, _PLAIN, dir_fd=parent)
        except FileNotFoundError:
            return None
        except OSError as error:
            if error.errno != errno.ELOOP:
                raise
            raise OSError(errno.ELOOP, msg("a link, which is never followed"), path) from None
        with os.fdopen(handle, "rb") as file:
            if not stat.S_ISREG(os.fstat(handle).st_mode):
                raise OSError(errno.EINVAL, msg("not a regular file"), path)
            data = file.read(_LARGEST + 1)
        if len(data) > _LARGEST:
            raise OSError(errno.EFBIG, msg("larger than {limit} bytes", limit=_LARGEST), path)
        return data

    def missing(self, path: str) -> tuple[str, ...]:
        """The folders above `path` that are not there, the outermost first."""
        parts = path.split("/")[:-1]
        above = ["/".join(parts[: depth + 1]) for depth in range(len(parts))]
        for i, folder in enumerate(above):
            try:
                self._open(folder)
            except FileNotFoundError:
                return tuple(above[i:])
        return ()

    def make(self, path: str, mode: int = 0o777) -> None:
        """Make one folder, unless it is there."""
        with _named(path), suppress(FileExistsError):
            parent, name = self._parent(path)
            os.mkdir(name, mode, dir_fd=parent)

    def store(self, path: str, data: bytes, *, executable: bool = False) -> None:
        """Write a file anew at `path`, to the disk itself. Whatever lay there is gone."""
        self.remove(path)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        with _named(path):
            parent, name = self._parent(path)
            handle = os.open(name, flags, 0o777 if executable else 0o666, dir_fd=parent)
            with os.fdopen(handle, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(handle)

    def keep(self, path: str, beside: str) -> None:
        """Give what lies at `path` a second name, `beside`, under which it outlives the first."""
        parent, name = self._parent(path)
        target, other = self._parent(beside)
        try:
            os.link(name, other, src_dir_fd=parent, dst_dir_fd=target, follow_symlinks=False)
        except (OSError, NotImplementedError):  # not every file system has second names
            if stat.S_ISLNK(os.stat(name, dir_fd=parent, follow_symlinks=False).st_mode):
                os.symlink(os.readlink(name, dir_fd=parent), other, dir_fd=target)
                return
            found = self.find(path)
            self.store(beside, self.read(path) or b"", executable=bool(found and found.executable))

    def move(self, path: str, to: str) -> None:
        """Put what lies at `path` in the place of what lies at `to`, in one step."""
        with _named(to):
            parent, name = self._parent(path)
            target, other = self._parent(to)
            os.replace(name, other, src_dir_fd=parent, dst_dir_fd=target)

    def remove(self, path: str) -> None:
        """Take the file at `path` away, where there is one."""
        with _named(path), suppress(FileNotFoundError):
            parent, name = self._parent(path)
            os.unlink(name, dir_fd=parent)

    def remove_folder(self, path: str) -> bool:
        """Take the folder at `path` away when it is empty; False when it stays."""
        try:
            parent, name = self._parent(path)
            os.rmdir(name, dir_fd=parent)
        except OSError:
            return False
        if (handle := self._handles.pop(path, None)) is not None:
            os.close(handle)
        return True

    def names(self, path: str) -> list[str]:
        """What lies in the folder at `path`; nothing when there is none."""
        try:
            return sorted(os.listdir(self._open(path)))
        except FileNotFoundError:
            return []

    def flush(self, path: str) -> None:
        """Bring the names in the folder at `path` to the disk."""
        os.fsync(self._open(path))

    def _parent(self, path: str) -> tuple[int, str]:
        folder, _slash, name = path.rpartition("/")
        return self._open(folder), name

    def _open(self, folder: str) -> int:
        """The handle of a folder inside. Raises OSError for a link on the way."""
        if (known := self._handles.get(folder)) is not None:
            return known
        parent, name = self._parent(folder)
        try:
            handle = os.open(name, _DIRECTORY, dir_fd=parent)
        except OSError as error:
            if error.errno not in (errno.ENOTDIR, errno.ELOOP):
                raise
            words = msg("a link or a file lies where a folder must be")
            raise OSError(errno.ENOTDIR, words, folder) from None
        self._handles[folder] = handle
        return handle
