"""Exports of spans in protobuf by the compiled reader, where their spans are plainly calls.

It takes the wanted attributes out of a body without Python's lock, and finds which spans are alike
but for ids, times and counts. What such spans mean is asked once, of the same reader that all other
spans go through; and whatever is unusual goes through that one by itself.
"""

import ctypes
from collections.abc import Callable, Iterator, Sequence
from functools import cache

import msgspec

from sdlc_cli.cost.engine.native.build import library
from sdlc_cli.cost.model import Rejected, Row, Told
from sdlc_cli.cost.readers import gen_ai, openinference, otlp
from sdlc_cli.cost.readers.fields import said
from sdlc_cli.cost.readers.pairs import told_of
from sdlc_cli.cost.readers.spans import Attributes, Span
from sdlc_cli.serve import proto
from sdlc_cli.serve.sound import check, timely

# What a row of the reader holds, as `otlp.c` has it.
_ALIKE = (
    gen_ai.PROVIDER, gen_ai.MODEL, gen_ai.TIER, gen_ai.USER, gen_ai.SESSION,
    (gen_ai.OPERATION,), (gen_ai.AGENT_NAME,),
)  # fmt: skip
_COUNTS = (
    gen_ai.INPUT, gen_ai.OUTPUT, gen_ai.READ, gen_ai.WRITE, gen_ai.REASONING, (gen_ai.MAX,),
)  # fmt: skip
_SLOTS: Sequence[Sequence[str]] = (
    *_ALIKE,
    (gen_ai.RESPONSE,),
    *_COUNTS,
    (gen_ai.ERROR,),
    (*gen_ai.AUDIO_IN, *gen_ai.IMAGE_IN, *gen_ai.AUDIO_OUT, *gen_ai.IMAGE_OUT),  # 0, or unusual
    (gen_ai.COST, *openinference.SPOKEN),  # unusual
)
_SPAN, _PROFILE, _GROUP = 9 + len(_COUNTS), 3 + 2 * len(_ALIKE), 4  # cells in a row


class Plain(msgspec.Struct, kw_only=True, gc=False):
    """What a body told, and how many spans are in it."""

    told: list[Told] = []
    refused: list[Rejected] = []
    items: int = 0


class _Name(ctypes.Structure):
    _fields_ = (
        ("key", ctypes.c_char_p),
        ("length", ctypes.c_int32),
        ("slot", ctypes.c_int32),
        ("rank", ctypes.c_int32),
    )


class _Cells(ctypes.Structure):
    _fields_ = (
        ("cells", ctypes.POINTER(ctypes.c_int64)),
        ("rows", ctypes.c_int64),
        ("room", ctypes.c_int64),
    )

    def taken(self, width: int) -> Iterator[tuple[int, ...]]:
        """The rows."""
        if not self.rows:
            return iter(())
        cells = iter(self.cells[: self.rows * width])
        return zip(*[cells] * width, strict=True)


class _Export(ctypes.Structure):
    _fields_ = (("spans", _Cells), ("profiles", _Cells), ("groups", _Cells))


@cache
def loaded() -> ctypes.CDLL | None:
    """The compiled reader; None where there is none."""
    try:
        found = ctypes.CDLL(str(library()))
    except OSError:
        return None
    found.sdlc_otlp_read.argtypes = (
        ctypes.c_char_p,
        ctypes.c_int64,
        ctypes.POINTER(_Name),
        ctypes.c_int32,
        ctypes.POINTER(_Export),
    )
    found.sdlc_otlp_free.argtypes = (ctypes.POINTER(_Export),)
    return found


def _named() -> ctypes.Array[_Name]:
    found = [
        _Name(name.encode(), len(name), slot, rank)
        for slot, names in enumerate(_SLOTS)
        for rank, name in enumerate(names)
    ]
    return (_Name * len(found))(*found)


_NAMES = _named()


def read(body: bytes) -> Plain | None:
    """The calls in a body, held against `check`; None for a body that is not plainly right."""
    native = loaded()
    if native is None:
        return None
    export = _Export()
    try:
        if not native.sdlc_otlp_read(body, len(body), _NAMES, len(_NAMES), export):
            return None
        spans = list(export.spans.taken(_SPAN))
        profiles = list(export.profiles.taken(_PROFILE))
        groups = list(export.groups.taken(_GROUP))
    finally:
        native.sdlc_otlp_free(export)
    return _Body(body, profiles, groups).read(spans)


class _Body:
    """A body, and what its spans have in common."""

    def __init__(
        self, body: bytes, profiles: Sequence[tuple[int, ...]], groups: Sequence[tuple[int, ...]]
    ) -> None:
        self._body = body
        resources: dict[tuple[int, int], Attributes] = {}
        self._groups: list[tuple[str, Attributes]] = []
        for begin, length, at, size in groups:
            resource = resources.get((begin, length))
            if resource is None:
                resource = proto.resource(body[begin : begin + length])
                resources[begin, length] = resource
            self._groups.append((self._text(at, size), resource))
        self._profiles = [self._profile(cells) for cells in profiles]

    def _text(self, at: int, size: int) -> str:
        return self._body[at : at + size].decode()

    def _profile(self, cells: tuple[int, ...]) -> tuple[int, Callable[[], Row] | None, bool]:
        """A group's number; what makes a call as all these are; whether they are unusual."""
        group, failed, counted, *places = cells
        scope, resource = self._groups[group]
        attributes: dict[str, object] = {
            names[0]: self._text(at, size)
            for names, at, size in zip(_ALIKE, places[::2], places[1::2], strict=True)
            if size
        }
        if counted:
            attributes[gen_ai.INPUT[0]] = 0
        span = Span(error=bool(failed), scope=scope, attributes=attributes, resource=resource)
        if scope == otlp.LITELLM or otlp.is_sum(span):
            return group, None, True
        try:
            row = otlp.row_of(span)
            if row is not None:
                row.known = bool(counted)
                check(row)
        except Rejected:
            return group, None, True
        if row is None:
            return group, None, False
        return group, row.__copy__, False  # type: ignore[attr-defined]

    def read(self, spans: Sequence[tuple[int, ...]]) -> Plain:
        """The calls of all spans."""
        body = self._body
        keys: list[tuple[str, str]] = []
        parents: dict[str, str] = {}
        for _, _, _, trace, mine, above, *_ in spans:
            name = f"span:{body[trace : trace + 16].hex() if trace >= 0 else ''}:"
            own = body[mine : mine + 8].hex() if mine >= 0 else ""
            key = name + own if own else ""
            keys.append((key, own))
            if key:
                parents[key] = name + body[above : above + 8].hex() if above >= 0 else ""
        found = Plain(items=len(spans))
        for (key, own), cells in zip(keys, spans, strict=True):
            row: Row | None
            try:
                row = self._row(cells, key, own)
            except Rejected as refusal:
                found.refused.append(refusal)
                continue
            if row is not None:
                found.told.append(told_of(row, key, parents))
        return found

    def _row(self, cells: tuple[int, ...], key: str, own: str) -> Row | None:
        number, begin, length, _, _, _, ts, at, size, *counts = cells
        if number < 0:
            return self._unusual(-1 - number, begin, length)
        group, made_alike, unusual = self._profiles[number]
        if unusual:
            return self._unusual(group, begin, length)
        if made_alike is None:
            return None
        given, made, read, write, reasoning, limit = counts
        row = made_alike()
        if read > 0:
            row.cache_read = read
            given -= read
        if write > 0:
            row.cache_write_5m = write
            given -= write
        if reasoning > 0:
            row.reasoning = reasoning
            made -= reasoning
        if given > 0:
            row.input = given
        elif given < -1 or (given < 0 and (read > 0 or write > 0)):
            return self._unusual(group, begin, length)
        if made > 0:
            row.output = made
        elif made < -1 or (made < 0 and reasoning > 0):
            return self._unusual(group, begin, length)
        if ts:
            timely(ts)
            row.ts = ts
        if limit >= 0:
            row.max_output = limit
        response = said(self._text(at, size)) if size else ""
        row.call_id = response or own
        row.dedupe = response or key
        if not row.known and row.status == "error":
            row.known = not response
        return row

    def _unusual(self, group: int, begin: int, length: int) -> Row | None:
        scope, resource = self._groups[group]
        span = proto.span(self._body[begin : begin + length], scope, resource)
        row = otlp.call_of(span, whole=False)
        if row is not None:
            check(row)
        return row
