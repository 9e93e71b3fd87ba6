"""Real comparisons in small repositories; the differences are large, so that few pairs do."""

import os
import stat
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from sdlc_cli.core.errors import UsageError, WorkError
from sdlc_cli.gate import instructions
from sdlc_cli.gate.compare import Change, Compared, compare
from sdlc_cli.gate.options import Benchmark, Performance

Tree = Callable[..., Path]

WORK = """
def inner(n):
    total = 0
    for i in range(n):
        total += i * i % 7
    return total

def steady():
    return inner(20_000)

def work():
    return inner({rounds}) + steady()
"""
MAIN = "import app.speed\napp.speed.work()\n"
SLOW, FAST = WORK.format(rounds=150_000), WORK.format(rounds=30_000)
CALL = Benchmark(name="work", callable="app.speed:work", iterations=1, warmup=0)


def git(root: Path, *words: str) -> str:
    author = ("-c", "user.name=t", "-c", "user.email=t@t")
    done = subprocess.run(["git", *author, *words], cwd=root, capture_output=True, text=True,
                          check=True)  # fmt: skip
    return done.stdout


def commit(root: Path, files: Mapping[str, str], message: str = "change") -> None:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    git(root, "add", "-A")
    git(root, "commit", "-qm", message)


@pytest.fixture
def project(tree: Tree, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    # A place of its own: tests that run at the same time leave nothing to be seen here.
    (tmp_path / "scratch").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "scratch"))
    root = tree({"app/__init__.py": "", "app/speed.py": FAST, "main.py": MAIN}, git=True)
    git(root, "branch", "before")
    return root


def options(*benchmarks: Benchmark, **more: Any) -> Performance:
    own: dict[str, Any] = {
        "compare": "before",
        "python": sys.executable,
        "budget_time": 60,
        "max_pairs": 20,
    }
    return Performance(benchmarks=benchmarks or (CALL,), **(own | more))


def only(compared: Compared) -> Change:
    assert not compared.troubles, compared.troubles
    assert len(compared.changes) == 1
    return compared.changes[0]


def leftovers(root: Path) -> list[str]:
    listed = git(root, "worktree", "list").splitlines()[1:]
    return listed + [str(path) for path in Path(tempfile.gettempdir()).glob("sdlc-*/head")]


@pytest.mark.usefixtures("unmeasured")
@pytest.mark.parametrize(
    "measured",
    [
        pytest.param(CALL, id="callable"),
        pytest.param(Benchmark(name="work", command=("python", "main.py")), id="script"),
        pytest.param(Benchmark(name="work", command=("python", "-m", "main")), id="module"),
        pytest.param(
            Benchmark(name="work", command=("python", "-c", "import app.speed as s; s.work()")),
            id="code",
        ),
    ],
)
def test_slower_code_is_found_and_the_function_that_grew_is_named(
    measured: Benchmark, project: Path
) -> None:
    commit(project, {"app/speed.py": SLOW})

    change = only(compare(project, options(measured, max_pairs=80, budget_time=300)))

    assert change.verdict == "slower"
    assert change.interval is not None
    assert change.interval.low > 1.03
    assert (change.grown[0].function, change.grown[0].path) == ("inner", "app/speed.py")
    assert change.grown[0].head_s > change.grown[0].base_s
    assert set(change.ratios) == {"cpu", "wall", "memory"}
    assert leftovers(project) == []


def test_code_that_got_faster_is_not_slower(project: Path) -> None:
    commit(project, {"app/speed.py": WORK.format(rounds=1000)})

    change = only(compare(project, options()))

    assert (change.verdict, change.grown) == ("not slower", ())
    assert change.interval is not None
    assert change.interval.high < 1


def test_changes_that_are_not_committed_count(project: Path) -> None:
    (project / "app" / "speed.py").write_text(SLOW)
    (project / "notes.txt").write_text("new")
    before = git(project, "status", "--porcelain")

    compared = compare(project, options())

    assert only(compared).verdict == "slower"
    assert any("never added to git are not part of it: 1" in note for note in compared.notes)
    assert git(project, "status", "--porcelain") == before
    assert git(project, "stash", "list") == ""


def test_the_base_is_where_the_branches_parted(project: Path) -> None:
    git(project, "checkout", "-q", "before")
    commit(project, {"app/speed.py": SLOW})  # what the other branch did is not ours
    git(project, "checkout", "-q", "main")
    commit(project, {"readme.md": "x"})

    compared = compare(project, options())

    assert compared.base == git(project, "merge-base", "main", "before").strip()
    assert only(compared).verdict != "slower"


def test_nothing_is_run_when_nothing_changed(project: Path) -> None:
    benchmark = Benchmark(name="work", command=("no-such-program",))

    compared = compare(project, options(benchmark))

    assert compared.unchanged
    assert (compared.changes, compared.troubles) == ((), ())


def test_a_benchmark_that_the_base_does_not_have_is_inconclusive(project: Path) -> None:
    commit(project, {"app/new.py": FAST})
    benchmark = replace_callable("app.new:work")

    change = only(compare(project, options(benchmark)))

    assert (change.verdict, change.interval) == ("inconclusive", None)
    assert "cannot be run on the base" in change.reason


def test_a_benchmark_that_fails_now_is_a_trouble_and_the_others_are_compared(project: Path) -> None:
    commit(project, {"app/speed.py": SLOW})

    compared = compare(project, options(replace_callable("app.speed:gone"), CALL))

    assert [change.verdict for change in compared.changes] == ["slower"]
    assert ["has no gone" in trouble for trouble in compared.troubles] == [True]
    assert leftovers(project) == []


def replace_callable(target: str) -> Benchmark:
    return Benchmark(name="other", callable=target, iterations=1, warmup=0)


def test_too_little_time_is_inconclusive_and_says_so(project: Path) -> None:
    commit(project, {"app/speed.py": SLOW})

    change = only(compare(project, options(budget_time=0.01)))

    assert (change.verdict, change.interval, change.detectable) == ("inconclusive", None, None)
    assert "0.01 s are enough for 0 pairs" in change.reason


def test_a_limit_of_its_own_beats_the_common_one(project: Path) -> None:
    commit(project, {"app/speed.py": WORK.format(rounds=45_000)})
    patient = Benchmark(name="work", callable="app.speed:work", iterations=3, tolerance=9)

    change = only(compare(project, options(patient)))

    assert (change.verdict, change.limit) == ("not slower", 10)


def test_memory_can_decide(project: Path) -> None:
    commit(project, {"app/speed.py": FAST + "\nkept = bytearray(30_000_000)\n"})
    benchmark = Benchmark(name="work", callable="app.speed:work", iterations=1, by="memory")

    change = only(compare(project, options(benchmark)))

    assert (change.verdict, change.by) == ("slower", "memory")


@pytest.mark.slow
@pytest.mark.usefixtures("unmeasured")
def test_a_pytest_benchmark_test_is_compared_by_its_id(project: Path) -> None:
    pytest.importorskip("pytest_benchmark", reason="pytest-benchmark is not installed")
    test = "from app import speed\ndef test_speed(benchmark):\n    benchmark(speed.work)\n"
    git(project, "checkout", "-q", "before")
    commit(project, {"tests/test_b.py": test, "conftest.py": "", "pytest.ini": "[pytest]\n"})
    git(project, "checkout", "-q", "main")
    git(project, "merge", "-q", "before")
    commit(project, {"app/speed.py": SLOW})
    benchmark = Benchmark(name="work", test="tests/test_b.py::test_speed")

    change = only(compare(project, options(benchmark, max_pairs=8)))

    assert change.verdict == "slower"
    assert change.interval is not None
    assert 2 < change.interval.ratio < 6
    assert set(change.ratios) == {"cpu", "memory"}


def test_a_setup_is_run_once_while_the_lock_files_agree(project: Path, tmp_path: Path) -> None:
    log = tmp_path / "log"
    setup = (sys.executable, "-c", MAKE_ENVIRONMENT, str(log))
    commit(project, {"uv.lock": "1"})
    git(project, "branch", "-f", "before")
    commit(project, {"app/speed.py": SLOW})

    shared = compare(project, options(setup=setup, python="auto"))
    commit(project, {"uv.lock": "2"})
    own = compare(project, options(setup=setup, python="auto"))

    assert [only(one).verdict for one in (shared, own)] == ["slower", "slower"]
    assert log.read_text().split() == ["head", "head", "base"]
    assert any("share one environment" in note for note in shared.notes)
    assert leftovers(project) == []


# What `python -m venv .venv` makes, faster: enough for the interpreter and for us.
MAKE_ENVIRONMENT = """
import os, sys
os.makedirs(".venv/bin")
os.symlink(sys.executable, ".venv/bin/python")
home = os.path.dirname(os.path.realpath(sys.executable))
open(".venv/pyvenv.cfg", "w").write(f"home = {home}\\n")
open(sys.argv[1], "a").write(os.path.basename(os.getcwd()) + "\\n")
"""


def test_a_setup_that_fails_is_an_error_and_leaves_nothing(project: Path) -> None:
    commit(project, {"app/speed.py": SLOW})
    setup = (sys.executable, "-c", "import os; os.mkdir('d'); os.chmod('d', 0); exit('no luck')")

    with pytest.raises(WorkError, match=r"setup of head ended with exit code 1.*no luck"):
        compare(project, options(setup=setup))

    assert leftovers(project) == []


def test_different_lock_files_without_a_setup_are_noted(project: Path) -> None:
    commit(project, {"requirements.txt": "x", "app/speed.py": SLOW})

    compared = compare(project, options())

    assert any("lock files differ" in note for note in compared.notes)


def test_code_of_the_working_tree_is_never_taken_for_that_of_a_state(project: Path) -> None:
    """As an editable installation of a folder that is not on the state's own path."""
    lead = f"import sys\nsys.path.insert(0, {str(project)!r})\nimport app.speed\napp.speed.work()\n"
    commit(project, {"lead.py": lead, "app/speed.py": SLOW})
    benchmark = Benchmark(name="work", command=("python", "lead.py"))

    compared = compare(project, options(benchmark))

    assert compared.changes == ()
    assert [f"runs the code of {project}" in one for one in compared.troubles] == [True]


def test_an_isolated_python_is_noted(project: Path) -> None:
    commit(project, {"app/speed.py": SLOW})
    benchmark = Benchmark(name="work", command=("python", "-Ic", "sum(range(100000))"))

    compared = compare(project, options(benchmark))

    assert only(compared).verdict != "slower"
    assert any("isolated" in note for note in compared.notes)


def test_the_benchmarks_run_in_the_folder_of_gates_yaml(project: Path) -> None:
    inner = {"service/app/__init__.py": "", "service/app/speed.py": FAST}
    commit(project, inner)
    git(project, "branch", "-f", "before")
    commit(project, {"service/app/speed.py": SLOW})

    assert only(compare(project / "service", options())).verdict == "slower"


def test_hooks_of_the_repository_are_not_run(project: Path) -> None:
    hook = project / ".git" / "hooks" / "post-checkout"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(f"#!/bin/sh\ntouch {project}/ran\n")
    hook.chmod(hook.stat().st_mode | stat.S_IXUSR)
    commit(project, {"readme.md": "x"})

    compare(project, options(max_pairs=8))

    assert not (project / "ran").exists()


def test_an_unknown_revision_is_an_error(project: Path) -> None:
    with pytest.raises(UsageError, match="no revision 'nowhere'"):
        compare(project, options(compare="nowhere"))


def test_without_a_repository_there_is_nothing_to_compare_with(tmp_path: Path) -> None:
    with pytest.raises(WorkError, match="no git repository"):
        compare(tmp_path, options())


@pytest.mark.slow
@pytest.mark.usefixtures("unmeasured")
def test_instructions_are_counted_where_valgrind_is_installed(project: Path) -> None:
    if not instructions.available():
        pytest.skip("valgrind is not installed")
    commit(project, {"app/speed.py": WORK.format(rounds=35_500)})  # +11 % of 50,000
    command = Benchmark(name="command", command=("python", "-S", "main.py"))

    compared = compare(project, options(CALL, command, exact=True))

    assert [(one.verdict, one.method, one.pairs) for one in compared.changes] == [
        ("slower", "instructions", 1)
    ] * 2
    for change in compared.changes:
        assert change.interval is not None
        assert change.interval.ratio == pytest.approx(1.11, abs=0.02)


def test_without_valgrind_times_are_compared_and_it_says_so(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit(project, {"app/speed.py": SLOW})
    monkeypatch.setattr(instructions, "available", lambda: False)

    compared = compare(project, options(exact=True))

    assert (only(compared).verdict, only(compared).method) == ("slower", "pairs")
    assert any("valgrind is not installed" in note for note in compared.notes)


def test_a_hash_seed_of_the_user_stays(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONHASHSEED", "5")
    seen = "import os; assert os.environ['PYTHONHASHSEED'] == '5'; sum(range(100000))"
    commit(project, {"readme.md": "x"})

    compared = compare(project, options(Benchmark(name="b", command=("python", "-c", seen))))

    assert only(compared).verdict in ("not slower", "inconclusive")
    assert os.environ["PYTHONHASHSEED"] == "5"
