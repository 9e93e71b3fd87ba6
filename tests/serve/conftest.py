"""The service as a process of its own on loopback, and a client for it."""

import contextlib
import http.client
import importlib.util
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

TRACE = "5b8efff798038103d269b633813fc60c"
JSON = {"Content-Type": "application/json"}
PROTOBUF = {"Content-Type": "application/x-protobuf"}


class Running:
    """`sdlc serve`, started. `url` is where; `log` is what it says."""

    def __init__(self, folder: Path, words: tuple[str, ...], environ: dict[str, str]) -> None:
        self.folder = folder
        self.store = folder / "usage.db"
        self.log: list[dict[str, Any]] = []
        self.process = subprocess.Popen(
            [sys.executable, "-m", "sdlc_cli", "serve", "--port", "0", *words],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            cwd=folder,
            env={**os.environ, **environ},
            text=True,
        )
        self.port = 0
        self._listening = threading.Event()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        if not self._listening.wait(60) or not self.port:
            self.end()
            raise AssertionError(f"it does not listen: {self.log}")

    def _read(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            try:
                told = json.loads(line)
            except ValueError:
                told = {"event": "text", "text": line}
            self.log.append(told)
            if told["event"] == "listening":
                self.port = int(told["address"].rpartition(":")[2])
                self._listening.set()
        self._listening.set()

    def ask(
        self,
        method: str,
        path: str,
        body: bytes | str | None = None,
        headers: dict[str, str] | None = None,
        timeout: float = 30,
    ) -> "Answer":
        """One request over a connection of its own."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        try:
            connection.request(method, path, body, headers or {})
            got = connection.getresponse()
            return Answer(got.status, got.read(), {k.lower(): v for k, v in got.getheaders()})
        finally:
            connection.close()

    def get(self, path: str, **headers: str) -> "Answer":
        return self.ask("GET", path, headers=headers)

    def track(self, value: object, **headers: str) -> "Answer":
        body = json.dumps(value)
        return self.ask("POST", "/api/v1/cost/track", body, {**JSON, **headers})

    def export(self, record: object, path: str = "/v1/traces") -> "Answer":
        return self.ask("POST", path, json.dumps(record), JSON)

    def rows(self) -> list[dict[str, Any]]:
        """What is in the store."""
        import sqlite3

        con = sqlite3.connect(f"{self.store.as_uri()}?mode=ro", uri=True)
        try:
            con.row_factory = sqlite3.Row
            return [dict(row) for row in con.execute("SELECT * FROM sdlc_usage ORDER BY seq")]
        finally:
            con.close()

    def end(self) -> None:
        """Kills it, where it still runs."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self._reader.join(10)
        assert self.process.stderr is not None
        self.process.stderr.close()

    def stop(self, number: int = signal.SIGTERM) -> int:
        if self.process.poll() is None:
            self.process.send_signal(number)
        code = self.process.wait(60)
        self._reader.join(10)
        return code

    def memory(self) -> float:
        """MiB resident at the moment."""
        for line in Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS"):
                return int(line.split()[1]) / 1024
        raise AssertionError("no VmRSS")


class Answer:
    """What came back."""

    def __init__(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.status = status
        self.body = body
        self.headers = headers

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def data(self) -> Any:
        return self.json["data"]


Start = Callable[..., Running]


@contextlib.contextmanager
def starting() -> Iterator[Start]:
    running: list[Running] = []

    def start(folder: Path, *words: str, **environ: str) -> Running:
        running.append(Running(folder, words, environ))
        return running[-1]

    try:
        yield start
    finally:
        for one in running:
            one.end()


@pytest.fixture
def start() -> Iterator[Start]:
    """`start(folder, "--host", "::1")`: a service, ended with the test."""
    with starting() as work:
        yield work


@pytest.fixture(scope="module")
def start_once() -> Iterator[Start]:
    """As `start`, ended after the last test of the file."""
    with starting() as work:
        yield work


@pytest.fixture(scope="module")
def service(start_once: Start, tmp_path_factory: pytest.TempPathFactory) -> Running:
    """One service for the tests of a file; what they send has names of its own."""
    return start_once(tmp_path_factory.mktemp("service"))


@pytest.fixture(scope="session")
def postgres() -> Iterator[Any]:
    """A PostgreSQL in a folder, which can be stopped and started."""
    for package in ("pgserver", "psycopg", "sqlglot"):
        if importlib.util.find_spec(package) is None:
            pytest.skip(f"{package} is not installed")
    with (
        tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder,
        pytest.MonkeyPatch.context() as patch,
    ):
        patch.setenv("XDG_RUNTIME_DIR", folder)
        from pgserver.postgres_server import get_server

        server = get_server(Path(folder) / "data", cleanup_mode="delete")
        yield server
        server.cleanup()


def until(what: Callable[[], object], seconds: float = 30) -> Any:
    """What `what` gives once it is true."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := what():
            return found
        time.sleep(0.05)
    raise AssertionError("it never came")


def span(number: int, attributes: dict[str, object], **fields: object) -> dict[str, object]:
    """A span of OTLP JSON."""

    def value(given: object) -> dict[str, object]:
        return {"intValue": str(given)} if isinstance(given, int) else {"stringValue": given}

    return {
        "traceId": TRACE,
        "spanId": f"{number:016x}",
        "name": "chat gpt-4o",
        "kind": 3,
        "startTimeUnixNano": "1777629600500000000",
        "attributes": [{"key": key, "value": value(given)} for key, given in attributes.items()],
        **fields,
    }


def export(*spans: dict[str, object], service: str = "shop") -> dict[str, object]:
    """An export of spans."""
    name = {"key": "service.name", "value": {"stringValue": service}}
    return {
        "resourceSpans": [{"resource": {"attributes": [name]}, "scopeSpans": [{"spans": [*spans]}]}]
    }


def chat(call: str, **more: object) -> dict[str, object]:
    """The attributes of a call."""
    return {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "gpt-4o",
        "gen_ai.response.id": call,
        "gen_ai.usage.input_tokens": 1_000,
        "gen_ai.usage.output_tokens": 100,
        **more,
    }


@pytest.fixture
def otlp() -> Any:
    """`otlp.span`, `otlp.export`, `otlp.chat`, `otlp.until`."""

    class Made:
        pass

    made: Any = Made()
    made.span, made.export, made.chat, made.until = span, export, chat, until
    return made
