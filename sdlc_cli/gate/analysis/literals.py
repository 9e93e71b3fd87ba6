"""Which of many short texts stand in a piece of data, in about two passes instead of one for each.

A text can only be there when each pair of its neighbouring bytes is. Which of the 65,536 pairs a
stretch of data has takes one pass; most texts have a pair that it lacks, and the few others are
then looked for one by one.
"""

from collections.abc import Iterable
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_STRETCH = 16_384  # bytes: the longer, the more pairs are there by chance
_LITTLE = 262_144  # bytes in all that are searched faster than numpy is imported


class Literals:
    """Texts of at least two bytes to look for. Raises ValueError for a shorter one."""

    def __init__(self, literals: Iterable[bytes]) -> None:
        self._literals = sorted(set(literals))
        if any(len(literal) < 2 for literal in self._literals):
            raise ValueError("a literal needs two bytes")
        self._longest = max(map(len, self._literals))
        self._seen = 0

    def within(self, data: bytes) -> set[bytes]:
        """Those that stand in `data`."""
        self._seen += len(data)
        if self._seen <= _LITTLE:
            return {literal for literal in self._literals if literal in data}
        return self._by_pairs(data)

    def _by_pairs(self, data: bytes) -> set[bytes]:
        import numpy as np

        found: set[bytes] = set()
        for start in range(0, len(data), _STRETCH):
            # Stretches overlap, so that what lies across their border is whole in one of them.
            stretch = data[start : start + _STRETCH + self._longest]
            for at in np.flatnonzero(_has(stretch)[self._pairs].all(axis=1)).tolist():
                if self._literals[at] in stretch:
                    found.add(self._literals[at])
        return found

    @cached_property
    def _pairs(self) -> "NDArray[np.intp]":
        """The pairs of each; short ones repeat their first, so that the rows are of one length."""
        import numpy as np

        pairs = [_pairs(literal) for literal in self._literals]
        padded = [[*own, *own[:1] * (self._longest - 1 - len(own))] for own in pairs]
        return np.array(padded, np.intp)


def _pairs(literal: bytes) -> list[int]:
    return [literal[at] | literal[at + 1] << 8 for at in range(len(literal) - 1)]


def _has(data: bytes) -> "NDArray[np.bool_]":
    """For each pair of bytes, the first as the low half, whether it stands in the data."""
    import numpy as np

    there = np.zeros(65_536, np.bool_)
    for offset in (0, 1):
        there[np.frombuffer(data, "<u2", (len(data) - offset) // 2, offset)] = True
    return there
