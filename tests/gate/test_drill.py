import ast
import json
import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from sdlc_cli.core.finding import Finding, Location, Severity
from sdlc_cli.gate import config as gate_config
from sdlc_cli.gate import run as gate_run
from sdlc_cli.gate import source
from sdlc_cli.gate.config import (
    Benchmark,
    CommandGate,
    Coverage,
    Gate,
    GateConfig,
    Integration,
    Maintainability,
    Performance,
    Secrets,
    Security,
    Syntax,
)
from sdlc_cli.gate.drill import DrillReport, Result, as_json, as_table, drill
from sdlc_cli.gate.model import GateReport, Measurement
from sdlc_cli.gate.plants import DEFECTS, CannotPlant, Site, fake_token
from sdlc_cli.gate.score import Measured, judge

Tree = Callable[..., Path]
Engine = Callable[[Path], Measurement]
FILES = {
    "app/__init__.py": "",
    "app/main.py": "def work():\n    return 1\n",
    "tests/test_main.py": "def test_a(): pass\ndef test_b(): pass\n",
    "tests/test_small.py": "def test_c(): pass\n",
}
PERFECT = Measurement(score=100.0)


def configure(root: Path, gates: Mapping[str, Gate]) -> GateConfig:
    return GateConfig(
        file=root / "gates.yaml",
        root=root,
        paths=(".",),
        exclude=(),
        generation=1,
        generations=gate_config.GENERATIONS,
        required={1: frozenset(), 2: frozenset(), 3: frozenset()},
        gates=gates,
    )


def practise(
    root: Path, gates: Mapping[str, tuple[Gate, Engine]], *names: str
) -> tuple[DrillReport, list[tuple[Path, frozenset[str]]]]:
    """A drill whose gates are the given functions of a folder."""
    config = configure(root, {name: gate for name, (gate, _) in gates.items()})
    calls: list[tuple[Path, frozenset[str]]] = []

    def run(folder: Path, only: frozenset[str]) -> GateReport:
        calls.append((folder, only))
        measured = {n: Measured(measurement=gates[n][1](folder)) for n in gates if n in only}
        return judge(measured, config, 1, scope=only)

    files = sorted(p.relative_to(root).as_posix() for p in root.rglob("*") if p.is_file())
    defects = [defect for defect in DEFECTS if not names or defect.name in names]
    return drill(root, config, run, files=files, defects=defects), calls


def sees(pattern: str, severity: str, score: float = 90) -> Engine:
    """An engine that finds `pattern` in Python files."""

    def engine(folder: Path) -> Measurement:
        found = [p for p in sorted(folder.rglob("*.py")) if pattern in p.read_text()]
        findings = tuple(
            Finding(
                rule="R1",
                severity=Severity(severity),
                message="bad",
                location=Location(path=path.relative_to(folder).as_posix(), line=1),
                fingerprint=path.name,
            )
            for path in found
        )
        return Measurement(score=score if findings else 100.0, findings=findings)

    return engine


def result(report: DrillReport) -> Result:
    (one,) = report.planted
    return one.result


@pytest.mark.parametrize(
    ("engine", "gate", "expected", "advice"),
    [
        pytest.param(sees("eval(", "critical"), Security(), "caught", "", id="critical"),
        pytest.param(sees("eval(", "medium"), Security(fail_on="medium"), "caught", "",
                     id="fail_on"),
        pytest.param(sees("eval(", "low", 60), Security(minimum=70), "caught", "", id="minimum"),
        pytest.param(sees("eval(", "low", 60), Security(), "caught", "", id="the run's score"),
        pytest.param(sees("eval(", "medium"), Security(), "seen",
                     "the run would fail with 'fail_on: medium' at the gate security", id="seen"),
        pytest.param(sees("nothing", "low"), Security(), "missed",
                     "check what the gate leaves out: 'exclude', 'allow' and the tool's own files",
                     id="missed"),
    ],
)  # fmt: skip
def test_eval_is_caught_seen_or_missed(
    tree: Tree, engine: Engine, gate: Gate, expected: Result, advice: str
) -> None:
    report, _ = practise(tree(FILES), {"security": (gate, engine)}, "eval")

    assert result(report) == expected
    assert report.planted[0].advice == advice
    assert report.exit_code == (1 if expected == "missed" else 0)


def test_a_gate_that_failed_before_must_fail_for_the_new_reason(tree: Tree) -> None:
    root = tree({**FILES, "app/old.py": "eval('1')\n"})
    everything = {"security": (Security(), sees("eval(", "critical"))}
    blind = {"security": (Security(), sees("eval('1')", "critical"))}

    assert result(practise(root, everything, "eval")[0]) == "caught"
    assert result(practise(root, blind, "eval")[0]) == "missed"


def test_without_a_gate_the_advice_names_one(tree: Tree) -> None:
    report, _ = practise(tree(FILES), {"syntax": (Syntax(), lambda _: PERFECT)}, "eval")

    assert result(report) == "no-gate"
    assert "set up the gate security" in report.planted[0].advice
    assert report.exit_code == 4


def test_a_command_gate_may_notice_too(tree: Tree) -> None:
    gate = CommandGate(kind="command", command=("x",))
    engine = sees("eval(", "critical")

    report, _ = practise(tree(FILES), {"mine": (gate, engine)}, "eval")

    assert (result(report), report.planted[0].gates) == ("caught", ("mine",))


def test_a_gate_that_is_broken_anyway_is_not_tried(tree: Tree) -> None:
    broken = Measurement(outcome="error", reason="no such tool")

    report, calls = practise(tree(FILES), {"security": (Security(), lambda _: broken)}, "eval")

    assert result(report) == "untried"
    assert "no such tool" in report.planted[0].detail
    assert (report.exit_code, report.notes) == (3, ())
    assert len(calls) == 2


def test_a_gate_that_breaks_only_in_the_copy_is_said(tree: Tree) -> None:
    root = tree(FILES)

    def engine(folder: Path) -> Measurement:
        here = folder == root
        return PERFECT if here else Measurement(outcome="error", reason="no database")

    report, _ = practise(root, {"security": (Security(), engine)}, "eval")

    assert "works in the project but not in a copy of it: no database" in report.notes[0]
    assert report.exit_code == 3


def test_only_the_gates_concerned_run_and_never_in_the_project(tree: Tree) -> None:
    root = tree(FILES)
    gates: dict[str, tuple[Gate, Engine]] = {
        "syntax": (Syntax(), sees("def broken(:", "critical")),
        "security": (Security(), sees("eval(", "critical")),
    }

    report, calls = practise(root, gates, "eval", "syntax-error")

    assert [sorted(only) for _, only in calls] == [["security", "syntax"], ["security"], ["syntax"]]
    assert all(folder != root for folder, _ in calls)
    assert not calls[0][0].exists()
    assert report.count("caught") == 2


def test_the_project_is_left_as_it_was(tree: Tree) -> None:
    root = tree(FILES)
    before = {p: p.read_bytes() for p in root.rglob("*") if p.is_file()}

    practise(root, {"security": (Security(), sees("eval(", "critical"))})

    assert {p: p.read_bytes() for p in root.rglob("*") if p.is_file()} == before


def number_of_tests(folder: Path) -> int:
    return sum(p.read_text().count("def test") for p in (folder / "tests").glob("*.py"))


def counts_tests(folder: Path) -> Measurement:
    return Measurement(score=100.0, metrics={"tests": number_of_tests(folder)})


def test_a_deleted_test_is_noticed_by_coverage(tree: Tree) -> None:
    def covers(folder: Path) -> Measurement:
        return Measurement(score=100.0 * number_of_tests(folder) / 3)

    gates: dict[str, tuple[Gate, Engine]] = {
        "integration": (Integration(), counts_tests),
        "coverage": (Coverage(weight=0.1), covers),
    }
    report, calls = practise(tree(FILES), gates, "deleted-test")

    (one,) = report.planted
    assert (one.result, one.path, one.gates) == ("seen", "tests/test_main.py", ("coverage",))
    assert one.advice == "the run would fail with 'minimum: 33.4' at the gate coverage"
    assert calls[-1][1] == {"integration", "coverage"}


def test_a_deleted_test_that_nobody_watches_tells_the_numbers(tree: Tree) -> None:
    gates: dict[str, tuple[Gate, Engine]] = {"integration": (Integration(), counts_tests)}

    report, _ = practise(tree(FILES), gates, "deleted-test")

    assert result(report) == "no-gate"
    assert report.planted[0].detail == "3 tests became 1, and no gate failed"


def test_coverage_without_tests_to_run_cannot_be_drilled(tree: Tree) -> None:
    report, _ = practise(tree(FILES), {"coverage": (Coverage(), lambda _: PERFECT)}, "deleted-test")

    assert result(report) == "impossible"


def site(root: Path, **gates: Gate) -> Site:
    files = sorted(p.relative_to(root).as_posix() for p in root.rglob("*") if p.is_file())
    return Site(root=root, base=root, files=files, config=configure(root, gates))


def plant(name: str, where: Site) -> tuple[str, str]:
    (defect,) = [defect for defect in DEFECTS if defect.name == name]
    ((path, content),) = defect.plan(where).items()
    return path, (content or b"").decode()


def test_new_files_go_into_the_largest_package(tree: Tree) -> None:
    root = tree({**FILES, "tools/a.py": "", "tools/b.py": "", "tools/c.py": ""})

    assert plant("eval", site(root))[0] == "app/sdlc_drill_planted.py"


@pytest.mark.parametrize("name", ["broken-assertion", "slower-benchmark"])
def test_a_pipe_in_the_place_of_a_file_is_not_waited_for(tree: Tree, name: str) -> None:
    root = tree({"app/__init__.py": "", "bench.py": "x = 1\n"})
    gate = Performance(benchmarks=(Benchmark(name="b", command=("python", "bench.py"), time=1),))
    where = replace(
        site(root, performance=gate, integration=Integration(command=("pytest",))),
        files=("tests/test_a.py", "bench.py"),
    )
    (root / "tests").mkdir()
    os.mkfifo(root / "tests/test_a.py")
    (root / "bench.py").write_bytes(b"x" * 5_000_001)

    with pytest.raises(CannotPlant):
        plant(name, where)


@pytest.mark.parametrize("name", ["fake-key", "eval", "too-complex"])
def test_planted_modules_compile(tree: Tree, name: str) -> None:
    assert ast.parse(plant(name, site(tree(FILES)))[1]).body


def test_the_syntax_error_is_one(tree: Tree) -> None:
    with pytest.raises(SyntaxError):
        ast.parse(plant("syntax-error", site(tree(FILES)))[1])


def test_the_tangle_is_over_any_limit(tree: Tree) -> None:
    text = plant(
        "too-complex", site(tree(FILES), maintainability=Maintainability(max_complexity=90))
    )

    assert text[1].count("    if ") == 270


def test_the_fake_key_has_the_shape_of_a_real_one() -> None:
    assert len(fake_token()) == 40
    assert fake_token().startswith("ghp" + "_")


def fast(**options: object) -> Performance:
    benchmark = Benchmark(name="b", time=0.001, **options)  # type: ignore[arg-type]
    return Performance(benchmarks=(benchmark,))


@pytest.mark.parametrize(
    ("gate", "path"),
    [
        pytest.param(fast(callable="app.main:work"), "app/main.py", id="callable"),
        pytest.param(fast(callable="inner.job:work"), "src/inner/job.py", id="in src"),
        pytest.param(fast(command=("python", "bench.py", "-q")), "bench.py", id="script"),
        pytest.param(fast(command=("python", "-m", "app.main")), "app/main.py", id="module"),
        pytest.param(fast(command=("python", "-m", "app")), "app/__init__.py", id="package"),
    ],
)
def test_where_a_benchmark_is_made_slower(tree: Tree, gate: Performance, path: str) -> None:
    extra = {"bench.py": '"""B."""\nfrom __future__ import annotations\nx = 1\n'}
    root = tree({**FILES, **extra, "src/inner/job.py": "def work(): return 2\n"})

    planted, text = plant("slower-benchmark", site(root, performance=gate))

    assert planted == path
    space: dict[str, object] = {"__name__": "m"}
    exec(compile(text, planted, "exec"), space)
    work = space.get("work")
    assert not callable(work) or work() in (1, 2)


@pytest.mark.parametrize(
    ("gate", "reason"),
    [
        pytest.param(fast(command=("make", "bench")), "runs no Python file", id="not Python"),
        pytest.param(fast(callable="json:dumps"), "json is no file of the project", id="elsewhere"),
        pytest.param(Performance(report="b.json"), "from a report", id="report"),
        pytest.param(
            Performance(benchmarks=(Benchmark(name="b", memory=1, callable="app.main:work"),)),
            "has no limit of time", id="memory only"),
        pytest.param(
            Performance(benchmarks=(Benchmark(name="b", time=60, callable="app.main:work"),)),
            "takes too long", id="long"),
    ],
)  # fmt: skip
def test_where_no_benchmark_can_be_made_slower(tree: Tree, gate: Performance, reason: str) -> None:
    with pytest.raises(CannotPlant, match=reason):
        plant("slower-benchmark", site(tree(FILES), performance=gate))


@pytest.mark.parametrize("name", ["eval", "broken-assertion"])
def test_a_project_without_a_place_says_so(tree: Tree, name: str) -> None:
    with pytest.raises(CannotPlant):
        plant(name, site(tree({"README.md": ""}), integration=Integration()))


def test_the_forms_for_machines_and_people(tree: Tree) -> None:
    gates: dict[str, tuple[Gate, Engine]] = {
        "security": (Security(), sees("eval(", "critical")),
        "secrets": (Secrets(), lambda _: PERFECT),
    }
    report, _ = practise(tree(FILES), gates)

    data = json.loads(json.dumps(as_json(report)))
    rows = {row[0]: row[1] for row in as_table(report).rows}

    assert [d["result"] for d in data["defects"]][:3] == ["missed", "caught", "no-gate"]
    assert (data["passed"], data["exit_code"]) == (False, 1)
    assert rows["eval on what the user types"] == "caught"
    assert len(rows) == len(DEFECTS)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:The verify_requirements argument:DeprecationWarning")  # bandit
def test_a_drill_of_the_real_gates(tree: Tree) -> None:
    files = {
        "app/__init__.py": "",
        "app/main.py": "def work(n):\n    return n + 1\n",
        "tests/test_main.py": "from app.main import work\ndef test_work(): assert work(1) == 2\n",
        "gates.yaml": "version: 1\n",
    }
    root = tree(files, git=True)
    gates: dict[str, Gate] = {
        "syntax": Syntax(),
        "security": Security(fail_on="medium"),
        "secrets": Secrets(),
        "maintainability": Maintainability(minimum=90),
        "integration": Integration(
            command=("python", "-m", "pytest", "-q", "-p", "no:cacheprovider"),
            python=sys.executable,
        ),
        "performance": Performance(
            benchmarks=(Benchmark(name="work", callable="bench:run", time=0.5, iterations=1),),
            python=sys.executable,
        ),
    }
    (root / "bench.py").write_text("def run():\n    return 1\n")
    config = configure(root, gates)

    def run(folder: Path, only: frozenset[str]) -> GateReport:
        return gate_run.run(
            folder,
            replace(config, root=folder, file=folder / "gates.yaml"),
            gate_run.Selection(only=tuple(only)),
            root=folder,
        )

    project = source.open_project(root=root, base=root, scope=root)
    report = drill(root, config, run, files=project.files)

    assert report.notes == ()
    assert {one.defect: one.result for one in report.planted} == {
        "fake-key": "caught",
        "eval": "caught",
        "syntax-error": "caught",
        "broken-assertion": "caught",
        "deleted-test": "caught",  # it was the only test: the suite runs none
        "too-complex": "caught",
        "slower-benchmark": "caught",
        "unpinned-action": "no-gate",
    }
