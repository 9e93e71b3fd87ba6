"""A TCP proxy on loopback that can make a service look far away."""

import asyncio
from contextlib import suppress
from types import TracebackType
from typing import Self

_PIECE = 65_536


class Proxy:
    """`async with Proxy(address, port) as proxy:` leads connections to `proxy.port` there.

    `delay`, in seconds, may be changed at any time: it holds back what clients send, each piece
    of up to 64 KiB by itself.
    """

    HOST = "127.0.0.1"

    def __init__(self, address: str, port: int) -> None:
        self.port = 0
        self.delay = 0.0
        self._target = (address, port)
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, self.HOST, 0)
        self.port = int(self._server.sockets[0].getsockname()[1])
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._server:
            self._server.close()
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is None:
            return
        self._tasks.add(task)
        try:
            with suppress(OSError, asyncio.CancelledError):
                await self._lead(reader, writer)
        finally:
            self._tasks.discard(task)
            writer.close()  # what it holds is sent first

    async def _lead(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection(*self._target)
        ways = (
            asyncio.ensure_future(self._carry(reader, far_writer, delayed=True)),
            asyncio.ensure_future(self._carry(far_reader, writer, delayed=False)),
        )
        try:
            # When the server has said all, nobody waits for the rest of what the client says.
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)
            far_writer.transport.abort()

    async def _carry(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, delayed: bool
    ) -> None:
        while data := await reader.read(_PIECE):
            if delayed and self.delay:
                await asyncio.sleep(self.delay)
            writer.write(data)
            await writer.drain()
