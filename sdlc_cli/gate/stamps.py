"""Which files are as they were when they were last read, told without reading them.

A file's stamp is its device, inode, size and times, and it is believed as git believes its index:
all of it has to be equal to the last digit. Nothing that changes a file's content leaves the time
of its last change of status (`st_ctime_ns`) as it was, and no program can set that time: `touch`
and `tar` set another one. A file whose status changed in the two seconds before it was looked at
gets no stamp: it could change once more and show the same time, on the coarsest of file systems.
What is left is a clock that is set back to the same nanosecond, and a program that keeps writing
through a memory map that it opened before.
"""

import hashlib
import os
import time

from sdlc_cli.gate import source
from sdlc_cli.gate.cache import Cache, Stamped
from sdlc_cli.gate.source import Project, Unit

SETTLED_NS = 2_000_000_000  # FAT keeps times to two seconds


def digests(project: Project, cache: Cache, now_ns: int | None = None) -> dict[str, bytes]:
    """The SHA-256 of each file that can be read, by path; `now_ns` is the time since 1970.

    A file that is as its stamp in `cache` says is not read; new stamps are kept there.
    """
    settled = (time.time_ns() if now_ns is None else now_ns) - SETTLED_NS
    known = cache.stamps(project.root)
    found: dict[str, bytes] = {}
    new: dict[str, Stamped] = {}
    root = os.path.join(project.root, "")
    for path in project.files:
        try:
            state = os.lstat(root + path)
        except OSError:
            continue  # who looks at it next says why
        # Taken before the file is read: what changes it from here on changes its stamp too.
        at = state.st_ctime_ns
        stamp = (state.st_dev, state.st_ino, state.st_size, state.st_mtime_ns, at)
        before = known.get(path)
        if before is not None and before[:5] == stamp:
            found[path] = before[5]
            continue
        unit = source.read(project, path)
        if isinstance(unit, Unit):
            found[path] = digest = hashlib.sha256(unit.data).digest()
            if at < settled:
                new[path] = (*stamp, digest)
    if new:
        kept = {**known, **new}
        cache.stamp(project.root, kept if len(kept) <= 2 * len(found) else new)
    return found
