"""Findings -> GitLab's Code Quality report. https://docs.gitlab.com/ci/testing/code_quality/"""

import hashlib
import json
from collections.abc import Sequence

from sdlc_cli.core.finding import Finding, Severity, fingerprint
from sdlc_cli.core.findings_out import FindingSet, count, worst
from sdlc_cli.core.printable import encodable

_SEVERITY = {
    Severity.LOW: "minor",
    Severity.MEDIUM: "major",
    Severity.HIGH: "critical",
    Severity.CRITICAL: "blocker",
}


def render(sets: Sequence[FindingSet]) -> str:
    """All findings, worst first. A set that could not be judged is a blocker of its own."""
    rows = [_broken(one) for one in sets if one.status == "error"]
    rows += [_row(finding) for _, finding in worst(sets, count(sets))]
    seen: dict[str, int] = {}
    for row in rows:  # GitLab drops a second entry of the same fingerprint
        name = str(row["fingerprint"])
        seen[name] = seen.get(name, 0) + 1
        if seen[name] > 1:
            row["fingerprint"] = hashlib.sha256(f"{name} {seen[name]}".encode()).hexdigest()[:32]
    return json.dumps(rows, indent=2, ensure_ascii=False) + "\n"


def _row(finding: Finding) -> dict[str, object]:
    place = finding.location
    return {
        "description": encodable(str(finding.message)) or encodable(finding.rule),
        "check_name": encodable(finding.rule),
        "fingerprint": finding.fingerprint or _by_place(finding),
        "severity": _SEVERITY[finding.severity],
        "location": {
            "path": encodable(place.path) or ".",
            "lines": {"begin": max(place.line, 1)},
        },
    }


def _by_place(finding: Finding) -> str:
    place = finding.location
    return fingerprint(encodable(finding.rule), encodable(f"{place.path} {place.line}"))


def _broken(one: FindingSet) -> dict[str, object]:
    return {
        "description": encodable(f"{one.name} could not be judged: {one.reason or one.status}"),
        "check_name": one.name,
        "fingerprint": fingerprint(one.name, "could not be judged"),
        "severity": "blocker",
        "location": {"path": ".", "lines": {"begin": 1}},
    }
