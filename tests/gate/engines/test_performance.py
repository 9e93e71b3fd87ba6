import json
import math
import os
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path
from typing import Any

import pytest

from sdlc_cli.core.errors import WorkError
from sdlc_cli.gate.benchmarks import HARNESS
from sdlc_cli.gate.compare import Change, Compared
from sdlc_cli.gate.engines.performance import check
from sdlc_cli.gate.growth import Growth
from sdlc_cli.gate.model import Measurement
from sdlc_cli.gate.options import Benchmark, Budget, Performance
from sdlc_cli.gate.paired import Interval, Verdict
from sdlc_cli.gate.source import Project

Tree = Callable[..., Path]
MIB = 2**20

BENCH = """
import time
kept = []
def nap(): time.sleep(0.03)
def busy():
    end = time.process_time() + 0.03
    while time.process_time() < end: pass
def large(): return bytearray(20 * 2**20) and None
def leaks_lists(): kept.append([])
def leaks_text(): kept.append(str(time.perf_counter_ns()) * 3)
def clean(): return [{"a": str(n)} for n in range(100)]
def raises(): raise ValueError("no such luck")
def leaves(): raise SystemExit(0)
def generator(): yield 1
def lazily(): return generator()
async def napping():
    import asyncio
    await asyncio.sleep(0.03)
class Klass:
    @staticmethod
    def method(): nap()
number = 3
"""


def measure(root: Path, *, configured: bool = True, **options: Any) -> Measurement:
    project = Project(root=root, base=root, files=(), configured=configured)
    options = {"python": sys.executable} | options
    return check(project, "performance", Performance(**options))


def call(tree: Tree, function: str, **options: Any) -> Measurement:
    one = Benchmark(name="b", callable=f"pkg.bench:{function}", **({"time": 60} | options))
    return measure(tree({"pkg/bench.py": BENCH}), benchmarks=(one,))


def command(tree: Tree, code: str, **options: Any) -> Measurement:
    words = ("python", "-I", "-S", "-c", code)
    return measure(tree({}), benchmarks=(Benchmark(name="b", command=words, **options),))


def row(got: Measurement, name: str = "b") -> dict[str, Any]:
    rows = got.metrics["benchmarks"]
    assert isinstance(rows, list)
    return next(row for row in rows if row["name"] == name)


def test_a_command_within_its_budget_gets_full_points(tree: Tree) -> None:
    got = command(tree, "print(1)", time=60, memory=200 * MIB, iterations=3)

    assert (got.outcome, got.score, got.findings) == ("judged", 100, ())
    assert row(got)["iterations"] == 3
    assert 0 < row(got)["min_s"] <= row(got)["median_s"] <= row(got)["max_s"]
    assert row(got)["peak_bytes"] < 60 * MIB
    assert row(got)["time_limit"] == 60


def test_warmup_runs_are_not_measured(tree: Tree, tmp_path: Path) -> None:
    code = (
        "import os, time\n"
        "open('runs', 'a').write('x')\n"
        "time.sleep(0 if os.path.getsize('runs') > 2 else 2)"
    )
    got = command(tree, code, time=60, iterations=2, warmup=2)

    assert (tmp_path / "project" / "runs").read_text() == "xxxx"
    assert row(got)["max_s"] < 2


def test_over_budget_costs_points_by_the_ratio(tree: Tree) -> None:
    code = "import time; x = b'x' * (100 << 20); time.sleep(0.4)"

    got = command(tree, code, time=0.1, memory=50 * MIB, iterations=1, warmup=0)

    slow, large = sorted(got.findings, key=lambda f: f.message, reverse=True)
    assert {f.rule for f in got.findings} == {"over-budget"}
    assert {f.severity for f in got.findings} == {"high"}
    assert "100 ms is allowed" in slow.message
    assert "of memory, 50 MiB is allowed (2." in large.message
    expected = (10 / row(got)["median_s"] + 100 * 50 * MIB / row(got)["peak_bytes"]) / 2
    assert got.score == pytest.approx(expected)


@pytest.mark.parametrize(
    ("code", "options", "says"),
    [
        ("raise SystemExit('no luck')", {"time": 60}, "exit code 1. The last lines: no luck"),
        ("import time; time.sleep(600)", {"time": 60, "timeout": 0.5}, "within 0.5 s"),
        ("import os; os.kill(os.getpid(), 9)", {"time": 60}, "exit code -9"),
        ("pass", {}, "has no limit"),
        ("pass", {"objects": 1}, "its objects was not measured"),
    ],
)
def test_a_command_that_was_not_measured_is_an_error(
    code: str, options: dict[str, Any], says: str, tree: Tree
) -> None:
    got = command(tree, code, **options)

    assert (got.outcome, got.score) == ("error", None)
    assert says in got.reason


def test_a_missing_program_is_an_error_and_the_others_are_measured(tree: Tree) -> None:
    got = measure(
        tree({}),
        benchmarks=(
            Benchmark(name="a", command=("no-such-program",), time=1),
            Benchmark(name="b", command=("python", "-c", "pass"), time=60, iterations=1),
        ),
    )

    assert got.outcome == "error"
    assert "no-such-program was not found" in got.reason
    assert row(got)["iterations"] == 1


@pytest.mark.parametrize("function", ["nap", "napping", "Klass.method"])
def test_a_function_is_timed_in_the_projects_python(function: str, tree: Tree) -> None:
    got = call(tree, function, iterations=3)

    assert (got.outcome, got.score) == ("judged", 100), got.reason
    assert row(got)["kind"] == "callable"
    assert 0.03 <= row(got)["median_s"] < 5
    assert row(got)["peak_bytes"] is None


def test_cpu_time_is_told_apart_from_wall_time(tree: Tree) -> None:
    nap, busy = row(call(tree, "nap")), row(call(tree, "busy"))

    assert nap["cpu_s"] < nap["median_s"] / 2
    assert busy["cpu_s"] >= 0.03


def test_memory_of_a_function_is_what_its_objects_take(tree: Tree) -> None:
    got = call(tree, "large", memory=10 * MIB)

    assert row(got)["peak_bytes"] == pytest.approx(20 * MIB, rel=0.01)
    assert [f.message for f in got.findings] == [
        "b took 20 MiB of memory, 10 MiB is allowed (2.00x)"
    ]
    assert got.score == pytest.approx(75, abs=0.5)


@pytest.mark.parametrize(
    ("function", "objects"), [("clean", 0), ("nap", 0), ("leaks_lists", 1), ("leaks_text", 1)]
)
@pytest.mark.parametrize("iterations", [1, 20])
def test_objects_kept_are_counted(function: str, objects: int, iterations: int, tree: Tree) -> None:
    got = call(tree, function, time=60, objects=0.5, iterations=iterations)

    assert row(got)["objects"] == pytest.approx(objects, abs=0.01)
    assert got.score == (75 if objects else 100)


@pytest.mark.parametrize(
    ("function", "says"),
    [
        ("raises", "no such luck"),
        ("leaves", "ended before it was measured"),
        ("generator", "returns a generator that nobody runs"),
        ("lazily", "returns a generator that nobody runs"),
        ("absent", "pkg.bench has no absent"),
        ("number", "cannot be called"),
    ],
)
def test_a_function_that_was_not_measured_is_an_error(function: str, says: str, tree: Tree) -> None:
    got = call(tree, function)

    assert (got.outcome, got.score) == ("error", None)
    assert says in got.reason


def test_the_harness_runs_in_every_python_found_here(tree: Tree) -> None:
    root = tree({"bench.py": BENCH})
    others = Path.home().glob(".pyenv/versions/3.*/bin/python")
    pythons = [p for p in others if int(p.parts[-3].split(".")[1]) >= 8]

    for python in (Path(sys.executable), *pythons):
        subprocess.run(
            [python, "-c", HARNESS.read_text(), "bench:leaks_text", "3", "1", "out.json",
             "memory", "objects"],
            cwd=root, check=True,
        )  # fmt: skip
        figures = json.loads((root / "out.json").read_text())
        (root / "out.json").unlink()

        assert len(figures["wall_ns"]) == len(figures["cpu_ns"]) == 3, python
        assert (figures["objects"], len(figures["memory"])) == (1, 3), python


def benchmark(name: str, median: float, **changes: Any) -> dict[str, Any]:
    stats = {"min": median / 2, "max": median * 2, "median": median, "mean": 99, "rounds": 7}
    return {"name": name, "fullname": f"test_b.py::{name}", "stats": stats | changes}


def report(rows: list[dict[str, Any]], **changes: Any) -> str:
    made = {"datetime": datetime.now(UTC).isoformat(), "version": "5"}
    return json.dumps({"benchmarks": rows} | made | changes)


def compare(tree: Tree, rows: list[dict[str, Any]], **budgets: Budget) -> Measurement:
    named = {name.replace("__", "*"): budget for name, budget in budgets.items()}
    root = tree({"b.json": report(rows)})
    return measure(root, report="b.json", budgets=named)


def test_medians_of_a_report_are_held_against_the_budgets(tree: Tree) -> None:
    rows = [benchmark("test_a", 0.1), benchmark("test_b", 0.4), benchmark("other", 9)]

    got = compare(tree, rows, test__=Budget(time=0.2))

    assert (got.outcome, got.score) == ("judged", 75)
    assert [f.message for f in got.findings] == ["test_b took 400 ms, 200 ms is allowed (2.00x)"]
    assert row(got, "other").get("time_limit") is None
    assert row(got, "test_b")["time_limit"] == 0.2


def test_the_tightest_of_several_budgets_counts(tree: Tree) -> None:
    got = compare(tree, [benchmark("test_a", 0.4)], __=Budget(time=1), test__=Budget(time=0.2))

    assert (got.score, got.metrics["limits"]) == (50, 1)


@pytest.mark.parametrize("glob", ["test_s[10]", "test_b.py::test_s[[]10]", "*::test_s*"])
def test_a_name_with_brackets_is_found(glob: str, tree: Tree) -> None:
    root = tree({"b.json": report([benchmark("test_s[10]", 0.1)])})

    assert measure(root, report="b.json", budgets={glob: Budget(time=1)}).score == 100


def test_a_median_next_to_its_limit_is_marked(tree: Tree) -> None:
    rows = [benchmark("test_a", 0.098), benchmark("test_b", 0.05)]

    got = compare(tree, rows, test__=Budget(time=0.1))

    assert (row(got, "test_a")["close"], row(got, "test_b")["close"]) == (True, False)


@pytest.mark.parametrize(
    ("rows", "budgets", "says"),
    [
        ([benchmark("test_a", 1)], {"other__": Budget(time=1)}, "no benchmark is called 'other*'"),
        ([], {"__": Budget(time=1)}, "holds no benchmark"),
        ([benchmark("test_a", 1)], {"__": Budget(memory=1)}, "its memory was not measured"),
        ([benchmark("test_a", 1, rounds=0)], {"__": Budget(time=9)}, "was never run"),
        ([benchmark("test_a", -1)], {"__": Budget(time=9)}, "a time that no clock shows"),
        ([benchmark("test_a", 0)], {"__": Budget(time=9)}, "a time that no clock shows"),
        ([benchmark("test_a", 1, max=0.5)], {"__": Budget(time=9)}, "a time that no clock shows"),
        ([benchmark("test_a", math.nan)], {"__": Budget(time=9)}, "not pytest-benchmark's JSON"),
        ([{"name": "test_a"}], {"__": Budget(time=9)}, "not pytest-benchmark's JSON"),
    ],
)
def test_a_report_that_leaves_a_budget_open_is_an_error(
    rows: list[dict[str, Any]], budgets: dict[str, Budget], says: str, tree: Tree
) -> None:
    got = compare(tree, rows, **budgets)

    assert (got.outcome, got.score) == ("error", None)
    assert says in got.reason


@pytest.mark.parametrize("made", ["", "yesterday", "2026-13-01"])
def test_a_report_that_does_not_say_when_it_was_made_is_an_error(made: str, tree: Tree) -> None:
    root = tree({"b.json": report([benchmark("test_a", 0.1)], datetime=made)})

    got = measure(root, report="b.json", budgets={"*": Budget(time=1)})

    assert got.outcome == "error"
    assert "does not say when it was made" in got.reason


@pytest.mark.parametrize(
    ("days", "zone", "says"),
    [
        pytest.param(0, UTC, "", id="new"),
        pytest.param(29, UTC, "", id="29 days"),
        pytest.param(32, UTC, "is 32 days old", id="old"),
        pytest.param(32, None, "is 32 days old", id="UTC, unsaid"),
        pytest.param(3, UTC, "older than the code: app.py changed since", id="code changed"),
    ],
)
def test_an_old_report_is_a_finding(days: int, zone: tzinfo | None, says: str, tree: Tree) -> None:
    made = datetime.now(UTC) - timedelta(days=days, minutes=5)
    text = made.replace(tzinfo=zone).isoformat()
    root = tree({"app.py": "", "b.json": report([benchmark("test_a", 0.1)], datetime=text)})
    changed = (made + timedelta(hours=1 if "changed" in says else -1)).timestamp()
    os.utime(root / "app.py", (changed, changed))
    project = Project(root=root, base=root, files=("app.py",))

    got = check(project, "performance", Performance(report="b.json", budgets={"*": Budget(time=1)}))

    assert (got.outcome, got.score) == ("judged", 100)
    assert [f.rule for f in got.findings] == ["stale-report"] * bool(says)
    assert says in "".join(f.message for f in got.findings)


@pytest.mark.parametrize("name", ["pipe.json", "/dev/zero"])
def test_a_pipe_or_a_device_is_no_report(name: str, tree: Tree) -> None:
    root = tree({})
    os.mkfifo(root / "pipe.json")

    got = measure(root, report=name, budgets={"*": Budget(time=1)})

    assert got.outcome == "error"
    assert "is no regular file" in got.reason


def test_a_missing_report_is_an_error(tree: Tree) -> None:
    got = measure(tree({}), report="none.json", budgets={"*": Budget(time=1)})

    assert got.outcome == "error"
    assert "none.json cannot be read" in got.reason


def test_a_report_that_pytest_benchmark_wrote_is_read(tree: Tree) -> None:
    root = tree({"test_b.py": "def test_sum(benchmark):\n    benchmark(sum, range(100))\n"})
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist",
         "--benchmark-json=b.json", "--benchmark-max-time=0.05", "test_b.py"],
        cwd=root, capture_output=True, text=True,
        env={k: v for k, v in os.environ.items() if not k.startswith("PYTEST_")},
    )  # fmt: skip
    if "unrecognized arguments" in done.stderr:
        pytest.skip("pytest-benchmark is not installed")

    got = measure(root, report="b.json", budgets={"test_sum": Budget(time=1)})

    assert got.score == 100
    assert row(got, "test_sum")["iterations"] >= 5


def test_without_gates_yaml_or_benchmarks_the_gate_is_skipped(tree: Tree) -> None:
    one = Benchmark(name="b", command=("python", "-c", "open('ran', 'w')"), time=1)
    root = tree({})

    unconfigured = measure(root, configured=False, benchmarks=(one,))
    nothing = measure(root)

    assert (unconfigured.outcome, nothing.outcome) == ("skipped", "skipped")
    assert "without gates.yaml" in unconfigured.reason
    assert not (root / "ran").exists()


def test_without_an_environment_nothing_is_measured(tree: Tree) -> None:
    one = Benchmark(name="b", command=("true",), time=1)

    with pytest.raises(WorkError, match="neither a Python environment"):
        measure(tree({}), benchmarks=(one,), python=".venv")


def change(name: str, verdict: Verdict, ratio: float, **more: Any) -> Change:
    interval = Interval(ratio=ratio, low=ratio * 0.98, high=ratio * 1.02)
    return Change(name=name, verdict=verdict, limit=1.03, interval=interval, pairs=20, **more)


OPEN = Change(name="c", verdict="inconclusive", limit=1.03, reason="80 pairs were not enough")
GREW = Growth(
    function="inner", path="app/a.py", base_s=0.001, head_s=0.0135, base_calls=1, head_calls=9
)


def compared(
    tree: Tree, monkeypatch: pytest.MonkeyPatch, *changes: Change, **more: Any
) -> Measurement:
    """The gate's view of a comparison that came out like this; nothing is run."""
    result = Compared(base="b" * 40, head="a" * 40, changes=changes, **more)
    monkeypatch.setattr("sdlc_cli.gate.compare.compare", lambda project, options: result)
    one = Benchmark(name="b", callable="pkg.bench:clean")
    return measure(tree({}), benchmarks=(one,), compare="main")


def test_a_benchmark_that_is_slower_than_the_base_is_a_finding(
    tree: Tree, monkeypatch: pytest.MonkeyPatch
) -> None:
    slower = change("a", "slower", 1.25, grown=(GREW,))

    got = compared(tree, monkeypatch, slower, change("b", "not slower", 1.0))

    assert got.outcome == "judged"
    assert got.score == pytest.approx((100 * 1.03 / 1.25 + 100) / 2)
    assert [(f.rule, f.message) for f in got.findings] == [
        (
            "slower",
            (
                "a takes 1.250 times the CPU time it took in main (between 1.225 and 1.275);"
                " 1.030 is allowed. What grew: inner (app/a.py) +12.5 ms"
            ),
        )
    ]


def test_a_comparison_that_decides_nothing_is_inconclusive(
    tree: Tree, monkeypatch: pytest.MonkeyPatch
) -> None:
    got = compared(tree, monkeypatch, change("a", "not slower", 1.0), OPEN)

    assert (got.outcome, got.score) == ("inconclusive", None)
    assert got.reason == "c is inconclusive: 80 pairs were not enough"


def test_what_is_surely_slower_fails_beside_what_is_open(
    tree: Tree, monkeypatch: pytest.MonkeyPatch
) -> None:
    got = compared(tree, monkeypatch, change("a", "slower", 2.06), OPEN)

    assert (got.outcome, got.score) == ("judged", 50)


def test_nothing_changed_is_skipped_and_nobody_has_to_miss_it(
    tree: Tree, monkeypatch: pytest.MonkeyPatch
) -> None:
    got = compared(tree, monkeypatch, unchanged=True)

    assert (got.outcome, got.unchanged) == ("skipped", True)
    assert got.reason == "nothing changed since main"


def test_a_benchmark_that_cannot_run_is_an_error_whatever_the_others_say(
    tree: Tree, monkeypatch: pytest.MonkeyPatch
) -> None:
    got = compared(tree, monkeypatch, change("a", "slower", 2), troubles=("b broke",))

    assert (got.outcome, got.score, got.reason) == ("error", None, "b broke")


def test_a_comparison_is_told_to_machines_with_open_ends_as_null(
    tree: Tree, monkeypatch: pytest.MonkeyPatch
) -> None:
    endless = Change(
        name="a",
        verdict="inconclusive",
        limit=1.03,
        interval=Interval(ratio=1.0, low=0, high=float("inf")),
        pairs=8,
        reason="x",
    )

    got = compared(tree, monkeypatch, endless)

    comparison = got.metrics["comparison"]
    assert isinstance(comparison, dict)
    told = comparison["benchmarks"][0]
    assert (told["ratio"], told["low"], told["high"]) == (1.0, None, None)
    assert json.loads(json.dumps(comparison, allow_nan=False)) == comparison
