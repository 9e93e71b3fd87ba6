"""How often one client may ask: a bucket of tokens for each key, or for each address."""

import time
from collections import OrderedDict

_KNOWN = 10_000  # clients; who was not seen for longest is forgotten first


class Rates:
    """`rate` requests a second for each client, twice as many or one at once; 0 is no limit."""

    def __init__(self, rate: float) -> None:
        self._rate = rate
        self._most = max(1.0, 2 * rate)
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def wait(self, client: str) -> float:
        """0.0 for a request that may go on, else the seconds after which one may."""
        if not self._rate:
            return 0.0
        now = time.monotonic()
        left, then = self._buckets.pop(client, (self._most, now))
        left = min(self._most, left + (now - then) * self._rate)
        wait = 0.0 if left >= 1 else (1 - left) / self._rate
        self._buckets[client] = (left - 1 if not wait else left, now)
        if len(self._buckets) > _KNOWN:
            self._buckets.popitem(last=False)
        return wait
