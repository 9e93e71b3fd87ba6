"""The JSON Schemas of what `sdlc serve` prints and sends."""

from collections.abc import Callable, Mapping

from sdlc_cli.core.schema import DRAFT, Schema
from sdlc_cli.cost.schema_parts import DAY, TEXT, TIME, USD, chosen, closed, described, listed
from sdlc_cli.serve.keys import SCOPES


def get(name: str) -> Schema:
    """The schema called `name`."""
    return SCHEMAS[name]()


def keys() -> Schema:
    """The schema of `sdlc serve keys --format json`."""
    key = {
        "id": TEXT,
        "scopes": listed(chosen(*SCOPES)),
        "projects": described(listed(TEXT), "Without any the key is for all projects."),
        "note": TEXT,
        "made": TIME,
        "revoked": TIME,
    }
    return _result("The API keys of a store", {"keys": listed(closed(key))})


def dead_letters() -> Schema:
    """The schema of `sdlc serve dead-letters --format json`."""
    letter = {"call_id": TEXT, "model": TEXT, "project": TEXT, "refused": TIME, "reason": TEXT}
    return _result("The calls that a server refused", {"dead_letters": listed(closed(letter))})


def webhook() -> Schema:
    """The schema of the message about a budget."""
    return _result(
        "A budget broke",
        {
            "event": {"const": "budget.broken"},
            "id": described(TEXT, "The same when a message is sent again."),
            "budget": TEXT,
            "period": chosen("day", "week", "month", "quarter", "year", "total"),
            "period_first": DAY,
            "limit_usd": USD,
            "spent_usd": USD,
            "broke_on": DAY,
        },
    )


def _result(title: str, properties: Schema) -> Schema:
    return {
        "$schema": DRAFT,
        "title": title,
        **closed({"schema_version": {"const": 1}, **properties}),
    }


SCHEMAS: Mapping[str, Callable[[], Schema]] = {
    "serve-keys": keys,
    "serve-dead-letters": dead_letters,
    "serve-webhook": webhook,
}
