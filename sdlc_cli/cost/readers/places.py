"""Where tools that log their calls without being asked keep these logs."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from sdlc_cli.core.i18n import Message
from sdlc_cli.cost.readers import claude_code, codex


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A folder with one tool's logs, and the format they are in."""

    folder: Path
    format: str
    title: Message


def known(environ: Mapping[str, str] = os.environ) -> tuple[Place, ...]:
    """The folders that exist, each once, in a fixed order. Their `*.jsonl` files are the logs.

    `CLAUDE_CONFIG_DIR` (several, with commas) replaces the two places of Claude Code, and
    `CODEX_HOME` that of Codex CLI. A folder that cannot be looked into is passed over.
    """
    home = environ.get("HOME", "")
    claude = _written(environ.get("CLAUDE_CONFIG_DIR", ""), home) or _of(
        home, environ.get("XDG_CONFIG_HOME") or ".config", "claude"
    ) + _of(home, ".claude")
    codices = _written(environ.get("CODEX_HOME", ""), home) or _of(home, ".codex")
    found = [
        Place(
            folder=folder if folder.name == "projects" else folder / "projects",
            format=claude_code.FORMAT.name,
            title=claude_code.FORMAT.title,
        )
        for folder in claude
    ]
    found += [
        Place(folder=folder / name, format=codex.FORMAT.name, title=codex.FORMAT.title)
        for folder in codices
        for name in ("sessions", "archived_sessions")
    ]
    once: dict[str, Place] = {}
    for place in found:
        if _exists(place.folder):
            once.setdefault(os.path.realpath(place.folder), place)
    return tuple(once.values())


def _written(listed: str, home: str) -> list[Path]:
    """The folders in a variable, `~` being the user's home."""
    names = [name.strip() for name in listed.split(",")]
    return [
        Path(home + name[1:]) if home and name.startswith("~/") else Path(name)
        for name in names
        if name
    ]


def _of(home: str, *parts: str) -> list[Path]:
    return [Path(home, *parts)] if home or Path(parts[0]).is_absolute() else []


def _exists(folder: Path) -> bool:
    try:
        return folder.is_dir()
    except OSError:
        return False
