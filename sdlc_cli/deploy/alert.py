"""An alert and a recording rule as plain data, and how one is made for an environment.

Annotations and labels of an alert are Go templates, as Prometheus reads them: values of the spec
stand in them literally. Whoever prints them writes them as plain text of the language.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Literal

from msgspec import Struct, field

from sdlc_cli.deploy.model import DeploySpec

Severity = Literal["warning", "critical"]

RATIO = "{{ $value | humanizePercentage }}"
POD = "{{ $labels.pod }}"


class Recording(Struct, frozen=True, kw_only=True):
    """A series that Prometheus computes: `labels` are plain text, no templates."""

    record: str
    expr: str
    labels: Mapping[str, str] = field(default_factory=dict)


class Alert(Struct, frozen=True, kw_only=True):
    """An alert. `hold` is what Prometheus calls `for`; `labels` hold the severity and the owner."""

    name: str
    expr: str
    hold: str
    severity: Severity
    labels: Mapping[str, str]
    annotations: Mapping[str, str]  # summary, description, runbook_url


class RuleGroup(Struct, frozen=True, kw_only=True):
    """Rules that are evaluated one after the other."""

    name: str
    rules: tuple[Recording | Alert, ...]

    @property
    def alerts(self) -> tuple[Alert, ...]:
        """Only the alerts."""
        return tuple(rule for rule in self.rules if isinstance(rule, Alert))

    @property
    def recordings(self) -> tuple[Recording, ...]:
        """Only what is recorded."""
        return tuple(rule for rule in self.rules if isinstance(rule, Recording))


def literal(text: str) -> str:
    """Text that Go's templates print as it is."""
    return text.replace("{{", "{{`{{`}}")


def runbook_url(spec: DeploySpec, alert: str) -> str:
    """Where the runbook explains the alert: a section has the alert's name."""
    return f"{spec.monitoring.runbook or 'monitoring/RUNBOOK.md'}#{alert.lower()}"


def alert(
    spec: DeploySpec,
    name: str,
    expr: str,
    hold: str,
    summary: str,
    description: str,
    *,
    critical: bool = False,
) -> Alert:
    """`summary` and `description` are templates already; nothing of the spec stands in them raw."""
    severity: Severity = "critical" if critical and spec.production else "warning"
    labels = {
        "severity": severity,
        "owner": literal(spec.owner),
        "service": spec.app,
        "environment": spec.environment,
        "namespace": spec.namespace,
    }
    annotations = {
        "summary": f"{spec.app} in {spec.environment}: {summary}",
        "description": description,
        "runbook_url": literal(runbook_url(spec, name)),
    }
    return Alert(
        name=name,
        expr=expr,
        hold=hold,
        severity=severity,
        labels=labels,
        annotations=annotations,
    )


def plain(number: Decimal) -> str:
    """Digits only, as short as they go: 0.05, 5, 300."""
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
