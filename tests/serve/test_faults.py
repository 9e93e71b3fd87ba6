"""What goes wrong around the service: it is killed, the disk is full, an fsync fails, it is told to
stop. What was answered with 200 is there afterwards, once."""

import http.client
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sdlc_cli.cost.config import CostConfig
from sdlc_cli.cost.engine.usage import open_usage
from sdlc_cli.cost.prices.resolve import Prices

KILLS = 10
CALL = {"model": "gpt-4o", "provider": "openai", "input_tokens": 10, "output_tokens": 5}


class Client(threading.Thread):
    """Sends calls one request after the other until it is told to stop; remembers what was kept."""

    def __init__(self, service: Any, name: str) -> None:
        super().__init__(daemon=True)
        self.service, self.call = service, name
        self.kept: set[str] = set()
        self.unsure: set[str] = set()
        self.ending = threading.Event()

    def run(self) -> None:
        number = 0
        while not self.ending.is_set():
            name = f"{self.call}-{number}"
            number += 1
            try:
                answer = self.service.track([{**CALL, "call_id": f"{name}/{i}"} for i in range(5)])
            except (OSError, http.client.HTTPException):
                self.unsure.add(name)
                return
            (self.kept if answer.status == 200 else self.unsure).add(name)


def ids(service: Any) -> list[str]:
    return [row["call_id"] for row in service.rows()]


def test_no_acknowledged_call_is_lost_when_it_is_killed(start: Any, tmp_path: Path) -> None:
    kept: set[str] = set()
    unsure: set[str] = set()
    for round_ in range(KILLS):
        service = start(tmp_path)
        clients = [Client(service, f"{round_}-{i}") for i in range(4)]
        for client in clients:
            client.start()
        time.sleep(0.3 + 0.05 * round_)
        service.process.send_signal(signal.SIGKILL)
        service.process.wait()
        for client in clients:
            client.join(30)
            kept |= client.kept
            unsure |= client.unsure

    service = start(tmp_path)
    for name in unsure:  # the client's replay
        assert service.track([{**CALL, "call_id": f"{name}/{i}"} for i in range(5)]).status == 200
    found = ids(service)
    report = service.get("/api/v1/cost/report?by=model").data

    assert len(kept) > KILLS
    assert sorted(found) == sorted(f"{name}/{i}" for name in kept | unsure for i in range(5))
    assert report["calls"] == len(found)
    assert report["totals"]["input_tokens"] == 10 * len(found)


SYNC = """
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Syncs of the write-ahead log: each is counted in a file, and fails while another file exists. */
static int watched(int fd, int (*real)(int)) {
    char link[64], path[4096], line[] = "sync\\n";
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t n = readlink(link, path, sizeof path - 1);
    if (n > 4 && !strncmp(path + n - 4, "-wal", 4)) {
        if (!access(getenv("SYNC_FAILS"), F_OK)) { errno = EIO; return -1; }
        int log = open(getenv("SYNC_LOG"), O_WRONLY | O_CREAT | O_APPEND, 0600);
        if (write(log, line, 5) != 5) abort();
        close(log);
    }
    return real(fd);
}
int fsync(int fd) { return watched(fd, (int (*)(int))dlsym(RTLD_NEXT, "fsync")); }
int fdatasync(int fd) { return watched(fd, (int (*)(int))dlsym(RTLD_NEXT, "fdatasync")); }
"""


@pytest.fixture
def synced(tmp_path: Path) -> dict[str, str]:
    """The environment of a process whose syncs are watched."""
    if not shutil.which("cc"):
        pytest.skip("cc is not installed")
    (tmp_path / "sync.c").write_text(SYNC)
    words = ["cc", "-shared", "-fPIC", "-O1", "-o", "sync.so", "sync.c", "-ldl"]
    subprocess.run(words, cwd=tmp_path, check=True, capture_output=True)
    return {
        "LD_PRELOAD": str(tmp_path / "sync.so"),
        "SYNC_LOG": str(tmp_path / "syncs"),
        "SYNC_FAILS": str(tmp_path / "fails"),
    }


def test_each_answer_comes_after_a_sync(start: Any, tmp_path: Path, synced: Any, otlp: Any) -> None:
    service = start(tmp_path, **synced)
    log = Path(synced["SYNC_LOG"])
    for number in range(10):
        before = log.stat().st_size if log.exists() else 0

        if number % 2:
            answer = service.track({**CALL, "call_id": f"s-{number}"})
        else:
            answer = service.export(otlp.export(otlp.span(number + 1, otlp.chat(f"s-{number}"))))

        assert answer.status == 200
        assert log.stat().st_size > before, "answered without a sync"


def test_nothing_is_acknowledged_while_syncs_fail(
    start: Any, tmp_path: Path, synced: Any, otlp: Any
) -> None:
    service = start(tmp_path, **synced)
    service.track({**CALL, "call_id": "before"})
    fails = Path(synced["SYNC_FAILS"])
    fails.touch()

    refused = service.track({**CALL, "call_id": "during"})
    ready = service.get("/health/ready")
    fails.unlink()
    otlp.until(lambda: service.get("/health/ready").status == 200)
    taken = service.track({**CALL, "call_id": "during"})

    assert (refused.status, ready.status, taken.status) == (503, 503, 200)
    assert 1 <= int(refused.headers["retry-after"]) <= 3
    assert ids(service) == ["before", "during"]


@pytest.fixture
def small_disk() -> Iterator[Path]:
    """A file system of 6 MiB."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        words = ["mount", "-t", "tmpfs", "-o", "size=6m", "tmpfs", name]
        if os.geteuid() != 0 or subprocess.run(words, capture_output=True).returncode:
            pytest.skip("only root may mount a small file system")
        try:
            yield Path(name)
        finally:
            subprocess.run(["umount", "-l", name], check=False)


def test_a_full_disk_is_told_and_survived(start: Any, small_disk: Path, otlp: Any) -> None:
    service = start(small_disk)
    kept: list[str] = []
    refused = None
    for number in range(3_000):
        names = [f"{number}/{i}" for i in range(50)]
        answer = service.track([{**CALL, "call_id": name} for name in names])
        if answer.status != 200:
            refused = answer
            break
        kept += names
    assert refused is not None
    ready = service.get("/health/ready")
    report = service.get("/api/v1/cost/report")
    (small_disk / "usage.db").stat()

    subprocess.run(["mount", "-o", "remount,size=24m", str(small_disk)], check=True)
    otlp.until(lambda: service.get("/health/ready").status == 200)
    again = service.track({**CALL, "call_id": "after"})

    assert refused.status == 503
    assert 1 <= int(refused.headers["retry-after"]) <= 3
    assert ready.status == 503
    assert "full" in ready.data["reasons"][0]
    assert report.status == 200, "what is there can be read"
    assert again.status == 200
    assert sorted(ids(service)) == sorted([*kept, "after"])
    service.stop()


def test_a_stop_answers_what_has_begun_and_then_ends(start: Any, tmp_path: Path) -> None:
    service = start(tmp_path)
    clients = [Client(service, str(i)) for i in range(4)]
    for client in clients:
        client.start()
    time.sleep(0.7)

    code = service.stop()

    assert not Path(f"{service.store}-wal").exists(), "the log was written into the file"
    for client in clients:
        client.join(30)
    kept = {name for client in clients for name in client.kept}
    assert code == 128 + signal.SIGTERM
    assert len(kept) > 4
    assert {f"{name}/0" for name in kept} <= set(ids(service))
    assert service.log[-1]["event"] == "stopped"


def test_reports_read_it_while_it_serves(start: Any, tmp_path: Path) -> None:
    service = start(tmp_path)
    client = Client(service, "c")
    client.start()
    time.sleep(0.5)
    work = tmp_path / "work"
    counts = []
    for _ in range(3):
        work.mkdir()
        address = f"sqlite:///{service.store}"
        with open_usage([address], config=CostConfig(), prices=Prices(), tmp=work) as usage:
            counts.append(usage.report().totals.calls)
        shutil.rmtree(work)
    client.ending.set()
    client.join(30)

    assert 0 < counts[0] <= counts[1] <= counts[2] <= len(service.rows())
    assert client.kept


def test_another_process_that_writes_is_waited_for(start: Any, tmp_path: Path) -> None:
    service = start(tmp_path)
    con = sqlite3.connect(service.store, isolation_level=None)
    con.execute("BEGIN IMMEDIATE")
    done: list[int] = []
    thread = threading.Thread(
        target=lambda: done.append(service.track({**CALL, "call_id": "w"}).status)
    )
    thread.start()
    time.sleep(0.5)
    waited = list(done)
    con.execute("COMMIT")
    con.close()
    thread.join(30)

    assert (waited, done) == ([], [200])


def test_what_is_sent_at_once_is_committed_together(start: Any, tmp_path: Path) -> None:
    service = start(tmp_path)
    clients = [Client(service, str(i)) for i in range(8)]
    for client in clients:
        client.start()
    time.sleep(1)
    for client in clients:
        client.ending.set()
    for client in clients:
        client.join(30)

    text = service.get("/metrics").body.decode()
    (commits,) = (
        int(line.rpartition(" ")[2])
        for line in text.splitlines()
        if line.startswith("sdlc_serve_commits_total ")
    )
    assert 0 < commits < sum(len(client.kept) for client in clients)
    assert json.loads(json.dumps(service.log[0]))["event"]


def test_what_is_over_is_sealed_and_reported_alike(start: Any, tmp_path: Path, otlp: Any) -> None:
    service = start(tmp_path)
    day = int(time.time()) // 86_400 - 2
    for part in range(4):
        calls = [
            {**CALL, "call_id": f"{part}-{i}", "time": day * 86_400 + i, "project": f"p{i % 3}"}
            for i in range(5_500)
        ]
        assert service.track(calls).status == 200
    service.stop()

    service = start(tmp_path, "--cache-seconds", "0")
    sealed = otlp.until(lambda: [one for one in service.log if one["event"] == "seal"])
    (file,) = (tmp_path / "usage.db.days").glob("*.parquet")

    assert [(one["calls"], one["kept"], one["file"]) for one in sealed] == [
        (22_000, True, file.name)
    ]
    work = tmp_path / "work"
    work.mkdir()
    address = f"sqlite:///{service.store}"
    with open_usage([address], config=CostConfig(), prices=Prices(), tmp=work) as usage:
        report = usage.report(("project",))
    answer = service.get("/api/v1/cost/report?by=project").data
    assert report.totals.calls == answer["calls"] == 22_000
    assert [group.amounts.calls for group in report.groups] == [
        group["calls"] for group in sorted(answer["groups"], key=lambda one: one["keys"]["project"])
    ]
