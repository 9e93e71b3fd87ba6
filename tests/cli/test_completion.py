"""Shell completion: what the scripts of Typer get as an answer."""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from sdlc_cli.cli import front, schemas

SDLC = (sys.executable, "-m", "sdlc_cli")


def ask(environ: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        SDLC, capture_output=True, text=True, check=False, env=os.environ | environ
    )


def bash(line: str) -> list[str]:
    words = line.split(" ")
    answer = ask(
        {
            "_SDLC_COMPLETE": "complete_bash",
            "COMP_WORDS": "\n".join(words),
            "COMP_CWORD": str(len(words) - 1),
        }
    )
    assert (answer.returncode, answer.stderr) == (0, "")
    return answer.stdout.split()


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("sdlc ", list(front.commands())),
        ("sdlc do", ["doctor"]),
        ("sdlc gate ru", ["run"]),
        ("sdlc --quiet gate ru", ["run"]),
        ("sdlc gate --quiet ru", ["run"]),
        ("sdlc --q", ["--quiet"]),
        ("sdlc gate run --q", ["--quiet"]),
        ("sdlc init --ci ", ["github", "gitlab"]),
        ("sdlc init --lang de --fo", ["--force"]),
        ("sdlc schema ga", [name for name in schemas.NAMES if name.startswith("ga")]),
    ],
)
def test_bash_completes(line: str, expected: list[str]) -> None:
    assert bash(line) == expected


@pytest.mark.parametrize(
    ("shell", "action", "expected"),
    [
        ("zsh", "", '"init":"' + front.commands()["init"] + '"'),
        ("fish", "get-args", "init\t" + front.commands()["init"]),
    ],
)
def test_other_shells_show_the_help_beside_the_word(shell: str, action: str, expected: str) -> None:
    answer = ask(
        {
            "_SDLC_COMPLETE": f"complete_{shell}",
            "_TYPER_COMPLETE_ARGS": "sdlc in",
            "_TYPER_COMPLETE_FISH_ACTION": action,
        }
    )

    assert answer.returncode == 0
    assert expected in answer.stdout


@pytest.mark.parametrize("shell", front.SHELLS)
def test_a_script_is_shown_for_each_shell(shell: str) -> None:
    done = subprocess.run(
        [*SDLC, "--show-completion", shell], capture_output=True, text=True, check=False
    )

    assert (done.returncode, done.stderr) == (0, "")
    assert f"_SDLC_COMPLETE=complete_{shell}" in done.stdout
    program = shutil.which(shell)
    if program is None:
        pytest.skip(f"{shell} is not installed, so its script was only read")
    syntax = subprocess.run([program, "-n"], input=done.stdout, text=True, check=False)
    assert syntax.returncode == 0


@pytest.mark.parametrize("shell", front.SHELLS)
def test_completion_is_installed_into_the_home_folder(shell: str, tmp_path: Path) -> None:
    done = subprocess.run(
        [*SDLC, "--install-completion", shell],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"HOME": str(tmp_path)},
    )

    assert (done.returncode, done.stderr) == (0, "")
    assert str(tmp_path) in done.stdout
    assert any("_SDLC_COMPLETE" in p.read_text() for p in tmp_path.rglob("*") if p.is_file())


def test_a_home_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    home = tmp_path / "file"
    home.touch()
    done = subprocess.run(
        [*SDLC, "--install-completion", "bash"],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"HOME": str(home)},
    )

    assert done.returncode == 3
    assert done.stderr.startswith("sdlc: completion could not be installed: ")


def test_an_unknown_shell_is_refused() -> None:
    done = subprocess.run(
        [*SDLC, "--show-completion", "tcsh"], capture_output=True, text=True, check=False
    )

    assert (done.returncode, done.stdout) == (2, "")
    assert "there is no completion for the shell 'tcsh'" in done.stderr
