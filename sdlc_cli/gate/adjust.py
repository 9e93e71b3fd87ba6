"""Between measuring and judging: suppressions, the baseline, and only the change."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING

from sdlc_cli.core.errors import SdlcError
from sdlc_cli.core.i18n import msg
from sdlc_cli.gate import engines, source
from sdlc_cli.gate.config import Coverage, Gate, GateConfig
from sdlc_cli.gate.filepass import Inspected
from sdlc_cli.gate.model import Measurement
from sdlc_cli.gate.options import Suppressions
from sdlc_cli.gate.score import Measured
from sdlc_cli.gate.source import Project, Unit

# Each step loads what it needs when it is asked for: most runs take none of them.
if TYPE_CHECKING:
    from sdlc_cli.gate.baseline_files import Baseline
    from sdlc_cli.gate.changes import Changes
    from sdlc_cli.gate.narrow import Numbers


def adjust(
    project: Project,
    config: GateConfig,
    gates: Mapping[str, Gate],
    seen: Sequence[Inspected],
    measured: Mapping[str, Measured],
    *,
    today: date,
    changes: "Changes | None" = None,
    baseline: "Baseline | None" = None,
    complete: bool = True,
) -> dict[str, Measured]:
    """What is to be judged of `measured`, by gate.

    In this order: comments that silence findings are looked at, if gates.yaml asks for it; what
    the baseline accepts is taken away; what `changes` did not touch is too; a gate that is worse
    than its baseline fails. `seen` is what the file engines saw; `complete` says that the whole
    project was looked at, so that an idle entry of the baseline is known to be one.
    """
    ours = {name: one.measurement for name, one in measured.items()}
    if config.suppressions != Suppressions():
        from sdlc_cli.gate import suppressions

        ours = suppressions.added(project, config.suppressions, gates, ours)
    if baseline:
        from sdlc_cli.gate import baseline as accepted

        ours = accepted.apply(
            ours, baseline, today, root=project.root, changes=changes, complete=complete
        )
    if changes:
        ours = {
            name: _narrowed(project, name, gates.get(name), seen, measurement, changes)
            for name, measurement in ours.items()
        }
    if baseline:
        ours = {
            name: accepted.ratchet(name, measurement, baseline, narrowed=changes is not None)
            for name, measurement in ours.items()
        }
    return {name: replace(one, measurement=ours[name]) for name, one in measured.items()}


def _narrowed(
    project: Project,
    name: str,
    gate: Gate | None,
    seen: Sequence[Inspected],
    measurement: Measurement,
    changes: "Changes",
) -> Measurement:
    """An error of git or of a report is the gate's error, not the run's."""
    from sdlc_cli.gate.narrow import only_changed

    try:
        if isinstance(gate, Coverage) and not changes.empty:
            from sdlc_cli.gate.narrow_coverage import changed_coverage

            return changed_coverage(project, gate, changes, measurement)
        numbers = _numbers(project, name, seen, changes)
        if name == "maintainability" and measurement.outcome == "judged":
            from sdlc_cli.gate.narrow_complexity import Raised

            raised = Raised(project.root, changes, measurement.findings)
            return only_changed(name, measurement, changes, numbers, raised)
        return only_changed(name, measurement, changes, numbers)
    except SdlcError as error:
        reason = error.message
        if error.hint:
            reason = msg("{problem}; try: {hint}", problem=reason, hint=error.hint)
        return Measurement(outcome="error", reason=reason, metrics=measurement.metrics)


def _numbers(
    project: Project, name: str, seen: Sequence[Inspected], changes: "Changes"
) -> "dict[str, Numbers]":
    """The gate's own numbers by file; for a program's gate, lines of Python, as it is scored."""
    if name in engines.FILE_ENGINES:
        return {
            file.path: one.outcome.numbers
            for file in seen
            for one in file.seen
            if one.gate == name and not one.outcome.skipped
        }
    return {
        path: {"lines": _python_lines(project, path)}
        for path in project.files
        if changes.changed(path)
    }


def _python_lines(project: Project, path: str) -> int:
    unit = source.read(project, path) if path.endswith(".py") else None
    return unit.line_count if isinstance(unit, Unit) else 0
