"""Reads the body of a request within limits, and unpacks it within the same limits.

The size that counts is the unpacked one. A packed body is unpacked twice: first as a stream whose
pieces are counted and thrown away, so that one of a thousand times its size costs no memory.
"""

import asyncio
import zlib
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

Receive = Callable[[], Awaitable[Any]]

SMALL = 64 * 2**10  # bytes that are worked on at once, not in a thread
_PIECE = 64 * 2**10
_MEMBERS = 1_000  # of a gzip body: each costs some work, even where nothing is in it
_GZIP = 31  # zlib's word for a gzip header


class TooLarge(Exception):
    """More than the limit."""


class BadBody(Exception):
    """Cut off, or not packed as it says."""


class Gone(Exception):
    """The client went away."""


class Room:
    """How many bytes of bodies may be in memory at once. Who finds no room waits."""

    def __init__(self, most: int) -> None:
        self._left = most
        self._most = most
        self._waiting: list[tuple[int, asyncio.Future[None]]] = []

    async def take(self, size: int) -> None:
        """Waits until there is room; larger ones get as much as there is at all."""
        size = min(size, self._most)
        if not self._waiting and self._left >= size:
            self._left -= size
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((size, turn))
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self.give(size)
            else:
                self._waiting.remove((size, turn))
            raise

    def give(self, size: int) -> None:
        """Lets go of room."""
        self._left += min(size, self._most)
        while self._waiting and self._left >= self._waiting[0][0]:
            size, turn = self._waiting.pop(0)
            if not turn.done():
                self._left -= size
                turn.set_result(None)


class Held:
    """What one request holds of the room; more of it as its body grows."""

    def __init__(self, room: Room, patience: float) -> None:
        self._room = room
        self._patience = patience
        self._taken = 0

    async def grow(self, size: int) -> None:
        """Holds `size` bytes from now on. Raises TimeoutError where there was no room for long."""
        more = size - self._taken
        if more > 0:
            await asyncio.wait_for(self._room.take(more), self._patience)
            self._taken = size

    def release(self) -> None:
        """Lets go of all."""
        if self._taken:
            self._room.give(self._taken)
            self._taken = 0


async def read(receive: Receive, most: int, held: Held) -> bytes:
    """The whole body. Raises TooLarge as soon as there is more than `most`, and Gone."""
    parts: list[bytes] = []
    size = 0
    while True:
        event = await receive()
        if event["type"] == "http.disconnect":
            raise Gone
        part: bytes = event.get("body", b"")
        size += len(part)
        if size > most:
            raise TooLarge
        parts.append(part)
        if not event.get("more_body"):
            return part if len(parts) == 1 else b"".join(parts)
        if size > SMALL:  # what is smaller is there already
            await held.grow(size)


def unpacked_size(body: bytes, most: int) -> int:
    """How large a gzip body is, unpacked. Raises TooLarge and BadBody."""
    size = 0
    for piece in _unpacked(body):
        size += len(piece)
        if size > most:
            raise TooLarge
    return size


def unpack(body: bytes, most: int) -> bytes:
    """The unpacked body. Raises TooLarge and BadBody."""
    unpacked_size(body, most)
    return b"".join(_unpacked(body))


def _unpacked(body: bytes) -> Iterator[bytes]:
    """The pieces of a gzip body, which may be several one after the other. Raises BadBody."""
    if not body:
        raise BadBody("the gzip body is empty")
    view = memoryview(body)
    at = members = 0
    try:
        while at < len(body):
            members += 1
            if members > _MEMBERS:
                raise BadBody(f"the gzip body has more than {_MEMBERS} members")
            stream = zlib.decompressobj(_GZIP)
            while not stream.eof:
                if at == len(body):
                    raise BadBody("the gzip body is cut off")
                # Of what is left no more than this is ever copied.
                packed = bytes(view[at : at + _PIECE])
                at += len(packed)
                full = True
                while (packed or full) and not stream.eof:
                    found = stream.decompress(packed, _PIECE)
                    yield found
                    packed, full = stream.unconsumed_tail, len(found) == _PIECE
            at -= len(stream.unused_data)
    except zlib.error as error:
        raise BadBody(f"the body is not gzip: {error}") from None
