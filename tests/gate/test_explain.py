"""Points lost, and the fewest fixes that would pass."""

from collections.abc import Mapping
from typing import Any

import pytest

from sdlc_cli.core.finding import Finding, Location, Severity
from sdlc_cli.gate.explain import explain
from sdlc_cli.gate.formula import density, density_terms, mean_terms, share_terms
from sdlc_cli.gate.model import CheckResult, GateReport


def gate(
    name: str,
    score: float,
    findings: tuple[Finding, ...] = (),
    terms: Mapping[str, object] | None = None,
    **more: Any,
) -> CheckResult:
    settings: dict[str, Any] = {
        "status": "passed",
        "reason": "",
        "weight": 1,
        "minimum": 0,
        "required": False,
        "duration_s": 0,
        "metrics": {"formula": terms or {}},
    }
    return CheckResult(name=name, score=score, findings=findings, **(settings | more))


def report(*results: CheckResult, threshold: float = 70, exit_code: int = 1) -> GateReport:
    return GateReport(
        results=results,
        score=50,
        threshold=threshold,
        generation=1,
        generation_name="make it work",
        judged_weight=1,
        exit_code=exit_code,
        reasons=(),
        skipped_files=(),
        files=1,
        lines=1,
        tool_versions={},
    )


def finding(severity: Severity, *, rule: str = "R", path: str = "a.py", line: int = 1) -> Finding:
    place = Location(path=path, line=line)
    return Finding(rule=rule, severity=severity, message="bad", location=place, context=path)


def test_points_lost_are_weighted_and_the_dearest_gate_is_first() -> None:
    explained = explain(report(gate("a", 90), gate("b", 40, weight=3)), {})

    assert [loss.gate for loss in explained.losses] == ["b", "a"]
    assert [loss.points for loss in explained.losses] == pytest.approx([45, 2.5])


def test_the_worst_finding_is_mended_first_and_no_more_than_needed() -> None:
    found = (finding(Severity.LOW), finding(Severity.HIGH, rule="H"), finding(Severity.LOW))
    score = density([f.severity for f in found], 1000, 20)

    explained = explain(report(gate("a", score, found, density_terms(1000, 20))), {})

    assert [fix.rule for fix in explained.fixes] == ["H"]
    assert explained.fixes[0].score == pytest.approx(density([Severity.LOW] * 2, 1000, 20))
    assert explained.passes


def test_a_finding_that_fails_the_gate_is_mended_though_the_score_suffices() -> None:
    found = (finding(Severity.CRITICAL, rule="C"), finding(Severity.LOW))
    terms = density_terms(1_000_000, 20)

    explained = explain(report(gate("a", 99.9, found, terms), threshold=10), {"a": "critical"})

    assert [fix.rule for fix in explained.fixes] == ["C"]


def test_a_gate_under_its_minimum_is_mended_though_the_run_is_above_the_threshold() -> None:
    found = tuple(finding(Severity.HIGH, line=n) for n in range(1, 6))
    tests = gate("tests", 50, found, share_terms(5, 10, "finding"), minimum=80)

    explained = explain(report(tests, gate("b", 100), threshold=10), {"tests": "critical"})

    assert len(explained.fixes) == 3
    assert explained.passes


def test_a_file_with_two_findings_is_one_fix() -> None:
    found = (finding(Severity.HIGH, line=1), finding(Severity.HIGH, line=2))

    explained = explain(report(gate("a", 50, found, share_terms(1, 2, "file"))), {})

    assert [(fix.line, fix.score) for fix in explained.fixes] == [(1, 100)]


def test_uncovered_lines_count_by_the_file() -> None:
    found = (finding(Severity.LOW, path="a.py"), finding(Severity.LOW, path="b.py"))
    metrics = {"formula": share_terms(50, 100, "line"), "missing": {"a.py": 10, "b.py": 40}}

    explained = explain(report(gate("coverage", 50, found, metrics=metrics)), {})

    assert [(fix.path, fix.score) for fix in explained.fixes] == [("b.py", 90)]


def test_a_benchmark_within_its_budget_gains_what_it_lost() -> None:
    slow = finding(Severity.HIGH, path="slow")
    terms = mean_terms({"slow": 20, "fast": 100})

    explained = explain(report(gate("performance", 60, (slow,), terms)), {})

    assert [fix.score for fix in explained.fixes] == [100]


def test_all_that_a_baseline_does_not_accept_is_mended_though_the_scores_suffice() -> None:
    found = (
        finding(Severity.LOW, line=1),
        finding(Severity.MEDIUM, line=2),
        finding(Severity.LOW, rule="baseline-unused"),
    )
    new = gate("a", 99, found, density_terms(1_000_000, 20), status="failed", failure="2 are new")

    explained = explain(report(new, threshold=10), {})

    assert [fix.line for fix in explained.fixes] == [2, 1]
    assert explained.passes


@pytest.mark.parametrize(
    ("result", "obstacle"),
    [
        (gate("a", 0, status="error", reason="crashed"), "a could not be judged: crashed"),
        (gate("a", 0, status="skipped", reason="no", required=True), "a could not be judged: no"),
        (gate("a", 40), "the findings alone do not reach the threshold"),
        (gate("a", 90, status="failed", failure="90 is under 95"), "a failed: 90 is under 95"),
    ],
)
def test_what_no_fix_can_mend_is_said(result: CheckResult, obstacle: str) -> None:
    explained = explain(report(result), {})

    assert not explained.passes
    assert obstacle in explained.obstacles
