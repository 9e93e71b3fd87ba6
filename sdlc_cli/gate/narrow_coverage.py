"""Coverage of the changed lines, as diff-cover measures it: do tests run what the change adds?"""

import ast
from collections.abc import Iterable, Mapping
from dataclasses import replace

from sdlc_cli.core.finding import Finding
from sdlc_cli.core.i18n import msg
from sdlc_cli.gate import formula, source
from sdlc_cli.gate.changes import Changes
from sdlc_cli.gate.coverage_report import FileCoverage
from sdlc_cli.gate.engines import coverage
from sdlc_cli.gate.model import Measurement
from sdlc_cli.gate.narrow import summary, unchanged
from sdlc_cli.gate.options import Coverage
from sdlc_cli.gate.source import Project, Unit

# A change under so many coverable lines is shown and not judged: one missed line of five would
# be a fifth of it. SonarQube leaves its conditions on coverage out under the same 20 lines.
FEW = 20


def changed_coverage(
    project: Project, options: Coverage, changes: Changes, whole: Measurement
) -> Measurement:
    """The coverage of the changed lines. `whole` is what the gate says of all lines.

    A changed file beside measured ones that the report does not know counts with its
    statements, none of them run. Branches count, if asked for, where the report gives them by
    line. Raises WorkError.
    """
    if whole.outcome == "error":
        return whole
    if whole.outcome == "skipped" or (found := coverage.gather(project, options)) is None:
        python = (path for path in project.files if path.endswith(".py"))
        return whole if any(map(changes.changed, python)) else unchanged(whole, changes)
    files = {path: _changed(path, file, changes) for path, file in found.files.items()}
    for path in coverage.absent(project, found.files):
        if changes.changed(path):
            files[path] = _unknown(project, path, changes)
    files = {path: file for path, file in files.items() if file.lines}
    covered, coverable = _count(files, branches=options.branches)
    lines = sum(len(file.lines) for file in files.values())
    if not lines:
        return unchanged(whole, changes, msg("no changes that tests could run"))
    metrics = {
        **whole.metrics,
        **summary(changes),
        "files": len(files),
        "lines": lines,
        "lines_covered": sum(sum(file.lines.values()) for file in files.values()),
        "missing": {path: len(file.missing) for path, file in files.items() if file.missing},
        "formula": formula.share_terms(covered, coverable, "line"),
        "project_score": whole.score,
    }
    changed = replace(whole, metrics=metrics, findings=_findings(files, whole.findings, changes))
    if lines < FEW:
        reason = msg(
            "{covered} of {lines} changed lines are run by tests; under {few} lines are too few"
            " to judge",
            covered=metrics["lines_covered"],
            lines=lines,
            few=FEW,
        )
        skipped = unchanged(changed, changes, reason)
        return replace(skipped, findings=changed.findings)
    return replace(changed, score=formula.share(covered, coverable))


def _changed(path: str, file: FileCoverage, changes: Changes) -> FileCoverage:
    return FileCoverage(
        lines={line: hit for line, hit in file.lines.items() if changes.has(path, line)},
        branches={n: taken for n, taken in file.branches.items() if n and changes.has(path, n)},
    )


def _unknown(project: Project, path: str, changes: Changes) -> FileCoverage:
    unit = source.read(project, path)
    lines = _statements(unit) if isinstance(unit, Unit) and unit.kind == "python" else ()
    return FileCoverage(lines={line: False for line in lines if changes.has(path, line)})


def _statements(unit: Unit) -> Iterable[int]:
    """Where statements start; docstrings are none to a coverage tool."""
    try:
        tree = unit.tree
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return ()
    return {
        node.lineno
        for node in ast.walk(tree)
        if isinstance(node, ast.stmt)
        and not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))
    }


def _count(files: Mapping[str, FileCoverage], *, branches: bool) -> tuple[int, int]:
    covered = sum(sum(file.lines.values()) for file in files.values())
    coverable = sum(len(file.lines) for file in files.values())
    if branches:
        counts = [file.branch_count for file in files.values()]
        covered += sum(taken for taken, _ in counts)
        coverable += sum(total for _, total in counts)
    return covered, coverable


def _findings(
    files: Mapping[str, FileCoverage], whole: Iterable[Finding], changes: Changes
) -> tuple[Finding, ...]:
    gaps = sorted(
        (path for path, file in files.items() if file.missing),
        key=lambda path: (-len(files[path].missing), path),
    )
    notes = [
        finding
        for finding in whole
        if finding.rule == "stale-report"
        or (finding.rule == "not-in-report" and changes.changed(finding.location.path))
    ]
    return (*(coverage.uncovered(path, files[path]) for path in gaps[: coverage.SHOWN]), *notes)
