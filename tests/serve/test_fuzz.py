"""Mutated captures of real exports: whatever comes, it is answered, never with a 5xx.

`SDLC_FUZZ_REQUESTS` says how many; 100,000 take some minutes.
"""

import gzip
import http.client
import json
import os
import random
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("opentelemetry.proto")

from google.protobuf.json_format import MessageToDict
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

REQUESTS = int(os.environ.get("SDLC_FUZZ_REQUESTS", "5000"))
DATA = Path(__file__).parents[1] / "data" / "serve"
ODD = (
    *(b"\xff", b"\0", b"{", b"[", b'"', b"\\", b"NaN", b"-1", b"1e999", b"9" * 40, b"null"),
    *(b"\x80", b"\\ud800", b"\xf0\x9f\x98\x80", b"\x08", b"\x12\xff\xff\xff\xff\x0f"),
)
ODD_VALUES: tuple[object, ...] = (
    *(None, True, -1, 0, 2**63, 2**64, 10**40, 1.5, "", "x" * 5_000, [], {}, [[]], "\x00", "١٢"),
    *({"a": {}}, {"intValue": {}}, {"intValue": "--"}, {"doubleValue": "NaN"}, {"arrayValue": 5}),
)


def mutated(chance: random.Random, body: bytes) -> bytes:
    """Some bytes changed, added, taken out, repeated or cut off."""
    made = bytearray(body)
    for _ in range(chance.randrange(1, 6)):
        at = chance.randrange(len(made) + 1)
        match chance.randrange(5):
            case 0:
                made[at : at + 1] = bytes([chance.randrange(256)])
            case 1:
                made[at:at] = chance.choice(ODD)
            case 2:
                del made[at : at + chance.randrange(1, 40)]
            case 3:
                made[at:at] = made[at : at + chance.randrange(1, 200)]
            case _:
                del made[at:]
    return bytes(made)


def twisted(chance: random.Random, value: Any) -> Any:
    """JSON with some values replaced by odd ones: still JSON, so it is looked into."""
    if chance.random() < 0.02:
        return chance.choice(ODD_VALUES)
    if isinstance(value, dict):
        return {key: twisted(chance, one) for key, one in value.items() if chance.random() > 0.01}
    if isinstance(value, list):
        return [twisted(chance, one) for one in value]
    return value


Request = tuple[str, bytes, dict[str, str]]


def request(chance: random.Random, bodies: list[bytes], records: list[Any]) -> Request:
    """A path, a body and headers."""
    path = chance.choice(("/v1/traces",) * 6 + ("/v1/metrics", "/v1/logs", "/api/v1/cost/track"))
    if chance.random() < 0.5:
        body, kind = mutated(chance, chance.choice(bodies)), "application/x-protobuf"
    else:
        record = chance.choice(records)
        if path == "/api/v1/cost/track":
            record = {"model": "m", "input_tokens": 5, "tags": {"a": "b"}, "time": "2026-01-01"}
        body = json.dumps(twisted(chance, record)).encode()
        kind = "application/json"
        if chance.random() < 0.3:
            body = mutated(chance, body)
    if path == "/api/v1/cost/track" and chance.random() < 0.9:
        kind = "application/json"
    headers = {"Content-Type": kind}
    if chance.random() < 0.2:
        body = gzip.compress(body)
        headers["Content-Encoding"] = "gzip"
        if chance.random() < 0.5:
            body = mutated(chance, body)
    return path, body, headers


def test_mutated_requests_never_break_it(start: Any, tmp_path: Path) -> None:
    service = start(tmp_path, "--rate-limit", "0")
    bodies = [gzip.decompress(file.read_bytes()) for file in sorted(DATA.glob("*.pb.gz"))]
    records = [MessageToDict(ExportTraceServiceRequest.FromString(body)) for body in bodies]
    chance = random.Random(7)
    connection = http.client.HTTPConnection("127.0.0.1", service.port, timeout=30)
    counted: dict[int, int] = {}
    for _ in range(REQUESTS):
        path, body, headers = request(chance, bodies, records)
        connection.request("POST", path, body, headers)
        answer = connection.getresponse()
        answer.read()
        assert answer.status < 500, (path, headers, body)
        counted[answer.status] = counted.get(answer.status, 0) + 1
    connection.close()

    assert set(counted) <= {200, 400, 413, 415}
    assert counted[200] > REQUESTS / 10
    assert counted[400] > REQUESTS / 10
    assert service.get("/health/ready").status == 200
    assert not [line for line in service.log if line["event"] == "bug"]
    report = service.get("/api/v1/cost/report?by=model").data
    assert report["calls"] == len(service.rows())
