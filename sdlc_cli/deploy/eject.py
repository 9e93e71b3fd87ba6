"""Files for the user to own: a copy of a template of ours, and a first deploy.yaml."""

from dataclasses import dataclass
from pathlib import Path

from sdlc_cli.core.errors import UsageError
from sdlc_cli.core.files import write_atomic
from sdlc_cli.core.i18n import msg
from sdlc_cli.core.nearest import nearest
from sdlc_cli.deploy import config, turns

TEMPLATES = Path(__file__).parent / "templates"
FOLDER = ".sdlc/templates"  # beside deploy.yaml, where it names no other


@dataclass(frozen=True, slots=True, kw_only=True)
class Ejected:
    """A copy, and whether deploy.yaml makes a render read it."""

    path: Path
    folder: str
    used: bool


def names() -> tuple[str, ...]:
    """Every template, as a render names it."""
    found = TEMPLATES.rglob("*.j2")
    return tuple(sorted(path.relative_to(TEMPLATES).as_posix() for path in found))


def eject(template: str, file: Path | None = None, *, force: bool = False) -> Ejected:
    """Copy a template to the folder of the user's own.

    Raises UsageError for one that is unknown, or whose copy exists, unless `force`; ConfigError
    for a broken deploy.yaml, NothingToDo without one, WorkError when the disk refuses.
    """
    from sdlc_cli.deploy import rendering

    known = names()
    if template not in known:
        close = nearest(template, known)
        raise UsageError(
            msg("there is no template {name}", name=template),
            hint=f"sdlc deploy eject {close}".rstrip() if close else "sdlc deploy eject",
        )
    loaded = rendering.load(file, allow_placeholder=True)
    folder = loaded.templates or loaded.root / FOLDER
    copy = folder / template
    if copy.exists() and not force:
        raise UsageError(
            msg("{path} exists already", path=copy), hint=msg("--force to overwrite it")
        )
    write_atomic(copy, (TEMPLATES / template).read_bytes())
    return Ejected(path=copy, folder=FOLDER, used=loaded.templates is not None)


def first(root: Path, *, force: bool = False) -> Path:
    """Write a deploy.yaml from what the repository at `root` has, and answer with its path.

    Raises UsageError when there is one, unless `force`; WorkError when the disk refuses.
    """
    from sdlc_cli.deploy import infer

    if not root.is_dir():
        raise UsageError(
            msg("{path} is not a folder", path=root), hint=msg("the folder of the repository")
        )
    file = root / config.FILE_NAME
    if turns.is_there(file) and not force:
        raise UsageError(
            msg("{path} exists already", path=file),
            hint=msg("--force to overwrite it, or sdlc deploy render to use it"),
        )
    write_atomic(file, infer.draft(root))
    return file
