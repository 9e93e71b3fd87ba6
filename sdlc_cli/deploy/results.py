"""The JSON Schemas of what the commands print: render, validate, drift, explain."""

from typing import get_args

from sdlc_cli.core.finding import Severity
from sdlc_cli.core.schema import DRAFT, Schema
from sdlc_cli.deploy import lock, model
from sdlc_cli.deploy.report import SCHEMA_VERSION

_TEXT: Schema = {"type": "string"}
_FLAG: Schema = {"type": "boolean"}
_COUNT: Schema = {"type": "integer", "minimum": 0}
_SEVERITY: Schema = {"enum": [str(severity) for severity in Severity]}
_FAIL_ON: Schema = {"enum": [*_SEVERITY["enum"], None]}
_VERSION: Schema = {"const": SCHEMA_VERSION}
_STATE: Schema = {"enum": list(get_args(lock.State))}


def render() -> Schema:
    """The schema of `sdlc deploy render --format json`."""
    artifact = _closed(
        {
            "path": _described(_TEXT, "Relative to the output folder."),
            "sha256": _described(_TEXT, "Of what was rendered, in hexadecimal."),
            "kind": {"enum": list(get_args(model.Kind))},
            "environment": _described(_TEXT, "Empty for what serves all of them."),
            "about": _TEXT,
            "executable": _FLAG,
            "state": _described(_STATE, "What lay there before."),
        }
    )
    command = _closed(
        {
            "environment": _TEXT,
            "command": _TEXT,
            "instead": _described(_FLAG, "It takes the place of the command before it."),
        }
    )
    return _titled(
        "The result of sdlc deploy render",
        {
            "passed": _FLAG,
            "exit_code": {"enum": [0, 1]},
            "fail_on": _FAIL_ON,
            "written": _described(_FLAG, "False when findings kept everything as it was."),
            "app": _TEXT,
            "environments": _list(_TEXT),
            "artifacts": _list(artifact),
            "removed": _described(_list(_TEXT), "Of an earlier render, no longer wanted."),
            "findings": _list(_finding()),
            "needs": _described(
                _list(_closed({"environments": _list(_TEXT), "what": _TEXT})),
                "What the clusters must have before the first apply.",
            ),
            "next": _list(command),
        },
    )


def findings() -> Schema:
    """The schema of `sdlc deploy validate --format json`."""
    return _titled(
        "The result of sdlc deploy validate",
        {
            "passed": _FLAG,
            "exit_code": {"enum": [0, 1]},
            "fail_on": _FAIL_ON,
            "looked_at": _described(
                {"type": "object", "additionalProperties": _COUNT}, "Documents of each kind."
            ),
            "findings": _list(_finding()),
            "skipped_files": _list(_closed({"path": _TEXT, "reason": _TEXT})),
        },
    )


def drift() -> Schema:
    """The schema of `sdlc deploy drift --format json`."""
    return _titled(
        "The result of sdlc deploy drift",
        {
            "drifted": _FLAG,
            "interrupted": _described(_FLAG, "A render was killed: parts of two may lie there."),
            "environments": _list(_TEXT),
            "files": _list(_closed({"path": _TEXT, "state": _STATE})),
        },
    )


def rules() -> Schema:
    """The schema of `sdlc deploy explain --format json`, without a rule."""
    rule = _closed(
        {
            "id": _TEXT,
            "severity": _SEVERITY,
            "title": _TEXT,
            "why": _TEXT,
            "fix": _TEXT,
            "same_as": _described(_list(_TEXT), "Ids under which other tools know it."),
        }
    )
    return _titled("The rules of sdlc deploy", {"rules": _list(rule)})


def _finding() -> Schema:
    return _closed(
        {
            "rule": _TEXT,
            "severity": _SEVERITY,
            "path": _described(_TEXT, "Relative to the folder; empty for the whole of it."),
            "line": _described(_COUNT, "From 1; 0 is the whole file."),
            "column": _described(_COUNT, "From 1; 0 is unknown."),
            "message": _TEXT,
            "fingerprint": _TEXT,
            "help": _TEXT,
        }
    )


def _titled(title: str, properties: Schema) -> Schema:
    return {
        "$schema": DRAFT,
        "title": title,
        **_closed({"schema_version": _VERSION, **properties}),
    }


def _closed(properties: Schema) -> Schema:
    """An object with exactly these keys: a new key shows here first."""
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def _list(items: Schema) -> Schema:
    return {"type": "array", "items": items}


def _described(schema: Schema, text: str) -> Schema:
    return {**schema, "description": text}
