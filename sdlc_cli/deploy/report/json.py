"""Verdict -> JSON, in English."""

import json

from sdlc_cli.core.finding import Finding
from sdlc_cli.core.printable import encodable
from sdlc_cli.core.view import DEFAULT, View
from sdlc_cli.deploy.report import SCHEMA_VERSION, Verdict


def render(verdict: Verdict, view: View = DEFAULT) -> str:
    """Findings in the shape that a gate's have."""
    del view
    return json.dumps(body(verdict), indent=1, ensure_ascii=False) + "\n"


def body(verdict: Verdict) -> dict[str, object]:
    """The whole as plain values."""
    checked = verdict.checked
    return {
        "schema_version": SCHEMA_VERSION,
        "passed": verdict.passed,
        "exit_code": verdict.exit_code,
        "fail_on": str(verdict.fail_on) if verdict.fail_on else None,
        "looked_at": dict(checked.looked_at),
        "findings": [finding(one) for one in checked.findings],
        "skipped_files": [
            {"path": encodable(one.path), "reason": encodable(one.reason)}
            for one in checked.skipped
        ],
    }


def finding(one: Finding) -> dict[str, object]:
    """One finding as plain values."""
    return {
        "rule": one.rule,
        "severity": str(one.severity),
        "path": encodable(one.location.path),
        "line": one.location.line,
        "column": one.location.column,
        "message": encodable(one.message),
        "fingerprint": one.fingerprint,
        "help": encodable(one.help),
    }
