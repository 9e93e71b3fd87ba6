"""Findings -> JUnit XML, as Jenkins and GitLab show it.

A suite for each set. Its first test case is the verdict, so that no suite is empty and a skipped
or broken one shows as such. In a set that failed, each rule broken in a file is a failed test case
named after the rule and the file, without the line: GitLab pairs test cases of two commits by name.
A set that passed has no failed test case; what it found is in its output.
"""

import re
from collections.abc import Iterable, Sequence
from xml.etree import ElementTree  # only writes here, nothing is parsed

from sdlc_cli.core.finding import Finding, worst_first
from sdlc_cli.core.findings_out import FindingSet
from sdlc_cli.core.printable import encodable, visible

MOST_LINES = 100  # of findings in one test case

# What XML 1.0 cannot carry, even as a character reference; and carriage returns, which a reader
# turns into newlines.
_ILLEGAL = re.compile("[^\t\n\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_KIND = {"failed": "failure", "error": "error", "skipped": "skipped", "inconclusive": "skipped"}


def render(sets: Sequence[FindingSet], *, name: str) -> str:
    """The whole file. `name` is the name of all suites together."""
    root = ElementTree.Element("testsuites", {"name": name})
    for one in sets:
        root.append(_suite(one))
    suites = list(root)
    for total in ("tests", "failures", "errors"):
        root.set(total, str(sum(int(suite.get(total, "0")) for suite in suites)))
    root.set("time", _time(sum(one.duration_s for one in sets)))
    ElementTree.indent(root)
    body = ElementTree.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="utf-8"?>\n{body}\n'


def _suite(one: FindingSet) -> ElementTree.Element:
    cases = [_verdict(one)]
    if one.status == "failed":
        cases += [_case(one, path, rule, found) for (path, rule), found in _grouped(one.findings)]
    results = [child.tag for case in cases for child in case]
    suite = ElementTree.Element(
        "testsuite",
        {
            "name": _legal(one.name),
            "tests": str(len(cases)),
            "failures": str(results.count("failure")),
            "errors": str(results.count("error")),
            "skipped": str(results.count("skipped")),
            "time": _time(one.duration_s),
        },
    )
    suite.extend(cases)
    return suite


def _verdict(one: FindingSet) -> ElementTree.Element:
    case = ElementTree.Element(
        "testcase",
        {"name": "verdict", "classname": _legal(one.name), "time": _time(one.duration_s)},
    )
    if one.status in _KIND:
        result = ElementTree.SubElement(case, _KIND[one.status])
        result.set("type", one.status)
        result.set("message", _legal(one.reason or one.status))
    if one.status != "failed" and one.findings:
        output = ElementTree.SubElement(case, "system-out")
        output.text = _legal(_listing(one.findings))
    return case


def _case(
    one: FindingSet, path: str, rule: str, findings: Sequence[Finding]
) -> ElementTree.Element:
    place = visible(path) or "the whole project"
    case = ElementTree.Element(
        "testcase",
        {"name": _legal(f"{rule} in {place}"), "classname": _legal(one.name), "time": "0"},
    )
    worst = findings[0]
    more = f" (and {len(findings) - 1} more)" if len(findings) > 1 else ""
    failure = ElementTree.SubElement(case, "failure")
    failure.set("type", worst.severity.value)
    failure.set("message", _legal(f"{worst.message}{more}"))
    failure.text = _legal(_listing(findings))
    return case


def _grouped(findings: Iterable[Finding]) -> list[tuple[tuple[str, str], list[Finding]]]:
    groups: dict[tuple[str, str], list[Finding]] = {}
    for finding in sorted(findings, key=worst_first):
        groups.setdefault((finding.location.path, finding.rule), []).append(finding)
    return list(groups.items())


def _listing(findings: Iterable[Finding]) -> str:
    ordered = sorted(findings, key=worst_first)
    lines = [
        f"{visible(f.location.path) or '.'}:{f.location.line}:{f.location.column}: "
        f"{f.severity.value}: {f.rule}: {f.message}"
        for f in ordered[:MOST_LINES]
    ]
    if len(ordered) > MOST_LINES:
        lines.append(f"and {len(ordered) - MOST_LINES} more")
    return "\n".join(lines)


def _legal(text: str) -> str:
    return _ILLEGAL.sub("", encodable(str(text)))


def _time(seconds: float) -> str:
    return f"{seconds:.3f}"
