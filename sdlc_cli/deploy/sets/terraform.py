"""Terraform for AWS: one configuration, and variables and state for each managed environment.

It lies in terraform/aws, so that another cloud has a place beside it.
"""

import re
from collections.abc import Iterator, Mapping, Sequence

from msgspec.structs import asdict

from sdlc_cli.core.errors import ConfigError
from sdlc_cli.core.i18n import msg
from sdlc_cli.deploy import names
from sdlc_cli.deploy.model import DeploySpec
from sdlc_cli.deploy.nodes import node_image
from sdlc_cli.deploy.render import Wanted
from sdlc_cli.deploy.words import AWS_REGION

FOLDER = "terraform/aws"
# https://github.com/hashicorp/terraform-provider-aws/issues/49181 tells of this release; it knows
# every argument that the templates use.
PROVIDER = "6.57.1"

_FILES: Mapping[str, str] = {
    "versions.tf": "versions of Terraform and its provider, where state is kept",
    "main.tf": "the provider, and what the other files share",
    "variables.tf": "what differs between environments, described and checked",
    "keys.tf": "KMS keys for the cluster, data and logs",
    "network.tf": "VPC, subnets, NAT, endpoints and flow logs",
    "cluster.tf": "EKS: control plane, nodes and add-ons",
    "database.tf": "RDS for PostgreSQL",
    "cache.tf": "ElastiCache for Valkey",
    "access.tf": "what the service's pods may do on AWS",
    "outputs.tf": "addresses and names of what was made",
}
# Where new accounts do not get the zones a, b and c.
_ZONES = {"ap-northeast-1": "acd", "ca-central-1": "abd"}
_RESERVED = re.compile(r"([a-z0-9-]+\.)*(kubernetes\.io|k8s\.io|k8s\.aws|amazonaws\.com)/")
_NODES = 2


def files(specs: Sequence[DeploySpec]) -> Iterator[Wanted]:
    """Nothing where the infrastructure of all environments exists already."""
    managed = [spec for spec in specs if spec.infrastructure == "managed"]
    if not managed:
        return
    for spec in managed:
        _check(spec)
    shared = {"app": managed[0].app, "first": managed[0].environment, "provider": PROVIDER}
    for name, about in _FILES.items():
        yield Wanted(
            template=f"terraform/aws/{name}.j2",
            path=f"{FOLDER}/{name}",
            kind="terraform",
            about=about,
            values=shared,
        )
    for spec in managed:
        for place, region in enumerate(regions(spec)):
            yield from _environment(spec, region, first=place == 0)


def _check(spec: DeploySpec) -> None:
    """Raises ConfigError for a cache that cannot lose a node."""
    for cache in spec.caches:
        if cache.nodes < _NODES:
            raise ConfigError(
                msg(
                    "caches.{name}.nodes: a managed cache needs {least}, so that one can fail",
                    name=cache.name,
                    least=_NODES,
                )
            )


def regions(spec: DeploySpec) -> tuple[str, ...]:
    """Where the environment runs on AWS: its regions called so, else the pipeline's, else ""."""
    found = tuple(one.name for one in spec.regions if AWS_REGION.fullmatch(one.name))
    return found or (spec.pipeline.aws_region,)


def zones(region: str) -> tuple[str, ...]:
    """Three zones of a region: those with the first letters, apart from what is known otherwise."""
    return tuple(f"{region}{letter}" for letter in _ZONES.get(region, "abc")) if region else ()


def _environment(spec: DeploySpec, region: str, *, first: bool) -> Iterator[Wanted]:
    """Variables and state of an environment; those of a further region have its name."""
    stem = spec.environment if first else f"{spec.environment}-{region}"
    where = f" in {region}" if region else ""
    yield Wanted(
        template="terraform/aws/environment.tfvars.j2",
        path=f"{FOLDER}/environments/{stem}.tfvars",
        kind="terraform",
        about=f"the variables of {spec.environment}{where}",
        environment=spec.environment,
        values={"stem": stem, "region": region, "zones": zones(region), **_variables(spec)},
    )
    yield Wanted(
        template="terraform/aws/backend.j2",
        path=f"{FOLDER}/environments/{stem}.s3.tfbackend",
        kind="terraform",
        about=f"where the state of {spec.environment}{where} is kept",
        environment=spec.environment,
        values={
            "stem": stem,
            "environment": spec.environment,
            "bucket": spec.terraform.state_bucket,
            "key": f"{spec.app}/{stem}/terraform.tfstate",
            "region": spec.terraform.state_region or region,
        },
    )


def _variables(spec: DeploySpec) -> Mapping[str, object]:
    terraform = spec.terraform
    return {
        "app": spec.app,
        "environment": spec.environment,
        "owner": spec.owner,
        "production": spec.production,
        "vpc_cidr": terraform.vpc_cidr,
        "cluster_name": spec.cluster.name or spec.namespace,
        "kubernetes": terraform.kubernetes,
        # The pipeline makes namespaces and priority classes, which belong to the whole cluster.
        "administrators": [spec.pipeline.aws_role] if spec.pipeline.aws_role else [],
        "node_instance": terraform.node_instance,
        "node_image": node_image(terraform.node_instance),
        "node_labels": _labels(spec),
        "nodes_min": terraform.nodes_min,
        "nodes_max": terraform.nodes_max,
        "namespace": names.namespace(spec),
        "service_account": names.workload(spec),
        "databases": [asdict(one) for one in spec.databases],
        "caches": [asdict(one) for one in spec.caches],
    }


def _labels(spec: DeploySpec) -> Mapping[str, str]:
    """What the pods ask of their nodes, without what Kubernetes and EKS say of a node anyway."""
    wanted = spec.resources.gpu.node_selector if spec.resources.gpu else {}
    return {key: value for key, value in sorted(wanted.items()) if not _RESERVED.match(key)}
