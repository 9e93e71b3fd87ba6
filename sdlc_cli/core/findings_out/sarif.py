"""Findings -> SARIF 2.1.0, within the limits of GitHub code scanning.

https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html and
https://docs.github.com/code-security/code-scanning/integrating-with-code-scanning/sarif-support-for-code-scanning
"""

import json
from collections.abc import Callable, Sequence
from typing import TypedDict
from urllib.parse import quote_from_bytes

from sdlc_cli.core.finding import Finding, Location, Severity
from sdlc_cli.core.findings_out import FileNotRead, FindingSet, count, worst
from sdlc_cli.core.printable import encodable, path_bytes

MOST_RUNS = 20  # code scanning refuses a file with more
MOST_RESULTS = 5000  # code scanning keeps no more

LineOf = Callable[[str, int], str]
Json = dict[str, object]

_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_LEVEL = {
    Severity.LOW: "note",
    Severity.MEDIUM: "warning",
    Severity.HIGH: "error",
    Severity.CRITICAL: "error",
}
# In the middle of the bands that code scanning names by these words.
_SECURITY_SEVERITY = {
    Severity.LOW: "2.5",
    Severity.MEDIUM: "5.5",
    Severity.HIGH: "8.0",
    Severity.CRITICAL: "9.5",
}


class _Rules(TypedDict):
    index: dict[str, int]
    descriptors: list[Json]


def render(
    sets: Sequence[FindingSet],
    *,
    tool: str,
    version: str,
    not_read: Sequence[FileNotRead] = (),
    line_of: LineOf | None = None,
) -> str:
    """One run for each set that was judged or broke; the worst runs and results if too many.

    `line_of(path, line)` gives a line's text; with it columns are UTF-16 code units, without it
    they are code points as in `Location`, and the file declares which. A set that was skipped
    has no run; when all were, one run says so, because a file without runs is refused.
    """
    told = sorted((one for one in sets if _has_run(one)), key=_run_order)
    kept, dropped = told[:MOST_RUNS], told[MOST_RUNS:]
    by_set: dict[str, list[Finding]] = {one.name: [] for one in kept}
    for one, finding in worst(kept, MOST_RESULTS):
        by_set[one.name].append(finding)
    if not kept:
        kept = [FindingSet(name="", status="skipped", description="Nothing was judged.")]
        by_set[""] = []
    notes = [_file_note(file) for file in not_read]
    if not told:
        notes += [_note(f"{one.name}: {one.reason or one.status}", "note") for one in sets]
    if dropped:
        names = ", ".join(one.name for one in dropped)
        text = f"{len(dropped)} runs were left out ({count(dropped)} results): {names}"
        notes.append(_note(text, "warning"))
    runs = [
        _run(one, by_set[one.name], [] if i else notes, tool=tool, version=version, line_of=line_of)
        for i, one in enumerate(kept)
    ]
    return json.dumps(
        {"$schema": _SCHEMA, "version": "2.1.0", "runs": runs}, indent=2, ensure_ascii=False
    ) + "\n"  # fmt: skip


def _has_run(one: FindingSet) -> bool:
    return one.status in ("passed", "failed", "error") or bool(one.findings)


def _run_order(one: FindingSet) -> tuple[bool, int, int, str]:
    highest = max((finding.severity.rank for finding in one.findings), default=-1)
    return (one.status != "error", -highest, -len(one.findings), one.name)


def _run(
    one: FindingSet,
    findings: list[Finding],
    more_notes: list[Json],
    *,
    tool: str,
    version: str,
    line_of: LineOf | None,
) -> Json:
    rules = _rules(findings, security=one.security)
    left_out = len(one.findings) - len(findings)
    invocation: Json = {"executionSuccessful": one.status != "error"}
    notes = _own_notes(one, left_out) + more_notes
    if notes:
        invocation["toolExecutionNotifications"] = notes
    category = "/".join(word for word in (tool, one.name) if word)
    automation: Json = {"id": f"{category}/"}
    if one.description:
        automation["description"] = {"text": one.description}
    return {
        "tool": {"driver": {"name": tool, "version": version, "rules": rules["descriptors"]}},
        "automationDetails": automation,
        "invocations": [invocation],
        "originalUriBaseIds": {"%SRCROOT%": {"description": {"text": "The project's root."}}},
        "columnKind": "utf16CodeUnits" if line_of else "unicodeCodePoints",
        "results": [_result(finding, rules["index"], line_of) for finding in findings],
        "properties": {"status": one.status, "omittedResults": left_out},
    }


def _own_notes(one: FindingSet, left_out: int) -> list[Json]:
    notes = []
    if one.status in ("error", "inconclusive"):
        why = one.reason or "no reason was given"
        level = "error" if one.status == "error" else "warning"
        notes.append(_note(f"{one.name} could not be judged: {why}", level))
    if left_out:
        notes.append(_note(f"{left_out} less severe results of {one.name} are left out", "warning"))
    return notes


def _rules(findings: Sequence[Finding], *, security: bool) -> _Rules:
    by_rule: dict[str, list[Finding]] = {}
    for finding in findings:
        by_rule.setdefault(finding.rule, []).append(finding)
    descriptors: list[Json] = []
    for rule, found in sorted(by_rule.items()):
        severity = max((finding.severity for finding in found), key=lambda s: s.rank)
        text = next((finding.help for finding in found if finding.help), "")
        descriptor: Json = {
            "id": encodable(rule),
            "shortDescription": {"text": encodable(rule)},
            "help": {"text": encodable(text) or f"Run: sdlc gate explain {encodable(rule)}"},
            "defaultConfiguration": {"level": _LEVEL[severity]},
        }
        if text.startswith("https://"):
            descriptor["helpUri"] = quote_from_bytes(path_bytes(text), safe="/:?#[]@!$&'()*+,;=%~")
        if security:
            descriptor["properties"] = {
                "security-severity": _SECURITY_SEVERITY[severity],
                "tags": ["security"],
            }
        descriptors.append(descriptor)
    index = {rule: i for i, rule in enumerate(sorted(by_rule))}
    return {"index": index, "descriptors": descriptors}


def _result(finding: Finding, index: dict[str, int], line_of: LineOf | None) -> Json:
    result: Json = {
        "ruleId": encodable(finding.rule),
        "ruleIndex": index[finding.rule],
        "level": _LEVEL[finding.severity],
        "message": {"text": encodable(str(finding.message)) or encodable(finding.rule)},
        "locations": [{"physicalLocation": _place(finding.location, line_of)}],
    }
    if finding.fingerprint:
        result["partialFingerprints"] = {"sdlc/v1": finding.fingerprint}
    result["properties"] = {"severity": finding.severity.value}
    return result


def _place(place: Location, line_of: LineOf | None) -> Json:
    physical: Json = {"artifactLocation": _artifact(place.path)}
    if place.line > 0:
        physical["region"] = _region(place, line_of)
    return physical


def _artifact(path: str) -> Json:
    # Code scanning refuses a result without a place: the whole project is its root folder.
    uri = quote_from_bytes(path_bytes(path), safe="/-._~") if path else "./"
    return {"uri": uri, "uriBaseId": "%SRCROOT%"}


def _region(place: Location, line_of: LineOf | None) -> Json:
    region: Json = {"startLine": place.line}
    if place.column > 0:
        region["startColumn"] = _column(place.path, place.line, place.column, line_of)
    end_line = max(place.end_line, place.line)
    if place.end_line > place.line:
        region["endLine"] = place.end_line
    if place.end_column > 0 and (end_line, place.end_column) > (place.line, place.column):
        region["endColumn"] = _column(place.path, end_line, place.end_column, line_of)
    return region


def _column(path: str, line: int, column: int, line_of: LineOf | None) -> int:
    if line_of is None:
        return column
    before = line_of(path, line)[: column - 1]
    return column + sum(ord(letter) > 0xFFFF for letter in before)


def _note(text: str, level: str) -> Json:
    return {"level": level, "message": {"text": encodable(text)}}


def _file_note(file: FileNotRead) -> Json:
    note = _note(f"not judged: {file.reason}", "warning")
    note["locations"] = [{"physicalLocation": {"artifactLocation": _artifact(file.path)}}]
    return note
