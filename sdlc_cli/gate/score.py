"""Measurements + weights + generation -> GateReport: the verdict, and nothing but the verdict."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from sdlc_cli.core.finding import WORDS, Severity, worst_first
from sdlc_cli.core.i18n import msg
from sdlc_cli.gate.config import GateConfig
from sdlc_cli.gate.formula import points
from sdlc_cli.gate.model import CheckResult, GateReport, Measurement, SkippedFile, Status

# Weight of a gate that the generation requires but nobody set up: it must show as not judged.
WEIGHT_NOT_SET_UP = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """A measurement and how long it took, in seconds."""

    measurement: Measurement
    duration_s: float = 0.0


def judge(
    measured: Mapping[str, Measured],
    config: GateConfig,
    generation: int,
    *,
    require: Collection[str] = (),
    scope: Collection[str] | None = None,
    files: int = 0,
    lines: int = 0,
    skipped_files: Sequence[SkippedFile] = (),
) -> GateReport:
    """Judge each gate and the run as a whole.

    `require` turns a skip of these gates into an error. `scope` names the gates that the user
    asked for alone; None means all, and then the generation's required gates must be judged.
    """
    asked = config.required[generation]
    names = list(measured)
    needed = set(require) if scope is not None else asked | set(require)
    names += sorted(name for name in needed if name not in measured)
    results = tuple(
        _check(
            name,
            measured.get(name),
            config,
            generation,
            required=name in require or (name in asked and (scope is None or name in scope)),
            must=name in require,
        )
        for name in names
    )
    score = _mean(results)
    threshold = config.generations[generation].score
    exit_code, reasons = _verdict(results, score, threshold)
    total = sum(result.weight for result in results)
    counted = sum(result.weight for result in results if result.judged)
    versions: dict[str, str] = {}
    for one in measured.values():
        versions.update(one.measurement.tool_versions)
    return GateReport(
        results=results,
        score=score,
        threshold=threshold,
        generation=generation,
        generation_name=config.generations[generation].name,
        judged_weight=counted / total if total else 0.0,
        exit_code=exit_code,
        reasons=reasons,
        skipped_files=_merge(skipped_files, measured),
        files=files,
        lines=lines,
        tool_versions=dict(sorted(versions.items())),
    )


def _check(
    name: str,
    measured: Measured | None,
    config: GateConfig,
    generation: int,
    *,
    required: bool,
    must: bool,
) -> CheckResult:
    gate = config.gates.get(name)
    minimum = config.minimum(name, generation) if gate else 0.0
    if measured is None:
        where = config.file.name if config.file else "gates.yaml"
        why = msg("left out by --only") if gate else msg("not set up in {file}", file=where)
        measurement = Measurement(outcome="skipped", reason=why)
    else:
        measurement = measured.measurement
    status, reason = _status(measurement, minimum, gate.fail_on if gate else "critical")
    if must and status == "skipped":
        status, reason = "error", msg("required by --require, but skipped: {why}", why=reason)
    return CheckResult(
        name=name,
        status=status,
        reason=reason,
        score=measurement.score if status in ("passed", "failed") else None,
        weight=gate.weight if gate else WEIGHT_NOT_SET_UP,
        minimum=minimum,
        required=required,
        duration_s=measured.duration_s if measured else 0.0,
        findings=measurement.findings,
        metrics=measurement.metrics,
        failure=measurement.failure if status == "failed" else "",
        unchanged=status == "skipped" and measurement.unchanged,
    )


def _status(measurement: Measurement, minimum: float, fail_on: str) -> tuple[Status, str]:
    if measurement.outcome != "judged":
        return measurement.outcome, measurement.reason
    if measurement.score is None:
        return "error", msg("measured nothing")
    least = Severity(fail_on).rank
    bad = [f for f in measurement.findings if f.severity.rank >= least]
    if bad:
        worst = min(bad, key=worst_first)
        return "failed", msg(
            "{n} of severity {severity} or worse, first {rule}",
            n=len(bad),
            severity=WORDS[Severity(fail_on)],
            rule=worst.rule,
        )
    if measurement.failure:
        return "failed", measurement.failure
    if measurement.score < minimum:
        return "failed", msg(
            "score {score} is under the minimum {minimum}",
            score=points(measurement.score),
            minimum=points(minimum),
        )
    return "passed", measurement.reason


def _mean(results: Sequence[CheckResult]) -> float | None:
    judged = [(r.weight, r.score) for r in results if r.judged and r.score is not None]
    total = sum(weight for weight, _ in judged)
    if not total:
        return None
    return sum(weight * score for weight, score in judged) / total


def _verdict(
    results: Sequence[CheckResult], score: float | None, threshold: float
) -> tuple[int, tuple[str, ...]]:
    """The exit code, and why the run did not pass: a sentence each."""
    reasons: list[str] = []
    by_status = {
        status: [r for r in results if r.status == status]
        for status in ("error", "failed", "skipped", "inconclusive")
    }
    reasons += [
        msg("{gate} could not be judged: {why}", gate=r.name, why=r.reason)
        for r in by_status["error"]
    ]
    reasons += [msg("{gate} failed: {why}", gate=r.name, why=r.reason) for r in by_status["failed"]]
    reasons += [
        msg(
            "{gate} is required in this generation and was not judged: {why}",
            gate=r.name,
            why=r.reason,
        )
        for r in results
        if r.required and r.status in ("skipped", "inconclusive") and not r.unchanged
    ]
    judged = any(r.judged for r in results)
    if score is not None and score < threshold:
        reasons.append(
            msg(
                "score {score} is under the threshold {threshold}",
                score=points(score),
                threshold=points(threshold),
            )
        )
    elif judged and score is None:
        reasons.append(msg("no judged gate has a weight, so there is no score"))
    if by_status["error"]:
        return 3, tuple(reasons)
    if not judged and not by_status["inconclusive"] and any(r.unchanged for r in results):
        return 0, ()  # with nothing changed that a gate judges, there is nothing to ask for
    if not judged:
        nothing = 3 if by_status["inconclusive"] else 4
        return nothing, tuple(reasons) or (msg("no gate was judged"),)
    return (1 if reasons else 0), tuple(reasons)


def _merge(
    skipped: Sequence[SkippedFile], measured: Mapping[str, Measured]
) -> tuple[SkippedFile, ...]:
    """Every skipped file once for each reason; gates are named where only they skipped it."""
    by_gates: dict[tuple[str, str], list[str]] = {}
    for name, one in measured.items():
        for file in one.measurement.skipped_files:
            by_gates.setdefault((file.path, file.reason), []).append(name)
    merged = list(skipped)
    merged += [
        SkippedFile(path=path, reason=msg("{gates}: {why}", gates=", ".join(gates), why=why))
        for (path, why), gates in by_gates.items()
    ]
    return tuple(sorted(merged, key=lambda file: (file.path, file.reason)))
