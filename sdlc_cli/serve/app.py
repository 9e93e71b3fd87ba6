"""Every request: who asks, may they, is it within the limits; then the one who answers it."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from sdlc_cli.serve import body as bodies
from sdlc_cli.serve import log, otlp
from sdlc_cli.serve.keys import EVERYBODY, Key
from sdlc_cli.serve.reply import Problem, Reply, failed, retry, send
from sdlc_cli.serve.service import Service
from sdlc_cli.serve.settings import is_loopback

Work = Callable[["Request"], Awaitable[Reply]]

_DECODERS = 2  # bodies that are unpacked and decoded at a time
_BUSY_S = 10.0  # that a request waits for room before it is sent away
OTLP = {"/v1/traces": "traces", "/v1/metrics": "metrics", "/v1/logs": "logs"}


@dataclass(slots=True)
class Request:
    """What is asked, by whom."""

    path: str
    query: bytes
    headers: Mapping[bytes, bytes]
    kind: str  # the content type, without its parameters
    key: Key
    body: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """Who answers, and what a key has to open for it; "" is open to all."""

    work: Work
    scope: str
    has_body: bool = False


class App:
    """The ASGI application."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._routes: Mapping[tuple[str, str], Route] = {}
        self._paths: set[str] = set()
        self._room = bodies.Room(service.room)
        self._decoding = asyncio.Semaphore(_DECODERS)
        self._threads = ThreadPoolExecutor(_DECODERS, thread_name_prefix="sdlc-decode")

    def route(self, routes: Mapping[tuple[str, str], Route]) -> None:
        """Who answers what: (method, path) -> route."""
        self._routes = routes
        self._paths = {path for _, path in routes}

    def close(self) -> None:
        """Lets go of the threads."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def __call__(self, scope: Any, receive: Any, to: Any) -> None:
        """One request."""
        if scope["type"] != "http":
            return
        began = time.perf_counter()
        path = scope["path"]
        close = False
        try:
            reply = await self._answered(scope, receive)
        except Problem as problem:
            reply = _refused(problem, scope)
            close = problem.status in (408, 413)
        except bodies.Gone:
            return
        except Exception as error:  # noqa: BLE001 - one request must not end the others
            reply = _refused(Problem(500, "this is a bug in sdlc; its log says where"), scope)
            log.bug(error, path=path if path in self._paths else "")
        await send(reply, to, close=close)
        known = path if path in self._paths else "other"
        told = (scope["method"], known, reply.status, time.perf_counter() - began)
        self._service.metrics.request(*told)
        if self._service.tracer:
            self._service.tracer.request(*told)

    async def _answered(self, scope: Any, receive: Any) -> Reply:
        method, path = scope["method"], scope["path"]
        route = self._routes.get((method, path))
        if route is None:
            if path in self._paths:
                raise Problem(405, f"{path} does not take {method if method.isalpha() else 'it'}")
            raise Problem(404, "there is no such address here")
        headers = dict(scope["headers"])
        key = self._who(route, headers, scope)
        kind = headers.get(b"content-type", b"").partition(b";")[0].strip().lower()
        request = Request(
            path=path,
            query=scope["query_string"],
            headers=headers,
            kind=kind.decode("latin-1"),
            key=key,
        )
        if not route.has_body:
            return await route.work(request)
        return await self._with_body(route, request, receive)

    def _who(self, route: Route, headers: Mapping[bytes, bytes], scope: Any) -> Key:
        """The key that opens the route. Raises Problem."""
        client = scope["client"][0] if scope["client"] else ""
        service = self._service
        self._same_site(headers)
        if self._open():
            key = EVERYBODY
        elif not route.scope:
            return EVERYBODY
        else:
            told = headers.get(b"authorization", b"").decode("latin-1")
            word, _, token = told.partition(" ")
            found = service.keyring.find(token.strip()) if word.lower() == "bearer" else None
            if found is None:
                self._within(f"?{client}")
                service.metrics.count("unauthorized")
                raise Problem(401, "a key is needed: Authorization: Bearer sdlc_…")
            key = found
            if not key.may(route.scope):
                raise Problem(403, f"this key does not open '{route.scope}'")
        self._within(key.id or client)
        return key

    def _open(self) -> bool:
        """Whether no key is needed: nobody else can ask, and no key was ever made."""
        return self._service.settings.loopback and not self._service.keyring.used

    def _within(self, client: str) -> None:
        wait = self._service.rates.wait(client)
        if wait:
            self._service.metrics.count("limited")
            raise Problem(429, "too many requests", retry_after=wait)

    def _same_site(self, headers: Mapping[bytes, bytes]) -> None:
        """A page of another site may not ask, also not by a name that leads here (rebinding)."""
        host = headers.get(b"host", b"").decode("latin-1")
        origin = headers.get(b"origin", b"").decode("latin-1")
        if origin and _place(origin) != host:
            raise Problem(403, "pages of other sites may not ask")
        if self._open() and not is_loopback(_name(host)):
            raise Problem(403, "without keys only localhost is answered")

    async def _with_body(self, route: Route, request: Request, receive: Any) -> Reply:
        most = self._service.settings.most_body
        told = request.headers.get(b"content-length", b"")
        if told.isdigit() and int(told) > most:
            raise Problem(413, f"the body is larger than {most} bytes")
        packed = request.headers.get(b"content-encoding", b"").strip().lower()
        if packed not in (b"", b"identity", b"gzip"):
            raise Problem(415, "the body may be packed with gzip, with nothing else")
        held = bodies.Held(self._room, _BUSY_S)
        try:
            body = await bodies.read(receive, most, held)
            request.body = await self._unpacked(body, most, held) if packed == b"gzip" else body
            return await route.work(request)
        except TimeoutError:
            raise Problem(503, "too many large bodies at once", retry_after=1) from None
        except bodies.TooLarge:
            raise Problem(413, f"the body is larger than {most} bytes") from None
        except bodies.BadBody as bad:
            raise Problem(400, str(bad)) from None
        finally:
            held.release()

    async def _unpacked(self, body: bytes, most: int, held: bodies.Held) -> bytes:
        if len(body) <= bodies.SMALL // 16:  # a thousand-fold of it is 4 MiB at most
            try:
                return bodies.unpack(body, min(most, bodies.SMALL * 4))
            except bodies.TooLarge:
                pass
        size = await self.worked(bodies.unpacked_size, body, most)
        await held.grow(len(body) + size)
        unpacked: bytes = await self.worked(bodies.unpack, body, most)
        return unpacked

    async def worked(self, work: Callable[..., Any], *given: Any) -> Any:
        """Does what takes a while in a thread, two at a time."""
        async with self._decoding:
            return await asyncio.get_running_loop().run_in_executor(self._threads, work, *given)


def _refused(problem: Problem, scope: Any) -> Reply:
    """In the form of the interface that was asked."""
    if scope["path"] not in OTLP:
        return failed(problem)
    kind = otlp.PROTOBUF
    for name, value in scope["headers"]:
        if name == b"content-type" and value.partition(b";")[0].strip() == otlp.JSON.encode():
            kind = otlp.JSON
    body = otlp.status(problem.status, problem.message, kind)
    return Reply(problem.status, body, kind, retry(problem))


def _place(origin: str) -> str:
    """Host and port of an origin; "" of what is none."""
    try:
        return urlsplit(origin).netloc
    except ValueError:
        return ""


def _name(host: str) -> str:
    """The name in a Host header, without its port."""
    if host.startswith("["):
        return host.partition("]")[0] + "]"
    return host.partition(":")[0]
