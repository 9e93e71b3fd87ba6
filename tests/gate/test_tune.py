"""Tuning: how results are told, and one real run with each kind of variant."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from sdlc_cli.core import render
from sdlc_cli.core.errors import ConfigError, NothingToDo, WorkError
from sdlc_cli.gate.options import Benchmark, Performance
from sdlc_cli.gate.paired import Comparison, Interval, Terms, Verdict
from sdlc_cli.gate.schema import get
from sdlc_cli.gate.tune import Trial, Tried, Tuned, as_json, as_table, judged, told, tune
from sdlc_cli.gate.variants import Setting, Tune, Variant

Tree = Callable[..., Path]

BENCH = """
import json, os

def work():
    rounds = json.load(open("limits.json"))["rounds"] // int(os.environ.get("SHARE", "1"))
    total = 0
    for i in range(rounds):
        total += i * i % 7
"""
CALL = Benchmark(name="work", callable="bench:work", iterations=1, warmup=0)
OPTIONS = Performance(
    benchmarks=(CALL,), compare="HEAD", python=sys.executable, budget_time=60, max_pairs=16
)


@pytest.fixture
def project(tree: Tree) -> Path:
    return tree({"bench.py": BENCH, "limits.json": '{"rounds": 200000}'}, git=True)


def git(root: Path, *words: str) -> str:
    done = subprocess.run(["git", *words], cwd=root, capture_output=True, text=True, check=True)
    return done.stdout


def interval(ratio: float, width: float = 0.1) -> Interval:
    return Interval(ratio=ratio, low=ratio - width, high=ratio + width)


def trial(result: str, ratio: float) -> Trial:
    return Trial(benchmark="b", result=result, interval=interval(ratio), pairs=20)  # type: ignore[arg-type]


def comparison(verdict: Verdict, low: float, ratio: float, high: float) -> Comparison:
    return Comparison(
        verdict=verdict, terms=Terms(), pairs=20, planned=80, ended="decided", ratios={},
        interval=Interval(ratio=ratio, low=low, high=high), detectable=1.1, base=None, head=None,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("verdict", "low", "ratio", "high", "result"),
    [
        ("slower", 1.2, 1.25, 1.3, "faster"),
        ("not slower", 0.99, 1.0, 1.02, "no gain"),
        ("not slower", 0.7, 0.8, 0.9, "slower"),
        ("inconclusive", 0.9, 1.0, 1.1, "inconclusive"),
    ],
)
def test_the_unchanged_state_is_what_may_be_slower(
    verdict: Verdict, low: float, ratio: float, high: float, result: str
) -> None:
    got = judged("b", comparison(verdict, low, ratio, high))

    assert got.result == result
    assert got.interval == Interval(ratio=1 / ratio, low=1 / high, high=1 / low)


@pytest.mark.parametrize(
    ("results", "kept"),
    [
        (["faster"], True),
        (["faster", "no gain", "inconclusive"], True),
        (["faster", "slower"], False),
        (["faster", "failed"], False),
        (["no gain"], False),
        (["inconclusive"], False),
        ([], False),
    ],
)
def test_a_variant_is_kept_when_it_gains_and_costs_nothing(results: list[str], kept: bool) -> None:
    assert Tried(name="v", trials=tuple(trial(one, 0.9) for one in results)).kept is kept


def several() -> Tuned:
    return Tuned(
        commit="c" * 40,
        variants=(
            Tried(name="better", trials=(trial("faster", 0.8),)),
            Tried(name="best", trials=(trial("faster", 0.5),)),
            Tried(name="worse", trials=(trial("slower", 1.5),)),
            Tried(
                name="broken", trials=(Trial(benchmark="b", result="failed", reason="it broke"),)
            ),
        ),
        notes=("a note",),
    )


def test_mean_and_best_are_of_what_is_kept() -> None:
    tuned = several()

    assert [variant.name for variant in tuned.kept] == ["better", "best"]
    assert tuned.best is not None
    assert tuned.best.name == "best"
    assert tuned.mean is not None
    assert tuned.mean.ratio == pytest.approx((0.8 * 0.5) ** 0.5)
    assert tuned.mean.low == pytest.approx((0.7 * 0.4) ** 0.5)
    assert tuned.mean.high == pytest.approx((0.9 * 0.6) ** 0.5)


def test_without_a_kept_variant_there_is_no_mean_and_no_best() -> None:
    body = as_json(Tuned(commit="c", variants=several().variants[2:]))

    assert (body["tried"], body["kept"]) == (2, 0)
    assert body["mean"] == {"improvement": None, "low": None, "high": None}
    assert body["best"] == {"name": None, "improvement": None, "low": None, "high": None}


def test_people_are_told_mean_and_best_with_their_intervals_and_why_a_trial_failed() -> None:
    assert told(several()) == (
        "mean of what is kept: 36.8 % less (between 26.5 % and 47.1 %)",
        "best: best, 50.0 % less (between 40.0 % and 60.0 %)",
        "broken, b: it broke",
    )


@pytest.mark.parametrize(
    ("results", "code"),
    [
        (["no gain", "failed"], 0),
        (["slower"], 0),
        (["inconclusive", "failed"], 3),
        (["failed"], 3),
    ],
)
def test_a_run_that_could_decide_nothing_is_no_success(results: list[str], code: int) -> None:
    trials = tuple(trial(result, 1.0) for result in results)

    assert Tuned(commit="c", variants=(Tried(name="v", trials=trials),)).exit_code == code


def test_the_result_is_told_to_people_and_machines(golden: Callable[[str, str], None]) -> None:
    tuned = several()

    golden("tune.md", render.markdown(as_table(tuned)))
    golden("tune.json", json.dumps(as_json(tuned), indent=2, allow_nan=False) + "\n")


@pytest.mark.dev
def test_the_published_schema_describes_the_result() -> None:
    from jsonschema import Draft202012Validator

    validator = Draft202012Validator(get("gate-tune"))

    for variants in (several().variants, several().variants[2:]):
        validator.validate(as_json(Tuned(commit="c", variants=variants)))
        assert not validator.is_valid(as_json(Tuned(commit="c", variants=variants)) | {"more": 1})


def test_variants_are_tried_and_the_good_ones_kept(project: Path) -> None:
    less = BENCH.replace("range(rounds)", "range(rounds // 10)")
    (project / "bench.py").write_text(less)
    (project / "less.patch").write_text(git(project, "diff"))
    git(project, "checkout", "-q", "bench.py")
    fewer = Setting(file="limits.json", key="rounds", value="20000")
    more = Setting(file="limits.json", key="rounds", value="600000")
    wanted = Tune(
        variants=(
            Variant(name="environment", environment={"SHARE": "10"}),
            Variant(name="settings", settings=(fewer,)),
            Variant(name="patch", patch="less.patch"),
            Variant(name="worse", settings=(more,)),
            Variant(name="broken", environment={"SHARE": "0"}),
        )
    )

    tuned = tune(project, OPTIONS, wanted)

    results = {variant.name: variant.trials[0].result for variant in tuned.variants}
    assert results == {
        "environment": "faster",
        "settings": "faster",
        "patch": "faster",
        "worse": "slower",
        "broken": "failed",
    }
    assert len(tuned.kept) == 3
    assert "ZeroDivisionError" in tuned.variants[4].trials[0].reason
    assert len(git(project, "worktree", "list").splitlines()) == 1


def test_a_patch_that_is_a_pipe_is_an_error_and_not_waited_for(project: Path) -> None:
    os.mkfifo(project / "pipe.patch")

    with pytest.raises(WorkError, match=r"pipe\.patch is no regular file"):
        tune(project, OPTIONS, Tune(variants=(Variant(name="v", patch="pipe.patch"),)))


def test_a_patch_that_does_not_apply_is_an_error(project: Path) -> None:
    (project / "bad.patch").write_text(
        "--- a/bench.py\n+++ b/bench.py\n@@ -1 +1 @@\n-no such line\n+another\n"
    )

    with pytest.raises(WorkError, match=r"bad\.patch does not apply"):
        tune(project, OPTIONS, Tune(variants=(Variant(name="v", patch="bad.patch"),)))


def test_an_unchanged_state_that_fails_is_an_error(project: Path) -> None:
    broken = Performance(
        benchmarks=(Benchmark(name="work", callable="bench:gone"),),
        compare="HEAD",
        python=sys.executable,
    )

    with pytest.raises(WorkError, match="has no gone"):
        tune(project, broken, Tune(variants=(Variant(name="v", environment={"A": "1"}),)))


def test_without_benchmarks_there_is_nothing_to_do(project: Path) -> None:
    wanted = Tune(variants=(Variant(name="v", environment={"A": "1"}),))

    with pytest.raises(NothingToDo):
        tune(project, Performance(), wanted)


def test_an_unknown_benchmark_is_an_error(project: Path) -> None:
    wanted = Tune(variants=(Variant(name="v", environment={"A": "1"}),), benchmarks=("other",))

    with pytest.raises(ConfigError, match="no benchmark is called 'other'"):
        tune(project, OPTIONS, wanted)
