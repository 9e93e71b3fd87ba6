"""Rendering one set alone, the programs that check it, and a server for health checks."""

import importlib.util
import shutil
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

CHECKERS = Path(__file__).parents[3] / ".ci" / "checkers.py"


@pytest.fixture
def checker() -> Callable[[str], str]:
    """`checker("hadolint")` is the program: on the path, or where .ci/checkers.py put it."""

    def find(name: str) -> str:
        if found := shutil.which(name) or shutil.which(name, path=_installed()):
            return found
        pytest.skip(f"{name} is not installed; python3 .ci/checkers.py installs it")

    return find


def _installed() -> str:
    described = importlib.util.spec_from_file_location("checkers", CHECKERS)
    if not CHECKERS.is_file() or described is None or described.loader is None:
        return ""
    module = importlib.util.module_from_spec(described)
    described.loader.exec_module(module)
    folder = module.place()
    return str(folder / "bin") if folder else ""


@pytest.fixture
def http_status() -> Iterator[Callable[[int], int]]:
    """`http_status(204)` is the port of a server that answers so."""
    servers = []

    def start(status: int) -> int:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(status)
                self.end_headers()

            def log_message(self, *args: object) -> None:
                """Tests print nothing."""

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        servers.append(server)
        Thread(target=server.serve_forever, daemon=True).start()
        return int(server.server_address[1])

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()
