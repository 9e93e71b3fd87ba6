"""The JSON Schemas of the cost job: cost.yaml as it is written, the JSON that a report prints."""

from collections.abc import Callable, Mapping

from sdlc_cli.core import schema
from sdlc_cli.core.schema import DRAFT, Schema
from sdlc_cli.cost.config import CostFile
from sdlc_cli.cost.report import SCHEMA_VERSION

_TEXT: Schema = {"type": "string"}
_COUNT: Schema = {"type": "integer", "minimum": 0}
_SHARE: Schema = {"type": ["number", "null"], "minimum": 0, "maximum": 1}
_USD: Schema = {"type": "string", "pattern": r"^[0-9]+\.[0-9]{2,12}$"}
_MAYBE_USD: Schema = {"anyOf": [_USD, {"type": "null"}]}
_TIME: Schema = {"type": ["string", "null"], "format": "date-time"}


def cost() -> Schema:
    """The schema of cost.yaml."""
    return schema.build(CostFile, "cost.yaml")


def report() -> Schema:
    """The schema of `sdlc cost report --format json`."""
    return {
        "$schema": DRAFT,
        "title": "The result of sdlc cost report",
        **_closed(
            {
                "schema_version": {"const": SCHEMA_VERSION},
                "calls": _described(_COUNT, "Calls counted, each once."),
                "duplicates": _described(_COUNT, "Records of calls that were counted already."),
                "rejected_count": _described(_COUNT, "Records that could not be counted."),
                "rejected": _described(
                    _list(_closed({"path": _TEXT, "line": _COUNT, "reason": _TEXT})),
                    "The first 1,000 of them.",
                ),
                "unknown_usage": _described(_COUNT, "Calls whose usage no record tells."),
                "without_time": _described(_COUNT, "Calls that are in no day."),
                "unattributed": _described(_COUNT, "Calls without a project or a team."),
                "unattributed_cost_usd": _USD,
                "unattributed_share": _described(_SHARE, "Of the cost; of the calls if it is 0."),
                "unpriced": _list(_unpriced()),
                "priced_coverage": _described(_SHARE, "Share of the calls whose cost is certain."),
                "totals": {"$ref": "#/$defs/figures"},
                "groups": _list(_group()),
                "by": _list(_TEXT),
                "period": _closed({"since": _TIME, "until": _TIME, "timezone": _TEXT}),
                "price_sources": _described(
                    {"type": "object", "additionalProperties": _COUNT}, "Calls by price source."
                ),
                "sources": _list(_source()),
                "redacted": _described(
                    {"type": "object", "additionalProperties": _COUNT},
                    "What was hashed in users, projects and tags, by kind.",
                ),
            }
        ),
        "$defs": {"figures": _closed(_figures())},
    }


SCHEMAS: Mapping[str, Callable[[], Schema]] = {"cost": cost, "cost-report": report}


def get(name: str) -> Schema:
    """The schema called `name` in `SCHEMAS`. Raises KeyError."""
    return SCHEMAS[name]()


def _figures() -> Schema:
    return {
        "calls": _COUNT,
        "input_tokens": _described(_COUNT, "Neither read from nor written to a cache."),
        "cache_read_tokens": _COUNT,
        "cache_write_tokens": _COUNT,
        "output_tokens": _described(_COUNT, "With reasoning and audio."),
        "reasoning_tokens": _described(_COUNT, "Of the output tokens."),
        "web_searches": _COUNT,
        "cached_calls": _described(_COUNT, "Answered from a gateway's own cache, at no cost."),
        "failed_calls": _described(_COUNT, "Failed before any token was used, at no cost."),
        "unknown_usage": _COUNT,
        "unpriced_calls": _COUNT,
        "cost_usd": _described(_USD, "What is certain, to the pico-dollar."),
        "cost_at_most_usd": _described(
            _MAYBE_USD, "With unpriced and unknown calls at their dearest; null without a bound."
        ),
    }


def _group() -> Schema:
    keys: Schema = {"type": "object", "additionalProperties": _TEXT}
    return _closed({"keys": keys, **_figures()})


def _unpriced() -> Schema:
    return _closed(
        {
            "provider": _TEXT,
            "model": _TEXT,
            "calls": _COUNT,
            "input_tokens": _described(_COUNT, "Of every class, cached ones too."),
            "output_tokens": _COUNT,
            "cost_at_most_usd": _MAYBE_USD,
            "reason": _TEXT,
        }
    )


def _source() -> Schema:
    return _closed(
        {
            "path": _TEXT,
            "format": _TEXT,
            "records": _COUNT,
            "rejected": _COUNT,
            "reused": _described({"type": "boolean"}, "Taken from the cache of an earlier run."),
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
