"""ClickHouse's HTTP interface over chdb, the same engine in the process: run it, read the port.

A process of its own: chdb holds half a gigabyte, and no other engine should share its allocator.
"""

import sys
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import parse_qs, urlsplit

import chdb

PROTOCOL = ("session_id", "default_format", "wait_end_of_query", "database", "session_timeout")


class Handler(BaseHTTPRequestHandler):
    """One POST is one statement; each session is a connection with tables of its own."""

    sessions: dict[str, "chdb.state.sqlitelike.Connection"] = {}  # noqa: RUF012

    def do_POST(self) -> None:
        asked = {k: v[-1] for k, v in parse_qs(urlsplit(self.path).query).items()}
        body = self.rfile.read(int(self.headers["Content-Length"]))
        try:
            answer, status = self.answer(asked, body.decode()), 200
        except Exception as error:  # noqa: BLE001 - whatever it is, the client is told
            answer, status = str(error).encode(), 500
        self.send_response(status)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def answer(self, asked: dict[str, str], sql: str) -> bytes:
        session = asked["session_id"]
        if session not in self.sessions:
            self.sessions[session] = chdb.connect(":memory:")  # type: ignore[no-untyped-call]
            for name, value in asked.items():
                if name not in PROTOCOL:
                    self.sessions[session].query(f"SET {name} = {value}")
        found = self.sessions[session].query(sql, asked["default_format"])
        return bytes(found.bytes() or b"")

    def log_message(self, *_: object) -> None:
        """Nothing: the tests say what went wrong."""


def main() -> None:
    server = HTTPServer(("127.0.0.1", 0), Handler)
    print(server.server_port, flush=True)
    sys.stdin.close()
    server.serve_forever()


if __name__ == "__main__":
    main()
