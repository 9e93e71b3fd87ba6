"""Sends requests when they are due and notes how each one went."""

import asyncio
import resource
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass

from sdlc_cli.gate.traffic.figures import NOT_SENT, TIMEOUT, Result
from sdlc_cli.gate.traffic.http import BrokenAnswerError, Client, Prepared

MOST_OPEN = 1000  # requests waiting for their answers at one time
_SPARE_FILES = 100  # file descriptors left for everything else
_BEAT_S = 0.01
_ASK_EVERY_S = 0.25
_SETTLE_S = 0.05  # between getting ready and the first request


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """A request and the moment it is due, in seconds from the start of its phase."""

    moment: float
    request: Prepared


@dataclass(frozen=True, slots=True, kw_only=True)
class Driven:
    """All results of a phase in the order they were due; `lags` are samples of how late our
    own event loop ran, in seconds."""

    results: tuple[Result, ...]
    lags: tuple[float, ...]


def soon() -> float:
    """A moment on the event loop's clock at which a phase may start."""
    return asyncio.get_running_loop().time() + _SETTLE_S


async def drive(
    client: Client,
    arrivals: Sequence[Arrival],
    *,
    start: float,
    timeout: float,
    enough: Callable[[Sequence[Result]], bool] = lambda results: False,
) -> Driven:
    """Send each request when it is due; `start` is on the event loop's clock.

    `timeout` counts from the moment a request is due. What is due while MOST_OPEN others are
    still waiting is not sent, and noted so. `enough` is asked now and then about the results
    before the first that is not yet there; once it says so, no more requests are sent.
    """
    loop = asyncio.get_running_loop()
    most = most_open()
    lags: list[float] = []
    results: list[Result | None] = [None] * len(arrivals)
    waiting: set[asyncio.Task[None]] = set()

    async def one(number: int, arrival: Arrival) -> None:
        results[number] = await _ask(client, arrival, start, timeout)

    beat = loop.create_task(_beat(lags))
    ask_at = start
    try:
        for number, arrival in enumerate(arrivals):
            if loop.time() >= ask_at:
                if enough(_begun(results)):
                    break
                ask_at = loop.time() + _ASK_EVERY_S
            if (wait := start + arrival.moment - loop.time()) > 0:
                await asyncio.sleep(wait)
            if len(waiting) >= most:
                late = max(loop.time() - start - arrival.moment, 0)
                results[number] = Result(
                    intended=arrival.moment, latency=late, lag=late, trouble=NOT_SENT
                )
                continue
            task = loop.create_task(one(number, arrival))
            waiting.add(task)
            task.add_done_callback(waiting.discard)
        if waiting:
            await asyncio.gather(*waiting)
    finally:
        for task in (beat, *waiting):
            task.cancel()
        with suppress(asyncio.CancelledError):
            await beat
    return Driven(results=tuple(one for one in results if one is not None), lags=tuple(lags))


def _begun(results: Sequence[Result | None]) -> list[Result]:
    """The results before the first that is not yet there."""
    begun: list[Result] = []
    for one in results:
        if one is None:
            break
        begun.append(one)
    return begun


def most_open() -> int:
    """How many requests may wait at one time here: each needs a file descriptor."""
    files, _hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if files == resource.RLIM_INFINITY:
        return MOST_OPEN
    return max(min(MOST_OPEN, files - _SPARE_FILES), 1)


async def _ask(client: Client, arrival: Arrival, start: float, timeout: float) -> Result:
    loop = asyncio.get_running_loop()
    due = start + arrival.moment
    lag = max(loop.time() - due, 0)
    trouble = ""
    try:
        async with asyncio.timeout_at(due + timeout):
            status = await client.ask(arrival.request)
        if not arrival.request.accepts(status):
            trouble = f"status {status}"
    except TimeoutError:
        trouble = TIMEOUT
    except ConnectionRefusedError:
        trouble = "refused"
    except BrokenAnswerError:
        trouble = "not HTTP"
    except (EOFError, ConnectionError):
        trouble = "closed"
    except OSError:
        trouble = "no connection"
    return Result(intended=arrival.moment, latency=loop.time() - due, lag=lag, trouble=trouble)


async def _beat(lags: list[float]) -> None:
    """Note how late a regular wake-up comes: then answers are read late too."""
    loop = asyncio.get_running_loop()
    while True:
        due = loop.time() + _BEAT_S
        await asyncio.sleep(_BEAT_S)
        lags.append(max(loop.time() - due, 0))
