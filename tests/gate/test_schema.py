"""The published schemas: they hold what the loader takes and what a run prints."""

import json
from pathlib import Path
from typing import Literal

import pytest
import yaml
from jsonschema import Draft202012Validator

from sdlc_cli.core import config as core_config
from sdlc_cli.core.errors import ConfigError
from sdlc_cli.core.finding import Finding, Location, Severity
from sdlc_cli.gate.config import BUILT_IN, GatesFile
from sdlc_cli.gate.model import CheckResult, GateReport, SkippedFile
from sdlc_cli.gate.report import json as json_report
from sdlc_cli.gate.schema import SCHEMAS, get

GATES = Draft202012Validator(get("gates"))


def accepted(text: str) -> bool:
    """What an editor would say of the file: YAML read as JSON, against the schema."""
    written = json.loads(json.dumps(yaml.safe_load(text)))
    return bool(GATES.is_valid(written))


def loaded(text: str) -> bool:
    try:
        core_config.read(text, "gates.yaml", GatesFile, {"X": "1"})
    except ConfigError:
        return False
    return True


@pytest.mark.parametrize("name", SCHEMAS)
def test_a_schema_is_a_schema_and_names_no_address_of_ours(name: str) -> None:
    schema = get(name)

    Draft202012Validator.check_schema(schema)
    assert "$id" not in schema


def test_every_gate_and_section_is_described() -> None:
    schema = get("gates")

    assert list(schema["properties"]["gates"]["properties"]) == list(BUILT_IN)
    for name, part in schema["$defs"].items():
        assert part["description"], name


@pytest.mark.parametrize(
    ("text", "fine"),
    [
        pytest.param("", True, id="nothing more"),
        pytest.param("paths: [src, 3.12]", True, id="a number as text"),
        pytest.param("paths: src", False, id="text for a list"),
        pytest.param("paths: []", False, id="no paths"),
        pytest.param("paths: [true]", False, id="truth as text"),
        pytest.param("pats: [src]", False, id="unknown key"),
        pytest.param("generation: 3", True, id="generation"),
        pytest.param("generation: 4", False, id="no such generation"),
        pytest.param("generation: true", False, id="true is no generation"),
        pytest.param('generation: "${X}"', True, id="a variable for a number"),
        pytest.param('generation: "1"', False, id="a quoted number"),
        pytest.param("generations: {1: {score: 75}, 2: }", True, id="a generation changed"),
        pytest.param("generations: {4: {score: 75}}", False, id="a generation too many"),
        pytest.param("generations: {1: {score: 101}}", False, id="threshold 101"),
        pytest.param("required: {1: [syntax]}", True, id="required"),
        pytest.param("required: {1: syntax}", False, id="required is a list"),
        pytest.param("gates:", False, id="gates without any"),
        pytest.param("gates: {}", False, id="no gates"),
        pytest.param("gates: {syntax: }", True, id="an empty gate"),
        pytest.param("gates: {syntax: 5}", False, id="a number for a gate"),
        pytest.param("gates: {syntax: {versions: [3.12, '3.9']}}", True, id="versions"),
        pytest.param("gates: {syntax: {versions: ['2.7']}}", False, id="no such version"),
        pytest.param("gates: {syntax: {versions: ['${V:-3.12}']}}", True, id="variable"),
        pytest.param("gates: {syntax: {weight: -1}}", False, id="weight -1"),
        pytest.param("gates: {syntax: {weight: '1'}}", False, id="a quoted weight"),
        pytest.param("gates: {syntax: {minimum: 50}}", True, id="one minimum"),
        pytest.param("gates: {syntax: {minimum: {1: 50, 3: 60}}}", True, id="a minimum each"),
        pytest.param("gates: {syntax: {minimum: {}}}", False, id="no minimum"),
        pytest.param("gates: {syntax: {minimum: [50]}}", False, id="a list of minimums"),
        pytest.param("gates: {syntax: {minimum: }}", True, id="an unwritten minimum"),
        pytest.param("gates: {syntax: {fail_on: high}}", True, id="severity"),
        pytest.param("gates: {syntax: {fail_on: worst}}", False, id="no such severity"),
        pytest.param("gates: {maintainability: {max_complexity: 10.5}}", False, id="not whole"),
        pytest.param("gates: {maintainability: {max_complexity: 10.0}}", True, id="whole enough"),
        pytest.param("gates: {docs: {links: false}}", True, id="truth"),
        pytest.param("gates: {docs: {links: 0}}", False, id="0 for truth"),
        pytest.param("gates: {secrets: {allow: [{path: a, reason: b}]}}", True, id="allowed"),
        pytest.param("gates: {secrets: {allow: [{path: a}]}}", False, id="allowed, no reason"),
        pytest.param("gates: {secrets: {allow: [{path: a, reason: ''}]}}", False, id="no reason"),
        pytest.param("gates: {integration: {command: pytest}}", True, id="a command line"),
        pytest.param("gates: {integration: {command: [pytest, -n, 2]}}", True, id="its words"),
        pytest.param("gates: {integration: {command: true}}", True, id="the program true"),
        pytest.param("gates: {integration: {command: ' '}}", False, id="a blank command"),
        pytest.param("gates: {integration: {command: []}}", False, id="no command"),
        pytest.param("gates: {integration: {command: 5}}", False, id="a number for a command"),
        pytest.param("gates: {integration: {command: [[a]]}}", False, id="a list of lists"),
        pytest.param("gates: {integration: {timeout: 10m}}", True, id="a time"),
        pytest.param("gates: {integration: {timeout: 10}}", True, id="seconds"),
        pytest.param("gates: {integration: {timeout: 0}}", False, id="no time"),
        pytest.param("gates: {integration: {timeout: 0.0s}}", False, id="no time, with a unit"),
        pytest.param("gates: {integration: {timeout: '10'}}", False, id="a quoted time"),
        pytest.param("gates: {integration: {timeout: 10 minutes}}", False, id="no such unit"),
        pytest.param("gates: {integration: {timeout: 604801}}", False, id="too long"),
        pytest.param("gates: {integration: {environment: {A: 1, B: x}}}", True, id="environment"),
        pytest.param("gates: {integration: {environment: {A=: 1}}}", False, id="its names"),
        pytest.param("gates: {lint: {kind: command, command: x}}", True, id="a gate of one's own"),
        pytest.param("gates: {lint: {kind: other, command: x}}", False, id="of no known kind"),
        pytest.param("gates: {lint: {command: x}}", False, id="without a kind"),
        pytest.param("gates: {Lint: {kind: command, command: x}}", False, id="misnamed"),
        pytest.param("gates: {lint: }", False, id="an unknown gate without content"),
        pytest.param("gates: {lint: {kind: command, command: x, exit_codes: [0, 256]}}", False,
                     id="no such exit code"),
    ],
)  # fmt: skip
def test_schema_and_loader_agree(text: str, fine: bool) -> None:
    text = f"version: 1\n{text}\n"

    assert (accepted(text), loaded(text)) == (fine, fine)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("gates: {syntax: {weight: 0}}", id="all weights 0"),
        pytest.param("required: {1: [lint]}", id="a required gate that is none"),
        pytest.param("gates: {syntax: }\ngates: {docs: }", id="a key written twice"),
        pytest.param("gates: {performance: {report: x}}", id="fields that do not fit together"),
        pytest.param("gates: {syntax: {versions: [2.7]}}", id="a number that is no version"),
        pytest.param('paths: ["${NOT_SET}"]', id="a variable that is not set"),
    ],
)
def test_some_mistakes_only_the_loader_sees(text: str) -> None:
    text = f"version: 1\n{text}\n"

    assert (accepted(text), loaded(text)) == (True, False)


def report() -> GateReport:
    finding = Finding(
        rule="B101",
        severity=Severity.LOW,
        message="assert",
        location=Location(path="a.py", line=1, column=2),
    )
    seen: list[tuple[str, Literal["passed", "skipped"], float | None]] = [
        ("security", "passed", 90.0),
        ("docs", "skipped", None),
    ]
    gates = [
        CheckResult(
            name=name,
            status=status,
            reason="",
            score=score,
            weight=1,
            minimum=0,
            required=True,
            duration_s=0.5,
            findings=(finding,),
            metrics={"nested": {"a": [1, None]}},
        )
        for name, status, score in seen
    ]
    return GateReport(
        results=tuple(gates),
        score=90.0,
        threshold=70,
        generation=1,
        generation_name="make it work",
        judged_weight=0.5,
        exit_code=0,
        reasons=(),
        skipped_files=(SkippedFile(path="b.py", reason="not UTF-8"),),
        files=2,
        lines=10,
        tool_versions={"bandit": "1.8"},
    )


def test_the_json_of_a_run_is_as_published() -> None:
    printed = json.loads(json_report.render(report()))

    Draft202012Validator(get("gate-report")).validate(printed)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        pytest.param(("more",), 1, id="a key more"),
        pytest.param(("gates", 0, "status"), "fine", id="a status that is none"),
        pytest.param(("gates", 0, "findings", 0, "severity"), "bad", id="no such severity"),
        pytest.param(("gates", 0, "findings", 0, "more"), 1, id="a key more in a finding"),
        pytest.param(("score",), 101, id="a score above 100"),
        pytest.param(("exit_code",), 70, id="an exit code of a crash"),
    ],
)
def test_the_schema_of_a_run_is_strict(path: tuple[str | int, ...], value: object) -> None:
    printed = json.loads(json_report.render(report()))
    inner = printed
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = value

    assert not Draft202012Validator(get("gate-report")).is_valid(printed)


ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    "path",
    [
        path.relative_to(ROOT)
        for path in [ROOT / "gates.yaml", *ROOT.glob("examples/**/gates.yaml")]
    ],
    ids=str,
)
def test_our_own_files_hold_to_the_schema(path: Path) -> None:
    if not (ROOT / path).exists():
        pytest.skip(f"no {path} beside the tests")
    text = (ROOT / path).read_text(encoding="utf-8")

    assert accepted(text)
    assert loaded(text)
