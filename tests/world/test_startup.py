"""Starting is cheap: CPU against a bare Python of the same run, and nothing heavy imported."""

import os
import resource
import subprocess
import sys
from collections.abc import Sequence

import pytest

HEAVY = {"numpy", "bandit", "radon", "duckdb", "jinja2", "pydantic"}
ROUNDS = 9
BARE = (sys.executable, "-c", "pass")
START = (sys.executable, "-c", "import sys; from sdlc_cli.__main__ import main; sys.exit(main())")


def cpu_seconds(command: Sequence[str]) -> float:
    """User and system seconds of one run."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, check=True, capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


@pytest.mark.parametrize(
    ("words", "most"),
    [
        pytest.param(["--version"], 2, id="version"),
        pytest.param(["--help"], 12, id="help"),
        pytest.param(["gate", "run", "--help"], 20, id="help of a command"),
    ],
)
def test_start_up_stays_within(words: list[str], most: float) -> None:
    pairs = [(cpu_seconds(BARE), cpu_seconds((*START, *words))) for _round in range(ROUNDS)]

    bare, ours = (min(times) for times in zip(*pairs, strict=True))
    assert ours / bare <= most


@pytest.mark.parametrize(
    ("words", "forbidden"),
    [
        pytest.param(["--version"], HEAVY | {"typer", "rich", "gettext"}, id="version"),
        pytest.param(["--help"], HEAVY | {"typer", "rich"}, id="help"),
        pytest.param(["gate", "run", "--help"], HEAVY | {"rich"}, id="help of a command"),
        pytest.param(["schema"], HEAVY | {"rich"}, id="a light command"),
    ],
)
def test_start_up_imports_nothing_heavy(words: list[str], forbidden: set[str]) -> None:
    script = (
        "import sys; from sdlc_cli.__main__ import main; code = main();"
        "print('MODULES', *sys.modules, file=sys.stderr); sys.exit(code)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, *words],
        capture_output=True,
        text=True,
        check=True,
        env=os.environ | {"PYTHONIOENCODING": "utf-8"},
    )

    imported = {name.split(".")[0] for name in done.stderr.split()}
    assert "MODULES" in imported
    assert imported & forbidden == set()
