"""Proves that a project's gates can fail: plants known defects in a copy, and sees who notices."""

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from sdlc_cli.core.finding import Finding, Severity
from sdlc_cli.core.i18n import Message, _, local, msg
from sdlc_cli.core.table import Column, Table
from sdlc_cli.gate.config import BUILT_IN, CommandGate, GateConfig
from sdlc_cli.gate.model import CheckResult, GateReport
from sdlc_cli.gate.plants import DEFECTS, CannotPlant, Defect, Site
from sdlc_cli.gate.scratch import changed, copied, imports_from

SCHEMA_VERSION = 1

# caught: a gate, or the run's score, failed because of it. seen: reported, but the run would
# still pass. missed: a gate that ought to notice did not. no-gate: none that ought to is set up.
# untried: that gate does not work even without the defect. impossible: nowhere to plant it.
Result = Literal["caught", "seen", "missed", "no-gate", "untried", "impossible"]

Run = Callable[[Path, frozenset[str]], GateReport]
Tell = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Planted:
    """What became of one defect. `gates` noticed it; `advice` says how it would be caught."""

    defect: str
    title: str
    result: Result
    path: str = ""
    gates: tuple[str, ...] = ()
    detail: str = ""
    advice: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DrillReport:
    """All defects, and the copy without any that they were held against."""

    planted: tuple[Planted, ...]
    baseline: GateReport
    notes: tuple[str, ...]

    def count(self, *results: Result) -> int:
        """How many defects ended in one of `results`."""
        return sum(one.result in results for one in self.planted)

    @property
    def exit_code(self) -> int:
        """0 when each defect that a gate here ought to notice was caught or reported.

        3 when such a gate does not work at all, 1 when one missed its defect, 4 when no defect
        could be tried: a drill that planted nothing proves nothing. A defect that was only seen
        is no failure, for `fail_on` and `minimum` are the project's to choose.
        """
        if self.count("untried"):
            return 3
        if self.count("missed"):
            return 1
        return 0 if self.count("caught", "seen") else 4

    @property
    def passed(self) -> bool:
        """True when the gates noticed all that they ought to."""
        return self.exit_code == 0


def drill(
    project_root: Path,
    config: GateConfig,
    run: Run,
    *,
    files: Sequence[str],
    defects: Sequence[Defect] = DEFECTS,
    tell: Tell = lambda _what, _done, _total: None,
) -> DrillReport:
    """Plant each of `defects` in a scratch copy of `project_root` and run the gates concerned.

    `run(folder, names)` runs the gates called `names` with `folder` in the place of
    `project_root`. `files` are the judged files, relative to `project_root`. `tell` hears
    what begins, and how much of how much is done. The project itself is not written to, but a
    gate that works there and not in the copy is run once in the project, to say so. Raises
    WorkError when the project cannot be copied, and what `run` raises.
    """
    root = project_root.resolve()
    tell(msg("copying the project"), 0, len(defects) + 1)
    with copied(root) as scratch:
        base = scratch.root / config.root.resolve().relative_to(root)
        site = Site(root=scratch.root, base=base, files=files, config=config)
        tell(msg("running all gates without a defect"), 0, len(defects) + 1)
        with imports_from(scratch.root):
            baseline = run(scratch.root, frozenset(config.gates))
        notes = [*scratch.notes, *_only_in_the_copy(root, baseline, run)]
        planted: list[Planted] = []
        with imports_from(scratch.root):
            for number, defect in enumerate(defects, 1):
                tell(defect.title, number, len(defects) + 1)
                planted.append(_try(defect, site, baseline, run))
    return DrillReport(planted=tuple(planted), baseline=baseline, notes=tuple(notes))


def _only_in_the_copy(root: Path, baseline: GateReport, run: Run) -> list[str]:
    """Which gates work in the project and not in its copy."""
    broken = {result.name: result for result in baseline.results if result.status == "error"}
    if not broken:
        return []
    original = run(root, frozenset(broken))
    return [
        msg(
            "the gate {gate} works in the project but not in a copy of it: {reason}",
            gate=result.name,
            reason=broken[result.name].reason,
        )
        for result in original.results
        if result.name in broken and result.status != "error"
    ]


def _try(defect: Defect, site: Site, baseline: GateReport, run: Run) -> Planted:
    gates = site.config.gates
    expected = defect.expected(site.config)
    helpers = set(defect.helpers) & set(gates)
    commands = {name for name, gate in gates.items() if isinstance(gate, CommandGate)}
    judged = {result.name for result in baseline.results if result.judged}
    working = (expected | commands | helpers) & judged
    if not working & expected or not helpers <= working:
        for result in baseline.results:
            if result.name in (expected | helpers) - judged:
                return _not_working(defect, result)
    if not working:
        return _no_gate(defect)
    try:
        change = defect.plan(site)
    except CannotPlant as reason:
        return Planted(
            defect=defect.name, title=defect.title, result="impossible", detail=reason.args[0]
        )
    with changed(site.root, change):
        report = run(site.root, frozenset(working))
    path = next(iter(change))
    return _weigh(defect, path, frozenset(expected & working), baseline, report, site.config)


def _not_working(defect: Defect, gate: CheckResult) -> Planted:
    """The gate that ought to notice is set up, but judges nothing even without the defect."""
    return Planted(
        defect=defect.name,
        title=defect.title,
        result="untried" if gate.status == "error" else "no-gate",
        detail=msg(
            "the gate {gate} judges nothing here: {reason}", gate=gate.name, reason=gate.reason
        ),
    )


def _no_gate(defect: Defect, detail: str = "") -> Planted:
    return Planted(
        defect=defect.name,
        title=defect.title,
        result="no-gate",
        detail=detail or msg("no gate for it is set up"),
        advice=(
            msg("set up the gate {gate} in gates.yaml", gate=defect.watcher)
            if defect.watcher in BUILT_IN
            else msg("set up a gate of kind command that checks workflows, with zizmor for one")
        ),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Notice:
    """A gate that saw something new: its worst new finding, or None when just its score fell."""

    before: CheckResult
    after: CheckResult
    worst: Finding | None
    fails: bool


def _weigh(
    defect: Defect,
    path: str,
    expected: frozenset[str],
    baseline: GateReport,
    report: GateReport,
    config: GateConfig,
) -> Planted:
    """Hold the run with the defect against the one without."""
    by_score = expected | set(defect.helpers)
    pairs = ((_result(baseline, after.name), after) for after in report.results)
    seen = [_notice(b, a, config, by_score=a.name in by_score) for b, a in pairs if b is not None]
    notices = [notice for notice in seen if notice is not None]
    failed = tuple(notice.after.name for notice in notices if notice.fails)
    names = tuple(notice.after.name for notice in notices)
    words = {"defect": defect.name, "title": defect.title, "path": path}
    if failed:
        return Planted(**words, result="caught", gates=failed)
    if _run_fails(baseline, report):
        limit = f"{report.threshold:g}"
        detail = msg("no gate failed, but the run's score fell under {n}", n=limit)
        return Planted(**words, result="caught", gates=names, detail=detail)
    if notices:
        worst = notices[0].worst
        return Planted(
            **words,
            result="seen",
            gates=names,
            detail=worst.message if worst else msg("the score fell"),
            advice=_advice(notices[0]),
        )
    return _unnoticed(defect, path, expected, baseline, report)


def _notice(
    before: CheckResult, after: CheckResult, config: GateConfig, *, by_score: bool
) -> _Notice | None:
    new = _new_findings(before, after)
    fails = _fails(before, after, new, config)
    if not (fails or new or (by_score and _lower(before, after))):
        return None
    worst = max(new, key=lambda finding: finding.severity.rank, default=None)
    return _Notice(before=before, after=after, worst=worst, fails=fails)


def _result(report: GateReport, name: str) -> CheckResult | None:
    return next((result for result in report.results if result.name == name), None)


def _key(finding: Finding) -> str:
    place = finding.location.path
    return finding.fingerprint or f"{finding.rule}:{place}:{finding.context or finding.message}"


def _new_findings(before: CheckResult, after: CheckResult) -> list[Finding]:
    known = Counter(map(_key, before.findings))
    new: list[Finding] = []
    for finding in after.findings:
        if known[_key(finding)]:
            known[_key(finding)] -= 1
        else:
            new.append(finding)
    return new


def _fails(
    before: CheckResult, after: CheckResult, new: Sequence[Finding], config: GateConfig
) -> bool:
    """Whether the defect alone makes the gate fail."""
    if after.status == "error":
        return before.status != "error"
    if after.status != "failed":
        return False
    if before.status != "failed":
        return True
    # It failed before: then what is new must be bad enough by itself.
    least = Severity(config.gates[after.name].fail_on).rank
    return any(finding.severity.rank >= least for finding in new)


def _lower(before: CheckResult, after: CheckResult) -> bool:
    return (
        before.score is not None and after.score is not None and after.score < before.score - 1e-9
    )


def _run_fails(baseline: GateReport, report: GateReport) -> bool:
    """Whether the whole run's score falls under the threshold with these gates' new scores."""
    if baseline.score is None or baseline.score < baseline.threshold:
        return False
    now = {result.name: result.score for result in report.results if result.score is not None}
    judged = [result for result in baseline.results if result.score is not None]
    points = sum(r.weight * now.get(r.name, r.score or 0) for r in judged)
    weight = sum(result.weight for result in judged)
    return weight > 0 and points / weight < baseline.threshold


def _advice(notice: _Notice) -> Message:
    gate, score = notice.after.name, notice.after.score or 0
    if notice.worst is not None:
        return msg(
            "the run would fail with 'fail_on: {severity}' at the gate {gate}",
            severity=notice.worst.severity.value,
            gate=gate,
        )
    least = min(math.floor(score * 10 + 1) / 10, notice.before.score or 0)
    return msg(
        "the run would fail with 'minimum: {score}' at the gate {gate}",
        score=f"{least:g}",
        gate=gate,
    )


def _unnoticed(
    defect: Defect,
    path: str,
    expected: frozenset[str],
    baseline: GateReport,
    report: GateReport,
) -> Planted:
    detail: str = ""
    if defect.name == "deleted-test":
        detail = _fewer_tests(baseline, report)
    if not expected:
        return _no_gate(defect, detail)
    if defect.name == "deleted-test":
        advice = msg("let the tests that integration runs write the coverage report")
    else:
        advice = msg("check what the gate leaves out: 'exclude', 'allow' and the tool's own files")
    return Planted(
        defect=defect.name,
        title=defect.title,
        result="missed",
        path=path,
        gates=tuple(sorted(expected)),
        detail=detail or msg("the gate noticed nothing"),
        advice=advice,
    )


def _fewer_tests(baseline: GateReport, report: GateReport) -> str:
    before, after = _result(baseline, "integration"), _result(report, "integration")
    counts = [result.metrics.get("tests") for result in (before, after) if result]
    match counts:
        case [int(more), int(fewer)] if fewer < more:
            return msg(
                "{before} tests became {after}, and no gate failed", before=more, after=fewer
            )
        case _:
            return ""


_RESULTS: Mapping[Result, Message] = {
    "caught": msg("caught"),
    "seen": msg("seen, would pass"),
    "missed": msg("missed"),
    "no-gate": msg("no gate for it"),
    "untried": msg("not tried"),
    "impossible": msg("cannot be planted"),
}


def as_table(report: DrillReport) -> Table:
    """One row a defect, in the user's language."""
    return Table(
        title=_("Defects planted in a copy"),
        columns=(
            Column(key="defect", title=_("Defect")),
            Column(key="result", title=_("Result")),
            Column(key="gates", title=_("Gates")),
            Column(key="detail", title=_("Why")),
        ),
        rows=tuple(
            (
                local(one.title),
                local(_RESULTS[one.result]),
                ", ".join(one.gates),
                "; ".join(local(words) for words in (one.detail, one.advice) if words),
            )
            for one in report.planted
        ),
    )


def as_json(report: DrillReport) -> dict[str, object]:
    """The report as JSON has it: plain values, English."""
    return {
        "schema_version": SCHEMA_VERSION,
        "passed": report.passed,
        "exit_code": report.exit_code,
        "baseline": {
            "passed": report.baseline.passed,
            "score": report.baseline.score,
            "exit_code": report.baseline.exit_code,
        },
        "notes": [str(note) for note in report.notes],
        "defects": [
            {
                "name": one.defect,
                "title": str(one.title),
                "result": one.result,
                "path": one.path,
                "gates": list(one.gates),
                "detail": str(one.detail),
                "advice": str(one.advice),
            }
            for one in report.planted
        ],
    }
