import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from sdlc_cli.core.errors import ConfigError, NothingToDo
from sdlc_cli.gate import config as gates
from sdlc_cli.gate import run
from sdlc_cli.gate.config import GateConfig
from sdlc_cli.gate.model import GateReport
from sdlc_cli.gate.run import Selection
from sdlc_cli.gate.simulate import Simulation, as_json, as_table, replayable, simulate

Tree = Callable[..., Path]
WHO = ("-c", "user.name=t", "-c", "user.email=t@t")
GOOD = "x = 1\n"
BAD = "import subprocess\nsubprocess.call(input(), shell=True)\n"
GATES = "version: 1\ngates:\n  syntax:\n  security: {fail_on: high}\n"


def commit(root: Path, subject: str, files: dict[str, str]) -> None:
    for name, content in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(content)
    for words in (("add", "-A"), ("commit", "-qm", subject)):
        subprocess.run(["git", *WHO, *words], cwd=root, check=True, capture_output=True)


def judge(folder: Path, config: GateConfig, names: frozenset[str]) -> GateReport:
    return run.run(folder, config, Selection(only=tuple(names), generation=1), root=folder)


def simulated(root: Path, commits: int = 20, generation: int = 1) -> Simulation:
    found = gates.load(gates.find(root, root), root, {})
    return simulate(root, found, generation, commits, judge)


def verdicts(simulation: Simulation) -> list[tuple[str, bool | None, tuple[str, ...]]]:
    return [(row.commit.subject, row.passed, row.failed) for row in simulation.rows]


def test_todays_thresholds_judge_past_commits(tree: Tree) -> None:
    root = tree({"a.py": GOOD}, git=True)
    commit(root, "worse", {"a.py": BAD})
    commit(root, "broken too", {"b.py": "def f(:\n"})
    commit(root, "better", {"a.py": GOOD, "b.py": GOOD, "gates.yaml": GATES})

    simulation = simulated(root)

    assert verdicts(simulation) == [
        ("better", True, ()),
        ("broken too", False, ("syntax", "security")),
        ("worse", False, ("security",)),
        ("start", True, ()),
    ]
    assert simulation.first_failing is not None
    assert simulation.first_failing.commit.subject == "worse"
    assert simulation.exit_code == 0
    assert simulation.rows[0].score == 100
    assert "of severity high or worse" in simulation.rows[2].reason


def test_a_broken_gates_yaml_of_the_past_plays_no_part(tree: Tree) -> None:
    root = tree({"a.py": GOOD, "gates.yaml": "version: 99\nnonsense"}, git=True)
    commit(root, "mended", {"gates.yaml": GATES})

    assert verdicts(simulated(root)) == [("mended", True, ()), ("start", True, ())]


def test_what_was_not_there_yet_is_not_judged(tree: Tree) -> None:
    root = tree({"README.md": "# Nothing\n"}, git=True)
    config = "version: 1\npaths: [src, lib]\ngates:\n  syntax:\n"
    commit(root, "code", {"src/a.py": "def f(:\n", "gates.yaml": config})

    simulation = simulated(root)

    assert verdicts(simulation) == [("code", False, ("syntax",)), ("start", None, ())]
    assert simulation.rows[1].reason == "none of 'paths' was there"


def test_only_so_many_commits_are_judged(tree: Tree) -> None:
    root = tree({"a.py": GOOD, "gates.yaml": GATES}, git=True)
    for number in range(4):
        commit(root, str(number), {"a.py": GOOD * number})
    heard: list[tuple[int, int]] = []
    found = gates.load(root / "gates.yaml", root, {})

    simulation = simulate(
        root, found, 1, 2, judge, tell=lambda _what, done, total: heard.append((done, total))
    )

    assert [row.commit.subject for row in simulation.rows] == ["3", "2"]
    assert heard == [(0, 2), (1, 2)]


def test_nothing_of_the_repository_is_run(tree: Tree, tmp_path: Path) -> None:
    mark = tmp_path / "ran"
    config = (
        f"{GATES}  integration: {{command: 'touch {mark}'}}\n"
        f"  words: {{kind: command, command: 'touch {mark}'}}\n"
        f"  load: {{url: 'http://127.0.0.1:1', command: 'touch {mark}'}}\n"
        f"  performance: {{benchmarks: [{{name: a, command: 'touch {mark}', time: 1s}}]}}\n"
    )
    root = tree({"a.py": GOOD, "gates.yaml": config}, git=True)

    simulation = simulated(root)

    assert verdicts(simulation) == [("start", True, ())]
    assert simulation.replayed == ("syntax", "security")
    assert simulation.left_out == ("integration", "words", "load", "performance")
    assert not mark.exists()


def test_a_committed_report_is_judged_where_there_is_one(tree: Tree) -> None:
    root = tree({"a.py": GOOD, "gates.yaml": f"{GATES}  coverage: {{minimum: 80}}\n"}, git=True)
    lcov = "SF:a.py\nDA:1,0\nend_of_record\n"
    commit(root, "a report", {"lcov.info": lcov})

    assert verdicts(simulated(root)) == [("a report", False, ("coverage",)), ("start", True, ())]


def test_a_score_under_the_threshold_fails_without_a_failing_gate(tree: Tree) -> None:
    config = "version: 1\ngenerations: {1: {score: 100}}\ngates:\n  security:\n"
    root = tree({"a.py": BAD, "gates.yaml": config}, git=True)

    (row,) = simulated(root).rows

    assert (row.passed, row.failed) == (False, ())
    assert "under the threshold 100" in row.reason


def test_a_folder_of_the_repository_is_judged_by_its_own_gates(tree: Tree) -> None:
    root = tree({"a.py": "def f(:\n", "service/b.py": GOOD, "service/gates.yaml": GATES}, git=True)
    found = gates.load(root / "service/gates.yaml", root, {})

    def within(folder: Path, config: GateConfig, names: frozenset[str]) -> GateReport:
        assert config.root == folder / "service"
        return run.run(folder / "service", config, Selection(only=tuple(names)), root=folder)

    assert verdicts(simulate(root, found, 1, 5, within)) == [("start", True, ())]


def test_a_commit_without_a_file_is_not_judged_and_all_of_them_are_an_error(tree: Tree) -> None:
    root = tree({"a.txt": "x\n"}, git=True)
    (root / "gates.yaml").write_text("version: 1\ngates:\n  maintainability:\n")

    simulation = simulated(root)

    assert [row.passed for row in simulation.rows] == [None]
    assert simulation.rows[0].reason
    assert simulation.exit_code == 3
    assert simulation.first_failing is None


def test_gates_that_all_run_something_cannot_be_replayed(tree: Tree) -> None:
    root = tree({"gates.yaml": "version: 1\ngates:\n  x: {kind: command, command: x}\n"}, git=True)

    with pytest.raises(ConfigError, match="can be replayed"):
        simulated(root)


def test_a_repository_without_a_commit_has_nothing_to_replay(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)

    with pytest.raises(NothingToDo):
        simulate(tmp_path, gates.defaults(tmp_path), 1, 5, judge)


def test_the_defaults_can_be_replayed(tmp_path: Path) -> None:
    assert replayable(gates.defaults(tmp_path)) == (
        "syntax", "security", "secrets", "maintainability", "coverage",
    )  # fmt: skip


def test_the_rows_are_shown_and_written(tree: Tree) -> None:
    root = tree({"a.py": BAD, "gates.yaml": GATES}, git=True)
    simulation = simulated(root)
    (row,) = simulation.rows

    body = json.loads(json.dumps(as_json(simulation)))
    assert body["first_failing"] == row.commit.id
    assert body["commits"][0]["failed"] == ["security"]
    assert body["commits"][0]["date"].endswith("Z")
    table = as_table(simulation)
    assert table.rows[0][0] == row.commit.short
    assert table.rows[0][2:5] == ("failed", table.rows[0][3], "security")
