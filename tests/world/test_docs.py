"""What the docs show is what the program does: every console block is run and compared.

`pytest --accept` rewrites the outputs in the pages; review the diff.
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").glob("*.md")])
_BLOCK = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A folder that looks like a fresh clone to the commands shown."""
    shutil.copytree(
        ROOT / "examples", tmp_path / "examples", ignore=shutil.ignore_patterns("__pycache__")
    )
    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    return tmp_path


def shown(block: str, folder: Path) -> str:
    """The block with each command's real output under it."""
    environ = {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "HOME": str(folder / "home"),
        "SDLC_CACHE_DIR": str(folder / "cache"),
        "COLUMNS": "88",
        "LANG": "C.UTF-8",
        "NUMBA_DISABLE_JIT": "1",  # the plans are the same, and compiling takes half a minute
    }
    out: list[str] = []
    for line in block.splitlines():
        if not line.startswith("$ "):
            continue
        words = line[2:].split()
        assert words[0] == "sdlc", f"only sdlc is run here, not {words[0]}"
        done = subprocess.run(
            words, cwd=folder, env=environ, capture_output=True, text=True, check=False
        )
        out += [line, *(text.rstrip() for text in done.stdout.splitlines())]
        assert done.returncode in (0, 1), done.stderr
    return "\n".join(out) + "\n"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_page_shows_what_the_program_prints(
    page: Path, clone: Path, request: pytest.FixtureRequest
) -> None:
    text = page.read_text(encoding="utf-8")

    real = _BLOCK.sub(lambda match: f"```console\n{shown(match[1], clone)}```", text)

    if request.config.getoption("--accept"):
        page.write_text(real, encoding="utf-8")
    assert real == page.read_text(encoding="utf-8")


def test_every_command_is_in_the_readme() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "sdlc_cli", "gate", "--help"],
        capture_output=True,
        text=True,
        check=True,
    )
    commands = re.findall(r"^  ([a-z]+) ", done.stdout, re.MULTILINE)
    readme = (ROOT / "README.md").read_text(encoding="utf-8")

    assert len(commands) > 5
    assert [
        name
        for name in commands
        if f"`{name}`" not in readme
        and f" {name} " not in readme
        and f"{name} [" not in readme
        and f"{name}`" not in readme
    ] == []
