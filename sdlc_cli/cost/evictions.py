"""Which answer a full cache lets go: LRU, LFU, ARC, and what no policy can beat.

Every answer counts as one entry, whatever its length. Keys are whole numbers: one a request.
"""

import heapq
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

Held = OrderedDict[int, None]  # oldest first


class Policy(Protocol):
    """A cache of a fixed size."""

    def access(self, key: int) -> bool:
        """Whether `key` was held. It is held afterwards."""
        ...


class Lru:
    """Lets go what was not asked for the longest."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._held: Held = OrderedDict()

    def access(self, key: int) -> bool:
        """As `Policy.access`."""
        if key in self._held:
            self._held.move_to_end(key)
            return True
        if len(self._held) == self._size:
            self._held.popitem(last=False)
        self._held[key] = None
        return False


class Lfu:
    """Lets go what was asked for least often since it came in; of equals, the least recent.

    One list for each count makes every step constant in time (Shah, Mitra, Matani, "An O(1)
    algorithm for implementing the LFU cache eviction scheme", 2010).
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._count: dict[int, int] = {}
        self._by_count: dict[int, Held] = {}
        self._least = 1

    def access(self, key: int) -> bool:
        """As `Policy.access`."""
        count = self._count.get(key)
        if count is not None:
            self._leave(key, count)
            self._enter(key, count + 1)
            return True
        if len(self._count) == self._size:
            gone, _ = self._by_count[self._least].popitem(last=False)
            if not self._by_count[self._least]:
                del self._by_count[self._least]
            del self._count[gone]
        self._enter(key, 1)
        self._least = 1
        return False

    def _enter(self, key: int, count: int) -> None:
        self._count[key] = count
        self._by_count.setdefault(count, OrderedDict())[key] = None

    def _leave(self, key: int, count: int) -> None:
        among = self._by_count[count]
        del among[key]
        if not among:
            del self._by_count[count]
            if self._least == count:
                self._least = count + 1


class Arc:
    """Splits its room between what came once and what came again, and learns the split.

    Megiddo and Modha, "ARC: A Self-Tuning, Low Overhead Replacement Cache", FAST 2003, figure 4.
    The names are those of the paper: T1 and T2 are held, B1 and B2 remember keys let go from
    them, `p` is the room that T1 should have.
    """

    def __init__(self, size: int) -> None:
        self._c = size
        self._p = 0.0
        self._t1: Held = OrderedDict()
        self._t2: Held = OrderedDict()
        self._b1: Held = OrderedDict()
        self._b2: Held = OrderedDict()

    def access(self, key: int) -> bool:
        """As `Policy.access`."""
        if key in self._t2:
            self._t2.move_to_end(key)
            return True
        if key in self._t1:
            del self._t1[key]
            self._t2[key] = None
            return True
        if key in self._b1:
            self._p = min(self._c, self._p + max(1.0, len(self._b2) / len(self._b1)))
            self._come_back(key, self._b1)
        elif key in self._b2:
            self._p = max(0.0, self._p - max(1.0, len(self._b1) / len(self._b2)))
            self._come_back(key, self._b2)
        else:
            self._make_room()
            self._t1[key] = None
        return False

    def _come_back(self, key: int, remembered: Held) -> None:
        self._replace(in_b2=remembered is self._b2)
        del remembered[key]
        self._t2[key] = None

    def _make_room(self) -> None:
        seen_once = len(self._t1) + len(self._b1)
        if seen_once == self._c:
            if self._b1:
                self._b1.popitem(last=False)
                self._replace(in_b2=False)
            else:
                self._t1.popitem(last=False)
            return
        known = seen_once + len(self._t2) + len(self._b2)
        if known >= self._c:
            if known == 2 * self._c:
                self._b2.popitem(last=False)
            self._replace(in_b2=False)

    def _replace(self, *, in_b2: bool) -> None:
        room = len(self._t1)
        if room and (room > self._p or (in_b2 and room == self._p)):
            gone, _ = self._t1.popitem(last=False)
            self._b1[gone] = None
        else:
            gone, _ = self._t2.popitem(last=False)
            self._b2[gone] = None


POLICIES: Mapping[str, Callable[[int], Policy]] = {"lru": Lru, "lfu": Lfu, "arc": Arc}


def optimum(keys: Sequence[int], times: Sequence[int], size: int, ttl: int | None) -> list[int]:
    """The places in `keys` that the best possible cache of `size` answers: the most there can be.

    Belady, "A study of replacement algorithms for a virtual-storage computer", IBM Systems
    Journal 5(2), 1966: let go what is needed again last; what is never needed again is not kept.
    With a `ttl` (in the unit of `times`) an answer is taken to be as fresh as its last use, which
    can only answer more than an age since it was stored: the result stays an upper bound.
    """
    following = _next_uses(keys, times, ttl)
    held: dict[int, int] = {}  # key -> the place where it is needed again
    latest: list[tuple[int, int]] = []
    hits: list[int] = []
    for place, key in enumerate(keys):
        if held.pop(key, None) is not None:
            hits.append(place)
        again = following[place]
        if again is None:
            continue
        held[key] = again
        heapq.heappush(latest, (-again, key))
        while len(held) > size:
            needed, gone = heapq.heappop(latest)
            if held.get(gone) == -needed:
                del held[gone]
    return hits


def _next_uses(keys: Sequence[int], times: Sequence[int], ttl: int | None) -> list[int | None]:
    following: list[int | None] = [None] * len(keys)
    last: dict[int, int] = {}
    for place, key in enumerate(keys):
        before = last.get(key)
        if before is not None and (ttl is None or times[place] - times[before] < ttl):
            following[before] = place
        last[key] = place
    return following
