"""A swap in a process of its own, so that the kill of a process leaves one set of files.

Files take their places one after the other, which a kill would cut short. Two processes know of it:
when ours is killed, the other carries on to the end, a matter of milliseconds; when the other is
killed, ours puts the old files back. Only what ends both at once, as the end of the machine or of
the container, leaves a journal behind: readers refuse it, and the next run takes it back.
"""

import os
import pickle
import signal
import threading
from collections.abc import Iterable
from contextlib import suppress

from sdlc_cli.core.errors import WorkError
from sdlc_cli.core.i18n import msg
from sdlc_cli.deploy import swap
from sdlc_cli.deploy.folder import Folder

_DONE = b"done"


def carry_out(folder: Folder, changes: Iterable[swap.Change]) -> None:
    """`swap.swap` in another process; in ours where threads forbid to fork one.

    Raises OSError and WorkError, with all undone. Whatever interrupts us undoes it too.
    """
    wanted = tuple(changes)
    if not wanted:
        return
    if threading.active_count() > 1:
        swap.swap(folder, wanted)
        return
    heard, told = os.pipe()
    ours = os.getpid()
    child = os.fork()
    if not child:
        _work(folder, wanted, told, ours)
    os.close(told)
    try:
        answer = _all(heard)
    except BaseException:
        _take_back(folder, child)
        raise
    finally:
        os.close(heard)
    _await_end(child)
    _judge(folder, wanted, answer)


def _work(folder: Folder, wanted: tuple[swap.Change, ...], told: int, parent: int) -> None:
    """All that the other process does; it never returns.

    In a session of its own, it hears neither Ctrl-C nor what ends our group.
    """
    try:
        os.setsid()
        swap.swap(folder, wanted, ready=lambda: _ask_for(parent))
        os.write(told, _DONE)
    except BaseException as error:  # noqa: BLE001 - it is raised in the process that asked
        os.write(told, pickle.dumps(error))
    finally:
        os._exit(0)  # nothing of ours, as a buffer of stdout, may be written twice


def _ask_for(parent: int) -> None:
    """Nothing was touched yet: whoever wanted it must still be there."""
    if os.getppid() != parent:
        raise WorkError(msg("the render was killed"))


def _all(handle: int) -> bytes:
    """What the other process says until its end."""
    parts = []
    while part := os.read(handle, 1 << 16):
        parts.append(part)
    return b"".join(parts)


def _await_end(child: int) -> None:
    """Whoever started us with SIGCHLD ignored has the system do it."""
    with suppress(ChildProcessError):
        os.waitpid(child, 0)


def _take_back(folder: Folder, child: int) -> None:
    """We were interrupted, and a second Ctrl-C must not interrupt this."""
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        os.kill(child, signal.SIGKILL)
        _await_end(child)
        swap.undo(folder)
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})


def _judge(folder: Folder, wanted: tuple[swap.Change, ...], answer: bytes) -> None:
    """Raises what went wrong in the other process."""
    if answer == _DONE:
        return
    if answer:
        raise pickle.loads(answer)
    if swap.undo(folder) or not swap.is_done(folder, wanted):
        raise WorkError(
            msg("the process that writes to {path} was killed", path=folder.root),
            hint=msg("run this again; nothing was changed"),
        )
