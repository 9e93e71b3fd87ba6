"""A server for health checks."""

import shutil
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

# Not to be had from the package registries, so nobody can be asked to install it.
collect_ignore = [] if shutil.which("terraform") else ["test_terraform_itself.py"]


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
