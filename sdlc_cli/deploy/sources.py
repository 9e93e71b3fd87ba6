"""Where templates come from: a folder of the user's, then ours. Nothing outside is ever read."""

from collections.abc import Sequence
from pathlib import Path

from sdlc_cli.core.i18n import msg
from sdlc_cli.deploy.template import MOST_LETTERS, TOO_LARGE, Broken

TEMPLATES = Path(__file__).with_name("templates")


def read(folders: Sequence[Path], name: str) -> str:
    """The text of the template in the first folder that has it. Raises Broken."""
    path = find(folders, name)
    if path is None:
        raise Broken(msg("there is no such template"), name, 1)
    try:
        if path.stat().st_size > MOST_LETTERS:
            raise Broken(TOO_LARGE, name, 1)
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise Broken(msg("it is not UTF-8 text"), name, 1) from error
    except OSError as error:
        raise Broken(str(error.strerror), name, 1) from error


def find(folders: Sequence[Path], name: str) -> Path | None:
    """The template's file; a link that leads out of its folder is none."""
    if name.startswith("/") or ".." in name.split("/"):
        return None
    for folder in folders:
        path = folder / name
        ours = folder is TEMPLATES
        if path.is_file() and (ours or path.resolve().is_relative_to(folder.resolve())):
            return path
    return None
