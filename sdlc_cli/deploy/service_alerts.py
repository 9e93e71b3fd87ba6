"""What is recorded and alerted on from a service's own metrics: requests, promises, cost."""

from decimal import Decimal

from sdlc_cli.deploy import metrics as m
from sdlc_cli.deploy import names
from sdlc_cli.deploy.alert import POD, RATIO, Alert, Recording, alert, plain
from sdlc_cli.deploy.model import DeploySpec

MODEL_ERROR_SHARE = Decimal("0.1")
# How much faster than allowed, over which two windows: Google, The Site Reliability Workbook,
# chapter 5, "Multiwindow, Multi-Burn-Rate Alerts". 2 % of a month's errors in 1 h, 5 % in 6 h.
BURN_FAST = (Decimal("14.4"), "1h", "5m")
BURN_SLOW = (Decimal(6), "6h", "30m")
WINDOWS = ("5m", "30m", "1h", "6h")
DAYS_IN_MONTH = 30
COST_FAST = 6  # times the budget's pace over one hour


def recordings(spec: DeploySpec) -> tuple[Recording, ...]:
    """Series that alerts and the dashboard share."""
    labels = {"namespace": spec.namespace, "service": spec.app}
    made: dict[str, str] = {}
    if spec.metrics:
        count = f"{m.REQUEST_SECONDS}_count"
        failed = _own(spec, count, f'{m.REQUEST_STATUS}=~"5.."')
        made[m.REQUESTS] = f"sum(rate({_own(spec, count)}[5m]))"
        made[m.LATENCY_P95] = (
            "histogram_quantile(0.95, sum by (le) "
            f"(rate({_own(spec, f'{m.REQUEST_SECONDS}_bucket')}[5m])))"
        )
        for window in WINDOWS:
            made[m.error_ratio(window)] = (
                f"(sum(rate({failed}[{window}])) or vector(0))"
                f" / sum(rate({_own(spec, count)}[{window}]))"
            )
        if spec.model_apis or spec.budget.monthly_usd:
            cost = m.series(m.COST_USD, namespace=spec.namespace)
            made[m.COST_HOUR] = f"sum(increase({cost}[1h]))"
            made[m.COST_DAY] = f"sum(increase({cost}[1d]))"
    return tuple(
        Recording(record=record, expr=expr, labels=labels) for record, expr in made.items()
    )


def requests(spec: DeploySpec) -> tuple[Alert, ...]:
    """On what requests and model calls come to, and on losing sight of them."""
    if not spec.metrics:
        return ()
    models = (_model_errors(spec),) if spec.model_apis else ()
    return (*_levels(spec), *_targets(spec), *models)


def _levels(spec: DeploySpec) -> tuple[Alert, ...]:
    level = spec.service_levels
    return (
        alert(
            spec,
            "ErrorRateHigh",
            f"{_recorded(spec, m.error_ratio('5m'))} > {plain(level.error_rate / 100)}",
            "5m",
            f"over {plain(level.error_rate)} % of requests fail",
            f"{RATIO} of the requests of the last 5 minutes were answered with a 5xx status.",
            critical=True,
        ),
        alert(
            spec,
            "LatencyHigh",
            f"{_recorded(spec, m.LATENCY_P95)} > {plain(level.p95_seconds)}",
            "10m",
            f"p95 over {plain(level.p95_seconds)} s",
            '95 % of the requests of the last 5 minutes took up to {{ $value | printf "%.3f" }} s.',
            critical=True,
        ),
        alert(
            spec,
            "TrafficAbovePlan",
            f"{_recorded(spec, m.REQUESTS)} > {plain(level.requests_per_second)}",
            "15m",
            f"over {plain(level.requests_per_second)} requests a second",
            'It gets {{ $value | printf "%.1f" }} requests a second, more than was planned for.',
        ),
    )


def _targets(spec: DeploySpec) -> tuple[Alert, ...]:
    up = _own(spec, m.UP)
    wanted = m.series(m.REPLICAS_WANTED, namespace=spec.namespace, deployment=names.workload(spec))
    # Not `absent`: a Prometheus knows the rules of all environments, its cluster has some.
    pods = f"max by (namespace) ({wanted})"
    return (
        alert(
            spec,
            "TargetDown",
            f"{up} == 0",
            "5m",
            "Prometheus cannot read a pod's metrics",
            f"The pod {POD} runs, but its metrics have not been readable for 5 minutes.",
        ),
        alert(
            spec,
            "MetricsMissing",
            f"{pods} > 0 unless on (namespace) {up}",
            "10m",
            "Prometheus finds none of its pods",
            "It should run {{ $value }} replicas, but none has been scraped for 10 minutes:"
            " no other alert on requests can fire.",
            critical=True,
        ),
    )


def _model_errors(spec: DeploySpec) -> Alert:
    count = f"{m.MODEL_SECONDS}_count"
    failed = _own(spec, count, f'{m.MODEL_ERROR}!=""')
    return alert(
        spec,
        "ModelCallErrorsHigh",
        f"sum(rate({failed}[10m])) / sum(rate({_own(spec, count)}[10m]))"
        f" > {plain(MODEL_ERROR_SHARE)}",
        "10m",
        f"over {plain(MODEL_ERROR_SHARE * 100)} % of model calls fail",
        f"{RATIO} of the calls to model APIs of the last 10 minutes failed.",
    )


def burn_limit(spec: DeploySpec, factor: Decimal) -> Decimal:
    """The share of failed requests at which the promise is used up `factor` times too fast.

    A low promise times the factor would pass 1, which no share ever does: 0.9 at most.
    """
    return min(factor * (1 - spec.service_levels.availability / 100), Decimal("0.9"))


def burn(spec: DeploySpec) -> tuple[Alert, ...]:
    """On using up the errors that the promised availability allows."""
    if not spec.metrics:
        return ()
    allowed = 1 - spec.service_levels.availability / 100

    def burning(name: str, burn: tuple[Decimal, str, str], hold: str, *, critical: bool) -> Alert:
        factor, long, short = burn
        limit = plain(burn_limit(spec, factor))
        both = (f"{_recorded(spec, m.error_ratio(window))} > {limit}" for window in (long, short))
        return alert(
            spec,
            name,
            " and ".join(both),
            hold,
            f"errors use up the {plain(spec.service_levels.availability)} % promise"
            f" {plain(factor)} times too fast",
            f"{RATIO} of the requests of the last {long} failed;"
            f" {plain(allowed * 100)} % over a month are allowed.",
            critical=critical,
        )

    return (
        burning("AvailabilityBurnFast", BURN_FAST, "2m", critical=True),
        burning("AvailabilityBurnSlow", BURN_SLOW, "15m", critical=False),
    )


def cost(spec: DeploySpec) -> tuple[Alert, ...]:
    """On using up the budget of model calls."""
    budget = spec.budget.monthly_usd
    if not budget or not spec.metrics:
        return ()
    day, hour = _recorded(spec, m.COST_DAY), _recorded(spec, m.COST_HOUR)
    pace = '{{ $value | printf "%.2f" }}'
    return (
        alert(
            spec,
            "BudgetBurn",
            f"{day} * {DAYS_IN_MONTH} > {plain(budget)}",
            "1h",
            "model calls cost more than the budget",
            f"At the last day's pace a month costs {pace} US dollars;"
            f" the budget is {plain(budget)}.",
        ),
        alert(
            spec,
            "BudgetBurnFast",
            f"{hour} * {24 * DAYS_IN_MONTH} > {plain(budget * COST_FAST)}",
            "15m",
            f"model calls cost {COST_FAST} times the budget",
            f"At the last hour's pace a month costs {pace} US dollars;"
            f" the budget is {plain(budget)}.",
            critical=True,
        ),
    )


def _own(spec: DeploySpec, name: str, *more: str) -> str:
    """A series that the service itself exports; `job` is the name of its Service."""
    return m.series(name, *more, namespace=spec.namespace, job=names.workload(spec))


def _recorded(spec: DeploySpec, name: str) -> str:
    return m.series(name, namespace=spec.namespace)
