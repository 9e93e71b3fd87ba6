import json
import subprocess
import sysconfig
from collections.abc import Callable
from pathlib import Path

import pytest

from sdlc_cli.core.finding import Finding, Severity
from sdlc_cli.gate.sarif import SarifLog, read

Tree = Callable[..., Path]
ROOT = Path("/project")
BASE = ROOT / "app"
RESULT = {"ruleId": "R1", "message": {"text": "bad"}}


def log(*results: object, **run: object) -> SarifLog:
    driver = run.pop("driver", {"name": "tool", "version": "1.0"})
    whole = {"tool": {"driver": driver}, "results": list(results), **run}
    data = json.dumps({"version": "2.1.0", "runs": [whole]}).encode()
    return read(data, root=ROOT, base=BASE)


def one(result: dict[str, object], **run: object) -> Finding:
    (finding,) = log({**RESULT, **result}, **run).findings
    return finding


def rules(**rule: object) -> dict[str, object]:
    return {"name": "tool", "rules": [{"id": "R0"}, {"id": "R1", **rule}]}


@pytest.mark.parametrize(
    ("result", "rule", "expected"),
    [
        pytest.param({"level": "error"}, {}, "high", id="error"),
        pytest.param({"level": "warning"}, {}, "medium", id="warning"),
        pytest.param({"level": "note"}, {}, "low", id="note"),
        pytest.param({}, {}, "medium", id="no level is warning"),
        pytest.param({}, {"defaultConfiguration": {"level": "error"}}, "high", id="rule's level"),
        pytest.param({"level": "note"}, {"properties": {"security-severity": "9.8"}}, "critical",
                     id="security-severity"),
        pytest.param({"properties": {"security-severity": 4.0}}, {}, "medium", id="as a number"),
        pytest.param({"level": "note"}, {"properties": {"security-severity": "x"}}, "low",
                     id="no number"),
    ],
)  # fmt: skip
def test_severities(result: dict[str, object], rule: dict[str, object], expected: str) -> None:
    assert one(result, driver=rules(**rule)).severity == expected


@pytest.mark.parametrize(
    "result",
    [
        pytest.param({"level": "none"}, id="level none"),
        pytest.param({"kind": "pass"}, id="a check that passed"),
        pytest.param({"baselineState": "absent"}, id="gone since the baseline"),
        pytest.param({"suppressions": [{"kind": "inSource"}]}, id="suppressed"),
        pytest.param({"suppressions": [{"status": "accepted"}]}, id="accepted"),
    ],
)
def test_what_is_no_finding(result: dict[str, object]) -> None:
    assert log({**RESULT, **result}).findings == ()


@pytest.mark.parametrize("status", ["underReview", "rejected"])
def test_a_suppression_that_nobody_accepted_hides_nothing(status: str) -> None:
    found = log({**RESULT, "suppressions": [{"status": "accepted"}, {"status": status}]})

    assert (len(found.findings), found.suppressed) == (1, 0)


@pytest.mark.parametrize(
    ("artifact", "run", "expected"),
    [
        pytest.param({"uri": "src/a.py"}, {}, "app/src/a.py", id="relative to the command"),
        pytest.param({"uri": "../a%20b.py"}, {}, "a b.py", id="decoded"),
        pytest.param({"uri": "file:///project/src/a.py"}, {}, "src/a.py", id="absolute"),
        pytest.param({"uri": "/project/a.py"}, {}, "a.py", id="absolute without scheme"),
        pytest.param({"uri": "file:///etc/passwd"}, {}, "", id="elsewhere"),
        pytest.param({"uri": "../../etc/passwd"}, {}, "", id="out of the tree"),
        pytest.param({"uri": "https://example.org/a.py"}, {}, "", id="an address"),
        pytest.param({"uri": "a.py", "uriBaseId": "%SRCROOT%"}, {}, "app/a.py", id="unknown base"),
        pytest.param(
            {"uri": "a.py", "uriBaseId": "SRC"},
            {"originalUriBaseIds": {
                "SRC": {"uri": "src/", "uriBaseId": "TOP"}, "TOP": {"uri": "file:///project/"}}},
            "src/a.py", id="bases on bases"),
        pytest.param(
            {"uri": "a.py", "uriBaseId": "A"},
            {"originalUriBaseIds": {"A": {"uri": "x/", "uriBaseId": "A"}}}, "app/x/a.py",
            id="a base on itself"),
        pytest.param({"index": 0}, {"artifacts": [{"location": {"uri": "b.py"}}]}, "app/b.py",
                     id="by index"),
        pytest.param({"index": 7}, {}, "", id="an index to nothing"),
    ],
)  # fmt: skip
def test_places(artifact: object, run: dict[str, object], expected: str) -> None:
    place = {"physicalLocation": {"artifactLocation": artifact, "region": {"startLine": 3}}}

    found = one({"locations": [place]}, **run).location

    assert (found.path, found.line) == (expected, 3 if expected else 0)


def test_a_message_may_stand_in_the_rule() -> None:
    message = {"id": "m", "arguments": ["x", "y"]}
    driver = rules(messageStrings={"m": {"text": "{0} before {1}"}}, helpUri="https://e.org/R1")

    found = one({"message": message}, driver=driver)

    assert (found.message, found.help) == ("x before y", "https://e.org/R1")


@pytest.mark.parametrize(
    ("result", "expected"),
    [
        pytest.param({"ruleId": None, "ruleIndex": 1}, "R1", id="by index"),
        pytest.param({"ruleId": None, "rule": {"id": "R1"}}, "R1", id="by reference"),
        pytest.param({"ruleId": "R1/2"}, "R1/2", id="a case of a rule"),
        pytest.param({"ruleId": None, "ruleIndex": 99}, "tool", id="by nothing"),
    ],
)
def test_rules(result: dict[str, object], expected: str) -> None:
    driver = rules(defaultConfiguration={"level": "error"})
    found = one(result, driver=driver)

    assert found.rule == expected
    assert found.severity is (Severity.MEDIUM if expected == "tool" else Severity.HIGH)


def test_a_rule_may_come_from_an_extension() -> None:
    extension = {"name": "e", "rules": [{"id": "E1", "properties": {"security-severity": "9.0"}}]}
    result = {"ruleId": None, "rule": {"index": 0, "toolComponent": {"index": 0}}}
    whole = {"tool": {"driver": {"name": "t"}, "extensions": [extension]}}
    data = {"version": "2.1.0", "runs": [{**whole, "results": [{**RESULT, **result}]}]}

    (found,) = read(json.dumps(data).encode(), root=ROOT, base=BASE).findings

    assert (found.rule, found.severity) == ("E1", Severity.CRITICAL)


def test_fingerprints_identify_a_finding() -> None:
    found = one({"partialFingerprints": {"b/v1": "2", "a/v1": "1"}})

    assert found.context == "a/v1=1 b/v1=2"


def test_a_run_without_results_did_not_look() -> None:
    data = b'{"version": "2.1.0", "runs": [{"tool": {"driver": {"name": "t"}}}]}'

    assert read(data, root=ROOT, base=BASE).runs == 0


def test_a_tool_that_says_it_failed_is_named() -> None:
    notes = [{"message": {"text": "out of memory"}}]
    invocation = {"executionSuccessful": False, "toolExecutionNotifications": notes}

    assert log(invocations=[invocation]).failures == ("tool: out of memory",)


@pytest.mark.parametrize(
    "data",
    [b"", b"[]", b"{}", b'{"version": "1.0", "runs": []}', b'{"version": "2.1.0", "runs": [1]}',
     b"\xff", b"[" * 100_000],
    ids=["empty", "list", "object", "old", "number", "bytes", "deep"],
)  # fmt: skip
def test_what_is_no_sarif_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        read(data, root=ROOT, base=BASE)


@pytest.mark.dev
def test_a_log_of_real_ruff(tree: Tree) -> None:
    ruff = Path(sysconfig.get_path("scripts")) / "ruff"
    if not ruff.exists():
        pytest.skip("ruff is not installed")
    root = tree({"pkg/a b.py": "import os\n"})
    command = [str(ruff), "check", "--isolated", "--no-cache", "--output-format", "sarif", "."]
    done = subprocess.run(command, cwd=root, capture_output=True, check=False)

    found = read(done.stdout, root=root, base=root)

    ((finding,), runs) = (found.findings, found.runs)
    assert (finding.rule, finding.location.path, finding.location.line) == ("F401", "pkg/a b.py", 1)
    assert finding.help.startswith("https://")
    assert (runs, list(found.tool_versions)) == (1, ["ruff"])
