"""The phases of a load test, one after the other: warm-up, constant rate, bursts, disturbances."""

import asyncio
import signal
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, replace

from sdlc_cli.core.errors import WorkError
from sdlc_cli.core.i18n import Message, msg
from sdlc_cli.core.service import Service
from sdlc_cli.gate.options import Disturbance, Load
from sdlc_cli.gate.traffic import disturb, figures, schedule
from sdlc_cli.gate.traffic.drive import Arrival, Driven, drive, soon
from sdlc_cli.gate.traffic.figures import Result, Summary
from sdlc_cli.gate.traffic.http import Client, Prepared, prepare
from sdlc_cli.gate.traffic.proxy import Proxy

BEFORE_S = 1.0  # of undisturbed requests, before a disturbance
STEADY_S = 1.0  # so long answers must be good again
LEAST_STEADY = 10  # requests that must lie in that time; at a low rate it is longer
BURST_EVERY_S = 1.0
ORPHAN_S = 2.0  # a process whose workers were killed has ended by then, or is a supervisor
_LOOK_S = 0.02


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """The service's address. `host` goes into the Host header; `service` is set when it is ours."""

    address: str
    port: int
    host: str
    tls_name: str = ""
    service: Service | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Disturbed:
    """Seconds until answers were good again (None: not seen), and how many are allowed.

    `restarted_by` tells who started a killed service again: the service itself, or we.
    """

    recovery: float | None
    limit: float
    restarted_by: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Phase:
    """A phase and its figures. `rate` is what was asked for; a burst has none."""

    name: Message
    summary: Summary
    rate: float | None = None
    disturbed: Disturbed | None = None


async def carry_out(target: Target, options: Load) -> list[Phase]:
    """Drive the service through all phases. Raises WorkError when a disturbance cannot be made."""
    client = Client(target.address, target.port, tls_name=target.tls_name)
    run = _Run(target, options, client)
    try:
        if options.warmup:
            await run.at_rate(options.warmup)
        phases = [await run.constant()]
        phases += [await run.burst(size) for size in options.bursts]
        for number, one in enumerate(options.disturb, 1):
            phases.append(await run.disturbed(number, one))
    finally:
        client.close()
        await asyncio.sleep(0)  # closing takes a turn of the loop
    return phases


class _Run:
    """What all phases share."""

    def __init__(self, target: Target, options: Load, client: Client) -> None:
        self._target = target
        self._options = options
        self._client = client
        self._kinds = _prepared(target, options)

    async def constant(self) -> Phase:
        """The constant rate, or the same rate in the gaps of a Poisson process."""
        options = self._options
        driven = await self.at_rate(options.duration, poisson=options.arrivals == "poisson")
        summary = figures.summarise(driven.results, options.duration, driven.lags)
        name = msg("{rate:g} requests a second", rate=options.rate)
        return Phase(name=name, summary=summary, rate=options.rate)

    async def at_rate(self, seconds: float, *, poisson: bool = False) -> Driven:
        """Requests at the configured rate."""
        rate = self._options.rate
        moments = (
            schedule.poisson(rate, seconds, self._options.seed)
            if poisson
            else schedule.constant(rate, seconds)
        )
        return await self._drive(moments, soon())

    async def burst(self, size: int) -> Phase:
        """`size` requests at one moment, several times. Connections stand open before."""
        every = max(BURST_EVERY_S, size / self._options.rate)
        moments = schedule.bursts(size, self._options.rounds, every)
        await self._client.open(size)
        driven = await self._drive(moments, soon())
        summary = figures.summarise(driven.results, moments[-1], driven.lags)
        summary = replace(summary, rate=figures.burst_rate(driven.results))
        return Phase(name=msg("bursts of {size}", size=size), summary=summary)

    async def _drive(
        self,
        moments: Sequence[float],
        start: float,
        enough: Callable[[Sequence[Result]], bool] = lambda results: False,
    ) -> Driven:
        weights = [request.weight for request in self._options.requests]
        kinds = schedule.spread(weights, len(moments))
        arrivals = [
            Arrival(moment=moment, request=self._kinds[kind])
            for moment, kind in zip(moments, kinds, strict=True)
        ]
        timeout = self._options.timeout
        return await drive(self._client, arrivals, start=start, timeout=timeout, enough=enough)

    async def disturbed(self, number: int, one: Disturbance) -> Phase:
        """Requests at the configured rate, while something happens to the service.

        It ends once answers were good again long enough.
        """
        options = self._options
        steady = max(STEADY_S, LEAST_STEADY / options.rate)
        lasts = 0.0 if one.kind == "kill" else one.duration
        seconds = BEFORE_S + lasts + one.recovery + 2 * steady
        async with AsyncExitStack() as stack:
            act = await self._action(one, stack, until=BEFORE_S + one.recovery)
            start = soon()
            incident = asyncio.ensure_future(act(start))
            stack.callback(incident.cancel)

            def enough(results: Sequence[Result]) -> bool:
                """Only the last moments are looked at: there is not much time to think."""
                if not incident.done() or incident.exception() or not results:
                    return False
                recent = results[-1].intended - steady - 2 * STEADY_S
                since = max(incident.result()[0] - start, recent)
                return self._recovery(results, since, steady) is not None

            moments = schedule.constant(options.rate, seconds)
            driven = await self._drive(moments, start, enough)
            ended, restarted_by = await incident
        recovery = self._recovery(driven.results, ended - start, steady)
        return Phase(
            name=msg("{what}, number {number}", what=one.kind, number=number),
            summary=figures.summarise(
                driven.results, len(driven.results) / options.rate, driven.lags
            ),
            rate=options.rate,
            disturbed=Disturbed(recovery=recovery, limit=one.recovery, restarted_by=restarted_by),
        )

    def _recovery(self, results: Sequence[Result], since: float, steady: float) -> float | None:
        limits = self._options.limits
        return figures.recovery(
            results,
            since,
            steady=steady,
            most_errors=limits.errors,
            latency=limits.p95 or limits.p99 or self._options.timeout,
        )

    async def _action(self, one: Disturbance, stack: AsyncExitStack, *, until: float) -> "_Action":
        if one.kind == "delay":
            target = self._target
            proxy = await stack.enter_async_context(Proxy(target.address, target.port))
            self._client.lead_through(Proxy.HOST, proxy.port)
            stack.callback(self._client.lead_through, target.address, target.port)
            return lambda start: _delay(proxy, one, start)
        service = self._target.service
        if service is None:
            raise WorkError(msg("only a service that was started here can be stopped"))
        if one.kind == "pause":
            return lambda start: _pause(service, one, start)
        return lambda start: _kill(service, start, until)


# Given the phase's start on the loop's clock: when the disturbance was over, who restarted.
_Action = Callable[[float], Awaitable[tuple[float, str | None]]]


def _prepared(target: Target, options: Load) -> list[Prepared]:
    return [
        prepare(
            target.host,
            method=request.method,
            path=request.path,
            headers=request.headers,
            body=request.body.encode(),
            expected=request.status,
        )
        for request in options.requests
    ]


async def _until(moment: float) -> None:
    await asyncio.sleep(max(moment - asyncio.get_running_loop().time(), 0))


async def _delay(proxy: Proxy, one: Disturbance, start: float) -> tuple[float, None]:
    await _until(start + BEFORE_S)
    proxy.delay = one.delay
    await _until(start + BEFORE_S + one.duration)
    proxy.delay = 0.0
    return asyncio.get_running_loop().time(), None


async def _pause(service: Service, one: Disturbance, start: float) -> tuple[float, None]:
    await _until(start + BEFORE_S)
    if not disturb.pause(service):
        raise _no_service(service)
    try:
        await _until(start + BEFORE_S + one.duration)
    finally:
        disturb.resume(service)
    return asyncio.get_running_loop().time(), None


async def _kill(service: Service, start: float, until: float) -> tuple[float, str | None]:
    """Kill, and start the service again where its own supervisor does not live to do so."""
    await _until(start + BEFORE_S)
    killed = await asyncio.to_thread(disturb.kill, service)
    if not killed:
        raise _no_service(service)
    moment = asyncio.get_running_loop().time()
    while asyncio.get_running_loop().time() < min(moment + ORPHAN_S, start + until):
        if service.ended:
            with suppress(WorkError):  # then it never recovers, and the figures say so
                await asyncio.to_thread(service.restart)
            return moment, "gate"
        await asyncio.sleep(_LOOK_S)
    return moment, "service"


def _no_service(service: Service) -> WorkError:
    lines = service.last_lines()
    service.signal(signal.SIGCONT)
    return WorkError(
        msg("the service ended by itself before it was disturbed. It printed last: {lines}",
            lines=lines)
    )  # fmt: skip
