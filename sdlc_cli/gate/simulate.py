"""What today's thresholds would have said of past commits: `sdlc gate simulate`.

Every commit is judged by today's gates.yaml, for the question is what these thresholds ask for; one
that a past commit held, or held no more, plays no part. Nothing of the repository is run: the gates
that look at files are replayed, and those that read a report where the commit holds one.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath

from sdlc_cli.core.errors import ConfigError, SdlcError
from sdlc_cli.core.i18n import _, local, msg
from sdlc_cli.core.table import Column, Table
from sdlc_cli.gate import formula, history, memory
from sdlc_cli.gate.config import Coverage, Dependencies, GateConfig, Performance
from sdlc_cli.gate.engines import FILE_ENGINES
from sdlc_cli.gate.engines.coverage import PLACES
from sdlc_cli.gate.history import Commit
from sdlc_cli.gate.model import GateReport

SCHEMA_VERSION = 1
MOST = 1000  # commits

# Judges the gates called so in this folder, which stands for the root, by this configuration.
Judge = Callable[[Path, GateConfig, frozenset[str]], GateReport]
Tell = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One commit. `passed` is None where it could not be judged; then `reason` says why.

    `failed` names the gates that would have failed; without any, the score was too low.
    """

    commit: Commit
    passed: bool | None
    score: float | None = None
    failed: tuple[str, ...] = ()
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Simulation:
    """All commits, the newest first. `replayed` and `left_out` are gates of gates.yaml."""

    generation: int
    threshold: float
    rows: tuple[Row, ...]
    replayed: tuple[str, ...]
    left_out: tuple[str, ...]

    @property
    def first_failing(self) -> Row | None:
        """The oldest commit here that would not have passed; None when all would have."""
        return next((row for row in reversed(self.rows) if row.passed is False), None)

    @property
    def exit_code(self) -> int:
        """0 once a commit was judged, whatever came of it; 3 when none could be."""
        return 0 if any(row.passed is not None for row in self.rows) else 3


def simulate(
    root: Path,
    config: GateConfig,
    generation: int,
    commits: int,
    judge: Judge,
    *,
    tell: Tell = lambda _what, _done, _total: None,
) -> Simulation:
    """Judge the last `commits` commits (by first parents) of the repository at `root`.

    `judge` gets a folder that stands for `root`, the configuration moved there and the gates to
    judge; `tell` hears which commit is next, and how many of how many are done. Raises
    ConfigError when no gate can be replayed, NothingToDo without a commit, WorkError without a
    repository.
    """
    root = root.resolve()
    names = replayable(config)
    if not names:
        raise ConfigError(
            msg("none of the gates in gates.yaml can be replayed without running something"),
            hint=msg("set up syntax, security, secrets, maintainability or docs"),
        )
    past = history.commits(root, min(commits, MOST))
    rows: list[Row] = []
    with history.opened(root) as scratch:
        for number, commit in enumerate(past):
            tell(commit.short, number, len(past))
            files = scratch.show(commit)
            moved = _moved(config, root, scratch.folder)
            rows.append(_row(commit, moved, scratch.folder, files, names, judge))
    return Simulation(
        generation=generation,
        threshold=config.generations[generation].score,
        rows=tuple(rows),
        replayed=names,
        left_out=tuple(name for name in config.gates if name not in names),
    )


def replayable(config: GateConfig) -> tuple[str, ...]:
    """The gates that look at files or read a report, and run nothing of the repository."""
    running = set(memory.that_run_commands(config))
    return tuple(
        name
        for name, gate in config.gates.items()
        if name not in running
        and (name in FILE_ENGINES or isinstance(gate, Coverage | Dependencies | Performance))
    )


def _moved(config: GateConfig, root: Path, folder: Path) -> GateConfig:
    """`config` for a past state in `folder`, without `paths` that were not there yet."""
    base = config.root.resolve()
    here = folder / base.relative_to(root) if base.is_relative_to(root) else folder
    paths = tuple(path for path in config.paths if (here / path).exists())
    return replace(config, root=here, paths=paths)


def _row(
    commit: Commit,
    config: GateConfig,
    folder: Path,
    files: Collection[str],
    names: Collection[str],
    judge: Judge,
) -> Row:
    if not config.paths:
        return Row(commit=commit, passed=None, reason=msg("none of 'paths' was there"))
    there = frozenset(name for name in names if _has_report(config, name, folder, files))
    if not there:
        return Row(commit=commit, passed=None, reason=msg("it holds none of the reports"))
    try:
        report = judge(folder, config, there)
    except SdlcError as error:
        return Row(commit=commit, passed=None, reason=error.message)
    if not any(result.judged for result in report.results):
        why = report.reasons[0] if report.reasons else msg("no gate was judged")
        return Row(commit=commit, passed=None, reason=why)
    failed = tuple(r.name for r in report.results if r.status in ("failed", "error"))
    low = report.score is None or report.score < report.threshold
    reason = "" if report.passed or not report.reasons else report.reasons[0]
    return Row(
        commit=commit,
        passed=not (failed or low),
        score=report.score,
        failed=failed,
        reason=reason if failed or low else "",
    )


def _has_report(config: GateConfig, name: str, folder: Path, files: Collection[str]) -> bool:
    """Whether the commit holds what the gate reads; a gate that looks at files always may."""
    match config.gates[name]:
        case Coverage(report=report):
            places = (report,) if report else PLACES
        case Dependencies(report=report) | Performance(report=report):
            places = (report,)
        case _:
            return True
    bases = {config.root.relative_to(folder), Path()}
    return any(str(PurePosixPath(base / place)) in files for base in bases for place in places)


def as_table(simulation: Simulation) -> Table:
    """One row a commit, the newest first, in the user's language."""
    words = {True: _("passed"), False: _("failed"), None: _("not judged")}
    return Table(
        title=_("Past commits judged by generation {number}").format(number=simulation.generation),
        columns=(
            Column(key="commit", title=_("Commit")),
            Column(key="date", title=_("Date")),
            Column(key="result", title=_("Result")),
            Column(key="score", title=_("Score"), kind="number"),
            Column(key="failed", title=_("Failing gates")),
            Column(key="subject", title=_("Subject")),
            Column(key="why", title=_("Why")),
        ),
        rows=tuple(
            (
                row.commit.short,
                row.commit.date[:10],
                words[row.passed],
                None if row.score is None else formula.points(row.score),
                ", ".join(row.failed),
                row.commit.subject,
                local(row.reason),
            )
            for row in simulation.rows
        ),
    )


def as_json(simulation: Simulation) -> dict[str, object]:
    """The simulation as JSON has it: plain values, English, times in UTC."""
    first = simulation.first_failing
    return {
        "schema_version": SCHEMA_VERSION,
        "generation": simulation.generation,
        "threshold": simulation.threshold,
        "replayed": list(simulation.replayed),
        "left_out": list(simulation.left_out),
        "first_failing": first.commit.id if first else None,
        "commits": [
            {
                "commit": row.commit.id,
                "short": row.commit.short,
                "date": _utc(row.commit.date),
                "subject": row.commit.subject,
                "passed": row.passed,
                "score": None if row.score is None else round(row.score, 6),
                "failed": list(row.failed),
                "reason": str(row.reason),
            }
            for row in simulation.rows
        ],
    }


def _utc(date: str) -> str:
    """git's local time with offset as UTC; what is no time stays as it is."""
    try:
        return datetime.fromisoformat(date).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    except (ValueError, OverflowError):
        return date
