"""What deploy.yaml says of one environment -> DeploySpec, with every default in its place."""

from collections.abc import Container, Mapping
from decimal import Decimal

from msgspec.structs import asdict

from sdlc_cli.deploy import model, options
from sdlc_cli.deploy.overlay import merge
from sdlc_cli.deploy.quantity import read_cpu, read_size

PRODUCTION = ("prod", "production", "dr")
DEFAULT_REPLICAS = 2


def is_production(environment: str, service: options.Service) -> bool:
    """What `production` says, else whether the environment is called so."""
    return environment in PRODUCTION if service.production is None else service.production


def spec(
    file: options.DeployFile, environment: str, image: model.Image | None = None
) -> model.DeploySpec:
    """The environment called so, of a file without mistakes. `image` stands in for its image."""
    whole = merge(file, file.environments[environment], options.Service, [])
    ports = tuple(model.Port(name=name, port=number) for name, number in whole.ports.items())
    return model.DeploySpec(
        environment=environment,
        app=file.app,
        owner=whole.owner,
        image=image or _image(whole.image),
        build=_build(file.build, file.app),
        ports=ports,
        health=_health(whole.health, ports),
        metrics=_metrics(whole.metrics, ports) if whole.metrics else None,
        resources=_resources(whole.resources),
        replicas=_replicas(whole),
        autoscaling=_autoscaling(whole.autoscaling) if whole.autoscaling else None,
        longest_call_seconds=whole.longest_call_seconds,
        config=whole.config,
        flags=whole.flags,
        secrets=_secrets(whole.secrets),
        databases=tuple(model.Database(name=k, **asdict(v)) for k, v in whole.databases.items()),
        caches=tuple(model.Cache(name=k, **asdict(v)) for k, v in whole.caches.items()),
        model_apis=tuple(model.ModelApi(name=k, **asdict(v)) for k, v in whole.model_apis.items()),
        egress=whole.egress,
        domains=whole.domains,
        regions=tuple(model.Region(name=k, **asdict(v)) for k, v in whole.regions.items()),
        service_levels=_service_levels(whole.service_levels),
        budget=model.Budget(monthly_usd=whole.budget.monthly_usd),
        cluster=_cluster(whole.cluster, f"{file.app}-{environment}"),
        infrastructure=whole.infrastructure,
        monitoring=model.Monitoring(**asdict(whole.monitoring)),
        pipeline=_pipeline(whole.pipeline, file.environments),
        terraform=_terraform(whole),
        production=is_production(environment, whole),
    )


def _image(written: options.Image) -> model.Image:
    return model.Image(**asdict(written))


def _build(build: options.Build, app: str) -> model.Build:
    ours = build.language == "python"
    base = build.base or options.Image(repository="python", tag=f"{build.python}-slim")
    return model.Build(
        language=build.language,
        python=build.python,
        base=_image(base),
        lock=build.lock,
        source=build.source,
        command=build.command or (("python", "-m", app.replace("-", "_")) if ours else ()),
    )


def _health(health: options.Health, ports: tuple[model.Port, ...]) -> model.Health:
    return model.Health(
        port=health.port or ports[0].name,
        live=health.live,
        ready=health.ready,
        startup=health.startup or health.live,
        start_seconds=health.start_seconds,
    )


def _metrics(metrics: options.Metrics, ports: tuple[model.Port, ...]) -> model.Metrics:
    names = [port.name for port in ports]
    return model.Metrics(
        port=metrics.port or ("metrics" if "metrics" in names else names[0]),
        path=metrics.path,
        interval_seconds=metrics.interval_seconds,
    )


def _resources(resources: options.Resources) -> model.Resources:
    gpu = resources.gpu
    return model.Resources(
        requests=_amounts(resources.requests),
        limits=_amounts(resources.limits),
        gpu=model.Gpu(**asdict(gpu)) if gpu else None,
    )


def _amounts(amounts: options.Amounts) -> model.Amounts:
    return model.Amounts(
        cpu=read_cpu(amounts.cpu),
        memory=read_size(amounts.memory),
        ephemeral_storage=read_size(amounts.ephemeral_storage),
    )


def _replicas(whole: options.Service) -> int:
    if whole.replicas is not None:
        return whole.replicas
    return whole.autoscaling.min if whole.autoscaling else DEFAULT_REPLICAS


def _autoscaling(scaling: options.Autoscaling) -> model.Autoscaling:
    return model.Autoscaling(
        min=scaling.min,
        max=scaling.max,
        cpu=int(scaling.cpu * 100),
        memory=int(scaling.memory * 100),
    )


def _secrets(
    written: Mapping[str, options.SecretReference | str],
) -> tuple[model.SecretReference, ...]:
    return tuple(
        model.SecretReference(name=name, key=reference.key, property=reference.property)
        for name, reference in written.items()
        if not isinstance(reference, str)
    )


def _service_levels(levels: options.ServiceLevels) -> model.ServiceLevels:
    return model.ServiceLevels(
        availability=_percent(levels.availability),
        error_rate=_percent(levels.error_rate),
        p95_seconds=_decimal(levels.p95_seconds),
        requests_per_second=_decimal(levels.requests_per_second),
    )


def _cluster(cluster: options.Cluster, name: str) -> model.Cluster:
    return model.Cluster(
        kubernetes=cluster.kubernetes,
        provides=frozenset(cluster.provides),
        ingress_class=cluster.ingress_class,
        ingress_namespace=cluster.ingress_namespace,
        monitoring_namespace=cluster.monitoring_namespace,
        secret_store=cluster.secret_store,
        issuer=cluster.issuer,
        proxy=cluster.proxy,
        proxy_namespace=cluster.proxy_namespace or "",
        name=cluster.name or name,
    )


def _pipeline(pipeline: options.Pipeline, environments: Container[str]) -> model.Pipeline:
    """`staging` and `production` are "" where the file has no environment of that name."""
    usual = {"staging": ("staging",), "production": ("prod", "production")}
    found = {
        key: getattr(pipeline, key) or next((n for n in names if n in environments), "")
        for key, names in usual.items()
    }
    return model.Pipeline(
        repository=pipeline.repository,
        branch=pipeline.branch,
        staging=found["staging"],
        production=found["production"],
        aws_region=pipeline.aws_region,
        aws_role=pipeline.aws_role,
        install_sdlc=pipeline.install_sdlc,
        runner=pipeline.runner,
    )


def _terraform(whole: options.Service) -> model.Terraform:
    written = asdict(whole.terraform)
    return model.Terraform(
        **{**written, "kubernetes": written["kubernetes"] or whole.cluster.kubernetes}
    )


def _percent(share: Decimal) -> Decimal:
    return _plain(share * 100)


def _decimal(number: float) -> Decimal:
    return _plain(Decimal(repr(number)))


def _plain(number: Decimal) -> Decimal:
    """The same number without a tail of zeros or an exponent: 10, not 1E+1 or 10.0."""
    return Decimal(f"{number:f}".rstrip("0").rstrip(".")) if "." in f"{number:f}" else number
