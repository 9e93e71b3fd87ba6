"""What may be written in deploy.yaml, part by part."""

from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType, field

from sdlc_cli.core.exact import Dollars, Share
from sdlc_cli.core.units import Command, Seconds
from sdlc_cli.deploy.model import Egress, Language, Provided
from sdlc_cli.deploy.overlay import partial
from sdlc_cli.deploy.words import (
    AbsolutePath,
    AppName,
    AwsRegion,
    AwsRole,
    Branch,
    Bucket,
    CacheInstance,
    Cidr,
    Cpu,
    DatabaseInstance,
    Digest,
    Domain,
    EnvironmentName,
    FilePath,
    FlagName,
    GitHubRepository,
    Host,
    HostPort,
    Instance,
    KubernetesVersion,
    Label,
    LabelKey,
    LabelValue,
    ObjectName,
    Owner,
    PartName,
    PortName,
    PortNumber,
    PythonVersion,
    RegionName,
    RemotePort,
    Replicas,
    Repository,
    ResourceName,
    Runner,
    Size,
    Tag,
    Text,
    Url,
    UrlPath,
    Value,
    Variable,
    Version,
)

Duration = Annotated[int, Meta(ge=1, le=3600, extra={"unit": "seconds"})]
Part = Annotated[Share, Meta(extra={"unit": "share", "least": 0, "most": 1})]


class Image(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A container image. `repository` is without tag and digest; `digest` is `sha256:…`.

    `--image REPOSITORY@DIGEST` stands in for all three. Production needs a digest.
    """

    repository: Repository
    tag: Tag = ""
    digest: Digest = ""


class Build(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How the image is built. With `language: other` no Dockerfile is rendered.

    `base` is the image that both stages start from (default: `python:VERSION-slim`); `lock` the
    locked requirements; `source` what the image holds, all relative to the file. `command` is
    what the container runs (default: `python -m APP`).
    """

    language: Language = "python"
    python: PythonVersion = "3.12"
    base: Image | None = None
    lock: FilePath = "requirements.lock"
    source: tuple[FilePath, ...] = ("src",)
    command: Command = ()


class Health(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """HTTP paths that say how the service is, on `port` (a port's name; default: the first).

    `start_seconds` is how long a start may take.
    """

    port: PortName | None = None
    live: UrlPath = "/health/live"
    ready: UrlPath = "/health/ready"
    startup: UrlPath | None = None
    start_seconds: Duration = 60


class Metrics(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where Prometheus scrapes. `port` is a port's name; default: `metrics`, else the first."""

    port: PortName | None = None
    path: UrlPath = "/metrics"
    interval_seconds: Duration = 30


class Amounts(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`cpu` as `250m` or `1.5`; `memory` and `ephemeral_storage` as `512Mi` or `2Gi`."""

    cpu: Cpu
    memory: Size
    ephemeral_storage: Size = "1Gi"


class Gpu(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Accelerators that a replica needs, and the nodes that have them.

    `tolerations` are keys of taints with the effect NoSchedule.
    """

    resource: ResourceName = "nvidia.com/gpu"
    count: Annotated[int, Meta(ge=1, le=64)] = 1
    node_selector: dict[LabelKey, LabelValue] = {}
    tolerations: tuple[LabelKey, ...] = ()


class Resources(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What one replica asks for, and may use at most."""

    requests: Amounts
    limits: Amounts
    gpu: Gpu | None = None


class Autoscaling(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Between how many replicas the load decides.

    `cpu` and `memory` are the load that is aimed at, in percent of the requests; 0%: not looked at.
    """

    min: Replicas
    max: Replicas
    cpu: Part = Decimal("0.7")
    memory: Part = Decimal(0)


class SecretReference(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where a secret lies in the store outside: `key` is its path, `property` a field of it.

    The value itself never stands in deploy.yaml.
    """

    key: Text
    property: Annotated[str, Meta(max_length=300)] = ""


class Database(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A PostgreSQL server. `secret` is the entry of `secrets` that holds its address.

    `cidrs` say where it is; with `infrastructure: managed` they are the network's own.
    """

    version: Version = "17"
    port: RemotePort = 5432
    instance: DatabaseInstance = "db.t4g.medium"
    storage_gib: Annotated[int, Meta(ge=20, le=65536)] = 20
    secret: Variable = "DATABASE_URL"
    cidrs: tuple[Cidr, ...] = ()


class Cache(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A server that speaks as Redis does. `secret` and `cidrs` as for a database."""

    version: Version = "8.0"
    port: RemotePort = 6379
    instance: CacheInstance = "cache.t4g.small"
    nodes: Annotated[int, Meta(ge=1, le=6)] = 2
    secret: Variable = "REDIS_URL"
    cidrs: tuple[Cidr, ...] = ()


class ModelApi(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A host that the service may call. With `egress: cidr` and no `cidrs`: any address."""

    host: Host
    port: RemotePort = 443
    cidrs: tuple[Cidr, ...] = ()


class Region(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What differs in one region of an environment."""

    config: dict[Variable, Value] = {}
    replicas: Replicas | None = None
    domains: tuple[Domain, ...] = ()


class ServiceLevels(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What was promised: shares of the requests, the 95th percentile of a request's time."""

    availability: Part = Decimal("0.999")
    error_rate: Part = Decimal("0.05")
    p95_seconds: Annotated[Seconds, Meta(gt=0, le=3600)] = 1
    requests_per_second: Annotated[float, Meta(ge=0, le=10**9)] = 10


class Budget(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """US dollars a month that the model calls may cost. 0: no budget, no alert on it."""

    monthly_usd: Dollars = Decimal(0)


class Cluster(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the cluster is and has. What it does not provide is done without, as plainly.

    `kubernetes` is its minor version; `secret_store` a ClusterSecretStore, `issuer` a
    ClusterIssuer; `proxy` is the HOST:PORT of `egress: proxy`; `name` the EKS cluster's.
    """

    kubernetes: KubernetesVersion = "1.35"
    provides: tuple[Provided, ...] = ()
    ingress_class: ObjectName = "nginx"
    ingress_namespace: Label = "ingress-nginx"
    monitoring_namespace: Label = "monitoring"
    secret_store: ObjectName = "cluster-secrets"
    issuer: ObjectName = "letsencrypt"
    proxy: HostPort = ""
    proxy_namespace: Label | None = None
    name: Label | None = None


class Monitoring(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where alerts go. `secret_file` holds the receiver's address where Alertmanager runs.

    `prometheus`, `runbook` and `traces` are addresses: of Prometheus' own page, of RUNBOOK.md as
    people read it, of an OTLP/HTTP endpoint. `datasource` is the uid of Grafana's data source.
    """

    receiver: Literal["slack", "pagerduty", "webhook"] = "webhook"
    secret_file: AbsolutePath = "/etc/alertmanager/secrets/receiver"
    prometheus: Url = ""
    runbook: Url = ""
    traces: Url = ""
    datasource: Annotated[
        str,
        Meta(max_length=40, pattern=r"^[A-Za-z0-9_-]+$(?!\n)", examples=["prometheus"]),
    ] = "prometheus"


class Pipeline(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """GitHub Actions. `staging` and `production` are environments before and after the approval.

    `aws_role` is assumed by OIDC; without it there are no steps for AWS. `install_sdlc` is what
    `pip install` needs to install sdlc. `runner` is the label of the runner that reaches the
    cluster, which is one in its network where the infrastructure is managed.
    """

    repository: GitHubRepository = ""
    branch: Branch = "main"
    staging: EnvironmentName | None = None
    production: EnvironmentName | None = None
    aws_region: AwsRegion = ""
    aws_role: AwsRole = ""
    install_sdlc: Annotated[str, Meta(max_length=300)] = ""
    runner: Runner = "ubuntu-24.04"


class Terraform(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """State and network of an environment on AWS."""

    state_bucket: Bucket = ""
    state_region: AwsRegion = ""
    vpc_cidr: Cidr = "10.0.0.0/16"
    kubernetes: KubernetesVersion | None = None
    node_instance: Instance = "m7g.large"
    nodes_min: Annotated[int, Meta(ge=1, le=450)] = 2
    nodes_max: Annotated[int, Meta(ge=1, le=450)] = 6


MOST = 64  # of environments, and of each kind of thing that has files or objects of its own
_FEW = Meta(max_length=MOST)


class Service(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What an environment may say differently."""

    owner: Owner
    image: Image
    ports: dict[PortName, PortNumber] = field(default_factory=lambda: {"http": 8080})
    health: Health = Health()
    metrics: Metrics | None = Metrics()
    resources: Resources
    replicas: Replicas | None = None
    autoscaling: Autoscaling | None = None
    longest_call_seconds: Duration = 60
    config: dict[Variable, Value] = {}
    flags: dict[FlagName, bool] = {}
    # A text is taken so that it can be refused without being shown.
    secrets: dict[Variable, SecretReference | str] = {}
    databases: Annotated[dict[PartName, Database], _FEW] = {}
    caches: Annotated[dict[PartName, Cache], _FEW] = {}
    model_apis: Annotated[dict[PartName, ModelApi], _FEW] = {}
    egress: Egress = "cidr"
    domains: tuple[Domain, ...] = ()
    regions: Annotated[dict[RegionName, Region], _FEW] = {}
    service_levels: ServiceLevels = ServiceLevels()
    budget: Budget = Budget()
    cluster: Cluster = Cluster()
    infrastructure: Literal["managed", "existing"] = "managed"
    monitoring: Monitoring = Monitoring()
    pipeline: Pipeline = Pipeline()
    terraform: Terraform = Terraform()
    production: bool | None = None


class _Misplaced(Service, frozen=True, kw_only=True):
    """What an environment may say differently, as `Service`."""

    # There is one of each for all environments: taken so that they can be refused in words.
    app: str
    build: Build
    templates: str


SHARED = ("app", "build", "templates")
# Of the pipeline, which is one for all; only what an environment's own account and network need.
OF_ENVIRONMENT = ("aws_region", "aws_role", "runner")

if TYPE_CHECKING:

    class Overlay(Struct, frozen=True, kw_only=True):
        """A Service of which every key may be left out, and null takes away what may be absent."""

        pipeline: Pipeline | UnsetType | None = UNSET

else:
    Overlay = partial(_Misplaced, "Override")


class DeployFile(Service, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """deploy.yaml as it is written: one service, and what its environments say differently.

    An environment may override every key of a service but `app`, `build` and `templates`, of
    which there is one for all: sections of keys are merged, all else is replaced, and `null`
    takes away what may be absent. Those called prod, production and dr are held to what
    production needs, unless `production` says otherwise. `templates` is a folder whose templates
    come before ours.
    """

    version: Literal[1]
    app: AppName
    build: Build = Build()
    templates: FilePath | None = None
    environments: Annotated[dict[EnvironmentName, Overlay], Meta(min_length=1, max_length=MOST)]
