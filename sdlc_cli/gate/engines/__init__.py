"""One module a gate. A module is the plug-in: add a file, and a line in `MODULES`.

There are two kinds. A file engine looks at one file at a time, so that a file is read and parsed
once for all of them, in as many processes as pay. A project engine runs a tool or reads a report.
"""

from collections.abc import Sequence
from types import ModuleType
from typing import TYPE_CHECKING, Any, Protocol

from sdlc_cli.gate.model import Measurement, Outcome
from sdlc_cli.gate.source import Project, Unit

FILE_ENGINES = {
    "syntax": "sdlc_cli.gate.engines.syntax",
    "security": "sdlc_cli.gate.engines.security",
    "secrets": "sdlc_cli.gate.engines.secrets",
    "maintainability": "sdlc_cli.gate.engines.maintainability",
    "docs": "sdlc_cli.gate.engines.docs",
}
PROJECT_ENGINES = {
    "integration": "sdlc_cli.gate.engines.integration",
    "coverage": "sdlc_cli.gate.engines.coverage",
    "dependencies": "sdlc_cli.gate.engines.dependencies",
    "command": "sdlc_cli.gate.engines.command",
    "deploy": "sdlc_cli.gate.engines.command",
    "budget": "sdlc_cli.gate.engines.budget",
    "performance": "sdlc_cli.gate.engines.performance",
    "load": "sdlc_cli.gate.engines.service_load",
}


class FileEngine(Protocol):
    """Judges files one by one; never prints, never exits, keeps nothing between runs."""

    def prepare(self, project: Project, options: Any) -> Any:
        """What `inspect` needs, made once in each process."""
        ...

    def inspect(self, state: Any, unit: Unit) -> Outcome | None:
        """Look at one file. None means: not a file this engine judges."""
        ...

    def conclude(
        self, project: Project, options: Any, outcomes: Sequence[tuple[str, Outcome]]
    ) -> Measurement:
        """The score of all files; `outcomes` are (path, outcome), sorted by path."""
        ...


class ProjectEngine(Protocol):
    """Judges the project as a whole, by running something or reading a report."""

    def check(self, project: Project, name: str, options: Any) -> Measurement:
        """Measure. `name` is the gate's name in gates.yaml. Raises WorkError, ConfigError."""
        ...


def load(name: str) -> ModuleType:
    """The engine's module. Raises KeyError for an unknown name."""
    from importlib import import_module

    return import_module((FILE_ENGINES | PROJECT_ENGINES)[name])


if TYPE_CHECKING:  # mypy holds each module against its Protocol; nothing is imported
    from sdlc_cli.gate.engines import (
        command,
        coverage,
        dependencies,
        docs,
        integration,
        maintainability,
        performance,
        secrets,
        security,
        service_load,
        syntax,
    )

    _file: tuple[FileEngine, ...] = (syntax, security, secrets, maintainability, docs)
    _project: tuple[ProjectEngine, ...] = (
        integration,
        coverage,
        dependencies,
        command,
        performance,
        service_load,
    )
