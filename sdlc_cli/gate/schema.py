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


def simulation() -> Schema:
    """The schema of what `sdlc gate simulate --format json` prints."""
    commit = _closed(
        {
            "commit": _TEXT,
            "short": _TEXT,
            "date": _described(_TEXT, "UTC, ISO 8601."),
            "subject": _TEXT,
            "passed": _described({"type": ["boolean", "null"]}, "null: it was not judged."),
            "score": _MAYBE_SCORE,
            "failed": _described(_list(_TEXT), "Gates; without any, the score was too low."),
            "reason": _TEXT,
        }
    )
    first: Schema = {"type": ["string", "null"]}
    return {
        "$schema": DRAFT,
        "title": "The result of sdlc gate simulate",
        **_closed(
            {
                "schema_version": {"const": 1},
                "generation": {"enum": [1, 2, 3]},
                "threshold": _SCORE,
                "replayed": _list(_TEXT),
                "left_out": _described(_list(_TEXT), "Gates that run something."),
                "first_failing": _described(first, "The oldest commit that did not pass."),
                "commits": _described(_list(commit), "The newest first."),
            }
        ),
    }


def drilled() -> Schema:
    """The schema of what `sdlc gate drill --format json` prints."""
    results = ["caught", "seen", "missed", "no-gate", "untried", "impossible"]
    defect = _closed(
        {
            "name": _TEXT,
            "title": _TEXT,
            "result": {"enum": results},
            "path": _TEXT,
            "gates": _described(_list(_TEXT), "Those that noticed it."),
            "detail": _TEXT,
            "advice": _TEXT,
        }
    )
    before = _closed(
        {
            "passed": {"type": "boolean"},
            "score": _MAYBE_SCORE,
            "exit_code": {"enum": [0, 1, 3, 4]},
        }
    )
    return {
        "$schema": DRAFT,
        "title": "The result of sdlc gate drill",
        **_closed(
            {
                "schema_version": {"const": 1},
                "passed": {"type": "boolean"},
                "exit_code": {"enum": [0, 1, 3, 4]},
                "baseline": _described(before, "The copy without any defect."),
                "notes": _list(_TEXT),
                "defects": _list(defect),
            }
        ),
    }


def explanation() -> Schema:
    """The schema of what `sdlc gate explain --format json` prints, without a rule's name."""
    number: Schema = {"type": "number", "minimum": 0}
    loss = _closed({"gate": _TEXT, "score": _SCORE, "weight": number, "points": number})
    fix = _closed(
        {
            "gate": _TEXT,
            "rule": _TEXT,
            "severity": {"enum": [str(severity) for severity in Severity]},
            "path": _TEXT,
            "line": _COUNT,
            "message": _TEXT,
            "score": _described(_SCORE, "Of the run, once this and all before it are mended."),
        }
    )
    return {
        "$schema": DRAFT,
        "title": "The result of sdlc gate explain",
        **_closed(
            {
                "schema_version": {"const": SCHEMA_VERSION},
                "passed": {"type": "boolean"},
                "exit_code": {"enum": [0, 1, 3, 4]},
                "score": _MAYBE_SCORE,
                "threshold": _SCORE,
                "generation": {"enum": [1, 2, 3]},
                "would_pass": {"type": "boolean"},
                "obstacles": _described(_list(_TEXT), "What no fix of a finding can mend."),
                "losses": _list(loss),
                "fixes": _list(fix),
            }
        ),
    }


SCHEMAS: Mapping[str, Callable[[], Schema]] = {
    "gates": gates,
    "gate-report": report,
    "gate-shard": shard_report,
    "gate-explanation": explanation,
    "gate-drill": drilled,
    "gate-simulation": simulation,
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
