import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from sdlc_cli.gate.junit import TestCase, TestRun, place, read

Tree = Callable[..., Path]


def results(run: TestRun) -> dict[str, str]:
    return {case.title: case.result for case in (*run.failing, *run.others)}


def test_counts_come_from_the_cases_and_not_from_the_attributes() -> None:
    run = read(b'<testsuite tests="99" failures="7"><testcase name="a"/></testsuite>')

    assert (run.total, run.ran, run.failing) == (1, 1, ())
    assert (run.claimed, run.lost) == (7, 98)


def test_nested_suites_and_every_way_to_end() -> None:
    run = read(
        b"""<?xml version="1.0"?>
        <testsuites><testsuite name="outer"><testsuite name="inner">
          <testcase classname="c" name="ok" time="0.5"/>
          <testcase classname="c" name="bad"><failure message="1 != 2">long</failure></testcase>
          <testcase classname="c" name="broke"><error>Traceback
             KeyError: 'x'</error></testcase>
          <testcase classname="c" name="left"><skipped/></testcase>
          <testcase classname="c" name="off" status="notrun"/>
          <testcase classname="c" name="twice"><failure message="f"/><error message="e"/></testcase>
          <testcase classname="c" name="flaky"><flakyFailure message="once"/></testcase>
        </testsuite></testsuite></testsuites>"""
    )

    assert results(run) == {
        "c::ok": "passed",
        "c::bad": "failed",
        "c::broke": "error",
        "c::left": "skipped",
        "c::off": "skipped",
        "c::twice": "error",
        "c::flaky": "passed",
    }
    assert (run.ran, run.count("skipped"), run.failed) == (5, 2, 3)
    assert [case.message for case in run.failing] == ["1 != 2", "Traceback KeyError: 'x'", "e"]
    assert run.slowest[0].seconds == 0.5


def test_a_suite_that_broke_without_a_case_is_an_error() -> None:
    run = read(b'<testsuite name="db"><error message="no setup"/></testsuite>')

    assert results(run) == {"db": "error"}


@pytest.mark.parametrize(
    ("data", "words"),
    [
        pytest.param(b"", "no element found", id="empty"),
        pytest.param(b"<testsuite>", "no element found", id="cut off"),
        pytest.param(b"<coverage/>", "<coverage> is neither", id="another kind of file"),
        pytest.param(b'{"a": 1}', "not well-formed", id="JSON"),
        pytest.param(
            b'<!DOCTYPE t [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]><testsuite name="&b;"/>',
            "document type",
            id="entities",
        ),
        pytest.param(
            b'<!DOCTYPE t SYSTEM "file:///etc/passwd"><testsuite/>', "document type", id="external"
        ),
        pytest.param(
            b'<?xml version="1.0" encoding="klingon"?><testsuite/>', "encoding", id="encoding"
        ),
        pytest.param(b"<testsuite>\0</testsuite>", "invalid token", id="NUL"),
    ],
)
def test_what_is_no_report_is_refused(data: bytes, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        read(data)


def test_depth_and_length_do_no_harm() -> None:
    deep = b"<testsuite>" * 50_000 + b'<testcase name="a"/>' + b"</testsuite>" * 50_000
    long = b'<testsuite><testcase name="a"><failure>' + b"x" * 5_000_000
    long += b"</failure></testcase></testsuite>"

    assert read(deep).total == 1
    assert len(read(long).failing[0].message) == 500


def test_all_tests_are_counted_and_the_first_thousand_kept() -> None:
    case = '<testcase name="{n}" time="{n}"><failure message="m">text</failure></testcase>'
    bad = "".join(case.format(n=n) for n in range(1500))
    good = '<testcase name="g"/>' * 1200

    run = read(f"<testsuite>{bad}{good}</testsuite>".encode())

    assert (run.total, run.failed, run.count("passed")) == (2700, 1500, 1200)
    assert [len(run.failing), len(run.others)] == [1000, 1000]
    assert run.failing[999].name == "999"
    assert [case.name for case in run.slowest] == ["1499", "1498", "1497", "1496", "1495"]


def test_text_in_many_pieces_keeps_its_start_and_its_end() -> None:
    pieces = "start" + "<!---->x" * 100_000 + "end"
    xml = f'<testsuite><testcase name="a"><failure>{pieces}</failure></testcase></testsuite>'

    (case,) = read(xml.encode()).failing

    assert case.message.startswith("startxx")
    assert (case.text[-5:], len(case.text)) == ("xxend", 20_000)


def test_elements_nested_without_end_are_refused() -> None:
    with pytest.raises(ValueError, match="nested deeper than 100,000"):
        read(b"<testsuite>" * 100_001)


@pytest.mark.parametrize(
    ("xml", "lost"),
    [
        pytest.param('<testsuite tests="5"><testcase/></testsuite>', 4, id="lost"),
        pytest.param('<testsuite tests="1"><testcase/></testsuite>', 0, id="all there"),
        pytest.param('<testsuites tests="3"><testsuite tests="2"><testcase/><testcase/>'
                     '</testsuite><testsuite><testcase/></testsuite></testsuites>', 0, id="sum"),
        pytest.param('<testsuites tests="9"><testsuite tests="2"><testcase/><testcase/>'
                     '</testsuite></testsuites>', 7, id="of the whole"),
        pytest.param('<testsuite tests="2"><testcase><error/></testcase></testsuite>', 0,
                     id="passed, then broke: counted twice"),
        pytest.param('<testsuites name="pytest tests"><testsuite tests="9"><testcase/>'
                     '</testsuite></testsuites>', 0, id="pytest counts subtests"),
    ],
)  # fmt: skip
def test_tests_that_a_suite_claims_and_does_not_hold(xml: str, lost: int) -> None:
    assert read(xml.encode()).lost == lost


@pytest.mark.parametrize("number", ["nan", "inf", "-1", "x", "", "1e400"])
def test_a_time_that_is_no_time_is_zero(number: str) -> None:
    (case,) = read(f'<testsuite><testcase name="a" time="{number}"/></testsuite>'.encode()).others

    assert case.seconds == 0


@pytest.mark.parametrize(
    ("case", "expected"),
    [
        pytest.param({"classname": "tests.test_a.TestX"}, ("tests/test_a.py", 0), id="pytest"),
        pytest.param({"path": "tests/test_a.py", "line": 3}, ("tests/test_a.py", 3), id="file"),
        pytest.param({"path": "../project/tests/test_a.py"}, ("", 0), id="leaves the tree"),
        pytest.param({"path": "/etc/passwd"}, ("", 0), id="elsewhere"),
        pytest.param({"classname": "tests..test_a"}, ("", 0), id="no module"),
        pytest.param({"path": "a\0b"}, ("", 0), id="NUL"),
        pytest.param({}, ("", 0), id="nothing said"),
    ],
)
def test_place(tree: Tree, case: dict[str, object], expected: tuple[str, int]) -> None:
    root = tree({"tests/test_a.py": ""})

    assert place(TestCase(name="t", **case), root, root) == expected  # type: ignore[arg-type]


def test_a_report_of_real_pytest(tree: Tree) -> None:
    root = tree(
        {
            "tests/test_a.py": "import pytest\n"
            "def test_good(): pass\n"
            "def test_bad(): assert 1 == 2\n"
            "@pytest.mark.skip\ndef test_left(): pass\n"
            "@pytest.fixture\ndef broken(): raise KeyError\n"
            "def test_broken(broken): pass\n"
        }
    )
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--junitxml=j.xml"]
    subprocess.run(command, cwd=root, capture_output=True, check=False)

    run = read((root / "j.xml").read_bytes())

    assert results(run) == {
        "tests.test_a::test_good": "passed",
        "tests.test_a::test_bad": "failed",
        "tests.test_a::test_left": "skipped",
        "tests.test_a::test_broken": "error",
    }
    assert place(run.failing[0], root, root) == ("tests/test_a.py", 0)
