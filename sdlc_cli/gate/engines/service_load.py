"""Load: drives the running service open-loop and holds latency, errors and recovery to limits.

Score: the mean over all limits of 100 within the limit and 100 * limit / measured beyond it. When
we could not keep our own schedule the outcome is inconclusive, when nothing answered an error.
"""

import asyncio
import contextlib
import os
import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import urlsplit

from sdlc_cli.core import proc
from sdlc_cli.core.errors import WorkError
from sdlc_cli.core.finding import Finding, Severity
from sdlc_cli.core.i18n import Message, msg
from sdlc_cli.core.service import Service
from sdlc_cli.gate import environment, formula
from sdlc_cli.gate.model import Measurement
from sdlc_cli.gate.options import LOOPBACK, Load
from sdlc_cli.gate.source import Project
from sdlc_cli.gate.traffic.figures import NOT_SENT
from sdlc_cli.gate.traffic.phases import Phase, Target, carry_out

RULE = "over-limit"
LAG_SHARE = 0.1  # of the tightest limit on latency; later than that, we measure ourselves
HELP = msg("the table of phases in the gate's metrics tells when it happened")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Held:
    """One limit of one phase. `good` is the score's part, 0 to 100."""

    key: str
    message: Message
    good: float
    kept: bool


def check(project: Project, name: str, options: Load) -> Measurement:
    """Start the service and drive it. Raises WorkError when it does not become ready."""
    if not options.url:
        return Measurement(outcome="skipped", reason=msg("no service is set up"))
    if not project.configured:
        reason = msg("nothing of the repository is run without gates.yaml")
        return Measurement(outcome="skipped", reason=reason)
    service = _service(project, name, options)
    with proc.ends_children_on_sigterm(), service or contextlib.nullcontext():
        target = _target(options, service)
        phases = asyncio.run(carry_out(target, options))
        last_words = service.last_lines() if service else ""
    return _judge(phases, options, last_words)


def _service(project: Project, name: str, options: Load) -> Service | None:
    if not options.command:
        return None
    found = environment.resolve(options.python, project.base, os.environ)
    parts = urlsplit(options.url)
    return Service(
        name,
        found.command(options.command),
        cwd=project.base,
        environment=found.variables(os.environ, options.environment),
        port=_port(options.url),
        url=f"{parts.scheme}://{parts.netloc}{options.ready}" if options.ready else "",
        timeout=options.start,
    )


def _port(url: str) -> int:
    parts = urlsplit(url)
    return parts.port or (443 if parts.scheme == "https" else 80)


def _target(options: Load, service: Service | None) -> Target:
    """The address behind the host's name, looked up once. Raises WorkError for a foreign one."""
    parts = urlsplit(options.url)
    host, port = parts.hostname or "", _port(options.url)
    try:
        with socket.create_connection((host, port), options.timeout) as connection:
            address = str(connection.getpeername()[0])
    except OSError as error:
        why = error.strerror or str(error)
        raise WorkError(
            msg("{url} cannot be reached: {why}", url=options.url, why=why),
            hint=msg("give the gate load a command that starts the service, or start it before"),
        ) from error
    if host in LOOPBACK and not ip_address(address.partition("%")[0]).is_loopback:
        raise WorkError(
            msg("{host} leads to {address}, not to this machine", host=host, address=address)
        )
    return Target(
        address=address,
        port=port,
        host=parts.netloc.rpartition("@")[2],
        tls_name=host if parts.scheme == "https" else "",
        service=service,
    )


def _judge(phases: Sequence[Phase], options: Load, last_words: str) -> Measurement:
    held = [one for phase in phases for one in _limits(phase, options)]
    metrics: dict[str, object] = {
        "phases": [_row(phase) for phase in phases],
        "formula": formula.mean_terms({one.key: one.good for one in held}),
    }
    judged = [phase for phase in phases if phase.disturbed is None]
    findings = tuple(
        Finding(rule=RULE, severity=Severity.HIGH, message=one.message, help=HELP, context=one.key)
        for one in held
        if not one.kept
    )
    if not any(phase.summary.answered for phase in judged):
        reason = msg("no request was answered: {why}", why=_troubles(judged))
        if last_words:
            reason = msg(
                "{reason}. The service printed last: {lines}", reason=reason, lines=last_words
            )
        return Measurement(outcome="error", reason=reason, metrics=metrics)
    if late := _late(phases, options):
        return Measurement(outcome="inconclusive", reason=late, findings=findings, metrics=metrics)
    if not held:
        return Measurement(outcome="error", reason=msg("there is no limit"), metrics=metrics)
    score = sum(one.good for one in held) / len(held)
    return Measurement(score=score, findings=findings, metrics=metrics)


def _troubles(phases: Sequence[Phase]) -> str:
    kinds = {kind for phase in phases for kind in phase.summary.troubles}
    return ", ".join(sorted(kinds))


def _late(phases: Sequence[Phase], options: Load) -> Message | None:
    """Why our own schedule was not kept, so that nothing is proved; None when it was."""
    limits = options.limits
    tightest = min(
        (limit for limit in (limits.p50, limits.p95, limits.p99) if limit is not None),
        default=options.timeout,
    )
    for phase in phases:
        unsent = phase.summary.troubles.get(NOT_SENT, 0)
        if unsent:
            return msg(
                "{phase}: {count} requests were not sent, because too many others waited for"
                " their answers",
                phase=phase.name,
                count=unsent,
            )
        if phase.summary.lag > LAG_SHARE * tightest:
            return msg(
                "{phase}: this machine was too busy to send requests when they were due (up to"
                " {lag} late)",
                phase=phase.name,
                lag=_time(phase.summary.lag),
            )
    return None


def _limits(phase: Phase, options: Load) -> list[_Held]:
    if phase.disturbed is not None:
        return [_recovered(phase)]
    limits, seen = options.limits, phase.summary
    held = [
        _latency(phase, name, measured, limit)
        for name, measured, limit in (
            ("p50", seen.p50, limits.p50),
            ("p95", seen.p95, limits.p95),
            ("p99", seen.p99, limits.p99),
        )
        if measured is not None and limit is not None
    ]
    held.append(_errors(phase, limits.errors))
    if limits.throughput is not None and phase.rate is not None:
        held.append(_throughput(phase, limits.throughput))
    return held


def _latency(phase: Phase, name: str, measured: float, limit: float) -> _Held:
    return _Held(
        key=f"{phase.name} {name}",
        message=msg(
            "{phase}: {percentile} of the latency was {measured}, {limit} is allowed",
            phase=phase.name,
            percentile=name,
            measured=_time(measured),
            limit=_time(limit),
        ),
        good=formula.within(measured, limit),
        kept=measured <= limit,
    )


def _errors(phase: Phase, limit: float) -> _Held:
    measured = phase.summary.errors
    return _Held(
        key=f"{phase.name} errors",
        message=msg(
            "{phase}: {measured} % of the requests failed ({kinds}), {limit} % is allowed",
            phase=phase.name,
            measured=f"{measured:.3g}",
            kinds=", ".join(f"{n} {kind}" for kind, n in phase.summary.troubles.items()),
            limit=f"{limit:g}",
        ),
        good=formula.within(measured, limit),
        kept=measured <= limit,
    )


def _throughput(phase: Phase, limit: float) -> _Held:
    measured = phase.summary.rate
    return _Held(
        key=f"{phase.name} throughput",
        message=msg(
            "{phase}: {measured} good answers a second, {limit} are asked for",
            phase=phase.name,
            measured=f"{measured:.4g}",
            limit=f"{limit:g}",
        ),
        good=min(formula.share(measured, limit), 100.0),
        kept=measured >= limit,
    )


def _recovered(phase: Phase) -> _Held:
    disturbed = phase.disturbed
    assert disturbed is not None
    measured, limit = disturbed.recovery, disturbed.limit
    if measured is None:
        message = msg(
            "{phase}: answers were not good again within {limit}",
            phase=phase.name,
            limit=_time(limit),
        )
    else:
        message = msg(
            "{phase}: answers were good again after {measured}, {limit} is allowed",
            phase=phase.name,
            measured=_time(measured),
            limit=_time(limit),
        )
    return _Held(
        key=f"{phase.name} recovery",
        message=message,
        good=0.0 if measured is None else formula.within(measured, limit),
        kept=measured is not None and measured <= limit,
    )


def _row(phase: Phase) -> Mapping[str, object]:
    seen, disturbed = phase.summary, phase.disturbed
    row: dict[str, object] = {
        "phase": phase.name,
        "requests": seen.requests,
        "rate_asked": phase.rate,
        "rate_achieved": round(seen.rate, 3),
        "p50_s": _rounded(seen.p50),
        "p95_s": _rounded(seen.p95),
        "p99_s": _rounded(seen.p99),
        "max_s": _rounded(seen.longest),
        "errors_percent": round(seen.errors, 4),
        "errors": dict(seen.troubles),
        "own_lag_p99_s": _rounded(seen.lag),
    }
    if disturbed is not None:
        row["recovery_s"] = _rounded(disturbed.recovery)
        row["recovery_limit_s"] = disturbed.limit
        row["restarted_by"] = disturbed.restarted_by
    return row


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 6)


def _time(seconds: float) -> str:
    return f"{seconds:.3g} s" if seconds >= 1 else f"{seconds * 1000:.3g} ms"
