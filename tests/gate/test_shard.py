import json
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sdlc_cli.core.errors import ConfigError, UsageError
from sdlc_cli.core.finding import Finding, Location, Severity
from sdlc_cli.core.i18n import Message, msg
from sdlc_cli.gate import config as gates
from sdlc_cli.gate import engines, run, score, shard, source
from sdlc_cli.gate.config import GateConfig
from sdlc_cli.gate.filepass import Inspected, Seen, inspect_files
from sdlc_cli.gate.model import GateReport, Measurement, Outcome
from sdlc_cli.gate.report import json as json_report
from sdlc_cli.gate.run import Selection
from sdlc_cli.gate.score import Measured
from sdlc_cli.gate.shard import Origin, Shard, ShardReport
from sdlc_cli.gate.source import Project

GATES = """
version: 1
generation: 2
gates:
  syntax: {versions: ["3.11"]}
  security: {fail_on: high}
  secrets:
  maintainability: {max_complexity: 2}
  docs:
  coverage:
  words: {kind: command, command: "python -c 'print(1)'"}
  broken: {kind: command, command: no-such-program}
"""
# Built here, so that no scanner takes this file for a leak.
FAKE_KEY = "AKIA" + "Q7RT5KX2WP3M6ZVB"
PIECES = (
    "x = 1\n",
    "import subprocess\nsubprocess.call(input(), shell=True)\n",
    "def f(a, b):\n    if a and b:\n        return 1\n    return 2\n",
    f'KEY = "{FAKE_KEY}"\n',
    "assert True\n",
    "def f(:\n",
    '"""Documented."""\n',
)
Tree = Callable[..., Path]


def opened(root: Path) -> tuple[Project, GateConfig]:
    file = root / "gates.yaml"
    found = gates.load(file if file.exists() else None, root, {})
    project = source.open_project(
        root=root, base=root, scope=root, exclude=found.exclude, configured=file.exists()
    )
    return project, found


def one_shard(root: Path, part: Shard) -> ShardReport:
    """What `gate run --shard` does."""
    project, found = opened(root)
    mine = replace(project, files=shard.split_files(project, part))
    by_file = {n: g for n, g in found.gates.items() if n in engines.FILE_ENGINES}
    rest = shard.split_gates([n for n in found.gates if n not in by_file], part)
    return ShardReport(
        shard=part,
        origin=here(root),
        inspected=tuple(inspect_files(mine, by_file, jobs=1)),
        measured={name: run._check(project, name, found.gates[name]) for name in rest},
    )


def here(root: Path) -> Origin:
    project, found = opened(root)
    wishes = {k: v for k, v in asdict(Selection()).items() if k != "jobs"}
    return shard.origin(project, found.file, root, wishes)


def merged(root: Path, reports: Sequence[ShardReport]) -> GateReport:
    """What `gate merge` does."""
    project, found = opened(root)
    joined = shard.join(reports, here(root))
    by_file = {n: g for n, g in found.gates.items() if n in engines.FILE_ENGINES}
    measured = {
        **run._conclude_all(project, by_file, joined.inspected),
        **joined.measured,
    }
    return score.judge(
        {name: measured[name] for name in found.gates},
        found,
        found.generation,
        files=sum(bool(one.seen) for one in joined.inspected),
        lines=sum(one.lines for one in joined.inspected if one.seen),
        skipped_files=[
            *project.skipped_files,
            *(one.skipped for one in joined.inspected if one.skipped),
        ],
    )


def through_json(root: Path, report: ShardReport) -> ShardReport:
    file = root.parent / f"shard-{report.shard.index}.json"
    file.write_text(json.dumps({"shard": shard.as_json(report)}), encoding="ascii")
    return shard.read(file)


def comparable(report: GateReport) -> Mapping[str, object]:
    body: dict[str, object] = json.loads(json_report.render(report))
    listed = body["gates"]
    assert isinstance(listed, list)
    for gate in listed:
        del gate["duration_s"]
        gate["metrics"].pop("seconds", None)
    return body


@settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    files=st.dictionaries(
        st.sampled_from([f"{folder}{name}" for folder in ("", "a/", "tests/") for name in
                         ("m.py", "n.py", "o.py", "p.toml", "q.md", "r.json")]),
        st.lists(st.sampled_from(PIECES), max_size=4).map("".join),
        min_size=1,
        max_size=10,
    ),
    count=st.integers(1, 5),
)  # fmt: skip
def test_all_shards_together_are_one_run(
    tmp_path_factory: pytest.TempPathFactory, files: dict[str, str], count: int
) -> None:
    root = tmp_path_factory.mktemp("work") / "project"
    for name, text in {**files, "gates.yaml": GATES}.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, encoding="utf-8")
    _, found = opened(root)
    whole = run.run(root, found, Selection(), root=root)

    parts = [one_shard(root, Shard(index=n, count=count)) for n in range(1, count + 1)]
    joined = merged(root, [through_json(root, part) for part in reversed(parts)])

    assert comparable(joined) == comparable(whole)
    assert joined.reasons == whole.reasons


@given(st.sets(st.text(st.characters(exclude_characters="/\0.", codec="utf-8"),
                       min_size=1, max_size=8), max_size=60), st.integers(1, 9))  # fmt: skip
def test_each_file_is_in_exactly_one_shard(names: set[str], count: int) -> None:
    project = Project(root=Path("/nowhere"), base=Path("/nowhere"), files=tuple(sorted(names)))

    parts = [shard.split_files(project, Shard(index=n + 1, count=count)) for n in range(count)]

    assert sorted(path for part in parts for path in part) == sorted(names)
    sizes = [len(part) for part in parts]
    assert max(sizes) - min(sizes) <= 2  # all of the same weight


def test_shards_are_balanced_by_size_and_mostly_stay_when_a_file_comes(tree: Tree) -> None:
    root = tree({f"m{n}.py": "x = 1\n" * (n % 40 * 50) for n in range(200)})

    def split() -> list[set[str]]:
        project, _ = opened(root)
        return [set(shard.split_files(project, Shard(index=n, count=4))) for n in (1, 2, 3, 4)]

    before = split()
    sizes = [sum((root / name).stat().st_size for name in part) for part in before]
    assert max(sizes) < 1.15 * min(sizes)
    (root / "new.py").write_text("x = 1\n" * 1000)
    moved = sum(len(old - new) for old, new in zip(before, split(), strict=True))
    assert moved <= 10


def test_each_project_gate_is_in_one_shard_and_coverage_follows_the_tests() -> None:
    names = ["lint", "coverage", "performance", "integration", "load"]

    parts = [shard.split_gates(names, Shard(index=n, count=3)) for n in (1, 2, 3)]

    assert parts == [("lint", "load"), ("coverage", "integration"), ("performance",)]


@pytest.mark.parametrize("text", ["", "1", "0/4", "5/4", "1/0", "a/b", "1/4/2", "-1/4", "1/1001"])
def test_a_wrong_shard_is_a_usage_error(text: str) -> None:
    with pytest.raises(UsageError, match="--shard takes K/N"):
        shard.parse(text)


def test_a_shard_is_read() -> None:
    assert shard.parse("2/4") == Shard(index=2, count=4)


ORIGIN = Origin(
    sdlc="1", python="3.11.1", tools={"bandit": "1"}, commit="c", files="f", config="g",
    scope=".", selection={"only": ["a"]},
)  # fmt: skip


def report(index: int, count: int, **origin: object) -> ShardReport:
    made = replace(ORIGIN, **origin)  # type: ignore[arg-type]
    return ShardReport(
        shard=Shard(index=index, count=count), origin=made, inspected=(), measured={}
    )


@pytest.mark.parametrize(
    ("reports", "problem"),
    [
        pytest.param([], "no shard report was given", id="none"),
        pytest.param([report(1, 3), report(3, 3)], "no report of shard 2/3", id="missing"),
        pytest.param([report(1, 2), report(1, 2)], "more than one report of shard 1/2", id="twice"),
        pytest.param([report(1, 2), report(2, 3)], "different numbers of shards: 2, 3", id="mixed"),
        *(
            pytest.param(
                [report(1, 2), report(2, 2, **{name: value})], f"shard 2/2.*{what}", id=name
            )
            for name, value, what in (
                ("sdlc", "2", "another version of sdlc"),
                ("python", "3.12.0", "another version of Python"),
                ("tools", {"bandit": "2"}, "other versions of bandit"),
                ("commit", "d", "another commit"),
                ("files", "x", "other files"),
                ("config", "x", "another gates.yaml"),
                ("scope", "src", "another folder"),
                ("selection", {"only": []}, "other options"),
            )
        ),
    ],
)  # fmt: skip
def test_what_does_not_belong_together_is_not_merged(
    reports: list[ShardReport], problem: str
) -> None:
    with pytest.raises(UsageError, match=problem):
        shard.join(reports, ORIGIN)


def test_the_files_and_the_config_are_part_of_the_origin(tree: Tree) -> None:
    root = tree({"a.py": "x = 1\n", "gates.yaml": GATES}, git=True)
    first = here(root)
    assert first.commit
    assert first == here(root)

    (root / "a.py").write_text("x = 10\n")
    assert here(root).files != first.files
    (root / "gates.yaml").write_text(GATES + "# more\n")
    assert here(root).config != first.config


def sentence_of(seen: ShardReport) -> str:
    return seen.inspected[0].seen[0].outcome.findings[0].message


def test_a_report_comes_back_as_it_was_written(tmp_path: Path) -> None:
    finding = Finding(
        rule="r",
        severity=Severity.HIGH,
        message=msg("{what} in {n:,} lines", what=msg("a fault"), n=1234),
        location=Location(path="odd\udcff name.py", line=3),
        context="x",
        fingerprint="f" * 32,
        amount=2.5,
    )
    seen = Seen(
        gate="g",
        outcome=Outcome(findings=(finding,), numbers={"lines": 5, "index": 0.1, "stock": True}),
        seconds=0.5,
    )
    measured = Measured(
        measurement=Measurement(
            score=99.5,
            reason=msg("because"),
            findings=(finding,),
            metrics={"nested": {"a": [1, 2.5, None, "x"]}, "odd": float("nan")},
            tool_versions={"t": "1"},
        ),
        duration_s=1.5,
    )
    written = replace(
        report(1, 1),
        inspected=(Inspected(path="odd\udcff name.py", lines=5, seen=(seen,)),),
        measured={"m": measured},
    )
    file = tmp_path / "shard.json"
    file.write_text(json.dumps({"passed": True, "shard": shard.as_json(written)}))

    back = shard.read(file)

    assert back.inspected == written.inspected
    assert back.origin == written.origin
    assert back.measured["m"].measurement.metrics["nested"] == {"a": [1, 2.5, None, "x"]}
    assert back.measured["m"].measurement.metrics["odd"] is None
    assert back.measured["m"].measurement.findings == (finding,)
    message = sentence_of(back)
    assert isinstance(message, Message)
    assert (message, message.template) == ("a fault in 1,234 lines", "{what} in {n:,} lines")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        pytest.param("{", "is no JSON", id="half"),
        pytest.param("[" * 100_000, "is no JSON", id="deep"),
        pytest.param('{"passed": true}', "is no report of a shard", id="a whole run"),
        pytest.param('{"shard": {"schema_version": 99}}', "another version of sdlc", id="version"),
        pytest.param('{"shard": {"schema_version": 1}}', "is no report of a shard", id="empty"),
        pytest.param("[]", "is no report of a shard", id="list"),
    ],
)
def test_another_file_is_refused(tmp_path: Path, text: str, problem: str) -> None:
    file = tmp_path / "x.json"
    file.write_text(text)

    with pytest.raises(ConfigError, match=problem):
        shard.read(file)


@pytest.mark.parametrize(
    "sentence",
    [
        pytest.param({"$template": "{a.__class__}", "args": {"a": 1}}, id="attribute"),
        pytest.param({"$template": "{a:>99999999}", "args": {"a": 1}}, id="width"),
        pytest.param({"$template": "{a!r}", "args": {"a": 1}}, id="conversion"),
        pytest.param({"$template": "{b}", "args": {"a": 1}}, id="no value"),
        pytest.param({"$template": "{a:d}", "args": {"a": "x"}}, id="format"),
        pytest.param({"$template": "{", "args": {"a": "x"}}, id="brace"),
        pytest.param({"$template": 1}, id="number"),
    ],
)
def test_a_sentence_that_reaches_further_is_refused(
    tmp_path: Path, sentence: dict[str, object]
) -> None:
    written = replace(
        report(1, 1), measured={"m": Measured(measurement=Measurement(reason="REASON"))}
    )
    body = json.dumps({"shard": shard.as_json(written)})
    file = tmp_path / "x.json"
    file.write_text(body.replace('"REASON"', json.dumps(sentence)))

    with pytest.raises(ConfigError, match="is no report of a shard"):
        shard.read(file)


def test_a_pipe_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "x.json")

    with pytest.raises(ConfigError, match="no regular file"):
        shard.read(tmp_path / "x.json")


@pytest.mark.dev
def test_the_schema_describes_a_shard(tree: Tree) -> None:
    import jsonschema

    root = tree({"a.py": PIECES[1], "gates.yaml": GATES})
    body = shard.as_json(one_shard(root, Shard(index=1, count=1)))

    jsonschema.Draft202012Validator(shard.schema()).validate(body)
