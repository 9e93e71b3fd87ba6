"""How the service begins and ends: words that it refuses, files that it makes, a clean end."""

import os
import signal
from pathlib import Path
from typing import Any

import pytest

from sdlc_cli.serve.limits import Rates
from tests.serve.test_safety import CALL, command


def mode(file: Path) -> int:
    return file.stat().st_mode & 0o777


def test_a_store_is_for_its_owner_alone(start: Any, tmp_path: Path) -> None:
    service = start(tmp_path)
    service.track(CALL)

    found = {file.name: mode(file) for file in tmp_path.iterdir() if file.is_file()}

    assert found == dict.fromkeys(
        ("usage.db", "usage.db-wal", "usage.db-shm", "usage.db.lock"), 0o600
    )
    assert command(tmp_path, "keys", "--store", "sqlite:///k.db", "--new", "read").returncode == 0
    assert mode(tmp_path / "k.db") == mode(tmp_path / "k.db.secret") == 0o600


def test_a_store_that_is_there_keeps_its_mode(start: Any, tmp_path: Path) -> None:
    file = tmp_path / "usage.db"
    file.touch()
    os.chmod(file, 0o640)

    service = start(tmp_path)

    assert service.track(CALL).status == 200
    assert mode(file) == mode(tmp_path / "usage.db-wal") == 0o640


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_service_that_copies_ends_without_a_traceback(
    start: Any, tmp_path: Path, otlp: Any, number: int
) -> None:
    pytest.importorskip("psycopg")
    service = start(tmp_path, "--forward", "postgresql://127.0.0.1:1/nobody")
    service.track(CALL)
    otlp.until(lambda: service.get("/health").data["forward"]["problem"])

    assert service.stop(number) == 128 + number

    assert service.log[-1]["event"] == "stopped"
    assert not [line for line in service.log if line["event"] == "bug"]
    text = "".join(line["text"] for line in service.log if line["event"] == "text")
    assert text == f"listening on http://127.0.0.1:{service.port}\n"
    assert not (tmp_path / "usage.db-wal").exists()
    assert len(service.rows()) == 1


@pytest.mark.parametrize("rate", [0.1, 0.4, 0.5, 3])
def test_a_rate_of_less_than_one_lets_one_through(
    monkeypatch: pytest.MonkeyPatch, rate: float
) -> None:
    now = [100.0]
    monkeypatch.setattr("sdlc_cli.serve.limits.time.monotonic", lambda: now[0])
    rates = Rates(rate)

    let = 0
    for _ in range(480):
        let += not rates.wait("a")
        now[0] += 0.125

    assert 60 * rate - 1 <= let <= 60 * rate + max(1, 2 * rate)
    while not rates.wait("a"):
        pass
    now[0] += rates.wait("a") + 1e-6
    assert not rates.wait("a")
