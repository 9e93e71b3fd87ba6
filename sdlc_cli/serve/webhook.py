"""One signed message to an address of the user's when a budget breaks, once in each period.

The body is JSON. `X-Sdlc-Signature: t=SECONDS,v1=HEX` holds the HMAC-SHA256 of `SECONDS.BODY` under
the secret in cost.yaml. What was delivered is remembered in the store. Who cannot be reached is
tried again, so a message may come twice when the service dies in between: `id` is the same then.
"""

import asyncio
import hashlib
import hmac
import http.client
import json
import random
import time
from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

from sdlc_cli.core import money
from sdlc_cli.cost.budget import BudgetState
from sdlc_cli.cost.options import Webhook as Setup
from sdlc_cli.serve import log

HEADER = "X-Sdlc-Signature"
_PATIENCE_S = 10.0
_LONGEST_WAIT_S = 300.0


class Webhook:
    """Delivers in the background. `told` looks up what was delivered, `tell` notes it."""

    def __init__(
        self,
        setup: Setup,
        told: Callable[[str], Awaitable[bool]],
        tell: Callable[[str], Awaitable[object]],
    ) -> None:
        self._setup = setup
        self._told = told
        self._tell = tell
        self._under_way: dict[str, asyncio.Task[None]] = {}

    def use(self, setup: Setup) -> None:
        """From now on to this address."""
        self._setup = setup

    async def broken(self, state: BudgetState) -> None:
        """Sees to it that the break of a budget is told, once in its period."""
        name = f"webhook {state.budget.name} {state.window.first}"
        if not self._setup.url or name in self._under_way or await self._told(name):
            return
        self._under_way[name] = asyncio.create_task(self._deliver(name, message(name, state)))

    async def close(self) -> None:
        """Gives up what is under way: it is told after the next start."""
        for task in self._under_way.values():
            task.cancel()
        await asyncio.gather(*self._under_way.values(), return_exceptions=True)

    async def _deliver(self, name: str, body: bytes) -> None:
        loop = asyncio.get_running_loop()
        wait = 1.0
        try:
            while True:
                status = await loop.run_in_executor(None, post, self._setup, body)
                if 200 <= status < 300:
                    await self._tell(name)
                    log.say("webhook", status=status)
                    return
                log.say("webhook", "warning", status=status)
                await asyncio.sleep(wait * random.uniform(0.5, 1.5))
                wait = min(_LONGEST_WAIT_S, 2 * wait)
        finally:
            self._under_way.pop(name, None)


def message(name: str, state: BudgetState) -> bytes:
    """What is told of a budget that broke."""
    told = {
        "schema_version": 1,
        "event": "budget.broken",
        "id": hashlib.sha256(name.encode()).hexdigest()[:32],
        "budget": state.budget.name,
        "period": state.budget.period,
        "period_first": state.window.first and state.window.first.isoformat(),
        "limit_usd": money.text(state.limit_pico),
        "spent_usd": money.text(state.spent_pico),
        "broke_on": state.broke_on and state.broke_on.isoformat(),
    }
    return json.dumps(told).encode()


def signature(secret: str, at: int, body: bytes) -> str:
    """The value of the header."""
    digest = hmac.new(secret.encode(), f"{at}.".encode() + body, hashlib.sha256)
    return f"t={at},v1={digest.hexdigest()}"


def post(setup: Setup, body: bytes) -> int:
    """Sends a message; the status of the answer, 0 without one."""
    at = urlsplit(setup.url)
    connect = http.client.HTTPSConnection if at.scheme == "https" else http.client.HTTPConnection
    connection = connect(at.hostname or "", at.port, timeout=_PATIENCE_S)
    headers = {
        "Content-Type": "application/json",
        HEADER: signature(setup.secret, int(time.time()), body),
    }
    try:
        path = f"{at.path or '/'}{'?' if at.query else ''}{at.query}"
        connection.request("POST", path, body, headers)
        return connection.getresponse().status
    except (OSError, http.client.HTTPException):
        return 0
    finally:
        connection.close()
