"""One call told by several spans: those above a call, and those that libraries make beside it.

Spans with one response's id need nothing of this. The others are known by where they stand: a
span of a call above another one's tells of the same call, or of the sum of those below it. Both
get one identity, the response's id where either has one. What is above counts only where what is
below it knows less. Nothing else about a span is remembered, and only of the last `REMEMBERED`.
"""

from bisect import bisect_left, insort
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from typing import Any

import msgspec

from sdlc_cli.cost.merge import AGENT, OWN, join
from sdlc_cli.cost.model import TOKENS, Row, Told
from sdlc_cli.cost.readers.spans import Span

REMEMBERED = 100_000
# The provider's library starts its span right after the instrumentation that wraps it did.
_APART = 1_000_000  # microseconds
_DEEP = 64  # spans above a call that are looked at; no honest trace is so deep

Alike = tuple[object, ...]


class _Lower(msgspec.Struct, gc=False):
    dedupe: str
    rank: int
    known: bool


class Pairs:
    """Finds the spans of one call in a stream of exports."""

    def __init__(self) -> None:
        self._below: dict[str, _Lower] = {}  # key of a span -> a call below it
        self._counted: dict[str, str] = {}  # key of a span that was counted -> its identity
        self._same: dict[str, str] = {}  # an identity -> the one that took its place
        self._twins = _Twins()

    def settle(self, batch: Sequence[Told]) -> None:
        """Gives those of `batch` that tell of one call one identity, and of calls before it."""
        for told in batch:
            if told.row.dedupe in self._same:
                told.row.dedupe = self._now(told.row.dedupe)
        weak: list[Told] = []  # what has no id of its own follows what has
        for told in batch:
            if told.row.dedupe == told.span:
                weak.append(told)
            else:
                self._note(told)
        for told in weak:
            self._note(told)
        for told in batch:
            if told.span:
                self._lift(told)
                if told.row.rank != AGENT or told.row.dedupe == told.span:
                    self._counted[told.span] = told.row.dedupe
        for told in batch:
            if told.row.provider == "anthropic":
                self._match(told)
        for kept in (self._below, self._counted, self._same):
            trim(kept)
        self._twins.trim()

    def seed(self, batch: Iterable[Told]) -> None:
        """Remembers calls that were counted before."""
        self.settle(list(batch))

    def _now(self, dedupe: str) -> str:
        """The identity that a call has by now."""
        seen = {dedupe: None}
        last = dedupe
        while (after := self._same.get(last)) and after not in seen:
            seen[after] = None
            last = after
        if not after and len(seen) > 2:
            for name in islice(seen, len(seen) - 1):  # so that the way is never long
                self._same[name] = last
        return last

    def _note(self, told: Told) -> None:
        """Remembers what is above this call, and finds what was counted of it."""
        row = told.row
        if not row.dedupe or row.rank == AGENT:
            return
        for above in told.above:
            counted = self._counted.get(above)
            if counted is not None and counted != row.dedupe:
                if _is_span(row.dedupe) and not _is_span(counted):
                    self._same[row.dedupe] = counted
                    row.dedupe = counted
                else:
                    told.replaces = (*told.replaces, counted)
                    self._same[counted] = row.dedupe
            before = self._below.get(above)
            if before is None or (row.known, row.rank) > (before.known, before.rank):
                self._below[above] = _Lower(row.dedupe, row.rank, row.known)

    def _lift(self, told: Told) -> None:
        """Makes one with the call below it."""
        row = told.row
        lower = self._below.get(told.span)
        if lower is None:
            return
        lower.dedupe = self._now(lower.dedupe)
        if lower.dedupe == row.dedupe:
            return
        if _is_span(lower.dedupe) and not _is_span(row.dedupe) and row.rank != AGENT:
            told.absorbs = (*told.absorbs, lower.dedupe)
            self._same[lower.dedupe] = row.dedupe
            lower.dedupe = row.dedupe
            return
        self._same[row.dedupe] = lower.dedupe
        join(row, lower.dedupe, lower.rank, lower.known)

    def _match(self, told: Told) -> None:
        """A wrapper's span without an id and the library's own, in traces of their own."""
        row = told.row
        if row.ts is None or not row.known:
            return
        if row.rank == OWN:
            wrapper = self._twins.own(row, told.above)
            if wrapper and wrapper not in told.replaces:
                told.replaces = (*told.replaces, wrapper)
                self._same[wrapper] = row.dedupe
        elif told.span and row.dedupe == told.span:
            own = self._twins.wrapper(row)
            if own:
                self._same[row.dedupe] = own
                join(row, own, OWN, True)
        elif told.span:
            self._twins.joined(told.span, row.dedupe)


_Places = dict[Alike, list[tuple[int, str]]]  # of calls that are alike, by their time


class _Twins:
    """Wrappers' spans and libraries' own that have no other half yet."""

    def __init__(self) -> None:
        self._owns: _Places = {}
        self._wrappers: _Places = {}
        self._places: dict[str, tuple[Alike, int]] = {}  # of all that are in one of the two
        self._wrapped: dict[str, str] = {}  # identity of a library's call -> of its wrapper's

    def own(self, row: Row, above: Sequence[str]) -> str:
        """The wrapper of a library's call; "" where none was seen."""
        if row.dedupe in self._wrapped:
            return self._wrapped[row.dedupe]
        found = next((key for key in above if key in self._places), "")
        if found:
            self._take(self._wrappers, found)
        else:
            found = self._near(self._wrappers, row)
        if found:
            self._wrapped[row.dedupe] = found
        else:
            self._put(self._owns, row)
        return found

    def wrapper(self, row: Row) -> str:
        """The library's call in a wrapper; "" where none was seen."""
        found = self._near(self._owns, row)
        if found:
            self._wrapped[found] = row.dedupe
        else:
            self._put(self._wrappers, row)
        return found

    def joined(self, wrapper: str, own: str) -> None:
        """A wrapper was seen to stand above a library's call: these two are no one else's."""
        if own in self._places:
            self._take(self._owns, own)
            self._wrapped[own] = wrapper

    def trim(self) -> None:
        """Forgets the oldest beyond `REMEMBERED`."""
        for oldest in list(islice(self._places, max(0, len(self._places) - REMEMBERED))):
            for kept in (self._owns, self._wrappers):
                self._take(kept, oldest)
        trim(self._wrapped)

    def _near(self, among: _Places, row: Row) -> str:
        """The nearest in time that is alike."""
        ts = row.ts
        assert ts is not None
        known = among.get(_alike(row), [])
        place = bisect_left(known, (ts, ""))
        beside = known[max(0, place - 1) : place + 1]
        at, found = min(beside, key=lambda one: abs(one[0] - ts), default=(ts, ""))
        if not found or abs(at - ts) > _APART:
            return ""
        self._take(among, found)
        return found

    def _put(self, among: _Places, row: Row) -> None:
        if row.dedupe not in self._places and row.ts is not None:
            alike = _alike(row)
            insort(among.setdefault(alike, []), (row.ts, row.dedupe))
            self._places[row.dedupe] = (alike, row.ts)

    def _take(self, among: _Places, dedupe: str) -> None:
        if dedupe not in self._places:
            return
        alike, ts = self._places[dedupe]
        known = among.get(alike, [])
        place = bisect_left(known, (ts, dedupe))
        if place < len(known) and known[place] == (ts, dedupe):
            del known[place]
            del self._places[dedupe]
            if not known:
                del among[alike]


def told_of(row: Row, key: str, parents: Mapping[str, str]) -> Told:
    """The call that the span `key` tells of; `parents` maps spans to the span above each."""
    above: dict[str, None] = {}
    upper = parents.get(key, "")
    while upper and upper not in above and len(above) < _DEEP:
        above[upper] = None
        upper = parents.get(upper, "")
    return Told(row=row, span=key, above=tuple(above))


def parent_key(span: Span) -> str:
    """The key of the span above; "" without one."""
    return f"span:{span.trace_id}:{span.parent_id}" if span.parent_id else ""


def _is_span(dedupe: str) -> bool:
    return dedupe.startswith("span:")


def _alike(row: Row) -> Alike:
    return (row.project, row.model, *(getattr(row, name) for name in TOKENS))


def trim(kept: dict[str, Any]) -> list[str]:
    """Forgets the oldest beyond `REMEMBERED`; which they were."""
    surplus = max(0, len(kept) - REMEMBERED)
    gone = list(islice(kept, surplus))
    for key in gone:
        del kept[key]
    return gone
