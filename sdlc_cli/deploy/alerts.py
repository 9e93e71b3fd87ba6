"""What is recorded and alerted on for one environment: the rules that every monitor is given."""

from sdlc_cli.deploy import platform_alerts, service_alerts
from sdlc_cli.deploy.alert import Alert, Recording, RuleGroup, Severity, literal, runbook_url
from sdlc_cli.deploy.model import DeploySpec

__all__ = ["Alert", "Recording", "RuleGroup", "Severity", "literal", "rules", "runbook_url"]


def rules(spec: DeploySpec) -> tuple[RuleGroup, ...]:
    """Everything that Prometheus evaluates for this environment, recordings first."""
    groups: dict[str, tuple[Recording | Alert, ...]] = {
        "recorded": service_alerts.recordings(spec),
        "requests": service_alerts.requests(spec),
        "burn": service_alerts.burn(spec),
        "cost": service_alerts.cost(spec),
        "resources": platform_alerts.resources(spec),
        "replicas": platform_alerts.replicas(spec),
        "certificates": platform_alerts.certificates(spec),
        "telemetry": platform_alerts.telemetry(spec),
    }
    return tuple(
        RuleGroup(name=f"{spec.namespace}-{name}", rules=inside)
        for name, inside in groups.items()
        if inside
    )
