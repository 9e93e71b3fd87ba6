"""Calls of a file whose rows are out of hand when another span turns out to tell of them.

A ledger gives such a row another name. The reader of a file cannot take a row back, so whoever
comes later takes the name under which its call was handed on.
"""

from collections.abc import Sequence

from sdlc_cli.cost.merge import join
from sdlc_cli.cost.model import Row, Told
from sdlc_cli.cost.readers.pairs import trim

# Above the ranks that spans have among themselves: what is below a wrapper counts before it.
_ABOVE = 32


class Handed:
    """Ties what comes to what went, of the last `REMEMBERED` calls."""

    def __init__(self) -> None:
        self._names: dict[str, str] = {}  # an identity -> the one that its call was handed on by
        self._best: dict[str, tuple[int, bool]] = {}  # of each that was: rank, and usage known
        self._raised: set[str] = set()  # those whose wrapper went first

    def settle(self, batch: Sequence[Told]) -> None:
        """Gives the rows of `batch`, which `Pairs` has settled, the names that their calls have."""
        fresh = {told.row.dedupe: told.row for told in batch}
        for told in batch:
            for old in told.replaces:
                self._below(told.row, self._name(old), fresh)
            for old in told.absorbs:
                self._over(told.row, self._name(old), fresh)
        for told in batch:
            row = told.row
            if row.dedupe:
                row.dedupe = self._name(row.dedupe)
                row.rank += _ABOVE * (row.dedupe in self._raised)
                best = (row.rank, row.known)
                self._best[row.dedupe] = max(best, self._best.get(row.dedupe, best))
        trim(self._names)
        for gone in trim(self._best):
            self._raised.discard(gone)

    def _name(self, dedupe: str) -> str:
        return self._names.get(dedupe, dedupe)

    def _below(self, row: Row, wrapper: str, fresh: dict[str, Row]) -> None:
        """`row` tells of a call that `wrapper` told of before, from above."""
        mine = self._name(row.dedupe)
        if mine == wrapper:
            return
        if wrapper not in self._best:
            if wrapper in fresh:
                join(fresh[wrapper], row.dedupe, row.rank, row.known)
            self._names[wrapper] = mine
        elif mine not in self._best:
            self._names[mine] = wrapper
            rank, _ = self._best[wrapper]
            if row.known:
                self._raised.add(wrapper)
            else:
                row.rank = rank

    def _over(self, row: Row, lower: str, fresh: dict[str, Row]) -> None:
        """`row` tells of a call that `lower` told of before, from below."""
        mine = self._name(row.dedupe)
        if mine == lower:
            return
        if lower not in self._best:
            if lower in fresh:
                below = fresh[lower]
                below.dedupe = row.dedupe
                join(row, row.dedupe, below.rank, below.known)
            self._names[lower] = mine
        elif mine not in self._best:
            self._names[mine] = lower
            join(row, row.dedupe, *self._best[lower])
