"""The JSON Schemas of what the commands of `sdlc cost` print, besides the report."""

from collections.abc import Callable, Mapping

from sdlc_cli.core.schema import DRAFT, Schema
from sdlc_cli.cost.prices import receipt as receipts
from sdlc_cli.cost.report import (
    advise,
    budget,
    cachesim,
    forecast,
    loading,
    prices,
    reconcile,
    route,
    whatif,
)
from sdlc_cli.cost.schema_parts import (
    COUNT,
    DAY,
    FLAG,
    KEYS,
    MAYBE_SIGNED_USD,
    MAYBE_TEXT,
    MAYBE_USD,
    NUMBER,
    SHARE,
    SIGNED_USD,
    TEXT,
    TIME,
    USD,
    chosen,
    closed,
    described,
    listed,
    maybe,
)

_SHARES: Schema = {"type": ["number", "null"], "minimum": 0}  # of a limit: may exceed it
_HOURS: Schema = described(maybe(listed(TEXT)), "From and to, as 16:30, in UTC.")


def of_budget() -> Schema:
    """`sdlc cost budget`."""
    spender = closed({"key": TEXT, "name": TEXT, "cost_usd": USD})
    one = closed(
        {
            "name": TEXT,
            "period": TEXT,
            "since": TIME,
            "until": TIME,
            "as_of": TIME,
            "conditions": {"type": "object"},
            "status": chosen("ok", "warn", "will_break", "broken", "unknown"),
            "reason": described(MAYBE_TEXT, "Why it is unknown, or will break."),
            "limit_usd": USD,
            "calls": described(COUNT, "Of the present period; exports of sums may tell none."),
            "spent_usd": USD,
            "spent_at_most_usd": described(MAYBE_USD, "With calls of unknown cost."),
            "uncertain_calls": COUNT,
            "share": described(_SHARES, "Spent of the limit; null where the limit is 0."),
            "warn_at": SHARE,
            "rate_usd_per_day": MAYBE_USD,
            "broke_on": DAY,
            "breaks_on": DAY,
            "expected_usd": MAYBE_USD,
            "expected_by": maybe(chosen("forecast", "rate")),
            "spenders": listed(spender),
        }
    )
    keys = {"passed": FLAG, "exit_code": _codes(0, 1, 3, 4), "budgets": listed(one)}
    return _result("budget", budget.SCHEMA_VERSION, keys)


def of_forecast() -> Schema:
    """`sdlc cost forecast`."""
    within = described(maybe(listed(USD)), "The lower and the upper bound.")
    amounts = {"expected_usd": USD, "within_80_usd": within, "within_95_usd": within}
    trial = closed({"method": TEXT, "forecasts": COUNT, "mase": NUMBER, "error_share": NUMBER})
    keys: Schema = {
        "status": chosen("ok", "unknown"),
        "reason": MAYBE_TEXT,
        "method": MAYBE_TEXT,
        "history": closed({"since": DAY, "until": DAY, "days": COUNT}),
        "days": listed(closed({"day": DAY, **amounts})),
        "weeks": listed(closed({"day": DAY, "days": COUNT, **amounts})),
        "total": maybe(closed(amounts)),
        "trials": described(listed(trial), "Each method on the days that are past."),
    }
    return _result("forecast", forecast.SCHEMA_VERSION, keys)


def of_whatif() -> Schema:
    """`sdlc cost whatif`."""
    group = closed(
        {
            "keys": KEYS,
            "calls": COUNT,
            "before_usd": USD,
            "after_usd": MAYBE_USD,
            "saved_usd": MAYBE_SIGNED_USD,
            "comparable": described(FLAG, "Whether the same calls are priced on both sides."),
            "caching": maybe(_caching()),
        }
    )
    keys: Schema = {
        "models": KEYS,
        "tier": MAYBE_TEXT,
        "before_usd": USD,
        "after_usd": USD,
        "saved_usd": SIGNED_USD,
        "not_comparable": COUNT,
        "groups": listed(group),
        "assumptions": listed(TEXT),
    }
    return _result("whatif", whatif.SCHEMA_VERSION, keys)


def of_advise() -> Schema:
    """`sdlc cost advise`."""
    suggestion = closed(
        {
            "kind": chosen("cheaper-model", "batch", "prompt-cache", "response-cache"),
            "provider": TEXT,
            "model": TEXT,
            "target": described(MAYBE_TEXT, "The other model."),
            "calls": COUNT,
            "spent_usd": USD,
            "saved_usd": USD,
            "in_sum": described(FLAG, "Of the suggestions for a model only the best is."),
            "what": TEXT,
            "assumption": TEXT,
            "caching": maybe(_caching()),
        }
    )
    gap = closed(
        {
            "kind": chosen("unpriced", "unknown-usage"),
            "provider": MAYBE_TEXT,
            "model": MAYBE_TEXT,
            "calls": COUNT,
            "cost_at_most_usd": MAYBE_USD,
            "what": TEXT,
        }
    )
    keys: Schema = {
        "spent_usd": USD,
        "saved_usd": USD,
        "suggestions": listed(suggestion),
        "gaps": listed(gap),
        "notes": listed(TEXT),
    }
    return _result("advise", advise.SCHEMA_VERSION, keys)


def of_cache() -> Schema:
    """`sdlc cost cache`."""
    outcome = closed(
        {
            "policy": TEXT,
            "size": described(maybe(COUNT), "Answers that it holds; null for any number."),
            "bound": described(FLAG, "Whether no policy can do better."),
            "hits": COUNT,
            "hit_rate": SHARE,
            "saved_usd": USD,
        }
    )
    keys: Schema = {
        "requests": COUNT,
        "distinct": COUNT,
        "left_out": COUNT,
        "spent_usd": USD,
        "ttl_seconds": NUMBER,
        "outcomes": listed(outcome),
        "assumptions": listed(TEXT),
    }
    return _result("cache", cachesim.SCHEMA_VERSION, keys)


def of_reconcile() -> Schema:
    """`sdlc cost reconcile`."""
    count = described(maybe(COUNT), "Null where a bill tells money alone.")
    side = closed(
        {
            "calls": COUNT,
            **dict.fromkeys(
                ("input_tokens", "cache_read_tokens", "cache_write_tokens", "output_tokens"), count
            ),
            "cost_usd": MAYBE_USD,
            "uncertain_calls": COUNT,
        }
    )
    statuses = ("matched", "tokens", "price", "not-in-bill", "not-in-log")
    line = closed(
        {
            "keys": KEYS,
            "status": chosen(*statuses),
            "log": maybe(side),
            "bill": maybe(side),
            "difference_usd": described(MAYBE_SIGNED_USD, "The log less the bill."),
        }
    )
    keys: Schema = {
        "passed": FLAG,
        "exit_code": _codes(0, 1, 4),
        "by": listed(TEXT),
        "counts": closed({status.replace("-", "_"): COUNT for status in statuses}),
        "log_usd": USD,
        "bill_usd": MAYBE_USD,
        "lines": listed(line),
        "hints": listed(TEXT),
    }
    return _result("reconcile", reconcile.SCHEMA_VERSION, keys)


def of_route() -> Schema:
    """`sdlc cost route`."""
    steps = chosen("primary", "fallback", "emergency", "refused")
    switch = closed(
        {"time": TIME, "before": steps, "after": steps, "model": MAYBE_TEXT, "share": _SHARES}
    )
    period = closed({"first": DAY, "spent_usd": USD, "routed_usd": USD, "switches": listed(switch)})
    replay = closed(
        {
            "timezone": TEXT,
            "spent_usd": USD,
            "routed_usd": USD,
            "saved_usd": SIGNED_USD,
            "refused_usd": USD,
            "unpriced": listed(TEXT),
            "periods": listed(period),
        }
    )
    keys: Schema = {
        "model": described(MAYBE_TEXT, "Null where none may be used."),
        "step": steps,
        "budget": MAYBE_TEXT,
        "share": _SHARES,
        "reason": TEXT,
        "replay": maybe(replay),
    }
    return _result("route", route.SCHEMA_VERSION, keys)


def of_prices() -> Schema:
    """`sdlc cost prices`."""
    rate = closed(
        {
            **_rate(),
            "usd_per_unit": described(
                {"type": "object", "additionalProperties": USD}, "By class of token."
            ),
            "usd_per_request": USD,
        }
    )
    price = closed(
        {
            "provider": TEXT,
            "model": TEXT,
            "family": TEXT,
            "context": maybe(COUNT),
            "reason": MAYBE_TEXT,
            "rates": listed(rate),
        }
    )
    catalogue = closed({"source": TEXT, "version": TEXT, "sha256": TEXT})
    keys = {"catalogue": catalogue, "prices": listed(price)}
    return _result("prices", prices.SCHEMA_VERSION, keys)


def of_explain() -> Schema:
    """`sdlc cost explain`."""
    line = closed({"class": TEXT, "count": COUNT, "usd_per": USD, "per": COUNT, "cost_usd": USD})
    logged = closed({"provider": TEXT, "model": TEXT, "tier": TEXT, "cost_usd": MAYBE_USD})
    keys: Schema = {
        "call_id": TEXT,
        "time": TIME,
        "provider": TEXT,
        "model": TEXT,
        "logged": logged,
        "lines": listed(line),
        "cost_usd": MAYBE_USD,
        "cost_at_most_usd": MAYBE_USD,
        "price": maybe(closed(_rate())),
        "why": listed(TEXT),
        "records": described(
            listed(closed({"path": TEXT, "line": COUNT})), "The first one is counted."
        ),
    }
    return _result("explain", receipts.SCHEMA_VERSION, keys)


def of_load() -> Schema:
    """`sdlc cost load`."""
    keys: Schema = {
        "store": described(TEXT, "Its address, without a password."),
        "records": COUNT,
        "rejected_count": described(COUNT, "Records that could not be counted."),
        "without_id": described(COUNT, "Of the records; loaded again, they count again."),
    }
    return _result("load", loading.SCHEMA_VERSION, keys)


SCHEMAS: Mapping[str, Callable[[], Schema]] = {
    "cost-budget": of_budget,
    "cost-forecast": of_forecast,
    "cost-whatif": of_whatif,
    "cost-advise": of_advise,
    "cost-cache": of_cache,
    "cost-reconcile": of_reconcile,
    "cost-route": of_route,
    "cost-prices": of_prices,
    "cost-explain": of_explain,
    "cost-load": of_load,
}


def _codes(*codes: int) -> Schema:
    """One of these exit codes."""
    return {"enum": list(codes)}


def _result(command: str, version: int, keys: Schema) -> Schema:
    return {
        "$schema": DRAFT,
        "title": f"The result of sdlc cost {command}",
        **closed({"schema_version": {"const": version}, **keys}),
    }


def _rate() -> Schema:
    return {
        "source": TEXT,
        "since": TIME,
        "until": TIME,
        "hours_utc": _HOURS,
        "above_input_tokens": described(COUNT, "Of the whole call; it then holds for all of it."),
        "rounded": described(FLAG, "Whether the price was no whole number of pico-dollars."),
    }


def _caching() -> Schema:
    counts = ("lifetime_seconds", "prefixes", "calls", "writes", "written_tokens", "reads")
    return closed({**dict.fromkeys((*counts, "read_tokens"), COUNT), "saved_usd": SIGNED_USD})
