"""Comments that silence findings: with a rule, with a reason, and not for nothing."""

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Literal

import pytest

from sdlc_cli.core.errors import ConfigError
from sdlc_cli.gate import config as gate_config
from sdlc_cli.gate import engines, formula, source, suppressions
from sdlc_cli.gate.adjust import adjust
from sdlc_cli.gate.config import Secrets, Security
from sdlc_cli.gate.engines.security import HALF
from sdlc_cli.gate.filepass import inspect_files
from sdlc_cli.gate.model import Measurement
from sdlc_cli.gate.options import Suppressions
from sdlc_cli.gate.score import Measured

Tree = Callable[..., Path]

KEY = "AKIA" + "ZQ3DTKX7V5LMNB2P"
STRICT = Suppressions(reason="required", unused="report")


def judged(root: Path, options: Suppressions = STRICT) -> dict[str, Measurement]:
    """The gates security and secrets, as they are judged under `options`."""
    gates = {"security": Security(), "secrets": Secrets()}
    config = gate_config.GateConfig(
        file=None, root=root, paths=(), exclude=(), generation=1, generations={}, required={},
        gates=gates, suppressions=options,
    )  # fmt: skip
    project = source.open_project(root=root, base=root, scope=root)
    seen = inspect_files(project, gates, jobs=1)
    measured = {
        name: Measured(measurement=engines.load(name).conclude(
            project, gate, [(f.path, s.outcome) for f in seen for s in f.seen if s.gate == name]
        ))
        for name, gate in gates.items()
    }  # fmt: skip
    adjusted = adjust(project, config, gates, seen, measured, today=date(2026, 1, 1))
    return {name: one.measurement for name, one in adjusted.items()}


def found(measurement: Measurement) -> list[tuple[int, str]]:
    return [
        (f.location.line, f.rule.removeprefix("suppression-"))
        for f in measurement.findings
        if f.rule.startswith("suppression-")
    ]


BARE = (1, "without-reason")
IDLE = (1, "unused")


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        pytest.param("eval(x)  # nosec B307 - x is ours", [], id="as it should be"),
        pytest.param("eval(x)  # nosec: B307, x is ours", [], id="with a colon"),
        pytest.param("eval(x)  # nosec B307  # x is ours", [], id="the reason in a second comment"),
        pytest.param("eval(x)  # nosec blacklist - x is ours", [BARE], id="no test of bandit"),
        pytest.param("exec(x)  # nosec exec_used: x is ours", [], id="a test by its name"),
        pytest.param("eval(x)  # nosec", [BARE], id="bare"),
        pytest.param("eval(x)  # nosec B307", [BARE], id="no reason"),
        pytest.param("eval(x)  # nosec B307 -- 42", [BARE], id="a number is no reason"),
        pytest.param("eval(x)  # nosec x is ours", [BARE], id="no rule"),
        pytest.param("y = 1  # nosec B307 - it was evil once", [IDLE], id="nothing to silence"),
        pytest.param("y = 1  # nosec", [BARE, IDLE], id="bare, and nothing to silence"),
        pytest.param("eval(x)  # nosec B307 B101 - why", [IDLE], id="one of two is idle"),
        pytest.param("s = '# nosec'", [], id="in a string"),
        pytest.param("y = 1  # nosecond B307", [], id="another word"),
        pytest.param("# nosec B307 - on a line of its own", [IDLE], id="above the code"),
    ],
)  # fmt: skip
def test_a_nosec_comment_needs_a_rule_a_reason_and_something_to_silence(
    tree: Tree, line: str, expected: list[tuple[int, str]]
) -> None:
    root = tree({"a.py": f"{line}\n"})

    assert found(judged(root)["security"]) == expected


def test_a_comment_anywhere_in_a_statement_is_in_use(tree: Tree) -> None:
    call = "import subprocess  # nosec B404 - we need it\nsubprocess.call(\n    x,\n"
    root = tree({"a.py": call + "    shell=True,  # nosec B602 - fixed words\n)\n"})

    assert judged(root)["security"].findings == ()


def test_asserts_in_tests_that_are_left_out_anyway_count_as_silenced(tree: Tree) -> None:
    root = tree({"tests/test_a.py": "assert x  # nosec B101 - a test\n"})

    assert judged(root)["security"].findings == ()


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        pytest.param(f'k = "{KEY}"  # sdlc: allow-secret revoked in May', [], id="as it should be"),
        pytest.param(f'k = "{KEY}"  # sdlc: allow-secret', [BARE], id="no reason"),
        pytest.param('k = "x"  # sdlc: allow-secret revoked in May', [IDLE], id="no secret"),
        pytest.param('k = "sdlc: allow-secret"', [], id="in a string"),
    ],
)
def test_an_allowed_secret_needs_a_reason_and_must_be_one(
    tree: Tree, line: str, expected: list[tuple[int, str]]
) -> None:
    root = tree({"a.py": f"{line}\n"})

    assert found(judged(root)["secrets"]) == expected


def test_other_files_are_looked_at_and_documents_are_not(tree: Tree) -> None:
    line = "key: x  # sdlc: allow-secret revoked\n"
    root = tree({"a.yaml": line, "README.md": line})

    assert [f.location.path for f in judged(root)["secrets"].findings] == ["a.yaml"]


@pytest.mark.parametrize(
    ("reason", "unused", "expected"),
    [
        pytest.param("optional", "ignore", [], id="by default"),
        pytest.param("required", "ignore", [BARE], id="reasons"),
        pytest.param("optional", "report", [IDLE], id="idle ones"),
    ],
)
def test_what_is_asked_is_for_gates_yaml_to_say(
    tree: Tree,
    reason: Literal["optional", "required"],
    unused: Literal["ignore", "report"],
    expected: list[tuple[int, str]],
) -> None:
    root = tree({"a.py": "y = 1  # nosec\n"})

    security = judged(root, Suppressions(reason=reason, unused=unused))["security"]

    assert found(security) == expected


def test_the_findings_of_bandit_stay_what_they_were_and_the_rest_costs_points(tree: Tree) -> None:
    root = tree({"a.py": "eval(x)\neval(y)  # nosec\nz = 1  # nosec B101 - why\n"})

    plain = judged(root, Suppressions())["security"]
    strict = judged(root)["security"]

    assert strict.findings[: len(plain.findings)] == plain.findings
    assert found(strict) == [(2, "without-reason"), (3, "unused")]
    assert strict.score == formula.density((f.severity for f in strict.findings), 3, HALF)
    assert all(f.fingerprint for f in strict.findings)


def test_an_unknown_version_of_bandit_leaves_only_the_reasons_to_judge(
    tree: Tree, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sdlc_cli.gate.engines.security.unsupported", lambda: "too new")
    root = tree({"a.py": "y = 1  # nosec\nz = 1  # nosec B101 - why\n"})

    assert found(judged(root)["security"]) == [(1, "without-reason")]


def test_a_file_that_is_no_python_any_more_is_no_reason_to_fail(tree: Tree) -> None:
    root = tree({"a.py": "def f(: # nosec B101 - why\n", "b.py": "x = 1\n"})

    assert found(judged(root)["security"]) == []


def test_the_key_is_read_from_gates_yaml(tree: Tree) -> None:
    root = tree({
        "good.yaml": "version: 1\nsuppressions: {reason: required}\n",
        "bad.yaml": "version: 1\nsuppressions:\n  reason: always\n",
    })  # fmt: skip

    config = gate_config.load(root / "good.yaml", root)

    assert config.suppressions == Suppressions(reason="required")
    with pytest.raises(ConfigError) as caught:
        gate_config.load(root / "bad.yaml", root)
    assert "bad.yaml:3: suppressions.reason" in caught.value.problems[0]


def test_both_words_for_an_allowed_secret_are_one(tree: Tree) -> None:
    # The gate's own pattern and ours must agree on what silences a secret.
    root = tree({"a.py": f'k = "{KEY}"  # sdlc:allow-secret: revoked\n'})

    assert judged(root)["secrets"].findings == ()
    assert [one.idle for one in suppressions.suppressions(
        source.open_project(root=root, base=root, scope=root), {"secrets": Secrets()}
    )] == [()]  # fmt: skip
