"""The compiled reader of exports tells what the plain one does, of whatever is sent.

Both read random spans in which every name that matters occurs, with usual values and odd ones, and
bodies that were damaged; what the compiled one does not take, it leaves to the other.
"""

import gzip
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("opentelemetry.proto")

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import (
    AnyValue,
    ArrayValue,
    KeyValue,
    KeyValueList,
)
from opentelemetry.proto.trace.v1.trace_pb2 import Span as Message

from sdlc_cli.cost.engine.native import build
from sdlc_cli.cost.model import Row
from sdlc_cli.cost.readers import gen_ai
from sdlc_cli.serve import otlp, plain, proto
from sdlc_cli.serve.proto import Malformed
from tests.serve.test_fuzz import mutated

DATA = Path(__file__).parents[1] / "data" / "serve"
NAMES = (*sorted(gen_ai.ATTRIBUTES), "gen_ai.prompt", "")
USUAL = (*gen_ai.PROVIDER, *gen_ai.MODEL, gen_ai.OPERATION, gen_ai.INPUT[0], gen_ai.OUTPUT[0])
WORDS = (
    *("chat", "openai", "anthropic", "gpt-4o", "invoke_agent", "execute_tool", "LLM", "CHAIN"),
    *("flex", "default", " null ", "unknown", "", "x" * 401, "é" * 250, "\0", "ü"),
)
COUNTS = (*(0, 1, 7, 340, 1200), *(-1, 2**40 - 1, 2**40, 2**53, 2**63 - 1))
SCOPES = ("opentelemetry.instrumentation.openai", "com.anthropic.sdk", "litellm", "")


@pytest.fixture(scope="module", autouse=True)
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """The compiled reader, whether the installation has one or not."""
    if plain.loaded() is not None:
        yield
        return
    made = build.compiled(tmp_path_factory.mktemp("native"))
    if made is None:
        pytest.skip("there is no C compiler")
    with pytest.MonkeyPatch.context() as patch:
        plain.loaded.cache_clear()
        patch.setattr(plain, "library", lambda: made)
        yield
    plain.loaded.cache_clear()


def value(chance: random.Random, name: str, *, odd: bool = True) -> AnyValue:
    """What an attribute says: what its name promises, or mostly so."""
    counts = "token" in name and "usage_object" not in name
    match chance.randrange(12) if odd else 12:
        case 0:
            return AnyValue(double_value=chance.choice((0.0, 12.0, 1.5, -1.0)))
        case 1:
            return AnyValue(bool_value=chance.random() < 0.5)
        case 2:
            return chance.choice(
                (AnyValue(), AnyValue(bytes_value=b"\xff"), AnyValue(array_value=ArrayValue()),
                 AnyValue(kvlist_value=KeyValueList(values=[KeyValue(key="a")])))
            )  # fmt: skip
        case 3:
            counts = not counts
    if counts:
        return AnyValue(
            int_value=chance.choice(COUNTS if odd and chance.random() < 0.2 else COUNTS[:5])
        )
    return AnyValue(
        string_value=chance.choice(WORDS if odd and chance.random() < 0.3 else WORDS[:4])
    )


def span(chance: random.Random, above: list[bytes]) -> Message:
    """A span, in one trace with those `above`."""
    made = Message(
        trace_id=chance.choice((b"t" * 16,) * 12 + (bytes(16), b"")),
        span_id=chance.choice((chance.randbytes(8),) * 12 + (bytes(8), b"")),
        parent_span_id=chance.choice((*above, b"", b"elsewhere"[:8], bytes(8))),
        name="chat",
        kind=chance.randrange(6),  # type: ignore[arg-type]
        start_time_unix_nano=chance.choice((0, 999, 1_780_000_000 * 10**9, 2**64 - 1)),
        flags=1,
    )
    if chance.random() < 0.2:
        made.status.code = chance.randrange(3)  # type: ignore[assignment]
        made.status.message = "why"
    if chance.random() < 0.1:
        made.events.add(name="e").attributes.add(key="k", value=value(chance, "k"))
        made.links.add(trace_id=b"x")
    names = list(USUAL) if chance.random() < 0.8 else []
    if chance.random() < 0.7:
        names.append(gen_ai.RESPONSE)
    names += chance.choices(NAMES, k=chance.choice((0, 0, 1, 2, 8)))
    odd = chance.random() < 0.3
    for name in names:
        made.attributes.add(key=name, value=value(chance, name, odd=odd))
    if chance.random() < 0.9:
        for pair in made.attributes:
            if pair.key == gen_ai.OPERATION:
                pair.value.string_value = "chat"
            if pair.key == gen_ai.RESPONSE:
                pair.value.string_value = f"id-{chance.getrandbits(40)}"
    return made


def export(chance: random.Random) -> bytes:
    """An export of some libraries of some services."""
    request = ExportTraceServiceRequest()
    for _ in range(chance.randrange(3)):
        group = request.resource_spans.add(schema_url="s")
        for name in chance.sample(("service.name", "user.id", "deployment.environment", "x"), 2):
            odd = chance.random() < 0.2
            group.resource.attributes.add(key=name, value=value(chance, name, odd=odd))
        for _ in range(chance.randrange(3)):
            library = group.scope_spans.add()
            library.scope.name = chance.choice(SCOPES)
            above: list[bytes] = []
            for _ in range(chance.randrange(8)):
                library.spans.append(span(chance, above))
                above.append(library.spans[-1].span_id)
    return bytes(request.SerializeToString())


def told(export: Any) -> Any:
    """All that an export tells, to be compared; in which order spans are refused is open."""
    refused = sorted(str(one.reason) for one in export.refused)
    return export.items, refused, [(one.row, one.span, one.above) for one in export.told]


def plainly(body: bytes) -> Any:
    """What the library of protobuf makes of it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(plain, "read", lambda _: None)
        return told(otlp.traces(body, otlp.PROTOBUF))


@pytest.mark.parametrize("seed", range(4))
def test_random_spans_mean_the_same(seed: int) -> None:
    chance = random.Random(seed)
    calls = refused = 0
    for _ in range(300):
        body = export(chance)

        found = plain.read(body)

        assert found is not None
        assert told(found) == plainly(body)
        calls += len(found.told)
        refused += len(found.refused)
    assert calls > 300
    assert refused > 20


def test_a_damaged_body_is_read_alike_or_left_to_the_other() -> None:
    chance = random.Random(3)
    whole = [gzip.decompress(file.read_bytes()) for file in sorted(DATA.glob("*.pb.gz"))]
    whole += [export(chance) for _ in range(40)]
    taken = 0
    for _ in range(4_000):
        body = mutated(chance, chance.choice(whole))
        found = plain.read(body)
        if found is not None:
            taken += 1
            assert told(found) == plainly(body)
    assert 100 < taken < 3_500


@pytest.mark.parametrize("file", sorted(DATA.glob("*.pb.gz")), ids=lambda file: file.name)
def test_exports_of_real_libraries_are_taken(file: Path) -> None:
    body = gzip.decompress(file.read_bytes())

    found = plain.read(body)

    assert found is not None
    assert told(found) == plainly(body)


def test_usual_spans_need_no_other_reader(monkeypatch: pytest.MonkeyPatch) -> None:
    body = gzip.decompress((DATA / "genai-openai.pb.gz").read_bytes())

    def never(*_: object) -> None:
        raise AssertionError("a span was read one by one")

    monkeypatch.setattr(proto, "span", never)
    found = plain.read(body)

    assert found is not None
    assert found.told
    assert all(isinstance(one.row, Row) for one in found.told)


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"\x0a", id="cut off"),
        pytest.param(b"\x0a\x02\x0b\x0c", id="a group"),
        pytest.param(b"\x0a\x80\x80\x80\x80\x80\x80\x80\x80\x80\x02", id="a length of 71 bits"),
        pytest.param(b"\x00\x00", id="a field 0"),
        pytest.param(b"\x0a\x04\x1a\x02\xc0\xaf", id="no UTF-8"),
        pytest.param(b"\x0a\x04\x0a\x00\x0a\x00", id="one resource twice"),
        pytest.param(b"\x08\x00", id="a number where spans should be"),
        pytest.param(b"\x0a\x07\x12\x05\x12\x03\x0a\x01\x07", id="a trace's id of one byte"),
    ],
)
def test_what_is_not_plainly_right_is_left_to_the_other(body: bytes) -> None:
    assert plain.read(body) is None


def test_a_body_of_millions_of_empty_spans_takes_no_memory() -> None:
    spans = b"\x12\x00" * 40_000
    inner = b"\x12" + varint(len(spans)) + spans
    body = b"\x0a" + varint(len(inner)) + inner

    assert plain.read(body) is None


def test_nesting_without_end_is_left_to_the_other() -> None:
    any_value = b"\x0a\x00"
    for _ in range(3_000):
        array = b"\x0a" + varint(len(any_value)) + any_value
        any_value = b"\x2a" + varint(len(array)) + array
    pair = b"\x0a\x01k\x12" + varint(len(any_value)) + any_value
    for tag in (b"\x4a", b"\x12", b"\x12", b"\x0a"):
        pair = tag + varint(len(pair)) + pair

    assert plain.read(pair) is None
    with pytest.raises(Malformed):
        otlp.traces(pair, otlp.PROTOBUF)


def varint(number: int) -> bytes:
    return bytes(AnyValue(int_value=number).SerializeToString())[1:]
