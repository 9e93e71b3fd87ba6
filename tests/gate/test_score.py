"""The verdict: weights, minimums, severities, requirements, exit codes."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from sdlc_cli.core.finding import Finding, Severity
from sdlc_cli.gate import config as gates
from sdlc_cli.gate.config import GateConfig
from sdlc_cli.gate.formula import points
from sdlc_cli.gate.model import GateReport, Measurement
from sdlc_cli.gate.score import Measured, judge

Scores = Mapping[str, float | str]


def make_config(
    weights: Mapping[str, float],
    *,
    required: frozenset[str] = frozenset(),
    threshold: float = 70,
    **options: Any,
) -> GateConfig:
    rule = gates.GenerationRule(name="make it work", score=threshold)
    return GateConfig(
        file=Path("gates.yaml"),
        root=Path(),
        paths=(".",),
        exclude=(),
        generation=1,
        generations={1: rule},
        required={1: required},
        gates={name: gates.Gate(weight=weight, **options) for name, weight in weights.items()},
    )


def run(scores: Scores, config: GateConfig, **options: Any) -> GateReport:
    """`scores`: a number is a judged gate's score, a word its outcome."""
    measured = {
        name: Measured(
            measurement=Measurement(score=score)
            if isinstance(score, int | float)
            else Measurement(outcome=score, reason="why")  # type: ignore[arg-type]
        )
        for name, score in scores.items()
    }
    return judge(measured, config, 1, **options)


@pytest.mark.parametrize(
    ("scores", "weights", "expected"),
    [
        pytest.param({"a": 80}, {"a": 1}, 80, id="one gate"),
        pytest.param({"a": 100, "b": 0}, {"a": 3, "b": 1}, 75, id="weighted mean"),
        pytest.param({"a": 100, "b": 0}, {"a": 1, "b": 0}, 100, id="weight 0 counts nothing"),
        pytest.param(
            {"syntax": 85, "security": 45, "performance": 90, "integration": 80},
            {"syntax": 1, "security": 1, "performance": 1, "integration": 1},
            75.0,
            id="four gates of equal weight",
        ),
        pytest.param(
            {"a": 100, "b": 100, "c": 50, "d": 35, "e": 100},
            dict.fromkeys("abcde", 2.5),
            77.0,
            id="five gates of equal weight",
        ),
        pytest.param({"a": 60, "b": "skipped"}, {"a": 1, "b": 9}, 60, id="a skip does not count"),
        pytest.param({"a": 60, "b": "error"}, {"a": 1, "b": 9}, 60, id="nor does an error"),
        pytest.param({"a": "skipped"}, {"a": 1}, None, id="nothing judged has no score"),
    ],
)
def test_the_score_is_the_weighted_mean_of_the_judged_gates(
    scores: Scores, weights: Mapping[str, float], expected: float | None
) -> None:
    report = run(scores, make_config(weights))

    assert report.score == (None if expected is None else pytest.approx(expected))


@pytest.mark.parametrize(
    ("scores", "required", "exit_code"),
    [
        pytest.param({"a": 70}, set(), 0, id="on the threshold"),
        pytest.param({"a": 69.99}, set(), 1, id="under the threshold"),
        pytest.param({"a": 100, "b": "error"}, set(), 3, id="an error"),
        pytest.param({"a": 10, "b": "error"}, set(), 3, id="an error outranks a failure"),
        pytest.param({"a": 100, "b": "skipped"}, set(), 0, id="a skip that nobody asks for"),
        pytest.param({"a": 100, "b": "skipped"}, {"b"}, 1, id="a required gate skipped"),
        pytest.param({"a": 100, "b": "inconclusive"}, {"b"}, 1, id="a required gate undecided"),
        pytest.param({"a": 100, "b": "inconclusive"}, set(), 0, id="an undecided gate"),
        pytest.param({"a": 100}, {"b"}, 1, id="a required gate that is not set up"),
        pytest.param({"a": "skipped"}, set(), 4, id="all skipped"),
        pytest.param({"a": "skipped"}, {"a"}, 4, id="all skipped, though required"),
        pytest.param({"a": "inconclusive"}, set(), 3, id="nothing decided"),
        pytest.param({}, set(), 4, id="no gate at all"),
    ],
)
def test_the_exit_code_tells_the_verdict(
    scores: Scores, required: set[str], exit_code: int
) -> None:
    report = run(scores, make_config({"a": 1, "b": 1}, required=frozenset(required)))

    assert report.exit_code == exit_code
    assert report.passed == (exit_code == 0)
    assert bool(report.reasons) == (exit_code != 0)


def test_a_critical_finding_fails_a_gate_whatever_its_score() -> None:
    bad = Finding(rule="key", severity=Severity.CRITICAL, message="a key")
    measured = {"a": Measured(measurement=Measurement(score=99, findings=(bad,)))}

    report = judge(measured, make_config({"a": 1}), 1)

    assert report.result("a").status == "failed"
    assert report.exit_code == 1
    assert "1 of severity critical or worse, first key" in report.reasons[0]


def test_fail_on_lowers_the_severity_that_fails() -> None:
    bad = Finding(rule="B101", severity=Severity.MEDIUM, message="assert")
    measured = {"a": Measured(measurement=Measurement(score=99, findings=(bad,)))}

    assert judge(measured, make_config({"a": 1}), 1).passed
    assert not judge(measured, make_config({"a": 1}, fail_on="medium"), 1).passed


def test_a_gate_under_its_minimum_fails_the_run_above_the_threshold() -> None:
    report = run({"a": 79, "b": 100}, make_config({"a": 1, "b": 1}, minimum=80.0))

    assert report.result("a").status == "failed"
    assert report.exit_code == 1
    assert report.reasons == ("a failed: score 79.0 is under the minimum 80.0",)


def test_require_turns_a_skip_into_an_error() -> None:
    report = run({"a": 100, "b": "skipped"}, make_config({"a": 1, "b": 1}), require=["b"])

    assert report.result("b").status == "error"
    assert report.exit_code == 3


def test_require_holds_for_a_gate_that_only_leaves_out() -> None:
    report = run({"a": 100}, make_config({"a": 1, "b": 1}), scope=["a"], require=["b"])

    assert report.result("b").status == "error"
    assert "left out by --only" in report.result("b").reason


def test_what_was_not_judged_shows_in_the_judged_weight() -> None:
    config = make_config({"a": 3, "b": 1}, required=frozenset({"a", "b", "c"}))
    report = run({"a": 100, "b": "skipped"}, config)

    assert report.judged_weight == pytest.approx(3 / 5)
    assert [(r.name, r.status, r.required) for r in report.results] == [
        ("a", "passed", True),
        ("b", "skipped", True),
        ("c", "skipped", True),
    ]


def test_a_gate_run_alone_asks_only_for_itself() -> None:
    config = make_config({"a": 1, "b": 1}, required=frozenset({"a", "b"}))

    assert run({"a": 100}, config, scope=["a"]).passed
    assert not run({"a": "skipped"}, config, scope=["a"]).passed


def test_a_measurement_without_a_score_is_an_error() -> None:
    measured = {"a": Measured(measurement=Measurement())}

    assert judge(measured, make_config({"a": 1}), 1).exit_code == 3


@pytest.mark.parametrize(("score", "text"), [(89.97, "89.9"), (100, "100.0"), (77.1, "77.1")])
def test_points_never_round_up_over_a_threshold(score: float, text: str) -> None:
    assert points(score) == text
