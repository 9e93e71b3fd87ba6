"""Holds benchmarks against their budgets of time, peak memory and objects, and against the past.

Score: the mean over all limits of 100 up to the limit and 100 * limit / measured above it; a
comparison's limit and measured value are ratios. What could not be measured, or has no limit to
be held against, makes the gate an error; a comparison that decides nothing makes it inconclusive
where nothing else fails.
"""

import fnmatch
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from sdlc_cli.core.errors import SdlcError
from sdlc_cli.core.finding import Finding, Location, Severity
from sdlc_cli.core.i18n import Message, msg
from sdlc_cli.gate import benchmarks, environment, formula
from sdlc_cli.gate.benchmarks import Figures
from sdlc_cli.gate.environment import Environment
from sdlc_cli.gate.model import Measurement
from sdlc_cli.gate.options import Benchmark, Budget, Performance
from sdlc_cli.gate.source import Project

if TYPE_CHECKING:
    from sdlc_cli.gate.compare import Compared

OLD = 30  # days, after which a report describes another machine and other libraries
CLOSE = 0.05  # a median this near its limit may fall on either side next time


@dataclass(frozen=True, slots=True, kw_only=True)
class _Limit:
    """One limit of one benchmark, and what was measured; None where nothing was."""

    figures: Figures
    what: str  # time (seconds), memory (bytes), objects
    limit: float
    measured: float | None

    @property
    def key(self) -> str:
        """What names this limit among all others."""
        return f"{self.figures.full_name or self.figures.name} {self.what}"


def check(project: Project, name: str, options: Performance) -> Measurement:
    """Measure and compare. Raises WorkError when there is no environment to measure in."""
    if not project.configured:
        reason = msg("nothing of the repository is run without gates.yaml")
        return Measurement(outcome="skipped", reason=reason)
    if not options.benchmarks and not options.report:
        return Measurement(outcome="skipped", reason=msg("no benchmark is set up"))
    limits: list[_Limit] = []
    troubles: list[str] = []
    unjudged: list[Figures] = []
    notes: list[Finding] = []
    _measure(project, options, limits, troubles)
    if options.report:
        notes = _hold(project, options, limits, troubles, unjudged)
    compared = _compared(project, options) if options.compare else None
    if compared and compared.unchanged and not limits and not troubles:
        return Measurement(
            outcome="skipped",
            unchanged=True,
            reason=msg("nothing changed since {rev}", rev=options.compare),
        )
    judged = _judge(limits, troubles, unjudged, compared, options.compare)
    return replace(judged, findings=(*judged.findings, *notes))


def _compared(project: Project, options: Performance) -> "Compared":
    from sdlc_cli.gate import compare  # it loads numpy

    return compare.compare(project.base, options)


def _measure(
    project: Project, options: Performance, limits: list[_Limit], troubles: list[str]
) -> None:
    """One benchmark after the other: two at a time would disturb each other."""
    if not options.benchmarks:
        return
    # With `compare` a benchmark may have no limit of its own, and then there is nothing to do yet.
    limited = [one for one in options.benchmarks if one.limited or not options.compare]
    if not limited:
        return
    found = environment.resolve(options.python, project.base, os.environ)
    for benchmark in limited:
        run = _way(benchmark)
        try:
            figures = run(benchmark, found, project.base)
        except SdlcError as error:
            troubles.append(error.message)
            continue
        own = _limits(figures, benchmark)
        if not own:
            troubles.append(msg("benchmark {name} has no limit", name=benchmark.name))
        limits += own


def _way(benchmark: Benchmark) -> Callable[[Benchmark, Environment, Path], Figures]:
    if benchmark.callable:
        return benchmarks.run_callable
    return benchmarks.run_test if benchmark.test else benchmarks.run_command


def _hold(
    project: Project,
    options: Performance,
    limits: list[_Limit],
    troubles: list[str],
    unjudged: list[Figures],
) -> list[Finding]:
    """Hold the report's benchmarks against the budgets whose globs name them.

    Where several do, the tightest limit counts. Returns the findings on the report itself.
    """
    try:
        report = benchmarks.read_report(project.base / options.report)
    except SdlcError as error:
        troubles.append(error.message)
        return []
    rows = report.rows
    if not rows:
        troubles.append(msg("{report} holds no benchmark", report=options.report))
    troubles += [
        msg("no benchmark is called '{glob}'", glob=glob)
        for glob in options.budgets
        if not any(_named(glob, row) for row in rows)
    ]
    for row in rows:
        budgets = [budget for glob, budget in options.budgets.items() if _named(glob, row)]
        own: dict[str, _Limit] = {}
        for limit in (limit for budget in budgets for limit in _limits(row, budget)):
            own[limit.what] = min(own.get(limit.what, limit), limit, key=lambda one: one.limit)
        limits += own.values()
        if not own:
            unjudged.append(row)
    return list(_stale(project, options.report, report.made_at))


def _stale(project: Project, report: str, made_at: datetime) -> Iterable[Finding]:
    """That the report is older than the code, or old."""
    files = [(_changed(project.root / p), p) for p in project.files if p.endswith(".py")]
    newest, path = max(files, default=(0.0, ""))
    days = (datetime.now(UTC) - made_at).days
    if newest > made_at.timestamp():
        message = msg("the report is older than the code: {path} changed since", path=path)
    elif days > OLD:
        message = msg("the report is {days} days old", days=days)
    else:
        return
    yield Finding(
        rule="stale-report",
        severity=Severity.LOW,
        message=message,
        location=Location(path=report),
    )


def _changed(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0


def _named(glob: str, row: Figures) -> bool:
    """With `::` a glob is over `file::test`. `test_sort[10]` is a name before it is a glob."""
    name = row.full_name if "::" in glob else row.name
    return name == glob or fnmatch.fnmatchcase(name, glob)


def _limits(figures: Figures, budget: Budget) -> list[_Limit]:
    pairs: tuple[tuple[str, float | None, float | None], ...] = (
        ("time", budget.time, figures.seconds.median),
        ("memory", budget.memory, figures.peak_bytes),
        ("objects", budget.objects, figures.objects),
    )
    return [
        _Limit(figures=figures, what=what, limit=limit, measured=measured)
        for what, limit, measured in pairs
        if limit is not None
    ]


def _judge(
    limits: Sequence[_Limit],
    troubles: Sequence[str],
    unjudged: Sequence[Figures],
    compared: "Compared | None",
    rev: str,
) -> Measurement:
    scores, findings, problems = _budgeted(limits)
    problems = [*troubles, *problems]
    metrics: dict[str, object] = {
        "limits": len(limits),
        "benchmarks": _table(limits, unjudged),
    }
    undecided: list[Message] = []
    if compared:
        from sdlc_cli.gate import slowdown

        problems += [one for one in compared.troubles if one not in troubles]
        scores |= slowdown.scores(compared.changes)
        findings += slowdown.findings(compared, rev)
        undecided = slowdown.undecided(compared.changes)
        metrics["comparison"] = slowdown.table(compared)
    if not scores and not problems and not undecided:
        problems.append(msg("no benchmark was held against a limit"))
    # A limit that is broken for sure fails the gate, whatever the others would have said.
    is_open = bool(undecided) and not findings
    outcome: Literal["judged", "error", "inconclusive"] = "inconclusive" if is_open else "judged"
    return Measurement(
        outcome="error" if problems else outcome,
        score=None if problems or is_open else sum(scores.values()) / len(scores),
        reason=_sentence(problems or (undecided if is_open else [])),
        findings=tuple(findings),
        metrics={**metrics, "formula": formula.mean_terms(scores)},
    )


def _budgeted(limits: Sequence[_Limit]) -> tuple[dict[str, float], list[Finding], list[str]]:
    """Points, findings and problems of the budgets."""
    scores: dict[str, float] = {}
    findings: list[Finding] = []
    problems: list[str] = []
    for limit in limits:
        if limit.measured is None:
            problems.append(
                msg(
                    "benchmark {name}: its {what} was not measured, so its limit says nothing",
                    name=limit.figures.name,
                    what=limit.what,
                )
            )
            continue
        scores[limit.key] = formula.within(limit.measured, limit.limit)
        if limit.measured > limit.limit:
            findings.append(_finding(limit, limit.measured))
    return scores, findings, problems


def _sentence(problems: Sequence[str]) -> str:
    if len(problems) < 2:
        return problems[0] if problems else ""
    return msg("{first} (and {count} more)", first=problems[0], count=len(problems) - 1)


def _finding(limit: _Limit, measured: float) -> Finding:
    show = _SHOWN[limit.what]
    name = limit.figures.name
    times = f" ({measured / limit.limit:.2f}x)" if limit.limit else ""
    values = {"name": name, "measured": show(measured), "limit": show(limit.limit), "times": times}
    if limit.what == "time":
        message = msg("{name} took {measured}, {limit} is allowed{times}", **values)
    elif limit.what == "memory":
        message = msg("{name} took {measured} of memory, {limit} is allowed{times}", **values)
    else:
        message = msg(
            "{name} kept {measured} objects an iteration, {limit} are allowed{times}", **values
        )
    return Finding(
        rule="over-budget",
        severity=Severity.HIGH,
        message=message,
        context=limit.key,
    )


def _time(seconds: float) -> str:
    for unit, size in (("s", 1.0), ("ms", 1e-3), ("us", 1e-6)):
        if seconds >= size:
            return f"{seconds / size:.4g} {unit}"
    return f"{seconds * 1e9:.4g} ns"


def _size(count: float) -> str:
    for unit, size in (("GiB", 2**30), ("MiB", 2**20), ("KiB", 2**10)):
        if count >= size:
            return f"{count / size:.4g} {unit}"
    return f"{count:.0f} B"


_SHOWN: Mapping[str, Callable[[float], str]] = {
    "time": _time,
    "memory": _size,
    "objects": lambda count: f"{count:.4g}",
}


def _table(limits: Iterable[_Limit], unjudged: Iterable[Figures]) -> list[dict[str, object]]:
    """One row for each benchmark, with its limits; without any it was only looked at."""
    rows: dict[int, dict[str, object]] = {}
    for limit in limits:
        row = rows.setdefault(id(limit.figures), _row(limit.figures))
        row[f"{limit.what}_limit"] = limit.limit
        if limit.what == "time" and limit.limit:
            row["close"] = abs(limit.figures.seconds.median / limit.limit - 1) <= CLOSE
    return [*rows.values(), *(_row(figures) for figures in unjudged)]


def _row(figures: Figures) -> dict[str, object]:
    return {
        "name": figures.name,
        "kind": figures.kind,
        "iterations": figures.iterations,
        "median_s": figures.seconds.median,
        "min_s": figures.seconds.least,
        "max_s": figures.seconds.most,
        "cpu_s": figures.cpu_s,
        "peak_bytes": figures.peak_bytes,
        "objects": figures.objects,
    }
