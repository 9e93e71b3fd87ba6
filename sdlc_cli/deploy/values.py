"""A DeploySpec as the words that the Kubernetes templates and the Helm chart read.

The manifests and the chart are the same templates over the same words, so what stands here is
also what `values.yaml` of the chart says. Only plain data: text, numbers, lists and mappings in
sorted order, because a chart walks a mapping in that order.
"""

from collections.abc import Mapping

from msgspec.structs import replace

from sdlc_cli.deploy import alerts, names, network, quantity
from sdlc_cli.deploy.alert import Alert, Recording
from sdlc_cli.deploy.model import Amounts, DeploySpec, Region

Values = dict[str, object]

# Mappings whose keys are the words of the user.
OPEN = frozenset({"node_selector", "resources.extended", "quota", "config", "flags"})

PAUSE_SECONDS = 10  # between the end of traffic and the stop: proxies take seconds to notice
SPARE_SECONDS = 10  # for the process to end, once its last call is done
PROBE_SECONDS = 5  # between two startup probes
ROLLOUT_SECONDS = 600  # for nodes to come and images to be pulled, beyond the start itself


def values(spec: DeploySpec) -> Values:
    """Everything that the templates of one environment may read."""
    return {
        "app": spec.app,
        "environment": spec.environment,
        "owner": spec.owner,
        "version": names.version_label(spec),
        "kubernetes": spec.cluster.kubernetes,
        "create_namespace": True,
        "create_priority_class": True,
        "image": {
            "repository": spec.image.repository,
            "tag": spec.image.tag,
            "digest": spec.image.digest,
        },
        "ports": [{"name": port.name, "port": port.port} for port in spec.ports],
        "health": _health(spec),
        "metrics": _metrics(spec),
        "longest_call_seconds": spec.longest_call_seconds,
        "stop": {
            "pause_seconds": PAUSE_SECONDS,
            "grace_seconds": spec.longest_call_seconds + PAUSE_SECONDS + SPARE_SECONDS,
        },
        "replicas": spec.replicas,
        "autoscaling": _autoscaling(spec),
        "resources": _resources(spec),
        "node_selector": _sorted(spec.resources.gpu.node_selector if spec.resources.gpu else {}),
        "tolerations": list(spec.resources.gpu.tolerations if spec.resources.gpu else ()),
        "user_namespaces": spec.has("user-namespaces"),
        "priority": _priority(spec),
        "quota": _quota(spec),
        "config": _config(spec),
        "flags": _sorted(spec.flags),
        "secrets": [
            {"name": one.name, "key": one.key, "property": one.property} for one in spec.secrets
        ],
        "external_secrets": {
            "enabled": bool(spec.secrets) and spec.has("external-secrets"),
            "store": spec.cluster.secret_store,
        },
        "domains": list(spec.domains),
        "ingress": _ingress(spec),
        "network": network.words(spec),
        "alert_groups": _alert_groups(spec),
    }


def in_region(spec: DeploySpec, region: Region) -> DeploySpec:
    """The environment as it is in one of its regions."""
    replicas = spec.replicas if region.replicas is None else region.replicas
    scaling = spec.autoscaling
    if scaling and region.replicas is not None:
        scaling = replace(scaling, min=replicas, max=max(scaling.max, replicas))
    return replace(
        spec,
        config={**spec.config, "REGION": region.name, **region.config},
        replicas=replicas,
        autoscaling=scaling,
        domains=region.domains or spec.domains,
    )


def _health(spec: DeploySpec) -> Values:
    health = spec.health
    return {
        "port": health.port,
        "live": health.live,
        "ready": health.ready,
        "startup": health.startup,
        "start_checks": max(1, -(-health.start_seconds // PROBE_SECONDS)),
        "deadline_seconds": health.start_seconds + ROLLOUT_SECONDS,
    }


def _metrics(spec: DeploySpec) -> Values:
    """Where Prometheus scrapes: by a ServiceMonitor, else by annotations of the pods."""
    metrics = spec.metrics
    operator = spec.has("prometheus-operator")
    return {
        "enabled": metrics is not None,
        "service_monitor": metrics is not None and operator,
        "annotations": metrics is not None and not operator,
        "rules": operator,
        "port": metrics.port if metrics else names.public_port(spec),
        "number": spec.port(metrics.port if metrics else names.public_port(spec)),
        "path": metrics.path if metrics else "/metrics",
        "interval_seconds": metrics.interval_seconds if metrics else 30,
        "timeout_seconds": min(10, metrics.interval_seconds) if metrics else 10,
    }


def _autoscaling(spec: DeploySpec) -> Values:
    scaling = spec.autoscaling
    return {
        "enabled": scaling is not None and spec.has("metrics-server"),
        "min": scaling.min if scaling else spec.replicas,
        "max": scaling.max if scaling else spec.replicas,
        "cpu": scaling.cpu if scaling else 70,
        "memory": scaling.memory if scaling else 0,
    }


def _resources(spec: DeploySpec) -> Values:
    gpu = spec.resources.gpu
    return {
        "requests": _amounts(spec.resources.requests),
        "limits": _amounts(spec.resources.limits),
        "extended": {gpu.resource: str(gpu.count)} if gpu else {},
        # /tmp counts towards the limit of the ephemeral storage, as do the logs.
        "temporary": quantity.size(spec.resources.limits.ephemeral_storage // 2),
    }


def _amounts(amounts: Amounts) -> Values:
    return {
        "cpu": quantity.cpu(amounts.cpu),
        "memory": quantity.size(amounts.memory),
        "ephemeral_storage": quantity.size(amounts.ephemeral_storage),
    }


def _priority(spec: DeploySpec) -> Values:
    """Production may push others from a node; what is no production never does."""
    if spec.production:
        return {"value": 100_000, "preemption": "PreemptLowerPriority"}
    return {"value": 1_000, "preemption": "Never"}


def _quota(spec: DeploySpec) -> Values:
    """What all pods may ask for together, while a rollout goes on in the largest region.

    Old pods count until their last call has ended, and new ones do not wait for that, so at the
    worst both sets are there.
    """
    most = max(_most(one) for one in (spec, *(in_region(spec, r) for r in spec.regions)))
    pods = 2 * most + spec.has("cert-manager")  # its one pod, while it proves a domain
    asked, limits = spec.resources.requests, spec.resources.limits
    quota = {
        "pods": str(pods),
        "requests.cpu": quantity.cpu(asked.cpu * pods),
        "requests.memory": quantity.size(asked.memory * pods),
        "requests.ephemeral-storage": quantity.size(asked.ephemeral_storage * pods),
        "limits.cpu": quantity.cpu(limits.cpu * pods),
        "limits.memory": quantity.size(limits.memory * pods),
        "limits.ephemeral-storage": quantity.size(limits.ephemeral_storage * pods),
    }
    if gpu := spec.resources.gpu:
        quota[f"requests.{gpu.resource}"] = str(gpu.count * pods)
    return _sorted(quota)


def _most(spec: DeploySpec) -> int:
    scales = spec.autoscaling is not None and spec.has("metrics-server")
    return spec.autoscaling.max if scales and spec.autoscaling else spec.replicas


def _config(spec: DeploySpec) -> Values:
    """Environment variables; what the service says itself comes before what we would say."""
    ours = {"APP_ENV": spec.environment}
    if spec.monitoring.traces:
        host = f"{names.COLLECTOR}.{spec.cluster.monitoring_namespace}.svc"
        ours["OTEL_EXPORTER_OTLP_ENDPOINT"] = f"http://{host}:{names.COLLECTOR_PORT}"
        ours["OTEL_SERVICE_NAME"] = spec.app
    if spec.egress == "proxy" and spec.cluster.proxy:
        ours["HTTPS_PROXY"] = f"http://{spec.cluster.proxy}"
        ours["NO_PROXY"] = "localhost,127.0.0.1,.svc,.cluster.local"
    return _sorted({**ours, **spec.config})


def _ingress(spec: DeploySpec) -> Values:
    port = names.public_port(spec)
    return {
        "enabled": bool(spec.domains) and spec.has("ingress"),
        "class": spec.cluster.ingress_class,
        "namespace": spec.cluster.ingress_namespace,
        "issuer": spec.cluster.issuer if spec.has("cert-manager") else "",
        "port": port,
        "number": spec.port(port),
    }


def _alert_groups(spec: DeploySpec) -> list[Values]:
    if not spec.has("prometheus-operator"):
        return []
    return [
        {"name": group.name, "rules": [_rule(rule) for rule in group.rules]}
        for group in alerts.rules(spec)
    ]


def _rule(rule: Alert | Recording) -> Values:
    if isinstance(rule, Recording):
        name: Values = {"record": rule.record, "alert": "", "for": "", "annotations": {}}
    else:
        name = {"record": "", "alert": rule.name, "for": rule.hold}
        name["annotations"] = _sorted(rule.annotations)
    return {**name, "expr": rule.expr, "labels": _sorted(rule.labels)}


def _sorted(mapping: Mapping[str, object]) -> Values:
    return dict(sorted(mapping.items()))
