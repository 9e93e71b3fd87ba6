"""Files that projects are read from: found out by what they hold, one module a format."""

import gc
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path

from sdlc_cli.core.errors import ConfigError, UsageError
from sdlc_cli.core.i18n import Message, msg
from sdlc_cli.core.nearest import nearest
from sdlc_cli.core.regular import read_regular
from sdlc_cli.core.scalars import shown
from sdlc_cli.plan.model import Project
from sdlc_cli.plan.readers import github, jira, patterson, psplib, table, tasks_yaml

FORMATS = ("tasks", "csv", "jira", "github", "psplib", "patterson")
"""What `source_format` may be."""

MAX_BYTES = 64_000_000
_HEAD = 20_000  # letters that tell what a file is


def load(
    path: str | Path,
    *,
    source_format: str = "",
    environ: Mapping[str, str] = os.environ,
    today: date | None = None,
) -> Project:
    """The project in the file at `path`; `source_format` is one of FORMATS, else found out.

    Tables and issues have no start: theirs is `today`, by UTC unless it is given. Raises
    ConfigError with every mistake of the file, NothingToDo where it holds no task.
    """
    if source_format and source_format not in FORMATS:
        near = nearest(source_format, FORMATS)
        raise UsageError(
            msg("there is no format '{name}': use {names}",
                name=shown(source_format, 40), names=", ".join(FORMATS)),
            hint=f"--source-format {near}" if near else "",
        )  # fmt: skip
    path = Path(path)
    name = _displayed(path)
    text = _text(path, name)
    today = today or datetime.now(UTC).date()
    with _uncollected():
        match source_format or detect(text):
            case "csv":
                return table.read(text, name, today)
            case "jira":
                return jira.read(text, name, today)
            case "github":
                return github.read(text, name, today)
            case "psplib":
                return psplib.read(text, name)
            case "patterson":
                return patterson.read(text, name)
        return tasks_yaml.read(text, name, environ)


def detect(text: str) -> str:
    """Which of FORMATS `text` is written in; `tasks` where nothing else fits."""
    head = text[:_HEAD]
    fitting: Mapping[str, Callable[[str], bool]] = {
        "psplib": psplib.fits,
        "patterson": patterson.fits,
        "github": github.fits,
        "jira": jira.fits,
        "csv": table.fits,
    }
    return next((name for name, fits in fitting.items() if fits(head)), "tasks")


@contextmanager
def _uncollected() -> Iterator[None]:
    """Without the garbage collector, which would go through all that was read, again and again."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


def _displayed(path: Path) -> str:
    try:
        return shown(str(path.relative_to(Path.cwd())), 300)
    except (ValueError, OSError):
        return shown(str(path), 300)


def _text(path: Path, name: str) -> str:
    try:
        if path.is_dir():
            raise _refused(name, msg("is a folder, not a file"))
        data = read_regular(os.path.realpath(path), MAX_BYTES + 1)
    except FileNotFoundError:
        raise _refused(name, msg("there is no such file")) from None
    except OSError as error:
        reason = error.strerror or str(error)
        raise _refused(name, msg("cannot be read: {reason}", reason=reason)) from None
    except ValueError:  # a NUL in the name
        raise _refused(name, msg("there is no such file")) from None
    if data is None:
        raise _refused(name, msg("is not a regular file"))
    if len(data) > MAX_BYTES:
        raise _refused(name, msg("is larger than {limit} bytes", limit=f"{MAX_BYTES:,}"))
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise _refused(f"{name}:{line}", msg("is not UTF-8 text")) from None


def _refused(at: str, problem: Message) -> ConfigError:
    return ConfigError(msg("{at}: {problem}", at=at, problem=problem))
