import os
import socket
import sys
import threading
import time
from pathlib import Path

import pytest

from sdlc_cli.core.errors import ConfigError, WorkError
from sdlc_cli.core.service import Service

# A web server that answers 503 until its file `ready` exists; argv: port, "stubborn" or "".
SERVER = """
import http.server, os, pathlib, signal, sys
if sys.argv[2]:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        code = {"/go": 302, "/bad": 500}.get(self.path, 200 if os.path.exists("ready") else 503)
        self.send_response(code)
        self.send_header("Location", "/")
        self.end_headers()
pathlib.Path("pid").write_text(str(os.getpid()))
print("serving", flush=True)
http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""


@pytest.fixture
def port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def server(port: int, stubborn: str = "") -> list[str]:
    return [sys.executable, "-I", "-c", SERVER, str(port), stubborn]


def gone(folder: Path) -> bool:
    try:
        os.kill(int((folder / "pid").read_text()), 0)
    except ProcessLookupError:
        return True
    return False


@pytest.mark.parametrize("stubborn", ["", "ignores SIGTERM"])
def test_a_service_is_ready_inside_and_gone_after(stubborn: str, port: int, tmp_path: Path) -> None:
    with (
        Service("web", server(port, stubborn), cwd=tmp_path, port=port),
        socket.create_connection(("127.0.0.1", port)) as connection,
    ):
        assert connection.getpeername()[1] == port

    assert gone(tmp_path)


def test_a_service_is_gone_after_an_error_inside(port: int, tmp_path: Path) -> None:
    with (
        pytest.raises(RuntimeError, match="inside"),
        Service("web", server(port), cwd=tmp_path, port=port),
    ):
        raise RuntimeError("inside")

    assert gone(tmp_path)


def test_a_url_is_ready_when_it_answers_2xx(port: int, tmp_path: Path) -> None:
    def get_ready() -> None:
        time.sleep(0.7)
        (tmp_path / "ready").touch()

    thread = threading.Thread(target=get_ready)
    thread.start()
    with Service("web", server(port), cwd=tmp_path, url=f"http://127.0.0.1:{port}/health?x=1"):
        assert (tmp_path / "ready").exists()
    thread.join()


@pytest.mark.parametrize("path", ["/bad", "/go"])
def test_a_service_that_never_gets_ready_is_stopped_and_its_words_shown(
    path: str, port: int, tmp_path: Path
) -> None:
    (tmp_path / "ready").touch()
    url = f"http://127.0.0.1:{port}{path}"
    service = Service("web", server(port), cwd=tmp_path, url=url, timeout=1.5)

    with pytest.raises(WorkError, match=r"web was not ready within 1\.5 s") as caught, service:
        pytest.fail("got ready")

    assert f"GET {path}" in caught.value.message
    assert gone(tmp_path)


def test_a_service_that_ends_early_is_told_at_once(port: int, tmp_path: Path) -> None:
    command = [sys.executable, "-c", "import sys; sys.exit('no database')"]

    with (
        pytest.raises(WorkError, match="db ended with exit code 1") as caught,
        Service("db", command, cwd=tmp_path, port=port, timeout=600),
    ):
        pytest.fail("got ready")

    assert "no database" in caught.value.message


def test_a_taken_port_is_never_mistaken_for_ours(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        for how in ({"port": port}, {"url": f"http://localhost:{port}/"}):
            with (
                pytest.raises(WorkError, match="taken by another program"),
                Service("web", server(port), cwd=tmp_path, **how),
            ):
                pytest.fail("got ready")

    assert not (tmp_path / "pid").exists()


@pytest.mark.parametrize(
    "url",
    ["http://example.com/", "http://10.0.0.1/", "file:///etc/passwd", "http://127.0.0.1:x/", "x"],
)
def test_only_this_machine_is_asked(url: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="not an http address on this machine"):
        Service("web", ["true"], cwd=tmp_path, url=url)


def test_a_service_without_port_or_url_only_has_to_start(tmp_path: Path) -> None:
    command = [sys.executable, "-c", "print('working', flush=True); import time; time.sleep(600)"]

    with Service("worker", command, cwd=tmp_path) as service:
        for _ in range(200):
            if service.last_lines():
                break
            time.sleep(0.05)
        assert service.last_lines() == "working"
