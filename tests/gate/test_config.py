"""gates.yaml: what it means, and every mistake in it with its line."""

import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sdlc_cli.core import config as core_config
from sdlc_cli.core.errors import ConfigError
from sdlc_cli.gate.config import (
    BUILT_IN,
    CommandGate,
    GateConfig,
    GatesFile,
    Performance,
    Syntax,
    defaults,
    find,
    load,
)
from sdlc_cli.gate.engines import FILE_ENGINES, PROJECT_ENGINES

SPEED = """\
gates:
  performance:
    benchmarks:
    - {name: speed, command: x, time: 1s}
"""
EXAMPLE = """\
version: 1
paths: [src, tests]
exclude: ["src/vendored/**"]
generation: 2
generations:
  2: {name: steady}
  3: {score: 95.5}
required:
  1: [syntax, lint]
gates:
  performance:
    benchmarks:
      - name: start-up
        command: python -m app --version
        time: 250ms
        memory: 50MiB
      - {name: parse, callable: "app.parse:run", objects: 0}
    report: bench.json
    budgets: {"test_*": {time: 1.5}}
  syntax:
  coverage: {minimum: {2: 75}, branches: true}
  integration:
    command: [pytest, -q]
    services:
      - {name: db, command: postgres, port: 5432, timeout: 1m}
    environment: {DATABASE_URL: "${DB:-sqlite://}", DEBUG: 1}
  lint:
    kind: command
    command: ruff check --output-format sarif
    reads: sarif
    weight: 0.5
"""


def config(tmp_path: Path, text: str, **environ: str) -> GateConfig:
    file = tmp_path / "gates.yaml"
    file.write_text(text, encoding="utf-8")
    return load(file, tmp_path, environ)


def problems(tmp_path: Path, text: str) -> list[str]:
    """What is wrong with `text`, each as `LINE: key: …`."""
    with pytest.raises(ConfigError) as caught:
        config(tmp_path, text)
    assert caught.value.exit_code == 2
    at = f"{tmp_path / 'gates.yaml'}:"
    return [problem.removeprefix(at) for problem in caught.value.problems]


def test_a_gates_yaml_that_leads_out_of_the_repository_is_refused(tmp_path: Path) -> None:
    (tmp_path / "outside.yaml").write_text("version: 1\n")
    (tmp_path / "root").mkdir()
    (tmp_path / "root/gates.yaml").symlink_to(tmp_path / "outside.yaml")

    with pytest.raises(ConfigError, match="symlink out of the repository"):
        find(tmp_path / "root", tmp_path / "root")


def test_a_full_file_is_read(tmp_path: Path) -> None:
    found = config(tmp_path, EXAMPLE, DB="postgres://db")

    assert found.file == tmp_path / "gates.yaml"
    assert found.root == tmp_path
    assert (found.paths, found.exclude) == (("src", "tests"), ("src/vendored/**",))
    assert found.generation == 2
    assert list(found.gates) == ["performance", "syntax", "coverage", "integration", "lint"]
    assert found.gates["syntax"] == Syntax()
    assert found.gates["lint"] == CommandGate(
        kind="command",
        command=("ruff", "check", "--output-format", "sarif"),
        reads="sarif",
        weight=0.5,
    )
    performance = found.gates["performance"]
    assert isinstance(performance, Performance)
    assert [(b.name, b.time, b.memory, b.objects) for b in performance.benchmarks] == [
        ("start-up", 0.25, 50 * 2**20, None),
        ("parse", None, None, 0),
    ]
    assert found.gates["integration"].environment == {  # type: ignore[attr-defined]
        "DATABASE_URL": "postgres://db",
        "DEBUG": "1",
    }


def test_generations_keep_what_the_file_leaves_out(tmp_path: Path) -> None:
    rules = config(tmp_path, EXAMPLE).generations

    assert [(rule.name, rule.score) for rule in rules.values()] == [
        ("make it work", 70),
        ("steady", 80),
        ("make it scale", 95.5),
    ]


def test_a_generation_asks_for_all_that_earlier_ones_ask_for(tmp_path: Path) -> None:
    required = config(tmp_path, "version: 1").required

    assert required[1] == {"syntax", "security", "secrets"}
    assert required[2] == required[1] | {"coverage", "maintainability"}
    assert required[3] == required[2] | {"performance"}


def test_required_replaces_only_the_list_of_its_generation(tmp_path: Path) -> None:
    required = config(tmp_path, "version: 1\nrequired: {2: [docs]}").required

    assert required[1] == {"syntax", "security", "secrets"}
    assert required[2] == required[1] | {"docs"}
    assert required[3] == required[2] | {"performance"}


def test_integration_is_required_as_soon_as_it_is_set_up(tmp_path: Path) -> None:
    assert "integration" in config(tmp_path, "version: 1\ngates: {integration: }").required[1]
    own = "version: 1\nrequired: {1: [syntax]}\ngates: {integration: }"
    assert config(tmp_path, own).required[1] == {"syntax"}


def test_a_minimum_for_a_generation_holds_for_later_ones(tmp_path: Path) -> None:
    found = config(tmp_path, EXAMPLE)

    assert [found.minimum("coverage", generation) for generation in (1, 2, 3)] == [0, 75, 75]


@pytest.mark.parametrize("text", [None, "version: 1"])
def test_the_default_gates_run_nothing_of_the_repository(tmp_path: Path, text: str | None) -> None:
    found = defaults(tmp_path) if text is None else config(tmp_path, text)

    assert list(found.gates) == ["syntax", "security", "secrets", "maintainability", "coverage"]
    assert found.root == tmp_path
    assert (found.file is None) == (text is None)


def test_without_a_file_load_gives_the_defaults(tmp_path: Path) -> None:
    assert load(None, tmp_path) == defaults(tmp_path)


def test_every_built_in_gate_has_an_engine_and_its_options() -> None:
    assert {*BUILT_IN, "command"} == {*FILE_ENGINES, *PROJECT_ENGINES}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("gates:\n  secuirty: {}", "3: gates.secuirty: unknown gate 'secuirty'"
                     " (nearest: 'security'); other names need kind: command", id="unknown gate"),
        pytest.param("gates:\n  zzz:", "3: gates.zzz: unknown gate 'zzz'; a gate of your own needs"
                     " kind: command", id="unknown gate, none near"),
        pytest.param("gates:\n  syntax:\n    weight: -1", "4: gates.syntax.weight: must be from 0"
                     " to 1000, found -1", id="weight -1"),
        pytest.param("gates:\n  syntax:\n    weight: .nan", "4: gates.syntax.weight: must be a"
                     " finite number, found .nan", id="weight NaN"),
        pytest.param("gates:\n  syntax: {weight: 0}\n  docs: {weight: 0}", "2: gates: every weight"
                     " is 0, so there is no score; give one a weight", id="all weights 0"),
        pytest.param("generations:\n  1: {score: 101}", "3: generations.1.score: must be from 0 to"
                     " 100, found 101", id="threshold 101"),
        pytest.param("gates:\n  docs:\n    minimum: 101", "4: gates.docs.minimum: must be from 0 to"
                     " 100, found 101", id="minimum 101"),
        pytest.param("gates:\n  docs:\n  syntax:\n  docs:", "5: gates.docs: written twice, first in"
                     " line 3", id="duplicate key"),
        pytest.param("exlcude: []", "2: exlcude: unknown key (nearest: 'exclude')", id="near miss"),
        pytest.param("gates:\n  docs: {wieght: 1}", "3: gates.docs.wieght: unknown key (nearest:"
                     " 'weight')", id="near miss below"),
        pytest.param("gates:\n\tdocs:", "3: a tab stands where YAML wants spaces", id="tab"),
        pytest.param("paths: &a [" + "x," * 1000 + "]\nexclude: [" + "*a," * 100 + "]", "3: holds"
                     " more than 100,000 values, each alias counted as all it stands for",
                     id="anchors exploding"),
        pytest.param("gates:", "2: gates: wants a section of keys, found nothing", id="no gates"),
        pytest.param("gates: {}", "2: gates: must not be empty", id="empty gates"),
        pytest.param("paths: []", "2: paths: must not be empty", id="no paths"),
        pytest.param("generation: 4", "2: generation: must be one of 1, 2, 3, found the number 4",
                     id="no such generation"),
        pytest.param("required:\n  2:\n    - coverage\n    - covrage", "5: required.2[1]: unknown"
                     " gate 'covrage' (nearest: 'coverage')", id="required near miss"),
        pytest.param("required: {1: [lint]}", "2: required.1[0]: unknown gate 'lint'; it is not set"
                     " up in this file", id="required but not set up"),
        pytest.param("gates:\n  Lint: {kind: command, command: x}", "3: gates.Lint: 'Lint' is no"
                     " name for a gate: use small letters, digits, _ and -, a letter first",
                     id="name of a gate"),
        pytest.param("gates:\n  lint: {kind: comand, command: x}", "3: gates.lint.kind: must be"
                     " command, found the text 'comand'", id="kind"),
        pytest.param("gates:\n  lint: {kind: command}", "3: gates.lint.command: missing, and needed"
                     " here", id="command without a command"),
        pytest.param("gates:\n  lint:\n    kind: command\n    command: x\n    reads: json",
                     "3: gates.lint: needs key: the path of the number in the JSON, as"
                     " 'totals.score'", id="json without key"),
        pytest.param("gates:\n  lint:\n    kind: command\n    command: x\n    key: a",
                     "6: gates.lint.key: needs 'reads: json'", id="key without json"),
        pytest.param("gates:\n  lint:\n    kind: command\n    command: x\n    best: 0",
                     "6: gates.lint.best: best and worst must differ, both are 0", id="best"),
        pytest.param("gates:\n  syntax: {versions: [2.7]}", "3: gates.syntax.versions[0]: must look"
                     " like '3.12', found '2.7'", id="version"),
        pytest.param("gates:\n  docs: {minimum: {}}", "3: gates.docs.minimum: must not be empty",
                     id="empty minimum"),
        pytest.param("gates:\n  integration: {timeout: 30w}", "3: gates.integration.timeout: must"
                     " be at most 604800 s, found 30w", id="a timeout beyond poll"),
        pytest.param("gates:\n  integration:\n    services:\n    - {name: db, command: x}",
                     "5: gates.integration.services[0]: needs port or url, to know when it is"
                     " ready", id="service"),
        pytest.param("gates:\n  integration:\n    services:\n    - name: db\n      command: x\n"
                     "      url: localhost", "7: gates.integration.services[0].url: must start with"
                     " http:// or https://", id="service url"),
        pytest.param("gates:\n  integration:\n    services:\n    - {name: a, command: x, port: 1}\n"
                     "    - {name: a, command: x, port: 2}", "6: gates.integration.services[1]"
                     ".name: 'a' is used twice", id="service twice"),
        pytest.param("gates:\n  performance:", "3: gates.performance: needs benchmarks, or report"
                     " and budgets: there is nothing to measure", id="nothing to measure"),
        pytest.param("gates:\n  performance:\n    report: x", "4: gates.performance.report: needs"
                     " budgets: without them nothing in it is judged", id="report alone"),
        pytest.param("gates:\n  performance:\n    budgets: {a: {time: 1}}", "4: gates.performance"
                     ".budgets: needs report: the file whose tests they limit", id="budgets alone"),
        pytest.param("gates:\n  performance:\n    report: x\n    budgets:\n      a: {}",
                     "6: gates.performance.budgets.a: needs a limit: time, memory or objects",
                     id="budget without a limit"),
        pytest.param("gates:\n  performance:\n    benchmarks:\n    - {name: a, command: x}",
                     "5: gates.performance.benchmarks[0]: needs a limit: time, memory or objects",
                     id="benchmark without a limit"),
        pytest.param("gates:\n  performance:\n    benchmarks:\n    - {name: a, time: 1}",
                     "5: gates.performance.benchmarks[0]: needs one of command, callable and test",
                     id="benchmark of nothing"),
        pytest.param("gates:\n  performance:\n    benchmarks:\n"
                     "    - {name: a, command: x, callable: 'a:b', time: 1}",
                     "5: gates.performance.benchmarks[0]: needs one of command, callable and test",
                     id="benchmark of both"),
        pytest.param("gates:\n  performance:\n    benchmarks:\n    - name: a\n      command: x\n"
                     "      objects: 1", "7: gates.performance.benchmarks[0].objects: needs"
                     " callable: objects of a command cannot be counted", id="objects"),
        pytest.param("gates:\n  performance:\n    benchmarks:\n    - name: a\n      callable: x\n"
                     "      time: 1", "6: gates.performance.benchmarks[0].callable: must look like"
                     " 'package.module:function'", id="callable"),
        pytest.param("gates:\n  performance:\n    benchmarks:\n    - name: a\n      test: t.py\n"
                     "      time: 1", "6: gates.performance.benchmarks[0].test: must be a test's"
                     " id, as 'tests/test_x.py::test_speed'", id="test"),
        pytest.param("gates:\n  performance:\n    benchmarks:\n    - name: a\n"
                     "      test: t.py::t\n      memory: 1MB", "7: gates.performance.benchmarks[0]"
                     ".memory: needs command or callable: a test's memory is not measured",
                     id="memory of a test"),
        pytest.param("gates:\n  performance:\n    benchmarks:\n    - name: a\n"
                     "      test: t.py::t\n      time: 1\n      by: wall",
                     "8: gates.performance.benchmarks[0].by: needs command or callable: a test is"
                     " timed by its CPU time", id="wall time of a test"),
        pytest.param("gates:\n  performance:\n    compare: main\n    report: x\n"
                     "    budgets: {a: {time: 1}}", "4: gates.performance.compare: needs"
                     " benchmarks: there is nothing to compare", id="nothing to compare"),
        pytest.param("tune:\n  variants:\n  - {name: a, environment: {A: b}}",
                     "2: tune: needs benchmarks in gates.performance: there is nothing to try it"
                     " by", id="tune without benchmarks"),
        pytest.param("tune:\n  variants:\n  - name: a\n" + SPEED, "4: tune.variants[0]: changes"
                     " nothing: give it environment, settings or patch", id="empty variant"),
        pytest.param("tune:\n  benchmarks: [spede]\n  variants:\n  - {name: a, patch: p}\n"
                     + SPEED, "3: tune.benchmarks[0]: unknown benchmark 'spede' (nearest:"
                     " 'speed')", id="tune by an unknown benchmark"),
        pytest.param("tune:\n  variants:\n  - {name: a, patch: p}\n  - {name: a, patch: q}\n"
                     + SPEED, "5: tune.variants[1].name: 'a' is used twice", id="variant twice"),
        pytest.param("gates:\n  performance:\n    exact: true\n    benchmarks:\n"
                     "    - {name: a, command: x, time: 1}", "4: gates.performance.exact: needs"
                     " compare: budgets are not of instructions", id="exact alone"),
        pytest.param("gates:\n  integration: {environment: {'A=B': x}}", "3: gates.integration"
                     ".environment.'A=B': must look like 'DATABASE_URL', found 'A=B'",
                     id="environment"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_with_its_line(tmp_path: Path, text: str, expected: str) -> None:
    assert problems(tmp_path, f"version: 1\n{text}\n") == [expected]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("paths: [a]", "1: version: missing, and needed here", id="missing"),
        pytest.param("version: 2", "1: version: must be 1, found the number 2", id="newer"),
        pytest.param("version: '1'", "1: version: must be 1, found the text '1'", id="text"),
    ],
)
def test_the_version_is_needed(tmp_path: Path, text: str, expected: str) -> None:
    assert problems(tmp_path, text) == [expected]


def test_all_mistakes_of_a_file_are_told_at_once(tmp_path: Path) -> None:
    text = EXAMPLE
    for right, wrong in [
        ("version: 1", "version: one"),
        ("exclude", "exclud"),
        ("2: {name: steady}", "2: {score: -0.1}"),
        ("[syntax, lint]", "[sintax, lint]"),
        ("time: 250ms", "time: fast"),
        ("  syntax:\n", "  syntax: 5\n"),
        ("minimum: {2: 75}", "minimum: {4: 75}"),
        ("port: 5432", "port: 0"),
        ("reads: sarif", "reads: serif"),
        ("weight: 0.5", "weigth: 0.5"),
    ]:
        assert right in text
        text = text.replace(right, wrong)

    found = problems(tmp_path, text)

    assert [re.sub(r"(: .*?): .*", r"\1", problem) for problem in found] == [
        "1: version",
        "3: exclud",
        "6: generations.2.score",
        "9: required.1[0]",
        "15: gates.performance.benchmarks[0].time",
        "20: gates.syntax",
        "21: gates.coverage.minimum.4",
        "25: gates.integration.services[0].port",
        "30: gates.lint.reads",
        "31: gates.lint.weigth",
    ]


def test_the_nearest_file_is_found(tmp_path: Path) -> None:
    inner = tmp_path / "a" / "b"
    inner.mkdir(parents=True)
    (tmp_path / "gates.yaml").touch()

    assert find(inner, tmp_path) == tmp_path / "gates.yaml"
    assert find(inner, tmp_path / "a") is None
    (inner / "gates.yaml").touch()
    assert find(inner, tmp_path) == inner / "gates.yaml"


PARTS = st.sampled_from(
    [*EXAMPLE.split(), ": ", "-1", ".nan", "1e400", "\t", "&a", "*a", "<<: *a", "${X}", "''", "{}"]
)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(st.integers(0, EXAMPLE.count("\n") - 1), PARTS, PARTS), max_size=5))
def test_a_spoiled_file_is_read_or_refused(edits: list[tuple[int, str, str]]) -> None:
    lines = EXAMPLE.splitlines(keepends=True)
    for line, old, new in edits:
        lines[line] = lines[line].replace(old, new)
    try:
        found: object = core_config.read("".join(lines), "gates.yaml", GatesFile, {})
    except ConfigError as error:
        found = error

    assert isinstance(found, GatesFile | ConfigError)
