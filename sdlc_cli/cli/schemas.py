"""Which JSON Schemas there are, and their text. Knows nothing of Typer."""

import json
from collections.abc import Mapping
from typing import Any

from sdlc_cli.core.errors import UsageError
from sdlc_cli.core.i18n import _, msg
from sdlc_cli.core.nearest import nearest

NAMES = (
    "gates", "gate-report", "gate-shard", "gate-explanation", "gate-drill", "gate-simulation",
    "gate-tune", "cost", "cost-report", "cost-budget", "cost-forecast", "cost-whatif",
    "cost-advise", "cost-cache", "cost-reconcile", "cost-route", "cost-prices", "cost-explain",
    "cost-load",
    "tasks", "plan-report",
    "deploy",
    "deploy-render", "deploy-findings", "deploy-drift", "deploy-rules",
    "serve-keys", "serve-dead-letters", "serve-webhook",
)  # fmt: skip


def lines() -> dict[str, str]:
    """What each schema describes."""
    return {
        "gates": _("gates.yaml, the file that sets the gates up"),
        "gate-report": _("what `sdlc gate run --format json` prints"),
        "gate-shard": _("what `sdlc gate run --shard K/N --format json` prints"),
        "gate-explanation": _("what `sdlc gate explain --format json` prints"),
        "gate-drill": _("what `sdlc gate drill --format json` prints"),
        "gate-simulation": _("what `sdlc gate simulate --format json` prints"),
        "gate-tune": _("what `sdlc gate tune --format json` prints"),
        "cost": _("cost.yaml, the file with prices, budgets and whose calls are whose"),
        "cost-report": _("what `sdlc cost report --format json` prints"),
        "cost-budget": _("what `sdlc cost budget --format json` prints"),
        "cost-forecast": _("what `sdlc cost forecast --format json` prints"),
        "cost-whatif": _("what `sdlc cost whatif --format json` prints"),
        "cost-advise": _("what `sdlc cost advise --format json` prints"),
        "cost-cache": _("what `sdlc cost cache --format json` prints"),
        "cost-reconcile": _("what `sdlc cost reconcile --format json` prints"),
        "cost-route": _("what `sdlc cost route --format json` prints"),
        "cost-prices": _("what `sdlc cost prices --format json` prints"),
        "cost-explain": _("what `sdlc cost explain --format json` prints"),
        "cost-load": _("what `sdlc cost load --format json` prints"),
        "tasks": _("tasks.yaml, the file with tasks, people, calendars and budget"),
        "plan-report": _("what `sdlc plan --format json` prints"),
        "deploy": _("deploy.yaml, the file that describes a service and its environments"),
        "deploy-render": _("what `sdlc deploy render --format json` prints"),
        "deploy-findings": _("what `sdlc deploy validate --format json` prints"),
        "deploy-drift": _("what `sdlc deploy drift --format json` prints"),
        "deploy-rules": _("what `sdlc deploy explain --format json` prints"),
        "serve-keys": _("what `sdlc serve keys --format json` prints"),
        "serve-dead-letters": _("what `sdlc serve dead-letters --format json` prints"),
        "serve-webhook": _("what `sdlc serve` sends when a budget breaks"),
    }


def listing() -> str:
    """The names, each with its line."""
    widest = max(map(len, NAMES)) + 2
    return "\n".join(f"{name:{widest}}{line}" for name, line in lines().items())


def text(name: str, command: str) -> str:
    """The schema called `name`. Raises UsageError with the nearest name."""
    if name not in NAMES:
        raise UsageError(
            msg("there is no schema {name}: use {names}", name=name, names=", ".join(NAMES)),
            hint=f"{command} {nearest(name, NAMES)}".rstrip(),
        )
    return json.dumps(_get(name), indent=2, ensure_ascii=False)


def _get(name: str) -> Mapping[str, Any]:
    if name.startswith("deploy"):
        from sdlc_cli.deploy import schema as deploy

        return deploy.get(name)
    if name in ("tasks", "plan-report"):
        from sdlc_cli.plan import schema as plan

        return plan.get(name)
    if name.startswith("serve"):
        from sdlc_cli.serve import schema as serve

        return serve.get(name)
    if name.startswith("cost"):
        from sdlc_cli.cost import schema as cost

        return cost.get(name)
    from sdlc_cli.gate import schema as gate

    return gate.get(name)
