"""The records of a file of JSON lines or of one JSON document, each with its number.

A file is read as lines, one record each, unless it is one JSON document: an array of records, an
object that wraps such an array (`{"data": […]}`), or records printed over several lines. Memory
is bounded by `limit`, whatever the file holds.
"""

import gzip
import re
import zlib
from collections.abc import Iterable, Iterator
from itertools import chain, islice
from typing import Protocol

from sdlc_cli.core.i18n import msg
from sdlc_cli.cost.model import Rejected
from sdlc_cli.cost.readers import Record
from sdlc_cli.cost.readers.strict import decode

LIMIT = 16 * 2**20  # bytes of one record
_BLOCK = 2**20
_BOM = b"\xef\xbb\xbf"

# Arrays that answers of an API come wrapped in, and what else such a wrapper may hold. Anything
# beyond it makes the object a record in its own right: an embedding's answer has "data", too.
_LISTS = ("data", "results", "records", "logs", "items", "responses")
_PAGING = frozenset(
    (
        *("object", "meta", "has_more", "hasMore", "first_id", "last_id"),
        *("next_page", "nextPageToken", "next_cursor", "cursor", "limit", "offset"),
        *("total", "total_pages", "page", "page_size", "count"),
    )
)
_SCALAR = rb'(?:"(?:[^"\\]|\\.)*+"|[-+.\w]++)'
_WRAPPER = re.compile(
    rb'\s*\{\s*(?:"(?:%s)"\s*:\s*%s\s*,\s*)*"(?:%s)"\s*:\s*(?=\[)'
    % ("|".join(sorted(_PAGING)).encode(), _SCALAR, "|".join(_LISTS).encode())
)
_TOKEN = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"|[\[\]{}"]', re.DOTALL)
_BARE = re.compile(rb"[^\s,\[\]{}\"]++")
_NO_OBJECT = msg("not a JSON object")


class Lines(Protocol):
    """What is read from: a file, standard input, a decompressor."""

    def readline(self, size: int, /) -> bytes:
        """Up to `size` bytes, none beyond a newline; empty at the end."""
        ...


Found = tuple[int, Record | Rejected]
_Line = tuple[int, bytes | Rejected]


def read(stream: Lines, *, limit: int = LIMIT) -> Iterator[Found]:
    """Each record of a file with its number: the line's, or the element's in a document.

    What is no record comes as the `Rejected` that says why; only the stream's own OSError is
    raised. Blank lines are nothing. Numbers start at 1. A compressed stream that ends early costs
    the record it ends in.
    """
    return told(stream, limit=limit)[1]


def told(stream: Lines, *, limit: int = LIMIT) -> tuple[bool, Iterator[Found]]:
    """Whether the file is lines, as `is_lines` says, and what `read` makes of it."""
    source = _Source(stream)
    lines = _lines(source, limit)
    head = _head(lines, limit)
    if _is_document(head, limit):
        start = b"".join(data for _, data in head if isinstance(data, bytes))
        return False, enumerate(_Document(start, source, limit).records(), 1)
    return True, _records(chain(head, lines), limit)


def is_lines(stream: Lines, *, limit: int = LIMIT) -> bool:
    """Whether `read` takes a file for lines with a record each, not for one JSON document."""
    return not _is_document(_head(_lines(_Source(stream), limit), limit), limit)


def _head(lines: Iterator[_Line], limit: int) -> list[_Line]:
    """The first two lines; only the first where it goes on beyond the limit."""
    head = list(islice(lines, 1))
    if head and not (type(head[0][1]) is bytes and _goes_on(head[0][1], limit)):
        head += islice(lines, 1)
    return head


def read_lines(stream: Lines, *, limit: int = LIMIT) -> Iterator[Found]:
    """As `read`, for what is known to be lines: a piece of a file, cut between two of them."""
    return _records(_lines(_Source(stream), limit), limit)


def _records(lines: Iterable[_Line], limit: int) -> Iterator[Found]:
    for number, data in lines:
        if type(data) is not bytes or _goes_on(data, limit):
            yield number, data if isinstance(data, Rejected) else _too_long(limit)
            continue
        try:
            value = decode(data)
        except Rejected as refusal:
            yield number, refusal
            continue
        if type(value) is dict and value.keys().isdisjoint(_LISTS):
            yield number, value
            continue
        for record in unrolled(value):
            yield number, record


class _Source:
    """A stream that ends instead of failing, and keeps what it failed with."""

    def __init__(self, stream: Lines) -> None:
        self._readline = stream.readline
        self.failure: Rejected | None = None

    def piece(self, size: int) -> bytes:
        """Up to `size` bytes, none beyond a newline; empty at the end."""
        try:
            return b"" if self.failure else self._readline(size)
        except EOFError:
            self.failure = Rejected(msg("the compressed file ends early"))
        except (zlib.error, gzip.BadGzipFile):
            self.failure = Rejected(msg("the compressed file is damaged"))
        except Rejected as refusal:
            self.failure = refusal
        return b""

    def block(self) -> bytes:
        """About a MiB, lines or not; empty at the end."""
        pieces: list[bytes] = []
        size = 0
        while size < _BLOCK and (piece := self.piece(_BLOCK)):
            pieces.append(piece)
            size += len(piece)
        return b"".join(pieces)


def _goes_on(data: bytes, limit: int) -> bool:
    return len(data) > limit and not data.endswith(b"\n")


def _lines(source: _Source, limit: int) -> Iterator[_Line]:
    """Lines that are not blank, with their newlines; of one that goes on, its beginning."""
    number = 0
    piece = source.piece
    most = limit + 1
    while data := piece(most):
        number += 1
        if number == 1 and data.startswith(_BOM):
            data = data[len(_BOM) :]
            data += b"" if data.endswith(b"\n") else piece(len(_BOM))
        if data and not data.isspace():
            yield number, data
        if len(data) > limit and _goes_on(data, limit):
            while (rest := piece(_BLOCK)) and not rest.endswith(b"\n"):
                pass
    if source.failure:
        yield number + 1, source.failure


def _too_long(limit: int) -> Rejected:
    return Rejected(msg("longer than {limit} bytes", limit=limit))


def unrolled(value: object) -> list[Record | Rejected]:
    """The records in a JSON value: the value itself, an array's elements, a wrapper's list."""
    if isinstance(value, dict):
        if value.keys().isdisjoint(_LISTS):
            return [value]
        name = next((key for key in _LISTS if isinstance(value.get(key), list)), "")
        if not name or not _PAGING.issuperset(value.keys() - {name}):
            return [value]
        value = value[name]
    if isinstance(value, list):
        return [v if isinstance(v, dict) else Rejected(_NO_OBJECT) for v in value]
    return [Rejected(_NO_OBJECT)]


def _is_document(head: list[_Line], limit: int) -> bool:
    """Whether a file with these first lines is a JSON document, not JSON lines."""
    first = head[0][1] if head else b""
    if not isinstance(first, bytes) or not first.lstrip().startswith((b"[", b"{")):
        return False
    if _goes_on(first, limit):
        return first.lstrip().startswith(b"[") or _WRAPPER.match(first) is not None
    second = head[1][1] if len(head) > 1 else None
    try:
        value = decode(first)
    except Rejected:
        # A bad line, or the first line of a document? A record that stands alone on the second
        # line speaks for lines; in a document the second line goes on.
        if second is None or first.strip() == b"[":
            return first.lstrip().startswith(b"[")
        return isinstance(second, bytes) and not _is_record(second)
    return second is None and unrolled(value) != [value]


def _is_record(line: bytes) -> bool:
    try:
        return isinstance(decode(line), dict)
    except Rejected:
        return False


class _Document:
    """Splits JSON text into its records as it comes, by strings and brackets alone.

    Each record then goes through `decode`, so a bad one costs itself and not the rest.
    """

    def __init__(self, start: bytes, source: _Source, limit: int) -> None:
        self.data = start
        self.at = 0
        self.source = source
        self.limit = limit

    def records(self) -> Iterator[Record | Rejected]:
        """Of arrays and wrappers the elements, of other values the values themselves."""
        try:
            while self._next() != b"":
                wrapper = _WRAPPER.match(self.data, self.at)
                if wrapper:
                    self.at = wrapper.end()
                if self._next() == b"[":
                    yield from self._elements()
                    if wrapper:
                        return  # what follows the list is about paging
                else:
                    yield from self._value()
        except Rejected as refusal:
            yield refusal
        if self.source.failure:
            yield self.source.failure

    def _elements(self) -> Iterator[Record | Rejected]:
        self.at += 1
        while (byte := self._next()) != b"]":
            if byte == b"":
                raise Rejected(_CUT)
            yield from self._value()
            after = self._next()
            if after == b",":
                self.at += 1
            elif after != b"]":
                raise Rejected(_CUT if after == b"" else _NO_COMMA)
        self.at += 1

    def _value(self) -> Iterator[Record | Rejected]:
        end = self._end()
        text = self.data[self.at : end]
        self.at = end
        try:
            yield from unrolled(decode(text))
        except Rejected as refusal:
            yield refusal

    def _more(self) -> bool:
        """Forget what was read and take the next block; False at the end."""
        block = self.source.block()
        self.data = self.data[self.at :] + block
        self.at = 0
        return block != b""

    def _next(self) -> bytes:
        """The byte after white space, not taken; empty at the end."""
        while True:
            rest = self.data[self.at : self.at + 64].lstrip()
            if rest:
                self.at += min(64, len(self.data) - self.at) - len(rest)
                return rest[:1]
            self.at = min(self.at + 64, len(self.data))
            if self.at >= len(self.data) and not self._more():
                return b""

    def _end(self) -> int:
        """Where the value at hand ends."""
        bare = _BARE.match(self.data, self.at)
        if bare:
            return bare.end()
        depth = 0
        at = self.at
        while True:
            for token in _TOKEN.finditer(self.data, at):
                start, at = token.span()
                byte = self.data[start]
                if byte in b"[{":
                    depth += 1
                elif byte in b"]}":
                    depth -= 1
                elif at == start + 1:  # a quote whose string is not all here yet
                    at = start
                    break
                if depth <= 0:
                    return at
            read = len(self.data) - self.at
            if read > self.limit:
                raise Rejected(_STOPPED)
            at -= self.at
            if not self._more():
                raise Rejected(_CUT)


_CUT = msg("the document is cut off; its records before this one were read")
_NO_COMMA = msg("a comma is missing; nothing after this place was read")
_STOPPED = msg("the record is too long; nothing after it was read")
