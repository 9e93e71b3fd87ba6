"""Child processes with limits and no shell: measured, capped, and gone when we are done.

Each child leads a session and process group of its own, and the whole group is ended when the
child ends, when its time is up, and when we are interrupted or terminated ourselves.
"""

import contextlib
import os
import selectors
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from resource import struct_rusage
from types import FrameType

from sdlc_cli.core.errors import WorkError
from sdlc_cli.core.i18n import msg

OUTPUT_LIMIT = 1_000_000  # bytes kept of each stream
GRACE_S = 2.0  # between asking a group to end (SIGTERM) and ending it (SIGKILL)
DRAIN_S = 0.5  # for reading what is left once the group is gone; a runaway may hold the pipe
_TICK_S = 0.25  # how soon a waiting thread sees that the whole program is to stop
_RSS_UNIT = 1 if sys.platform == "darwin" else 1024  # getrusage(2): bytes there, KiB on Linux

_LAUNCHER = Path(__file__).with_name("launch.py")


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """How a child ended. `code` is its exit code, or minus the signal that ended it.

    `seconds` is wall time; `cpu_s` user and system time of the child and of all descendants it
    waited for; `peak_bytes` the largest resident size of any one of them (getrusage(2)).
    """

    code: int
    stdout: str
    stderr: str
    seconds: float
    cpu_s: float
    peak_bytes: int
    timed_out: bool

    def last_lines(self, count: int = 5) -> str:
        """The last lines that say something, standard error after standard output."""
        return last_lines(f"{self.stdout}\n{self.stderr}", count)


def last_lines(text: str, count: int) -> str:
    """The last `count` lines of `text` that are not blank."""
    lines = [line.rstrip() for line in text.splitlines() if line.strip()]
    return "\n".join(lines[-count:])


def run(
    command: Sequence[str],
    *,
    cwd: Path,
    environment: Mapping[str, str] | None = None,
    timeout: float,
    input: bytes | None = None,  # noqa: A002 - subprocess calls it so too
    output_limit: int = OUTPUT_LIMIT,
    measured: bool = False,
) -> Finished:
    """Run `command` to its end; it gets `timeout` seconds and no terminal.

    `environment` replaces ours when given; the program is looked for in its PATH. Without
    `input` the child reads an empty file. `measured` starts it through a small launcher (10 ms,
    not counted), so that `peak_bytes` holds nothing of our own size; its floor is about 8 MiB.
    Raises WorkError when the program cannot be started, or when we are told to stop.
    """
    with contextlib.ExitStack() as stack:
        stack.enter_context(ends_children_on_sigterm())
        launcher = _Launcher(stack) if measured else None
        child = start(
            launcher.wrap(command) if launcher else command,
            cwd=cwd,
            environment=environment,
            has_input=input is not None,
            pass_fds=launcher.fds if launcher else (),
        )
        outputs = (Output(output_limit), Output(output_limit))
        try:
            timed_out = pump(child, outputs, input or b"", child.started + timeout)
        finally:
            child.close()
        if _stopping:
            raise WorkError(msg("{program} was stopped before it ended", program=command[0]))
        finished = child.finished(outputs, timed_out=timed_out)
        return launcher.corrected(finished, command) if launcher else finished


def stop_all() -> None:
    """End every live child's group, in whatever thread it was started, and start no other.

    For signal handlers: it takes no lock that the interrupted code could hold.
    """
    global _stopping
    _stopping = True
    with _lock:
        children = tuple(_live)
    for child in children:
        child.signal(signal.SIGTERM)
    until = time.perf_counter() + GRACE_S
    for child in children:
        child.stop(until - time.perf_counter())


@contextlib.contextmanager
def ends_children_on_sigterm() -> Iterator[None]:
    """While this is open, SIGTERM ends all children and leaves with 143.

    Without it SIGTERM would end us at once and leave them. It changes nothing in a thread, or
    where the program handles SIGTERM already: such a handler calls `stop_all` itself.
    """
    here = threading.current_thread() is threading.main_thread()
    if not here or signal.getsignal(signal.SIGTERM) != signal.SIG_DFL:
        yield
        return
    signal.signal(signal.SIGTERM, _terminated)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)


def _terminated(number: int, frame: FrameType | None) -> None:
    if not _stopping:  # a second signal must not cut the cleaning short
        stop_all()
        raise SystemExit(128 + number)


_stopping = False  # set once, never taken back
_lock = threading.RLock()  # re-entrant: the signal handler runs in whatever holds it
_live: set["Child"] = set()


class Child:
    """A started process, its group, and a thread that waits for it and takes its figures."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self.started = time.perf_counter()
        self.process = process
        self.ended = threading.Event()
        self.wake, self._wake_write = os.pipe()
        self._seconds = 0.0
        self._gone = False  # from then on the group's number may be somebody else's
        self._usage: struct_rusage | None = None
        self._waiter = threading.Thread(target=self._wait, daemon=True)
        self._waiter.start()

    def _wait(self) -> None:
        try:
            _, status, self._usage = os.wait4(self.process.pid, 0)
            self.process.returncode = os.waitstatus_to_exitcode(status)
        except ChildProcessError:  # SIGCHLD is ignored here: the kernel took the status
            self.process.returncode = 255
        self._seconds = time.perf_counter() - self.started
        self.ended.set()
        os.write(self._wake_write, b"x")

    def finished(self, outputs: Sequence["Output"], *, timed_out: bool) -> Finished:
        """What is known of the child once it ended."""
        usage = self._usage
        return Finished(
            code=-signal.SIGKILL if self.process.returncode is None else self.process.returncode,
            stdout=outputs[0].text(),
            stderr=outputs[1].text(),
            seconds=self._seconds,
            cpu_s=usage.ru_utime + usage.ru_stime if usage else 0.0,
            peak_bytes=usage.ru_maxrss * _RSS_UNIT if usage else 0,
            timed_out=timed_out,
        )

    def signal(self, number: int) -> bool:
        """Send a signal to the group (0 only asks). False when nobody is left to get it."""
        if self._gone:
            return False
        try:
            os.killpg(self.process.pid, number)
        except (ProcessLookupError, PermissionError):  # macOS: EPERM when only zombies are left
            return False
        return True

    def stop(self, grace: float = GRACE_S) -> None:
        """End the whole group: politely, and after `grace` seconds without asking."""
        until = time.perf_counter() + grace
        self.signal(signal.SIGTERM)
        while not self._gone and time.perf_counter() < until:
            self._gone = self.ended.is_set() and not self.signal(0)
            time.sleep(0 if self._gone else 0.01)
        self.signal(signal.SIGKILL)
        until = time.perf_counter() + GRACE_S  # what hangs in the kernel is left behind
        while not self._gone and time.perf_counter() < until:
            self._gone = self.ended.is_set()
            time.sleep(0 if self._gone else 0.01)

    def close(self) -> None:
        """End the group and give back what it held. An interrupt here ends it at once."""
        try:
            self.stop()
        except BaseException:
            self.signal(signal.SIGKILL)
            raise
        finally:
            with _lock:
                _live.discard(self)
            for stream in (self.process.stdin, self.process.stdout, self.process.stderr):
                if stream:
                    with contextlib.suppress(OSError):
                        stream.close()
        if self.ended.is_set():
            self._waiter.join(GRACE_S)
            os.close(self.wake)
            os.close(self._wake_write)


def start(
    command: Sequence[str],
    *,
    cwd: Path,
    environment: Mapping[str, str] | None,
    has_input: bool = False,
    pass_fds: tuple[int, ...] = (),
) -> Child:
    """Start `command` as `run` does, and leave reading (`pump`) and `close` to the caller."""
    with _lock:
        if _stopping:
            raise WorkError(msg("{program} was not started: we are stopping", program=command[0]))
        try:
            process = subprocess.Popen(
                list(command),
                cwd=cwd,
                env=None if environment is None else dict(environment),
                stdin=subprocess.PIPE if has_input else subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                start_new_session=True,
                pass_fds=pass_fds,
                bufsize=0,
            )
        except (OSError, ValueError) as error:
            raise _not_started(command[0], cwd, error) from error
        child = Child(process)
        _live.add(child)
        return child


def _not_started(program: str, cwd: Path, error: OSError | ValueError) -> WorkError:
    if isinstance(error, FileNotFoundError) and not cwd.is_dir():
        return WorkError(msg("the folder {folder} does not exist", folder=str(cwd)))
    if isinstance(error, FileNotFoundError):
        return WorkError(
            msg("the program {program} was not found", program=program),
            hint=msg("install it, or write its path in the command; no shell reads the command"),
        )
    why = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return WorkError(
        msg("{program} could not be started: {why}", program=program, why=why),
        hint=msg("a script needs the right to be executed and a #! line"),
    )


def pump(child: Child, outputs: Sequence["Output"], data: bytes, deadline: float) -> bool:
    """Feed and read the child until all is read; True when its time was up first."""
    process = child.process
    with selectors.DefaultSelector() as selector:
        selector.register(child.wake, selectors.EVENT_READ)
        for stream, output in zip((process.stdout, process.stderr), outputs, strict=True):
            assert stream is not None
            selector.register(stream, selectors.EVENT_READ, output)
        feed = _Feed(process, data)
        if process.stdin:
            selector.register(process.stdin, selectors.EVENT_WRITE, feed)
        timed_out = False
        drain_until = float("inf")
        while (now := time.perf_counter()) < drain_until and len(selector.get_map()) > 1:
            ended = child.ended.is_set()
            if drain_until == float("inf") and (ended or now >= deadline or _stopping):
                timed_out = not ended and now >= deadline
                child.stop()
                drain_until = time.perf_counter() + DRAIN_S
            until = min(deadline if not timed_out else drain_until, drain_until)
            for key, _ in selector.select(min(max(until - now, 0), _TICK_S)):
                if key.data is None:  # the wake-up call, once
                    os.read(child.wake, 1)
                elif not key.data.step(key.fd):
                    selector.unregister(key.fileobj)
                    if key.data is feed and process.stdin:
                        process.stdin.close()
        return timed_out or _wait_for_end(child, deadline)


def _wait_for_end(child: Child, deadline: float) -> bool:
    """A child may close its pipes and live on; True when its time was up."""
    while not child.ended.wait(min(_TICK_S, max(deadline - time.perf_counter(), 0))):
        if _stopping or time.perf_counter() >= deadline:
            return not _stopping
    return False


class _Feed:
    """Writes the child's standard input as fast as the child reads it."""

    def __init__(self, process: subprocess.Popen[bytes], data: bytes) -> None:
        self._rest = memoryview(data)
        if process.stdin:
            os.set_blocking(process.stdin.fileno(), False)

    def step(self, fd: int) -> bool:
        """Write what fits; False when nothing is left."""
        try:
            self._rest = self._rest[os.write(fd, self._rest[:65536]) :]
        except BlockingIOError:
            return True
        except BrokenPipeError:  # the child does not want the rest
            return False
        return bool(self._rest)


class Output:
    """The beginning and the end of a stream; what is between is counted and dropped."""

    def __init__(self, limit: int) -> None:
        self._half = max(limit // 2, 1)
        self._head = bytearray()
        self._tail = bytearray()
        self._dropped = 0

    def step(self, fd: int) -> bool:
        """Take what can be read now; False at the end."""
        data = os.read(fd, 65536)
        room = self._half - len(self._head)  # never under 0
        self._head += data[:room]
        self._tail += data[room:]
        if len(self._tail) > 2 * self._half + 65536:
            self._trim()
        return bool(data)

    def _trim(self) -> None:
        excess = max(len(self._tail) - self._half, 0)
        self._dropped += excess
        del self._tail[:excess]

    def text(self) -> str:
        """What was kept, as text, with a note where something is missing."""
        self._trim()
        note = b"\n[%d bytes left out]\n" % self._dropped if self._dropped else b""
        return (self._head + note + self._tail).decode("utf-8", "replace")


class _Launcher:
    """The launcher's way of telling what it measured."""

    def __init__(self, stack: contextlib.ExitStack) -> None:
        self._read, self._write = os.pipe()
        os.set_blocking(self._read, False)
        stack.callback(os.close, self._read)
        stack.callback(os.close, self._write)
        self.fds = (self._write,)

    def wrap(self, command: Sequence[str]) -> list[str]:
        """`command` as the launcher takes it."""
        return [sys.executable, "-I", "-S", str(_LAUNCHER), str(self._write), *command]

    def corrected(self, finished: Finished, command: Sequence[str]) -> Finished:
        """The launcher's figures in the place of those that include our size."""
        try:
            words = os.read(self._read, 200).split()
        except BlockingIOError:  # the launcher was ended before it could tell
            return finished
        if words[0] == b"errno":
            error = OSError(int(words[1]), os.strerror(int(words[1])))
            raise _not_started(command[0], Path(), error) from error
        code, wall, cpu, peak = map(int, words)
        return replace(
            finished,
            code=code,
            seconds=wall / 1e9,
            cpu_s=cpu / 1e9,
            peak_bytes=peak * _RSS_UNIT,
        )
