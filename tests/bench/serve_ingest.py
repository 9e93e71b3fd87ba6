"""How many calls a second `sdlc serve` keeps, each acknowledged after its fsync.

Run: python tests/bench/serve_ingest.py [--seconds 10] [--only spans|paced|posts]

It starts the service on loopback and sends beside it, in a process of its own: exports of 512 new
spans over 12 connections as fast as they are answered; then 5,000 spans a second, paced; then posts
of single calls, 1,200 a second and more. It prints rates, the time until an answer, the resident
memory of the service and its CPU time for a call, and whether every acknowledged call is in the
store. Figures of one machine: it judges nothing.
"""

import argparse
import http.client
import json
import multiprocessing
import os
import random
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

BATCH = 512
PROTOBUF = {"Content-Type": "application/x-protobuf"}


class Running:
    """`sdlc serve` on a port of its own. `with Running(folder) as service: service.port`."""

    def __init__(self, folder: Path, *words: str) -> None:
        self.folder = folder
        self.store = folder / "usage.db"
        self._words = words

    def __enter__(self) -> "Running":
        self.process = subprocess.Popen(
            [sys.executable, "-m", "sdlc_cli", "serve", "--port", "0", "--rate-limit", "0",
             "--store", f"sqlite:////{self.store}", *self._words],
            stderr=subprocess.PIPE, cwd=self.folder, text=True,
        )  # fmt: skip
        assert self.process.stderr
        for line in self.process.stderr:
            if '"listening"' in line:
                self.port = int(json.loads(line)["address"].rpartition(":")[2])
                break
        threading.Thread(target=self.process.stderr.read, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.process.terminate()
        self.process.wait(60)

    def cpu(self) -> float:
        """User and system seconds of the service."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def peak(self) -> float:
        """MiB that were resident at most."""
        for line in Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith("VmHWM"):
                return int(line.split()[1]) / 1024
        return 0.0


def export(count: int, seed: int) -> ExportTraceServiceRequest:
    """Spans as the instrumentation of OpenAI's library sends them."""
    chance = random.Random(seed)
    request = ExportTraceServiceRequest()
    group = request.resource_spans.add()
    _put(
        group.resource,
        **{
            "service.name": "shop",
            "telemetry.sdk.name": "opentelemetry",
            "telemetry.sdk.language": "python",
            "service.instance.id": "a",
        },
    )
    library = group.scope_spans.add()
    library.scope.name = "opentelemetry.instrumentation.genai.openai"
    for _ in range(count):
        span = library.spans.add()
        span.trace_id, span.span_id = chance.randbytes(16), chance.randbytes(8)
        span.parent_span_id = chance.randbytes(8)
        span.name = "chat gpt-4o"
        span.kind = Span.SPAN_KIND_CLIENT
        span.start_time_unix_nano = time.time_ns()
        span.end_time_unix_nano = span.start_time_unix_nano + 10**9
        _put(span, **{
            "gen_ai.operation.name": "chat", "gen_ai.provider.name": "openai",
            "gen_ai.request.model": chance.choice(("gpt-4o", "gpt-4o-mini", "gpt-4.1")),
            "gen_ai.response.model": "gpt-4o-2024-08-06", "server.address": "api.openai.com",
            "server.port": 443, "gen_ai.request.temperature": 1, "gen_ai.request.max_tokens": 800,
            "gen_ai.response.id": f"chatcmpl-{chance.getrandbits(96):024x}",
            "gen_ai.usage.input_tokens": chance.randrange(1, 5000),
            "gen_ai.usage.output_tokens": chance.randrange(1, 900),
            "gen_ai.usage.cache_read.input_tokens": 0,
            "gen_ai.usage.reasoning.output_tokens": 0,
        })  # fmt: skip
    return request


def _put(holder: Any, **attributes: object) -> None:
    for key, value in attributes.items():
        pair = holder.attributes.add(key=key)
        if isinstance(value, int):
            pair.value.int_value = value
        else:
            pair.value.string_value = str(value)


def sender(
    port: int,
    bodies: list[bytes],
    seconds: float,
    pace: float,
    path: str,
    headers: dict[str, str],
    out: Any,
    offset: float,
) -> None:
    """Posts bodies one after the other; `pace` is the time between two, 0 for none.

    `offset` is by how much of it the first one is late, so that senders do not send at once.
    """
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    times, errors, at = [], 0, 0
    began = time.perf_counter()
    while at < len(bodies) and time.perf_counter() - began < seconds:
        if pace:
            ahead = began + (at + offset) * pace - time.perf_counter()
            if ahead > 0:
                time.sleep(ahead)
        start = time.perf_counter()
        connection.request("POST", path, bodies[at], headers)
        answer = connection.getresponse()
        answer.read()
        times.append(time.perf_counter() - start)
        errors += answer.status != 200
        at += 1
    out.put((at, errors, times, time.perf_counter() - began))


def drive(
    port: int,
    bodies: list[list[bytes]],
    seconds: float,
    pace: float,
    path: str,
    headers: dict[str, str],
) -> None:
    """The load generator: one process, a thread for each list of bodies."""
    out: Any = __import__("queue").Queue()
    threads = [
        threading.Thread(
            target=sender,
            args=(port, one, seconds, pace, path, headers, out, place / len(bodies)),
        )
        for place, one in enumerate(bodies)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    results = [out.get() for _ in threads]
    sys.stdout.write(json.dumps([
        sum(one[0] for one in results), sum(one[1] for one in results),
        sorted(time for one in results for time in one[2]), max(one[3] for one in results),
    ]))  # fmt: skip


def measured(
    service: Running,
    title: str,
    bodies: list[list[bytes]],
    each: int,
    seconds: float,
    pace: float,
    path: str,
    headers: dict[str, str],
) -> int:
    """Drives the service from a process of its own, and prints what came of it."""
    cpu = service.cpu()
    receiving, sending = multiprocessing.Pipe(duplex=False)
    context = multiprocessing.get_context("fork")
    process = context.Process(
        target=_piped, args=(sending, service.port, bodies, seconds, pace, path, headers)
    )
    process.start()
    sent, errors, times, took = receiving.recv()
    process.join()
    cpu = service.cpu() - cpu
    print(
        f"{title}: {sent * each / took:,.0f} calls/s, {errors} errors of {sent};"
        f" p50 {_at(times, 0.5)}, p95 {_at(times, 0.95)}, p99 {_at(times, 0.99)} ms;"
        f" {cpu / max(1, sent * each) * 1e6:.0f} us CPU a call; peak {service.peak():.0f} MiB"
    )
    return int(sent - errors) * each


def _piped(to: Any, *given: Any) -> None:
    import contextlib
    import io

    text = io.StringIO()
    with contextlib.redirect_stdout(text):
        drive(*given)
    to.send(json.loads(text.getvalue()))


def _at(times: list[float], share: float) -> str:
    return f"{1000 * times[min(len(times) - 1, int(share * len(times)))]:.0f}"


def main() -> int:
    """Prints the figures."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--only", default="")
    asked = parser.parse_args()
    seconds, kept = asked.seconds, 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with Running(folder) as service:
            if asked.only in ("", "spans"):
                number = int(48_000 * seconds / BATCH / 12)
                bodies = [
                    [export(BATCH, 1000 * i + j).SerializeToString() for j in range(number)]
                    for i in range(12)
                ]
                kept += measured(
                    service, "as fast as it goes", bodies, BATCH, seconds, 0, "/v1/traces", PROTOBUF
                )
            if asked.only in ("", "paced"):
                pace = 8 * BATCH / 5_000
                bodies = [
                    [
                        export(BATCH, 10**6 + 1000 * i + j).SerializeToString()
                        for j in range(int(seconds / pace))
                    ]
                    for i in range(8)
                ]
                kept += measured(
                    service,
                    "5,000 spans/s",
                    bodies,
                    BATCH,
                    2 * seconds,
                    pace,
                    "/v1/traces",
                    PROTOBUF,
                )
            if asked.only in ("", "posts"):
                pace = 48 / 1_250
                bodies = [
                    [
                        json.dumps(
                            {
                                "model": "gpt-4o",
                                "provider": "openai",
                                "project": "shop",
                                "input_tokens": 5,
                                "output_tokens": j,
                                "call_id": f"p-{i}-{j}",
                            }
                        ).encode()
                        for j in range(int(seconds / pace))
                    ]
                    for i in range(48)
                ]
                kept += measured(
                    service,
                    "posts of one call",
                    bodies,
                    1,
                    2 * seconds,
                    pace,
                    "/api/v1/cost/track",
                    {"Content-Type": "application/json"},
                )
        con = sqlite3.connect(service.store)
        (rows,) = con.execute("SELECT count(*) FROM sdlc_usage").fetchone()
        con.close()
        print(f"acknowledged {kept:,}, in the store {rows:,}")
    return 0 if rows >= kept else 1


if __name__ == "__main__":
    sys.exit(main())
