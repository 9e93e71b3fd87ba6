"""The real app: exit codes, what goes to which stream, and every bad end."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from sdlc_cli import __version__
from sdlc_cli.cli import ending, front
from sdlc_cli.core.console import Console
from sdlc_cli.core.errors import ConfigError, NothingToDo, SdlcError, UsageError, WorkError

SDLC = (sys.executable, "-m", "sdlc_cli")
Done = subprocess.CompletedProcess[str]


def sdlc(*words: str, **environ: str) -> Done:
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("SDLC_", "LC_", "LANG"))}
    return subprocess.run(
        [*SDLC, *words],
        capture_output=True,
        text=True,
        check=False,
        env=clean | {"COLUMNS": "80"} | environ,
    )


def shell(line: str, **environ: str) -> Done:
    command = f'sdlc() {{ "{sys.executable}" -m sdlc_cli "$@"; }}; {line}'
    return subprocess.run(
        ["bash", "-c", command],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | environ,
    )


def raising(error: BaseException) -> Callable[[], int]:
    def work() -> int:
        raise error

    return work


@pytest.mark.parametrize("words", [["--version"], ["-V"], ["--lang", "de", "--version"]])
def test_the_version_is_one_line(words: list[str]) -> None:
    done = sdlc(*words)

    assert (done.returncode, done.stdout, done.stderr) == (0, f"sdlc {__version__}\n", "")


@pytest.mark.parametrize(
    ("words", "exit_code"),
    [
        pytest.param([], 2, id="sdlc alone"),
        pytest.param(["--quiet"], 2, id="only a word that works everywhere"),
        pytest.param(["gate"], 2, id="a group alone"),
        pytest.param(["--help"], 0, id="help"),
        pytest.param(["-h"], 0, id="help, short"),
        pytest.param(["gate", "--help"], 0, id="help of a group"),
        pytest.param(["gate", "run", "-h"], 0, id="help of a command"),
    ],
)
def test_help_goes_to_stdout(words: list[str], exit_code: int) -> None:
    done = sdlc(*words)

    assert done.returncode == exit_code
    assert done.stdout.startswith("Usage: sdlc ")
    assert done.stderr == ""


def test_both_ways_to_the_first_page_print_the_same() -> None:
    """One is written without Typer, from the tables that the other's app is built from."""
    light = sdlc("--help").stdout
    through_typer = sdlc("--no-color", "--help").stdout

    assert light == through_typer


def test_the_first_page_holds_every_command_and_option_of_the_app() -> None:
    import typer

    from sdlc_cli.cli.app import build

    root = build()
    context = typer.Context(root, info_name="sdlc")
    shown = [n for n, command in root.commands.items() if not command.hidden]
    options = {o for p in root.get_params(context) for o in (p.opts if not p.hidden else [])}  # type: ignore[attr-defined]
    known = [*front.everywhere().values(), *front.only_here().values()]

    assert shown == list(front.commands())
    assert options == {
        word.rstrip(",") for term, _text in known for word in term.split() if word[0] == "-"
    } | set(front.HELP)
    for name, command in root.commands.items():
        assert command.get_short_help_str() == front.commands()[name]


def test_a_command_is_the_same_when_it_is_made_alone() -> None:
    from sdlc_cli.cli.app import build

    whole = build().commands["gate"]
    for name, command in whole.commands.items():  # type: ignore[attr-defined]
        alone = build(["gate", name, "--only", "syntax"]).commands["gate"]

        assert list(alone.commands) == [name]  # type: ignore[attr-defined]
        made = alone.commands[name]  # type: ignore[attr-defined]
        assert made.help == command.help
        for one, other in zip(made.params, command.params, strict=True):
            assert (one.name, one.opts, one.help) == (other.name, other.opts, other.help)
            assert (one.required, one.default) == (other.required, other.default)
    assert len(build(["gate"]).commands["gate"].commands) == len(whole.commands)  # type: ignore[attr-defined]
    assert list(build(["--quiet", "gate", "run"]).commands) == list(front.commands())


@pytest.mark.parametrize(
    ("words", "problem", "hint"),
    [
        (["gat"], "there is no command gat in sdlc", "sdlc gate"),
        (["gate", "rum"], "there is no command rum in sdlc gate", "sdlc gate run"),
        (["xyzzy"], "there is no command xyzzy in sdlc", "sdlc --help"),
        (["--vrbose", "init"], "there is no option --vrbose for sdlc", "sdlc --verbose"),
        (
            ["init", "--forse"],
            "there is no option --forse for sdlc init",
            "sdlc init --force",
        ),
        (
            ["gate", "baseline", "--require"],
            "there is no option --require for sdlc gate baseline",
            "sdlc gate baseline --help",
        ),
        (["init", ""], "PATH is empty", "sdlc init ."),
        (
            ["gate", "explain", "NOPE"],
            "no rule is called 'NOPE'",
            "sdlc gate explain RULE, with a rule that a finding of `sdlc gate run` shows",
        ),
        (["init", "-Z"], "there is no option -Z for sdlc init", "sdlc init --help"),
        (["init", "--ci"], "--ci needs a value", "sdlc init --ci CI"),
        (
            ["init", "--ci", "githb"],
            "--ci cannot be 'githb': use github, gitlab",
            "sdlc init --ci github",
        ),
        (["init", "--force=1"], "--force takes no value", "sdlc init --force"),
        (["init", ".", "surplus"], "there is a word too many: surplus", "sdlc init --help"),
        (["init", "nowhere"], "PATH: there is no file or folder nowhere", "sdlc init --help"),
        (
            ["gate", "run", "--jobs", "many"],
            "--jobs takes a whole number of at least 0, not 'many'",
            "sdlc gate run --help",
        ),
        (
            ["init", "--lang", "xx"],
            "--lang cannot be 'xx': use en, es, fr, de, ja, zh",
            "sdlc --help",
        ),
        (["init", "--lang"], "--lang needs a value", "--lang en|es|fr|de|ja|zh"),
        (["-qv", "init"], "--quiet and --verbose contradict each other", "one of the two"),
    ],
)
def test_wrong_words_are_named_and_mended(words: list[str], problem: str, hint: str) -> None:
    done = sdlc(*words)

    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"sdlc: {problem}\n  try: {hint}\n"


@pytest.mark.parametrize(
    ("argv", "expected"),
    [
        (["gate", "run", "-q"], ["--quiet", "gate", "run"]),
        (["a", "--lang", "de", "b"], ["--lang", "de", "a", "b"]),
        (["a", "--lang=de", "-v"], ["--lang=de", "--verbose", "a"]),
        (["a", "--", "--quiet"], ["a", "--", "--quiet"]),
        (["--no-color", "a", "--", "-v"], ["--no-color", "a", "--", "-v"]),
        (["--show-completion", "zsh"], ["--show-completion", "zsh"]),
        (["--show-completion"], ["--show-completion", "auto"]),
        ([], []),
    ],
)
def test_words_that_work_everywhere_are_moved_to_the_front(
    argv: list[str], expected: list[str]
) -> None:
    assert front.hoist(argv) == expected


@pytest.mark.parametrize("words", [["--quiet", "init"], ["init", "--quiet"], ["init", ".", "-q"]])
def test_a_word_works_before_and_after_the_command(words: list[str], tmp_path: Path) -> None:
    done = subprocess.run(
        [*SDLC, *words], capture_output=True, text=True, check=False, cwd=tmp_path
    )

    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    ("environ", "words", "quiet", "verbose"),
    [
        ({"SDLC_QUIET": "1"}, [], True, False),
        ({"SDLC_QUIET": "0"}, [], False, False),
        ({"SDLC_QUIET": "yes"}, ["--verbose"], False, True),
        ({"SDLC_VERBOSE": "on"}, ["-q"], True, False),
    ],
)
def test_an_option_beats_a_variable(
    environ: dict[str, str],
    words: list[str],
    quiet: bool,
    verbose: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from sdlc_cli.cli.app import build

    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    with build().make_context("sdlc", [*words, "schema"]) as ctx:
        ctx.command.invoke(ctx)

    assert isinstance(ctx.obj, Console)
    assert (ctx.obj.quiet, ctx.obj.verbose) == (quiet, verbose)


def test_a_variable_that_means_nothing_is_refused() -> None:
    done = sdlc("schema", SDLC_QUIET="maybe")

    assert done.returncode == 2
    assert done.stderr.startswith("sdlc: --quiet takes 1 or 0, not 'maybe'\n")


def test_an_unknown_language_in_the_environment_is_only_a_warning() -> None:
    done = sdlc("schema", SDLC_LANG="xx")

    assert done.returncode == 0
    assert "SDLC_LANG is 'xx'" in done.stderr


@pytest.mark.parametrize(
    ("error", "exit_code", "said"),
    [
        (UsageError("no", hint="yes"), 2, "sdlc: no\n  try: yes\n"),
        (
            ConfigError("2 mistakes", problems=["a:1: x", "a:2: y"]),
            2,
            "sdlc: a:1: x\nsdlc: a:2: y\n",
        ),
        (WorkError("no disk"), 3, "sdlc: no disk\n"),
        (NothingToDo("no file"), 4, "sdlc: no file\n"),
        (SdlcError("odd"), 3, "sdlc: odd\n"),
        (KeyboardInterrupt(), 130, ""),
        (SystemExit(143), 143, ""),
        (SystemExit(None), 0, ""),
        (BrokenPipeError(), 141, ""),
        (OSError(28, "No space left on device"), 3, "sdlc: the result could not be written: "),
    ],
)
def test_each_end_has_its_exit_code(
    error: BaseException, exit_code: int, said: str, isolated: Callable[[BaseException], Done]
) -> None:
    done = isolated(error)

    assert done.returncode == exit_code
    assert done.stderr.startswith(said)
    assert (done.stderr == "") == (said == "")


@pytest.mark.parametrize(
    "error",
    [ValueError("odd"), MemoryError(), RecursionError("deep"), FileNotFoundError(2, "no", "x")],
)
def test_our_bugs_show_a_traceback_and_whom_to_tell(
    error: BaseException, isolated: Callable[[BaseException], Done]
) -> None:
    done = isolated(error)

    assert (done.returncode, done.stdout) == (70, "")
    assert type(error).__name__ in done.stderr
    last = done.stderr.splitlines()[-2:]
    assert last == [
        f"sdlc: this is a bug in sdlc {__version__}, not in your files",
        "  try: report it to the maintainers, with the lines above",
    ]


@pytest.fixture
def isolated() -> Callable[[BaseException], Done]:
    """Ends a process of its own with an error: the handling closes its streams."""

    def run(error: BaseException) -> Done:
        import base64
        import pickle

        packed = base64.b64encode(pickle.dumps(error)).decode()
        script = (
            "import base64, pickle, sys\n"
            "from sdlc_cli.cli import ending\n"
            f"error = pickle.loads(base64.b64decode('{packed}'))\n"
            "def work():\n    raise error\n"
            "sys.exit(ending.run(work))\n"
        )
        return subprocess.run(
            [sys.executable, "-c", script], capture_output=True, text=True, check=False
        )

    return run


def test_errors_keep_what_they_say_when_they_are_explained() -> None:
    error = ConfigError("whole", hint="mend it", problems=["gates.yaml:3: weight: too much"])

    assert ending.explain(error) == "sdlc: gates.yaml:3: weight: too much\n  try: mend it"


@pytest.mark.parametrize(
    ("line", "exit_code", "says"),
    [
        pytest.param("sdlc --help >/dev/full", 3, "could not be written", id="full disk, help"),
        pytest.param("sdlc schema >/dev/full", 3, "could not be written", id="full disk, command"),
        pytest.param("sdlc --version >/dev/full", 3, "could not be written", id="full, version"),
        pytest.param(
            "unset PYTHONUNBUFFERED; sdlc --version >/dev/full",
            3,
            "could not be written",
            id="full, version, buffered",
        ),
        pytest.param("sdlc schema >&-", 3, "standard output is closed", id="closed stdout"),
        pytest.param("sdlc --help >&-", 3, "standard output is closed", id="closed, help"),
        pytest.param("sdlc --version >&-", 3, "standard output is closed", id="closed, version"),
        pytest.param("sdlc nonsense 2>&-", 2, "", id="closed stderr"),
        pytest.param("sdlc nonsense 2>/dev/full", 2, "", id="full stderr"),
        pytest.param("SDLC_LANG=xx sdlc schema 2>/dev/full", 0, "", id="full stderr, warning"),
        pytest.param("sdlc schema <&-", 0, "", id="closed stdin"),
    ],
)
def test_a_stream_that_cannot_be_written_is_said_once(line: str, exit_code: int, says: str) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("this system has no /dev/full")
    done = shell(line)

    assert done.returncode == exit_code
    assert "Traceback" not in done.stderr
    assert "Exception ignored" not in done.stderr
    assert len(done.stderr.splitlines()) == (0 if not says else 1 + ("closed" in says))
    assert says in done.stderr


def test_a_reader_that_leaves_early_ends_us_quietly() -> None:
    done = shell("sdlc --help | true; echo ${PIPESTATUS[0]}; sdlc --help | head -n 1")

    code, first = done.stdout.splitlines()
    assert code in ("141", "0")  # 0 when the pipe took the whole page before it closed
    assert first.startswith("Usage: ")
    assert done.stderr == ""


@pytest.mark.parametrize("words", [["schema"], ["--version"]])
@pytest.mark.parametrize("buffered", [True, False])
def test_a_closed_pipe_is_141(words: list[str], *, buffered: bool) -> None:
    environ = {k: v for k, v in os.environ.items() if k != "PYTHONUNBUFFERED"}
    read, write = os.pipe()
    os.close(read)
    try:
        done = subprocess.run(
            [*SDLC, *words],
            stdout=write,
            stderr=subprocess.PIPE,
            env=environ if buffered else environ | {"PYTHONUNBUFFERED": "1"},
            text=True,
            check=False,
        )
    finally:
        os.close(write)

    assert (done.returncode, done.stderr) == (141, "")


@pytest.mark.parametrize(
    "environ",
    [
        {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
        {"PYTHONIOENCODING": "ascii"},
        {"LC_ALL": "POSIX"},
    ],
)
def test_letters_that_the_encoding_lacks_are_escaped(environ: dict[str, str]) -> None:
    done = sdlc("gate", "--help", SDLC_LANG="en-XA", **environ)

    assert done.returncode == 0
    assert done.stderr == ""
    assert "sdlc gate" in done.stdout


@pytest.mark.parametrize(
    ("number", "exit_code"), [(signal.SIGTERM, 143), (signal.SIGHUP, 129), (signal.SIGINT, 130)]
)
def test_a_signal_ends_us_after_cleaning_up(number: int, exit_code: int, tmp_path: Path) -> None:
    ready, cleaned = tmp_path / "ready", tmp_path / "cleaned"
    script = (
        "import pathlib, sys, time\n"
        "from sdlc_cli.cli import ending\n"
        "def work():\n"
        "    try:\n"
        f"        pathlib.Path({str(ready)!r}).touch()\n"
        # Short sleeps: a signal between Python's look for one and a long sleep waits for its end.
        "        for _ in range(6000):\n"
        "            time.sleep(0.01)\n"
        "    finally:\n"
        f"        pathlib.Path({str(cleaned)!r}).touch()\n"
        "sys.exit(ending.run(work))\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    _wait_for(ready)
    process.send_signal(number)
    _out, err = process.communicate(timeout=30)

    assert (process.returncode, err) == (exit_code, b"")
    assert cleaned.exists()


def _wait_for(path: Path) -> None:
    end = time.monotonic() + 30
    while not path.exists():
        assert time.monotonic() < end
        time.sleep(0.01)


@pytest.mark.parametrize("words", [["gate", "run"], ["init"], ["doctor"], ["schema"], ["gate"], []])
@pytest.mark.parametrize("width", [40, 60, 80, 120])
def test_a_help_page_fits_its_width(words: Sequence[str], width: int) -> None:
    done = sdlc(*words, "--help", COLUMNS=str(width))

    too_long = [line for line in done.stdout.splitlines() if len(line) > width]
    assert done.returncode == 0
    assert too_long == []
    assert "\x1b" not in done.stdout
