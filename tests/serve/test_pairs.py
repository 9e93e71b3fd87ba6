"""What real libraries sent, recorded: each call once with the right tokens, in any order.

The files are whole OTLP bodies of `tests/serve/clients/call.py`: an answer and a streamed answer
of each library against `provider.py`. What is recorded here is made anew by `test_clients.py`.
"""

import gzip
import itertools
import random
from pathlib import Path

import pytest

from sdlc_cli.cost.config import CostConfig
from sdlc_cli.cost.model import Told
from sdlc_cli.cost.options import Privacy
from sdlc_cli.cost.privacy import Veil
from sdlc_cli.cost.readers import otlp as otlp_reader
from sdlc_cli.cost.readers.pairs import Pairs
from sdlc_cli.cost.store import sqlite
from sdlc_cli.cost.store.ledger import Ledger
from tests.cost.readers import test_handed as handed

pytest.importorskip("opentelemetry.proto")

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from sdlc_cli.serve import otlp, receive
from sdlc_cli.serve.keys import EVERYBODY

DATA = Path(__file__).parents[1] / "data" / "serve"
OPENAI = {"input": 176, "cache_read": 1024, "cache_write_5m": 0, "output": 84, "reasoning": 256}
ANTHROPIC = {"input": 176, "cache_read": 1024, "cache_write_5m": 512, "output": 340, "reasoning": 0}
# Traceloop's library tells no reasoning tokens of a stream: they are in its output.
STREAMED = {**OPENAI, "output": 340, "reasoning": 0}
EXPECTED = {
    "anthropic": (ANTHROPIC, ANTHROPIC),
    "genai-anthropic": (ANTHROPIC, ANTHROPIC),
    "traceloop-anthropic": (ANTHROPIC, ANTHROPIC),
    "openinference-anthropic": (ANTHROPIC, ANTHROPIC),
    "genai-openai": (OPENAI, OPENAI),
    "traceloop-openai": (OPENAI, STREAMED),
    "openinference-openai": (OPENAI, OPENAI),
    "overlap-openai": (OPENAI, OPENAI),
    "litellm": (OPENAI, OPENAI),
}


def recorded(name: str) -> ExportTraceServiceRequest:
    body = gzip.decompress((DATA / f"{name}.pb.gz").read_bytes())
    return ExportTraceServiceRequest.FromString(body)


def single(request: ExportTraceServiceRequest) -> list[bytes]:
    """An export for each span of a request."""
    found = []
    for group in request.resource_spans:
        for library in group.scope_spans:
            for span in library.spans:
                one = ExportTraceServiceRequest()
                made = one.resource_spans.add()
                made.resource.CopyFrom(group.resource)
                scope = made.scope_spans.add()
                scope.scope.CopyFrom(library.scope)
                scope.spans.add().CopyFrom(span)
                found.append(one.SerializeToString())
    return found


def told(body: bytes) -> list[Told]:
    veil = Veil(CostConfig().privacy)
    export = receive.decode("traces", body, otlp.PROTOBUF, EVERYBODY, veil)
    assert not export.refused
    return export.told


def kept(file: Path, bodies: list[bytes], *, restarts: bool = False) -> list[dict[str, int]]:
    """The token counts of the calls that are in a ledger after these exports."""
    ledger, pairs = Ledger(file), Pairs()
    for body in bodies:
        batch = told(body)
        pairs.settle(batch)
        ledger.commit(batch)
        if restarts:
            ledger.close()
            ledger, pairs = Ledger(file), Pairs()
            pairs.seed(ledger.recent(1_000))
    ledger.close()
    rows = [{name: getattr(row, name) for name in OPENAI} for row in sqlite.read(file)]
    return sorted(rows, key=lambda row: row["reasoning"], reverse=True)


def test_every_recording_is_expected() -> None:
    assert {path.name.removesuffix(".pb.gz") for path in DATA.glob("*.pb.gz")} == set(EXPECTED)


@pytest.mark.parametrize("name", list(EXPECTED))
def test_what_a_library_sends_is_counted_once(tmp_path: Path, name: str) -> None:
    body = recorded(name).SerializeToString()

    assert kept(tmp_path / "a.db", [body]) == list(EXPECTED[name])


@pytest.mark.parametrize("name", list(EXPECTED))
def test_and_once_when_every_request_is_sent_three_times(tmp_path: Path, name: str) -> None:
    body = recorded(name).SerializeToString()

    assert kept(tmp_path / "a.db", [body] * 3) == list(EXPECTED[name])


@pytest.mark.parametrize("name", [name for name in EXPECTED if name != "litellm"])
def test_and_once_when_each_span_comes_by_itself_in_any_order(tmp_path: Path, name: str) -> None:
    spans = single(recorded(name))
    orders = list(itertools.permutations(spans))

    for number, order in enumerate(orders):
        file = tmp_path / f"{number}.db"
        assert kept(file, [*order, *order]) == list(EXPECTED[name]), number


@pytest.mark.parametrize(
    "name", ["overlap-openai", "openinference-anthropic", "traceloop-anthropic"]
)
def test_and_once_when_the_service_starts_anew_in_between(tmp_path: Path, name: str) -> None:
    spans = single(recorded(name))

    for number, order in enumerate((spans, spans[::-1])):
        file = tmp_path / f"{number}.db"
        assert kept(file, order, restarts=True) == list(EXPECTED[name])


def nested(*places: int, calls: tuple[int, ...], answer: str) -> bytes:
    """An export of spans of one trace, each right below the place before its own."""
    request = ExportTraceServiceRequest()
    spans = request.resource_spans.add().scope_spans.add()
    for place in places:
        span = spans.spans.add(trace_id=bytes([1]) * 16, span_id=place.to_bytes(8, "big"))
        span.parent_span_id = (place - 1).to_bytes(8, "big")
        if place not in calls:
            continue
        for key, text in (("gen_ai.operation.name", "chat"), ("gen_ai.request.model", "gpt-4o")):
            span.attributes.add(key=key).value.string_value = text
        if answer:
            span.attributes.add(key="gen_ai.response.id").value.string_value = answer
        for name, count in (("input", 176), ("output", 84)):
            span.attributes.add(key=f"gen_ai.usage.{name}_tokens").value.int_value = count
    done: bytes = request.SerializeToString()
    return done


@pytest.mark.parametrize("answer", ["", "r1"])
@pytest.mark.parametrize("depth", [2, 3, 9])
@pytest.mark.parametrize("upwards", [True, False])
def test_and_once_when_other_spans_lie_between_and_the_service_starts_anew(
    tmp_path: Path, answer: str, depth: int, upwards: bool
) -> None:
    lower = nested(*range(2, depth + 2), calls=(depth + 1,), answer=answer)
    upper = nested(1, calls=(1,), answer="")
    bodies = [lower, upper] if upwards else [upper, lower]

    (row,) = kept(tmp_path / "a.db", bodies, restarts=True)

    assert (row["input"], row["output"]) == (176, 84)


def test_and_once_when_all_libraries_send_at_once(tmp_path: Path) -> None:
    spans = [span for name in EXPECTED for span in single(recorded(name))]
    random.Random(1).shuffle(spans)

    found = kept(tmp_path / "a.db", spans * 2)

    wanted = sorted(repr(row) for pair in EXPECTED.values() for row in pair)
    assert sorted(map(repr, found)) == wanted


def test_calls_that_are_alike_are_not_taken_for_one(tmp_path: Path) -> None:
    """Two wrapped calls of equal size at once: two wrappers, two of the library's own."""
    request = recorded("openinference-anthropic")
    other = recorded("openinference-anthropic")
    for group in other.resource_spans:
        for library in group.scope_spans:
            for span in library.spans:
                span.trace_id = bytes(byte ^ 1 for byte in span.trace_id)
                for pair in span.attributes:
                    if pair.key == "gen_ai.response.id":
                        pair.value.string_value += "-other"
    spans = [*single(request), *single(other)]

    for seed in range(12):
        random.Random(seed).shuffle(spans)
        assert kept(tmp_path / f"{seed}.db", spans) == [ANTHROPIC] * 4


def test_a_wrapper_in_another_is_the_same_call_in_any_order(tmp_path: Path) -> None:
    spans = [
        handed.span(1, output=3),
        handed.span(2, 1, output=4),
        handed.span(3, 2, answer="a"),
    ]

    for number, order in enumerate(itertools.permutations(spans)):
        file = tmp_path / f"{number}.db"
        ledger, pairs = Ledger(file), Pairs()
        for one in (*order, *order):
            batch, _ = otlp_reader.read((one,), whole=False)
            pairs.settle(batch)
            ledger.commit(batch)
        ledger.close()
        assert [row.output for row in sqlite.read(file)] == [5], number


def test_users_may_be_kept_as_keyed_hashes() -> None:
    request = recorded("genai-openai")
    for group in request.resource_spans:
        pair = group.resource.attributes.add(key="user.id")
        pair.value.string_value = "ada@example.org"
    veil = Veil(Privacy(users="hash", key="k" * 16))

    export = receive.decode("traces", request.SerializeToString(), otlp.PROTOBUF, EVERYBODY, veil)

    (user,) = {one.row.user for one in export.told}
    assert user.startswith("user-")
    assert veil.show("user", user) == user, "what is hashed is not hashed again"
