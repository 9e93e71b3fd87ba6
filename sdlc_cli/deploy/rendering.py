"""deploy.yaml -> the files of the chosen environments, ready to be compared or written."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sdlc_cli.core.errors import ConfigError, NothingToDo
from sdlc_cli.core.files import find_upward, repository_root
from sdlc_cli.core.i18n import msg
from sdlc_cli.deploy import config, write
from sdlc_cli.deploy.config import DeployConfig
from sdlc_cli.deploy.lock import Plan
from sdlc_cli.deploy.model import Artifact, DeploySpec


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendering:
    """What a deploy.yaml gives: `artifacts` for the `chosen` of all `known` environments.

    `all` are the artifacts of every environment, which rules that look across files need.
    """

    config: DeployConfig
    chosen: tuple[str, ...]
    artifacts: tuple[Artifact, ...]
    all: tuple[Artifact, ...]

    @property
    def specs(self) -> tuple[DeploySpec, ...]:
        """The chosen environments, in the order of the file."""
        return tuple(spec for spec in self.config.specs if spec.environment in self.chosen)

    @property
    def known(self) -> tuple[str, ...]:
        """The names of all environments, in the order of the file."""
        return tuple(spec.environment for spec in self.config.specs)

    def compare(self, out: Path) -> Plan:
        """What a write to `out` would do. Raises ConfigError and WorkError."""
        return write.compare(
            out,
            self.artifacts,
            chosen=self.chosen,
            known=self.known,
            image=self.config.image,
        )

    def write(self, out: Path, *, force: bool = False) -> write.Written:
        """Write it to `out`. Raises ConfigError and WorkError."""
        return write.write(
            out,
            self.artifacts,
            chosen=self.chosen,
            known=self.known,
            image=self.config.image,
            force=force,
        )


def load(file: Path | None, *, image: str = "", allow_placeholder: bool = False) -> DeployConfig:
    """The deploy.yaml at `file`, else in the present folder or above it in the repository.

    Raises ConfigError, UsageError and NothingToDo.
    """
    found = file or find(Path.cwd())
    return config.load(found, image=image, allow_placeholder=allow_placeholder)


def find(start: Path) -> Path:
    """The deploy.yaml in `start` or above it in the repository. Raises NothingToDo."""
    found = find_upward(config.FILE_NAME, start, repository_root(start))
    if found is None:
        raise NothingToDo(
            msg("there is no {file} here", file=config.FILE_NAME),
            hint=msg("`sdlc deploy init` writes a first one"),
        )
    return found


def find_root(file: Path | None) -> Path:
    """The folder of the deploy.yaml that `load` reads. Raises NothingToDo."""
    return (file or find(Path.cwd())).absolute().parent


def rendering(loaded: DeployConfig, names: Sequence[str]) -> Rendering:
    """Render the environments called `names`; without names, all.

    What serves all environments (Dockerfile, chart, Terraform, pipeline, monitoring) is always
    made from all of them, so that it does not depend on which were chosen. Raises UsageError and
    ConfigError.
    """
    from sdlc_cli.deploy.render import render  # to find deploy.yaml takes less than this

    chosen = tuple(spec.environment for spec in loaded.chosen(names))
    if not chosen:
        raise ConfigError(msg("{file} names no environment", file=loaded.file.name))
    made = render(loaded.specs, overrides=loaded.templates)
    return Rendering(
        config=loaded,
        chosen=chosen,
        artifacts=tuple(one for one in made if _belongs(one, chosen)),
        all=made,
    )


def _belongs(artifact: Artifact, chosen: Sequence[str]) -> bool:
    own = artifact.kind == "kubernetes" and artifact.environment
    return not own or artifact.environment in chosen
