"""Starting is cheap: CPU against a bare Python of the same run, and nothing heavy imported."""

import os
import resource
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

HEAVY = {
    *("numpy", "numba", "ortools", "bandit", "radon", "jinja2", "pydantic"),
    *("duckdb", "_duckdb"),
}
ROUNDS = 9
EXAMPLE = Path(__file__).parents[2] / "examples" / "cost" / "envelope.jsonl"
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
        pytest.param(["plan", "--help"], HEAVY | {"rich"}, id="help of the plan command"),
        pytest.param(["schema"], HEAVY | {"rich"}, id="a light command"),
        pytest.param(["deploy", "eject"], HEAVY | {"rich"}, id="a light deploy command"),
        pytest.param(
            ["serve", "--help"],
            HEAVY | {"rich", "uvicorn", "httptools", "opentelemetry", "google", "psycopg"},
            id="help of the service",
        ),
    ],
)
def test_start_up_imports_nothing_heavy(words: list[str], forbidden: set[str]) -> None:
    imported = {name.split(".")[0] for name in loaded(words)}

    assert imported & forbidden == set()


@pytest.mark.usefixtures("unmeasured")
def test_a_run_over_unchanged_files_loads_nothing_that_judges_or_reads_them(tmp_path: Path) -> None:
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "a.py").write_text("import pickle\n")
    (folder / "b.yaml").write_text("b: 1\n")
    words = ["gate", "run", "--format", "json", "-o", os.devnull, str(folder)]
    cache = {"SDLC_CACHE_DIR": str(tmp_path / "cache")}
    assert {"yaml", "bandit", "radon"} <= loaded(words, cache), "the first run looks at them"

    imported = loaded(words, cache)

    parts = ("accept", "analysis", "baseline", "baseline_files", "changes", "coverage_report",
             "formats", "interpreters", "narrow", "shard", "suppressions")  # fmt: skip
    idle = {"configparser", "rich", "tempfile", "tomllib", "yaml", "sdlc_cli.core.config"}
    assert imported & (HEAVY | idle | {f"sdlc_cli.gate.{part}" for part in parts}) == set()


def test_a_report_loads_the_engine_of_duckdb_without_its_package() -> None:
    words = ["cost", "report", str(EXAMPLE), "--format", "json", "-o", os.devnull]

    imported = {name.split(".")[0] for name in loaded(words)}

    assert "_duckdb" in imported
    assert imported & {"duckdb", "rich", "yaml", "numpy"} == {"yaml"}, "cost.yaml lies beside it"


def loaded(words: Sequence[str], environ: Mapping[str, str] = os.environ) -> set[str]:
    """The modules that a process holds after it did what `words` ask for."""
    script = (
        "import sys; from sdlc_cli.__main__ import main; code = main();"
        "print('MODULES', *sys.modules, file=sys.stderr); sys.exit(code not in (0, 1))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, *words],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, **environ, "PYTHONIOENCODING": "utf-8"},
    )
    modules = set(done.stderr.partition("MODULES")[2].split())
    assert "sys" in modules
    return modules
