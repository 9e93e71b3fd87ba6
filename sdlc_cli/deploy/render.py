"""DeploySpecs and templates -> Artifacts. Templates print only what a filter of `escape` wrote."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Protocol, cast

from jinja2 import BaseLoader, ChoiceLoader, FileSystemLoader, PackageLoader, StrictUndefined
from jinja2.sandbox import ImmutableSandboxedEnvironment

from sdlc_cli.core.errors import ConfigError
from sdlc_cli.core.i18n import msg
from sdlc_cli.deploy import escape
from sdlc_cli.deploy.model import Artifact, DeploySpec, Kind

# Each is a module of `sdlc_cli.deploy.sets`.
SETS = ("docker", "kubernetes", "helm", "terraform", "pipeline", "monitoring")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A file to be rendered: its template, where it goes, and what the template may read."""

    template: str  # "kubernetes/deployment.yaml.j2"
    path: str  # "k8s/prod/deployment.yaml"
    kind: Kind
    about: str
    environment: str = ""
    executable: bool = False
    values: Mapping[str, object] = field(default_factory=dict)


class Set(Protocol):
    """A module that says which files its part of the whole is made of."""

    def files(self, specs: Sequence[DeploySpec]) -> Iterator[Wanted]:
        """The files for these environments, which belong to one service."""
        ...


def render(specs: Sequence[DeploySpec], *, overrides: Path | None = None) -> tuple[Artifact, ...]:
    """Everything these environments of one service need, in the order of its paths.

    `overrides` is a folder whose templates come before ours. Raises ConfigError for a template
    that does not work or prints a value that no filter wrote.
    """
    environment = _environment(overrides)
    wanted = [
        one
        for name in SETS
        for one in cast(Set, import_module(f"sdlc_cli.deploy.sets.{name}")).files(specs)
    ]
    made = (_artifact(environment, one) for one in wanted)
    return tuple(sorted(made, key=lambda artifact: artifact.path))


def _environment(overrides: Path | None) -> ImmutableSandboxedEnvironment:
    ours: BaseLoader = PackageLoader("sdlc_cli.deploy", "templates")
    loader = ChoiceLoader([FileSystemLoader(overrides), ours]) if overrides else ours
    environment = ImmutableSandboxedEnvironment(
        loader=loader,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        finalize=_only_written,
    )
    environment.filters.update(escape.FILTERS)
    return environment


def _only_written(value: object) -> object:
    if isinstance(value, escape.Written):
        return value
    raise escape.NotWritable(f"printed without a filter: {value!r:.60}")


def _artifact(environment: ImmutableSandboxedEnvironment, wanted: Wanted) -> Artifact:
    try:
        text = environment.get_template(wanted.template).render(wanted.values)
    except escape.NotWritable as error:
        raise ConfigError(
            msg("{file} cannot be rendered: {problem}", file=wanted.path, problem=str(error))
        ) from error
    return Artifact(
        path=wanted.path,
        text=text,
        kind=wanted.kind,
        environment=wanted.environment,
        about=wanted.about,
        executable=wanted.executable,
    )
