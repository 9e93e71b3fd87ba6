"""Results on stdout, all else on stderr."""

import io
import itertools
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from sdlc_cli.core.console import Console, width
from sdlc_cli.core.errors import WorkError
from sdlc_cli.core.view import View


class Terminal(io.StringIO):
    """A stream that says it is one."""

    def isatty(self) -> bool:
        return True


def speak(**settings: Any) -> tuple[str, str]:
    out, err = io.StringIO(), io.StringIO()
    console = Console(stdout=out, stderr=err, environ={}, **settings)
    console.result("result")
    console.note("note")
    console.detail("detail")
    console.warn("care")
    return out.getvalue(), err.getvalue()


@pytest.mark.parametrize(
    ("settings", "err"),
    [
        pytest.param({}, "note\nwarning: care\n", id="usual"),
        pytest.param({"quiet": True}, "warning: care\n", id="quiet"),
        pytest.param({"verbose": True}, "note\ndetail\nwarning: care\n", id="verbose"),
    ],
)
def test_results_and_notes_never_mix(settings: Mapping[str, bool], err: str) -> None:
    assert speak(**settings) == ("result\n", err)


@pytest.mark.parametrize(
    ("environ", "color", "terminal", "expected"),
    [
        ({}, None, True, True),
        ({}, None, False, False),
        ({"NO_COLOR": "1"}, None, True, False),
        ({"NO_COLOR": ""}, None, True, True),
        ({"NO_COLOR": "1", "FORCE_COLOR": "1"}, None, True, False),
        ({"FORCE_COLOR": "1"}, None, False, True),
        ({"FORCE_COLOR": "1"}, False, True, False),
        ({"TERM": "dumb"}, None, True, False),
        ({}, False, True, False),
    ],
)
def test_colour_is_for_terminals_that_want_it(
    environ: Mapping[str, str], color: bool | None, terminal: bool, expected: bool
) -> None:
    stream = Terminal() if terminal else io.StringIO()
    console = Console(color=color, environ=environ, stdout=stream)

    assert console.color is expected
    assert (console.style("x", "red") == "x") is not expected


@pytest.mark.parametrize(
    ("wish", "expected"), [("120", 120), ("0", 80), ("-5", 80), ("wide", 80), ("", 80), ("³", 80)]
)
def test_the_width_is_columns_else_80(wish: str, expected: int) -> None:
    assert width({"COLUMNS": wish}, io.StringIO()) == expected


@pytest.mark.parametrize(
    ("environ", "quiet", "terminal", "shown"),
    [
        ({}, False, True, True),
        ({"CI": "true"}, False, True, False),
        ({"TERM": "dumb"}, False, True, False),
        ({}, True, True, False),
        ({}, False, False, False),
    ],
)
def test_progress_shows_to_people_who_wait(
    environ: Mapping[str, str],
    quiet: bool,
    terminal: bool,
    shown: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = itertools.count(step=2)
    monkeypatch.setattr("sdlc_cli.core.console.time.monotonic", lambda: float(next(clock)))
    err = Terminal() if terminal else io.StringIO()
    console = Console(stderr=err, environ=environ, quiet=quiet)

    with console.progress("Judging") as progress:
        progress.begin("syntax", 3)
        progress.step()

    assert ("syntax 1/3" in err.getvalue()) is shown
    assert err.getvalue().endswith("\r\x1b[2K") is shown


def test_progress_of_short_work_shows_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sdlc_cli.core.console.time.monotonic", lambda: 5.0)
    err = Terminal()

    with Console(stderr=err, environ={}).progress("Judging") as progress:
        progress.begin("tests")
        progress.step()

    assert err.getvalue() == ""


def test_a_note_clears_the_progress_line_first(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = itertools.count(step=2)
    monkeypatch.setattr("sdlc_cli.core.console.time.monotonic", lambda: float(next(clock)))
    err = Terminal()
    console = Console(stderr=err, environ={})

    with console.progress("Judging", 2) as progress:
        progress.step()
        console.note("hello")

    assert err.getvalue() == "\r\x1b[2KJudging 1/2\r\x1b[2Khello\n"


def test_a_closed_stdout_is_an_error_and_a_closed_stderr_is_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("sdlc_cli.core.console.sys.stdout", None)
    monkeypatch.setattr("sdlc_cli.core.console.sys.stderr", None)
    console = Console(environ={})
    console.note("nobody hears this")

    assert console.stderr is None
    with pytest.raises(WorkError, match="standard output is closed"):
        console.result("nobody reads this")


@pytest.mark.parametrize("encoding", ["utf-8", "ascii"])
def test_view_is_what_the_terminal_shows(encoding: str) -> None:
    stream = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    console = Console(stdout=stream, environ={"COLUMNS": "61"}, color=True, verbose=True)

    assert console.view == View(width=61, color=True, encoding=encoding, verbose=True)


def test_deliver_writes_the_file_and_says_so(tmp_path: Path) -> None:
    pytest.importorskip("sdlc_cli.core.files")
    out, err = io.StringIO(), io.StringIO()
    target = tmp_path / "result.txt"

    Console(stdout=out, stderr=err, environ={}).deliver("text", target)

    assert target.read_text(encoding="utf-8") == "text\n"
    assert (out.getvalue(), err.getvalue()) == ("", f"wrote {target}\n")


def test_a_folder_that_is_made_for_an_output_is_told(tmp_path: Path) -> None:
    err = io.StringIO()
    console = Console(stdout=io.StringIO(), stderr=err, environ={})
    target = tmp_path / "new" / "report.txt"

    console.deliver("text", target)
    console.deliver("text", target)

    assert err.getvalue() == f"wrote {target}, in a new folder\nwrote {target}\n"
