"""Why the score is what it is: points lost by gate, and the fewest fixes that would pass."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sdlc_cli.core.finding import Finding, Severity, worst_first
from sdlc_cli.core.i18n import msg
from sdlc_cli.gate.formula import counted, decided_by_findings, density, share
from sdlc_cli.gate.model import CheckResult, GateReport

MOST_FIXES = 500  # a longer list is no plan; the report has all findings


@dataclass(frozen=True, slots=True, kw_only=True)
class Loss:
    """What one gate costs the run: `points` of the total score, from 0 to 100."""

    gate: str
    score: float
    weight: float
    points: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Fix:
    """One thing to mend. `score` is the run's score once this and all fixes before are done."""

    gate: str
    what: str
    path: str
    line: int
    rule: str
    severity: str
    score: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """`losses`, dearest first; `fixes`, in the order that gains most for each.

    `passes` is False when the fixes found do not suffice, as `obstacles` say: what no fix of a
    finding can mend, such as a required gate that is not set up.
    """

    losses: tuple[Loss, ...]
    fixes: tuple[Fix, ...]
    passes: bool
    obstacles: tuple[str, ...]


@dataclass(slots=True)
class _Gate:
    """A gate while its findings are being mended one by one."""

    result: CheckResult
    score: float
    fail_on: Severity
    left: list["_Step"]


@dataclass(frozen=True, slots=True)
class _Step:
    """A fix and the gate's score after it, given those before."""

    finding: Finding
    gain: float = 0.0  # points of the gate
    factor: float = 1.0  # or what its score is multiplied by

    def apply(self, score: float) -> float:
        return score * self.factor + self.gain


def explain(report: GateReport, fail_on: Mapping[str, str]) -> Explanation:
    """Work out losses and fixes. `fail_on` gives each gate's failing severity, by name.

    Fixes come in four rounds: findings that fail a gate by their severity, those that a baseline
    does not accept, gates under their minimum, then whatever gains the run's score most until it
    reaches the threshold.
    """
    total = sum(r.weight for r in report.results if r.judged)
    losses = sorted(
        (
            Loss(
                gate=r.name,
                score=r.score,
                weight=r.weight,
                points=(100 - r.score) * r.weight / total if total else 0.0,
            )
            for r in report.results
            if r.judged and r.score is not None
        ),
        key=lambda loss: (-loss.points, loss.gate),
    )
    gates = [
        _Gate(r, r.score, Severity(fail_on.get(r.name, "critical")), list(_steps(r)))
        for r in report.results
        if r.judged and r.score is not None
    ]
    fixes: list[Fix] = []
    for gate in gates:
        _mend_severities(gate, gates, total, fixes)
    for gate in gates:
        _mend_failure(gate, gates, total, fixes)
    for gate in gates:
        _mend_minimum(gate, gates, total, fixes)
    _mend_total(gates, total, report.threshold, fixes)
    obstacles = _obstacles(report, gates, total)
    return Explanation(
        losses=tuple(losses), fixes=tuple(fixes), passes=not obstacles, obstacles=obstacles
    )


def _mend_severities(gate: _Gate, gates: list[_Gate], total: float, fixes: list[Fix]) -> None:
    for step in [s for s in gate.left if s.finding.severity.rank >= gate.fail_on.rank]:
        _take(gate, step, gates, total, fixes)


def _mend_failure(gate: _Gate, gates: list[_Gate], total: float, fixes: list[Fix]) -> None:
    """A gate that fails by more than its score passes once nothing is left that costs points."""
    if gate.result.failure and _by_findings(gate.result):
        for step in [step for step in gate.left if counted([step.finding])]:
            _take(gate, step, gates, total, fixes)


def _by_findings(result: CheckResult) -> bool:
    return decided_by_findings(result.metrics.get("formula"))


def _mend_minimum(gate: _Gate, gates: list[_Gate], total: float, fixes: list[Fix]) -> None:
    while gate.score < gate.result.minimum and gate.left and len(fixes) < MOST_FIXES:
        _take(gate, max(gate.left, key=lambda s: s.apply(gate.score)), gates, total, fixes)


def _mend_total(gates: list[_Gate], total: float, threshold: float, fixes: list[Fix]) -> None:
    while _total(gates, total) < threshold and len(fixes) < MOST_FIXES:
        choices = [
            ((step.apply(gate.score) - gate.score) * gate.result.weight, gate, step)
            for gate in gates
            for step in gate.left[:50]  # worst first, so the best is among them
        ]
        best = max(choices, key=lambda choice: choice[0], default=None)
        if best is None or best[0] <= 0:
            return
        _take(best[1], best[2], gates, total, fixes)


def _take(gate: _Gate, step: _Step, gates: list[_Gate], total: float, fixes: list[Fix]) -> None:
    gate.left.remove(step)
    gate.score = min(100.0, step.apply(gate.score))
    if len(fixes) >= MOST_FIXES:
        return
    place = step.finding.location
    fixes.append(
        Fix(
            gate=gate.result.name,
            what=step.finding.message,
            path=place.path,
            line=place.line,
            rule=step.finding.rule,
            severity=step.finding.severity.value,
            score=_total(gates, total),
        )
    )


def _total(gates: list[_Gate], total: float) -> float:
    return sum(g.score * g.result.weight for g in gates) / total if total else 0.0


def _obstacles(report: GateReport, gates: list[_Gate], total: float) -> tuple[str, ...]:
    found: list[str] = [
        msg("{gate} could not be judged: {why}", gate=r.name, why=r.reason)
        for r in report.results
        if r.status == "error" or (r.required and not r.judged)
    ]
    found += [
        msg("{gate} stays under its minimum", gate=g.result.name)
        for g in gates
        if g.score < g.result.minimum
    ]
    found += [
        msg("{gate} failed: {why}", gate=g.result.name, why=g.result.failure)
        for g in gates
        if g.result.failure and not _by_findings(g.result)
    ]
    if not gates:
        found.append(msg("no gate was judged"))
    elif _total(gates, total) < report.threshold - 1e-9:
        found.append(msg("the findings alone do not reach the threshold"))
    return tuple(found)


def _steps(result: CheckResult) -> Iterator[_Step]:
    """The fixes of one gate, worst finding first."""
    terms: Any = result.metrics.get("formula")
    kind = terms.get("kind") if isinstance(terms, Mapping) else None
    findings = sorted(result.findings, key=worst_first)
    if kind == "density":
        yield from _density_steps(findings, terms)
    elif kind == "share" and terms["unit"] == "line":
        yield from _line_steps(result, findings, terms)
    elif kind == "share":
        yield from _share_steps(findings, terms)
    elif kind == "mean":
        yield from _mean_steps(findings, terms["scores"])
    else:
        for finding in findings:
            yield _Step(finding)


def _density_steps(findings: list[Finding], terms: Mapping[str, Any]) -> Iterator[_Step]:
    for finding in findings:
        # The score is a product over findings, so mending one divides its factor away.
        factor = 100 / density([finding.severity], terms["lines"], terms["half"])
        yield _Step(finding, factor=factor)


def _share_steps(findings: list[Finding], terms: Mapping[str, Any]) -> Iterator[_Step]:
    """A file with several findings is one fix, shown by its worst."""
    gain = share(1, terms["total"])
    paths: set[str] = set()
    for finding in findings:
        if terms["unit"] != "file" or finding.location.path not in paths:
            paths.add(finding.location.path)
            yield _Step(finding, gain=gain)


def _line_steps(
    result: CheckResult, findings: list[Finding], terms: Mapping[str, Any]
) -> Iterator[_Step]:
    """Coverage: a finding is a file with gaps; the metric `missing` counts them by path."""
    lines = result.metrics.get("missing")
    for finding in findings:
        missing = lines.get(finding.location.path, 0) if isinstance(lines, Mapping) else 0
        yield _Step(finding, gain=share(missing, terms["total"]))


def _mean_steps(findings: list[Finding], scores: Mapping[str, float]) -> Iterator[_Step]:
    for finding in findings:
        gain = (100 - scores.get(finding.context, 100)) / len(scores)
        yield _Step(finding, gain=gain)
