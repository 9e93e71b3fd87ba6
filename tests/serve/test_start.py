"""How the service begins and ends: words that it refuses, files that it makes, a clean end."""

import os
import signal
from pathlib import Path
from typing import Any

import pytest

from sdlc_cli.cli.serve_store import file_of
from sdlc_cli.core.errors import UsageError
from sdlc_cli.serve import addresses
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


@pytest.mark.parametrize(
    "words",
    [
        ("--host", "a..b"),
        ("--host", "a" * 80 + ".example"),
        ("--store", "sqlite:///:memory:"),
        ("--forward", "postgresql://user:hidden@[bad"),
        ("--trace-to", "http://["),
    ],
    ids=" ".join,
)
def test_words_that_cannot_be_are_refused(tmp_path: Path, words: tuple[str, ...]) -> None:
    done = command(tmp_path, "--port", "0", *words)

    assert done.returncode == 2, done.stderr
    assert "Traceback" not in done.stderr
    assert "hidden" not in done.stderr
    assert {file.name for file in tmp_path.iterdir()} <= {"usage.db.lock"}


@pytest.mark.parametrize("path", ["", ":memory:", "%3Amemory%3A", "a%00b", "circle.db"])
def test_what_is_no_file_is_no_store(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("circle.db").symlink_to("circle.db")

    for address in (f"sqlite:///{path}", "sqlite://["):
        with pytest.raises(UsageError):
            file_of(address)


@pytest.mark.parametrize(
    "address",
    ["mysql://x", "x", "postgresql://user:hidden@h:notaport/x", "postgresql://h:99999/x",
     "postgresql://h/x?no=1", "postgresql://h/x#no;table"],
)  # fmt: skip
def test_what_is_no_server_is_not_copied_to(address: str) -> None:
    pytest.importorskip("psycopg")

    with pytest.raises(UsageError) as caught:
        addresses.check_forward(address)

    assert "hidden" not in str(caught.value)


@pytest.mark.parametrize("url", ["http://", "http://h:x", "http://h:0", "ftp://h", "h:4318", ""])
def test_what_is_no_address_of_the_web_gets_no_spans(url: str) -> None:
    with pytest.raises(UsageError):
        addresses.check_web(url)


@pytest.mark.parametrize(
    "address",
    ["postgresql://h/x", "postgres://u:p@h1:1,h2:2/x#calls", "postgresql:///x?host=/tmp&port=5433"],
)
def test_addresses_that_can_be_are_taken(address: str) -> None:
    pytest.importorskip("psycopg")

    addresses.check_forward(address)


@pytest.mark.parametrize("words", [("--port", "0"), ("keys", "--new", "read")])
def test_no_folder_is_made(tmp_path: Path, words: tuple[str, ...]) -> None:
    done = command(tmp_path, *words, "--store", f"sqlite:///{tmp_path}/no/such/usage.db")

    assert done.returncode == 3
    assert "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_store_is_kept_once_whatever_it_is_called(start: Any, tmp_path: Path) -> None:
    (tmp_path / "link.db").symlink_to("usage.db")
    start(tmp_path, "--store", "sqlite:///link.db").track(CALL)

    done = command(tmp_path, "--port", "0")

    assert done.returncode == 3
    assert "another `sdlc serve` keeps" in done.stderr
    assert command(tmp_path, "keys", "--store", "sqlite:///link.db", "--new", "read").stdout
    assert (tmp_path / "usage.db.secret").exists()
    assert not (tmp_path / "link.db.lock").exists()
    done = command(tmp_path, "--port", "0", "--store", "sqlite:///link.db")
    assert done.returncode == 3
