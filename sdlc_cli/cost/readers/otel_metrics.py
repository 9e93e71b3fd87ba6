"""OpenTelemetry's token counters (OTLP JSON lines with metrics): sums of many calls, no calls.

Only counters of usage are read. The histograms beside them (`gen_ai.client.inference.operation.*`)
hold the same tokens again. The older histogram `gen_ai.client.token.usage` is read where a series
has no counter.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from sdlc_cli.core.i18n import msg
from sdlc_cli.cost.model import Rejected, Row
from sdlc_cli.cost.readers import Format, Record
from sdlc_cli.cost.readers.counts import whole
from sdlc_cli.cost.readers.fields import labels, moment, section, text, tier
from sdlc_cli.cost.readers.overlap import inputs, outputs
from sdlc_cli.cost.readers.spans import attributes, integer, objects

_COUNTERS = "gen_ai.client.inference.usage."
_OLDER = "gen_ai.client.token.usage"
_TYPE, _MODALITY = "gen_ai.token.type", "gen_ai.token.modality"

# What a counter, or a token type of the older histogram, counts. Cached tokens are part of the
# input, reasoning of the output.
_KINDS = {
    "input_tokens": "input",
    "output_tokens": "output",
    "cache_read.input_tokens": "read",
    "cache_write.input_tokens": "write",
    "cache_creation.input_tokens": "write",
    "reasoning.output_tokens": "reasoning",
    "input": "input",
    "output": "output",
    "completion": "output",
    "cache_read": "read",
    "cache_creation": "write",
    "cache_write": "write",
    "reasoning": "reasoning",
}
_PROVIDER = ("gen_ai.provider.name", "gen_ai.system")
_MODEL = ("gen_ai.response.model", "gen_ai.request.model")
_TIER = ("openai.response.service_tier", "gen_ai.openai.response.service_tier")
_USER = ("user.id", "enduser.id")


@dataclass(slots=True)
class _Series:
    """What the counters of one set of attributes had counted at one moment."""

    names: str  # what tells the series from others
    attributes: Mapping[str, object]
    resource: Mapping[str, object]
    ts: int | None  # microseconds
    start: int  # microseconds, of the counter that began first
    cumulative: bool
    older: bool
    calls: int = 0
    counts: dict[tuple[str, str], int] = field(default_factory=dict)  # by kind and modality


def parse(record: Record) -> Iterator[Row]:
    """One row for each series of an export. Raises Rejected for what is no count."""
    if isinstance(record.get("resourceSpans"), list):
        raise Rejected(msg("spans between metrics: --source-format otlp reads the spans instead"))
    found: dict[tuple[object, ...], _Series] = {}
    for group in objects(record, "resourceMetrics"):
        resource = attributes(section(group, "resource"))
        for scope in objects(group, "scopeMetrics"):
            for metric in objects(scope, "metrics"):
                name = text(metric, "name")
                if name == _OLDER or name.startswith(_COUNTERS):
                    _read(metric, name, resource, found)
    told = {(one.names, one.ts) for one in found.values() if not one.older}
    for one in found.values():
        if not one.older or (one.names, one.ts) not in told:
            yield _row(one)


def _read(
    metric: Record,
    name: str,
    resource: Mapping[str, object],
    found: dict[tuple[object, ...], _Series],
) -> None:
    """Add one metric's points to the series they are of."""
    older = name == _OLDER
    data = section(metric, "histogram" if older else "sum")
    if not data or (not older and data.get("isMonotonic") is False):
        raise Rejected(msg("{name} is no counter", name=name))
    for point in objects(data, "dataPoints"):
        told = attributes(point)
        kind = _kind(told.pop(_TYPE, "") if older else name.removeprefix(_COUNTERS))
        modality = text(told, _MODALITY)
        series = _series(point, told, resource, older=older, cumulative=_cumulative(data))
        series = found.setdefault((series.names, series.ts, older), series)
        series.start = min(series.start, _start(point))
        place = (kind, modality)
        amount = _number(point, "sum" if older else _value_name(point))
        series.counts[place] = series.counts.get(place, 0) + amount
        if older:
            series.calls = max(series.calls, _number(point, "count"))


def _series(
    point: Record,
    told: Mapping[str, object],
    resource: Mapping[str, object],
    *,
    older: bool,
    cumulative: bool,
) -> _Series:
    # Writes to a cache may tell how long it keeps them; the other counters do not.
    own = {key: one for key, one in told.items() if key != _MODALITY and not key.endswith("ttl")}
    return _Series(
        names=json.dumps([dict(resource), own], sort_keys=True, default=str),
        attributes=own,
        resource=resource,
        ts=moment(point.get("timeUnixNano"), "timeUnixNano", "ns"),
        start=_start(point),
        cumulative=cumulative,
        older=older,
    )


def _kind(word: object) -> str:
    kind = _KINDS.get(word) if isinstance(word, str) else None
    if kind is None:
        raise Rejected(msg("tokens of the kind {kind} are not known", kind=f"{word}"[:60] or "-"))
    return kind


def _cumulative(data: Record) -> bool:
    told = data.get("aggregationTemporality")
    if told in (1, "AGGREGATION_TEMPORALITY_DELTA"):
        return False
    if told in (2, "AGGREGATION_TEMPORALITY_CUMULATIVE"):
        return True
    raise Rejected(msg("{key} says neither delta nor cumulative", key="aggregationTemporality"))


def _start(point: Record) -> int:
    return moment(point.get("startTimeUnixNano"), "startTimeUnixNano", "ns") or 0


def _value_name(point: Record) -> str:
    return "asInt" if point.get("asInt") is not None else "asDouble"


def _number(point: Record, name: str) -> int:
    told = point.get(name)
    if told is None:
        raise Rejected(msg("{key} is missing", key=name))
    return whole(integer(told) if isinstance(told, str) else told, name)


def _row(one: _Series) -> Row:
    def total(kind: str, *modalities: str) -> int:
        return sum(
            amount
            for (told, modality), amount in one.counts.items()
            if told == kind and (not modalities or modality in modalities)
        )

    given = inputs(
        total("input"),
        read=total("read"),
        write=total("write"),
        audio=total("input", "audio"),
        image=total("input", "image"),
    )
    made = outputs(
        total("output"),
        reasoning=total("reasoning"),
        audio=total("output", "audio"),
        image=total("output", "image"),
    )
    series = _identity(one)
    return Row(
        ts=one.ts,
        provider=_first(one.attributes, _PROVIDER),
        model=_first(one.attributes, _MODEL),
        tier=tier(_first(one.attributes, _TIER)),
        project=text(one.resource, "service.name"),
        user=_first(one.attributes, _USER) or _first(one.resource, _USER),
        tags=_tags(one, given.exclusive or made.exclusive),
        call_id=series,
        dedupe=series,
        rank=-1 if one.older else 0,
        calls=one.calls,
        input=given.input,
        cache_read=given.cache_read,
        cache_write_5m=given.cache_write_5m,
        audio_in=given.audio_in,
        audio_cached=given.audio_cached,
        image_in=given.image_in,
        output=made.output,
        reasoning=made.reasoning,
        audio_out=made.audio_out,
        image_out=made.image_out,
    )


def _identity(one: _Series) -> str:
    """Of sums since a start the last, which is the largest, counts; other sums are parts."""
    key = f"{one.names} {one.start}" if one.cumulative else f"{one.names} {one.start} {one.ts}"
    return f"metric:{hashlib.sha256(key.encode('utf-8', 'surrogatepass')).hexdigest()[:32]}"


def _first(found: Mapping[str, object], names: Iterable[str]) -> str:
    return next((told for name in names if (told := text(found, name))), "")


def _tags(one: _Series, exclusive: bool) -> str:
    names = ("deployment.environment.name", "deployment.environment")
    return labels({"env": _first(one.resource, names), "usage": "exclusive" if exclusive else ""})


FORMAT = Format(
    name="otel-metrics",
    title=msg("OpenTelemetry token counters (OTLP JSON lines)"),
    matches=lambda record: isinstance(record.get("resourceMetrics"), list),
    start=lambda: parse,
    sums=True,
)
