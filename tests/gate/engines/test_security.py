"""bandit's findings as findings of ours: configuration, places, score, and files it can't read."""

import gc
import math
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from sdlc_cli.core.errors import ConfigError
from sdlc_cli.core.finding import Finding, Severity
from sdlc_cli.gate.config import Security
from sdlc_cli.gate.engines import security
from sdlc_cli.gate.model import Measurement, Outcome
from sdlc_cli.gate.source import Project, Unit

Tree = Callable[..., Path]


def judge(root: Path, options: Security | None = None) -> Measurement:
    options = options or Security()
    project = Project(root=root, base=root, files=())
    state = security.prepare(project, options)
    paths = sorted(str(p.relative_to(root)) for p in root.rglob("*") if p.is_file())
    outcomes = [(p, security.inspect(state, Unit(p, (root / p).read_bytes()))) for p in paths]
    return security.conclude(project, options, [(p, o) for p, o in outcomes if o is not None])


def inspect(data: bytes | str, path: str = "app.py", root: Path = Path("/nowhere")) -> Outcome:
    project = Project(root=root, base=root, files=())
    state = security.prepare(project, Security())
    outcome = security.inspect(
        state, Unit(path, data if isinstance(data, bytes) else data.encode())
    )
    assert outcome is not None
    return outcome


def rules(measurement: Measurement) -> list[str]:
    return [finding.rule for finding in measurement.findings]


def test_a_finding_has_bandits_words_its_page_and_its_place() -> None:
    (found,) = inspect("x = 1\nif x:\n    y = eval(x)\n").findings

    assert found.rule == "B307"
    assert found.severity is Severity.MEDIUM
    assert found.message.startswith("Use of possibly insecure function")
    assert found.help.startswith("https://bandit.readthedocs.io/")
    place = found.location
    assert (place.path, place.line, place.column) == ("app.py", 3, 9)
    assert (place.end_line, place.end_column) == (3, 16)


@pytest.mark.parametrize(
    ("code", "rule", "place"),
    [
        pytest.param('é = "ü"; eval(é)\n', "B307", (1, 10, 1, 17), id="characters, not bytes"),
        pytest.param("assert (\n  x\n)\n", "B101", (1, 1, 3, 0), id="several lines"),
        pytest.param("f(\n  1,\n  shell=True)\n", "B604", (3, 0, 3, 0), id="line of an argument"),
        pytest.param('x = [\n    1, "/tmp/a",\n]\n', "B108", (2, 8, 3, 0), id="string in a list"),
        pytest.param("x = 1  # \u202e\n", "B613", (1, 10, 1, 0), id="writing direction"),
    ],
)  # fmt: skip
def test_a_finding_is_placed_where_it_is(code: str, rule: str, place: tuple[int, ...]) -> None:
    (found,) = (f for f in inspect(code).findings if f.rule == rule)
    at = found.location

    assert (at.line, at.column, at.end_line, at.end_column) == place


def test_a_message_shows_no_address_in_memory() -> None:
    code = "import tarfile\ntarfile.open(x).extractall(members=a.b)\n"
    (found,) = inspect(code).findings

    assert "Attribute object" in found.message
    assert "0x" not in found.message


def test_nosec_leaves_a_finding_out_and_is_counted(tree: Tree) -> None:
    root = tree({"a.py": "eval(x)  # nosec\neval(y)  # nosec B307\neval(z)  # nosec B101\n"})
    measured = judge(root)

    assert rules(measured) == ["B307"]
    assert measured.metrics["nosec"] == 2


@pytest.mark.parametrize(
    "files",
    [
        pytest.param({".bandit": "[bandit]\nskips = B307, B101\n"}, id="ini"),
        pytest.param({"pyproject.toml": '[tool.bandit]\nskips = ["B307"]\n'}, id="pyproject"),
        pytest.param({"bandit.yaml": "skips: [B307]\n"}, id="yaml"),
        pytest.param({"bandit.yml": "tests: [B105]\n"}, id="chosen tests"),
        pytest.param(
            {".bandit": "[bandit]\nconfigfile = c.yaml\n", "c.yaml": "skips: [B307]\n"},
            id="ini names yaml",
        ),
        pytest.param(
            {".bandit": "[bandit]\nprofile = p\nconfigfile = c.yaml\n",
             "c.yaml": "profiles: {p: {include: [hardcoded_password_string]}}\n"},
            id="profile",
        ),
    ],
)  # fmt: skip
def test_the_users_configuration_is_found(tree: Tree, files: dict[str, str]) -> None:
    root = tree({"app.py": 'eval(x)\npassword = "x"\n', **files})

    assert rules(judge(root)) == ["B105"]


def test_a_configuration_named_in_gates_yaml_replaces_the_usual_ones(tree: Tree) -> None:
    files = {".bandit": "[bandit]\nskips = B307\n", "conf/b.yaml": "skips: [B105]\n"}
    root = tree({"app.py": 'eval(x)\npassword = "x"\n', **files})

    assert rules(judge(root, Security(config="conf/b.yaml"))) == ["B307"]


def test_options_of_the_tests_are_honoured_and_two_projects_keep_their_own(tree: Tree) -> None:
    code = "try:\n    f()\nexcept ValueError:\n    pass\nopen('/tmp/a')\nopen('/scratch/a')\n"
    strict = "try_except_pass: {check_typed_exception: true}\n"
    strict += "hardcoded_tmp_directory: {tmp_dirs: [/scratch]}\n"
    root = tree({"one/app.py": code, "two/app.py": code, "two/bandit.yaml": strict})
    projects = [Project(root=root / name, base=root / name, files=()) for name in ("one", "two")]
    states = [security.prepare(project, Security()) for project in projects]

    found = [security.inspect(state, Unit("app.py", code.encode())) for state in states]
    lines = [[(f.rule, f.location.line) for f in o.findings] for o in found if o is not None]

    assert lines == [[("B108", 5)], [("B110", 3), ("B108", 6)]]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        pytest.param("b.yaml", "skips: [", id="broken yaml"),
        pytest.param("b.yaml", "- a\n", id="a list"),
        pytest.param("b.yaml", "skips: 3\n", id="skips is a number"),
        pytest.param("b.yaml", "tests: [B101]\nskips: [B101]\n", id="nothing left"),
        pytest.param("b.yaml", "tests: [B999]\n", id="only unknown tests"),
        pytest.param("b.yaml", "exclude_dirs: x\n", id="exclude_dirs is a word"),
        pytest.param("b.toml", "[tool.bandit\n", id="broken toml"),
        pytest.param("b.ini", "skips = B101\n", id="no section"),
        pytest.param("b.ini", "[bandit]\nprofile = p\n", id="unknown profile"),
        pytest.param("other.yaml", "", id="not there"),
    ],
)
def test_a_wrong_configuration_is_an_error_that_names_it(tree: Tree, name: str, text: str) -> None:
    root = tree({"app.py": "eval(x)\n", name.replace("other", "unused"): text})

    with pytest.raises(ConfigError) as caught:
        judge(root, Security(config=name))

    assert name.removesuffix(".ini") in str(caught.value) or ".bandit" in str(caught.value)
    assert caught.value.hint


@pytest.mark.parametrize("kind", ["pipe", "device", "outside", "huge"])
@pytest.mark.parametrize("name", ["pyproject.toml", "bandit.yaml", ".bandit", "b.yaml", "b.ini"])
def test_a_configuration_that_is_no_file_of_the_tree_is_never_read(
    tree: Tree, tmp_path: Path, name: str, kind: str
) -> None:
    root = tree({"app.py": "eval(x)\n"})
    path = root / name
    content = {"i": "[bandit]\nskips = B307\n", "o": "[tool.bandit]\nskips = ['B307']\n"}
    (tmp_path / "outside").write_text(
        content["o"] if name.endswith("toml") else
        content["i"] if name in (".bandit", "b.ini") else "skips: [B307]\n"
    )  # fmt: skip
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "huge":
        path.write_text((tmp_path / "outside").read_text() + "#" * 1_000_001)
    else:
        path.symlink_to("/dev/zero" if kind == "device" else tmp_path / "outside")

    try:
        told = rules(judge(root, Security(config=name if name.startswith("b.") else "")))
    except ConfigError as error:
        told = [str(error)]

    assert told == ["B307"] or name in told[0]


def test_a_broken_pyproject_does_not_stop_the_gate(tree: Tree) -> None:
    assert rules(judge(tree({"app.py": "eval(x)\n", "pyproject.toml": "[tool\n"}))) == ["B307"]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        pytest.param(".bandit", "[bandit]\nexclude = old,./other\n", id="ini"),
        pytest.param("bandit.yaml", "exclude_dirs: [old, '*/other/*']\n", id="yaml"),
    ],
)
def test_excluded_files_are_left_out(tree: Tree, name: str, text: str) -> None:
    files = {"old/a.py": "eval(x)\n", "other/a.py": "eval(x)\n", "new.py": "eval(x)\n"}
    measured = judge(tree({**files, name: text}))

    assert [finding.location.path for finding in measured.findings] == ["new.py"]


def test_ignore_nosec_is_honoured(tree: Tree) -> None:
    root = tree({"a.py": "eval(x)  # nosec\n", ".bandit": "[bandit]\nignore-nosec = true\n"})

    assert rules(judge(root)) == ["B307"]


def test_asserts_count_outside_of_tests_only(tree: Tree) -> None:
    names = ("app.py", "tests/a.py", "test_a.py", "a_test.py", "x/conftest.py", "contest.py")
    files = dict.fromkeys(names, "assert x\n")
    root = tree({**files, "tests/b.py": "eval(x)\n"})
    measured = judge(root)
    strict = judge(root, Security(skip_test_asserts=False))

    assert [(f.rule, f.location.path) for f in measured.findings] == [
        ("B101", "app.py"),
        ("B101", "contest.py"),
        ("B307", "tests/b.py"),
    ]
    assert measured.metrics["test_asserts_left_out"] == 4
    assert rules(strict).count("B101") == 6
    assert strict.score is not None
    assert measured.score is not None
    assert strict.score < measured.score


def test_one_high_finding_costs_a_service_of_a_thousand_lines_much(tree: Tree) -> None:
    root = tree({"app.py": "import subprocess\nsubprocess.run(x, shell=True)\n" + "x = 1\n" * 998})
    measured = judge(root, Security())

    assert measured.score == pytest.approx(55.9, abs=0.1)
    assert (measured.metrics["high"], measured.metrics["low"]) == (1, 1)


def test_one_more_finding_never_raises_the_score() -> None:
    project = Project(root=Path(), base=Path(), files=())
    scores = []
    for count in range(0, 60, 5):
        findings = tuple(
            Finding(rule="B307", severity=list(Severity)[n % 3], message="x") for n in range(count)
        )
        outcome = Outcome(findings=findings, numbers={"lines": 5000})
        scores.append(security.conclude(project, Security(), [("a.py", outcome)]).score)

    assert scores == sorted(scores, key=lambda score: -(score or 0))
    assert scores[0] == 100


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        pytest.param(b"def f(:\n", "not valid Python", id="syntax"),
        pytest.param(b"x = 1\0\n", "not valid Python", id="null byte"),
        pytest.param(b'x = "\xe9"\n', "not valid Python", id="not UTF-8"),
        pytest.param(b"# coding: nonsense\n", "unknown encoding", id="unknown encoding"),
        pytest.param(b"x=" + b"-" * 50_000 + b"1\n", "nested too deeply", id="nested"),
        pytest.param(b"x=a" + b".b" * 20_000 + b"\n", "nested too deeply", id="chained"),
        pytest.param(b"x={" + b'"pwd":1,' * 40_000 + b"}\n", "too long", id="square of a dict"),
        pytest.param(b'x="' + b"select " * 99_000 + b'"%a\n', "too long", id="square of a string"),
        pytest.param(b"x=" + b"+".join([b"'select a'"] * 2000), "too long", id="square of a sum"),
    ],
)
def test_a_file_that_cannot_be_judged_is_skipped_with_the_reason(data: bytes, reason: str) -> None:
    outcome = inspect(data)

    assert reason in outcome.skipped
    assert outcome.findings == ()


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"\xef\xbb\xbfeval(x)\n", id="BOM"),
        pytest.param(b"x = 1\r\neval(x)\r\n", id="CRLF"),
        pytest.param(b'# coding: latin-1\nx = "\xe9"\neval(x)\n', id="Latin-1"),
        pytest.param(b'x = "' + b"a" * 1_000_000 + b'"; eval(x)\n', id="one long line"),
        pytest.param(b"x = " + b"-" * 900 + b"1; eval(x)\n", id="deeper than bandit goes"),
        pytest.param(b"if a: pass\n" + b"elif a: pass\n" * 900 + b"eval(x)\n", id="elif chain"),
    ],
)
def test_an_unusual_file_is_judged(data: bytes) -> None:
    assert [finding.rule for finding in inspect(data).findings] == ["B307"]


def test_nothing_to_look_at_is_no_pass(tree: Tree) -> None:
    nothing = judge(tree({"a.txt": "x"}))
    broken = judge(tree({"a.py": "def f(:\n"}))

    assert (nothing.outcome, nothing.score) == ("skipped", None)
    assert (broken.outcome, broken.score) == ("error", None)
    assert [skipped.path for skipped in broken.skipped_files] == ["a.py"]


def test_a_configuration_that_excludes_every_file_is_an_error(tree: Tree) -> None:
    root = tree({"app.py": "eval(x)\n", "bandit.yaml": "exclude_dirs: ['.']\n"})
    project = Project(root=root, base=root, files=("app.py", "bandit.yaml"))

    measured = security.conclude(project, Security(), [])

    assert measured.outcome == "error"
    assert "bandit's own configuration excludes all Python files" in measured.reason


def test_a_script_without_an_ending_is_judged_and_other_files_are_not(tree: Tree) -> None:
    files = {"run": "#!/usr/bin/env python3\neval(x)\n", "a.pyi": "eval(x)\n", "b.txt": "eval(x)\n"}

    assert [f.location.path for f in judge(tree(files)).findings] == ["run"]


def test_another_version_of_bandit_runs_by_its_own_driver(
    tree: Tree, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = 'import pickle\npickle.loads(x)  # nosec\npassword = "x"\nassert eval(x)\n'
    root = tree({"app.py": code, "broken.py": "def f(:\n"})
    fast = judge(root)
    from sdlc_cli.gate.analysis import bandit_setup

    monkeypatch.setattr(bandit_setup, "version", lambda: "99.1.0")
    stock = judge(root)

    assert stock.findings == fast.findings
    assert stock.score == fast.score
    assert stock.metrics["nosec"] == fast.metrics["nosec"] == 1
    assert (fast.metrics["driver"], stock.metrics["driver"]) == ("sdlc", "bandit")
    assert "99.1.0" in str(stock.metrics["driver_reason"])
    assert [skipped.path for skipped in stock.skipped_files] == ["broken.py"]


def test_no_reference_cycle_keeps_a_tree_alive() -> None:
    code = 'import pickle\nx = ["/tmp/a" for y in z if eval(y)]\nassert x\npassword = "x"\n' * 200
    project = Project(root=Path("/nowhere"), base=Path("/nowhere"), files=())
    state = security.prepare(project, Security())
    gc.collect()
    gc.disable()
    try:
        outcome = security.inspect(state, Unit("app.py", code.encode()))
        unreachable = gc.collect()
    finally:
        gc.enable()

    assert outcome is not None
    assert len(outcome.findings) == 1000
    assert unreachable < 100


def test_the_score_is_a_number_for_an_empty_file(tree: Tree) -> None:
    score = judge(tree({"__init__.py": ""})).score

    assert score is not None
    assert math.isclose(score, 100)
