"""Spans of the service's own requests, sent to an OTLP address of the user's. Off by default.

They tell the route, the status and the time, and nothing of what clients sent. What cannot be sent
is dropped: this must never cost a call.
"""

import asyncio
import http.client
import json
import os
import time
from collections import deque
from urllib.parse import urlsplit

from sdlc_cli import __version__

_MOST = 2_000  # spans that wait
_EVERY_S = 2.0
_PATIENCE_S = 5.0
_ERROR = 2  # STATUS_CODE_ERROR
_SERVER = 2  # SPAN_KIND_SERVER


class Tracer:
    """Collects spans, and sends them every other second."""

    def __init__(self, url: str) -> None:
        self._url = url.rstrip("/")
        self._spans: deque[dict[str, object]] = deque(maxlen=_MOST)
        self.dropped = 0

    def request(self, method: str, route: str, status: int, seconds: float) -> None:
        """A request was answered just now."""
        end = time.time_ns()
        attributes = {
            "http.request.method": method,
            "http.route": route,
            "http.response.status_code": status,
        }
        self._spans.append(
            {
                "traceId": os.urandom(16).hex(),
                "spanId": os.urandom(8).hex(),
                "name": f"{method} {route}",
                "kind": _SERVER,
                "startTimeUnixNano": str(end - int(seconds * 1e9)),
                "endTimeUnixNano": str(end),
                "attributes": [_attribute(key, value) for key, value in attributes.items()],
                "status": {"code": _ERROR} if status >= 500 else {},
            }
        )

    async def keep_sending(self) -> None:
        """As long as the service runs."""
        while True:
            await asyncio.sleep(_EVERY_S)
            await self.send()

    async def send(self) -> None:
        """Sends what waits; what is not taken is dropped."""
        spans = list(self._spans)
        self._spans.clear()
        if not spans:
            return
        body = json.dumps(_export(spans)).encode()
        loop = asyncio.get_running_loop()
        if not await loop.run_in_executor(None, _posted, self._url, body):
            self.dropped += len(spans)


def _attribute(key: str, value: object) -> dict[str, object]:
    kind = "intValue" if isinstance(value, int) else "stringValue"
    return {"key": key, "value": {kind: str(value)}}


def _export(spans: list[dict[str, object]]) -> dict[str, object]:
    resource = [
        _attribute("service.name", "sdlc-serve"),
        _attribute("service.version", __version__),
    ]
    scope = {"name": "sdlc_cli.serve", "version": __version__}
    library = {"scope": scope, "spans": spans}
    return {"resourceSpans": [{"resource": {"attributes": resource}, "scopeSpans": [library]}]}


def _posted(url: str, body: bytes) -> bool:
    at = urlsplit(f"{url}/v1/traces")
    connect = http.client.HTTPSConnection if at.scheme == "https" else http.client.HTTPConnection
    connection = connect(at.hostname or "", at.port, timeout=_PATIENCE_S)
    try:
        connection.request("POST", at.path, body, {"Content-Type": "application/json"})
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException, ValueError):
        return False
    finally:
        connection.close()
