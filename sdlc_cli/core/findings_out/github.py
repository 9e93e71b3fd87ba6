"""Findings -> GitHub workflow commands, which show as annotations beside the changed lines.

https://docs.github.com/actions/reference/workflows-and-actions/workflow-commands
"""

from collections.abc import Sequence

from sdlc_cli.core.finding import Finding, Severity
from sdlc_cli.core.findings_out import FindingSet, worst
from sdlc_cli.core.i18n import local, msg
from sdlc_cli.core.printable import visible

MOST = 10  # GitHub shows ten annotations of a kind for a step, and drops the rest

_COMMAND = {
    Severity.LOW: "notice",
    Severity.MEDIUM: "warning",
    Severity.HIGH: "error",
    Severity.CRITICAL: "error",
}


def render(sets: Sequence[FindingSet]) -> str:
    """At most ten annotations: first what could not be judged, then the worst findings."""
    lines = [_broken(one) for one in sets if one.status == "error"][:MOST]
    lines += [_annotation(finding) for _, finding in worst(sets, MOST - len(lines))]
    return "".join(f"{line}\n" for line in lines)


def _broken(one: FindingSet) -> str:
    text = msg("{gate} could not be judged: {why}", gate=one.name, why=one.reason or one.status)
    return f"::error title={_property(one.name)}::{_data(local(text))}"


def _annotation(finding: Finding) -> str:
    place = finding.location
    fields = []
    if place.path:
        fields.append(f"file={_property(place.path)}")
        numbers = {
            "line": place.line,
            "endLine": place.end_line if place.end_line > place.line else 0,
            "col": place.column if place.line else 0,
        }
        fields += [f"{key}={number}" for key, number in numbers.items() if number > 0]
    fields.append(f"title={_property(finding.rule)}")
    text = local(finding.message) or finding.rule
    return f"::{_COMMAND[finding.severity]} {','.join(fields)}::{_data(text)}"


def _data(text: str) -> str:
    # A newline would end the command, and what follows could be a command of its own.
    return "%0A".join(visible(line).replace("%", "%25") for line in text.splitlines())


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
