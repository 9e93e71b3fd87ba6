"""Observations exported from Langfuse: blob storage exports, the API's answers, the UI's export."""

from collections.abc import Iterable, Mapping

from sdlc_cli.core.i18n import msg
from sdlc_cli.cost.model import Rejected, Row
from sdlc_cli.cost.readers import Format, Record
from sdlc_cli.cost.readers.counts import count
from sdlc_cli.cost.readers.fields import dollars, labels, moment, text
from sdlc_cli.cost.readers.strict import decode

_MODEL = ("provided_model_name", "providedModelName", "model")
_USAGE = ("usage_details", "usageDetails")
_CALLS = frozenset(("GENERATION", "EMBEDDING", ""))
_TOTALS = frozenset(("total", "total_tokens"))
# What is part of these where a sender put the whole of them into `input` and `output`.
_IN = ("cache_read", "cache_write_5m", "cache_write_1h", "audio_in", "audio_cached", "image_in")
_OUT = ("reasoning", "audio_out", "image_out")


def _is_ours(record: Record) -> bool:
    return any(name in record for name in _USAGE) and any(name in record for name in _MODEL)


def parse(record: Record) -> Iterable[Row]:
    """The call of a generation or an embedding; nothing for other observations."""
    if text(record, "type").upper() not in _CALLS:
        return ()
    found = text(record, "id")
    failed = text(record, "level") == "ERROR"
    row = Row(
        ts=moment(_any(record, ("start_time", "startTime")), "start_time"),
        model=next((told for name in _MODEL if (told := text(record, name))), ""),
        project=text(record, "project_id") or text(record, "projectId"),
        user=text(record, "user_id") or text(record, "userId"),
        tags=_tags(record),
        call_id=found,
        dedupe=_dedupe(record, found),
        rank=-3 if failed else 0,
        status="error" if failed else "ok",
        logged_pico=dollars(
            _any(record, ("total_cost", "totalCost", "calculatedTotalCost")), "total_cost"
        ),
    )
    usage = _usage(record)
    row.known = any(usage.values()) or failed
    inclusive = _fill(row, usage)
    if inclusive:
        row.tags = labels({**_pairs(record), "usage": "inclusive"})
    return (row,)


def _any(record: Record, names: Iterable[str]) -> object:
    return next((record[name] for name in names if record.get(name) is not None), None)


def _dedupe(record: Record, found: str) -> str:
    """The observation's id; where it is a span's, the key that the span itself would have."""
    trace = text(record, "trace_id") or text(record, "traceId")
    if not found:
        return ""
    if len(found) == 16 and len(trace) == 32:
        return f"span:{trace}:{found}"
    return f"langfuse:{found}"


def _pairs(record: Record) -> dict[str, str]:
    return {
        "env": text(record, "environment"),
        "session": text(record, "session_id") or text(record, "sessionId"),
        "trace": text(record, "trace_name") or text(record, "traceName"),
    }


def _tags(record: Record) -> str:
    return labels(_pairs(record))


def _usage(record: Record) -> dict[str, int]:
    """The buckets by name; in CSV exports they are JSON in a column."""
    told = _any(record, _USAGE)
    if isinstance(told, str) and told:
        told = decode(told.encode("utf-8", "replace"))
    if told is None or told == "":
        return {}
    if not isinstance(told, Mapping):
        raise Rejected(msg("{key} is not an object", key=_USAGE[0]))
    return {name: count(told, name) for name in told}


def _fill(row: Row, usage: Mapping[str, int]) -> bool:
    """Adds up the buckets by class, and says whether `input` and `output` held the others."""
    sums: dict[str, int] = {}
    written = 0  # buckets that tell of writes of any lifetime
    for name, tokens in usage.items():
        if not tokens or name in _TOTALS:
            continue
        kind = _class(name)
        if kind == "written":
            written += tokens
        else:
            sums[kind] = sums.get(kind, 0) + tokens
    by_lifetime = sums.get("cache_write_5m", 0) + sums.get("cache_write_1h", 0)
    if written != by_lifetime:  # else they say the same twice
        sums["cache_write_5m"] = sums.get("cache_write_5m", 0) + written
    inclusive = _is_inclusive(sums, next((usage[n] for n in _TOTALS if usage.get(n)), 0))
    if inclusive:
        sums["input"] = sums.get("input", 0) - sum(sums.get(name, 0) for name in _IN)
        sums["output"] = sums.get("output", 0) - sum(sums.get(name, 0) for name in _OUT)
    for name, tokens in sums.items():
        setattr(row, name, tokens)
    return inclusive


def _is_inclusive(sums: Mapping[str, int], total: int) -> bool:
    """Whether a sender's own total shows that the buckets are parts of `input` and `output`."""
    given, made = sums.get("input", 0), sums.get("output", 0)
    parts_in = sum(sums.get(name, 0) for name in _IN)
    parts_out = sum(sums.get(name, 0) for name in _OUT)
    return (
        parts_in + parts_out > 0
        and total == given + made
        and parts_in <= given
        and parts_out <= made
    )


def _class(name: str) -> str:
    """The class of a bucket. Names are the sender's own; Langfuse itself goes by their words."""
    words = name.lower()
    out = "output" in words or "completion" in words
    if "web_search" in words:
        return "web_searches"
    if "1h" in words:
        return "cache_write_1h"
    if "5m" in words:
        return "cache_write_5m"
    if "cache" in words and ("creat" in words or "writ" in words):
        return "written"
    if "cache" in words and not out:
        return "audio_cached" if "audio" in words else "cache_read"
    if any(word in words for word in ("reasoning", "thinking", "thought")):
        return "reasoning"
    for kind in ("audio", "image"):
        if kind in words:
            return f"{kind}_out" if out else f"{kind}_in"
    if out:
        return "output"
    if "input" in words or "prompt" in words:
        return "input"
    raise Rejected(msg("the kind of usage {name} is not known", name=name[:60]))


FORMAT = Format(
    name="langfuse",
    title=msg("Langfuse observations"),
    matches=_is_ours,
    start=lambda: parse,
)
