"""The JSON Schemas of the cost job: cost.yaml as it is written, the JSON that a report prints."""

from collections.abc import Callable, Mapping

from sdlc_cli.core import schema
from sdlc_cli.core.schema import DRAFT, Schema
from sdlc_cli.cost import schema_answers
from sdlc_cli.cost.config import CostFile
from sdlc_cli.cost.report import SCHEMA_VERSION
from sdlc_cli.cost.schema_parts import (
    COUNT,
    MAYBE_USD,
    SHARE,
    TEXT,
    TIME,
    USD,
    closed,
    described,
    listed,
)


def cost() -> Schema:
    """The schema of cost.yaml."""
    return schema.build(CostFile, "cost.yaml")


def report() -> Schema:
    """The schema of `sdlc cost report --format json`."""
    return {
        "$schema": DRAFT,
        "title": "The result of sdlc cost report",
        **closed(
            {
                "schema_version": {"const": SCHEMA_VERSION},
                "calls": described(COUNT, "Calls counted, each once."),
                "duplicates": described(COUNT, "Records of calls that were counted already."),
                "rejected_count": described(COUNT, "Records that could not be counted."),
                "rejected": described(
                    listed(closed({"path": TEXT, "line": COUNT, "reason": TEXT})),
                    "The first 1,000 of them.",
                ),
                "unknown_usage": described(COUNT, "Calls whose usage no record tells."),
                "without_time": described(COUNT, "Calls that are in no day."),
                "unattributed": described(COUNT, "Calls without a project or a team."),
                "unattributed_cost_usd": USD,
                "unattributed_share": described(SHARE, "Of the cost; of the calls if it is 0."),
                "unpriced": listed(_unpriced()),
                "priced_coverage": described(SHARE, "Share of the calls whose cost is certain."),
                "totals": {"$ref": "#/$defs/figures"},
                "groups": listed(_group()),
                "by": listed(TEXT),
                "period": closed({"since": TIME, "until": TIME, "timezone": TEXT}),
                "price_sources": described(
                    {"type": "object", "additionalProperties": COUNT}, "Calls by price source."
                ),
                "sources": listed(_source()),
                "redacted": described(
                    {"type": "object", "additionalProperties": COUNT},
                    "What was hashed in users, projects and tags, by kind.",
                ),
            }
        ),
        "$defs": {"figures": closed(_figures())},
    }


SCHEMAS: Mapping[str, Callable[[], Schema]] = {
    "cost": cost,
    "cost-report": report,
    **schema_answers.SCHEMAS,
}


def get(name: str) -> Schema:
    """The schema called `name` in `SCHEMAS`. Raises KeyError."""
    return SCHEMAS[name]()


def _figures() -> Schema:
    return {
        "calls": COUNT,
        "input_tokens": described(COUNT, "Neither read from nor written to a cache."),
        "cache_read_tokens": COUNT,
        "cache_write_tokens": COUNT,
        "output_tokens": described(COUNT, "With reasoning and audio."),
        "reasoning_tokens": described(COUNT, "Of the output tokens."),
        "web_searches": COUNT,
        "cached_calls": described(COUNT, "Answered from a gateway's own cache, at no cost."),
        "failed_calls": described(COUNT, "Failed before any token was used, at no cost."),
        "unknown_usage": COUNT,
        "unpriced_calls": COUNT,
        "cost_usd": described(USD, "What is certain, to the pico-dollar."),
        "cost_at_most_usd": described(
            MAYBE_USD, "With unpriced and unknown calls at their dearest; null without a bound."
        ),
    }


def _group() -> Schema:
    keys: Schema = {"type": "object", "additionalProperties": TEXT}
    return closed({"keys": keys, **_figures()})


def _unpriced() -> Schema:
    return closed(
        {
            "provider": TEXT,
            "model": TEXT,
            "calls": COUNT,
            "input_tokens": described(COUNT, "Of every class, cached ones too."),
            "output_tokens": COUNT,
            "cost_at_most_usd": MAYBE_USD,
            "reason": TEXT,
        }
    )


def _source() -> Schema:
    return closed(
        {
            "path": TEXT,
            "format": TEXT,
            "records": COUNT,
            "rejected": COUNT,
            "reused": described({"type": "boolean"}, "Taken from the cache of an earlier run."),
        }
    )
