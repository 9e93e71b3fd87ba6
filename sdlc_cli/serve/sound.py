"""What no honest call has: names without end, counts beyond what sums can hold, a time of none."""

import time
from collections.abc import Callable
from operator import attrgetter

from sdlc_cli.core.i18n import msg
from sdlc_cli.cost.model import COUNTS, Rejected, Row

MOST_TOKENS = 2**40  # of one class in one call; so no sum grows beyond what the store can hold
LONGEST_NAME = 400  # letters of a model, a project, an id …
LONGEST_TAGS = 4_000
EARLIEST = 1_420_070_400 * 10**6  # 2015, before there were such calls
AHEAD = 366 * 86_400 * 10**6  # of now, for clocks that are fast
_TEXTS = ("provider", "model", "tier", "project", "user", "key", "path", "call_id", "dedupe")

_texts: Callable[[Row], tuple[str, ...]] = attrgetter(*_TEXTS)
_counts: Callable[[Row], tuple[int, ...]] = attrgetter(*COUNTS)


def check(row: Row) -> None:
    """Raises Rejected for what no honest call has."""
    if max(map(len, _texts(row))) > LONGEST_NAME:
        name = next(name for name in _TEXTS if len(getattr(row, name)) > LONGEST_NAME)
        raise Rejected(msg("{key} is too long", key=name))
    if len(row.tags) > LONGEST_TAGS:
        raise Rejected(msg("{key} is too long", key="tags"))
    if max(_counts(row)) >= MOST_TOKENS:
        name = next(name for name in COUNTS if getattr(row, name) >= MOST_TOKENS)
        raise Rejected(msg("{key} is too large", key=name))
    timely(row.ts)
    if row.max_output is not None and row.max_output >= MOST_TOKENS:
        row.max_output = None


def timely(ts: int | None) -> None:
    """Raises Rejected for a time when no call was made."""
    if ts is not None and not EARLIEST <= ts <= time.time() * 10**6 + AHEAD:
        raise Rejected(msg("{key} is before 2015 or more than a year ahead", key="time"))
