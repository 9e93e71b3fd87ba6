"""The worst tree stops no gate: each file is judged, or listed with the reason it is not."""

import json
import os
import resource
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from sdlc_cli.gate import engines
from sdlc_cli.gate.filepass import Inspected, inspect_files
from sdlc_cli.gate.model import Measurement, SkippedFile
from sdlc_cli.gate.options import BUILT_IN, Gate
from sdlc_cli.gate.source import Project, open_project, read

AsNobody = Callable[[Callable[[], None]], None]
NAMES = ("syntax", "security", "secrets", "maintainability")
MEMORY = 1 << 30  # bytes: what a run over any tree may take
UNREADABLE = "it cannot be read: Permission denied"


def measure(root: Path, *names: str) -> tuple[Project, Sequence[Inspected], dict[str, Measurement]]:
    project = open_project(root=root, base=root, scope=root)
    gates: dict[str, Gate] = {name: BUILT_IN[name]() for name in names}
    seen = inspect_files(project, gates, jobs=1)
    measured = {
        name: engines.load(name).conclude(
            project,
            gates[name],
            [(f.path, one.outcome) for f in seen for one in f.seen if one.gate == name],
        )
        for name in names
    }
    return project, seen, measured


def skips(
    project: Project, seen: Sequence[Inspected], measured: Sequence[Measurement]
) -> dict[str, str]:
    files = [*project.skipped_files, *(f.skipped for f in seen if f.skipped)]
    files += [file for one in measured for file in one.skipped_files]
    return {file.path: file.reason for file in files}


@pytest.mark.parametrize("git", [True, False], ids=["repository", "folder"])
def test_every_file_is_judged_or_listed_with_its_reason(hostile_tree: Any, git: bool) -> None:
    if git:
        subprocess.run(["git", "init", "-q"], cwd=hostile_tree.root, check=True)
    expected = dict(hostile_tree.skipped)
    if os.geteuid() == 0:
        del expected["unreadable.py"]  # root reads it; see the test below

    project, seen, measured = measure(hostile_tree.root, "syntax")

    syntax = measured["syntax"]
    assert skips(project, seen, [syntax]) == expected
    broken = {finding.location.path: finding.rule for finding in syntax.findings}
    assert broken == hostile_tree.findings
    judged = {f.path for f in seen if f.seen and not f.seen[0].outcome.skipped}
    assert hostile_tree.good <= judged


def test_a_file_that_may_not_be_read_is_skipped(hostile_tree: Any, as_nobody: AsNobody) -> None:
    def job() -> None:
        project = open_project(
            root=hostile_tree.root, base=hostile_tree.root, scope=hostile_tree.root
        )
        skipped = SkippedFile(path="unreadable.py", reason=UNREADABLE)
        assert "unreadable.py" in project.files
        assert read(project, "unreadable.py") == skipped
        assert not isinstance(read(project, "good.py"), SkippedFile)

    as_nobody(job)


def test_a_folder_that_may_not_be_read_is_skipped(hostile_tree: Any, as_nobody: AsNobody) -> None:
    closed = hostile_tree.root / "closed"
    closed.mkdir()
    (closed / "a.py").touch()
    closed.chmod(0)

    def job() -> None:
        root = hostile_tree.root
        project = open_project(root=root, base=root, scope=root)
        reason = "the folder cannot be read: Permission denied"
        assert SkippedFile(path="closed", reason=reason) in project.skipped_files
        assert "good.py" in project.files

    try:
        as_nobody(job)
    finally:
        closed.chmod(0o755)


# Runs apart, so that the peak is this work's and not the test runner's.
APART = """
import json, resource, sys
from pathlib import Path
from sdlc_cli.gate import engines
from sdlc_cli.gate.filepass import inspect_files
from sdlc_cli.gate.options import BUILT_IN
from sdlc_cli.gate.source import open_project
root = Path(sys.argv[1])
project = open_project(root=root, base=root, scope=root)
gates = {name: BUILT_IN[name]() for name in sys.argv[2:]}
seen = inspect_files(project, gates, jobs=1)
crashes = [one.crash for file in seen for one in file.seen if one.crash]
outcomes = []
for name in gates:
    mine = [(f.path, one.outcome) for f in seen for one in f.seen if one.gate == name]
    outcomes.append(engines.load(name).conclude(project, gates[name], mine).outcome)
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(json.dumps({"crashes": crashes, "outcomes": outcomes, "peak": peak, "files": len(seen)}))
"""


def test_all_file_gates_together_stay_within_memory_and_never_crash(hostile_tree: Any) -> None:
    done = subprocess.run(
        [sys.executable, "-c", APART, str(hostile_tree.root), *NAMES],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    told = json.loads(done.stdout)
    unit = 1 if sys.platform == "darwin" else 1024  # getrusage(2)
    assert told["crashes"] == []
    assert told["outcomes"] == ["judged"] * len(NAMES)
    assert told["peak"] * unit < MEMORY
    assert told["files"] > len(hostile_tree.good)


def test_nothing_of_the_tree_is_opened_that_could_wait_for_ever(hostile_tree: Any) -> None:
    project, seen, _ = measure(hostile_tree.root, "secrets")

    assert "pipe.py" not in project.files
    assert "pipe.py" not in {file.path for file in seen}


def test_open_files_do_not_pile_up(hostile_tree: Any) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(64, soft), hard))
    try:
        project = open_project(
            root=hostile_tree.root, base=hostile_tree.root, scope=hostile_tree.root
        )
        for _ in range(10):
            for path in ("good.py", "deep", "pipe.py", "loop_a", "gone.py", "line_10mb.py"):
                read(project, path)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))

    assert project.files
