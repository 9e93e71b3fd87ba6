"""What the Grafana dashboard shows, as plain data: rows of panels, each with its expressions."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Literal

from sdlc_cli.deploy import metrics as m
from sdlc_cli.deploy import names
from sdlc_cli.deploy.model import DeploySpec

WIDTH = 24  # Grafana's grid
NAMESPACE = "$namespace"  # the dashboard's variable
RANGE = "$__range"

Unit = Literal["percentunit", "s", "reqps", "currencyUSD", "short", "none"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A query, and what its lines are called."""

    expr: str
    legend: str
    instant: bool = False  # one value, of the time shown, and no line
    ref: str = "A"


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """A graph, or one number. Above `limit` it turns red; below it, where `at_least`."""

    title: str
    about: str
    unit: Unit
    targets: tuple[Target, ...]
    kind: Literal["timeseries", "stat"] = "timeseries"
    limit: Decimal | None = None
    at_least: bool = False
    decimals: int = 2
    width: int = 8
    height: int = 8
    x: int = 0
    y: int = 0
    id: int = 0

    @property
    def limited(self) -> bool:
        """Whether there is a limit: 0 is one."""
        return self.limit is not None

    @property
    def threshold(self) -> float:
        """The limit, for JSON."""
        return float(self.limit or 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A heading over panels."""

    title: str
    y: int
    id: int
    panels: tuple[Panel, ...]


def rows(specs: Sequence[DeploySpec]) -> tuple[Row, ...]:
    """All rows for one service. Limits are those of the strictest environment: production."""
    spec = next((one for one in specs if one.production), specs[-1])
    sections = {
        "Promises": _promises(spec),
        "Requests": _requests(spec),
        "Model calls and cost": _models(spec),
        "Replicas and resources": _resources(spec),
    }
    return _laid_out({title: panels for title, panels in sections.items() if panels})


def _laid_out(sections: dict[str, tuple[Panel, ...]]) -> tuple[Row, ...]:
    """Left to right, then down; ids count from 1."""
    found: list[Row] = []
    y = number = 0
    for title, panels in sections.items():
        number += 1
        row_id, row_y, x, placed = number, y, 0, list[Panel]()
        y += 1
        for panel in panels:
            if x + panel.width > WIDTH:
                x, y = 0, y + panels[0].height
            number += 1
            targets = tuple(
                replace(target, ref=ref)
                for ref, target in zip("ABCDEFGH", panel.targets, strict=False)
            )
            placed.append(replace(panel, x=x, y=y, id=number, targets=targets))
            x += panel.width
        y += panels[0].height
        found.append(Row(title=title, y=row_y, id=row_id, panels=tuple(placed)))
    return tuple(found)


def _stat(
    title: str,
    about: str,
    unit: Unit,
    expr: str,
    limit: Decimal | None = None,
    *,
    at_least: bool = False,
    instant: bool = False,
) -> Panel:
    return Panel(
        title=title,
        about=about,
        unit=unit,
        targets=(Target(expr=expr, legend=title, instant=instant),),
        kind="stat",
        decimals=3 if instant else 2,
        limit=limit,
        at_least=at_least,
        width=4,
        height=4,
    )


def _promises(spec: DeploySpec) -> tuple[Panel, ...]:
    if not spec.metrics:
        return ()
    level = spec.service_levels
    count = f"{m.REQUEST_SECONDS}_count"
    failed = _own(spec, count, f'{m.REQUEST_STATUS}=~"5.."')
    lost = (
        f"(sum(increase({failed}[{RANGE}])) or vector(0))"
        f" / sum(increase({_own(spec, count)}[{RANGE}]))"
    )
    allowed = 1 - level.availability / 100
    panels = [
        _stat(
            "Availability",
            f"Requests that did not fail, over the time shown. Promised: {level.availability} %.",
            "percentunit",
            f"1 - {lost}",
            level.availability / 100,
            at_least=True,
            instant=True,
        ),
        _stat(
            "Error rate",
            f"Requests that failed in the last 5 minutes. Promised: at most {level.error_rate} %.",
            "percentunit",
            _recorded(m.error_ratio("5m")),
            level.error_rate / 100,
        ),
        _stat(
            "Latency p95",
            f"Of the last 5 minutes. Promised: at most {level.p95_seconds} s.",
            "s",
            _recorded(m.LATENCY_P95),
            level.p95_seconds,
        ),
        _stat(
            "Requests a second",
            f"Planned for: {level.requests_per_second}.",
            "reqps",
            _recorded(m.REQUESTS),
            level.requests_per_second,
        ),
    ]
    if allowed:
        panels.insert(
            1,
            _stat(
                "Error budget left",
                "Share of the errors that the promise allows, still to be spent.",
                "percentunit",
                f"1 - ({lost}) / {allowed:f}",
                Decimal(0),
                at_least=True,
                instant=True,
            ),
        )
    if _costs(spec):
        panels.append(_spent(spec))
    return tuple(panels)


def _spent(spec: DeploySpec) -> Panel:
    budget = spec.budget.monthly_usd
    return _stat(
        "Cost of a month",
        "What a month of model calls costs at the last day's pace."
        + (f" Budget: {budget:f} US dollars." if budget else ""),
        "currencyUSD",
        f"{_recorded(m.COST_DAY)} * 30",
        budget or None,
    )


def _requests(spec: DeploySpec) -> tuple[Panel, ...]:
    if not spec.metrics:
        return ()
    level = spec.service_levels
    count = f"{m.REQUEST_SECONDS}_count"
    bucket = _own(spec, f"{m.REQUEST_SECONDS}_bucket")
    return (
        Panel(
            title="Requests by status",
            about="Requests a second, by HTTP status.",
            unit="reqps",
            targets=(
                Target(
                    expr=f"sum by ({m.REQUEST_STATUS})"
                    f" (rate({_own(spec, count)}[$__rate_interval]))",
                    legend=f"{{{{{m.REQUEST_STATUS}}}}}",
                ),
            ),
        ),
        Panel(
            title="Failed requests",
            about="Share of 5xx answers over short and long windows.",
            unit="percentunit",
            targets=tuple(
                Target(expr=_recorded(m.error_ratio(window)), legend=window)
                for window in ("5m", "1h", "6h")
            ),
            limit=level.error_rate / 100,
        ),
        Panel(
            title="Latency",
            about="Time that half, 95 % and 99 % of the requests took at most.",
            unit="s",
            targets=tuple(
                Target(
                    expr=f"histogram_quantile({share}, sum by (le)"
                    f" (rate({bucket}[$__rate_interval])))",
                    legend=name,
                )
                for share, name in (("0.5", "p50"), ("0.95", "p95"), ("0.99", "p99"))
            ),
            limit=level.p95_seconds,
        ),
    )


def _models(spec: DeploySpec) -> tuple[Panel, ...]:
    if not _costs(spec):
        return ()
    count = f"{m.MODEL_SECONDS}_count"
    failed = _own(spec, count, f'{m.MODEL_ERROR}!=""')
    by_model = f"{{{{{m.MODEL_NAME}}}}}"
    tokens = _own(spec, f"{m.MODEL_TOKENS}_sum")
    cost = m.series(m.COST_USD, namespace=NAMESPACE)
    return (
        Panel(
            title="Cost an hour by model",
            about="US dollars of model calls, by model.",
            unit="currencyUSD",
            targets=(
                Target(
                    expr=f"sum by ({m.COST_MODEL}) (increase({cost}[1h]))",
                    legend=f"{{{{{m.COST_MODEL}}}}}",
                ),
            ),
            limit=spec.budget.monthly_usd / 720 or None,
            width=6,
        ),
        Panel(
            title="Tokens by kind",
            about="Tokens a second, read and written.",
            unit="short",
            targets=(
                Target(
                    expr=f"sum by ({m.MODEL_DIRECTION}) (rate({tokens}[$__rate_interval]))",
                    legend=f"{{{{{m.MODEL_DIRECTION}}}}}",
                ),
            ),
            width=6,
        ),
        Panel(
            title="Model latency p95",
            about="Time that 95 % of the calls to a model took at most.",
            unit="s",
            targets=(
                Target(
                    expr=f"histogram_quantile(0.95, sum by (le, {m.MODEL_NAME})"
                    f" (rate({_own(spec, f'{m.MODEL_SECONDS}_bucket')}[$__rate_interval])))",
                    legend=by_model,
                ),
            ),
            width=6,
        ),
        Panel(
            title="Failed model calls",
            about="Share of calls to a model that ended in an error.",
            unit="percentunit",
            targets=(
                Target(
                    expr=f"sum by ({m.MODEL_NAME}) (rate({failed}[$__rate_interval])) / sum by"
                    f" ({m.MODEL_NAME}) (rate({_own(spec, count)}[$__rate_interval]))",
                    legend=by_model,
                ),
            ),
            width=6,
        ),
    )


def _resources(spec: DeploySpec) -> tuple[Panel, ...]:
    own = {"namespace": NAMESPACE, "container": names.workload(spec)}
    deployment = {"namespace": NAMESPACE, "deployment": names.workload(spec)}

    def of_limit(usage: str, resource: str) -> tuple[Target, ...]:
        limit = m.series(m.LIMITS, f'resource="{resource}"', **own)
        return (Target(expr=f"sum by (pod) ({usage}) / sum by (pod) ({limit})", legend="{{pod}}"),)

    return (
        Panel(
            title="Replicas",
            about="Replicas wanted and available.",
            unit="none",
            targets=(
                Target(expr=m.series(m.REPLICAS_WANTED, **deployment), legend="wanted"),
                Target(expr=m.series(m.REPLICAS_AVAILABLE, **deployment), legend="available"),
            ),
            width=6,
        ),
        Panel(
            title="CPU",
            about="Share of the CPU limit, by pod.",
            unit="percentunit",
            targets=of_limit(f"rate({m.series(m.CPU_SECONDS, **own)}[$__rate_interval])", "cpu"),
            limit=Decimal("0.8"),
            width=6,
        ),
        Panel(
            title="Memory",
            about="Share of the memory limit, by pod.",
            unit="percentunit",
            targets=of_limit(m.series(m.MEMORY_BYTES, **own), "memory"),
            limit=Decimal("0.9"),
            width=6,
        ),
        Panel(
            title="Restarts",
            about="Restarts in 15 minutes, by pod.",
            unit="none",
            targets=(
                Target(
                    expr=f"sum by (pod) (increase({m.series(m.RESTARTS, **own)}[15m]))",
                    legend="{{pod}}",
                ),
            ),
            width=6,
        ),
    )


def _costs(spec: DeploySpec) -> bool:
    return bool(spec.metrics and (spec.model_apis or spec.budget.monthly_usd))


def _own(spec: DeploySpec, name: str, *more: str) -> str:
    return m.series(name, *more, namespace=NAMESPACE, job=names.workload(spec))


def _recorded(name: str) -> str:
    return m.series(name, namespace=NAMESPACE)
