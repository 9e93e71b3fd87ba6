"""Names that were made up to have one hash cost no more than others."""

import struct
import time

import pytest

pytest.importorskip("opentelemetry.proto")

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from sdlc_cli.serve import otlp, plain
from tests.serve.test_plain import compiled  # noqa: F401 - a fixture for all that is here

LETTERS = [bytes([a, b, c]) for a in range(97, 123) for b in range(97, 123) for c in range(97, 107)]


def body(models: list[str]) -> bytes:
    """An export with a call of each model."""
    request = ExportTraceServiceRequest()
    spans = request.resource_spans.add().scope_spans.add()
    for number, model in enumerate(models):
        span = spans.spans.add(trace_id=bytes([1]) * 16, span_id=(number + 1).to_bytes(8, "big"))
        for key, text in (("gen_ai.provider.name", "openai"), ("gen_ai.request.model", model)):
            span.attributes.add(key=key).value.string_value = text
        span.attributes.add(key="gen_ai.usage.input_tokens").value.int_value = 1
    done: bytes = request.SerializeToString()
    return done


def alike(blocks: int) -> list[str]:
    """Names of `blocks` blocks, each one of two that the lower half of the hash cannot tell."""

    def fed(state: int, text: bytes) -> int:
        for byte in text:
            state = (state ^ byte) * 16777619 & 0xFFFF
        return state

    state = fed(2166136261, struct.pack("<3q", 0, 0, 1))
    state = fed(state * 31 + len(b"openai") & 0xFFFF, b"openai")
    state = state * 31 + 3 * blocks & 0xFFFF
    pairs: list[tuple[bytes, bytes]] = []
    for _ in range(blocks):
        seen: dict[int, bytes] = {}
        for block in LETTERS:
            after = fed(state, block)
            if after in seen:
                pairs.append((seen[after], block))
                state = after
                break
            seen[after] = block
    assert len(pairs) == blocks
    return [
        b"".join(pair[n >> place & 1] for place, pair in enumerate(pairs)).decode()
        for n in range(2**blocks)
    ]


def spent(message: bytes) -> float:
    began = time.process_time()
    library, export = plain.loaded(), plain._Export()
    assert library
    library.sdlc_otlp_read(message, len(message), plain._NAMES, len(plain._NAMES), export)
    library.sdlc_otlp_free(export)
    return time.process_time() - began


def test_profiles_of_one_hash_are_left_to_the_other_reader() -> None:
    models = alike(9)
    message = body(models)

    assert plain.read(message) is None
    export = otlp.traces(message, otlp.PROTOBUF)
    assert [told.row.model for told in export.told] == models


def test_they_cost_the_compiled_reader_no_more_than_others() -> None:
    made_up = body(alike(13))
    honest = body([f"model-{number:032}" for number in range(2**13)])

    assert spent(made_up) < 3 * spent(honest)  # it was a hundred times as much


def test_many_honest_profiles_are_read_by_the_compiled_reader() -> None:
    models = [f"ft:gpt-4o:{number * 7919 % 99991}" for number in range(4_000)]

    found = plain.read(body(models))

    assert found is not None
    assert [told.row.model for told in found.told] == models


def test_as_many_as_a_body_may_have_are_found() -> None:
    message = body([f"user-{number}" for number in range(32_768)])
    library, export = plain.loaded(), plain._Export()
    assert library

    good = library.sdlc_otlp_read(message, len(message), plain._NAMES, len(plain._NAMES), export)
    profiles = export.profiles.rows
    library.sdlc_otlp_free(export)

    assert (good, profiles) == (1, 32_768)
