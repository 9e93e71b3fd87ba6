"""DeploySpecs and templates -> Artifacts. Templates print only what a filter of `escape` wrote."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Literal, Protocol, cast

from sdlc_cli.core.errors import ConfigError
from sdlc_cli.core.i18n import msg
from sdlc_cli.deploy import chart, escape, sources, syntax, template
from sdlc_cli.deploy.model import Artifact, DeploySpec, Kind

# Each is a module of `sdlc_cli.deploy.sets`.
SETS = ("docker", "kubernetes", "helm", "terraform", "pipeline", "monitoring")
TEMPLATES = sources.TEMPLATES

_PATH = re.compile(r"[A-Za-z0-9._-]+(/[A-Za-z0-9._-]+)*")


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
    # "chart" translates the template for Helm; `condition` is then what Helm has to find true.
    form: Literal["file", "chart"] = "file"
    condition: str = ""


class Set(Protocol):
    """A module that says which files its part of the whole is made of."""

    def files(self, specs: Sequence[DeploySpec]) -> Iterator[Wanted]:
        """The files for these environments, which belong to one service."""
        ...


def render(specs: Sequence[DeploySpec], *, overrides: Path | None = None) -> tuple[Artifact, ...]:
    """Everything these environments of one service need, in the order of its paths.

    `overrides` is a folder whose templates come before ours; what they use of Jinja2 beyond our
    own is printed by Jinja2's sandbox in a process with limits. Raises ConfigError for a template
    that does not work, takes too much, or prints a value that no filter wrote.
    """
    made = Renderer(overrides)
    return tuple(sorted(map(made.artifact, wanted(specs)), key=lambda artifact: artifact.path))


def wanted(specs: Sequence[DeploySpec]) -> list[Wanted]:
    """The files that all sets together are made of. Raises ConfigError."""
    modules = (import_module(f"sdlc_cli.deploy.sets.{name}") for name in SETS)
    try:
        return [one for module in modules for one in cast(Set, module).files(specs)]
    except escape.NotWritable as error:
        raise ConfigError(msg("the files cannot be rendered: {problem}", problem=error)) from error


class Renderer:
    """Templates as they are read, each once."""

    def __init__(self, overrides: Path | None) -> None:
        self._folders = (overrides, TEMPLATES) if overrides else (TEMPLATES,)
        self._read: dict[str, template.Template] = {}

    def artifact(self, wanted: Wanted) -> Artifact:
        """The file as its template says it. Raises ConfigError, with the template and line."""
        if not _PATH.fullmatch(wanted.path) or ".." in wanted.path.split("/"):
            raise ConfigError(
                msg("{file} is no path that a file can be rendered to", file=repr(wanted.path))
            )
        try:
            text = self._text(wanted)
        except template.Broken as error:
            raise self._refused(wanted, error) from error
        return Artifact(
            path=wanted.path,
            text=text,
            kind=wanted.kind,
            environment=wanted.environment,
            about=wanted.about,
            executable=wanted.executable,
        )

    def _text(self, wanted: Wanted) -> str:
        if wanted.form == "file":
            return self._file(wanted)
        text = chart.translate(self._load, wanted.template)
        if not wanted.condition:
            return text
        return f"{{{{- if {wanted.condition} }}}}\n{text}{{{{- end }}}}\n"

    def _file(self, wanted: Wanted) -> str:
        try:
            return template.Printer(self._load).print(wanted.template, wanted.values)
        except template.Broken as error:
            if len(self._folders) == 1 or error.problem in (template.TOO_LONG, template.TOO_LARGE):
                raise
            return self._by_jinja(wanted, error)

    def _by_jinja(self, wanted: Wanted, ours: template.Broken) -> str:
        """What Jinja2 prints, where a user wrote what our own reader refuses."""
        from sdlc_cli.deploy import jinja

        try:
            return jinja.render(self._folders, wanted.template, wanted.values)
        except template.Broken:
            if isinstance(ours.__cause__, syntax.Beyond):
                raise
            raise ours from None

    def _load(self, name: str) -> template.Template:
        if name not in self._read:
            text = sources.read(self._folders, name)
            self._read[name] = template.parse(text, name)
        return self._read[name]

    def _refused(self, wanted: Wanted, error: template.Broken) -> ConfigError:
        ours = sources.find((TEMPLATES,), error.template) is not None
        again = f"sdlc deploy eject {error.template} --force"
        return ConfigError(
            msg(
                "{file} cannot be rendered: {template}, line {line}: {problem}",
                file=wanted.path,
                template=error.template,
                line=error.line,
                problem=error.problem,
            ),
            hint=again if ours and len(self._folders) > 1 else "",
        )
