"""The commands that come after a render: only those that its files are there for."""

from collections.abc import Callable, Collection, Iterator, Sequence
from pathlib import Path
from shlex import quote

from sdlc_cli.deploy.model import DeploySpec

At = Callable[[str], str]


def commands(specs: Sequence[DeploySpec], paths: Collection[str], out: Path) -> tuple[str, ...]:
    """What to type next for these environments, in order; `out` is as the user would write it."""

    def at(path: str) -> str:
        return quote((out / path).as_posix())

    return tuple(line for spec in specs for line in _environment(spec, paths, at))


def _environment(spec: DeploySpec, paths: Collection[str], at: At) -> Iterator[str]:
    """The infrastructure first, then the objects, into each region where there are some."""
    name = spec.environment
    regions = [f"k8s/{name}/regions/{region.name}" for region in spec.regions]
    for folder in regions or [f"k8s/{name}"]:
        if f"{folder}/kustomization.yaml" in paths:
            yield f"kubectl apply --kustomize {at(folder)}"
