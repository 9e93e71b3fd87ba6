"""The run: files looked at once, in one process or many; what breaks breaks only itself."""

import dataclasses
import os
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from sdlc_cli.core.errors import NothingToDo, WorkError
from sdlc_cli.core.finding import Finding, Location, Severity, fingerprint
from sdlc_cli.gate import config as gates
from sdlc_cli.gate import engines
from sdlc_cli.gate.config import Gate, GateConfig
from sdlc_cli.gate.filepass import WORKERS_PAY_FROM, inspect_files
from sdlc_cli.gate.model import GateReport, Measurement, Outcome
from sdlc_cli.gate.run import Selection, run
from sdlc_cli.gate.source import Project, Unit

Tree = Callable[..., Path]


def inspect(state: Any, unit: Unit) -> Outcome | None:
    """One finding a line that says TODO; a file may ask for worse."""
    if b"kill this process" in unit.data:
        os.kill(os.getpid(), signal.SIGKILL)
    if b"raise an error" in unit.data:
        raise ZeroDivisionError("as asked")
    found = tuple(
        Finding(
            rule="todo",
            severity=Severity.LOW,
            message="TODO",
            location=Location(path=unit.path, line=number),
        )
        for number, line in enumerate(unit.lines, 1)
        if "TODO" in line
    )
    return Outcome(findings=found)


def conclude(
    project: Project, options: Any, outcomes: Sequence[tuple[str, Outcome]]
) -> Measurement:
    found = tuple(finding for _path, outcome in outcomes for finding in outcome.findings)
    return Measurement(score=100 - len(found), findings=found)


def check(project: Project, name: str, options: Any) -> Measurement:
    raise WorkError("the tool is missing")


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> None:
    """The functions above as a file engine `todo` and a project engine `broken`."""
    module = ModuleType("tests_todo_engine")
    for name, function in (("inspect", inspect), ("conclude", conclude), ("check", check)):
        setattr(module, name, function)
    module.prepare = lambda project, options: None  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.setitem(engines.FILE_ENGINES, "todo", module.__name__)
    monkeypatch.setitem(engines.PROJECT_ENGINES, "broken", module.__name__)


def config(root: Path, *names: str) -> GateConfig:
    plain = gates.defaults(root)
    return dataclasses.replace(
        plain,
        required={g: frozenset() for g in plain.required},
        gates={name: gates.BUILT_IN.get(name, Gate)() for name in names},
    )


def judge(root: Path, *names: str, **selection: Any) -> GateReport:
    return run(root, config(root, *names), Selection(**selection), root=root)


@pytest.mark.usefixtures("engine")
class TestFiles:
    def test_many_processes_see_what_one_sees(self, tree: Tree) -> None:
        line = "x = 1  # " + "-" * 90 + "\n"
        lines = WORKERS_PAY_FROM // 8 // len(line)
        root = tree({f"m{n}.py": f"# TODO {n}\n{line * lines}" for n in range(12)})
        project = Project(root=root, base=root, files=tuple(sorted(os.listdir(root))))

        alone = inspect_files(project, {"todo": Gate()}, jobs=1)
        together = inspect_files(project, {"todo": Gate()}, jobs=3)

        def without_times(files: Sequence[Any]) -> list[Any]:
            return [(f.path, f.lines, [(s.gate, s.outcome) for s in f.seen]) for f in files]

        assert without_times(alone) == without_times(together)
        assert len(alone) == 12

    def test_a_file_that_kills_its_process_costs_no_other_file(self, tree: Tree) -> None:
        big = "x = 1\n" * (WORKERS_PAY_FROM // 24)
        files = {f"m{n}.py": f"# TODO\n{big}" for n in range(6)}
        root = tree(files | {"bad.py": "kill this process"})
        project = Project(root=root, base=root, files=tuple(sorted(os.listdir(root))))

        seen = {one.path: one for one in inspect_files(project, {"todo": Gate()}, jobs=2)}

        assert "died" in (seen["bad.py"].skipped or pytest.fail("not skipped")).reason
        assert all(len(seen[name].seen[0].outcome.findings) == 1 for name in files)

    def test_an_engine_that_crashes_is_an_error_of_its_gate_alone(self, tree: Tree) -> None:
        root = tree({"a.py": "raise an error", "b.py": "# TODO\n"})

        report = judge(root, "todo", "secrets")

        assert report.result("todo").status == "error"
        assert "a.py: ZeroDivisionError: as asked (test_run.py:" in report.result("todo").reason
        assert report.result("secrets").status == "passed"
        assert report.exit_code == 3

    def test_a_missing_tool_is_an_error_not_a_traceback(self, tree: Tree) -> None:
        report = judge(tree({"a.py": "x = 1\n"}), "todo", "broken")

        assert report.result("broken").status == "error"
        assert report.result("broken").reason == "the tool is missing"
        assert report.result("todo").status == "passed"

    def test_a_fingerprint_survives_lines_above_and_a_new_name(self, tree: Tree) -> None:
        before = judge(tree({"a.py": "# TODO one\n"}), "todo").results[0].findings[0]
        root = tree({"sub/b.py": "\n\n\n   # TODO   one\n"})
        (root / "a.py").unlink()
        after = judge(root, "todo").results[0].findings[0]

        assert before.location != after.location
        assert before.fingerprint == after.fingerprint == fingerprint("todo", "# TODO one")


@pytest.mark.usefixtures("engine")
class TestSelection:
    def test_only_leaves_the_other_gates_out(self, tree: Tree) -> None:
        report = judge(tree({"a.py": "x = 1\n"}), "todo", "broken", only=("todo",))

        assert [r.name for r in report.results] == ["todo"]
        assert report.passed

    def test_what_is_left_out_by_skip_shows(self, tree: Tree) -> None:
        report = judge(tree({"a.py": "x = 1\n"}), "todo", "broken", skip=("broken",))

        assert [(r.name, r.status) for r in report.results] == [
            ("todo", "passed"),
            ("broken", "skipped"),
        ]
        assert report.judged_weight == 0.5

    def test_a_folder_without_files_is_nothing_to_do(self, tree: Tree) -> None:
        with pytest.raises(NothingToDo):
            judge(tree({}), "todo")


def test_without_a_configuration_nothing_of_the_repository_runs(tree: Tree) -> None:
    proof = "import pathlib\npathlib.Path('ran').touch()\n"
    root = tree({"app.py": "x = 1\n", "conftest.py": proof, "tests/test_a.py": proof})

    report = run(root, gates.defaults(root), Selection(), root=root)

    assert not list(root.rglob("ran"))
    assert {r.name for r in report.results} >= {"syntax", "security", "secrets"}
