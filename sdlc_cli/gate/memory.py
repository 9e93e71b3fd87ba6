"""Which gates.yaml files the user has been told about: they may run commands."""

import hashlib
from contextlib import suppress
from pathlib import Path

from sdlc_cli.core.errors import SdlcError
from sdlc_cli.core.files import cache_dir
from sdlc_cli.gate.config import CommandGate, GateConfig, Integration, Load, Performance


def that_run_commands(config: GateConfig) -> list[str]:
    """The gates of `config` that run something of the repository's, by name."""
    return [
        name
        for name, gate in config.gates.items()
        if isinstance(gate, CommandGate | Integration)
        or (isinstance(gate, Performance) and gate.benchmarks)
        or (isinstance(gate, Load) and gate.command)
    ]


def was_told(file: Path) -> bool:
    """True when the user has seen the notice for this gates.yaml on this machine."""
    marker = _marker(file)
    return marker is not None and marker.exists()


def remember(file: Path) -> None:
    """Do not show the notice for this file again, where there is a folder to remember it in."""
    marker = _marker(file)
    if marker is not None:
        with suppress(OSError, SdlcError):
            marker.parent.mkdir(parents=True, exist_ok=True)
            marker.touch()


def _marker(file: Path) -> Path | None:
    folder = cache_dir()
    if folder is None:
        return None
    name = hashlib.sha256(str(file.resolve()).encode("utf-8", "surrogateescape")).hexdigest()
    return folder / "told" / name[:32]
