"""What is alerted on from the platform's metrics: resources, replicas, certificates, traces."""

from decimal import Decimal

from sdlc_cli.deploy import metrics as m
from sdlc_cli.deploy import names
from sdlc_cli.deploy.alert import POD, RATIO, Alert, alert, plain
from sdlc_cli.deploy.model import DeploySpec

CPU_SHARE = Decimal("0.8")
MEMORY_SHARE = Decimal("0.9")
THROTTLED_SHARE = Decimal("0.25")
DISK_FREE_SHARE = Decimal("0.1")
CERTIFICATE_DAYS = 14
RESTARTS_IN_15M = 3


def resources(spec: DeploySpec) -> tuple[Alert, ...]:
    """On CPU, memory and the disks of the nodes below."""

    def of_limit(usage: str, resource: str) -> str:
        limit = _contained(spec, m.LIMITS, f'resource="{resource}"')
        return f"sum by (pod) ({usage}) / sum by (pod) ({limit})"

    cpu = of_limit(f"rate({_contained(spec, m.CPU_SECONDS)}[5m])", "cpu")
    memory = of_limit(_contained(spec, m.MEMORY_BYTES), "memory")
    throttled = (
        f"sum by (pod) (rate({_contained(spec, m.CPU_THROTTLED)}[5m]))"
        f" / sum by (pod) (rate({_contained(spec, m.CPU_PERIODS)}[5m]))"
    )
    return (
        alert(
            spec,
            "CpuHigh",
            f"{cpu} > {plain(CPU_SHARE)}",
            "15m",
            f"a pod uses over {plain(CPU_SHARE * 100)} % of its CPU",
            f"The pod {POD} uses {RATIO} of its CPU limit.",
        ),
        alert(
            spec,
            "CpuThrottled",
            f"{throttled} > {plain(THROTTLED_SHARE)}",
            "15m",
            "a pod is saturated",
            f"The pod {POD} was held back in {RATIO} of its CPU periods.",
        ),
        alert(
            spec,
            "MemoryHigh",
            f"{memory} > {plain(MEMORY_SHARE)}",
            "10m",
            f"a pod uses over {plain(MEMORY_SHARE * 100)} % of its memory",
            f"The pod {POD} uses {RATIO} of its memory limit and is killed at 100 %.",
        ),
        _disk(spec),
    )


def _disk(spec: DeploySpec) -> Alert:
    real = 'fstype!~"tmpfs|ramfs|overlay|squashfs|nsfs"'
    share = f"{m.series(m.DISK_FREE, real)} / {m.series(m.DISK_SIZE, real)}"
    # node-exporter names a node by address, kube-state-metrics knows which of them run our pods.
    pods = m.series(m.POD, namespace=spec.namespace)
    host = r'"host_ip", "$1", "instance", "\\[?([^\\]]+)\\]?:[0-9]+"'
    return alert(
        spec,
        "DiskAlmostFull",
        f"label_replace({share}, {host}) < {plain(DISK_FREE_SHARE)}"
        f" and on (host_ip) group by (host_ip) ({pods})",
        "10m",
        f"a node it runs on has under {plain(DISK_FREE_SHARE * 100)} % of its disk free",
        f"{RATIO} of {{{{ $labels.mountpoint }}}} is free on {{{{ $labels.instance }}}};"
        " the node evicts pods soon.",
        critical=True,
    )


def replicas(spec: DeploySpec) -> tuple[Alert, ...]:
    """On pods that do not run well, and on there being too few of them."""
    scaling = spec.autoscaling
    scales = scaling and scaling.max > scaling.min and spec.has("metrics-server")
    maximum = (_autoscaler(spec, scaling.max),) if scaling and scales else ()
    return (*_pods(spec), *_rollouts(spec), *maximum)


def _pods(spec: DeploySpec) -> tuple[Alert, ...]:
    restarts = f"sum by (pod) (increase({_contained(spec, m.RESTARTS)}[15m]))"
    killed = _contained(spec, m.TERMINATED, 'reason="OOMKilled"')
    waiting = _contained(spec, m.WAITING, 'reason!~"ContainerCreating|PodInitializing"')
    pending = m.series(m.PHASE, 'phase="Pending"', namespace=spec.namespace)
    return (
        alert(
            spec,
            "RestartsFrequent",
            f"{restarts} > {RESTARTS_IN_15M}",
            "5m",
            "a pod restarts again and again",
            f'The container of {POD} restarted {{{{ $value | printf "%.0f" }}}} times'
            " in 15 minutes.",
        ),
        alert(
            spec,
            "OutOfMemory",
            f"{restarts} > 0 and on (pod) max by (pod) ({killed}) == 1",
            "1m",
            "a container was killed for its memory",
            f"The container of {POD} went over its memory limit and was restarted.",
        ),
        alert(
            spec,
            "ContainerWaiting",
            f"{waiting} == 1",
            "10m",
            "a container cannot start",
            f"The container of {POD} waits: {{{{ $labels.reason }}}}.",
        ),
        alert(
            spec,
            "PodPending",
            f"{pending} == 1",
            "15m",
            "a pod finds no node",
            f"The pod {POD} has been pending for 15 minutes.",
        ),
    )


def _rollouts(spec: DeploySpec) -> tuple[Alert, ...]:
    def deployment(name: str, *more: str) -> str:
        return m.series(name, *more, namespace=spec.namespace, deployment=names.workload(spec))

    stuck = deployment(m.DEPLOYMENT_CONDITION, 'condition="Progressing"', 'status="false"')
    return (
        alert(
            spec,
            "ReplicasMissing",
            f"{deployment(m.REPLICAS_AVAILABLE)} < {deployment(m.REPLICAS_WANTED)}",
            "15m",
            "fewer replicas than wanted",
            "Replicas available for the last 15 minutes: {{ $value }}.",
            critical=True,
        ),
        alert(
            spec,
            "RolloutStuck",
            f"{stuck} == 1",
            "5m",
            "a rollout does not go on",
            "The deployment missed its progress deadline: new pods do not become ready.",
        ),
    )


def _autoscaler(spec: DeploySpec, maximum: int) -> Alert:
    def autoscaler(name: str) -> str:
        return m.series(
            name, namespace=spec.namespace, horizontalpodautoscaler=names.workload(spec)
        )

    return alert(
        spec,
        "AutoscalerAtMaximum",
        f"{autoscaler(m.AUTOSCALER_REPLICAS)} >= {autoscaler(m.AUTOSCALER_MAXIMUM)}",
        "15m",
        f"it cannot grow beyond {maximum} replicas",
        "It has run at the autoscaler's maximum for 15 minutes: more load makes it slow.",
    )


def certificates(spec: DeploySpec) -> tuple[Alert, ...]:
    """On certificates that nobody renewed."""
    if not spec.domains:
        return ()
    if spec.has("cert-manager"):
        expiry = m.series(m.CERTIFICATE_EXPIRY, namespace=spec.namespace)
        which = "{{ $labels.name }}"
    else:
        expiry = m.series(m.PROBED_EXPIRY, namespace=spec.namespace)
        which = "{{ $labels.instance }}"
    return (
        alert(
            spec,
            "CertificateExpiring",
            f"({expiry} - time()) / 86400 < {CERTIFICATE_DAYS}",
            "1h",
            f"a certificate expires in under {CERTIFICATE_DAYS} days",
            f'The certificate of {which} expires in {{{{ $value | printf "%.1f" }}}} days.',
            critical=True,
        ),
    )


def telemetry(spec: DeploySpec) -> tuple[Alert, ...]:
    """On traces that the collector loses."""
    if not spec.monitoring.traces:
        return ()
    named = f'__name__=~"{m.SPANS_LOST}.*"'
    lost = m.series("", named, namespace=spec.cluster.monitoring_namespace)
    return (
        alert(
            spec,
            "TracesLost",
            f"sum(rate({lost}[5m])) > 0",
            "15m",
            "traces do not reach their store",
            'The collector loses {{ $value | printf "%.1f" }} spans a second.',
        ),
    )


def _contained(spec: DeploySpec, name: str, *more: str) -> str:
    """A series about the service's container."""
    return m.series(name, *more, namespace=spec.namespace, container=names.workload(spec))
