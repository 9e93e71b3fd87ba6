"""The one writer: what several requests brought goes into one commit, and then each is answered.

Nothing is acknowledged from memory. A request waits until the commit that holds its calls has
returned from the disk; while one commit runs, the next requests gather for the one after it.
"""

import asyncio
import sqlite3
import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sdlc_cli.cost.model import Told
from sdlc_cli.cost.readers.pairs import Pairs
from sdlc_cli.cost.store.ledger import Ledger, Mark, Tally
from sdlc_cli.serve.checkpoint import Checkpoints

MOST_ROWS = 8_000  # in a commit
MOST_WAITING = 24_000  # rows that wait for a commit; more are sent away for a moment
_PROBE_S = 1.0  # between two looks whether a disk that was full takes anything again
_FORGET_EVERY = 2_000  # commits
_SEEDED = 20_000  # spans that are remembered from before a start, which waits for them
_REQUESTS_KEPT_S = 86_400  # how long a key of a request is known


class Unavailable(Exception):
    """The store takes nothing at the moment; nothing was added. `reason` is for the log."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Refused(Exception):
    """The store will never take this."""


class Conflict(Exception):
    """The key of the request was used for another one."""


@dataclass(slots=True)
class Job:
    """What one request brought, and who waits for it."""

    told: Sequence[Told]
    done: "asyncio.Future[Answer]"
    mark: Mark | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """How it ended: `replayed` is what was answered to the same request before."""

    tally: Tally
    replayed: bytes | None = None


@dataclass(slots=True)
class Counters:
    """What went through, for the metrics."""

    commits: int = 0
    rows: int = 0
    added: int = 0
    duplicates: int = 0
    failures: int = 0
    seconds: float = 0.0


class Writer(threading.Thread):
    """Owns the ledger. `submit` from the event loop; the answers come there, too."""

    def __init__(
        self,
        open_ledger: Callable[[], Ledger],
        loop: asyncio.AbstractEventLoop,
        committed: Callable[[Tally], None],
    ) -> None:
        super().__init__(name="sdlc-writer", daemon=True)
        self._open = open_ledger
        self._loop = loop
        self._committed = committed
        self._jobs: deque[Job] = deque()
        self._tasks: deque[tuple[Callable[[Ledger], object], asyncio.Future[object]]] = deque()
        self._wake = threading.Condition()
        self._stopping = False
        self._pairs = Pairs()
        self.waiting = 0  # rows
        self.failure = "starting"  # why nothing can be written; "" when all is well
        self.started: asyncio.Future[None] = loop.create_future()
        self.counters = Counters()

    def submit(self, told: Sequence[Told], mark: Mark | None = None) -> "asyncio.Future[Answer]":
        """The answer comes when the disk has the calls. Raises Unavailable when too many wait."""
        if self.waiting and self.waiting + len(told) > MOST_WAITING:
            raise Unavailable("too many calls wait for the disk")
        job = Job(told, self._loop.create_future(), mark)
        with self._wake:
            if self._stopping:
                raise Unavailable("the service is stopping")
            self.waiting += len(told)
            self._jobs.append(job)
            self._wake.notify()
        return job.done

    def ask(self, work: Callable[[Ledger], object]) -> "asyncio.Future[object]":
        """Has the writer do something between two commits."""
        done: asyncio.Future[object] = self._loop.create_future()
        with self._wake:
            self._tasks.append((work, done))
            self._wake.notify()
        return done

    def stop(self) -> None:
        """Commits what waits, then ends. Blocks until it has."""
        with self._wake:
            self._stopping = True
            self._wake.notify()
        self.join()

    def run(self) -> None:
        """The thread's work."""
        try:
            ledger = self._open()
            ledger.share_log()
            self._checkpoints = Checkpoints(ledger.file)
            self._pairs.seed(ledger.recent(_SEEDED))
        except BaseException as error:  # noqa: BLE001 - whoever started the service is told
            self._call(_fail, self.started, error)
            return
        self.failure = ""
        self._checkpoints.start()
        self._call(_done, self.started, None)
        try:
            while self._turn(ledger):
                pass
        finally:
            self._checkpoints.stop()
            ledger.close()

    def _turn(self, ledger: Ledger) -> bool:
        """One commit, or one wait. False when all is done and the service stops."""
        with self._wake:
            if not self._jobs and not self._tasks:
                if self._stopping:
                    return False
                self._wake.wait(_PROBE_S if self.failure else None)
            jobs = self._gathered()
            tasks, self._tasks = self._tasks, deque()
        for work, done in tasks:
            try:
                self._call(_done, done, work(ledger))
            except Exception as error:  # noqa: BLE001 - whoever asked is told
                self._call(_fail, done, error)
        if jobs:
            self._write(ledger, jobs)
        elif self.failure:
            self._probe(ledger)
        return True

    def _gathered(self) -> list[Job]:
        jobs: list[Job] = []
        rows = 0
        while self._jobs and (not jobs or rows + len(self._jobs[0].told) <= MOST_ROWS):
            job = self._jobs.popleft()
            rows += len(job.told)
            jobs.append(job)
        self.waiting -= rows
        return jobs

    def _write(self, ledger: Ledger, jobs: list[Job]) -> None:
        import time

        began = time.perf_counter()
        ends: list[tuple[Job, object]] = []
        try:
            ends = self._committed_all(ledger, jobs)
        except (sqlite3.OperationalError, sqlite3.DatabaseError) as error:
            if not _is_about_the_disk(error):
                ends = [(job, self._alone(ledger, job)) for job in jobs]
            else:
                self._down(error)
                ends = [(job, Unavailable(self.failure)) for job in jobs]
        except Exception:  # noqa: BLE001 - one of them is bad; the others are not to suffer
            ends = [(job, self._alone(ledger, job)) for job in jobs]
        self.counters.seconds += time.perf_counter() - began
        self._call(_settle, ends)
        if self.counters.commits % _FORGET_EVERY == _FORGET_EVERY - 1:
            self._forget(ledger)

    def _committed_all(self, ledger: Ledger, jobs: list[Job]) -> list[tuple[Job, object]]:
        """All jobs in one commit. A key that was used before is answered as then."""
        ends: list[tuple[Job, object]] = []
        fresh: list[Job] = []
        keys: dict[str, Job] = {}
        again: list[tuple[Job, Job]] = []
        for job in jobs:
            if job.mark is None:
                fresh.append(job)
                continue
            before = ledger.answered(job.mark.key)
            if before is not None:
                same = before[0] == job.mark.said
                ends.append((job, Answer(Tally(added=0, duplicates=0), before[1]) if same
                             else Conflict()))  # fmt: skip
            elif job.mark.key in keys:
                again.append((job, keys[job.mark.key]))
            else:
                keys[job.mark.key] = job
                fresh.append(job)
        told = [one for job in fresh for one in job.told]
        tally = Tally(added=0, duplicates=0)
        if fresh:
            if told:
                self._pairs.settle(told)
            tally = ledger.commit(told, [job.mark for job in fresh if job.mark])
            self._up(tally, len(told))
        ends += [(job, Answer(tally)) for job in fresh]
        for job, first in again:
            assert job.mark
            assert first.mark
            same = job.mark.said == first.mark.said
            ends.append((job, Answer(tally, first.mark.answer) if same else Conflict()))
        return ends

    def _alone(self, ledger: Ledger, job: Job) -> object:
        """The end of one job by itself, after it failed together with others."""
        try:
            ((_, end),) = self._committed_all(ledger, [job])
        except sqlite3.DatabaseError as error:
            if _is_about_the_disk(error):
                self._down(error)
                return Unavailable(self.failure)
            return Refused(str(error))
        except Exception as error:  # noqa: BLE001 - whatever it is, it is about this request
            return Refused(f"{type(error).__name__}: {error}")
        return end

    def _up(self, tally: Tally, rows: int) -> None:
        self.failure = ""
        self.counters.commits += 1
        self.counters.rows += rows
        self.counters.added += tally.added
        self.counters.duplicates += tally.duplicates
        self._checkpoints.note(rows)
        self._committed(tally)

    def _down(self, error: sqlite3.Error) -> None:
        self.failure = f"the store cannot be written: {error}"
        self.counters.failures += 1

    def _probe(self, ledger: Ledger) -> None:
        """Whether a disk that was full takes as much again as a commit needs."""
        try:
            with ledger.transaction():
                ledger.remark("probe", "x" * 65_536)
            ledger.remark("probe", "")
        except sqlite3.Error as error:
            self._down(error)
        else:
            self.failure = ""

    def _forget(self, ledger: Ledger) -> None:
        import time

        try:
            ledger.forget(int(time.time()) - _REQUESTS_KEPT_S, _SEEDED)
        except sqlite3.Error as error:
            self._down(error)

    def _call(self, work: Callable[..., None], *given: object) -> None:
        try:
            self._loop.call_soon_threadsafe(work, *given)
        except RuntimeError:  # the loop is closed: nobody waits any more
            return


_DISK = ("full", "disk I/O error", "readonly", "unable to open", "locked", "malformed", "no space")


def _is_about_the_disk(error: sqlite3.Error) -> bool:
    return any(word in str(error) for word in _DISK)


def _done(future: "asyncio.Future[object]", value: object) -> None:
    if not future.done():
        future.set_result(value)


def _fail(future: "asyncio.Future[object]", error: BaseException) -> None:
    if not future.done():
        future.set_exception(error)


def _settle(ends: list[tuple[Job, object]]) -> None:
    for job, end in ends:
        if job.done.done():  # whoever waited is gone
            continue
        if isinstance(end, Exception):
            job.done.set_exception(end)
        else:
            job.done.set_result(end)  # type: ignore[arg-type]
