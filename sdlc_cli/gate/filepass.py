"""Every file once, before all file engines at once: read, parse, look, forget; in processes
where they pay."""

import gc
import multiprocessing
import os
import sys
import time
import traceback
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

from sdlc_cli.core.finding import Finding, fingerprint
from sdlc_cli.core.i18n import msg
from sdlc_cli.gate import engines, source
from sdlc_cli.gate.config import Gate
from sdlc_cli.gate.model import Outcome, SkippedFile
from sdlc_cli.gate.source import Project, Unit

BATCH_BYTES = 250_000  # about a second of work at most, so that progress moves
WORKERS_PAY_FROM = 1_000_000  # bytes of source; starting a process costs about 30 ms
COLLECT_EVERY = 300_000  # bytes of source between garbage collections: parent links make
# every syntax tree a cycle, and collecting by allocation count costs a fifth of the run


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """One file as one engine saw it, in how many seconds. `crash` tells of a bug in the engine."""

    gate: str
    outcome: Outcome
    seconds: float
    crash: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Inspected:
    """One file as all file engines saw it; an engine that does not judge it is left out."""

    path: str
    lines: int = 0
    seen: tuple[Seen, ...] = ()
    skipped: SkippedFile | None = None


class Inspector:
    """The file engines of one run, ready to look. Made once in each process."""

    def __init__(self, project: Project, gates: Mapping[str, Gate]) -> None:
        self.project = project
        self.modules = {name: engines.load(name) for name in gates}
        self.states = {
            name: module.prepare(project, gates[name]) for name, module in self.modules.items()
        }

    def inspect(self, path: str) -> Inspected:
        """Look at one file with every engine."""
        unit = source.read(self.project, path)
        if isinstance(unit, SkippedFile):
            return Inspected(path=path, skipped=unit)
        seen = tuple(one for name in self.modules if (one := self._ask(name, unit)) is not None)
        lines = 0 if unit.kind == "binary" else unit.line_count
        return Inspected(path=path, lines=lines, seen=seen)

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
        seconds = time.perf_counter() - started
        return Seen(gate=name, outcome=replace(outcome, findings=findings), seconds=seconds)


def _describe(error: Exception) -> str:
    """The error and the place in our code that raised it: enough for a bug report."""
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
    advance: Callable[[int], None] = lambda files: None,
) -> list[Inspected]:
    """Look at all files; the result is sorted by path whatever the number of `jobs`.

    `advance` is told how many more files are done. A file that kills its process is skipped
    with that reason and costs no other file anything.
    """
    batches = list(_batches(project))
    total = sum(size for size, _ in batches)
    if jobs <= 1 or total < WORKERS_PAY_FROM or len(batches) < 2:
        seen = _alone(project, gates, batches, advance)
    else:
        seen = _together(project, gates, batches, min(jobs, len(batches)), advance)
    return sorted(seen, key=lambda one: one.path)


def _batches(project: Project) -> Iterator[tuple[int, list[str]]]:
    size, batch = 0, []
    for path in project.files:
        with suppress(OSError):  # it vanished; reading it will say so
            size += os.lstat(project.root / path).st_size
        batch.append(path)
        if size >= BATCH_BYTES:
            yield size, batch
            size, batch = 0, []
    if batch:
        yield size, batch


def _alone(
    project: Project,
    gates: Mapping[str, Gate],
    batches: Sequence[tuple[int, list[str]]],
    advance: Callable[[int], None],
) -> list[Inspected]:
    inspector = Inspector(project, gates)
    seen: list[Inspected] = []
    with _quiet_heap():
        for _size, batch in batches:
            seen += _look(inspector, batch)
            advance(len(batch))
    return seen


def _look(inspector: Inspector, batch: Sequence[str]) -> list[Inspected]:
    seen = [inspector.inspect(path) for path in batch]
    gc.collect()
    return seen


@contextmanager
def _quiet_heap() -> Iterator[None]:
    """No garbage collection but ours, and no warnings about the code that we read."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        if enabled:
            gc.enable()


_inspector: Inspector | None = None  # of a worker process; the parent never sets it


def _start(project: Project, gates: Mapping[str, Gate], ready: Inspector | None) -> None:
    global _inspector
    gc.disable()
    warnings.simplefilter("ignore")
    _inspector = ready or Inspector(project, gates)


def _work(batch: Sequence[str]) -> list[Inspected]:
    if _inspector is None:
        raise RuntimeError("the pool's initializer did not run")
    return _look(_inspector, batch)


def _together(
    project: Project,
    gates: Mapping[str, Gate],
    batches: Sequence[tuple[int, list[str]]],
    jobs: int,
    advance: Callable[[int], None],
) -> list[Inspected]:
    seen: list[Inspected] = []
    left = {index: batch for index, (_size, batch) in enumerate(batches)}
    inspector = Inspector(project, gates)  # here first: a wrong option is said once, and early
    try:
        with _pool(inspector, gates, jobs) as pool:
            futures = {pool.submit(_work, batch): index for index, batch in left.items()}
            for future in as_completed(futures):
                seen += future.result()
                advance(len(left.pop(futures[future])))
    except BrokenProcessPool:
        for batch in left.values():
            for path in batch:
                seen.append(_apart(inspector, gates, path))
                advance(1)
    return seen


def _apart(inspector: Inspector, gates: Mapping[str, Gate], path: str) -> Inspected:
    """One file in a process of its own, after some file killed a worker."""
    try:
        with _pool(inspector, gates, 1) as pool:
            return pool.submit(_work, [path]).result()[0]
    except BrokenProcessPool:
        reason = msg("the process that looked at it died")
        return Inspected(path=path, skipped=SkippedFile(path=path, reason=reason))


def _pool(inspector: Inspector, gates: Mapping[str, Gate], jobs: int) -> ProcessPoolExecutor:
    # Forked workers share imports and the inspector. macOS libraries do not survive a fork.
    forks = sys.platform == "linux"
    return ProcessPoolExecutor(
        jobs,
        mp_context=multiprocessing.get_context("fork" if forks else "spawn"),
        initializer=_start,
        initargs=(inspector.project, gates, inspector if forks else None),
    )
