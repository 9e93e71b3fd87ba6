"""The commands that come after a render: only those that its files are there for."""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from shlex import quote

from sdlc_cli.deploy.model import DeploySpec


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """A command of an environment; `instead` of the one before it, or after it."""

    environment: str
    command: str
    instead: bool = False


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
    for region in regions or [""]:
        yield from _objects(spec, region, paths, at)


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
