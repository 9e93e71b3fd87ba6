"""GateReport -> JSON, the form that other programs rely on. docs/gate.md lists its keys."""

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import PurePath

import msgspec

from sdlc_cli.core.finding import Finding
from sdlc_cli.core.printable import encodable
from sdlc_cli.core.view import DEFAULT, View
from sdlc_cli.gate.model import SCHEMA_VERSION, CheckResult, GateReport


def render(report: GateReport, view: View = DEFAULT) -> str:
    """Always English. Lone surrogates of a path that is not UTF-8 show as `\\xff`."""
    del view
    document = _document(report)
    try:  # as it is, which nearly always can be written
        text = json.dumps(document, ensure_ascii=False, allow_nan=False, default=_plain)
        text.encode()
    except ValueError:  # NaN, or a lone surrogate
        text = json.dumps(_plain(document), ensure_ascii=False)
    return msgspec.json.format(text, indent=2) + "\n"  # `indent` of `json` is slow


def _document(report: GateReport) -> dict[str, object]:
    return {
        "schema_version": SCHEMA_VERSION,
        "passed": report.passed,
        "exit_code": report.exit_code,
        "score": _rounded(report.score),
        "threshold": report.threshold,
        "generation": report.generation,
        "judged_weight": _rounded(report.judged_weight),
        "gates": [_gate(result) for result in report.results],
        "skipped_files": [
            {"path": file.path, "reason": file.reason} for file in report.skipped_files
        ],
        "files": report.files,
        "lines": report.lines,
        "tool_versions": report.tool_versions,
        "generation_name": report.generation_name,
        "reasons": report.reasons,
    }


def _gate(result: CheckResult) -> dict[str, object]:
    return {
        "name": result.name,
        "status": result.status,
        "reason": result.reason,
        "score": _rounded(result.score),
        "weight": result.weight,
        "minimum": result.minimum,
        "required": result.required,
        "duration_s": round(result.duration_s, 3),
        "metrics": result.metrics,
        "findings": [_finding(finding) for finding in result.findings],
    }


def _finding(finding: Finding) -> dict[str, object]:
    return {
        "rule": finding.rule,
        "severity": finding.severity.value,
        "path": finding.location.path,
        "line": finding.location.line,
        "column": finding.location.column,
        "message": finding.message,
        "fingerprint": finding.fingerprint,
        "help": finding.help,
    }


def _rounded(number: float | None) -> float | None:
    """Six decimals: more would be the noise of a sum of floats."""
    return None if number is None else round(number, 6)


def _plain(value: object) -> object:
    """`value` as JSON can carry it: no NaN, no lone surrogate, no class of ours."""
    if isinstance(value, str):
        return encodable(str(value))
    if isinstance(value, PurePath):
        return encodable(value.as_posix())
    if isinstance(value, Mapping):
        return {encodable(str(key)): _plain(one) for key, one in value.items()}
    if isinstance(value, set | frozenset):
        return sorted(str(one) for one in value)
    if isinstance(value, Sequence):
        return [_plain(one) for one in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
