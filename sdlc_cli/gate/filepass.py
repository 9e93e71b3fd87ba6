"""Every file once, before all file engines at once: read, parse, look, forget; in processes
where they pay."""

import gc
import os
import sys
import time
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from sdlc_cli.core.finding import Finding, fingerprint
from sdlc_cli.core.i18n import msg
from sdlc_cli.gate import cache as caches
from sdlc_cli.gate import engines, source, stamps
from sdlc_cli.gate.cache import Cache, Key
from sdlc_cli.gate.config import Gate
from sdlc_cli.gate.model import Outcome, SkippedFile
from sdlc_cli.gate.source import Project, Unit

if TYPE_CHECKING:
    from concurrent.futures import ProcessPoolExecutor

BATCH_BYTES = 250_000  # about a second of work at most, so that progress moves
WORKERS_PAY_FROM = 1_000_000  # bytes of source; starting a process costs about 30 ms


Work = tuple[str, tuple[str, ...]]  # a path, and the gates that are to look at it


# Structs, not dataclasses: a run over unchanged files makes several for each, and little else.
class Seen(Struct, frozen=True, kw_only=True):
    """One file as one engine saw it, in how many seconds. `crash` tells of a bug in the engine."""

    gate: str
    outcome: Outcome
    seconds: float
    crash: str = ""


class Inspected(Struct, frozen=True, kw_only=True):
    """One file as all file engines saw it; an engine that does not judge it is left out."""

    path: str
    lines: int = 0
    seen: tuple[Seen, ...] = ()
    skipped: SkippedFile | None = None


class Inspector:
    """The file engines of one run, ready to look. Made once in each process."""

    def __init__(self, project: Project, gates: Mapping[str, Gate]) -> None:
        self.project = project
        self.gates = gates
        self.modules = {name: engines.load(name) for name in gates}
        self.states = {
            name: module.prepare(project, gates[name]) for name, module in self.modules.items()
        }

    def inspect(self, path: str, names: Sequence[str]) -> Inspected:
        """Look at one file with the engines called `names`."""
        unit = source.read(self.project, path)
        if isinstance(unit, SkippedFile):
            return Inspected(path=path, skipped=unit)
        seen = tuple(one for name in names if (one := self._ask(name, unit)) is not None)
        return Inspected(path=path, lines=_lines(unit), seen=seen)

    def _ask(self, name: str, unit: Unit) -> Seen | None:
        started = time.perf_counter()
        try:
            outcome = self.modules[name].inspect(self.states[name], unit)
        except Exception as error:  # noqa: BLE001 - one engine's bug must not hide the others
            crash = _describe(error)
            return Seen(gate=name, outcome=Outcome(skipped=crash), seconds=0, crash=crash)
        if outcome is None:
            return None
        findings = tuple(identify(finding, unit) for finding in outcome.findings)
        numbers = {
            key: +number for key, number in outcome.numbers.items()
        }  # no bool, as JSON has it
        seconds = time.perf_counter() - started
        outcome = replace(outcome, findings=findings, numbers=numbers)
        return Seen(gate=name, outcome=outcome, seconds=seconds)


def _describe(error: Exception) -> str:
    """The error and the place in our code that raised it: enough for a bug report."""
    import traceback

    frames = traceback.extract_tb(error.__traceback__)
    place = f" ({Path(frames[-1].filename).name}:{frames[-1].lineno})" if frames else ""
    return f"{type(error).__name__}: {error}{place}"


def identify(finding: Finding, unit: Unit | None) -> Finding:
    """`finding` with its fingerprint: by its context, else the text of its line."""
    context = finding.context
    if not context and unit is not None and 0 < finding.location.line <= len(unit.lines):
        context = unit.lines[finding.location.line - 1]
    mark = fingerprint(finding.rule, context or finding.message)
    return replace(finding, fingerprint=mark)


def inspect_files(
    project: Project,
    gates: Mapping[str, Gate],
    *,
    jobs: int,
    cache: Cache | None = None,
    advance: Callable[[int], None] = lambda files: None,
) -> list[Inspected]:
    """Look at all files; the result is sorted by path whatever the number of `jobs`.

    What `cache` knows is not looked at again. `advance` is told how many more files are done. A
    file that kills its process is skipped with that reason and costs no other file anything.
    """
    with _quiet_heap():
        memory = _Memory(project, gates, cache)
    advance(len(project.files) - len(memory.left))
    batches = list(_batches(project, memory.left))
    total = sum(size for size, _ in batches)
    seen: list[Inspected] = []
    if batches and (jobs <= 1 or total < WORKERS_PAY_FROM or len(batches) < 2):
        seen = _alone(Inspector(project, gates), batches, advance)
    elif batches:
        seen = _together(Inspector(project, gates), batches, min(jobs, len(batches)), advance)
    return sorted(memory.complete(seen), key=lambda one: one.path)


class _Memory:
    """What the cache knows of the project's files; `left` are the files still to be looked at."""

    def __init__(self, project: Project, gates: Mapping[str, Gate], cache: Cache | None) -> None:
        self._cache = cache
        self._new: dict[str, Key] = {}  # by path: what is to be kept
        self._known: dict[str, Inspected] = {}
        # What never lies in the cache is asked about every file.
        self._always = tuple(name for name in gates if name in caches.NEVER)
        self._kept = {name: gate for name, gate in gates.items() if name not in caches.NEVER}
        if cache is not None and self._kept:
            self._recall(project, cache)
        self.left: list[Work] = [
            (path, names)
            for path in project.files
            if (names := self._always if path in self._known else tuple(gates))
        ]

    def _recall(self, project: Project, cache: Cache) -> None:
        salt = caches.salt(project, self._kept)
        digests = stamps.digests(project, cache)
        keys = {path: caches.key(salt, path, digest) for path, digest in digests.items()}
        found = cache.find(list(keys.values()))
        for path, key in keys.items():
            results = found.get(key)
            if results is None:
                self._new[path] = key
                continue
            seen = tuple(
                [Seen(gate=name, outcome=one, seconds=0.0) for name, one in results.seen.items()]
            )
            self._known[path] = Inspected(path=path, lines=results.lines, seen=seen)

    def complete(self, seen: Sequence[Inspected]) -> list[Inspected]:
        """What was seen now with what was known before; keeps what is new."""
        if self._cache is not None:
            self._cache.keep(
                (self._new[one.path], self._results(one))
                for one in seen
                if one.path in self._new and not one.skipped and not any(s.crash for s in one.seen)
            )
        fresh = {one.path: one for one in seen}
        both = [_joined(known, fresh.pop(path, None)) for path, known in self._known.items()]
        return [*both, *fresh.values()]

    def _results(self, one: Inspected) -> caches.Results:
        seen = {s.gate: s.outcome for s in one.seen if s.gate in self._kept}
        return caches.Results(lines=one.lines, seen=seen)


def _joined(known: Inspected, fresh: Inspected | None) -> Inspected:
    if fresh is None or fresh.skipped:
        return fresh or known
    return Inspected(path=known.path, lines=known.lines, seen=(*known.seen, *fresh.seen))


def _lines(unit: Unit) -> int:
    return 0 if unit.kind == "binary" else unit.line_count


def _batches(project: Project, left: Sequence[Work]) -> Iterator[tuple[int, list[Work]]]:
    size, batch = 0, []
    for path, names in left:
        with suppress(OSError):  # it vanished; reading it will say so
            size += os.lstat(project.root / path).st_size
        batch.append((path, names))
        if size >= BATCH_BYTES:
            yield size, batch
            size, batch = 0, []
    if batch:
        yield size, batch


def _alone(
    inspector: Inspector,
    batches: Sequence[tuple[int, list[Work]]],
    advance: Callable[[int], None],
) -> list[Inspected]:
    seen: list[Inspected] = []
    with _quiet_heap():
        for _size, batch in batches:
            seen += _look(inspector, batch)
            advance(len(batch))
    return seen


def _look(inspector: Inspector, batch: Sequence[Work]) -> list[Inspected]:
    seen = [inspector.inspect(path, names) for path, names in batch]
    gc.collect()
    return seen


@contextmanager
def _quiet_heap() -> Iterator[None]:
    """No garbage collection but ours, and no warnings about the code that we read."""
    enabled = gc.isenabled()
    gc.disable()
    gc.freeze()  # what is loaded stays: our collections look only at what the files leave behind
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        gc.unfreeze()
        if enabled:
            gc.enable()


_inspector: Inspector | None = None  # of a worker process; the parent never sets it


def _start(project: Project, gates: Mapping[str, Gate], ready: Inspector | None) -> None:
    global _inspector
    gc.disable()
    gc.freeze()
    warnings.simplefilter("ignore")
    _inspector = ready or Inspector(project, gates)


def _work(batch: Sequence[Work]) -> list[Inspected]:
    if _inspector is None:
        raise RuntimeError("the pool's initializer did not run")
    return _look(_inspector, batch)


def _together(
    inspector: Inspector,
    batches: Sequence[tuple[int, list[Work]]],
    jobs: int,
    advance: Callable[[int], None],
) -> list[Inspected]:
    from concurrent.futures import as_completed
    from concurrent.futures.process import BrokenProcessPool

    seen: list[Inspected] = []
    left = {index: batch for index, (_size, batch) in enumerate(batches)}
    try:
        with _pool(inspector, jobs) as pool:
            futures = {pool.submit(_work, batch): index for index, batch in left.items()}
            for future in as_completed(futures):
                seen += future.result()
                advance(len(left.pop(futures[future])))
    except BrokenProcessPool:
        for batch in left.values():
            for work in batch:
                seen.append(_apart(inspector, work))
                advance(1)
    return seen


def _apart(inspector: Inspector, work: Work) -> Inspected:
    """One file in a process of its own, after some file killed a worker."""
    from concurrent.futures.process import BrokenProcessPool

    try:
        with _pool(inspector, 1) as pool:
            return pool.submit(_work, [work]).result()[0]
    except BrokenProcessPool:
        reason = msg("the process that looked at it died")
        path, _names = work
        return Inspected(path=path, skipped=SkippedFile(path=path, reason=reason))


def _pool(inspector: Inspector, jobs: int) -> "ProcessPoolExecutor":
    import multiprocessing
    from concurrent.futures import ProcessPoolExecutor

    # Forked workers share imports and the inspector. macOS libraries do not survive a fork.
    forks = sys.platform == "linux"
    return ProcessPoolExecutor(
        jobs,
        mp_context=multiprocessing.get_context("fork" if forks else "spawn"),
        initializer=_start,
        initargs=(inspector.project, inspector.gates, inspector if forks else None),
    )
