"""HTTP/1.1 from the socket, with the limits that uvicorn does not have.

A request has to be complete within a time, its head within a shorter one, and a head has a size.
One look a second over all connections does it: a timer for each request would cost more.
"""

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEAD_BYTES = 32 * 2**10
HEAD_S = 10.0
BODY_S = 30.0
_EVERY_S = 1.0

_END = b"\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
_TOO_LARGE = b"HTTP/1.1 431 Request Header Fields Too Large" + _END
_TOO_SLOW = b"HTTP/1.1 408 Request Timeout" + _END


class Guarded(HttpToolsProtocol):
    """A connection."""

    due: float | None = None  # when the request has to be complete
    _head = 0  # bytes of a head that is not complete
    _in_head = True

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Waits for the head of a request."""
        super().connection_made(transport)
        self.due = self.loop.time() + HEAD_S

    def data_received(self, data: bytes) -> None:
        """Part of a request."""
        if self._in_head:
            self._head += len(data)
        super().data_received(data)
        if self._in_head and self._head > HEAD_BYTES and not self.transport.is_closing():
            self.end(_TOO_LARGE)

    def on_message_begin(self) -> None:
        """The first byte of a request."""
        super().on_message_begin()
        if self.due is None:
            self.due = self.loop.time() + HEAD_S

    def on_headers_complete(self) -> None:
        """The head is there."""
        size = sum(len(name) + len(value) + 4 for name, value in self.headers) + len(self.url)
        self._in_head = False
        self._head = 0
        if size > HEAD_BYTES:
            self.end(_TOO_LARGE)
            return
        self.due = self.loop.time() + BODY_S
        if not self.transport.is_closing():
            super().on_headers_complete()

    def on_message_complete(self) -> None:
        """The body is there. The answer may take its time."""
        self.due = None
        self._in_head = True
        if not self.transport.is_closing():
            super().on_message_complete()

    def end(self, answer: bytes) -> None:
        """Says why, and closes."""
        self.due = None
        if self.cycle is None or self.cycle.response_complete or not self.cycle.response_started:
            self.transport.write(answer)
        self.transport.close()


async def watch(connections: set[Any], counted: Any) -> None:
    """Ends what takes too long, once a second, as long as the service runs."""
    loop = asyncio.get_running_loop()
    while True:
        await asyncio.sleep(_EVERY_S)
        now = loop.time()
        for connection in list(connections):
            due = getattr(connection, "due", None)
            if due is not None and due < now:
                counted()
                connection.end(_TOO_SLOW)
