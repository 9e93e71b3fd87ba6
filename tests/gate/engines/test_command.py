import json
import shutil
import sys
import sysconfig
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sdlc_cli.core.errors import ConfigError, SdlcError, WorkError
from sdlc_cli.gate.config import CommandGate
from sdlc_cli.gate.engines import command
from sdlc_cli.gate.model import Measurement
from sdlc_cli.gate.source import Project

Tree = Callable[..., Path]
RUFF = Path(sysconfig.get_path("scripts")) / "ruff"


def judge(root: Path, code: str, **options: Any) -> Measurement:
    """Runs `code` as the gate's program."""
    options.setdefault("command", ("python", "-c", code))
    files = tuple(p.relative_to(root).as_posix() for p in sorted(root.rglob("*")) if p.is_file())
    project = Project(root=root, base=root, files=files)
    gate = CommandGate(kind="command", python=sys.executable, **options)
    return command.check(project, "mine", gate)


def prints(value: object) -> str:
    text = value if isinstance(value, str) else json.dumps(value)
    return f"print({text!r})"


@pytest.mark.parametrize(("code", "score"), [("", 100), ("raise SystemExit(3)", 0)])
def test_the_exit_code_is_all_or_nothing(tree: Tree, code: str, score: float) -> None:
    result = judge(tree({}), code)

    assert result.score == score
    assert bool(result.findings) is (score == 0)


def test_a_failing_program_shows_its_last_words(tree: Tree) -> None:
    (finding,) = judge(tree({}), "import sys; sys.exit('the mast is broken')").findings

    assert finding.rule == "exit-code"
    assert "ended with code 1: the mast is broken" in finding.message


def test_the_program_runs_in_the_project_with_its_variables(tree: Tree) -> None:
    code = "import os; assert os.path.exists('here') and os.environ['MINE'] == 'yes'"

    assert judge(tree({"here": ""}), code, environment={"MINE": "yes"}).score == 100


def test_sdlc_itself_is_always_found(tree: Tree, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/usr/bin:/bin")

    result = judge(tree({}), "", command=("sdlc", "--version"))

    assert result.score == 100


def test_a_program_that_is_no_pythons_needs_no_python(
    tree: Tree, monkeypatch: pytest.MonkeyPatch
) -> None:
    true = shutil.which("true") or pytest.skip("no program `true` here")
    monkeypatch.setenv("PATH", "/nowhere")
    root = tree({})
    gate = CommandGate(kind="command", command=(true,))

    result = command.check(Project(root=root, base=root, files=()), "mine", gate)

    assert result.score == 100


SARIF = {
    "version": "2.1.0",
    "runs": [{"tool": {"driver": {"name": "t", "version": "2"}}, "results": []}],
}


def sarif_of(*levels: str, **run: object) -> dict[str, object]:
    results = [{"ruleId": f"R{n}", "level": level} for n, level in enumerate(levels)]
    driver = {"driver": {"name": "t", "version": "2"}}
    return {"version": "2.1.0", "runs": [{"tool": driver, "results": results, **run}]}


def test_sarif_without_results_is_100(tree: Tree) -> None:
    result = judge(tree({}), prints(SARIF), reads="sarif")

    assert (result.score, result.findings, result.tool_versions) == (100, (), {"t": "2"})


def test_each_further_sarif_result_costs_points(tree: Tree) -> None:
    root = tree({"a.py": "x = 1\n"})
    scores = [
        judge(root, prints(sarif_of(*["warning"] * n)), reads="sarif").score or 0 for n in range(4)
    ]

    assert scores == sorted(scores, reverse=True)
    assert scores[0] == 100
    assert scores[1] == pytest.approx(100 * 2**-0.25)


def test_sarif_counts_less_in_a_larger_project(tree: Tree) -> None:
    root = tree({"a.py": "x = 1\n" * 4000})

    result = judge(root, prints(sarif_of("error")), reads="sarif")

    assert result.score == pytest.approx(100 * 2**-0.25)


JUNIT = '<testsuite><testcase name="a"/><testcase name="b"><failure message="no"/></testcase>'
SKIPPED = '<testsuite><testcase name="a"><skipped/></testcase></testsuite>'


def test_junit_is_the_share_of_tests_that_passed(tree: Tree) -> None:
    text = JUNIT + '<testcase name="c"><skipped/></testcase></testsuite>'

    result = judge(tree({}), prints(text), reads="junit")

    assert result.score == 50
    assert [(f.rule, str(f.message)) for f in result.findings] == [
        ("test-failed", "the test b failed: no")
    ]
    assert (result.metrics["tests"], result.metrics["skipped"]) == (2, 1)


@pytest.mark.parametrize(
    ("value", "options", "score"),
    [
        pytest.param({"a": {"b": 87.5}}, {"key": "a.b"}, 87.5, id="dotted"),
        pytest.param({"a": [{"b": 1}, {"b": 2}]}, {"key": "a.1.b"}, 2, id="index"),
        pytest.param({"a": [1, 2, 3]}, {"key": "a[-1]"}, 3, id="index from the end"),
        pytest.param({"a.b": {"0": 5}}, {"key": '"a.b".0'}, 5, id="quoted"),
        pytest.param(42, {"key": ""}, 42, id="the whole"),
        pytest.param({"n": 130}, {"key": "n"}, 100, id="over the best"),
        pytest.param({"n": -5}, {"key": "n"}, 0, id="under the worst"),
        pytest.param({"n": 30}, {"key": "n", "worst": 100, "best": 0}, 70, id="less is better"),
        pytest.param({"n": 300}, {"key": "n", "worst": 100, "best": 0}, 0, id="beyond the worst"),
        pytest.param({"n": 0.5}, {"key": "n", "worst": 0, "best": 1}, 50, id="a share"),
    ],
)
def test_a_number_in_json(
    tree: Tree, value: object, options: dict[str, object], score: float
) -> None:
    result = judge(tree({}), prints(value), reads="json", **options)

    assert result.score == pytest.approx(score)


CRASH = "import sys; print('boom', file=sys.stderr); sys.exit(7)"


@pytest.mark.parametrize(
    ("code", "options", "words"),
    [
        pytest.param(CRASH, {"reads": "sarif"}, "code 7, which is not among exit_codes (0, 1)",
                     id="exit code"),
        pytest.param(CRASH, {"reads": "json", "exit_codes": (7,), "key": "a"}, "boom",
                     id="allowed code, no output"),
        pytest.param("import os; os.kill(os.getpid(), 9)", {}, "killed by signal 9", id="signal"),
        pytest.param("import time; time.sleep(60)", {"timeout": 0.5}, "ended after 0.5 seconds",
                     id="timeout"),
        pytest.param("", {"command": ("no-such-program-here",)}, "no-such-program-here",
                     id="no such program"),
        pytest.param("", {"reads": "sarif"}, "is not SARIF", id="no output"),
        pytest.param("print('{}')", {"reads": "sarif"}, "is not SARIF", id="another JSON"),
        pytest.param(prints({"version": "2.1.0", "runs": []}), {"reads": "sarif"},
                     "nothing was looked at", id="no run"),
        pytest.param(prints(sarif_of(invocations=[{"executionSuccessful": False}])),
                     {"reads": "sarif"}, "reports that it failed: t", id="a tool that failed"),
        pytest.param("print('<x/>')", {"reads": "junit"}, "is not JUnit", id="another XML"),
        pytest.param("print('<testsuite/>')", {"reads": "junit"}, "no test", id="no test"),
        pytest.param(prints(SKIPPED), {"reads": "junit"}, "every test was skipped", id="skipped"),
        pytest.param(prints('<testsuite failures="2"><testcase name="a"/></testsuite>'),
                     {"reads": "junit"}, "speaks of 2 failures", id="lost failures"),
        pytest.param(prints({"a": "87"}), {"reads": "json", "key": "a"}, "no number", id="text"),
        pytest.param(prints({"a": True}), {"reads": "json", "key": "a"}, "no number", id="bool"),
        pytest.param(prints({"a": None}), {"reads": "json", "key": "a"}, "no number", id="null"),
        pytest.param(prints({"a": 1}), {"reads": "json", "key": "b.c"}, "at b", id="no key"),
        pytest.param(prints([1]), {"reads": "json", "key": "1"}, "at 1", id="no index"),
        pytest.param("print('{\"a\": NaN}')", {"reads": "json", "key": "a"}, "not JSON", id="NaN"),
        pytest.param("print('{\"a\": 1e999}')", {"reads": "json", "key": "a"}, "", id="infinity"),
        pytest.param("print('[' * 100000)", {"reads": "json", "key": "a"}, "not JSON", id="deep"),
        pytest.param("", {"reads": "json", "report": "out.json", "key": "a"},
                     "did not write out.json", id="no report"),
        pytest.param("", {"reads": "json", "report": "old.json", "key": "a"},
                     "old.json is from an earlier run", id="old report"),
        pytest.param("import os; os.mkdir('out')", {"reads": "sarif", "report": "out"},
                     "is no regular file", id="a folder"),
        pytest.param("import os; os.mkfifo('pipe')", {"reads": "junit", "report": "pipe"},
                     "is no regular file", id="a pipe"),
        pytest.param("", {"reads": "junit", "report": "/dev/zero"}, "is no regular file",
                     id="a device"),
        pytest.param("open('r', 'w').truncate(10**11)", {"reads": "junit", "report": "r"},
                     "r is too large", id="too large"),
        pytest.param("import os; os.utime('old.json')",
                     {"reads": "json", "report": "old.json", "key": "a"}, "old.json",
                     id="an old report touched"),
        pytest.param("open('old.json', 'a').close()",
                     {"reads": "json", "report": "old.json", "key": "a"}, "is not JSON",
                     id="an old report touched as touch does"),
        pytest.param(prints('<testsuite><testcase name="a"/></testsuite>') + "; exit(1)",
                     {"reads": "junit"}, "nothing is reported, yet the program ended with code 1",
                     id="all passed, yet code 1"),
        pytest.param(prints(SARIF) + "; exit(1)", {"reads": "sarif"},
                     "nothing is reported, yet the program ended with code 1",
                     id="no result, yet code 1"),
        pytest.param(prints('<testsuite tests="5"><testcase name="a"/></testsuite>'),
                     {"reads": "junit"}, "counts 4 tests more than it holds", id="lost tests"),
    ],
)  # fmt: skip
def test_what_did_not_work_is_an_error(
    tree: Tree, code: str, options: dict[str, object], words: str
) -> None:
    root = tree({"old.json": '{"a": 100}'})

    with pytest.raises(WorkError) as caught:
        judge(root, code, **options)

    assert words in str(caught.value)


@pytest.mark.parametrize(
    "options",
    [{"key": "a..b"}, {"key": '"a'}, {"key": "a", "best": 3, "worst": 3}],
    ids=["empty step", "open quote", "no range"],
)
def test_wrong_options_are_config_errors(tree: Tree, options: dict[str, object]) -> None:
    with pytest.raises(ConfigError) as caught:
        judge(tree({}), prints({"a": 1}), reads="json", **options)

    assert isinstance(caught.value, SdlcError)


def test_a_report_written_anew_is_read_even_when_nothing_in_it_changed(tree: Tree) -> None:
    root = tree({"out.json": '{"a": 60}'})
    code = "open('out.json', 'w').write('{\"a\": 60}')"

    assert judge(root, code, reads="json", report="out.json", key="a").score == 60


def test_noise_on_stderr_does_no_harm(tree: Tree) -> None:
    code = "import sys; print('warning', file=sys.stderr); print(5)"

    assert judge(tree({}), code, reads="json").score == 5


@pytest.mark.dev
def test_ruff_as_a_gate(tree: Tree) -> None:
    if not RUFF.exists():
        pytest.skip("ruff is not installed")
    root = tree({"pkg/a.py": "import os\nimport sys\n"})
    words = (str(RUFF), "check", "--isolated", "--no-cache", "--output-format", "sarif", "pkg")

    result = judge(root, "", command=words, reads="sarif")

    assert [(f.rule, f.location.path, f.location.line) for f in result.findings] == [
        ("F401", "pkg/a.py", 1),
        ("F401", "pkg/a.py", 2),
    ]
    assert result.score == pytest.approx(25)


def test_pytest_as_a_gate(tree: Tree) -> None:
    root = tree({"tests/test_a.py": "def test_good(): pass\ndef test_bad(): assert 0\n"})
    words = ("python", "-m", "pytest", "-q", "-p", "no:cacheprovider", "--junitxml=out/j.xml")

    result = judge(root, "", command=words, reads="junit", report="out/j.xml")

    assert result.score == 50
    assert [f.location.path for f in result.findings] == ["tests/test_a.py"]


def test_a_report_with_the_same_bytes_as_before_counts_when_it_was_written(tree: Tree) -> None:
    root = tree({"out.json": '{"a": 60}'})
    code = "open('out.json', 'w').write('{\"a\": 60}')"

    assert judge(root, code, reads="json", report="out.json", key="a").score == 60


def test_an_old_report_is_left_to_its_owner(tree: Tree) -> None:
    root = tree({"old.json": '{"a": 100}'})
    (root / "link.json").symlink_to("old.json")

    for code in ("", CRASH):
        for report in ("old.json", "link.json"):
            with pytest.raises(WorkError):
                judge(root, code, reads="json", report=report, key="a")

    assert (root / "old.json").read_text() == '{"a": 100}'


def test_of_very_many_failures_the_first_thousand_are_findings(tree: Tree) -> None:
    code = "print('<testsuite>' + '<testcase><failure/></testcase>' * 1500 + '</testsuite>')"

    result = judge(tree({}), code, reads="junit")

    assert (result.score, result.metrics["tests"], len(result.findings)) == (0, 1500, 1000)
    assert result.metrics["failures_left_out"] == 500
