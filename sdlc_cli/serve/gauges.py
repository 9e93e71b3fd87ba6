"""Figures of the moment: the store, the budgets, and what is forwarded."""

from collections.abc import Mapping
from typing import Any

from sdlc_cli.core import money
from sdlc_cli.serve.metrics import Fact, Labels, label
from sdlc_cli.serve.service import Service

_MOST_BUDGETS = 200


def health(service: Service) -> Mapping[str, Any]:
    """What the health page says beside live and ready."""
    writer = service.writer
    found: dict[str, Any] = {"store": {"waiting_calls": writer.waiting, "problem": writer.failure}}
    if service.forwarder is not None:
        found["forward"] = service.forwarder.state()
    return found


def facts(service: Service) -> dict[str, Fact]:
    """All of them, by the names that Prometheus gets."""
    counters = service.writer.counters
    found = {
        "sdlc_serve_ready": _one("gauge", "Whether calls are taken.", int(not service.reasons())),
        "sdlc_serve_waiting_calls": _one(
            "gauge", "Calls that wait for the disk.", service.writer.waiting
        ),
        "sdlc_serve_commits_total": _one("counter", "Commits, each synced.", counters.commits),
        "sdlc_serve_commit_seconds_total": _one(
            "counter", "Time spent in commits.", round(counters.seconds, 6)
        ),
        "sdlc_serve_duplicates_total": _one(
            "counter", "Calls that were told again, and counted once.", counters.duplicates
        ),
        "sdlc_serve_store_failures_total": _one(
            "counter", "Commits that the disk did not take.", counters.failures
        ),
    }
    return found | _budgets(service) | _forward(service)


def _budgets(service: Service) -> dict[str, Fact]:
    states = service.states[:_MOST_BUDGETS]
    names: list[Labels] = [(("budget", label(state.budget.name)),) for state in states]

    def fact(text: str, values: list[Any]) -> Fact:
        return Fact("gauge", text, zip(names, values, strict=True))

    return {
        "sdlc_budget_spent_usd": fact(
            "Spent in the present period.", [money.usd(state.spent_pico) for state in states]
        ),
        "sdlc_budget_limit_usd": fact(
            "May be spent in it.", [money.usd(state.limit_pico) for state in states]
        ),
        "sdlc_budget_broken": fact(
            "Whether it is broken.", [int(state.status == "broken") for state in states]
        ),
    }


def _forward(service: Service) -> dict[str, Fact]:
    forwarder = service.forwarder
    if forwarder is None:
        return {}
    state = forwarder.state()
    breakers: list[tuple[Labels, int]] = [
        ((("state", name),), int(state["breaker"] == name))
        for name in ("closed", "half-open", "open")
    ]
    return {
        "sdlc_forward_breaker": Fact("gauge", "The state of the circuit breaker.", breakers),
        "sdlc_forward_lag_calls": _one("gauge", "Calls that are not forwarded yet.", state["lag"]),
        "sdlc_forward_dead_letters": _one(
            "gauge", "Calls that the server refuses.", state["dead_letters"]
        ),
        "sdlc_forward_calls_total": _one("counter", "Calls forwarded.", state["forwarded"]),
    }


def _one(kind: str, text: str, value: int | float) -> Fact:
    return Fact(kind, text, [((), value)])
