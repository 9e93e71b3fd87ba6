"""Results on stdout, everything else on stderr: colour, width, quiet, progress."""

import io
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from sdlc_cli.core.errors import WorkError
from sdlc_cli.core.i18n import _, local, msg
from sdlc_cli.core.printable import lines

if TYPE_CHECKING:
    from sdlc_cli.core.view import View

_WAIT = 1.0  # seconds of work before a progress line shows
_EVERY = 0.1  # seconds between two of its pictures
_STYLES = {"bold": "1", "dim": "2", "red": "31", "green": "32", "yellow": "33", "cyan": "36"}


class Console:
    """Where a command speaks. One is made for each run and travels in Typer's `ctx.obj`.

    `quiet` leaves results, warnings and errors; `verbose` adds details. `color` None means: find
    out. Without `stdout` and `stderr` the process's own are used, looked up at each call.
    """

    def __init__(
        self,
        *,
        quiet: bool = False,
        verbose: bool = False,
        color: bool | None = None,
        environ: Mapping[str, str] = os.environ,
        stdout: TextIO | None = None,
        stderr: TextIO | None = None,
    ) -> None:
        self.quiet = quiet
        self.verbose = verbose
        self._color = color
        self._environ = environ
        self._stdout = stdout
        self._stderr = stderr
        self._progress: Progress | None = None

    @property
    def stdout(self) -> TextIO | None:
        """The stream of results; None when it is closed."""
        return self._stdout or sys.stdout

    @property
    def stderr(self) -> TextIO | None:
        """The stream of everything else; None when it is closed."""
        return self._stderr or sys.stderr

    @property
    def color(self) -> bool:
        """True when results may be coloured."""
        return self._colors(self.stdout)

    @property
    def encoding(self) -> str:
        """The encoding of the results."""
        return getattr(self.stdout, "encoding", None) or "utf-8"

    @property
    def width(self) -> int:
        """Columns of the terminal that shows the results; 80 where there is none."""
        return width(self._environ, self.stdout)

    @property
    def view(self) -> "View":
        """How whoever reads the results looks at them."""
        from sdlc_cli.core.view import View

        return View(
            width=self.width, color=self.color, encoding=self.encoding, verbose=self.verbose
        )

    def style(self, text: str, style: str) -> str:
        """`text` in `bold`, `dim`, `red`, `green`, `yellow` or `cyan`, where colour is wanted."""
        return f"\x1b[{_STYLES[style]}m{text}\x1b[0m" if self.color else text

    def result(self, text: str, *, machine: bool = False) -> None:
        """Write a result, with a line end if it has none. Raises WorkError on a closed stdout.

        What a `machine` reads is UTF-8 whatever the terminal's encoding.
        """
        stream = self.stdout
        if stream is None:
            raise WorkError(
                msg("the result could not be written: standard output is closed"),
                hint=msg("--output FILE, where the command has it"),
            )
        self._clear()
        text = text if text.endswith("\n") or not text else text + "\n"
        if machine and isinstance(stream, io.TextIOWrapper):
            stream.flush()
            stream.buffer.write(text.encode())
        else:
            stream.write(text)

    def deliver(self, text: str, output: Path | None, *, machine: bool = False) -> None:
        """Write a result to the file that `--output` names, else to stdout. Raises WorkError."""
        if output is None:
            self.result(text, machine=machine)
            return
        from sdlc_cli.core.files import write_atomic

        found = output.parent.is_dir()
        write_atomic(output, text if text.endswith("\n") or not text else text + "\n")
        said = _("wrote {path}") if found else _("wrote {path}, in a new folder")
        self.note(said.format(path=output))

    def note(self, text: str) -> None:
        """Say something by the way. Not with --quiet."""
        if not self.quiet:
            self._say(text)

    def detail(self, text: str) -> None:
        """Say what only --verbose asks for."""
        if self.verbose:
            self._say(text)

    def warn(self, text: str) -> None:
        """Say what should not be missed, with --quiet too."""
        self._say(_("warning: {text}").format(text=local(text)))

    @contextmanager
    def progress(self, label: str, total: int = 0) -> "Iterator[Progress]":
        """A line on stderr for work of more than a second; call `begin` and `step` as it goes on.

        Nothing shows when stderr is no terminal, `CI` is set, or with --quiet.
        """
        stream = self.stderr
        shown = bool(
            stream is not None
            and not self.quiet
            and not self._environ.get("CI")
            and self._environ.get("TERM") != "dumb"
            and _is_terminal(stream)
        )
        self._progress = progress = Progress(label, total, self._draw if shown else None)
        try:
            yield progress
        finally:
            progress.end()
            self._clear()
            self._progress = None

    def _draw(self, text: str) -> None:
        from sdlc_cli.core.columns import cut

        stream = self.stderr
        if stream is not None:
            room = width(self._environ, stream) - 1
            _whisper(stream, f"\r\x1b[2K{cut(text, room)}")

    def _clear(self) -> None:
        if self._progress is not None and self._progress.drawn and self.stderr is not None:
            _whisper(self.stderr, "\r\x1b[2K")
            self._progress.drawn = False

    def _say(self, text: str) -> None:
        stream = self.stderr
        if stream is None:
            return
        self._clear()
        _whisper(stream, f"{lines(local(text))}\n")

    def _colors(self, stream: TextIO | None) -> bool:
        if self._color is not None:
            return self._color
        if self._environ.get("NO_COLOR"):
            return False
        if self._environ.get("FORCE_COLOR"):
            return True
        return self._environ.get("TERM") != "dumb" and _is_terminal(stream)


class Progress:
    """How far the work is. Made by `Console.progress`."""

    def __init__(self, label: str, total: int, draw: Callable[[str], None] | None) -> None:
        self.drawn = False
        self._label = label
        self._total = total
        self._done = 0
        self._draw = draw
        self._next = time.monotonic() + _WAIT
        self._clock: threading.Event | None = None

    def begin(self, label: str, total: int = 0) -> None:
        """The next part of the work, of `total` steps; 0 when nobody knows how many."""
        self.end()
        self._label, self._total, self._done = label, total, 0
        if self._draw is None:
            return
        self._show()
        if not total:  # no step will come by to draw the line, so a thread does
            self._clock = threading.Event()
            threading.Thread(target=self._tick, args=(self._clock,), daemon=True).start()

    def tell(self, label: str) -> None:
        """The same part of the work, in other words: what it has come to."""
        self._label = label
        if self._draw is not None:
            self._show()

    def step(self, done: int = 1) -> None:
        """`done` more units are finished."""
        self._done += done
        if self._draw is not None:
            self._show()

    def end(self) -> None:
        """No more pictures of this part."""
        if self._clock is not None:
            self._clock.set()
            self._clock = None

    def _tick(self, over: threading.Event) -> None:
        while not over.wait(_WAIT):
            self._show()

    def _show(self) -> None:
        now = time.monotonic()
        if self._draw is None or now < self._next:
            return
        self._next = now + _EVERY
        counter = f" {self._done}/{self._total}" if self._total else ""
        self.drawn = True
        self._draw(f"{local(self._label)}{counter}")


def _whisper(stream: TextIO, text: str) -> None:
    """Write by the way: that nobody can hear it must not spoil the work."""
    with suppress(OSError, ValueError):
        stream.write(text)
        stream.flush()


def width(environ: Mapping[str, str], stream: TextIO | None) -> int:
    """`COLUMNS`, else the columns of the terminal behind `stream`, else 80."""
    wish = environ.get("COLUMNS", "")
    if wish.isascii() and wish.isdigit() and int(wish) > 0:
        return int(wish)
    if stream is not None and _is_terminal(stream):
        try:
            return os.get_terminal_size(stream.fileno()).columns or 80
        except (OSError, ValueError):
            return 80
    return 80


def _is_terminal(stream: TextIO | None) -> bool:
    try:
        return stream is not None and stream.isatty()
    except ValueError:  # closed
        return False
