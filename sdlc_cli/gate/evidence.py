"""Reads the reports of other programs: regular files that fit, written by the run they prove."""

import contextlib
import os
import stat
from collections.abc import Iterator
from pathlib import Path

from sdlc_cli.core.errors import WorkError
from sdlc_cli.core.files import read_regular
from sdlc_cli.core.i18n import msg

LARGEST = 100_000_000  # bytes


def read(path: Path, shown: str, limit: int = LARGEST) -> bytes:
    """The bytes of the report at `path`; a symlink is followed. Never waits for a pipe.

    Raises WorkError for what is no regular file or larger than `limit` bytes, and OSError.
    """
    data = read_regular(Path(os.path.realpath(path)), limit + 1)
    if data is None:
        raise WorkError(msg("{report} is no regular file", report=shown))
    if len(data) > limit:
        raise WorkError(
            msg("{report} is too large: over {limit} bytes", report=shown, limit=f"{limit:,}"),
            hint=msg("let the program write less, or split its work over several reports"),
        )
    return data


@contextlib.contextmanager
def set_aside(path: Path) -> Iterator[bool]:
    """Take an old report out of the way, so that only what is written inside stands there.

    Yields whether there was one. It is put back when nothing took its place. A digest or a time
    would not do: a new report may hold the same bytes, and `touch` renews the time of an old one.
    Raises WorkError when the old file cannot be moved.
    """
    target = Path(os.path.realpath(path))
    if not _is_regular(target):
        yield False
        return
    # Beside it, not in the temporary folder: a move within one file system copies nothing.
    kept = target.with_name(f".{target.name[:100]}.before-{os.getpid()}")
    try:
        os.rename(target, kept)
    except OSError as error:
        raise WorkError(
            msg(
                "the old {report} cannot be set aside: {why}",
                report=path.name,
                why=error.strerror or str(error),
            ),
            hint=msg("delete it, or let the program write to another folder"),
        ) from error
    try:
        yield True
    finally:
        if os.path.lexists(target):
            kept.unlink(missing_ok=True)
        else:
            target.parent.mkdir(parents=True, exist_ok=True)
            os.rename(kept, target)


def _is_regular(path: Path) -> bool:
    try:
        return stat.S_ISREG(path.lstat().st_mode)
    except (OSError, ValueError):
        return False
