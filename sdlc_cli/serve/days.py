"""The sums of each day, priced, as they were read last: only what a commit changed is read anew."""

import threading
from collections.abc import Callable, Iterable, Iterator

from sdlc_cli.cost.engine.sums import Line

_MOST = 20_000  # lines that are kept, of some kilobytes each; where there are more, none are


class Days:
    """`touch` from the writer's thread, all else from the one that reads."""

    def __init__(self, read: Callable[[str], list[Line]]) -> None:
        """`read` gives the lines that a condition holds for."""
        self._read = read
        self._lock = threading.Lock()
        self._stale: set[int] = set()
        self._lines: dict[int, list[Line]] | None = None

    def touch(self, days: Iterable[int]) -> None:
        """The sums of these days have changed."""
        with self._lock:
            self._stale.update(days)

    def forget(self) -> None:
        """Prices have changed: all is read anew."""
        self._lines = None

    def lines(self) -> Iterator[Line]:
        """All lines, day by day."""
        with self._lock:
            stale, self._stale = self._stale, set()
        kept = self._lines
        try:
            fresh = self._fresh(stale, whole=kept is None)
        except BaseException:
            self.touch(stale)
            raise
        lines = kept or {}
        for day in stale:
            lines.pop(day, None)
        for line in fresh:
            lines.setdefault(line.keys["day"], []).append(line)
        self._lines = lines if sum(map(len, lines.values())) <= _MOST else None
        for day in sorted(lines):
            yield from lines[day]

    def _fresh(self, stale: set[int], *, whole: bool) -> list[Line]:
        if whole:
            return self._read("scope = ''")
        if not stale:
            return []
        return self._read(f"scope = '' AND day IN ({', '.join(map(str, stale))})")
