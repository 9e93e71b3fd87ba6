"""Choose engines, run them, collect: from a project and its configuration to a GateReport."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from sdlc_cli.core.errors import NothingToDo, SdlcError
from sdlc_cli.core.finding import Finding
from sdlc_cli.core.i18n import msg
from sdlc_cli.gate import adjust, engines, score, source
from sdlc_cli.gate import cache as caches
from sdlc_cli.gate.cache import Cache
from sdlc_cli.gate.config import BUILT_IN, CommandGate, Gate, GateConfig
from sdlc_cli.gate.filepass import Inspected, Seen, identify, inspect_files
from sdlc_cli.gate.model import GateReport, Measurement, SkippedFile
from sdlc_cli.gate.score import Measured
from sdlc_cli.gate.source import Project, Unit

# The baseline, the change and the shards load inside the functions that deal with them: together
# they take longer than looking up a thousand unchanged files.
if TYPE_CHECKING:
    from sdlc_cli.gate.baseline_files import Baseline
    from sdlc_cli.gate.changes import Changes
    from sdlc_cli.gate.shard import Origin, Shard, ShardReport

# Coverage reads what the integration tests wrote; performance and load want the machine for
# themselves.
LATER = {"coverage": 1, "performance": 2, "load": 2}


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """What the user asked of this run.

    `only` names the gates to run, empty for all; `skip` those to leave out; `require` those
    whose skip is an error; `generation` 0 means the configured one. `changed_since` is a
    revision or `auto`, empty to judge everything. `baseline` is the folder of what is accepted,
    empty for the usual one, None for no baseline. Without `cache` every file is looked at anew.
    `outputs` are files that this run writes or merges; they are not judged.
    """

    only: tuple[str, ...] = ()
    skip: tuple[str, ...] = ()
    require: tuple[str, ...] = ()
    generation: int = 0
    changed_since: str = ""
    baseline: str | None = ""
    jobs: int = 1
    cache: bool = True
    outputs: tuple[str, ...] = ()


BASELINE = ".sdlc/baseline"  # beside gates.yaml
OURS = (".sdlc/",)  # what we write ourselves is not judged
ON_THIS_MACHINE = ("jobs", "cache", "outputs")  # what of a selection may differ between shards


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

    Raises NothingToDo when there is no file to judge; ConfigError, UsageError and WorkError for
    a baseline or a revision that cannot be used.
    """
    job = _Job(scope, config, selection, root)
    if job.changes is not None and job.changes.empty:
        from sdlc_cli.gate import narrow

        nothing = Measured(measurement=narrow.unchanged(Measurement(), job.changes))
        return job.judge((), dict.fromkeys(job.gates, nothing))
    seen, measured = _measure(job.project, job.gates, selection, progress or _Silence())
    return job.judge(seen, measured)


def run_shard(
    scope: Path,
    config: GateConfig,
    selection: Selection,
    part: "Shard",
    *,
    root: Path,
    progress: Progress | None = None,
) -> "ShardReport":
    """Do one part of a run: its share of the files, and of the gates of the whole project.

    Raises what `run` raises.
    """
    from sdlc_cli.gate import shard

    job = _Job(scope, config, selection, root, sharded=True)
    mine = replace(job.project, files=shard.split_files(job.project, part))
    by_file = {name: gate for name, gate in job.gates.items() if name in engines.FILE_ENGINES}
    rest = shard.split_gates([name for name in job.gates if name not in by_file], part)
    progress = progress or _Silence()
    return shard.ShardReport(
        shard=part,
        origin=job.origin(),
        inspected=tuple(_inspect(mine, by_file, selection, progress)),
        measured=_check_all(job.project, {name: job.gates[name] for name in rest}, progress),
    )


def merge(
    scope: Path,
    config: GateConfig,
    selection: Selection,
    reports: Sequence["ShardReport"],
    *,
    root: Path,
) -> GateReport:
    """The verdict that one run would have given. Needs the checkout that was judged.

    Raises UsageError for shards that are missing, doubled, or not of one run.
    """
    from sdlc_cli.gate import shard

    job = _Job(scope, config, selection, root, sharded=True)
    joined = shard.join(reports, job.origin())
    by_file = {name: gate for name, gate in job.gates.items() if name in engines.FILE_ENGINES}
    measured = _conclude_all(job.project, by_file, joined.inspected)
    return job.judge(joined.inspected, measured | dict(joined.measured))


class _Job:
    """What a run, a shard of it and a merge have in common: what is judged, and by what."""

    def __init__(
        self,
        scope: Path,
        config: GateConfig,
        selection: Selection,
        root: Path,
        *,
        sharded: bool = False,
    ) -> None:
        self.scope = scope
        self.root = root
        self.selection = selection
        self.config = asked_for(config, selection)
        self.gates = choose(self.config, selection)
        self.project = source.open_project(
            root=root,
            base=config.root,
            scope=scope,
            paths=config.paths,
            exclude=(*config.exclude, *OURS),
            configured=config.file is not None,
        )
        if sharded or selection.outputs:
            from sdlc_cli.gate import outputs  # most runs write nothing but to the screen

            self.project = outputs.left_out(self.project, selection.outputs, sharded=sharded)
        if not self.project.files and not self.project.skipped_files:
            raise NothingToDo(
                msg("no file to judge under {path}", path=str(scope)),
                hint=msg("check the path, and 'paths' and 'exclude' in gates.yaml"),
            )
        self.changes = self._changes()
        self.baseline = self._baseline()

    def _changes(self) -> "Changes | None":
        if not self.selection.changed_since:
            return None
        from sdlc_cli.gate import changes

        return changes.changes(self.root, self.selection.changed_since)

    def _baseline(self) -> "Baseline | None":
        named = self.selection.baseline
        folder = Path(named) if named else self.config.root / BASELINE
        if named is None or not folder.is_dir():
            return None
        from sdlc_cli.gate import baseline_files

        return baseline_files.load(folder)

    def origin(self) -> "Origin":
        """What all shards of this run agree on."""
        from sdlc_cli.gate import shard

        wishes = {k: v for k, v in asdict(self.selection).items() if k not in ON_THIS_MACHINE}
        return shard.origin(self.project, self.config.file, self.scope, wishes)

    def judge(self, seen: Sequence[Inspected], measured: Mapping[str, Measured]) -> GateReport:
        """The verdict on what was seen and measured."""
        left_out = Measured(
            measurement=Measurement(outcome="skipped", reason=msg("left out by --skip"))
        )
        adjusted = adjust.adjust(
            self.project,
            self.config,
            self.gates,
            seen,
            measured,
            today=datetime.now(UTC).date(),
            changes=self.changes,
            baseline=self.baseline,
            complete=self.scope.resolve() in (self.root.resolve(), self.config.root.resolve()),
        )
        judged = [one for one in seen if one.seen]
        if judged and not any(one.lines for one in judged):
            raise NothingToDo(msg("all files under {path} are empty", path=str(self.scope)))
        skipped = [one.skipped for one in seen if one.skipped]
        return score.judge(
            {
                name: adjusted.get(name, left_out)
                for name in self.config.gates
                if name in adjusted or name in self.selection.skip
            },
            self.config,
            self.selection.generation or self.config.generation,
            require=self.selection.require,
            scope=self.selection.only or None,
            files=len(judged),
            lines=sum(one.lines for one in judged),
            skipped_files=[*self.project.skipped_files, *skipped],
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
    rest = {name: gate for name, gate in gates.items() if name not in by_file}
    seen = _inspect(project, by_file, selection, progress)
    measured = _conclude_all(project, by_file, seen)
    return seen, measured | _check_all(project, rest, progress)


def _inspect(
    project: Project, gates: Mapping[str, Gate], selection: Selection, progress: Progress
) -> Sequence[Inspected]:
    if not gates:
        return ()
    progress.begin(", ".join(gates), len(project.files))
    cache = Cache(caches.place(), int(time.time()) // 86400) if selection.cache else None
    return inspect_files(project, gates, jobs=selection.jobs, cache=cache, advance=progress.step)


def _conclude_all(
    project: Project, gates: Mapping[str, Gate], files: Sequence[Inspected]
) -> dict[str, Measured]:
    by_gate: dict[str, list[tuple[str, Seen]]] = {name: [] for name in gates}
    for file in files:
        for one in file.seen:
            by_gate[one.gate].append((file.path, one))
    return {name: _conclude(project, name, gates[name], mine) for name, mine in by_gate.items()}


def _check_all(
    project: Project, gates: Mapping[str, Gate], progress: Progress
) -> dict[str, Measured]:
    measured: dict[str, Measured] = {}
    for name in sorted(gates, key=lambda name: LATER.get(name, 0)):
        progress.begin(name)
        measured[name] = _check(project, name, gates[name])
    return measured


def _engine(name: str, gate: Gate) -> str:
    return "command" if isinstance(gate, CommandGate) else name


def _conclude(
    project: Project, name: str, gate: Gate, mine: Sequence[tuple[str, Seen]]
) -> Measured:
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
