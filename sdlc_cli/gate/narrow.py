"""Judges the change and nothing else: a whole measurement -> what of it the change did.

| gate | what is judged |
| --- | --- |
| security, secrets, docs, deploy, a command that reports SARIF | findings on changed lines |
| syntax | the changed files: an open bracket shows far from where it stands |
| maintainability | functions on changed lines whose complexity grew (`narrow_complexity`) |
| coverage | changed lines (`narrow_coverage`) |
| dependencies | everything, once a file changed that names dependencies |
| integration, performance, load, other commands | everything: what a change breaks is elsewhere |
"""

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from typing import Literal

from sdlc_cli.core.finding import Finding
from sdlc_cli.core.i18n import msg
from sdlc_cli.gate import formula
from sdlc_cli.gate.changes import Changes
from sdlc_cli.gate.model import Measurement

Numbers = Mapping[str, float]
Scope = Literal["lines", "files", "manifests", "everything"]

_SCOPES: Mapping[str, Scope] = {
    "security": "lines",
    "secrets": "lines",
    "maintainability": "lines",
    "docs": "lines",
    "syntax": "files",
    "dependencies": "manifests",
}
_MANIFEST = re.compile(
    r"(?:^|/)(?:pyproject\.toml|setup\.(?:py|cfg)|Pipfile|package\.json|[^/]*\.lock|pylock[^/]*"
    r"|package-lock\.json|[^/]*(?:requirements|constraints)[^/]*\.(?:txt|in)|environment\.ya?ml"
    r"|requirements/[^/]*\.(?:txt|in))$"
)


def scope_of(name: str, measurement: Measurement) -> Scope:
    """What of the gate called `name` is judged with `--changed-since`."""
    if name in _SCOPES:
        return _SCOPES[name]
    terms = measurement.metrics.get("formula")
    density = isinstance(terms, Mapping) and terms.get("kind") == "density"
    return "lines" if density else "everything"  # a command that reports SARIF, or any other


def only_changed(
    name: str,
    measurement: Measurement,
    changes: Changes,
    judged: Mapping[str, Numbers],
    keep: Callable[[Finding], Finding | None] = lambda finding: finding,
) -> Measurement:
    """The measurement of the change alone, scored by the gate's own formula.

    `judged` holds the gate's numbers by file (`lines`; for docs `objects` and `links`). A
    density counts the lines of the changed files, 1,000 at least, as for a small project.
    `keep` has the last word on a finding; it may reword it. An error stays an error.
    """
    if changes.empty and measurement.outcome != "error":
        return unchanged(measurement, changes)
    scope = scope_of(name, measurement)
    if scope == "everything" or measurement.outcome in ("error", "inconclusive"):
        return measurement
    if scope == "manifests":
        named = any(_MANIFEST.search(path) for path in (*changes.files, *changes.deleted))
        return measurement if named else unchanged(measurement, changes)
    touched = {path: numbers for path, numbers in judged.items() if changes.changed(path)}
    if not touched or measurement.score is None:
        return unchanged(measurement, changes)
    left = _left(measurement.findings, changes, scope, keep)
    scored = _scored(measurement.metrics.get("formula"), touched, left)
    if scored is None:
        return unchanged(measurement, changes)
    score, terms = scored
    return replace(
        measurement,
        score=score,
        findings=left,
        metrics={**measurement.metrics, **summary(changes), "formula": terms},
        skipped_files=tuple(one for one in measurement.skipped_files if changes.changed(one.path)),
    )


def unchanged(measurement: Measurement, changes: Changes, reason: str = "") -> Measurement:
    """A skip that keeps no run from passing."""
    return Measurement(
        outcome="skipped",
        reason=reason or msg("no changes"),
        metrics={**measurement.metrics, **summary(changes)},
        tool_versions=measurement.tool_versions,
        unchanged=True,
    )


def summary(changes: Changes) -> dict[str, object]:
    """What a report says of the change."""
    return {
        "changed_since": changes.base,
        "changed_files": len(changes.files),
        "deleted_files": len(changes.deleted),
    }


def _left(
    findings: Collection[Finding],
    changes: Changes,
    scope: Scope,
    keep: Callable[[Finding], Finding | None],
) -> tuple[Finding, ...]:
    left: list[Finding] = []
    for finding in findings:
        by_file = scope == "files" and changes.changed(finding.location.path)
        if by_file or changes.touches(finding.location):
            kept = keep(finding)
            if kept is not None:
                left.append(kept)
    return tuple(left)


def _scored(
    terms: object, touched: Mapping[str, Numbers], left: Collection[Finding]
) -> tuple[float, dict[str, object]] | None:
    """The score of the changed files and its terms; None when there is nothing to measure."""
    counted = formula.counted(left)
    match terms:
        case {"kind": "density", "half": float() | int() as half}:
            lines = int(sum(numbers.get("lines", 0) for numbers in touched.values()))
            score = formula.density((finding.severity for finding in counted), lines, half)
            return score, formula.density_terms(lines, half)
        case {"kind": "share", "unit": "file"}:
            unit, total = "file", len(touched)
            bad = len({finding.location.path for finding in counted} & touched.keys())
        case {"kind": "share", "unit": "finding"}:
            unit, bad = "finding", len(counted)
            total = round(sum(n.get("objects", 0) + n.get("links", 0) for n in touched.values()))
        case _:
            return None
    if not total:
        return None
    good = max(total - bad, 0)
    return formula.share(good, total), formula.share_terms(good, total, unit)
