import pytest

from sdlc_cli.gate.coverage_report import CoverageReport, FileCoverage, place, read

XML = """<?xml version="1.0" ?>
<!DOCTYPE coverage SYSTEM 'http://cobertura.sourceforge.net/xml/coverage-04.dtd'>
<coverage version="7" branches-valid="2" branches-covered="1">
  <sources><source>/ci/app/src</source><source> </source></sources>
  <packages><package name="pkg"><classes>
    <class name="a.py" filename="pkg/a.py">
      <methods><method name="f"><lines><line number="2" hits="3"/></lines></method></methods>
      <lines>
        <line number="1" hits="1"/>
        <line number="2" hits="3" branch="true" condition-coverage="50% (1/2)"/>
        <line number="4" hits="0"/>
      </lines>
    </class>
    <class name="a.Inner" filename="pkg/a.py"><lines><line number="4" hits="1"/></lines></class>
  </classes></package></packages>
</coverage>
"""
JSON = """{"meta": {"branch_coverage": true}, "files": {"pkg/a.py": {
  "executed_lines": [1, 2, 4], "missing_lines": [], "excluded_lines": [9],
  "summary": {"num_branches": 2, "covered_branches": 1}}}, "totals": {}}"""
LCOV = """TN:
SF:pkg/a.py
DA:1,1
DA:2,3,checksum
BRDA:2,0,0,1
BRDA:2,0,1,-
DA:4,0
LF:99
end_of_record
SF:pkg/a.py
DA:4,2
end_of_record
"""


@pytest.mark.parametrize(
    ("text", "format_"),
    [
        pytest.param(XML, "cobertura", id="XML"),
        pytest.param("\ufeff  " + JSON, "coverage.py", id="JSON with a BOM"),
        pytest.param(JSON, "coverage.py", id="JSON"),
        pytest.param(LCOV, "lcov", id="LCOV"),
        pytest.param(LCOV.replace("\n", "\r\n"), "lcov", id="LCOV with CRLF"),
    ],
)
def test_three_formats_say_the_same(text: str, format_: str) -> None:
    report = read(text.encode())

    assert report.format == format_
    assert report.has_branches
    assert list(report.files) == ["pkg/a.py"]
    file = report.files["pkg/a.py"]
    assert file.lines == {1: True, 2: True, 4: True}
    assert file.branch_count == (1, 2)


def test_sources_are_read_from_xml() -> None:
    assert read(XML.encode()).sources == ("/ci/app/src",)


BOMB = (
    '<!DOCTYPE coverage [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;">]>'
    "<coverage><sources><source>&b;</source></sources></coverage>"
)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "neither"),
        ("hello", "neither"),
        ("<coverage>", "no element found"),
        ("<testsuites/>", "not the <coverage>"),
        (BOMB, "declares an entity"),
        ('<coverage><class filename="a"><line number="x"/></class></coverage>', "a number"),
        ('<?xml version="1.0" encoding="klingon"?><coverage/>', "encoding"),
        ("{", "not coverage.py's JSON"),
        ('{"files": {"a": {"executed_lines": "no"}}}', "not coverage.py's JSON"),
        ('{"a.js": {"statementMap": {}}}', "files"),
        ('{"files":' * 100_000, "JSON"),
        ("SF:a\nDA:one,1\n", "a number belongs"),
        ("SF:a\nBRDA:\n", "a number belongs"),
        ("SF:a\nDA:1,1e999\n", "a number belongs"),
    ],
)
def test_what_is_no_report_says_why(text: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        read(text.encode())


@pytest.mark.parametrize(
    ("written", "sources", "files", "expected"),
    [
        pytest.param(["a.py"], (), ["a.py"], ["a.py"], id="relative to the root"),
        pytest.param(["a.py"], (), ["sub/a.py", "a.py"], ["sub/a.py"], id="to the report first"),
        pytest.param(["/here/src/a.py"], (), ["src/a.py"], ["src/a.py"], id="absolute, here"),
        pytest.param(["p/a.py"], ("/here/src",), ["src/p/a.py"], ["src/p/a.py"], id="source root"),
        pytest.param(["p\\a.py"], (), ["p/a.py"], ["p/a.py"], id="backslashes"),
        pytest.param(["C:\\w\\app\\p\\a.py"], (), ["p/a.py"], ["p/a.py"], id="a Windows machine"),
        pytest.param(["/ci/app/p/a.py"], (), ["p/a.py"], ["p/a.py"], id="another machine"),
        pytest.param(["__init__.py"], ("/ci/app/p",), ["p/__init__.py", "q/__init__.py"],
                     ["p/__init__.py"], id="another machine's source root"),
        pytest.param(["p/a.py"], (), ["x/p/a.py"], ["x/p/a.py"], id="the report's path ends it"),
        pytest.param(["p/a.py"], (), ["x/p/a.py", "y/p/a.py"], [None], id="ambiguous"),
        pytest.param(["/ci/app/src/p/a.py"], (), ["p/a.py", "src/p/a.py"], ["src/p/a.py"],
                     id="the longest wins"),
        pytest.param(["/ci/app/setup.py", "/ci/app/p/a.py", "/usr/lib/x/setup.py"], (),
                     ["setup.py", "p/a.py"], ["setup.py", "p/a.py", None],
                     id="a bare name needs a confirmed folder"),
        pytest.param(["/ci/app/a.py", "/ci/app/b.py"], (), ["a.py", "b.py"], ["a.py", "b.py"],
                     id="a flat project of another machine"),
        pytest.param(["/usr/lib/python3/json/a.py"], (), ["other/a.py"], [None], id="foreign"),
        pytest.param(["q/a.py"], (), ["p/a.py"], [None], id="another folder"),
        pytest.param(["/here/../etc/a.py"], (), ["etc/b.py"], [None], id="outside"),
        pytest.param([""], (), ["a.py"], [None], id="no path"),
    ],
)  # fmt: skip
def test_paths_of_a_report_are_found_in_the_project(
    written: list[str], sources: tuple[str, ...], files: list[str], expected: list[str | None]
) -> None:
    report = CoverageReport(
        format="lcov", files={path: FileCoverage() for path in written}, sources=sources
    )

    found = place(report, files, "/here", ["/here/sub", "/here"])

    assert [found.get(path) for path in written] == expected
