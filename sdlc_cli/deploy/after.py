"""What comes after a render: what its clusters must have, and the commands for its files."""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from shlex import quote

from sdlc_cli.core.i18n import Message, msg
from sdlc_cli.deploy import names
from sdlc_cli.deploy.model import DeploySpec
from sdlc_cli.deploy.sets import terraform


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """A command of an environment; `instead` of the one before it, or after it."""

    environment: str
    command: str
    instead: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """What the cluster of these environments must have before the first apply."""

    environments: tuple[str, ...]
    what: Message


def needs(specs: Sequence[DeploySpec]) -> tuple[Need, ...]:
    """What no file of a render brings along, each once."""
    found: dict[Message, list[str]] = {}
    for spec in specs:
        for what in _needs(spec):
            found.setdefault(what, []).append(spec.environment)
    return tuple(Need(environments=tuple(whose), what=what) for what, whose in found.items())


def _needs(spec: DeploySpec) -> Iterator[Message]:
    namespace = spec.namespace
    managed = spec.infrastructure == "managed"
    if managed:
        yield msg("a way into the cluster's network: its address is private")
        if spec.pipeline.aws_role:
            role = spec.pipeline.aws_role
            yield msg("credentials of {role}, which alone administers the cluster", role=role)
    elif spec.egress == "eks-auto":
        yield msg("EKS Auto Mode, with its network policies")
    elif spec.egress == "cilium":
        yield msg("Cilium, which keeps NetworkPolicies and those of its own")
    else:
        yield msg("a network plugin that keeps NetworkPolicies")
    if spec.secrets and spec.has("external-secrets"):
        store = spec.cluster.secret_store
        yield msg("External Secrets, with the ClusterSecretStore {store}", store=store)
    elif spec.secrets:
        keys = ", ".join(one.name for one in spec.secrets)
        secret = f"{namespace}/{names.secret(spec)}"
        yield msg("the Secret {secret} with {keys}", secret=secret, keys=keys)
    if spec.has("prometheus-operator"):
        yield msg("the Prometheus operator")
    # Terraform adds a metrics server, and the images of its GPU nodes hold NVIDIA's plugin.
    if spec.autoscaling and spec.has("metrics-server") and not managed:
        yield msg("the metrics server")
    if spec.domains and spec.has("ingress"):
        yield msg("an Ingress controller of the class {name}", name=spec.cluster.ingress_class)
        if spec.has("cert-manager"):
            yield msg("cert-manager, with the ClusterIssuer {name}", name=spec.cluster.issuer)
        else:
            secret = f"{namespace}/{names.tls_secret(spec)}"
            yield msg("the certificate in the Secret {secret}", secret=secret)
    if spec.monitoring.traces:
        place = f"{names.COLLECTOR}.{spec.cluster.monitoring_namespace}"
        yield msg("the OpenTelemetry collector {place}, as in monitoring/", place=place)
    gpu = spec.resources.gpu
    if gpu and not (managed and gpu.resource.startswith("nvidia.com/")):
        yield msg("a device plugin for {resource}", resource=gpu.resource)


def commands(specs: Sequence[DeploySpec], paths: Collection[str], out: Path) -> tuple[Command, ...]:
    """What to type next for these environments, in order; `out` is as the user would write it."""
    return tuple(
        Command(environment=spec.environment, command=line, instead=instead)
        for spec in specs
        for line, instead in _environment(spec, paths, out)
    )


def _environment(spec: DeploySpec, paths: Collection[str], out: Path) -> Iterator[tuple[str, bool]]:
    """The infrastructure first, then the objects; a chart as the other way to apply those."""

    def at(path: str) -> str:
        return quote((out / path).as_posix())

    name = spec.environment
    regions = [region.name for region in spec.regions]
    for stem in (name, *(f"{name}-{region}" for region in regions)):
        if f"terraform/aws/environments/{stem}.tfvars" in paths:
            chdir = f"terraform -chdir={at('terraform/aws')}"
            file = f"environments/{stem}"
            yield f"{chdir} init -reconfigure -backend-config={file}.s3.tfbackend", False
            yield f"{chdir} apply -var-file={file}.tfvars", False
            yield _credentials(spec, regions, stem.removeprefix(name).lstrip("-")), False
    for region in regions or [""]:
        yield from _objects(spec, region, paths, at)


def _credentials(spec: DeploySpec, regions: Sequence[str], region: str) -> str:
    """How kubectl gets to know the cluster. The context is called as `_objects` names it."""
    cluster = spec.cluster.name or spec.namespace
    where = region or terraform.regions(spec)[0]
    command = f"aws eks update-kubeconfig --name {cluster}" + (
        f" --region {where}" if where else ""
    )
    return f"{command} --alias {spec.namespace}-{where}" if where in regions else command


def _objects(
    spec: DeploySpec, region: str, paths: Collection[str], at: Callable[[str], str]
) -> Iterator[tuple[str, bool]]:
    """The manifests, or the chart. Each region is a cluster, whose context scripts/deploy.sh
    expects under the same name.
    """
    name, chart = spec.environment, f"helm/{spec.app}"
    folder = f"k8s/regions/{name}/{region}" if region else f"k8s/{name}"
    context = f"{spec.namespace}-{region}" if region else ""
    if f"{folder}/kustomization.yaml" not in paths:
        return
    kubectl = f"kubectl --context {context}" if context else "kubectl"
    yield f"{kubectl} apply --kustomize {at(folder)}", False
    files = [f"{chart}/values-{name}.yaml"]
    files += [f"{chart}/values-{name}-{region}.yaml"] if region else []
    if all(file in paths for file in files):
        helm = f"helm --kube-context {context}" if context else "helm"
        values = " ".join(f"--values {at(file)}" for file in files)
        yield f"{helm} upgrade --install {spec.namespace} {at(chart)} {values}", True
