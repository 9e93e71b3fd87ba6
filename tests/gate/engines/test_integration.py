import os
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sdlc_cli.core.errors import WorkError
from sdlc_cli.gate.engines.integration import _pytest_word, check
from sdlc_cli.gate.model import Measurement
from sdlc_cli.gate.options import Integration, Service
from sdlc_cli.gate.source import Project

Tree = Callable[..., Path]

OK = "def test_ok():\n    assert True\n"
BAD = "def helper(n):\n    assert n == 2\n\n\ndef test_bad():\n    helper(1)\n"
QUIET = ("python", "-m", "pytest", "-p", "no:cacheprovider")


def measure(root: Path, *, configured: bool = True, **options: Any) -> Measurement:
    files = tuple(p.relative_to(root).as_posix() for p in root.rglob("*.py"))
    project = Project(root=root, base=root, files=files, configured=configured)
    options = {"python": sys.executable, "command": QUIET} | options
    return check(project, "integration", Integration(**options))


def writes(junit: str, *, code: int = 0) -> dict[str, Any]:
    """Options for a command that writes `junit` as j.xml and ends with `code`."""
    program = f"import sys; open('j.xml', 'w').write({junit!r}); sys.exit({code})"
    return {"command": (sys.executable, "-c", program), "junit": "j.xml"}


def suite(*cases: str, **attributes: int) -> str:
    words = "".join(f' {name}="{value}"' for name, value in attributes.items())
    return f"<testsuites><testsuite{words}>{''.join(cases)}</testsuite></testsuites>"


PASSED = '<testcase name="a" classname="T"/>'
FAILED = '<testcase name="b" classname="T"><failure message="1 != 2"/></testcase>'
BROKEN = '<testcase name="c" classname="T"><error message="no disk"/></testcase>'
SKIPPED = '<testcase name="d" classname="T"><skipped/></testcase>'


def test_tests_that_pass_give_full_points(tree: Tree) -> None:
    got = measure(tree({"test_a.py": OK}))

    assert (got.outcome, got.score, got.findings) == ("judged", 100, ())
    assert got.metrics["tests"] == got.metrics["passed"] == 1
    assert got.metrics["command"] == "python -m pytest -p no:cacheprovider"
    assert got.metrics["slowest"][0]["name"] == "test_a::test_ok"  # type: ignore[index]


def test_pytest_is_the_command_where_none_is_set(tree: Tree) -> None:
    assert measure(tree({"test_a.py": OK}), command=()).score == 100


def test_a_failing_test_is_a_finding_at_its_line(tree: Tree) -> None:
    got = measure(tree({"tests/test_a.py": OK + BAD.replace("\n\n\n", "\n\n\n\n"), "x.py": ""}))

    assert (got.outcome, got.score) == ("judged", 50)
    (finding,) = got.findings
    assert (finding.rule, finding.severity) == ("test-failed", "high")
    assert (finding.location.path, finding.location.line) == ("tests/test_a.py", 9)
    assert finding.message == "tests.test_a::test_bad failed: assert 1 == 2"


def test_a_test_without_traceback_is_placed_by_the_report(tree: Tree) -> None:
    got = measure(tree({"test_a.py": "\n" + BAD}), command=(*QUIET, "--tb=no"))

    assert (got.findings[0].location.path, got.findings[0].location.line) == ("test_a.py", 6)


def test_skipped_tests_are_shown_and_not_counted(tree: Tree) -> None:
    skip = "import pytest\n@pytest.mark.skip\ndef test_s(): pass\n"
    xfail = "@pytest.mark.xfail\ndef test_x(): assert False\n"

    got = measure(tree({"test_a.py": OK + skip + xfail + BAD}))

    assert got.score == 50
    assert {k: got.metrics[k] for k in ("tests", "passed", "failed", "errors", "skipped")} == {
        "tests": 4, "passed": 1, "failed": 1, "errors": 0, "skipped": 2,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("files", "options", "says"),
    [
        pytest.param({"a.py": "x = 1\n"}, {}, "ran no test", id="no test"),
        pytest.param({"test_a.py": OK}, {"command": (*QUIET, "-k", "zz")}, "ran no test", id="-k"),
        pytest.param(
            {"test_a.py": "import pytest\n@pytest.mark.skip\ndef test_s(): pass\n"},
            {},
            "all 1 tests were skipped",
            id="all skipped",
        ),
        pytest.param(
            {"test_a.py": "import os\n" + OK + "def test_z(): os._exit(0)\n"},
            {},
            "wrote no report",
            id="a crash that looks like success",
        ),
        pytest.param(
            {"test_a.py": OK, "conftest.py": "def pytest_sessionfinish(session): "
                "session.exitstatus = 7\n"},
            {},
            "no test failed, yet the test command ended with exit code 7",
            id="exit code without a failed test",
        ),
        pytest.param(
            {"test_a.py": OK + BAD + "def test_z():\n import pytest\n pytest.exit('off', 3)\n"},
            {},
            "broke off with exit code 3",
            id="broke off after failures",
        ),
        pytest.param({"test_a.py": OK}, {"command": (*QUIET, "--zz")}, "no report", id="usage"),
    ],
)  # fmt: skip
def test_what_pytest_did_not_prove_is_an_error(
    files: dict[str, str], options: dict[str, Any], says: str, tree: Tree
) -> None:
    got = measure(tree(files), **options)

    assert (got.outcome, got.score) == ("error", None)
    assert says in got.reason


def test_a_test_module_that_does_not_import_is_a_finding(tree: Tree) -> None:
    got = measure(tree({"test_a.py": OK, "test_b.py": "import no_such\n"}))

    assert (got.outcome, got.score) == ("judged", 0)
    assert [f.rule for f in got.findings] == ["test-error"]
    assert got.findings[0].location.path == "test_b.py"


@pytest.mark.parametrize(
    ("junit", "code", "score"),
    [
        pytest.param(suite(PASSED, PASSED, PASSED, FAILED), 1, 75, id="one of four"),
        pytest.param(suite(PASSED, FAILED), 0, 50, id="exit code 0 though a test failed"),
        pytest.param(suite(FAILED, BROKEN), 1, 0, id="none"),
        pytest.param(suite(PASSED, FAILED), 77, 50, id="another runner's exit code"),
    ],
)
def test_the_score_is_the_share_of_passed_tests(
    junit: str, code: int, score: float, tree: Tree
) -> None:
    got = measure(tree({}), **writes(junit, code=code))

    assert (got.outcome, got.score) == ("judged", score)


@pytest.mark.parametrize(
    ("junit", "code", "says"),
    [
        pytest.param(suite(), 0, "ran no test", id="empty"),
        pytest.param(suite(tests=9), 0, "ran no test", id="attributes alone are no tests"),
        pytest.param(suite(SKIPPED, SKIPPED), 0, "all 2 tests were skipped", id="all skipped"),
        pytest.param(suite(PASSED), 1, "no test failed, yet", id="coverage threshold"),
        pytest.param(suite(PASSED, errors=1), 0, "contradicts itself", id="contradiction"),
        pytest.param(suite(PASSED, tests=5), 0, "counts 4 tests more", id="lost tests"),
        pytest.param("<testsuites", 0, "cannot be read", id="broken"),
        pytest.param("", 0, "cannot be read", id="empty file"),
        pytest.param("<html/>", 0, "cannot be read", id="no JUnit"),
        pytest.param(
            '<!DOCTYPE x [<!ENTITY a "aa">]>' + suite(PASSED), 0, "document type", id="entities"
        ),
    ],
)
def test_a_report_that_proves_nothing_is_an_error(
    junit: str, code: int, says: str, tree: Tree
) -> None:
    got = measure(tree({}), **writes(junit, code=code))

    assert got.outcome == "error"
    assert says in got.reason


def test_a_killed_runner_is_an_error_though_failures_are_known(tree: Tree) -> None:
    program = (
        f"import os; open('j.xml', 'w').write({suite(PASSED, FAILED)!r}); os.kill(os.getpid(), 9)"
    )
    got = measure(tree({}), command=(sys.executable, "-c", program), junit="j.xml")

    assert got.outcome == "error"
    assert "exit code -9" in got.reason
    assert len(got.findings) == 1


def test_an_old_report_is_not_taken_for_a_new_one(tree: Tree) -> None:
    root = tree({"j.xml": suite(PASSED)})
    command = (sys.executable, "-c", "pass")
    copies = "import os; open('k.xml', 'w').write(open('j.xml').read()); os.utime('k.xml', (9, 9))"

    unchanged = measure(root, command=command, junit="j.xml")
    copied = measure(root, command=(sys.executable, "-c", copies), junit="k.xml")
    missing = measure(root, command=command, junit="none.xml")

    assert [m.outcome for m in (unchanged, copied, missing)] == ["error"] * 3
    assert (root / "j.xml").read_text() == suite(PASSED)
    assert "older than this run" in unchanged.reason
    assert "older than this run" in copied.reason
    assert "wrote no report" in missing.reason


@pytest.mark.parametrize(
    ("program", "says"),
    [
        pytest.param("open('j.xml', 'a').close()", "cannot be read", id="touched"),
        pytest.param("import os; os.mkfifo('j.xml')", "is no regular file", id="a pipe"),
        pytest.param("import os; os.symlink('/dev/zero', 'j.xml')", "j.xml", id="device"),
        pytest.param("open('j.xml', 'w').truncate(10**11)", "j.xml is too large", id="too large"),
    ],
)
def test_what_takes_the_place_of_an_old_report_must_be_a_report(
    program: str, says: str, tree: Tree
) -> None:
    root = tree({"j.xml": suite(PASSED)})

    got = measure(root, command=(sys.executable, "-c", program), junit="j.xml")

    assert got.outcome == "error"
    assert says in got.reason


def test_subtests_that_pytest_counts_are_not_missed(tree: Tree) -> None:
    test = (
        "import unittest\nclass T(unittest.TestCase):\n def test_s(self):\n"
        "  for i in range(4):\n   with self.subTest(i=i): pass\n"
    )

    assert measure(tree({"test_a.py": test})).score == 100


def test_a_command_that_reports_nothing_is_not_run(tree: Tree) -> None:
    root = tree({})
    command = (sys.executable, "-c", "open('ran', 'w')")

    with pytest.raises(WorkError, match=r"where .* writes its JUnit report") as caught:
        measure(root, command=command)

    assert "junit:" in caught.value.hint
    assert not (root / "ran").exists()


def test_a_timeout_names_the_limit_and_the_last_words(tree: Tree) -> None:
    program = "import time; print('opening the flood gates', flush=True); time.sleep(600)"

    got = measure(tree({}), command=(sys.executable, "-c", program), junit="j.xml", timeout=1.5)

    assert got.outcome == "error"
    assert "within 1.5 s" in got.reason
    assert "opening the flood gates" in got.reason


@pytest.mark.parametrize(
    "command",
    [
        pytest.param((*QUIET, "--junit-xml=mine.xml"), id="with ="),
        pytest.param((*QUIET, "--junitxml", "mine.xml"), id="apart"),
    ],
)
def test_the_report_that_the_command_asks_for_is_read(command: tuple[str, ...], tree: Tree) -> None:
    root = tree({"test_a.py": OK})

    assert measure(root, command=command).score == 100
    assert (root / "mine.xml").exists()


@pytest.mark.parametrize(
    ("command", "at"),
    [
        (("pytest", "-q"), 0),
        (("/env/bin/pytest",), 0),
        (("python", "-m", "pytest", "tests"), 2),
        (("python3", "-X", "dev", "-m", "pytest"), 4),
        (("coverage", "run", "-m", "pytest"), 3),
        (("uv", "run", "pytest", "-q"), 2),
        (("poetry", "run", "python", "-m", "pytest"), 4),
        (("make", "pytest"), -1),
        (("tox",), -1),
        (("python", "-m", "unittest", "pytest"), -1),
    ],
)
def test_pytest_is_known_in_a_command(command: tuple[str, ...], at: int) -> None:
    assert _pytest_word(command) == at


def test_without_gates_yaml_nothing_is_run(tree: Tree) -> None:
    root = tree({"test_a.py": "open('ran', 'w')\n" + OK})

    got = measure(root, configured=False)

    assert got.outcome == "skipped"
    assert "nothing of the repository is run without gates.yaml" in got.reason
    assert not (root / "ran").exists()


def test_the_environment_is_set(tree: Tree) -> None:
    test = "import os\ndef test_e(): assert os.environ['STAGE'] == 'test'\n"

    assert measure(tree({"test_a.py": test}), environment={"STAGE": "test"}).score == 100


SERVER = """
import http.server, os, sys
open(sys.argv[2], "w").write(str(os.getpid()))
open("order", "a").write("+" + sys.argv[2])
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(os.environ["WORD"].encode())
    def log_message(self, *words): pass
http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def test_services_run_during_the_tests_and_are_gone_after(tree: Tree) -> None:
    one, two = free_port(), free_port()
    test = (
        "import urllib.request\n"
        "def test_word():\n"
        f"    for port in ({one}, {two}):\n"
        "        with urllib.request.urlopen(f'http://127.0.0.1:{port}/') as answer:\n"
        "            assert answer.read() == b'hello'\n"
    )
    root = tree({"test_a.py": test, "server.py": SERVER})
    services = (
        Service(name="one", command=("python", "server.py", str(one), "pid1"), port=one,
                environment={"WORD": "hello"}),
        Service(name="two", command=("python", "server.py", str(two), "pid2"),
                url=f"http://localhost:{two}/", environment={"WORD": "hello"}),
    )  # fmt: skip

    got = measure(root, services=services)

    assert (got.outcome, got.score) == ("judged", 100), got.reason
    assert (root / "order").read_text() == "+pid1+pid2"
    for name in ("pid1", "pid2"):
        with pytest.raises(ProcessLookupError):
            os.kill(int((root / name).read_text()), 0)


def test_a_service_that_does_not_come_up_stops_the_others_and_runs_no_test(tree: Tree) -> None:
    one, two = free_port(), free_port()
    root = tree({"test_a.py": "open('ran', 'w')\n" + OK, "server.py": SERVER})
    services = (
        Service(name="one", command=("python", "server.py", str(one), "pid1"), port=one),
        Service(name="two", command=("python", "-c", "import sys; sys.exit('no luck')"), port=two),
    )

    with pytest.raises(WorkError, match=r"service two ended with exit code 1.*no luck"):
        measure(root, services=services)

    assert not (root / "ran").exists()
    with pytest.raises(ProcessLookupError):
        os.kill(int((root / "pid1").read_text()), 0)
