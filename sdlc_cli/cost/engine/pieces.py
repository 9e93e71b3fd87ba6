"""Cuts streams of lines into pieces, and looks into files here and there."""

import os
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol

from sdlc_cli.core.i18n import Message, msg
from sdlc_cli.cost.model import Rejected
from sdlc_cli.cost.readers import records
from sdlc_cli.cost.readers.strict import decode

_BLOCK = 2**20
_BOM = b"\xef\xbb\xbf"
_SPOTS = 64  # places in a file at which a sample is taken
_AT_SPOT = 2**14  # bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """Whole lines, `before` of them standing before these; or the reason why no more come."""

    data: bytes
    before: int
    reason: Message | None = None


class Stream(Protocol):
    """What pieces are cut of."""

    def read1(self, size: int, /) -> bytes:
        """Some bytes, up to `size`: what is there before a failure is not lost."""
        ...


def cut(stream: Stream, size: int, most: int = -1) -> Iterator[Piece]:
    """Pieces of about `size` bytes, of up to `most` bytes in all.

    Of a line longer than any record may be, only so much is kept as shows that it is too long.
    """
    blocks = _blocks(stream, most, min(size, _BLOCK))
    kept: list[bytes] = []
    held = before = 0
    skipping = False
    failed: Message | None = None
    first = True
    for block in blocks:
        if isinstance(block, Rejected):
            failed = block.reason
            break
        if first:
            block, first = block.removeprefix(_BOM), False
        if skipping:
            at = block.find(b"\n")
            if at < 0:
                continue
            block, skipping = block[at:], False
        kept.append(block)
        held += len(block)
        if held < size:
            continue
        data = b"".join(kept)
        end = data.rfind(b"\n") + 1
        rest = data[end:]
        if end:
            yield Piece(data=data[:end], before=before)
            before += data.count(b"\n", 0, end)
        if len(rest) > records.LIMIT + 2:
            rest, skipping = rest[: records.LIMIT + 2], True
        kept, held = [rest], 0 if end else held
        held = len(rest)
    data = b"".join(kept)
    if failed is not None:  # the line that was cut off is lost, and told of once
        data = data[: data.rfind(b"\n") + 1]
    if data:
        yield Piece(data=data, before=before)
        before += data.count(b"\n")
    if failed is not None:
        yield Piece(data=b"", before=before, reason=failed)


def _blocks(stream: Stream, most: int, size: int) -> Iterator[bytes | Rejected]:
    left = most
    while left:
        try:
            block = stream.read1(size if left < 0 else min(size, left))
        except EOFError:
            yield Rejected(msg("the compressed file ends early"))
            return
        except (zlib.error, OSError):
            yield Rejected(msg("the compressed file is damaged"))
            return
        if not block:
            return
        left -= len(block) if left > 0 else 0
        yield block


def sample(file: Path, size: int) -> list[object]:
    """Records from places spread over a file of lines; those that cannot be read are left out."""
    found: list[object] = []
    with open(file, "rb") as stream:
        for spot in range(1, _SPOTS + 1):
            stream.seek(size * spot // (_SPOTS + 1))
            for line in stream.read(_AT_SPOT).split(b"\n")[1:-1]:
                try:
                    found.append(decode(line))
                except Rejected:
                    continue
    return found


def newlines(file: Path, end: int) -> int:
    """How many lines end in a file's first `end` bytes."""
    count = 0
    with open(file, "rb") as stream:
        while end > 0 and (block := stream.read(min(_BLOCK, end))):
            count += block.count(b"\n")
            end -= len(block)
    return count


def lines_at(file: Path, numbers: Sequence[int]) -> Iterator[tuple[int, bytes]]:
    """These lines of a file, from 1 on and sorted; of one that is no record only the beginning."""
    passed = 0  # lines that end before the place in the stream
    with open(file, "rb") as stream:
        for number in numbers:
            _pass(stream, number - 1 - passed)
            line = stream.readline(records.LIMIT + 2)
            passed = number if line.endswith(b"\n") else number - 1
            yield number, line


def _pass(stream: BinaryIO, lines: int) -> None:
    """Moves behind that many ends of lines."""
    while lines and (block := stream.read(_BLOCK)):
        count = block.count(b"\n")
        if count < lines:
            lines -= count
            continue
        at = 0
        for _ in range(lines):
            at = block.index(b"\n", at) + 1
        stream.seek(at - len(block), os.SEEK_CUR)
        return
