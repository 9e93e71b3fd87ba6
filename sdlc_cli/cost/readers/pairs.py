"""One call told by several spans: those above a call, and those that libraries make beside it.

Spans with one response's id need nothing of this. The others are known by where they stand: a
span of a call above another one's tells of the same call, or of the sum of those below it. It is
given what identifies the lower one, at a lower rank, so that both count once. Nothing else about
a span is remembered, and only of the last `REMEMBERED`.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from sdlc_cli.cost.merge import AGENT, OWN, join
from sdlc_cli.cost.model import TOKENS, Row, Told
from sdlc_cli.cost.readers.spans import Span

REMEMBERED = 100_000
# The provider's library starts its span right after the instrumentation that wraps it did.
_APART = 1_000_000  # microseconds


class _Lower(msgspec.Struct, gc=False):
    dedupe: str
    rank: int
    known: bool


class Pairs:
    """Finds the spans of one call in a stream of exports."""

    def __init__(self) -> None:
        self._below: dict[str, _Lower] = {}  # key of a span -> a call below it
        self._counted: dict[str, str] = {}  # key of a span that was counted -> its identity
        self._twins: dict[tuple[object, ...], list[tuple[int, str]]] = {}
        self._wrapped: dict[str, str] = {}  # identity of a library's call -> of its wrapper's

    def settle(self, batch: Sequence[Told]) -> None:
        """Gives those of `batch` that tell of one call one identity, and of calls before it."""
        for told in sorted(batch, key=_weakest_last):
            self._note(told)
        for told in batch:
            lower = self._below.get(told.span) if told.span else None
            if lower is not None and lower.dedupe != told.row.dedupe:
                join(told.row, lower.dedupe, lower.rank, lower.known)
            if told.span:
                self._counted[told.span] = told.row.dedupe
        for told in batch:
            self._match(told)
        for kept in (self._below, self._counted, self._twins, self._wrapped):
            _trim(kept)

    def seed(self, batch: Iterable[Told]) -> None:
        """Remembers calls that were counted before."""
        self.settle(list(batch))

    def _note(self, told: Told) -> None:
        row = told.row
        if not row.dedupe or row.rank == AGENT:
            return
        lower = _Lower(row.dedupe, row.rank, row.known)
        # What is above an unknown call may know it, and is one with it; further up are sums.
        for above in told.above:
            before = self._below.get(above)
            if before is None or (lower.known, lower.rank) > (before.known, before.rank):
                self._below[above] = lower
            counted = self._counted.get(above)
            if counted is not None and counted != row.dedupe:
                told.replaces = counted

    def _match(self, told: Told) -> None:
        """A wrapper's span without an id and the library's own, in traces of their own."""
        row = told.row
        if row.provider != "anthropic" or row.ts is None or not row.known:
            return
        own = row.rank == OWN
        if not own and row.dedupe != told.span:  # it has an id, or was joined already
            return
        alike = (row.project, row.model, *(getattr(row, name) for name in TOKENS))
        if row.dedupe in self._wrapped:
            told.replaces = told.replaces or self._wrapped[row.dedupe]
            return
        others = self._twins.setdefault((not own, *alike), [])
        for place, (ts, dedupe) in enumerate(others):
            if abs(row.ts - ts) <= _APART and dedupe != row.dedupe:
                del others[place]
                if own:
                    told.replaces = told.replaces or dedupe
                    self._wrapped[row.dedupe] = dedupe
                    self._below[dedupe] = _Lower(row.dedupe, row.rank, True)
                else:
                    lower = _Lower(dedupe, OWN, True)
                    self._below[told.span] = lower
                    join(row, lower.dedupe, lower.rank, lower.known)
                return
        mine = self._twins.setdefault((own, *alike), [])
        if not any(dedupe == row.dedupe for _, dedupe in mine):
            mine.append((row.ts, row.dedupe))


def told_of(row: Row, key: str, parents: dict[str, str]) -> Told:
    """The call that the span `key` tells of; `parents` maps spans to the span above each."""
    above: list[str] = []
    upper = parents.get(key, "")
    while upper and upper not in above:
        above.append(upper)
        upper = parents.get(upper, "")
    return Told(row=row, span=key, above=tuple(above))


def parent_key(span: Span) -> str:
    """The key of the span above; "" without one."""
    return f"span:{span.trace_id}:{span.parent_id}" if span.parent_id else ""


def _weakest_last(told: Told) -> tuple[bool, bool]:
    return (told.row.dedupe == told.span, not told.row.known)


def _trim(kept: dict[Any, Any]) -> None:
    surplus = len(kept) - REMEMBERED
    if surplus > 0:
        for key in list(kept)[:surplus]:
            del kept[key]
