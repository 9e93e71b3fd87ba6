"""Files count as good when they parse for every version that the project declares."""

import platform
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from sdlc_cli.core.finding import Severity
from sdlc_cli.gate import interpreters
from sdlc_cli.gate.engines.syntax import State, conclude, inspect, prepare
from sdlc_cli.gate.formats import Fault
from sdlc_cli.gate.interpreters import Interpreter, Judged
from sdlc_cli.gate.model import Measurement, Outcome, SkippedFile
from sdlc_cli.gate.options import Syntax
from sdlc_cli.gate.source import Unit, open_project, read

Tree = Callable[..., Path]
OWN = f"3.{sys.version_info.minor}"


def measure(root: Path, *versions: str) -> Measurement:
    project = open_project(root=root, base=root, scope=root)
    options = Syntax(versions=versions)
    state = prepare(project, options)
    outcomes: list[tuple[str, Outcome]] = []
    for path in project.files:
        unit = read(project, path)
        assert isinstance(unit, Unit)
        if (outcome := inspect(state, unit)) is not None:
            outcomes.append((path, outcome))
    return conclude(project, options, outcomes)


def judge_alone(name: str, data: bytes) -> Outcome | None:
    return inspect(State(judge_own=True), Unit(name, data))


GOOD = {
    "a.py": "x = 1\n",
    "b.pyi": "def f(x: int) -> None: ...\n",
    "c.toml": "a = 1\n",
    "d.yaml": "a: 1\n",
    "e.json": "{}",
    "script": "#!/usr/bin/env python3\nx = 1\n",
    "notes.txt": "return [\n",
}


def test_files_that_parse_have_full_points(tree: Tree) -> None:
    measured = measure(tree(GOOD))

    assert measured.score == 100
    assert measured.findings == ()
    assert measured.metrics == {
        "files": {"python": 3, "toml": 1, "yaml": 1, "json": 1},
        "versions_judged": {OWN: platform.python_version()},
        "versions_not_judged": [],
        "formula": {"kind": "share", "good": 6, "total": 6, "unit": "file"},
    }


def test_the_score_is_the_share_of_files_that_parse(tree: Tree) -> None:
    measured = measure(tree({**GOOD, "bad.py": "return\n", "bad.json": "{"}))

    assert measured.score == pytest.approx(75)
    assert [(f.location.path, f.severity) for f in measured.findings] == [
        ("bad.json", Severity.HIGH),
        ("bad.py", Severity.CRITICAL),
    ]


@pytest.mark.parametrize(
    ("name", "data", "rule", "line", "words"),
    [
        pytest.param("a.py", b"x = (\n", "syntax-error", 1, "was never closed", id="parse"),
        pytest.param("a.py", b"x = 1\nreturn\n", "syntax-error", 2, "outside", id="compile"),
        pytest.param("a.py", b"x = 1\0\n", "syntax-error", 0, "null bytes", id="NUL"),
        pytest.param("a.py", b"\n# \xff\n", "encoding-error", 2, "byte 0xff", id="not UTF-8"),
        pytest.param("a.py", b"# coding: nonsense\n", "encoding-error", 1, "nonsense", id="coding"),
        pytest.param("a.toml", b"a\n", "syntax-error", 1, "TOML", id="toml"),
        pytest.param("a.yml", b"a: [\n", "syntax-error", 2, "YAML", id="yaml"),
        pytest.param("a.json", b'\n"\xff"', "encoding-error", 2, "byte 0xff", id="json bytes"),
    ],
)
def test_a_file_that_does_not_parse_is_a_finding(
    name: str, data: bytes, rule: str, line: int, words: str
) -> None:
    outcome = judge_alone(name, data)

    assert outcome is not None
    (finding,) = outcome.findings
    assert finding.rule == rule
    assert finding.location.line == line
    assert words in finding.message


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"\xef\xbb\xbfx = 1\r\n", id="a byte order mark and CRLF"),
        pytest.param(b"# coding: latin-1\nx = '\xe9'\n", id="a coding line"),
        pytest.param(b"x = '\\d'\nx is 1\n", id="warnings are no errors"),
        pytest.param(b"", id="nothing at all"),
    ],
)
def test_odd_but_valid_python_is_no_finding(data: bytes) -> None:
    assert judge_alone("a.py", data) == Outcome(numbers={"python": 1})


@pytest.mark.parametrize(
    ("name", "data", "reason"),
    [
        ("a.py", b"x = " + b"-" * 50_000 + b"1", "the code is nested too deeply"),
        ("a.py", b"x = a" + b".b" * 20_000, "the code is nested too deeply"),
        ("a.json", b"[" * 100_000, "it is nested too deeply to parse"),
        ("templates/a.yaml", b"{{- if .Values.x }}\na: b\n", "a template, not YAML yet"),
        ("a.yml", b"{% if x %}\na: b: c\n", "a template, not YAML yet"),
        ("{{cookiecutter.slug}}/a.py", b"import {{x}}\n", f"a template, not Python {OWN} yet"),
    ],
)
def test_what_cannot_be_judged_is_skipped_with_its_reason(
    name: str, data: bytes, reason: str
) -> None:
    outcome = judge_alone(name, data)

    assert outcome is not None
    assert outcome.skipped == reason
    assert outcome.findings == ()


def test_nothing_to_judge_is_skipped(tree: Tree) -> None:
    measured = measure(tree({"notes.txt": "x"}))

    assert measured.outcome == "skipped"


def test_a_project_of_which_nothing_could_be_judged_is_an_error(tree: Tree) -> None:
    measured = measure(tree({"a.json": "[" * 100_000}))

    assert measured.outcome == "error"
    assert measured.skipped_files == (
        SkippedFile(path="a.json", reason="it is nested too deeply to parse"),
    )


def others_say(monkeypatch: pytest.MonkeyPatch, **said: Judged) -> None:
    """Let the interpreters of other versions say this: `v3_98=Judged(…)`."""
    by_version = {name[1:].replace("_", "."): judged for name, judged in said.items()}

    def find(version: str, root: Path) -> Interpreter | None:
        if version not in by_version:
            return None
        return Interpreter(version=version, release=f"{version}.1", path=root / "python")

    monkeypatch.setattr(interpreters, "find", find)
    monkeypatch.setattr(interpreters, "judge", lambda one, root, files: by_version[one.version])


@pytest.mark.parametrize(
    ("path", "severity"),
    [("tests/test_match.py", Severity.MEDIUM), ("pkg/match.py", Severity.CRITICAL)],
)
def test_a_test_that_only_some_versions_parse_is_no_critical_finding(
    tree: Tree, monkeypatch: pytest.MonkeyPatch, path: str, severity: Severity
) -> None:
    fault = Fault(message="invalid syntax", line=3, column=2)
    others_say(monkeypatch, v3_97=Judged(faults={path: fault}), v3_98=Judged())

    for text, versions in (("", (OWN, "3.97")), ("", ("3.97", "3.98")), ("def", (OWN, "3.98"))):
        (finding,) = measure(tree({path: text}), *versions).findings
        assert finding.severity == severity, versions


def test_a_test_that_no_version_parses_is_critical(
    tree: Tree, monkeypatch: pytest.MonkeyPatch
) -> None:
    fault = Fault(message="invalid syntax", line=3, column=2)
    others_say(monkeypatch, v3_97=Judged(faults={"tests/a.py": fault}))

    for versions in ((OWN, "3.97"), ("3.97",)):
        (finding,) = measure(tree({"tests/a.py": "def"}), *versions).findings
        assert finding.severity == Severity.CRITICAL, versions


def test_a_file_must_parse_for_every_version(tree: Tree, monkeypatch: pytest.MonkeyPatch) -> None:
    fault = Fault(message="invalid syntax", line=3, column=2)
    others_say(
        monkeypatch, v3_97=Judged(faults={"a.py": fault}), v3_98=Judged(faults={"a.py": fault})
    )

    measured = measure(tree({"a.py": "", "b.py": ""}), OWN, "3.97", "3.98")

    assert measured.score == 50
    (finding,) = measured.findings
    assert finding.message == "does not parse as Python 3.97, 3.98: invalid syntax"
    assert (finding.severity, finding.location.line) == (Severity.CRITICAL, 3)
    assert finding.fingerprint
    assert measured.metrics["versions_judged"] == {
        OWN: platform.python_version(),
        "3.97": "3.97.1",
        "3.98": "3.98.1",
    }


def test_a_file_that_another_version_could_not_take_is_listed(
    tree: Tree, monkeypatch: pytest.MonkeyPatch
) -> None:
    others_say(monkeypatch, v3_98=Judged(skipped={"a.py": "Python 3.98 died of it"}))

    measured = measure(tree({"a.py": ""}), OWN, "3.98")

    assert measured.score == 100
    assert measured.skipped_files == (SkippedFile(path="a.py", reason="Python 3.98 died of it"),)


def test_a_version_without_interpreter_is_reported_and_costs_no_points(
    tree: Tree, monkeypatch: pytest.MonkeyPatch
) -> None:
    others_say(monkeypatch)
    root = tree(
        {"pyproject.toml": f'[project]\nrequires-python = ">={OWN},<3.30"\n', "a.py": "x = 1\n"}
    )

    measured = measure(root)

    assert measured.score == 100
    assert measured.reason == "not judged by Python 3.29: no interpreter here"
    assert measured.metrics["versions_not_judged"] == ["3.29"]
    (finding,) = measured.findings
    assert (finding.rule, finding.severity) == ("version-not-judged", Severity.LOW)
    assert finding.location.path == "pyproject.toml"


def test_an_interpreter_that_breaks_down_has_judged_nothing(
    tree: Tree, monkeypatch: pytest.MonkeyPatch
) -> None:
    others_say(monkeypatch, v3_98=Judged(broken="Python 3.98 died 6 times"))

    measured = measure(tree({"a.py": ""}), OWN, "3.98")

    assert [f.message for f in measured.findings] == [
        "Python 3.98 is not judged: Python 3.98 died 6 times"
    ]


def test_no_interpreter_for_any_declared_version_is_an_error(
    tree: Tree, monkeypatch: pytest.MonkeyPatch
) -> None:
    others_say(monkeypatch)

    measured = measure(tree({"a.py": "this is not python\n"}), "3.98")

    assert measured.outcome == "error"
    assert measured.reason == "no interpreter here for Python 3.98, which gates.yaml declares"


def test_our_own_version_has_no_say_unless_it_is_declared(
    tree: Tree, monkeypatch: pytest.MonkeyPatch
) -> None:
    others_say(monkeypatch, v3_98=Judged())

    measured = measure(tree({"a.py": "syntax of the future\n"}), "3.98")

    assert measured.score == 100


def test_a_broken_pyproject_is_a_finding_and_declares_nothing(tree: Tree) -> None:
    measured = measure(tree({"pyproject.toml": "[project\n", "a.py": ""}))

    assert measured.score == 50
    assert [f.location.path for f in measured.findings] == ["pyproject.toml"]
    assert measured.metrics["versions_judged"] == {OWN: platform.python_version()}


def test_a_real_interpreter_of_another_version_judges(tree: Tree) -> None:
    root = tree({"a.py": "x = 1\n", "new.py": "type X = int\n" if OWN != "3.11" else "x = 1\n"})
    for minor in range(7, 15):
        version = f"3.{minor}"
        if version != OWN and interpreters.find(version, root):
            measured = measure(root, version)
            assert measured.metrics["files"] == {"python": 2}
            assert list(measured.metrics["versions_judged"]) == [version]  # type: ignore[call-overload]
            return
    pytest.skip("no other Python is installed here")
