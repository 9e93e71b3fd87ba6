"""DeploySpecs and templates -> Artifacts. Templates print only what a filter of `escape` wrote."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Literal, Protocol, cast

from jinja2 import (
    BaseLoader,
    ChoiceLoader,
    FileSystemLoader,
    StrictUndefined,
    TemplateError,
    TemplateSyntaxError,
)
from jinja2.sandbox import ImmutableSandboxedEnvironment

from sdlc_cli.core.errors import ConfigError
from sdlc_cli.core.i18n import msg
from sdlc_cli.deploy import chart, escape
from sdlc_cli.deploy.model import Artifact, DeploySpec, Kind

# Each is a module of `sdlc_cli.deploy.sets`.
SETS = ("docker", "kubernetes", "helm", "terraform", "pipeline", "monitoring")
TEMPLATES = Path(__file__).with_name("templates")


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

    `overrides` is a folder whose templates come before ours. Raises ConfigError for a template
    that does not work or prints a value that no filter wrote.
    """
    made = _Renderer(overrides)
    return tuple(sorted(map(made.artifact, wanted(specs)), key=lambda artifact: artifact.path))


def wanted(specs: Sequence[DeploySpec]) -> list[Wanted]:
    """The files that all sets together are made of."""
    modules = (import_module(f"sdlc_cli.deploy.sets.{name}") for name in SETS)
    return [one for module in modules for one in cast(Set, module).files(specs)]


class _Renderer:
    """Templates as they are loaded, each once."""

    def __init__(self, overrides: Path | None) -> None:
        self._environment = _environment(overrides)

    def artifact(self, wanted: Wanted) -> Artifact:
        """The file as its template says it. Raises ConfigError, with the template and line."""
        try:
            text = self._chart(wanted) if wanted.form == "chart" else self._file(wanted)
        except escape.NotWritable as error:
            raise _refused(wanted, str(error)) from error
        except TemplateSyntaxError as error:
            place = f"{error.name or wanted.template}, line {error.lineno}: {error.message}"
            raise _refused(wanted, place) from error
        except (TemplateError, chart.NotInChart, TypeError, ArithmeticError) as error:
            raise _refused(wanted, f"{_place(error, wanted.template)}: {error}") from error
        return Artifact(
            path=wanted.path,
            text=text,
            kind=wanted.kind,
            environment=wanted.environment,
            about=wanted.about,
            executable=wanted.executable,
        )

    def _file(self, wanted: Wanted) -> str:
        return self._environment.get_template(wanted.template).render(wanted.values)

    def _chart(self, wanted: Wanted) -> str:
        text = chart.translate(self._environment, self._source, wanted.template)
        if not wanted.condition:
            return text
        return f"{{{{- if {wanted.condition} }}}}\n{text}{{{{- end }}}}\n"

    def _source(self, template: str) -> str:
        loader = cast(BaseLoader, self._environment.loader)
        return loader.get_source(self._environment, template)[0]


def _environment(overrides: Path | None) -> ImmutableSandboxedEnvironment:
    ours: BaseLoader = FileSystemLoader(TEMPLATES)
    loader = ChoiceLoader([FileSystemLoader(overrides), ours]) if overrides else ours
    environment = ImmutableSandboxedEnvironment(
        loader=loader,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        auto_reload=False,
        finalize=_only_written,
    )
    environment.filters.update(escape.FILTERS)
    return environment


def _only_written(value: object) -> object:
    if isinstance(value, escape.Written):
        return value
    raise escape.NotWritable(f"printed without a filter: {value!r:.60}")


def _refused(wanted: Wanted, problem: str) -> ConfigError:
    return ConfigError(
        msg("{file} cannot be rendered: {problem}", file=wanted.path, problem=problem)
    )


def _place(error: BaseException, template: str) -> str:
    """The template and line that were being rendered, as the traceback knows them."""
    found = template
    step = error.__traceback__
    while step is not None:
        file = step.tb_frame.f_code.co_filename
        if file.endswith(".j2"):
            found = f"{Path(file).name}, line {step.tb_lineno}"
        step = step.tb_next
    return found
