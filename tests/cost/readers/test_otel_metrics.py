"""OpenTelemetry's token counters."""

import pytest

from sdlc_cli.cost.model import Rejected, Row
from sdlc_cli.cost.readers import Record, otel_metrics, otlp
from sdlc_cli.cost.readers.detect import detect

START, END = 1_777_890_600, 1_777_890_660
USAGE = "gen_ai.client.inference.usage."
DELTA, CUMULATIVE = 1, 2


def words(**told: str) -> list[dict[str, object]]:
    return [
        {"key": f"gen_ai.{key.replace('_', '.')}", "value": {"stringValue": value}}
        for key, value in told.items()
    ]


def point(value: object, *, start: int = START, end: int = END, **told: str) -> dict[str, object]:
    told = {"provider_name": "openai", "request_model": "gpt-4o", **told}
    times = {"startTimeUnixNano": f"{start}000000000", "timeUnixNano": f"{end}000000000"}
    return {"attributes": words(**told), **times, "asInt": value}


def sized(total: float, calls: int, kind: str) -> dict[str, object]:
    made = point(None, token_type=kind)
    del made["asInt"]
    return {**made, "sum": total, "count": f"{calls}"}


def counter(name: str, *points: object, temporality: object = CUMULATIVE) -> dict[str, object]:
    data = {"aggregationTemporality": temporality, "isMonotonic": True, "dataPoints": list(points)}
    return {"name": USAGE + name, "sum": data}


def older(*points: object) -> dict[str, object]:
    data = {"aggregationTemporality": DELTA, "dataPoints": list(points)}
    return {"name": "gen_ai.client.token.usage", "histogram": data}


def export(*metrics: object, service: str = "shop") -> Record:
    name = {"key": "service.name", "value": {"stringValue": service}}
    return {
        "resourceMetrics": [
            {"resource": {"attributes": [name]}, "scopeMetrics": [{"metrics": list(metrics)}]}
        ]
    }


def rows(*records: Record) -> list[Row]:
    parse = otel_metrics.FORMAT.start()
    return [row for record in records for row in parse(record)]


def test_the_counters_of_one_moment_are_one_row_of_disjoint_tokens() -> None:
    (row,) = rows(
        export(
            counter("input_tokens", point("900"), point(100, token_modality="audio")),
            counter("cache_read.input_tokens", point(300, start=START + 5)),
            counter("cache_write.input_tokens", point(200)),
            counter("output_tokens", point(80)),
            counter("reasoning.output_tokens", point(30)),
        )
    )

    assert (row.input, row.audio_in, row.cache_read, row.cache_write_5m) == (400, 100, 300, 200)
    assert (row.output, row.reasoning, row.calls) == (50, 30, 0)
    assert (row.provider, row.model, row.project) == ("openai", "gpt-4o", "shop")
    assert row.ts == END * 10**6


def test_a_sum_since_the_start_is_replaced_by_the_next_one() -> None:
    first = export(counter("input_tokens", point(100)))
    second = export(counter("input_tokens", point(250, end=END + 60)))

    one, two = rows(first, second)

    assert one.dedupe == two.dedupe
    assert (one.input, two.input) == (100, 250)


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(export(counter("input_tokens", point(9, start=START + 1))), id="restarted"),
        pytest.param(export(counter("input_tokens", point(9)), service="api"), id="elsewhere"),
        pytest.param(export(counter("input_tokens", point(9, request_model="o3"))), id="model"),
    ],
)
def test_other_series_add_up(other: Record) -> None:
    one, two = rows(export(counter("input_tokens", point(100))), other)

    assert one.dedupe != two.dedupe


def test_deltas_add_up_and_a_repeated_export_does_not() -> None:
    def delta(end: int) -> Record:
        told = point(100, start=end - 60, end=end)
        return export(counter("input_tokens", told, temporality="AGGREGATION_TEMPORALITY_DELTA"))

    one, two, again = rows(delta(END), delta(END + 60), delta(END))

    assert len({one.dedupe, two.dedupe}) == 2
    assert again.dedupe == one.dedupe


def test_histograms_of_single_operations_are_never_added() -> None:
    same = {
        **older(sized(100.0, 1, "input")),
        "name": "gen_ai.client.inference.operation.input_tokens",
    }
    (row,) = rows(export(counter("input_tokens", point(100)), same))

    assert row.input == 100


def test_the_older_histogram_counts_where_no_counter_does() -> None:
    tokens = older(sized(500.0, 4, "input"), sized(70.0, 4, "output"))
    (alone,) = rows(export(tokens))
    (beside,) = rows(export(tokens, counter("input_tokens", point(500))))

    assert (alone.input, alone.output, alone.calls) == (500, 70, 4)
    assert (beside.input, beside.output, beside.calls) == (500, 0, 0)


@pytest.mark.parametrize(
    ("metric", "reason"),
    [
        (counter("input_tokens", point("1e3")), "asInt is not a number"),
        (counter("input_tokens", point(-1)), "asInt is negative"),
        (counter("input_tokens", point(True)), "asInt is not a number"),
        (counter("input_tokens", point(2**53)), "asInt is too large"),
        (counter("input_tokens", point(None)), "asDouble is missing"),
        (counter("input_tokens", point(1), temporality=0), "neither delta nor cumulative"),
        (counter("thought.tokens", point(1)), "tokens of the kind thought.tokens are not known"),
        (older(sized(1.5, 1, "input")), "sum is not a whole number"),
        (older(sized(1.0, 1, "total")), "tokens of the kind total are not known"),
        ({"name": f"{USAGE}input_tokens", "gauge": {"dataPoints": []}}, "is no counter"),
        (counter("input_tokens", 3), "dataPoints holds something else than objects"),
    ],
)
def test_what_is_no_count_is_refused(metric: dict[str, object], reason: str) -> None:
    with pytest.raises(Rejected) as refused:
        rows(export(metric))

    assert reason in str(refused.value.reason)


def test_metrics_of_other_kinds_count_nothing() -> None:
    assert rows(export({"name": "http.server.duration", "histogram": {"dataPoints": [1]}})) == []


def test_a_file_of_metrics_is_told_from_one_that_has_spans_too() -> None:
    metrics = export(counter("input_tokens", point(100)))
    spans: Record = {"resourceSpans": []}

    assert detect([metrics]) is otel_metrics.FORMAT
    assert detect([metrics, metrics, spans]) is otlp.FORMAT
    assert list(otlp.FORMAT.start()(metrics)) == []


def test_spans_late_in_a_file_of_metrics_are_refused_with_what_reads_them() -> None:
    with pytest.raises(Rejected) as refused:
        rows({"resourceSpans": []})

    assert "--source-format otlp" in str(refused.value.reason)
