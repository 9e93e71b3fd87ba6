"""Reading a file that may be no file at all: a pipe, a device, a link to somewhere else."""

import os
import stat


def read_regular(path: str | os.PathLike[str], limit: int) -> bytes | None:
    """At most `limit` bytes of the file at `path`; None when it is not a regular file.

    Never waits for a pipe's writer, never follows a symlink. Raises OSError.
    """
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_NOCTTY | os.O_CLOEXEC)
    try:
        found = os.fstat(handle)
        if not stat.S_ISREG(found.st_mode):
            return None
        data = os.read(handle, min(found.st_size + 1, limit))  # one more: it may have grown
        while len(data) < limit and (more := os.read(handle, min(limit - len(data), 1 << 20))):
            data += more
        return data
    finally:
        os.close(handle)
