"""What goes back: a status, a body, and the headers that every answer has."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import msgspec

from sdlc_cli import __version__

JSON = "application/json"
Header = tuple[bytes, bytes]

# Nothing of ours belongs into a frame, a cache or another site's page.
SAFE: tuple[Header, ...] = (
    (b"x-content-type-options", b"nosniff"),
    (b"cache-control", b"no-store"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"same-origin"),
)


def _plain(value: object) -> str:
    """A sentence that could be shown in several languages, in English."""
    if isinstance(value, str):
        return str(value)
    raise NotImplementedError(type(value).__name__)


_encoder = msgspec.json.Encoder(enc_hook=_plain)


@dataclass(slots=True)
class Reply:
    """An answer."""

    status: int
    body: bytes = b""
    kind: str = JSON
    headers: tuple[Header, ...] = field(default=())


class Problem(Exception):
    """A request that is not done. `retry_after` is in seconds, for what may be tried again."""

    def __init__(self, status: int, message: str, *, retry_after: float = 0) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.retry_after = retry_after


def encoded(value: object) -> bytes:
    """JSON. Decimals and moments are not in it: whoever answers made text of them."""
    return _encoder.encode(value)


def done(data: object, *, status: int = 200, headers: tuple[Header, ...] = ()) -> Reply:
    """An answer of `/api`."""
    return Reply(status, envelope("ok", data), headers=headers)


def envelope(status: str, data: object, **more: object) -> bytes:
    """The form of every answer of `/api`."""
    now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    meta = {"version": __version__, "timestamp": now}
    return encoded({"status": status, "data": data, **more, "meta": meta})


def failed(problem: Problem) -> Reply:
    """The answer of `/api` to what is not done."""
    error = {"code": problem.status, "message": problem.message}
    body = envelope("error", None, error=error)
    return Reply(problem.status, body, headers=retry(problem))


def retry(problem: Problem) -> tuple[Header, ...]:
    """When to try again, where that makes sense."""
    if not problem.retry_after:
        return ()
    return ((b"retry-after", str(max(1, round(problem.retry_after))).encode()),)


async def send(reply: Reply, to: Any, *, close: bool = False) -> None:
    """Hands an answer to the server."""
    head: list[Header] = [
        (b"content-type", reply.kind.encode()),
        (b"content-length", str(len(reply.body)).encode()),
        *SAFE,
        *reply.headers,
    ]
    if close:
        head.append((b"connection", b"close"))
    await to({"type": "http.response.start", "status": reply.status, "headers": head})
    await to({"type": "http.response.body", "body": reply.body})
