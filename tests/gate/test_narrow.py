"""Only the change is judged: findings, coverage and complexity, in real repositories."""

import json
import os
import subprocess
from collections.abc import Callable, Mapping
from datetime import date
from pathlib import Path

import pytest

from sdlc_cli.core.finding import Finding, Location, Severity
from sdlc_cli.gate import config as gate_config
from sdlc_cli.gate import engines, formula, source
from sdlc_cli.gate.adjust import adjust
from sdlc_cli.gate.changes import ALL, Changes, changes
from sdlc_cli.gate.config import Gate
from sdlc_cli.gate.engines.security import HALF
from sdlc_cli.gate.filepass import inspect_files
from sdlc_cli.gate.model import GateReport, Measurement
from sdlc_cli.gate.narrow import only_changed
from sdlc_cli.gate.options import BUILT_IN, Coverage
from sdlc_cli.gate.score import Measured, judge

Tree = Callable[..., Path]
TODAY = date(2026, 1, 1)


def git(root: Path, *words: str) -> None:
    subprocess.run(
        ["git", "-c", "user.name=t", "-c", "user.email=t@t", *words],
        cwd=root, check=True, capture_output=True,
    )  # fmt: skip


def measure(
    root: Path, rev: str = "main", *, gates: Mapping[str, Gate] | None = None
) -> dict[str, Measurement]:
    """The gates' measurements of what changed since `rev`."""
    chosen = gates or {name: BUILT_IN[name]() for name in ("syntax", "security", "docs")}
    config = gate_config.defaults(root)
    project = source.open_project(root=root, base=root, scope=root)
    by_file = {name: gate for name, gate in chosen.items() if name in engines.FILE_ENGINES}
    seen = inspect_files(project, by_file, jobs=1)
    measured = {
        name: Measured(measurement=engines.load(name).conclude(
            project, gate, [(f.path, s.outcome) for f in seen for s in f.seen if s.gate == name]
        ))
        for name, gate in by_file.items()
    }  # fmt: skip
    for name in chosen.keys() - by_file.keys():
        measurement = engines.load(name).check(project, name, chosen[name])
        measured[name] = Measured(measurement=measurement)
    adjusted = adjust(
        project, config, chosen, seen, measured, today=TODAY, changes=changes(root, rev)
    )
    return {name: one.measurement for name, one in adjusted.items()}


def write(root: Path, files: Mapping[str, str]) -> None:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)


OLD = '"""Doc."""\n\nimport subprocess\n\nsubprocess.call("ls", shell=True)\n'


@pytest.fixture
def repo(tree: Tree) -> Path:
    root = tree({"app.py": OLD, "other.py": "def f():\n    return eval('1')\n"}, git=True)
    git(root, "checkout", "-qb", "work")
    return root


def test_only_findings_on_changed_lines_are_left(repo: Path) -> None:
    write(repo, {"app.py": OLD + "eval('2')\n"})

    security = measure(repo)["security"]

    assert [(f.rule, f.location.line) for f in security.findings] == [("B307", 6)]
    assert security.score == formula.density([Severity.MEDIUM], 6, HALF)
    assert security.metrics["formula"] == formula.density_terms(6, HALF)


def test_a_finding_that_spans_lines_is_touched_by_any_of_them(repo: Path) -> None:
    call = "subprocess.call(\n    'ls',\n    {},\n    shell=True,\n)\n"
    write(repo, {"app.py": OLD + call.format("bufsize=1")})
    git(repo, "add", "-A")
    git(repo, "commit", "-qm", "call")
    write(repo, {"app.py": OLD + call.format("bufsize=2")})

    assert [f.location.line for f in measure(repo, "HEAD")["security"].findings] == [6]


def test_a_renamed_file_brings_no_old_findings_along(repo: Path) -> None:
    os.rename(repo / "app.py", repo / "moved.py")

    assert {m.reason for m in measure(repo).values()} == {"no changes"}


def test_syntax_is_judged_by_whole_changed_files(repo: Path) -> None:
    write(repo, {"app.py": "x = (\n" + OLD})

    syntax = measure(repo)["syntax"]

    assert [f.rule for f in syntax.findings] == ["syntax-error"]
    assert syntax.score == 0


def test_docs_count_what_is_public_in_the_changed_files(repo: Path) -> None:
    write(repo, {"app.py": OLD + "\n\ndef new(): ...\n"})

    docs = measure(repo)["docs"]

    assert [f.rule for f in docs.findings] == ["missing-docstring"]
    assert docs.score == 50  # the module is documented, the new function is not


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({}, id="nothing"),
        pytest.param({"picture.svg": "<svg/>"}, id="a file that no gate judges"),
    ],
)
def test_a_gate_without_changes_is_skipped_and_the_run_passes(
    repo: Path, change: dict[str, str]
) -> None:
    write(repo, change)

    measured = measure(repo)
    report = verdict(repo, measured)

    assert {(m.outcome, m.reason) for m in measured.values()} == {("skipped", "no changes")}
    assert (report.exit_code, report.score, report.reasons) == (0, None, ())


def verdict(root: Path, measured: Mapping[str, Measurement]) -> GateReport:
    config = gate_config.defaults(root)
    return judge({n: Measured(measurement=m) for n, m in measured.items()}, config, 1)


def test_a_gate_in_error_stays_one_without_changes() -> None:
    broken = Measurement(outcome="error", reason="crashed")

    assert only_changed("security", broken, Changes(base="0" * 40), {}) == broken


@pytest.mark.parametrize(
    ("name", "path", "outcome"),
    [
        pytest.param("integration", "data.bin", "judged", id="tests run as a whole"),
        pytest.param("performance", "a.py", "judged", id="benchmarks run as a whole"),
        pytest.param("dependencies", "a.py", "skipped", id="no manifest changed"),
        pytest.param("dependencies", "uv.lock", "judged", id="a lock file changed"),
        pytest.param("dependencies", "req/requirements-dev.txt", "judged", id="requirements"),
    ],
)
def test_what_cannot_be_cut_to_lines_is_judged_whole_or_not_at_all(
    name: str, path: str, outcome: str
) -> None:
    whole = Measurement(score=50, metrics={"formula": formula.share_terms(1, 2, "finding")})
    made = Changes(base="0" * 40, files={path: ALL})

    assert only_changed(name, whole, made, {}).outcome == outcome


def test_a_programs_sarif_is_cut_to_the_changed_lines() -> None:
    places = [Location(path="a.py", line=line) for line in (1, 2)]
    found = [
        Finding(rule="E1", severity=Severity.HIGH, message="", location=place) for place in places
    ]
    whole = Measurement(
        score=10, findings=tuple(found), metrics={"formula": formula.density_terms(9000, 20)}
    )
    made = Changes(base="0" * 40, files={"a.py": frozenset({2})})

    cut = only_changed("lint", whole, made, {"a.py": {"lines": 3000}})

    assert cut.findings == (found[1],)
    assert cut.score == formula.density([Severity.HIGH], 3000, 20)


# Complexity


def function(name: str, branches: int, indent: str = "") -> str:
    ifs = [f"    if x == {n}: x += 1" for n in range(branches)]
    lines = [f"def {name}(x):", *ifs, "    return x"]
    return "".join(f"{indent}{line}\n" for line in lines)


@pytest.mark.parametrize(
    ("old", "new", "found"),
    [
        pytest.param(
            function("f", 12),
            function("f", 12).replace("return x", "return -x"),
            [],
            id="touched, as complex as before",
        ),
        pytest.param(
            function("f", 14), function("f", 12), [], id="touched, simpler but above the limit"
        ),
        pytest.param(function("f", 12), function("f", 14), [("f", 13)], id="grew"),
        pytest.param(function("f", 3), function("f", 14), [("f", 4)], id="grew over the limit"),
        pytest.param("x = 1\n", function("f", 14), [("f", None)], id="new"),
        pytest.param(function("f", 12), function("g", 12), [], id="renamed, its text is the same"),
        pytest.param(
            function("f", 12),
            "class C:\n" + function("f", 12, "    "),
            [],
            id="moved into a class",
        ),
        pytest.param(
            function("f", 12) + function("f", 15),
            "y = 2\n" + function("f", 12) + function("f", 16),
            [("f", 16)],
            id="two of one name",
        ),
        pytest.param("def f(:\n", function("f", 12), [("f", None)], id="the old file was broken"),
    ],
)
def test_complexity_counts_where_the_change_raised_it(
    tree: Tree, old: str, new: str, found: list[tuple[str, int | None]]
) -> None:
    same = "".join(f"# what stays, line {n}\n" for n in range(60))  # so that git sees a rename
    root = tree({"a b.py": same + old}, git=True)
    os.rename(root / "a b.py", root / "moved.py")
    write(root, {"moved.py": same + new})

    measured = measure(root, gates={"maintainability": BUILT_IN["maintainability"]()})

    messages = [(f.context, f.message) for f in measured["maintainability"].findings]
    assert [context for context, _ in messages] == [name for name, _ in found]
    for (_, message), (_, before) in zip(messages, found, strict=True):
        assert message.endswith("above 10" if before is None else f"it was {before}")


# Coverage


def coverage(root: Path, hits: Mapping[str, Mapping[int, bool]]) -> Measurement:
    """The gate's measurement since HEAD, by a report that says which lines were run."""
    files = {
        path: {
            "executed_lines": [n for n, hit in lines.items() if hit],
            "missing_lines": [n for n, hit in lines.items() if not hit],
        }
        for path, lines in hits.items()
    }
    write(root, {"coverage.json": json.dumps({"files": files})})
    gates = {"coverage": Coverage(report="coverage.json")}
    return measure(root, "HEAD", gates=gates)["coverage"]


LINES = "".join(f"x{n} = {n}\n" for n in range(1, 101))


@pytest.fixture
def covered(tree: Tree) -> Path:
    """A file of 100 lines; lines 41 to 70 are changed, and not committed."""
    root = tree({"app/a.py": LINES, "app/b.py": "y = 1\n"}, git=True)
    rows = LINES.splitlines(keepends=True)
    rows[40:70] = [f"z = {row}" for row in rows[40:70]]
    write(root, {"app/a.py": "".join(rows)})
    return root


def test_coverage_is_that_of_the_changed_lines(covered: Path) -> None:
    hits = {n: n <= 60 for n in range(1, 101)}

    measured = coverage(covered, {"app/a.py": hits, "app/b.py": {1: False}})

    assert measured.score == pytest.approx(100 * 20 / 30)
    assert [f.location.line for f in measured.findings] == [61]
    assert (measured.metrics["lines"], measured.metrics["lines_covered"]) == (30, 20)
    assert measured.metrics["project_score"] == pytest.approx(100 * 60 / 101)


def test_a_change_of_few_lines_is_shown_and_does_not_fail(covered: Path) -> None:
    hits = dict.fromkeys(range(1, 60), False)

    measured = coverage(covered, {"app/a.py": hits})

    assert (measured.outcome, measured.unchanged) == ("skipped", True)
    assert measured.reason.startswith("0 of 19 changed lines are run by tests")
    assert [f.rule for f in measured.findings] == ["uncovered"]


def test_twenty_lines_are_enough_to_judge(covered: Path) -> None:
    measured = coverage(covered, {"app/a.py": dict.fromkeys(range(1, 61), False)})

    assert (measured.outcome, measured.score) == ("judged", 0)


def test_a_new_file_that_the_report_does_not_know_counts_as_not_run(covered: Path) -> None:
    write(covered, {"app/new.py": '"""Doc."""\n' + "def f():\n    return 1\n" * 5})

    measured = coverage(covered, {"app/a.py": dict.fromkeys(range(1, 101), True)})

    assert measured.score == pytest.approx(100 * 30 / 40)
    assert {f.rule for f in measured.findings} == {"uncovered", "not-in-report"}


def test_without_a_report_a_changed_python_file_was_not_judged(covered: Path) -> None:
    (missing,) = measure(covered, "HEAD", gates={"coverage": Coverage()}).values()
    assert (missing.outcome, missing.unchanged) == ("skipped", False)

    git(covered, "checkout", "app/a.py")
    write(covered, {"README": "x"})

    (nothing,) = measure(covered, "HEAD", gates={"coverage": Coverage()}).values()
    assert (nothing.outcome, nothing.unchanged) == ("skipped", True)
