"""What comparisons mean for the gate: scores, findings, and rows for the machine formats."""

import math
from collections.abc import Iterable

from sdlc_cli.core.finding import Finding, Severity
from sdlc_cli.core.i18n import Message, msg
from sdlc_cli.gate import formula
from sdlc_cli.gate.compare import Change, Compared
from sdlc_cli.gate.growth import Growth
from sdlc_cli.gate.merge_base import AUTO
from sdlc_cli.gate.paired import Interval

RULE = "slower"


def key(change: Change) -> str:
    """What names a comparison among the gate's limits; also its finding's context."""
    return f"{change.name} {change.by} compared"


def scores(changes: Iterable[Change]) -> dict[str, float]:
    """The points of each comparison that decided: all, or the limit's share of the ratio."""
    return {
        key(change): formula.within(change.interval.ratio, change.limit)
        if change.verdict == "slower"
        else 100.0
        for change in changes
        if change.verdict != "inconclusive" and change.interval
    }


def findings(compared: Compared, rev: str) -> list[Finding]:
    """One for each benchmark that is slower, with the functions that grew."""
    rev = compared.base[:12] if rev == AUTO else rev
    return [
        Finding(
            rule=RULE,
            severity=Severity.HIGH,
            message=_sentence(change, change.interval, rev),
            context=key(change),
        )
        for change in compared.changes
        if change.verdict == "slower" and change.interval
    ]


def undecided(changes: Iterable[Change]) -> list[Message]:
    """Why each comparison that did not decide did not."""
    return [
        msg("{name} is inconclusive: {why}", name=change.name, why=change.reason)
        for change in changes
        if change.verdict == "inconclusive"
    ]


def _sentence(change: Change, interval: Interval, rev: str) -> Message:
    what = {
        "cpu": msg("CPU time"),
        "wall": msg("time"),
        "memory": msg("memory"),
    }[change.by]
    values: dict[str, object] = {
        "name": change.name,
        "ratio": f"{interval.ratio:.3f}",
        "what": msg("instructions") if change.method == "instructions" else what,
        "rev": rev,
        "low": f"{interval.low:.3f}",
        "high": f"{interval.high:.3f}",
        "limit": f"{change.limit:.3f}",
    }
    if change.method == "instructions":
        message = msg(
            "{name} takes {ratio} times the {what} it took in {rev}; {limit} is allowed", **values
        )
    else:
        message = msg(
            "{name} takes {ratio} times the {what} it took in {rev} (between {low} and {high});"
            " {limit} is allowed",
            **values,
        )
    if not change.grown:
        return message
    grown = ", ".join(_grown(growth) for growth in change.grown)
    return msg("{message}. What grew: {functions}", message=message, functions=grown)


def _grown(growth: Growth) -> str:
    place = f" ({growth.path})" if growth.path else ""
    return f"{growth.function}{place} {(growth.head_s - growth.base_s) * 1e3:+.3g} ms"


def table(compared: Compared) -> dict[str, object]:
    """The gate's metric `comparison`, for JSON: ratios are of head to base; null is unknown."""
    return {
        "base": compared.base,
        "head": compared.head,
        "unchanged": compared.unchanged,
        "notes": list(compared.notes),
        "benchmarks": [_row(change) for change in compared.changes],
    }


def _row(change: Change) -> dict[str, object]:
    return {
        "name": change.name,
        "verdict": change.verdict,
        "by": change.by,
        "method": change.method,
        "limit": change.limit,
        **ends(change.interval),
        "detectable": change.detectable,
        "pairs": change.pairs,
        "reason": change.reason,
        "ratios": {by: ends(interval) for by, interval in change.ratios.items()},
        "grown": [
            {
                "function": one.function,
                "path": one.path,
                "base_s": one.base_s,
                "head_s": one.head_s,
                "base_calls": one.base_calls,
                "head_calls": one.head_calls,
            }
            for one in change.grown
        ],
    }


def ends(interval: Interval | None) -> dict[str, float | None]:
    """An interval for JSON, which knows no infinity: an open end is null."""
    if interval is None:
        return {"ratio": None, "low": None, "high": None}
    return {
        "ratio": interval.ratio,
        "low": interval.low or None,
        "high": interval.high if math.isfinite(interval.high) else None,
    }
