import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sdlc_cli.core.errors import WorkError
from sdlc_cli.gate.engines.coverage import check
from sdlc_cli.gate.model import Measurement
from sdlc_cli.gate.options import Coverage
from sdlc_cli.gate.source import Project

Tree = Callable[..., Path]

APP = {
    "src/app/__init__.py": "",
    "src/app/half.py": "def f(n):\n    if n:\n        return 1\n    return 2\n\n\ndef g():\n"
    "    x = 1\n    return x\n",
    "src/app/full.py": "def h():\n    for i in range(3):\n        pass\n    return i\n",
    "src/app/never.py": "import os\nprint(os)\n",
    "run.py": "import sys\nsys.path.insert(0, 'src')\nfrom app.full import h\n"
    "from app.half import f\nh()\nf(1)\n",
}


def measure(root: Path, *, base: Path | None = None, **options: Any) -> Measurement:
    files = tuple(sorted(p.relative_to(root).as_posix() for p in root.rglob("*.py")))
    project = Project(root=root, base=base or root, files=files, configured=False)
    return check(project, "coverage", Coverage(**options))


def coverage(root: Path, *words: str) -> None:
    subprocess.run(
        [sys.executable, "-m", "coverage", *words], cwd=root, check=True, capture_output=True
    )


def percent(root: Path) -> float:
    coverage(root, "json", "-o", "truth.json")
    truth = json.loads((root / "truth.json").read_text())
    return float(truth["totals"]["percent_covered"])


@pytest.mark.parametrize("branches", [False, True])
@pytest.mark.parametrize(
    ("form", "file"), [("xml", "coverage.xml"), ("json", "coverage.json"), ("lcov", "lcov.info")]
)
def test_the_score_is_coverages_own_percent(
    form: str, file: str, branches: bool, tree: Tree
) -> None:
    root = tree(APP)
    coverage(root, "run", "--source=src", *["--branch"] * branches, "run.py")
    coverage(root, form, "-o", file)

    got = measure(root, branches=branches)

    assert got.outcome == "judged", got.reason
    assert got.score == pytest.approx(percent(root), abs=1e-9)
    assert 30 < (got.score or 0) < 90
    assert got.metrics["report"] == file


def test_a_report_of_a_package_in_src_is_found_by_its_source_root(tree: Tree) -> None:
    root = tree(APP)
    coverage(root, "run", "--source=src/app", "run.py")
    coverage(root, "xml")

    got = measure(root)

    assert got.score == pytest.approx(percent(root))
    assert got.metrics["files_elsewhere"] == 0


def test_gaps_are_findings_with_the_lines(tree: Tree) -> None:
    root = tree(APP)
    coverage(root, "run", "--source=src", "run.py")
    coverage(root, "xml")

    gaps = [f for f in measure(root).findings if f.rule == "uncovered"]

    assert [(f.location.path, f.location.line, f.message) for f in gaps] == [
        ("src/app/half.py", 4, "3 of 7 lines are run by no test: 4, 8-9"),
        ("src/app/never.py", 1, "2 of 2 lines are run by no test: 1-2"),
    ]
    assert {f.severity for f in gaps} == {"low"}


def test_code_that_the_report_does_not_know_is_named(tree: Tree) -> None:
    root = tree(APP | {"src/app/test_x.py": "y = 1\n", "docs/conf.py": "z = 1\n"})
    coverage(root, "run", "--include=src/*", "run.py")  # measures only what is imported
    coverage(root, "xml")

    got = measure(root)

    missing = [f.location.path for f in got.findings if f.rule == "not-in-report"]
    assert missing == ["docs/conf.py", "run.py", "src/app/never.py"]
    assert got.metrics["files_not_in_report"] == 3
    assert "does not mention 3 of the 5 Python files that are no tests" in got.reason


def test_a_report_older_than_the_code_is_a_finding(tree: Tree) -> None:
    root = tree(APP)
    coverage(root, "run", "--source=src", "run.py")
    coverage(root, "xml")
    assert "stale-report" not in [f.rule for f in measure(root).findings]
    later = (root / "coverage.xml").stat().st_mtime + 60
    os.utime(root / "src/app/half.py", (later, later))

    (stale,) = [f for f in measure(root).findings if f.rule == "stale-report"]

    assert stale.location.path == "coverage.xml"
    assert "src/app/half.py" in stale.message


TEN = "x = 1\n" * 10


def lcov(path: str, hits: int, lines: int = 10) -> str:
    return f"SF:{path}\n" + "".join(f"DA:{n + 1},{int(n < hits)}\n" for n in range(lines))


def test_without_a_report_the_gate_is_skipped_with_advice(tree: Tree) -> None:
    root = tree({"a.py": "x = 1\n"})
    nothing = measure(root)
    (root / ".coverage").write_bytes(b"SQLite format 3\0")
    data = measure(root)

    assert (nothing.outcome, data.outcome) == ("skipped", "skipped")
    assert "looked for coverage.xml" in nothing.reason
    assert "there is coverage data and no report: run 'coverage xml' first" in data.reason


@pytest.mark.parametrize(
    ("report", "options", "says"),
    [
        pytest.param(lcov("elsewhere/b.py", 5), {}, "covers none of the files", id="foreign"),
        pytest.param("SF:a.py\nend_of_record\n", {}, "measured no line", id="no line"),
        pytest.param("TN:\nSF:\n", {}, "covers none", id="empty"),
        pytest.param(lcov("a.py", 5), {"branches": True}, "holds no branches", id="no branches"),
    ],
)
def test_a_report_that_measured_nothing_is_an_error(
    report: str, options: dict[str, Any], says: str, tree: Tree
) -> None:
    got = measure(tree({"a.py": TEN, "lcov.info": report}), **options)

    assert (got.outcome, got.score) == ("error", None)
    assert says in got.reason


@pytest.mark.parametrize(("content", "says"), [(None, "No such file"), ("hello", "cannot be used")])
def test_a_named_report_that_cannot_be_used_is_a_work_error(
    content: str | None, says: str, tree: Tree
) -> None:
    root = tree({"a.py": "x = 1\n"} | ({"out/cov.xml": content} if content else {}))

    with pytest.raises(WorkError, match=says):
        measure(root, report="out/cov.xml")


def test_the_newest_of_the_usual_reports_counts(tree: Tree) -> None:
    root = tree({"a.py": TEN, "lcov.info": lcov("a.py", 2), "coverage/lcov.info": lcov("a.py", 7)})
    os.utime(root / "lcov.info", (1e9, 1e9))

    assert measure(root).score == 70
    os.utime(root / "coverage/lcov.info", (1e8, 1e8))
    assert measure(root).score == 20


def test_a_report_in_the_folder_of_gates_yaml_is_read_from_there(tree: Tree) -> None:
    root = tree({"service/a.py": TEN, "a.py": "", "service/lcov.info": lcov("a.py", 9)})

    got = measure(root, base=root / "service")

    assert got.score == 90
    assert got.findings[0].location.path == "service/a.py"


def test_a_file_measured_twice_counts_once(tree: Tree) -> None:
    both = lcov("a.py", 2) + "end_of_record\n" + lcov("/ci/a.py", 6)

    got = measure(tree({"a.py": TEN, "lcov.info": both}))

    assert (got.score, got.metrics["lines"]) == (60, 10)


def test_only_the_biggest_gaps_are_shown(tree: Tree) -> None:
    files = {f"p/m{n:02}.py": TEN for n in range(30)}
    report = "".join(lcov(path, n % 10) + "end_of_record\n" for n, path in enumerate(files))

    gaps = measure(tree(files | {"lcov.info": report})).findings

    assert len(gaps) == 20
    assert gaps[0].message.startswith("10 of 10 lines")


def test_a_report_on_the_tests_alone_covers_none_of_the_code(tree: Tree) -> None:
    code = {f"src/{name}.py": TEN for name in "abc"}
    root = tree(code | {"tests/test_a.py": TEN, "lcov.info": lcov("tests/test_a.py", 10)})

    got = measure(root)

    assert (got.outcome, got.score) == ("error", None)
    assert "covers none of the code" in got.reason
    assert got.metrics["files_not_in_report"] == 3


def test_code_away_from_all_measured_code_is_named(tree: Tree) -> None:
    code = {f"src/{name}.py": TEN for name in "abc"} | {"src/__init__.py": ""}
    root = tree(code | {"tool.py": TEN, "lcov.info": lcov("tool.py", 10)})

    got = measure(root)

    missing = [f.location.path for f in got.findings if f.rule == "not-in-report"]
    assert missing == ["src/a.py", "src/b.py", "src/c.py"]
    assert (got.outcome, got.metrics["files_not_in_report"]) == ("judged", 3)
    assert "does not mention 3 of the 4 Python files" in got.reason


def test_a_report_that_knows_half_of_the_code_gives_no_reason(tree: Tree) -> None:
    root = tree({"a.py": TEN, "b.py": TEN, "lcov.info": lcov("a.py", 10)})

    assert measure(root).reason == ""


@pytest.mark.parametrize("number", [-1, 0, 4, 10_000])
def test_lines_that_a_file_does_not_have_do_not_count(number: int, tree: Tree) -> None:
    report = f"SF:a.py\nDA:1,1\nDA:2,0\nDA:{number},1\nBRDA:{number},0,0,1\n"

    got = measure(tree({"a.py": "x\ny\nz", "lcov.info": report}))

    assert (got.score, got.metrics["lines"], got.metrics["branches"]) == (50, 2, 0)
    (stale,) = [f for f in got.findings if f.rule == "stale-report"]
    assert stale.location.path == "a.py"
    assert "1 lines that this file does not have" in stale.message


def test_a_pipe_or_a_device_is_no_report(tree: Tree) -> None:
    root = tree({"a.py": TEN})
    os.mkfifo(root / "pipe.xml")

    for report in ("pipe.xml", "/dev/zero"):
        with pytest.raises(WorkError, match="is no regular file"):
            measure(root, report=report)
