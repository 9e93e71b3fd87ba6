"""Every way a command can end: one exit code, and what stderr says. Knows nothing of Typer."""

import os
import signal
import sys
import traceback
from collections.abc import Callable
from contextlib import suppress
from types import FrameType
from typing import TextIO

from sdlc_cli.core import printable
from sdlc_cli.core.errors import ConfigError, SdlcError
from sdlc_cli.core.i18n import _, local

DONE = 0
NOT_WRITTEN = 3
BUG = 70
INTERRUPTED = 130
BROKEN_PIPE = 128 + 13  # what a shell reports of a program that SIGPIPE ended
_HANDLED = ("SIGTERM", "SIGHUP")


def run(work: Callable[[], int]) -> int:
    """Do the work and answer with the exit code, whatever happens. Nothing escapes."""
    _show_every_letter()
    _end_on_signals()
    try:
        code = _run(work)
    except BrokenPipeError:
        code = _dropped(BROKEN_PIPE)
    except KeyboardInterrupt:
        code = INTERRUPTED
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else DONE if end.code is None else 1
    return _flushed(code)


def _run(work: Callable[[], int]) -> int:
    try:
        return work()
    except SdlcError as error:
        _say(explain(error))
        return error.exit_code
    except BrokenPipeError:
        raise
    except OSError as error:
        if _is_about_output(error):
            return _not_written(error)
        return _bug(error)
    except Exception as error:  # noqa: BLE001 - the one place where our bugs end
        if _is_interruption(error):
            return INTERRUPTED if _stopped_by is None else 128 + _stopped_by
        return _bug(error)


def _is_interruption(error: Exception) -> bool:
    """True for what DuckDB makes of a signal that came while it worked."""
    return type(error) is RuntimeError and str(error) == "Query interrupted"


def explain(error: SdlcError) -> str:
    """The error as people read it, in their language: one line a problem, then the hint."""
    problems = error.problems if isinstance(error, ConfigError) else (error.message,)
    lines = [f"sdlc: {local(problem)}" for problem in problems]
    if error.hint:
        lines.append("  " + _("try: {hint}").format(hint=local(error.hint)))
    return printable.lines("\n".join(lines))


def _bug(error: Exception) -> int:
    from sdlc_cli import __version__
    from sdlc_cli.cli.project import ADDRESS

    try:
        _say("".join(traceback.format_exception(error, limit=-30)).rstrip())
    except (MemoryError, RecursionError):
        _say(type(error).__name__)
    where = ADDRESS or _("the maintainers")
    _say(
        "sdlc: "
        + _("this is a bug in sdlc {version}, not in your files").format(version=__version__)
        + "\n  "
        + _("try: report it to {where}, with the lines above").format(where=where)
    )
    return BUG


def _not_written(error: OSError) -> int:
    problem = _("the result could not be written: {reason}").format(reason=error.strerror or error)
    _say(f"sdlc: {problem}")
    return _dropped(NOT_WRITTEN)


def _is_about_output(error: OSError) -> bool:
    """True for a full disk or a dead stream: the standard streams name no file."""
    import errno

    return error.filename is None and error.errno in (
        errno.ENOSPC,
        errno.EIO,
        errno.EBADF,
        errno.EDQUOT,
        errno.EFBIG,
    )


def _flushed(code: int) -> int:
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except BrokenPipeError:
        return _dropped(BROKEN_PIPE)
    except (OSError, ValueError) as error:
        if isinstance(error, OSError):
            return _not_written(error)
    try:
        if sys.stderr is not None:
            sys.stderr.flush()
    except (OSError, ValueError):
        _to_nowhere(sys.stderr)
    return code


def _dropped(code: int) -> int:
    """Nobody reads stdout: forget what is left of it, or Python complains once more at exit."""
    _to_nowhere(sys.stdout)
    return code


def _to_nowhere(stream: TextIO | None) -> None:
    try:
        if stream is not None:
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, stream.fileno())
            os.close(nowhere)
    except (OSError, ValueError):
        pass


def _say(text: str) -> None:
    try:
        if sys.stderr is not None:
            sys.stderr.write(f"{text}\n")
            sys.stderr.flush()
    except (OSError, ValueError):
        _to_nowhere(sys.stderr)


def _show_every_letter() -> None:
    """A letter that the terminal's encoding lacks shows as an escape; it never raises."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            # It flushes first: what --version could not write is written, or told, at the end.
            with suppress(OSError, ValueError):
                reconfigure(errors="backslashreplace")


def _end_on_signals() -> None:
    """Let `finally` blocks run when we are asked to end. An ignored signal stays ignored."""
    for name in _HANDLED:
        number = getattr(signal, name)
        try:
            if signal.getsignal(number) == signal.SIG_DFL:
                signal.signal(number, _stop)
        except ValueError:  # not the main thread: whoever owns it decides
            return


_owner = os.getpid()
_stopped_by: int | None = None


def _stop(number: int, frame: FrameType | None) -> None:
    global _stopped_by
    if os.getpid() != _owner:  # a forked worker has nothing of its own to clean up
        os._exit(128 + number)
    for name in _HANDLED:  # a second one must not cut the cleaning short
        signal.signal(getattr(signal, name), signal.SIG_IGN)
    stop_all = getattr(sys.modules.get("sdlc_cli.core.proc"), "stop_all", None)
    if stop_all is not None:  # it is not there before the module is loaded, nor half-way
        stop_all()
    _stopped_by = number
    raise SystemExit(128 + number)
