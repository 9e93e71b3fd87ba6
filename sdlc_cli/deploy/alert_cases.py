"""For each alert, series under which it fires, and series under which it must not.

From these come the unit tests that promtool runs over the rendered rules. Time begins at 0 there.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from sdlc_cli.deploy import metrics as m
from sdlc_cli.deploy import names, platform_alerts, service_alerts
from sdlc_cli.deploy.alert import POD, RATIO, Alert, plain
from sdlc_cli.deploy.model import DeploySpec

Series = Mapping[str, str]  # selector: values in promtool's notation, one a minute

PER_MINUTE = 10**9  # requests: enough for the smallest share that a level can promise
POD_NAME = "pod-0"


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """`at` is when to look, `labels` what the alert has besides its own, `said` its values."""

    fires: Series
    quiet: Series
    at: str = "30m"
    labels: Mapping[str, str] = field(default_factory=dict)
    said: Mapping[str, str] = field(default_factory=dict)  # template: what it expands to


def case(spec: DeploySpec, alert: Alert) -> Case | None:
    """The alert's test; None where the level is one that cannot be passed (100 % errors)."""
    return _CASES[alert.name](spec)


def expanded(text: str, said: Mapping[str, str]) -> str:
    """A Go template of an alert, as Prometheus prints it."""
    for template, value in said.items():
        text = text.replace(template, value)
    return text.replace("{{`{{`}}", "{{")


def _error_rate(spec: DeploySpec) -> Case | None:
    return _failing(spec, spec.service_levels.error_rate / 100)


def _burn_fast(spec: DeploySpec) -> Case | None:
    return _failing(spec, service_alerts.burn_limit(spec, service_alerts.BURN_FAST[0]))


def _burn_slow(spec: DeploySpec) -> Case | None:
    return _failing(spec, service_alerts.burn_limit(spec, service_alerts.BURN_SLOW[0]))


def _failing(spec: DeploySpec, limit: Decimal) -> Case | None:
    if limit >= 1:
        return None
    share = min(2 * limit or Decimal("0.5"), (1 + limit) / 2)

    def requests(failed: Decimal) -> Series:
        bad = int(failed * PER_MINUTE)
        count = f"{m.REQUEST_SECONDS}_count"
        return {
            _own(spec, count, **{m.REQUEST_STATUS: "200"}): _grows(Decimal(PER_MINUTE - bad)),
            _own(spec, count, **{m.REQUEST_STATUS: "503"}): _grows(Decimal(bad)),
        }

    return Case(
        fires=requests(share), quiet=requests(limit / 2), said={RATIO: f"{float(share * 100):.4g}%"}
    )


def _latency(spec: DeploySpec) -> Case:
    limit = spec.service_levels.p95_seconds
    bounds = [limit / 2, limit * 2, limit * 4]

    def requests(*counts: int) -> Series:
        return {
            _own(spec, f"{m.REQUEST_SECONDS}_bucket", le=le): _grows(Decimal(count))
            for le, count in zip([*map(plain, bounds), "+Inf"], [*counts, 100], strict=True)
        }

    value = bounds[1] + (bounds[2] - bounds[1]) * Decimal("0.95")
    return Case(
        fires=requests(0, 0, 100),
        quiet=requests(100, 100, 100),
        said={'{{ $value | printf "%.3f" }}': f"{value:.3f}"},
    )


def _traffic(spec: DeploySpec) -> Case:
    limit = spec.service_levels.requests_per_second
    count = _own(spec, f"{m.REQUEST_SECONDS}_count")
    return Case(
        fires={count: _grows(limit * 120)},
        quiet={count: _grows(limit * 30)},
        said={'{{ $value | printf "%.1f" }}': f"{limit * 2:.1f}"},
    )


def _target_down(spec: DeploySpec) -> Case:
    up = _own(spec, m.UP, pod=POD_NAME)
    return Case(
        fires={up: "0x40"},
        quiet={up: "1x40"},
        labels={"job": names.workload(spec), "pod": POD_NAME},
        said={POD: POD_NAME},
    )


def _metrics_missing(spec: DeploySpec) -> Case:
    wanted = {_deployment(spec, m.REPLICAS_WANTED): "3x40"}
    return Case(
        fires=wanted,
        quiet={**wanted, _own(spec, m.UP): "0x40"},
        said={"{{ $value }}": "3"},
    )


def _model_errors(spec: DeploySpec) -> Case:
    def calls(good: int, bad: int) -> Series:
        count = f"{m.MODEL_SECONDS}_count"
        return {
            _own(spec, count): _grows(Decimal(good)),
            _own(spec, count, **{m.MODEL_ERROR: "timeout"}): _grows(Decimal(bad)),
        }

    return Case(fires=calls(60, 40), quiet=calls(95, 5), said={RATIO: "40%"})


def _budget(spec: DeploySpec) -> Case:
    # After two hours the day's window holds these two hours only, and the hour before was over
    # the budget as well: half of it.
    return _spending(spec, spec.budget.monthly_usd * 4, service_alerts.DAYS_IN_MONTH * 120)


def _budget_fast(spec: DeploySpec) -> Case:
    pace = spec.budget.monthly_usd * service_alerts.COST_FAST * 2
    return _spending(spec, pace, service_alerts.DAYS_IN_MONTH * 24 * 60)


def _spending(spec: DeploySpec, pace: Decimal, minutes: int) -> Case:
    cost = m.series(m.COST_USD, namespace=spec.namespace)
    return Case(
        fires={cost: _grows(pace / minutes, 130)},
        quiet={cost: _grows(pace / minutes / 10, 130)},
        at="2h",
        said={'{{ $value | printf "%.2f" }}': f"{pace:.2f}"},
    )


def _cpu(spec: DeploySpec) -> Case:
    used, limit = _pod(spec, m.CPU_SECONDS), _pod(spec, m.LIMITS, resource="cpu")
    return _of_pod(
        fires={used: _grows(Decimal(54)), limit: "1x40"},  # 54 of 60 s
        quiet={used: _grows(Decimal(42)), limit: "1x40"},
        ratio="90%",
    )


def _throttled(spec: DeploySpec) -> Case:
    held, all_of_them = _pod(spec, m.CPU_THROTTLED), _pod(spec, m.CPU_PERIODS)
    return _of_pod(
        fires={held: _grows(Decimal(300)), all_of_them: _grows(Decimal(600))},
        quiet={held: _grows(Decimal(60)), all_of_them: _grows(Decimal(600))},
        ratio="50%",
    )


def _memory(spec: DeploySpec) -> Case:
    used, limit = _pod(spec, m.MEMORY_BYTES), _pod(spec, m.LIMITS, resource="memory")
    return _of_pod(
        fires={used: "95x40", limit: "100x40"}, quiet={used: "85x40", limit: "100x40"}, ratio="95%"
    )


def _of_pod(*, fires: Series, quiet: Series, ratio: str) -> Case:
    return Case(
        fires=fires, quiet=quiet, labels={"pod": POD_NAME}, said={POD: POD_NAME, RATIO: ratio}
    )


def _disk(spec: DeploySpec) -> Case:
    pod = m.series(m.POD, namespace=spec.namespace, pod=POD_NAME, host_ip="10.0.0.7")
    labels = {"instance": "10.0.0.7:9100", "mountpoint": "/", "fstype": "ext4"}
    other = {**labels, "instance": "10.0.0.8:9100"}

    def disk(free: int, **where: str) -> Series:
        return {
            m.series(m.DISK_FREE, **where): f"{free}x40",
            m.series(m.DISK_SIZE, **where): "100x40",
        }

    return Case(
        fires={pod: "1x40", **disk(5, **labels)},
        quiet={pod: "1x40", **disk(50, **labels), **disk(5, **other)},  # full, but not our node
        labels={**labels, "host_ip": "10.0.0.7"},
        said={
            RATIO: "5%",
            "{{ $labels.mountpoint }}": "/",
            "{{ $labels.instance }}": "10.0.0.7:9100",
        },
    )


def _restarts(spec: DeploySpec) -> Case:
    restarts = _pod(spec, m.RESTARTS)
    return Case(
        fires={restarts: _grows(Decimal(1))},
        quiet={restarts: "0x20 2x20"},
        labels={"pod": POD_NAME},
        said={POD: POD_NAME, '{{ $value | printf "%.0f" }}': "15"},
    )


def _out_of_memory(spec: DeploySpec) -> Case:
    killed = {_pod(spec, m.TERMINATED, reason="OOMKilled"): "1x40"}
    restarts = _pod(spec, m.RESTARTS)
    return Case(
        fires={restarts: _grows(Decimal(1)), **killed},
        quiet={restarts: "1x40", **killed},  # killed long ago
        labels={"pod": POD_NAME},
        said={POD: POD_NAME},
    )


def _waiting(spec: DeploySpec) -> Case:
    return Case(
        fires={_pod(spec, m.WAITING, reason="ImagePullBackOff"): "1x40"},
        quiet={_pod(spec, m.WAITING, reason="ContainerCreating"): "1x40"},
        labels={
            "pod": POD_NAME,
            "container": names.workload(spec),
            "reason": "ImagePullBackOff",
        },
        said={POD: POD_NAME, "{{ $labels.reason }}": "ImagePullBackOff"},
    )


def _pending(spec: DeploySpec) -> Case:
    labels = {"pod": POD_NAME, "phase": "Pending"}
    pod = m.series(m.PHASE, namespace=spec.namespace, **labels)
    return Case(
        fires={pod: "1x40"},
        quiet={pod: "1x10 0x30"},
        labels=labels,
        said={POD: POD_NAME},
    )


def _replicas(spec: DeploySpec) -> Case:
    available, wanted = (
        _deployment(spec, name) for name in (m.REPLICAS_AVAILABLE, m.REPLICAS_WANTED)
    )
    return Case(
        fires={available: "1x40", wanted: "3x40"},
        quiet={available: "3x40", wanted: "3x40"},
        labels={"deployment": names.workload(spec)},
        said={"{{ $value }}": "1"},
    )


def _rollout(spec: DeploySpec) -> Case:
    labels = {"condition": "Progressing", "status": "false"}
    stuck = _deployment(spec, m.DEPLOYMENT_CONDITION, **labels)
    return Case(
        fires={stuck: "1x40"},
        quiet={stuck: "0x40"},
        labels={"deployment": names.workload(spec), **labels},
    )


def _autoscaler(spec: DeploySpec) -> Case:
    labels = {"horizontalpodautoscaler": names.workload(spec)}
    runs, maximum = (
        m.series(name, namespace=spec.namespace, **labels)
        for name in (m.AUTOSCALER_REPLICAS, m.AUTOSCALER_MAXIMUM)
    )
    return Case(
        fires={runs: "9x40", maximum: "9x40"},
        quiet={runs: "8x40", maximum: "9x40"},
        labels=labels,
    )


def _certificate(spec: DeploySpec) -> Case:
    if spec.has("cert-manager"):
        name, labels = m.CERTIFICATE_EXPIRY, {"name": "tls"}
    else:
        name, labels = m.PROBED_EXPIRY, {"instance": "https://service.example.com"}
    expiry = m.series(name, namespace=spec.namespace, **labels)
    ((label, which),) = labels.items()
    return Case(
        fires={expiry: f"{8 * 86400}x130"},
        quiet={expiry: f"{(platform_alerts.CERTIFICATE_DAYS + 1) * 86400}x130"},
        at="2h",
        labels=labels,
        said={f"{{{{ $labels.{label} }}}}": which, '{{ $value | printf "%.1f" }}': "7.9"},
    )


def _traces(spec: DeploySpec) -> Case:
    lost = m.series(f"{m.SPANS_LOST}_total", namespace=spec.cluster.monitoring_namespace)
    return Case(
        fires={lost: _grows(Decimal(120))},
        quiet={lost: "7x40"},
        said={'{{ $value | printf "%.1f" }}': "2.0"},
    )


_CASES: Mapping[str, Callable[[DeploySpec], Case | None]] = {
    "ErrorRateHigh": _error_rate,
    "LatencyHigh": _latency,
    "TrafficAbovePlan": _traffic,
    "TargetDown": _target_down,
    "MetricsMissing": _metrics_missing,
    "ModelCallErrorsHigh": _model_errors,
    "AvailabilityBurnFast": _burn_fast,
    "AvailabilityBurnSlow": _burn_slow,
    "BudgetBurn": _budget,
    "BudgetBurnFast": _budget_fast,
    "CpuHigh": _cpu,
    "CpuThrottled": _throttled,
    "MemoryHigh": _memory,
    "DiskAlmostFull": _disk,
    "RestartsFrequent": _restarts,
    "OutOfMemory": _out_of_memory,
    "ContainerWaiting": _waiting,
    "PodPending": _pending,
    "ReplicasMissing": _replicas,
    "RolloutStuck": _rollout,
    "AutoscalerAtMaximum": _autoscaler,
    "CertificateExpiring": _certificate,
    "TracesLost": _traces,
}


def _own(spec: DeploySpec, name: str, **labels: str) -> str:
    return m.series(name, namespace=spec.namespace, job=names.workload(spec), **labels)


def _pod(spec: DeploySpec, name: str, **labels: str) -> str:
    own = {"namespace": spec.namespace, "container": names.workload(spec), "pod": POD_NAME}
    return m.series(name, **own, **labels)


def _deployment(spec: DeploySpec, name: str, **labels: str) -> str:
    return m.series(name, namespace=spec.namespace, deployment=names.workload(spec), **labels)


def _grows(each_minute: Decimal, minutes: int = 40) -> str:
    return f"0+{plain(each_minute)}x{minutes}"
