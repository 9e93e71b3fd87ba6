"""Complex functions as findings, radon's numbers as metrics, and the score of both."""

import math
from collections.abc import Callable
from pathlib import Path

import pytest
from radon.metrics import mi_rank

from sdlc_cli.core.finding import Severity
from sdlc_cli.gate.config import Maintainability
from sdlc_cli.gate.engines import maintainability
from sdlc_cli.gate.engines.maintainability import index_rank
from sdlc_cli.gate.model import Measurement, Outcome
from sdlc_cli.gate.source import Project, Unit

Tree = Callable[..., Path]
NOWHERE = Project(root=Path("/nowhere"), base=Path("/nowhere"), files=())


def function(branches: int, name: str = "f", indent: str = "") -> str:
    body = "".join(f"{indent}    if x == {n}:\n{indent}        y = {n}\n" for n in range(branches))
    return f"{indent}def {name}(x):\n{body}{indent}    return x\n"


def judge(files: dict[str, str | bytes], limit: int = 10) -> Measurement:
    options = Maintainability(max_complexity=limit)
    state = maintainability.prepare(NOWHERE, options)
    outcomes: list[tuple[str, Outcome]] = []
    for path, content in files.items():
        data = content.encode() if isinstance(content, str) else content
        outcome = maintainability.inspect(state, Unit(path, data))
        if outcome is not None:
            outcomes.append((path, outcome))
    return maintainability.conclude(NOWHERE, options, outcomes)


@pytest.mark.parametrize(
    ("branches", "severity"),
    [
        pytest.param(9, None, id="at the limit"),
        pytest.param(10, Severity.LOW, id="C"),
        pytest.param(19, Severity.LOW, id="C, its last"),
        pytest.param(20, Severity.MEDIUM, id="D"),
        pytest.param(30, Severity.HIGH, id="E"),
        pytest.param(60, Severity.HIGH, id="F"),
    ],
)
def test_the_severity_follows_radons_rank(branches: int, severity: Severity | None) -> None:
    findings = judge({"a.py": function(branches)}).findings

    assert [finding.severity for finding in findings] == ([severity] if severity else [])


def test_a_finding_names_the_function_its_number_and_its_lines() -> None:
    code = "class Box:\n    def get(self):\n        pass\n\n" + function(12, "put", "    ")
    (found,) = judge({"a.py": code}).findings

    assert found.rule == "complexity"
    assert found.context == "Box.put"
    assert found.message == "Box.put has a cyclomatic complexity of 13 (rank C), above 10"
    assert (found.location.line, found.location.column, found.location.end_line) == (5, 5, 30)


def test_the_limit_is_the_users() -> None:
    files: dict[str, str | bytes] = {"a.py": function(5) + function(15, "g")}

    assert len(judge(files, limit=5).findings) == 2
    assert judge(files, limit=16).findings == ()


def test_a_function_inside_a_function_is_judged_by_itself() -> None:
    code = "def outer(x):\n" + function(12, "inner", "    ") + "    return inner\n"

    assert [finding.context for finding in judge({"a.py": code}).findings] == ["outer.inner"]


def test_one_function_of_sixty_branches_costs_a_thousand_lines_much() -> None:
    filler = "x = 1\n" * 879
    measured = judge({"a.py": function(60) + filler})

    assert measured.score == pytest.approx(57.4, abs=0.1)
    assert judge({"a.py": filler}).score == 100


def test_the_same_functions_in_a_larger_project_cost_less() -> None:
    small, large = (judge({"a.py": function(25) + "x = 1\n" * n}).score for n in (2000, 20_000))

    assert small is not None
    assert large is not None
    assert small < large < 100


def test_the_metrics_hold_radons_numbers() -> None:
    files: dict[str, str | bytes] = {
        "a.py": function(12) + function(2, "g"), "b.py": "x = 1\n", "c.txt": "x",
    }  # fmt: skip
    metrics = judge(files).metrics

    assert (metrics["files"], metrics["functions"], metrics["functions_above"]) == (2, 2, 1)
    assert metrics["mean_complexity"] == 8
    assert metrics["share_above"] == 0.5
    assert metrics["ranks"] == {"A": 1, "B": 0, "C": 1, "D": 0, "E": 0, "F": 0}
    assert metrics["index_ranks"] == {"A": 2, "B": 0, "C": 0}
    assert metrics["most_complex"] == [
        {"path": "a.py", "line": 1, "name": "f", "complexity": 13},
        {"path": "a.py", "line": 27, "name": "g", "complexity": 3},
    ]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        pytest.param(b"def f(:\n", "not valid Python", id="syntax"),
        pytest.param(b"x = 1\0\n", "not valid Python", id="null byte"),
        pytest.param(b"# coding: nonsense\n", "unknown encoding", id="unknown encoding"),
        pytest.param(b"x=" + b"-" * 50_000 + b"1\n", "nested too deeply", id="nested"),
        pytest.param(b"x=a" + b".b" * 20_000 + b"\n", "nested too deeply", id="chained"),
    ],
)
def test_a_file_that_cannot_be_judged_is_skipped_with_the_reason(data: bytes, reason: str) -> None:
    measured = judge({"a.py": data, "b.py": "x = 1\n"})

    assert [skipped.path for skipped in measured.skipped_files] == ["a.py"]
    assert reason in measured.skipped_files[0].reason
    assert (measured.outcome, measured.score) == ("judged", 100)


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"\xef\xbb\xbf" + function(11).encode(), id="BOM"),
        pytest.param(function(11).replace("\n", "\r\n").encode(), id="CRLF"),
        pytest.param(b"# coding: latin-1\n# \xe9\n" + function(11).encode(), id="Latin-1"),
        pytest.param(b'x = "' + b"a" * 999_000 + b'"\n' + function(11).encode(), id="long line"),
        pytest.param(b"x=" + b"-" * 900 + b"1\n" + function(11).encode(), id="deeper than radon"),
        pytest.param(b"def f(x):\n  if x: pass\n" + b"  elif x: pass\n" * 800, id="elif chain"),
    ],
)
def test_an_unusual_file_is_judged(data: bytes) -> None:
    measured = judge({"a.py": data})

    assert len(measured.findings) == 1
    assert measured.metrics["index_unknown"] == 0


def test_a_file_that_radon_cannot_split_has_no_index_but_is_judged() -> None:
    measured = judge({"a.py": function(11) + 'x = "a\x0cb"\n'})

    assert len(measured.findings) == 1
    assert (measured.metrics["index_unknown"], measured.metrics["index_mean"]) == (1, None)


def test_the_rank_of_an_index_is_radons() -> None:
    edges = [at + step for at in (9, 19) for step in (-1e-9, 0, 1e-9)]
    values = [0.0, 100.0, *edges, *(math.nextafter(at, to) for at in (9, 19) for to in (0, 100))]
    values += [tenth / 10 for tenth in range(1001)]

    assert [index_rank(value) for value in values] == [mi_rank(value) for value in values]


def test_nothing_to_look_at_is_no_pass() -> None:
    assert judge({"a.txt": "x"}).outcome == "skipped"
    assert judge({"a.py": "def f(:\n"}).outcome == "error"
