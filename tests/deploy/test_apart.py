"""Whichever process of a render is killed, and whenever, the old or the new files lie there."""

import fcntl
import os
import signal
import threading
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import pytest

from sdlc_cli.core.errors import WorkError
from sdlc_cli.deploy import apart, swap, turns
from sdlc_cli.deploy.folder import HIDDEN, Folder
from sdlc_cli.deploy.swap import Change

BEFORE = {"Dockerfile": "old\n", "k8s/prod/stale.yaml": "stale\n", "src/main.py": "own\n"}
CHANGES = (
    Change(path="Dockerfile", data=b"new\n"),
    Change(path="k8s/dev/service.yaml", data=b"new\n"),
    Change(path="k8s/prod/stale.yaml", data=None),
    Change(path="scripts/deploy.sh", data=b"new\n", executable=True),
    Change(path="render.lock.json", data=b"{}\n"),
)
AFTER = {
    "Dockerfile": "new\n",
    "k8s/dev/service.yaml": "new\n",
    "render.lock.json": "{}\n",
    "scripts/deploy.sh": "new\n",
    "src/main.py": "own\n",
}
# What changes anything on a disk, and what brings it there.
CALLS = ("replace", "unlink", "mkdir", "rmdir", "link", "fsync", "open")
MOST = 60
FAILED = 3


def contents(root: Path) -> dict[str, str]:
    return {
        str(path.relative_to(root)): path.read_text()
        for path in sorted(root.rglob("*"))
        if path.is_file()
    }


@pytest.fixture
def fresh(tmp_path: Path) -> Callable[[int], Path]:
    """A folder as it was before, anew for each number."""

    def make(number: int) -> Path:
        root = tmp_path / str(number)
        for name, text in BEFORE.items():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_text(text)
        return root

    return make


def at_call(number: int, act: Callable[[], object]) -> None:
    """Let `act` happen in the process that writes, before its call of that number."""
    asks, done = os.getpid(), 0

    def wrapped(real: Callable[..., object]) -> Callable[..., object]:
        def call(*words: object, **more: object) -> object:
            nonlocal done
            if os.getpid() != asks:
                done += 1
                if done == number:
                    act()
            return real(*words, **more)

        return call

    for name in CALLS:
        setattr(os, name, wrapped(getattr(os, name)))


def render(root: Path, number: int, act: Callable[[int], object], *, ignored: bool = False) -> int:
    """How a process ends that renders and whose writer acts at a call: as `os.waitpid` says it.

    `act` is given the number of the process that asked for the render. With `ignored` that one
    never hears that a process of its own ended.
    """
    with warnings.catch_warnings():  # of threads: the child uses none
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if not child:
        code = 70
        try:
            asks = os.getpid()
            if ignored:
                signal.signal(signal.SIGCHLD, signal.SIG_IGN)
            at_call(number, lambda: act(asks))
            with Folder(root) as folder:
                folder.lock()
                apart.carry_out(folder, CHANGES)
            code = 0
        except WorkError:
            code = FAILED
        finally:
            os._exit(code)
    return os.waitpid(child, 0)[1]


def wait_for_the_writer(root: Path) -> None:
    """It holds the lock until its end, whoever else is gone."""
    handle = os.open(root, os.O_RDONLY)
    fcntl.flock(handle, fcntl.LOCK_EX)
    os.close(handle)


def kill(*processes: int) -> None:
    for process in processes:
        os.kill(process, signal.SIGKILL)


def kill_and_see_it_gone(asks: int) -> None:
    """A process that was sent SIGKILL lives on for a moment, in which the writer still sees it."""
    kill(asks)
    while os.getppid() == asks:
        time.sleep(0.001)


def test_when_the_writer_is_killed_the_other_process_leaves_one_set(
    fresh: Callable[[int], Path],
) -> None:
    outcomes = []

    for number in range(1, MOST):
        root = fresh(number)
        code = os.waitstatus_to_exitcode(render(root, number, lambda _asks: kill(os.getpid())))
        outcomes.append(code)
        assert contents(root) == (BEFORE if code == FAILED else AFTER), f"at call {number}"

    calls = outcomes.count(FAILED)
    assert 25 < calls < MOST - 10
    assert outcomes == [FAILED] * calls + [0] * (MOST - 1 - calls)


def test_when_the_process_that_asked_is_killed_the_writer_leaves_one_set(
    fresh: Callable[[int], Path],
) -> None:
    sets = []

    for number in range(1, MOST):
        root = fresh(number)
        status = render(root, number, kill_and_see_it_gone)
        wait_for_the_writer(root)
        if os.WIFSIGNALED(status):
            found = contents(root)
            assert found in (BEFORE, AFTER), f"at call {number}"
            sets.append(found == AFTER)

    # Until everything is prepared the old set stays; from the first file on it is the new one.
    assert (sets[0], sets[-1]) == (False, True)


def test_when_both_are_killed_nobody_reads_two_sets_and_the_next_run_takes_it_back(
    fresh: Callable[[int], Path],
) -> None:
    torn = 0

    for number in range(1, MOST):
        root = fresh(number)
        if not os.WIFSIGNALED(render(root, number, lambda asks: kill(asks, os.getpid()))):
            break
        wait_for_the_writer(root)
        found = {name: text for name, text in contents(root).items() if HIDDEN not in name}
        if found not in (BEFORE, AFTER):
            torn += 1
            with pytest.raises(WorkError, match="files of two renders lie there"):
                turns.refuse_interrupted(root)
        with Folder(root) as folder:
            swap.undo(folder)
        assert contents(root) in (BEFORE, AFTER), f"at call {number}"

    assert torn > 4


def test_a_process_that_was_told_to_ignore_its_children_renders_too(
    fresh: Callable[[int], Path],
) -> None:
    whole, killed = fresh(0), fresh(1)

    assert render(whole, 0, kill, ignored=True) == 0
    assert render(killed, 1, lambda _asks: kill(os.getpid()), ignored=True) == FAILED << 8
    assert (contents(whole), contents(killed)) == (AFTER, BEFORE)


def test_whoever_interrupts_the_waiting_process_finds_the_old_set(
    fresh: Callable[[int], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    root = fresh(0)

    def interrupted(_handle: int) -> bytes:
        raise KeyboardInterrupt

    monkeypatch.setattr(apart, "_all", interrupted)
    monkeypatch.setattr(threading, "active_count", lambda: 1)
    with Folder(root) as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        with pytest.raises(KeyboardInterrupt):
            apart.carry_out(folder, CHANGES)

    assert contents(root) in (BEFORE, AFTER)
    assert not (root / HIDDEN).exists()
