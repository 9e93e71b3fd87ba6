"""DeploySpecs to render in tests: one by `spec(...)`, four environments by `specs`.

And the programs that check what comes out.
"""

import importlib.util
import shutil
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from sdlc_cli.deploy.model import (
    Amounts,
    Autoscaling,
    Budget,
    Cache,
    Cluster,
    Database,
    DeploySpec,
    Gpu,
    Image,
    ModelApi,
    Pipeline,
    Port,
    Provided,
    Region,
    Resources,
    SecretReference,
)

CHECKERS = Path(__file__).parents[2] / ".ci" / "checkers.py"
MIB = 1024**2
DIGEST = "sha256:" + "0" * 64  # the placeholder of the examples
PROVIDES: frozenset[Provided] = frozenset(
    {"external-secrets", "prometheus-operator", "metrics-server", "cert-manager", "ingress"}
)
RESOURCES = Resources(
    requests=Amounts(cpu=250, memory=256 * MIB, ephemeral_storage=256 * MIB),
    limits=Amounts(cpu=1000, memory=512 * MIB, ephemeral_storage=1024 * MIB),
)
SERVICE = DeploySpec(
    environment="dev",
    app="answers",
    owner="Team Answers",
    image=Image(repository="registry.example.com/answers", tag="1.4.2", digest=DIGEST),
    resources=RESOURCES,
    replicas=1,
    config={"LOG_LEVEL": "info", "REGION": "eu-west-1", "MAX_WORKERS": "4", "CACHE_TTL": "60"},
    flags={"new-router": True, "response-cache": False},
    secrets=(
        SecretReference(name="DATABASE_URL", key="answers/database", property="url"),
        SecretReference(name="REDIS_URL", key="answers/cache"),
    ),
    databases=(Database(name="main", cidrs=("10.0.64.0/20",)),),
    caches=(Cache(name="responses", cidrs=("10.0.80.0/20",)),),
    model_apis=(ModelApi(name="models", host="models.example.com"),),
    domains=("answers.example.com",),
    budget=Budget(monthly_usd=Decimal(500)),
    cluster=Cluster(provides=PROVIDES),
    pipeline=Pipeline(repository="example/answers", aws_region="eu-west-1"),
)
AWKWARD = DeploySpec(
    environment="edge",
    app="vision",
    owner='R&D: "vision" #1',
    image=Image(repository="registry.example.com:5000/team/vision", digest=DIGEST),
    ports=(Port(name="grpc", port=9000), Port(name="admin", port=9001)),
    health=replace(SERVICE.health, port="admin", live="/live", ready="/ready", startup="/live"),
    metrics=None,
    resources=replace(
        RESOURCES,
        gpu=Gpu(
            resource="nvidia.com/gpu",
            count=1,
            node_selector={"accelerator": "l4"},
            tolerations=("nvidia.com/gpu",),
        ),
    ),
    replicas=2,
    secrets=(SecretReference(name="API_KEY", key="vision/api"),),
    infrastructure="existing",
)

Make = Callable[..., DeploySpec]


@pytest.fixture
def spec() -> Make:
    """`spec(replicas=3)` is the service in `dev`, with these fields changed."""

    def build(**changes: Any) -> DeploySpec:
        return replace(SERVICE, **changes)

    return build


@pytest.fixture
def specs() -> tuple[DeploySpec, ...]:
    """The service in dev, staging, prod and dr: 1, 2, 5 and 3 replicas, different in shape."""
    return environments()


@pytest.fixture
def awkward() -> DeploySpec:
    """Two ports, no metrics, no database, GPU nodes, and a cluster that provides nothing."""
    return AWKWARD


def environments() -> tuple[DeploySpec, ...]:
    """What `specs` gives, for parametrize."""
    prod = replace(
        SERVICE,
        environment="prod",
        replicas=5,
        autoscaling=Autoscaling(min=5, max=20),
        config={**SERVICE.config, "LOG_LEVEL": "warning", "MAX_WORKERS": "16"},
        domains=("answers.example.com", "api.example.com"),
        regions=(
            Region(name="eu-west-1"),
            Region(name="us-east-1", config={"REGION": "us-east-1"}, domains=("us.example.com",)),
        ),
        production=True,
    )
    return (
        replace(SERVICE, domains=("dev.example.com",), budget=Budget()),
        replace(SERVICE, environment="staging", replicas=2, domains=("staging.example.com",)),
        prod,
        replace(
            prod,
            environment="dr",
            replicas=3,
            autoscaling=Autoscaling(min=3, max=20),
            config={**prod.config, "REGION": "eu-central-1"},
            domains=("dr.example.com",),
            regions=(),
        ),
    )


@pytest.fixture
def checker() -> Callable[[str], str]:
    """`checker("hadolint")` is the program: on the path, or where .ci/checkers.py put it."""

    def find(name: str) -> str:
        if found := shutil.which(name) or shutil.which(name, path=_installed()):
            return found
        pytest.skip(f"{name} is not installed; python3 .ci/checkers.py installs it")

    return find


def _installed() -> str:
    described = importlib.util.spec_from_file_location("checkers", CHECKERS)
    if not CHECKERS.is_file() or described is None or described.loader is None:
        return ""
    module = importlib.util.module_from_spec(described)
    described.loader.exec_module(module)
    folder = module.place()
    return str(folder / "bin") if folder else ""
