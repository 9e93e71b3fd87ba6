"""What flows through `sdlc deploy`: one DeploySpec an environment in, Artifacts and Findings out.

A DeploySpec is what deploy.yaml says of one environment, with every default in its place and the
environment's overrides already over the service's own words. Templates, rules and writers read
nothing else.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Literal

from msgspec import Struct, field

Kind = Literal[
    "docker", "kubernetes", "helm", "terraform", "pipeline", "script", "monitoring", "runbook"
]
Language = Literal["python", "other"]
Egress = Literal["cidr", "eks-auto", "cilium", "proxy"]
Provided = Literal[
    "external-secrets",  # ExternalSecret; without it a reference to a Secret that must exist
    "prometheus-operator",  # ServiceMonitor, PrometheusRule; without it scrape annotations
    "metrics-server",  # HPA on CPU and memory; without it a fixed number of replicas
    "cilium",  # CiliumNetworkPolicy by host name
    "eks-auto",  # ApplicationNetworkPolicy by host name
    "cert-manager",  # Certificate by annotation; without it the TLS Secret must exist
    "ingress",  # an ingress controller of `ingress_class`
    "user-namespaces",  # hostUsers: false
]


class Image(Struct, frozen=True, kw_only=True):
    """A container image. `reference` is what a manifest pulls: by digest where one is known."""

    repository: str
    tag: str = ""
    digest: str = ""  # sha256:… or ""

    @property
    def reference(self) -> str:
        """`repository:tag@digest`, without the parts that are not known."""
        tag = f":{self.tag}" if self.tag else ""
        return f"{self.repository}{tag}" + (f"@{self.digest}" if self.digest else "")


class Port(Struct, frozen=True, kw_only=True):
    """A named TCP port of the container; the Service has the same name and number."""

    name: str
    port: int


class Build(Struct, frozen=True, kw_only=True):
    """How the image is built. `language: other` has no Dockerfile of ours: only `image` counts.

    `base` is the image of both stages; `lock` the locked requirements, relative to the repository.
    """

    language: Language = "python"
    python: str = "3.12"
    base: Image = field(default_factory=lambda: Image(repository="python"))
    lock: str = "requirements.lock"
    source: tuple[str, ...] = ("src",)  # folders and files that the image holds
    command: tuple[str, ...] = ()


class Health(Struct, frozen=True, kw_only=True):
    """HTTP paths on `port` (a port's name), and how long a start may take in seconds."""

    port: str = "http"
    live: str = "/health/live"
    ready: str = "/health/ready"
    startup: str = "/health/live"
    start_seconds: int = 60


class Metrics(Struct, frozen=True, kw_only=True):
    """Where Prometheus scrapes; `port` is a port's name."""

    port: str = "http"
    path: str = "/metrics"
    interval_seconds: int = 30


class Amounts(Struct, frozen=True, kw_only=True):
    """cpu in millicores, the others in bytes. Print with `quantity.cpu` and `quantity.size`."""

    cpu: int
    memory: int
    ephemeral_storage: int


class Gpu(Struct, frozen=True, kw_only=True):
    """Extended resource, its count, and the nodes that have it."""

    resource: str
    count: int
    node_selector: Mapping[str, str] = field(default_factory=dict)
    tolerations: tuple[str, ...] = ()  # taint keys with effect NoSchedule


class Resources(Struct, frozen=True, kw_only=True):
    """What one replica asks for, and may use at most."""

    requests: Amounts
    limits: Amounts
    gpu: Gpu | None = None


class Autoscaling(Struct, frozen=True, kw_only=True):
    """Bounds of the HPA, and the load it aims at in percent of the requests; 0: not looked at."""

    min: int
    max: int
    cpu: int = 70
    memory: int = 0


class SecretReference(Struct, frozen=True, kw_only=True):
    """An environment variable's value in a store outside. Never the value itself.

    The file /var/run/secrets/<app>/<name> holds it in the container, and <NAME>_FILE says so.
    """

    name: str  # DATABASE_URL
    key: str  # path in the external store
    property: str = ""  # field of it, where it holds several


class Database(Struct, frozen=True, kw_only=True):
    """A PostgreSQL server. `secret` names the SecretReference that holds its address.

    `cidrs` are where it may be reached; with `infrastructure: managed` the subnets of Terraform.
    """

    name: str
    version: str = "17"
    port: int = 5432
    instance: str = "db.t4g.medium"
    storage_gib: int = 20
    secret: str = "DATABASE_URL"
    cidrs: tuple[str, ...] = ()


class Cache(Struct, frozen=True, kw_only=True):
    """A Redis-compatible server (Valkey on AWS)."""

    name: str
    version: str = "8.0"
    port: int = 6379
    instance: str = "cache.t4g.small"
    nodes: int = 2
    secret: str = "REDIS_URL"
    cidrs: tuple[str, ...] = ()


class ModelApi(Struct, frozen=True, kw_only=True):
    """A host that the service may call. `cidrs` are its addresses for `egress: cidr`."""

    name: str
    host: str
    port: int = 443
    cidrs: tuple[str, ...] = ()


class Region(Struct, frozen=True, kw_only=True):
    """A region of an environment: what differs there."""

    name: str
    config: Mapping[str, str] = field(default_factory=dict)
    replicas: int | None = None
    domains: tuple[str, ...] = ()


class ServiceLevels(Struct, frozen=True, kw_only=True):
    """What was promised. `availability` and `error_rate` in percent, `p95_seconds` of a request."""

    availability: Decimal = Decimal("99.9")
    error_rate: Decimal = Decimal(5)
    p95_seconds: Decimal = Decimal(1)
    requests_per_second: Decimal = Decimal(10)


class Budget(Struct, frozen=True, kw_only=True):
    """US dollars a month that the model calls may cost; 0: no budget, no alert on it."""

    monthly_usd: Decimal = Decimal(0)


class Cluster(Struct, frozen=True, kw_only=True):
    """What the cluster is and has, beyond plain Kubernetes."""

    kubernetes: str = "1.35"  # the minor version that the manifests are written for
    provides: frozenset[Provided] = frozenset()
    ingress_class: str = "nginx"
    ingress_namespace: str = "ingress-nginx"
    monitoring_namespace: str = "monitoring"
    secret_store: str = "cluster-secrets"  # name of the ClusterSecretStore
    issuer: str = "letsencrypt"  # name of the ClusterIssuer
    proxy: str = ""  # host:port of the egress proxy, for `egress: proxy`
    proxy_namespace: str = ""
    name: str = ""  # of the EKS cluster; default: <app>-<environment>


class Monitoring(Struct, frozen=True, kw_only=True):
    """Where alerts go: names of secrets that hold the receivers' addresses, never the addresses."""

    receiver: Literal["slack", "pagerduty", "webhook"] = "webhook"
    secret_file: str = "/etc/alertmanager/secrets/receiver"
    prometheus: str = ""  # base address of Prometheus' own page, "" unknown
    runbook: str = ""  # where RUNBOOK.md is read; "" the path in the repository
    traces: str = ""  # OTLP/HTTP endpoint of Jaeger or the like; "" none
    datasource: str = "prometheus"  # uid of Grafana's data source


class Pipeline(Struct, frozen=True, kw_only=True):
    """GitHub Actions. `install_sdlc` is how the pipeline gets sdlc: words of a pip install."""

    repository: str = ""  # owner/name on GitHub
    branch: str = "main"
    staging: str = "staging"  # the environment before the approval
    production: str = "prod"  # the one after it
    aws_region: str = ""
    aws_role: str = ""  # ARN of the role that the pipeline assumes by OIDC; "": no AWS steps
    install_sdlc: str = ""
    runner: str = "ubuntu-24.04"  # label of the jobs that talk to the cluster


class Terraform(Struct, frozen=True, kw_only=True):
    """State and network of the environment on AWS."""

    state_bucket: str = ""
    state_region: str = ""
    vpc_cidr: str = "10.0.0.0/16"
    kubernetes: str = "1.35"
    node_instance: str = "m7g.large"
    nodes_min: int = 2
    nodes_max: int = 6


class DeploySpec(Struct, frozen=True, kw_only=True):
    """One environment of one service: everything that its artifacts say."""

    environment: str  # "prod"
    app: str
    owner: str
    image: Image
    build: Build = field(default_factory=Build)
    ports: tuple[Port, ...] = (Port(name="http", port=8080),)
    health: Health = field(default_factory=Health)
    metrics: Metrics | None = field(default_factory=Metrics)
    resources: Resources
    replicas: int = 2
    autoscaling: Autoscaling | None = None
    longest_call_seconds: int = 60  # the longest request, model call included
    config: Mapping[str, str] = field(default_factory=dict)
    flags: Mapping[str, bool] = field(default_factory=dict)
    secrets: tuple[SecretReference, ...] = ()
    databases: tuple[Database, ...] = ()
    caches: tuple[Cache, ...] = ()
    model_apis: tuple[ModelApi, ...] = ()
    egress: Egress = "cidr"
    domains: tuple[str, ...] = ()
    regions: tuple[Region, ...] = ()
    service_levels: ServiceLevels = field(default_factory=ServiceLevels)
    budget: Budget = field(default_factory=Budget)
    cluster: Cluster = field(default_factory=Cluster)
    infrastructure: Literal["managed", "existing"] = "managed"
    monitoring: Monitoring = field(default_factory=Monitoring)
    pipeline: Pipeline = field(default_factory=Pipeline)
    terraform: Terraform = field(default_factory=Terraform)
    production: bool = False  # held to what production needs: digest, three replicas, …

    @property
    def namespace(self) -> str:
        """Where its objects live."""
        return f"{self.app}-{self.environment}"

    def has(self, what: Provided) -> bool:
        """Whether the cluster provides it."""
        return what in self.cluster.provides

    def port(self, name: str) -> int:
        """The number of the port called `name`. Raises KeyError."""
        return {port.name: port.port for port in self.ports}[name]


class Artifact(Struct, frozen=True, kw_only=True):
    """A rendered file. `path` is relative to the output folder, with `/`."""

    path: str
    text: str
    kind: Kind
    environment: str = ""  # "" for files that serve all of them
    about: str = ""  # what it is, in a few words, in English
    executable: bool = False
