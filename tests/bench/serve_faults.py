"""Long trials of `sdlc serve`: kills, a PostgreSQL that is away, half-open connections.

Run: python tests/bench/serve_faults.py kill [--times 200]
     python tests/bench/serve_faults.py outage [--seconds 60] [--rate 2000]
     python tests/bench/serve_faults.py loris [--connections 500]

Each prints what was acknowledged, what is there, and how long it took; it ends with 1 when an
acknowledged call is missing or counted twice. The tests run the short forms.
"""

import argparse
import http.client
import json
import socket
import sqlite3
import sys
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

from serve_ingest import Running  # type: ignore[import-not-found]

CALL = {"model": "gpt-4o", "provider": "openai", "input_tokens": 10, "output_tokens": 5}
JSON = {"Content-Type": "application/json"}
EACH = 50  # calls in a request


def calls(name: str) -> bytes:
    """The body of one request."""
    return json.dumps([{**CALL, "call_id": f"{name}/{i}"} for i in range(EACH)]).encode()


def client(port: int, name: str, kept: set[str], unsure: set[str]) -> None:
    """Sends until the service is gone."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    number = 0
    while True:
        request = f"{name}-{number}"
        number += 1
        try:
            connection.request("POST", "/api/v1/cost/track", calls(request), JSON)
            answer = connection.getresponse()
            answer.read()
        except (OSError, http.client.HTTPException):
            unsure.add(request)
            return
        (kept if answer.status == 200 else unsure).add(request)


def kill(folder: Path, times: int) -> int:
    """kill -9 under load, again and again over one store; then the clients' replay."""
    kept: set[str] = set()
    unsure: set[str] = set()
    starts: list[float] = []
    for turn in range(times):
        service = Running(folder)
        began = time.monotonic()
        service.__enter__()
        starts.append(time.monotonic() - began)
        threads = [
            threading.Thread(target=client, args=(service.port, f"{turn}-{i}", kept, unsure))
            for i in range(8)
        ]
        for thread in threads:
            thread.start()
        time.sleep(0.2 + 0.01 * (turn % 40))
        service.process.kill()
        service.process.wait()
        for thread in threads:
            thread.join()
    with Running(folder) as service:
        connection = http.client.HTTPConnection("127.0.0.1", service.port, timeout=30)
        for request in unsure:
            connection.request("POST", "/api/v1/cost/track", calls(request), JSON)
            assert connection.getresponse().read()
        connection.request("GET", "/api/v1/cost/report?by=model")
        reported = json.loads(connection.getresponse().read())["data"]["calls"]
    found = Counter(_ids(service.store))
    wanted = {f"{request}/{i}" for request in kept | unsure for i in range(EACH)}
    lost, twice = len(wanted - set(found)), sum(n > 1 for n in found.values())
    starts.sort()
    print(
        f"{times} kills: {len(kept) * EACH:,} calls acknowledged,"
        f" {len(unsure) * EACH:,} sent again;"
        f" {lost} lost, {twice} twice, {reported - len(wanted)} too many in the report;"
        f" start {starts[len(starts) // 2]:.2f} s in the middle, {starts[-1]:.2f} s at most"
    )
    return int(bool(lost or twice or reported != len(wanted)))


def _ids(store: Path) -> list[str]:
    con = sqlite3.connect(store)
    try:
        return [name for (name,) in con.execute("SELECT call_id FROM sdlc_usage")]
    finally:
        con.close()


def outage(folder: Path, seconds: float, rate: int) -> int:
    """A PostgreSQL that is stopped while calls come."""
    import psycopg
    from pgserver._commands import pg_ctl  # type: ignore[attr-defined]
    from pgserver.postgres_server import get_server

    server: Any = get_server(folder / "pg", cleanup_mode="delete")
    statuses: Counter[int] = Counter()
    ending = threading.Event()
    with Running(folder, "--forward", server.get_uri()) as service:
        thread = threading.Thread(target=_paced, args=(service.port, rate, statuses, ending))
        thread.start()
        time.sleep(3)
        pg_ctl(["-m", "immediate", "stop"], pgdata=server.pgdata, user=server.system_user)
        time.sleep(seconds)
        server.ensure_postgres_running()
        back = time.monotonic()
        time.sleep(1)
        ending.set()
        thread.join()
        while _lag(service.port):
            time.sleep(0.2)
        drained = time.monotonic() - back
        peak = service.peak()
    with psycopg.connect(server.get_uri()) as con:
        row = con.execute("SELECT count(*), count(DISTINCT call_id) FROM sdlc_usage").fetchone()
    server.cleanup()
    assert row
    sent = sum(statuses.values()) * EACH
    print(
        f"away for {seconds:.0f} s at {rate:,} calls/s:"
        f" answers {dict(statuses)}, {sent:,} calls sent,"
        f" {row[0]:,} copied ({row[1]:,} different), drained {drained:.1f} s after its return;"
        f" peak {peak:.0f} MiB"
    )
    return int(set(statuses) != {200} or row != (sent, sent))


def _paced(port: int, rate: int, statuses: Counter[int], ending: threading.Event) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    began, number = time.monotonic(), 0
    while not ending.is_set():
        ahead = began + number * EACH / rate - time.monotonic()
        if ahead > 0:
            time.sleep(ahead)
        connection.request("POST", "/api/v1/cost/track", calls(f"o-{number}"), JSON)
        answer = connection.getresponse()
        answer.read()
        statuses[answer.status] += 1
        number += 1


def _lag(port: int) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    connection.request("GET", "/health")
    state = json.loads(connection.getresponse().read())["data"]["forward"]
    connection.close()
    return 1 if state["problem"] else int(state["lag"])


def loris(folder: Path, number: int) -> int:
    """Good clients beside half-open connections."""
    with Running(folder) as service:
        alone = _times(service.port)
        held: list[socket.socket] = []
        for _ in range(number):
            made = socket.create_connection(("127.0.0.1", service.port), 10)
            made.sendall(b"POST /v1/traces HTTP/1.1\r\nHost: localhost\r\nX-Slow: ")
            held.append(made)
        beside = _times(service.port)
        for made in held:
            made.close()
    print(
        f"{number} half-open connections:"
        f" p50 {1000 * alone[500]:.1f} -> {1000 * beside[500]:.1f} ms,"
        f" p99 {1000 * alone[990]:.1f} -> {1000 * beside[990]:.1f} ms"
    )
    return 0


def _times(port: int) -> list[float]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    times = []
    for place in range(1_000):
        began = time.perf_counter()
        body = json.dumps({**CALL, "call_id": f"{began}-{place}"})
        connection.request("POST", "/api/v1/cost/track", body, JSON)
        connection.getresponse().read()
        times.append(time.perf_counter() - began)
    connection.close()
    return sorted(times)


def main() -> int:
    """One trial."""
    parser = argparse.ArgumentParser()
    parser.add_argument("trial", choices=("kill", "outage", "loris"))
    parser.add_argument("--times", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--rate", type=int, default=2_000)
    parser.add_argument("--connections", type=int, default=500)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        if asked.trial == "kill":
            return kill(Path(name), asked.times)
        if asked.trial == "outage":
            return outage(Path(name), asked.seconds, asked.rate)
        return loris(Path(name), asked.connections)


if __name__ == "__main__":
    sys.exit(main())
