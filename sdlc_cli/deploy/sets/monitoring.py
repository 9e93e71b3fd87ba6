"""Prometheus, Alertmanager, the alerts and their tests, Grafana, the collector and the runbook."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from msgspec.structs import replace

from sdlc_cli.deploy import alert_cases, alerts, dashboard, names
from sdlc_cli.deploy.alert import Alert, RuleGroup
from sdlc_cli.deploy.escape import promql
from sdlc_cli.deploy.model import DeploySpec, Kind
from sdlc_cli.deploy.render import Wanted


@dataclass(frozen=True, slots=True, kw_only=True)
class Test:
    """One unit test of an alert: the series, and what Prometheus then says."""

    name: str
    alert: str
    at: str
    series: tuple[Mapping[str, str], ...]  # each with `series` and `values`
    labels: Mapping[str, str] = field(default_factory=dict)  # empty: it must not fire
    annotations: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """Where the alerts of some environments go."""

    receiver: str
    kind: str
    secret_file: str
    matchers: tuple[str, ...]


def files(specs: Sequence[DeploySpec]) -> Iterator[Wanted]:
    """Monitoring of all environments: a Prometheus finds those that its cluster has."""
    first = _first(specs)
    shared: dict[str, object] = {
        "app": first.app,
        "specs": tuple(specs),
        "first": first,
        "collector": f"{names.COLLECTOR}.{first.cluster.monitoring_namespace}.svc",
    }
    for name, about, more in (
        ("prometheus.yml", "what Prometheus scrapes", _scraped(specs)),
        ("alertmanager.yml", "who is told of an alert", _told(specs)),
        ("grafana-dashboard.json", "dashboard of the service", {"rows": dashboard.rows(specs)}),
    ):
        yield _wanted(name, about, {**shared, **more})
    groups = {spec.environment: alerts.rules(spec) for spec in specs}
    for spec in specs:
        yield from _rules(spec, groups[spec.environment])
    for path, endpoint in _collectors(specs):
        yield _wanted(
            path,
            "OpenTelemetry collector",
            # The collector puts environment variables in place of `$NAME`.
            {**shared, "endpoint": endpoint.replace("$", "$$")},
            template="otel-collector.yaml",
        )
    known = {one.name for found in groups.values() for group in found for one in group.alerts}
    yield _wanted(
        "RUNBOOK.md",
        "what to do when an alert fires",
        {**shared, "alerts": known, **_operated(first)},
        kind="runbook",
    )


def _rules(spec: DeploySpec, groups: Sequence[RuleGroup]) -> Iterator[Wanted]:
    """An environment's rules by themselves: tests of one need not read those of all."""
    paths = []
    for name, about, some in (
        ("recording", "series that Prometheus computes", any(g.recordings for g in groups)),
        ("alerts", "alerts", True),
    ):
        if some:
            paths.append(f"rules/{name}-{spec.environment}.yml")
            yield _wanted(
                paths[-1],
                f"{about} for {spec.environment}",
                {"groups": groups},
                template=f"rules/{name}.yml",
            )
    yield _wanted(
        f"tests/{spec.environment}.yml",
        f"unit tests of the alerts of {spec.environment}",
        {
            "rule_files": paths,
            "order": [group.name for group in groups],
            "tests": tuple(_tests(spec, groups)),
        },
        template="tests.yml",
    )


def _wanted(
    path: str,
    about: str,
    values: dict[str, object],
    *,
    template: str = "",
    kind: Kind = "monitoring",
) -> Wanted:
    return Wanted(
        template=f"monitoring/{template or path}.j2",
        path=f"monitoring/{path}",
        kind=kind,
        about=about,
        values=values,
    )


def _first(specs: Sequence[DeploySpec]) -> DeploySpec:
    """Production, where there is one: its limits and addresses serve what all share."""
    return next((spec for spec in specs if spec.production), specs[-1])


def _scraped(specs: Sequence[DeploySpec]) -> dict[str, object]:
    scraped = tuple(spec for spec in specs if spec.metrics)
    public = [spec for spec in specs if spec.domains]
    seconds = [spec.metrics.interval_seconds for spec in scraped if spec.metrics]
    return {
        "scraped": scraped,
        "seconds": min(seconds, default=30),
        "ours": "|".join(names.namespace(spec) for spec in specs),
        "certificates": any(spec.has("cert-manager") for spec in public),
        "probed": tuple(spec for spec in public if not spec.has("cert-manager")),
        "target_label": "__meta_kubernetes_pod_label_"
        + names.TARGET.replace(".", "_").replace("/", "_"),
    }


def _operated(spec: DeploySpec) -> dict[str, object]:
    """What the runbook's commands need to know of the environment."""
    bounds = spec.autoscaling if spec.has("metrics-server") else None
    return {
        "scaled": replace(bounds, min=bounds.min * 2, max=bounds.max * 2) if bounds else None,
        "replicas": spec.replicas * 2,
        "metrics_port": spec.port(spec.metrics.port) if spec.metrics else 0,
        "cert_manager": spec.has("cert-manager"),
        "external_secrets": spec.has("external-secrets"),
        "tls_secret": names.tls_secret(spec),
    }


def _told(specs: Sequence[DeploySpec]) -> dict[str, object]:
    routes = _routes(specs)
    return {
        "routes": routes,
        "default": routes[0].receiver,
        "webhook": any(route.kind == "webhook" for route in routes),
    }


def _routes(specs: Sequence[DeploySpec]) -> tuple[Route, ...]:
    """One for each owner and receiver, production's first: it also gets what nobody owns."""
    found: dict[tuple[str, str, str], list[str]] = {}
    for spec in sorted(specs, key=lambda spec: not spec.production):
        words = spec.monitoring
        key = (spec.owner, words.receiver, words.secret_file)
        found.setdefault(key, []).append(spec.environment)
    owners = [owner for owner, _, _ in found]
    return tuple(
        Route(
            receiver=owner if owners.count(owner) == 1 else f"{owner} ({', '.join(environments)})",
            kind=kind,
            secret_file=secret_file,
            matchers=(
                f"owner={promql(owner)}",
                f"environment=~{promql('|'.join(environments))}",
            ),
        )
        for (owner, kind, secret_file), environments in found.items()
    )


def _collectors(specs: Sequence[DeploySpec]) -> Iterator[tuple[str, str]]:
    """A collector sends all traces to one place; environments with another place have their own."""
    first = _first(specs).monitoring.traces
    yield "otel-collector.yaml", first
    for spec in specs:
        endpoint = spec.monitoring.traces
        if endpoint and endpoint != first:
            yield f"otel-collector-{spec.environment}.yaml", endpoint


def _tests(spec: DeploySpec, groups: Sequence[RuleGroup]) -> Iterator[Test]:
    for group in groups:
        for alert in group.alerts:
            yield from _tests_of(spec, alert)


def _tests_of(spec: DeploySpec, alert: Alert) -> Iterator[Test]:
    case = alert_cases.case(spec, alert)
    if case is None:
        return
    labels = {
        **case.labels,
        **{name: alert_cases.expanded(text, {}) for name, text in alert.labels.items()},
    }
    yield Test(
        name=f"{alert.name} fires",
        alert=alert.name,
        at=case.at,
        series=_series(case.fires),
        labels=labels,
        annotations={
            name: alert_cases.expanded(text, case.said) for name, text in alert.annotations.items()
        },
    )
    yield Test(
        name=f"{alert.name} stays quiet",
        alert=alert.name,
        at=case.at,
        series=_series(case.quiet),
    )


def _series(series: alert_cases.Series) -> tuple[Mapping[str, str], ...]:
    return tuple({"series": one, "values": values} for one, values in series.items())
