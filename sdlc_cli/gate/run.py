"""Choose engines, run them, collect: from a project and its configuration to a GateReport."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from sdlc_cli.core.errors import NothingToDo, SdlcError
from sdlc_cli.core.finding import Finding
from sdlc_cli.core.i18n import msg
from sdlc_cli.gate import cache as caches
from sdlc_cli.gate import engines, score, source
from sdlc_cli.gate.cache import Cache
from sdlc_cli.gate.config import BUILT_IN, CommandGate, Gate, GateConfig
from sdlc_cli.gate.filepass import Inspected, identify, inspect_files
from sdlc_cli.gate.model import GateReport, Measurement, SkippedFile
from sdlc_cli.gate.score import Measured
from sdlc_cli.gate.source import Project, Unit

# Coverage reads what the integration tests wrote; performance and load want the machine for
# themselves.
LATER = {"coverage": 1, "performance": 2, "load": 2}


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """What the user asked of this run.

    `only` names the gates to run, empty for all; `skip` those to leave out; `require` those
    whose skip is an error; `generation` 0 means the configured one. Without `cache` every file
    is looked at anew.
    """

    only: tuple[str, ...] = ()
    skip: tuple[str, ...] = ()
    require: tuple[str, ...] = ()
    generation: int = 0
    jobs: int = 1
    cache: bool = True


class Progress(Protocol):
    """Told what happens while it happens."""

    def begin(self, label: str, total: int = 0) -> None:
        """Work on `label` begins, of `total` steps; 0 when nobody knows how many."""
        ...

    def step(self, done: int = 1) -> None:
        """So many more steps are done."""
        ...


class _Silence:
    """Progress for nobody."""

    def begin(self, label: str, total: int = 0) -> None:
        """Say nothing."""

    def step(self, done: int = 1) -> None:
        """Say nothing."""


def run(
    scope: Path,
    config: GateConfig,
    selection: Selection,
    *,
    root: Path,
    progress: Progress | None = None,
) -> GateReport:
    """Judge the files in `scope`. Paths in findings are relative to `root`.

    Raises NothingToDo when there is no file to judge, ConfigError for a gate that is not there.
    """
    progress = progress or _Silence()
    config = asked_for(config, selection)
    project = source.open_project(
        root=root,
        base=config.root,
        scope=scope,
        paths=config.paths,
        exclude=config.exclude,
        configured=config.file is not None,
    )
    if not project.files and not project.skipped_files:
        raise NothingToDo(
            msg("no file to judge under {path}", path=str(scope)),
            hint=msg("check the path, and 'paths' and 'exclude' in gates.yaml"),
        )
    gates = choose(config, selection)
    left_out = {
        name: Measured(measurement=Measurement(outcome="skipped", reason=msg("left out by --skip")))
        for name in config.gates
        if name in selection.skip
    }
    seen, measured = _measure(project, gates, selection, progress)
    judged = [one for one in seen if one.seen]
    ordered = {
        name: (measured | left_out)[name]
        for name in config.gates
        if name in measured or name in left_out
    }
    return score.judge(
        ordered,
        config,
        selection.generation or config.generation,
        require=selection.require,
        scope=selection.only or None,
        files=len(judged),
        lines=sum(one.lines for one in judged),
        skipped_files=[*project.skipped_files, *(one.skipped for one in seen if one.skipped)],
    )


def asked_for(config: GateConfig, selection: Selection) -> GateConfig:
    """`config` with the built-in gates that `only` names set up, where they are not."""
    missing = [n for n in selection.only if n in BUILT_IN and n not in config.gates]
    if not missing:
        return config
    return replace(config, gates={**config.gates, **{name: BUILT_IN[name]() for name in missing}})


def choose(config: GateConfig, selection: Selection) -> Mapping[str, Gate]:
    """The gates to run, by name."""
    names = [n for n in config.gates if not selection.only or n in selection.only]
    return {name: config.gates[name] for name in names if name not in selection.skip}


def _measure(
    project: Project, gates: Mapping[str, Gate], selection: Selection, progress: Progress
) -> tuple[Sequence[Inspected], dict[str, Measured]]:
    by_file = {name: gate for name, gate in gates.items() if name in engines.FILE_ENGINES}
    seen: Sequence[Inspected] = ()
    measured: dict[str, Measured] = {}
    if by_file:
        progress.begin(", ".join(by_file), len(project.files))
        cache = Cache(caches.place(), int(time.time()) // 86400) if selection.cache else None
        seen = inspect_files(
            project, by_file, jobs=selection.jobs, cache=cache, advance=progress.step
        )
        for name, gate in by_file.items():
            measured[name] = _conclude(project, name, gate, seen)
    rest = [name for name in gates if name not in by_file]
    for name in sorted(rest, key=lambda name: LATER.get(name, 0)):
        progress.begin(name, 0)
        measured[name] = _check(project, name, gates[name])
    return seen, measured


def _engine(name: str, gate: Gate) -> str:
    return "command" if isinstance(gate, CommandGate) else name


def _conclude(project: Project, name: str, gate: Gate, files: Sequence[Inspected]) -> Measured:
    mine = [(file.path, one) for file in files for one in file.seen if one.gate == name]
    started = time.perf_counter()
    crashes = [(path, one.crash) for path, one in mine if one.crash]
    if crashes:
        path, crash = crashes[0]
        measurement = Measurement(
            outcome="error",
            reason=msg("a bug in sdlc: crashed on {path}: {error}", path=path, error=crash),
        )
    else:
        outcomes = [(path, one.outcome) for path, one in mine]
        measurement = _guard(lambda: engines.load(name).conclude(project, gate, outcomes))
    seconds = sum(one.seconds for _path, one in mine) + time.perf_counter() - started
    return Measured(measurement=measurement, duration_s=seconds)


def _check(project: Project, name: str, gate: Gate) -> Measured:
    started = time.perf_counter()
    engine = engines.load(_engine(name, gate))
    measurement = _guard(lambda: engine.check(project, name, gate))
    findings = tuple(_placed(project, finding) for finding in measurement.findings)
    return Measured(
        measurement=replace(measurement, findings=findings),
        duration_s=time.perf_counter() - started,
    )


def _guard(measure: Callable[[], Measurement]) -> Measurement:
    """What `measure` says; a gate that could not do its work is an error, not a traceback."""
    try:
        return measure()
    except SdlcError as error:
        reason = error.message
        if error.hint:
            reason = msg("{problem}; try: {hint}", problem=reason, hint=error.hint)
        return Measurement(outcome="error", reason=reason)


def _placed(project: Project, finding: Finding) -> Finding:
    if finding.fingerprint:
        return finding
    unit: Unit | SkippedFile | None = None
    if finding.location.line and not finding.context:
        unit = source.read(project, finding.location.path)
    return identify(finding, unit if isinstance(unit, Unit) else None)
