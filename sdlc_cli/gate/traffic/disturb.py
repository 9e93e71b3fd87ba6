"""Kills or pauses a running service: its processes are found, and told by signals."""

import os
import signal
import sys
from contextlib import suppress
from pathlib import Path

from sdlc_cli.core import proc
from sdlc_cli.core.errors import WorkError
from sdlc_cli.core.service import Service

_PS_S = 10.0


def kill(service: Service) -> int:
    """End the processes that do the work, without asking: how many there were.

    With a supervisor (a process that started others) those are all but the supervisor, which
    has to start new ones; else the whole service.
    """
    workers = below(service.pid, table())
    if not workers:
        return int(service.signal(signal.SIGKILL))
    killed = 0
    for pid in workers:
        with suppress(ProcessLookupError, PermissionError):
            os.kill(pid, signal.SIGKILL)
            killed += 1
    return killed


def pause(service: Service) -> bool:
    """Stop the whole service from running (SIGSTOP). False when there is none."""
    return service.signal(signal.SIGSTOP)


def resume(service: Service) -> bool:
    """Let it run again (SIGCONT)."""
    return service.signal(signal.SIGCONT)


def below(pid: int, parents: dict[int, int]) -> list[int]:
    """The descendants of `pid`, by a table of process -> parent."""
    found: list[int] = []
    waiting = [pid]
    while waiting:
        parent = waiting.pop()
        children = [child for child, its in parents.items() if its == parent and child != parent]
        found += children
        waiting += children
    return sorted(found)


def table() -> dict[int, int]:
    """Every living process and its parent. Raises WorkError where neither /proc nor ps tells."""
    return _from_proc() if sys.platform == "linux" else _from_ps()


def _from_proc() -> dict[int, int]:
    parents: dict[int, int] = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            with suppress(OSError, ValueError, IndexError):
                # proc(5): pid (name) state ppid ...; the name may hold blanks and brackets.
                fields = (folder / "stat").read_bytes().rpartition(b")")[2].split()
                if fields[0] != b"Z":
                    parents[int(folder.name)] = int(fields[1])
    return parents


def _from_ps() -> dict[int, int]:
    done = proc.run(["ps", "-A", "-o", "pid=,ppid=,stat="], cwd=Path("/"), timeout=_PS_S)
    if done.code:
        raise WorkError(done.last_lines() or "ps")
    rows = (line.split() for line in done.stdout.splitlines())
    return {int(row[0]): int(row[1]) for row in rows if len(row) > 2 and row[2][:1] != "Z"}
