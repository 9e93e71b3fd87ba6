"""The JSON Schemas of the gate job: gates.yaml as it is written, the JSON that a run prints."""

from collections.abc import Callable, Mapping
from typing import get_args

from sdlc_cli.core import schema
from sdlc_cli.core.finding import Severity
from sdlc_cli.core.schema import DRAFT, Schema
from sdlc_cli.gate import shard
from sdlc_cli.gate.config import GatesFile
from sdlc_cli.gate.model import SCHEMA_VERSION, Status

_SCORE: Schema = {"type": "number", "minimum": 0, "maximum": 100}
_MAYBE_SCORE: Schema = {"type": ["number", "null"], "minimum": 0, "maximum": 100}
_TEXT: Schema = {"type": "string"}
_COUNT: Schema = {"type": "integer", "minimum": 0}


def gates() -> Schema:
    """The schema of gates.yaml."""
    return schema.build(GatesFile, "gates.yaml")


def report() -> Schema:
    """The schema of `sdlc gate run --format json`."""
    return {
        "$schema": DRAFT,
        "title": "The result of sdlc gate run",
        **_closed(
            {
                "schema_version": {"const": SCHEMA_VERSION},
                "passed": {"type": "boolean"},
                "exit_code": {"enum": [0, 1, 3, 4]},
                "score": _described(_MAYBE_SCORE, "Weighted mean of the judged gates."),
                "threshold": _SCORE,
                "generation": {"enum": [1, 2, 3]},
                "generation_name": _TEXT,
                "judged_weight": _described(
                    {"type": "number", "minimum": 0, "maximum": 1},
                    "Share of the configured weight that was judged.",
                ),
                "reasons": _described(_list(_TEXT), "Why the run did not pass."),
                "gates": _list({"$ref": "#/$defs/gate"}),
                "skipped_files": _list(_closed({"path": _TEXT, "reason": _TEXT})),
                "files": _COUNT,
                "lines": _COUNT,
                "tool_versions": {"type": "object", "additionalProperties": _TEXT},
            }
        ),
        "$defs": {"gate": _gate(), "finding": _finding()},
    }


def tuned() -> Schema:
    """The schema of what `sdlc gate tune --format json` prints."""
    share: Schema = {"type": ["number", "null"]}
    gain: Schema = {
        "improvement": _described(share, "What share less is taken: 0.1 is 10 % less."),
        "low": _described(share, "It is at least this; null is unknown."),
        "high": _described(share, "It is at most this; null is unknown."),
    }
    result = {"enum": ["faster", "no gain", "slower", "inconclusive", "failed"]}
    trial = _closed(
        {"benchmark": _TEXT, "result": result, **gain, "pairs": _COUNT, "reason": _TEXT}
    )
    variant = _closed({"name": _TEXT, "kept": {"type": "boolean"}, **gain, "trials": _list(trial)})
    return {
        "$schema": DRAFT,
        "title": "The result of sdlc gate tune",
        **_closed(
            {
                "schema_version": {"const": 1},
                "commit": _TEXT,
                "tried": _COUNT,
                "kept": _COUNT,
                "mean": _described(_closed(gain), "Over the kept variants."),
                "best": _closed({"name": {"type": ["string", "null"]}, **gain}),
                "variants": _list(variant),
                "notes": _list(_TEXT),
            }
        ),
    }


def shard_report() -> Schema:
    """The schema of `sdlc gate run --shard K/N --format json`."""
    part = shard.schema()
    inner = {key: value for key, value in part.items() if key != "$defs"}
    return {
        "$schema": DRAFT,
        "title": "What one shard of sdlc gate run saw",
        **_closed({"schema_version": {"const": shard.SCHEMA_VERSION}, "shard": inner}),
        "$defs": part["$defs"],
    }


SCHEMAS: Mapping[str, Callable[[], Schema]] = {
    "gates": gates,
    "gate-report": report,
    "gate-shard": shard_report,
    "gate-tune": tuned,
}


def get(name: str) -> Schema:
    """The schema called `name` in `SCHEMAS`. Raises KeyError."""
    return SCHEMAS[name]()


def _gate() -> Schema:
    return _closed(
        {
            "name": _TEXT,
            "status": {"enum": list(get_args(Status))},
            "reason": _TEXT,
            "score": _MAYBE_SCORE,
            "weight": {"type": "number", "minimum": 0},
            "minimum": _SCORE,
            "required": {"type": "boolean"},
            "duration_s": {"type": "number", "minimum": 0},
            "metrics": _described({"type": "object"}, "The gate's own figures; docs tell them."),
            "findings": _list({"$ref": "#/$defs/finding"}),
        }
    )


def _finding() -> Schema:
    return _closed(
        {
            "rule": _TEXT,
            "severity": {"enum": [str(severity) for severity in Severity]},
            "path": _described(_TEXT, "Relative to the root; empty for the whole project."),
            "line": _described(_COUNT, "From 1; 0 is the whole file."),
            "column": _described(_COUNT, "From 1; 0 is unknown."),
            "message": _TEXT,
            "fingerprint": _TEXT,
            "help": _TEXT,
        }
    )


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


def _described(made: Schema, description: str) -> Schema:
    return {**made, "description": description}
