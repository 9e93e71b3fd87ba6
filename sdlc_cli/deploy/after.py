"""The commands that come after a render: only those that its files are there for."""

from collections.abc import Collection, Iterator, Sequence
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
    name = spec.environment

    def at(path: str) -> str:
        return quote((out / path).as_posix())

    for stem in _stems(spec, paths, "terraform/aws/environments/{}.tfvars"):
        chdir = f"terraform -chdir={at('terraform/aws')}"
        file = f"environments/{stem}"
        yield f"{chdir} init -reconfigure -backend-config={file}.s3.tfbackend", False
        yield f"{chdir} apply -var-file={file}.tfvars", False
    regions = [f"k8s/regions/{name}/{region.name}" for region in spec.regions]
    for folder in regions or [f"k8s/{name}"]:
        if f"{folder}/kustomization.yaml" in paths:
            yield f"kubectl apply --kustomize {at(folder)}", False
    chart = f"helm/{spec.app}"
    for stem in _stems(spec, paths, f"{chart}/values-{{}}.yaml"):
        values = [f"values-{name}.yaml", *([f"values-{stem}.yaml"] if stem != name else [])]
        words = " ".join(f"--values {at(f'{chart}/{one}')}" for one in values)
        yield f"helm upgrade --install {spec.namespace} {at(chart)} {words}", True


def _stems(spec: DeploySpec, paths: Collection[str], pattern: str) -> list[str]:
    """`prod`, or `prod-us-east-1` for a region: those whose files are there."""
    stems = [f"{spec.environment}-{region.name}" for region in spec.regions]
    found = [stem for stem in stems if pattern.format(stem) in paths]
    alone = [spec.environment] if pattern.format(spec.environment) in paths else []
    whole = pattern.startswith("terraform/")  # the first region's has the environment's name
    return [*alone, *found] if whole else found or alone
