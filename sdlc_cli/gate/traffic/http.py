"""A small, strict HTTP/1.1 client over asyncio streams that keeps connections open.

It reads just enough of an answer (RFC 9112) to know its status and where it ends. Redirects are
answers like any other, proxies of the environment are not asked.
"""

import asyncio
import re
import ssl
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass

LARGEST_BODY = 10_000_000  # bytes of one answer
_LONGEST_LINE = 65_536  # bytes of the header section's lines, and of the header section
_READ = 65_536
_STATUS = re.compile(rb"HTTP/1\.([01]) ([1-5][0-9]{2})(?: [^\r\n]*)?\r?\n")
_SAFE = frozenset({"GET", "HEAD", "OPTIONS", "PUT", "DELETE"})  # idempotent: RFC 9110, 9.2.2


class BrokenAnswerError(Exception):
    """What came is no HTTP answer, or one larger than we read."""


class _ClosedBeforeAnswerError(Exception):
    """The server closed the connection and had not begun to answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """A request as bytes, and the statuses that are right; none means any 2xx."""

    method: str
    data: bytes
    expected: frozenset[int]

    def accepts(self, status: int) -> bool:
        """Whether an answer with this status is a good one."""
        return status in self.expected if self.expected else 200 <= status < 300


def prepare(
    host: str,
    *,
    method: str = "GET",
    path: str = "/",
    headers: Mapping[str, str] | None = None,
    body: bytes = b"",
    expected: Iterable[int] = (),
) -> Prepared:
    """`host` is what the Host header says. Raises ValueError for text that no header can hold."""
    own = {"Host": host, "Accept": "*/*", "User-Agent": "sdlc-load"}
    if body or method in ("POST", "PUT", "PATCH"):
        own["Content-Length"] = str(len(body))
    given = {name.lower() for name in headers or {}}
    lines = [f"{method} {path} HTTP/1.1"]
    lines += [f"{name}: {value}" for name, value in own.items() if name.lower() not in given]
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
    if any("\r" in line or "\n" in line for line in lines):
        raise ValueError("a line break in a header")
    head = "\r\n".join([*lines, "", ""]).encode("latin-1")
    return Prepared(method=method, data=head + body, expected=frozenset(expected))


@dataclass(frozen=True, slots=True)
class _Connection:
    """An open connection."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    @property
    def fresh(self) -> bool:
        """False when the server has closed it meanwhile."""
        return not (self.reader.at_eof() or self.writer.is_closing())


class Client:
    """Asks one server. Connections that stay open are used again, the last one first.

    `tls_name` is the name that the server's certificate must hold; empty means plain HTTP.
    """

    def __init__(self, address: str, port: int, *, tls_name: str = "") -> None:
        self._address = address
        self._port = port
        self._tls_name = tls_name
        self._tls = ssl.create_default_context() if tls_name else None
        self._idle: list[_Connection] = []

    def lead_through(self, address: str, port: int) -> None:
        """Connect there from now on."""
        self._address, self._port = address, port
        self.close()

    async def open(self, count: int) -> None:
        """Have `count` connections ready, so that a burst does not begin with handshakes."""
        missing = range(count - len(self._idle))
        made = await asyncio.gather(*(self._connect() for _ in missing), return_exceptions=True)
        self._idle += [one for one in made if isinstance(one, _Connection)]

    async def ask(self, request: Prepared) -> int:
        """The answer's status, once all of it came.

        A request that may be repeated is, when a connection that stood open turns out to be
        closed. Raises OSError, TimeoutError, BrokenAnswerError, EOFError (closed in between).
        """
        connection = self._take()
        while connection is not None:
            try:
                return await self._over(connection, request)
            except _ClosedBeforeAnswerError as error:
                if request.method not in _SAFE:
                    raise EOFError from error
                connection = self._take()
        try:
            return await self._over(await self._connect(), request)
        except _ClosedBeforeAnswerError as error:
            raise EOFError from error

    def close(self) -> None:
        """Close the connections that are not in use."""
        for connection in self._idle:
            connection.writer.close()
        self._idle.clear()

    def _take(self) -> _Connection | None:
        while self._idle:
            connection = self._idle.pop()
            if connection.fresh:
                return connection
            connection.writer.close()
        return None

    async def _connect(self) -> _Connection:
        reader, writer = await asyncio.open_connection(
            self._address,
            self._port,
            ssl=self._tls,
            server_hostname=self._tls_name or None,
            limit=_LONGEST_LINE,
        )
        return _Connection(reader, writer)

    async def _over(self, connection: _Connection, request: Prepared) -> int:
        stays = False
        try:
            connection.writer.write(request.data)
            with suppress(ConnectionError):  # an answer may stand there before we said it all
                await connection.writer.drain()
            status, stays = await _answer(connection.reader, request.method)
        finally:
            if stays:
                self._idle.append(connection)
            else:
                connection.writer.transport.abort()
        return status


async def _answer(reader: asyncio.StreamReader, method: str) -> tuple[int, bool]:
    """The status, and whether the connection may be used again; the body is read and dropped."""
    while True:
        minor, status, headers = await _head(reader)
        if status >= 200:
            break
        if status == 101:
            raise BrokenAnswerError("101")
    stays = _stays(minor, headers)
    if method == "HEAD" or status in (204, 304):
        return status, stays
    coding, length = headers.get("transfer-encoding"), headers.get("content-length")
    if coding is not None:
        if length is not None or coding.lower() != "chunked":
            raise BrokenAnswerError("transfer-encoding")
        await _chunks(reader)
    elif length is not None:
        await _drop(reader, _length(length, 10))
    else:
        await _until_closed(reader)
        return status, False
    return status, stays


def _stays(minor: int, headers: Mapping[str, str]) -> bool:
    words = {word.strip().lower() for word in headers.get("connection", "").split(",")}
    return "close" not in words and (minor == 1 or "keep-alive" in words)


async def _head(reader: asyncio.StreamReader) -> tuple[int, int, dict[str, str]]:
    try:
        first = await _line(reader)
    except ConnectionError as error:
        raise _ClosedBeforeAnswerError from error
    if not first:
        raise _ClosedBeforeAnswerError
    match = _STATUS.fullmatch(first)
    if not match:
        raise BrokenAnswerError("status line")
    headers: dict[str, str] = {}
    size = len(first)
    while (line := await _line(reader)) not in (b"\r\n", b"\n"):
        size += len(line)
        name, colon, value = line.decode("latin-1").partition(":")
        if not line.endswith(b"\n") or not colon or not name.strip() or size > _LONGEST_LINE:
            raise BrokenAnswerError("header")
        name, value = name.lower(), value.strip()
        if name in ("content-length", "transfer-encoding") and headers.get(name, value) != value:
            raise BrokenAnswerError(name)
        headers[name] = value
    return int(match[1]), int(match[2]), headers


async def _line(reader: asyncio.StreamReader) -> bytes:
    try:
        return await reader.readline()
    except ValueError as error:  # longer than the reader's limit
        raise BrokenAnswerError("long line") from error


def _length(text: str, base: int) -> int:
    digits = r"[0-9]{1,18}" if base == 10 else r"[0-9A-Fa-f]{1,15}"
    if not re.fullmatch(digits, text):
        raise BrokenAnswerError("length")
    return int(text, base)


async def _drop(reader: asyncio.StreamReader, count: int, already: int = 0) -> None:
    if count + already > LARGEST_BODY:
        raise BrokenAnswerError("large body")
    while count:
        data = await reader.read(min(count, _READ))
        if not data:
            raise EOFError
        count -= len(data)


async def _chunks(reader: asyncio.StreamReader) -> None:
    total = 0
    while True:
        line = (await _line(reader)).decode("latin-1")
        if not line:
            raise EOFError
        size = _length(line.partition(";")[0].strip(), 16)
        if not size:
            break
        await _drop(reader, size, total)
        total += size
        if await reader.readexactly(2) != b"\r\n":
            raise BrokenAnswerError("chunk")
    for _ in range(1000):  # trailers
        if await _line(reader) in (b"\r\n", b"\n", b""):
            return
    raise BrokenAnswerError("trailers")


async def _until_closed(reader: asyncio.StreamReader) -> None:
    total = 0
    while data := await reader.read(_READ):
        total += len(data)
        if total > LARGEST_BODY:
            raise BrokenAnswerError("large body")
