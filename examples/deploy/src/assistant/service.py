"""The service: POST /answers with {"question": "..."} gives {"answer": "..."}."""

import json
import threading
import time
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Protocol

from assistant import telemetry

LONGEST_QUESTION = 64 * 1024  # bytes
ROUTES = ("/answers", "/health/live", "/health/ready")


class Model(Protocol):
    def answer(self, question: str) -> str: ...


class Cache(Protocol):
    def get(self, question: str) -> str | None: ...

    def put(self, question: str, answer: str) -> None: ...


class Database(Protocol):
    def keep(self, question: str, answer: str) -> None: ...

    def ready(self) -> bool: ...


class Service(ThreadingHTTPServer):
    """Serves until `shutdown`; at most `workers` questions at once, others are told to wait."""

    daemon_threads = False  # a question that is being answered is answered to its end

    def __init__(
        self,
        address: tuple[str, int],
        *,
        model: Model,
        cache: Cache | None,
        database: Database,
        workers: int,
    ) -> None:
        super().__init__(address, _Handler)
        self.model, self.cache, self.database = model, cache, database
        self.workers = threading.BoundedSemaphore(workers)

    def answer(self, question: str) -> str:
        """From the cache, else from the model. Raises OSError when the model has none."""
        if self.cache is not None and (known := self.cache.get(question)) is not None:
            return known
        answer = self.model.answer(question)
        if self.cache is not None:
            self.cache.put(question, answer)
        self.database.keep(question, answer)
        return answer


class _Handler(BaseHTTPRequestHandler):
    server: Service
    timeout = 60  # seconds that a client may take to say what it wants

    def do_GET(self) -> None:
        began = time.monotonic()
        if self.path == "/health/live":
            status = HTTPStatus.OK
        elif self.path == "/health/ready":
            ready = self.server.database.ready()
            status = HTTPStatus.OK if ready else HTTPStatus.SERVICE_UNAVAILABLE
        else:
            status = HTTPStatus.NOT_FOUND
        self._reply(status, {"status": status.phrase}, began)

    def do_POST(self) -> None:
        began = time.monotonic()
        if self.path != "/answers":
            self._reply(HTTPStatus.NOT_FOUND, {"status": "no such path"}, began)
        elif (question := self._question()) is None:
            self._reply(HTTPStatus.BAD_REQUEST, {"status": "no question"}, began)
        elif not self.server.workers.acquire(blocking=False):
            self._reply(HTTPStatus.TOO_MANY_REQUESTS, {"status": "busy"}, began)
        else:
            try:
                answer = self.server.answer(question)
            except OSError as error:
                self._reply(HTTPStatus.BAD_GATEWAY, {"status": str(error)}, began)
            else:
                self._reply(HTTPStatus.OK, {"answer": answer}, began)
            finally:
                self.server.workers.release()

    def _question(self) -> str | None:
        length = self.headers.get("Content-Length", "")
        if not length.isdecimal() or int(length) > LONGEST_QUESTION:
            return None
        try:
            question = json.loads(self.rfile.read(int(length)))["question"]
        except (ValueError, LookupError, TypeError):
            return None
        return question if isinstance(question, str) and question else None

    def _reply(self, status: HTTPStatus, body: dict[str, str], began: float) -> None:
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)
        route = self.path if self.path in ROUTES else "other"
        spent = time.monotonic() - began
        telemetry.REQUESTS.labels(self.command, route, status.value).observe(spent)

    def log_message(self, format: str, *args: object) -> None:
        """Questions are nobody's business: nothing is logged for each request."""
