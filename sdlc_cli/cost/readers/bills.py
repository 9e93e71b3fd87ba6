"""What exports of costs share: they tell money, no tokens, and are no log of calls."""

from collections.abc import Callable, Iterable, Iterator, Mapping

from sdlc_cli.core.i18n import msg
from sdlc_cli.cost.model import Rejected, Row
from sdlc_cli.cost.readers import Record


def refused(record: Record) -> Iterable[Row]:
    """A bill is never counted as calls. Always raises Rejected."""
    del record
    raise Rejected(
        msg("a bill tells no tokens: 'sdlc cost reconcile' holds logs against it, and the usage"
            " export of the same provider can be counted")
    )  # fmt: skip


def kept(bucket: Record, line: Callable[[Record, Record], Row]) -> Iterator[Row]:
    """The lines of a bucket's results; one that is wrong raises Rejected after all the others."""
    results = bucket.get("results")
    if not isinstance(results, list):
        raise Rejected(msg("{key} is not a list", key="results"))
    wrong: Rejected | None = None
    for result in results:
        try:
            if not isinstance(result, Mapping):
                raise Rejected(msg("{key} holds something else than objects", key="results"))
            row = line(bucket, result)
            if row.logged_pico is None:
                raise Rejected(msg("{key} is not an amount", key="amount"))
        except Rejected as refusal:
            wrong = wrong or refusal
            continue
        yield row
    if wrong is not None:
        raise wrong
