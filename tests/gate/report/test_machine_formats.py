"""JSON, SARIF, JUnit, GitHub and GitLab, held against what reads them."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from sdlc_cli.core.finding import Finding, Location, Severity
from sdlc_cli.core.view import View
from sdlc_cli.gate.model import CheckResult, GateReport
from sdlc_cli.gate.report import FORMATS, github, gitlab, junit, load, sarif
from sdlc_cli.gate.report import json as json_report

Reports = dict[str, Callable[[], GateReport]]
SCHEMAS = Path(__file__).parents[2] / "data" / "schemas"
NAMES = ["realistic", "good", "empty", "only_skipped", "hostile", "huge"]


def one_gate(*findings: Finding, name: str = "security", status: str = "failed") -> CheckResult:
    return CheckResult(
        name=name,
        status=status,  # type: ignore[arg-type]
        reason="",
        score=10.0,
        weight=1,
        minimum=0,
        required=False,
        duration_s=1234.5678,
        findings=findings,
        metrics={},
    )


def report_of(*results: CheckResult) -> GateReport:
    return GateReport(
        results=results,
        score=10.0,
        threshold=80,
        generation=1,
        generation_name="make it work",
        judged_weight=1.0,
        exit_code=1,
        reasons=(),
        skipped_files=(),
        files=1,
        lines=1,
        tool_versions={},
    )


def runs(report: GateReport, view: View | None = None) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(sarif.render(report, view or View()))["runs"]
    return found


# --- JSON


def test_json_has_the_documented_keys_in_order(reports: Reports) -> None:
    data = json.loads(json_report.render(reports["realistic"]()))

    assert list(data) == [
        "schema_version", "passed", "exit_code", "score", "threshold", "generation",
        "judged_weight", "gates", "skipped_files", "files", "lines", "tool_versions",
        "generation_name", "reasons",
    ]  # fmt: skip
    assert list(data["gates"][0]) == [
        "name", "status", "reason", "score", "weight", "minimum", "required", "duration_s",
        "metrics", "findings",
    ]  # fmt: skip
    assert list(data["gates"][1]["findings"][0]) == [
        "rule", "severity", "path", "line", "column", "message", "fingerprint", "help",
    ]  # fmt: skip


def test_json_shows_a_path_that_is_not_utf8_by_its_bytes(reports: Reports) -> None:
    data = json.loads(json_report.render(reports["realistic"]()))

    assert data["skipped_files"][1]["path"] == r"data/caf\xe9 list.py"


def test_json_has_no_number_that_json_lacks(reports: Reports) -> None:
    result = one_gate()
    odd = {"a": float("nan"), "b": [float("inf"), {"c": Path("x/y")}], "d": frozenset({"z"})}
    changed = CheckResult(**{**{k: getattr(result, k) for k in result.__slots__}, "metrics": odd})
    text = json_report.render(report_of(changed))

    metrics = json.loads(text, parse_constant=pytest.fail)["gates"][0]["metrics"]
    assert metrics == {"a": None, "b": [None, {"c": "x/y"}], "d": ["z"]}


# --- SARIF


@pytest.mark.parametrize("name", NAMES)
def test_sarif_is_valid(reports: Reports, name: str) -> None:
    jsonschema = pytest.importorskip("jsonschema")
    schema = json.loads((SCHEMAS / "sarif-2.1.0-rtm.5.json").read_text(encoding="utf-8"))
    log = json.loads(sarif.render(reports[name]()))
    if name == "huge":  # each result is alike: a hundred of them tell as much in a second
        for run in log["runs"]:
            run["results"] = run["results"][:100]

    errors = list(jsonschema.Draft4Validator(schema).iter_errors(log))

    assert errors == []


def test_sarif_has_a_run_for_each_gate_that_was_judged_or_broke(reports: Reports) -> None:
    found = runs(reports["realistic"]())

    assert [run["automationDetails"]["id"] for run in found] == [
        "sdlc/integration/",
        "sdlc/secrets/",
        "sdlc/security/",
        "sdlc/maintainability/",
        "sdlc/coverage/",
        "sdlc/syntax/",
    ]
    assert [run["invocations"][0]["executionSuccessful"] for run in found] == [False] + [True] * 5
    notes = found[0]["invocations"][0]["toolExecutionNotifications"]
    assert len(notes) == 4
    assert notes[0]["message"]["text"] == (
        "integration could not be judged: pytest ended with code 4"
    )
    uri = notes[2]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
    assert uri == "data/caf%E9%20list.py"


def test_sarif_keeps_the_worst_5000_results_and_says_what_is_gone(reports: Reports) -> None:
    found = runs(reports["huge"]())
    results = [result for run in found for result in run["results"]]

    assert len(results) == 5000
    assert [r["properties"]["severity"] for r in results].count("low") == 500
    assert sum(run["properties"]["omittedResults"] for run in found) == 1000
    notes = [n["message"]["text"] for n in found[0]["invocations"][0]["toolExecutionNotifications"]]
    assert any("less severe results" in note for note in notes)


def test_sarif_keeps_20_runs_and_names_the_others() -> None:
    bad = Finding(rule="R", severity=Severity.HIGH, message="m", location=Location(path="a.py"))
    gates = [one_gate(name=f"g{n:02}") for n in range(22)]
    found = runs(report_of(*gates, one_gate(bad, name="worst")))

    assert len(found) == 20
    assert found[0]["automationDetails"]["id"] == "sdlc/worst/"
    note = found[0]["invocations"][0]["toolExecutionNotifications"][0]["message"]["text"]
    assert note == "3 runs were left out (0 results): g19, g20, g21"


def test_sarif_rates_only_security_rules() -> None:
    bad = Finding(rule="R", severity=Severity.CRITICAL, message="m")
    rules = {
        run["automationDetails"]["id"]: run["tool"]["driver"]["rules"][0]
        for run in runs(report_of(one_gate(bad), one_gate(bad, name="docs")))
    }

    assert rules["sdlc/security/"]["properties"]["security-severity"] == "9.5"
    assert "properties" not in rules["sdlc/docs/"]


def test_sarif_counts_columns_as_it_declares(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("x = '😀'; eval(y)\n", encoding="utf-8")
    place = Location(path="a.py", line=1, column=10, end_line=1, end_column=17)
    report = report_of(
        one_gate(Finding(rule="R", severity=Severity.LOW, message="m", location=place))
    )
    told = {
        run["columnKind"]: run["results"][0]["locations"][0]["physicalLocation"]["region"]
        for run in runs(report) + runs(report, View(root=tmp_path))
    }

    assert told == {
        "unicodeCodePoints": {"startLine": 1, "startColumn": 10, "endColumn": 17},
        "utf16CodeUnits": {"startLine": 1, "startColumn": 11, "endColumn": 18},
    }


def test_sarif_survives_files_that_are_gone(reports: Reports, tmp_path: Path) -> None:
    assert runs(reports["hostile"](), View(root=tmp_path))[1]["columnKind"] == "utf16CodeUnits"


# --- JUnit


@pytest.mark.parametrize("name", NAMES)
def test_junit_is_valid(reports: Reports, name: str) -> None:
    etree = pytest.importorskip("lxml.etree")
    schema = etree.XMLSchema(etree.parse(str(SCHEMAS / "junit-10.xsd")))

    schema.assertValid(etree.fromstring(junit.render(reports[name]()).encode()))


def test_junit_shows_a_suite_for_each_gate_with_its_verdict(reports: Reports) -> None:
    root = ElementTree.fromstring(junit.render(reports["realistic"]()))
    verdicts = {
        suite.get("name"): [child.tag for child in suite[0] if child.tag != "system-out"]
        for suite in root
    }

    assert verdicts == {
        "verdict": ["error"],
        "syntax": [],
        "security": [],
        "secrets": ["failure"],
        "maintainability": [],
        "coverage": ["failure"],
        "integration": ["error"],
        "performance": ["skipped"],
        "load": ["skipped"],
    }
    assert (root.get("failures"), root.get("errors")) == ("3", "2")


def test_junit_fails_when_only_the_score_is_too_low() -> None:
    root = ElementTree.fromstring(junit.render(report_of(one_gate(status="passed"))))

    assert (root.get("failures"), root.get("errors")) == ("1", "0")


def test_junit_names_test_cases_without_the_line() -> None:
    def named(line: int) -> list[str | None]:
        place = Location(path="a.py", line=line)
        bad = Finding(rule="R", severity=Severity.LOW, message="m", location=place)
        root = ElementTree.fromstring(junit.render(report_of(one_gate(bad, bad))))
        return [case.get("name") for case in root.iter("testcase")]

    assert named(3) == named(400) == ["verdict", "verdict", "R in a.py"]


# --- GitHub


def test_github_gives_at_most_ten_annotations_worst_first(reports: Reports) -> None:
    lines = github.render(reports["huge"]()).splitlines()

    assert len(lines) == 10
    assert all(line.startswith("::error file=") for line in lines)


def test_github_commands_cannot_be_forged(reports: Reports) -> None:
    lines = github.render(reports["hostile"]()).split("\n")

    assert len(lines) == 4  # one broken gate, two findings, the end
    assert not any(line.startswith("::error::") for line in lines)
    assert "%25 ::error::pwned%0A::error::pwned" in lines[1].rpartition("::<script>")[2]


def test_github_summary_is_the_markdown_report(reports: Reports) -> None:
    report = reports["realistic"]()

    assert github.summary(report) == load("markdown").render(report)


# --- GitLab


def test_gitlab_has_the_documented_fields(reports: Reports) -> None:
    rows = json.loads(gitlab.render(reports["realistic"]()))

    for row in rows:
        assert set(row) == {"description", "check_name", "fingerprint", "severity", "location"}
        assert row["severity"] in ("info", "minor", "major", "critical", "blocker")
        assert row["location"]["lines"]["begin"] >= 1
        assert row["location"]["path"]


@pytest.mark.parametrize("name", ["hostile", "huge"])
def test_gitlab_fingerprints_are_unique(reports: Reports, name: str) -> None:
    rows = json.loads(gitlab.render(reports[name]()))

    assert len({row["fingerprint"] for row in rows}) == len(rows) > 0


def test_an_unknown_format_is_a_key_error() -> None:
    assert "yaml" not in FORMATS
    with pytest.raises(KeyError):
        load("yaml")
