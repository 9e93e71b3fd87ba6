"""Reports over millions of calls, while the service takes more.

Run: python tests/bench/serve_reports.py [--calls 5000000] [--folder DIR]

It fills a store with calls of 30 days (some minutes; `--folder` keeps it for the next time), starts
the service on it, has the days sealed, and sends 1,000 calls a second all the while. It prints how
long `GET /api/v1/cost/report` by model and day takes, which reads the sums, and the same report by
`sdlc cost report`'s own library over every call, which reads the sealed days. It judges nothing.
"""

import argparse
import json
import random
import sqlite3
import sys
import tempfile
import threading
import time
from datetime import UTC, datetime
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from serve_ingest import Running  # type: ignore[import-not-found]

from sdlc_cli.cost.config import CostConfig
from sdlc_cli.cost.engine.usage import open_usage
from sdlc_cli.cost.model import Row, Told
from sdlc_cli.cost.store import seals
from sdlc_cli.cost.store.ledger import Ledger
from sdlc_cli.serve import figures

DAYS = 30
MODELS = [("openai", name) for name in ("gpt-4o", "gpt-4o-mini", "gpt-4.1", "o3", "o4-mini")] + [
    ("anthropic", name) for name in ("claude-sonnet-4-5", "claude-haiku-4-5", "claude-opus-4-1")
]
DAY = 86_400_000_000


def fill(store: Path, calls: int) -> None:
    """Calls of thirty days, by eight models and five projects."""
    config = CostConfig()
    ledger = Ledger(store, cuts=figures.cuts_of(config, figures.prices_of(config)))
    chance = random.Random(1)
    first = int(time.time() * 1e6) // DAY - DAYS
    each = calls // DAYS
    for day in range(first, first + DAYS):
        for start in range(0, each, 8_000):
            batch = []
            for place in range(start, min(each, start + 8_000)):
                provider, model = chance.choice(MODELS)
                name = f"c-{day}-{place}"
                row = Row(
                    ts=day * DAY + place * (DAY // each), provider=provider, model=model,
                    project=f"p{place % 5}", user=f"u{place % 400}", tags='{"env":"prod"}',
                    call_id=name, dedupe=name, input=chance.randrange(4000),
                    cache_read=chance.randrange(2000), output=chance.randrange(900),
                )  # fmt: skip
                batch.append(Told(row=row))
            ledger.commit(batch)
    ledger.close()


def main() -> int:
    """Prints the figures."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--calls", type=int, default=5_000_000)
    parser.add_argument("--folder", type=Path)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = asked.folder or Path(name)
        folder.mkdir(exist_ok=True)
        store = folder / "usage.db"
        if not store.exists():
            began = time.process_time()
            fill(store, asked.calls)
            took = time.process_time() - began
            size = store.stat().st_size / 2**20
            print(f"filled: {took / asked.calls * 1e6:.1f} us CPU a call, {size:.0f} MiB")
        with Running(folder, "--cache-seconds", "0") as service:
            measure(service, store)
    return 0


def measure(service: Running, store: Path) -> None:
    """Waits until all days are sealed, then asks while calls come."""
    con = sqlite3.connect(f"{store.as_uri()}?mode=ro", uri=True)
    began = time.monotonic()
    while seals.unsealed(con, int(time.time() * 1e6), 20_000, 2_000):
        time.sleep(1)
    print(f"sealed after {time.monotonic() - began:.0f} s")
    con.close()
    ending = threading.Event()
    thread = threading.Thread(target=_send, args=(service.port, ending))
    thread.start()
    try:
        for _ in range(3):
            began = time.perf_counter()
            calls = _asked(service.port)
            api = time.perf_counter() - began
            began, cpu = time.perf_counter(), time.process_time()
            with tempfile.TemporaryDirectory() as work:
                config = CostConfig()
                prices = figures.prices_of(config)
                address = f"sqlite:///{store}"
                with open_usage([address], config=config, prices=prices, tmp=Path(work)) as usage:
                    found = usage.report(("day", "model"))
            took, cpu = time.perf_counter() - began, time.process_time() - cpu
            print(
                f"sums: {1000 * api:.0f} ms for {calls:,} calls;"
                f" every call: {took:.2f} s ({cpu:.2f} s CPU) for {found.totals.calls:,}"
            )
    finally:
        ending.set()
        thread.join()
    print(f"peak of the service: {service.peak():.0f} MiB, {datetime.now(UTC):%H:%M}")


def _asked(port: int) -> int:
    import http.client

    connection = http.client.HTTPConnection("127.0.0.1", port)
    connection.request("GET", "/api/v1/cost/report?by=day&by=model")
    answer = json.loads(connection.getresponse().read())
    connection.close()
    return int(answer["data"]["calls"])


def _send(port: int, ending: threading.Event) -> None:
    import http.client

    connection = http.client.HTTPConnection("127.0.0.1", port)
    number = 0
    while not ending.is_set():
        calls = [
            {
                "model": "gpt-4o",
                "input_tokens": 5,
                "output_tokens": 5,
                "call_id": f"live-{time.time()}-{i}",
            }
            for i in range(100)
        ]
        connection.request(
            "POST", "/api/v1/cost/track", json.dumps(calls), {"Content-Type": "application/json"}
        )
        connection.getresponse().read()
        number += 1
        time.sleep(0.1)
    connection.close()


if __name__ == "__main__":
    sys.exit(main())
