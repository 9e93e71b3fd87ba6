"""Kernels compile where numba is, are kept between runs, and run as Python without it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

TRIAL = """
from sdlc_cli.plan.compiled import engine, jit

@jit
def add(a, b):
    return a + b

print(engine()[0], add(2, 3), hasattr(add, "_cache") and dict(add.stats.cache_hits))
"""


def run(tmp_path: Path, **environ: str) -> str:
    script = tmp_path / "trial.py"
    if not script.exists():
        script.write_text(TRIAL)
    named = {k: v for k, v in os.environ.items() if not k.startswith(("NUMBA_", "SDLC_", "XDG_"))}
    result = subprocess.run(
        [sys.executable, str(script)],
        env={**named, "HOME": str(tmp_path), **environ},
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    assert result.stderr == ""
    return result.stdout.strip()


def test_machine_code_is_kept_between_runs(tmp_path: Path) -> None:
    pytest.importorskip("numba")

    first = run(tmp_path)
    second = run(tmp_path)

    assert first == "numba 5 {}"
    assert second.startswith("numba 5 {(int64, int64): 1")


@pytest.mark.parametrize("broken", [b"", b"\x80junk"])
def test_a_broken_cache_costs_time_only(tmp_path: Path, broken: bytes) -> None:
    pytest.importorskip("numba")
    run(tmp_path)
    kept = [p for p in tmp_path.rglob("*.nb[ic]") if p.is_file()]
    assert kept
    for path in kept:
        path.write_bytes(broken)

    assert run(tmp_path) == "numba 5 {}"


def test_a_home_that_cannot_be_written_costs_time_only(tmp_path: Path) -> None:
    pytest.importorskip("numba")
    blocked = tmp_path / "file"
    blocked.write_text("")

    assert run(tmp_path, SDLC_CACHE_DIR=str(blocked / "below")) == "numba 5 {}"


def test_without_numba_kernels_are_python(tmp_path: Path) -> None:
    (tmp_path / "numba.py").write_text("raise ImportError(\"No module named 'numba'\")")

    assert run(tmp_path) == "python 5 False"
    assert run(tmp_path, NUMBA_DISABLE_JIT="1") == "python 5 False"


def test_it_is_known_whether_anything_is_left_to_compile(tmp_path: Path) -> None:
    pytest.importorskip("numba")
    ask = "\nfrom sdlc_cli.plan.compiled import kept\nprint(kept('trial'))\n"
    before = TRIAL.rpartition("print")[0]
    (tmp_path / "trial.py").write_text(f"{ask}{before}add(2, 3){ask}")

    assert run(tmp_path).split() == ["False", "True"]
    assert run(tmp_path).split() == ["True", "True"]
    assert run(tmp_path, NUMBA_DISABLE_JIT="1").split() == ["True", "True"]


@pytest.mark.parametrize(
    ("more", "loaded"),
    [
        pytest.param("", "plain", id="one mode and no hours"),
        pytest.param("deadline: 2026-12-24\n", "general", id="a deadline"),
    ],
)
def test_only_the_kernel_that_searches_is_loaded(tmp_path: Path, more: str, loaded: str) -> None:
    (tmp_path / "tasks.yaml").write_text(
        f"version: 1\nstart: 2026-12-01\n{more}tasks: {{a: {{duration: 1h}}}}\n"
    )
    script = tmp_path / "trial.py"
    script.write_text(
        "import sys\n"
        "from sdlc_cli.cli.app import main\n"
        f"main(['plan', {str(tmp_path / 'tasks.yaml')!r}, '--format', 'json', '--output', 'o'])\n"
        "parts = 'sdlc_cli.plan.plain', 'sdlc_cli.plan.general', 'sdlc_cli.cost.prices'\n"
        "print([part.split('.')[-1] for part in parts if part in sys.modules])\n"
    )

    result = subprocess.run(
        [sys.executable, str(script)],
        cwd=tmp_path,
        env={**os.environ, "NUMBA_DISABLE_JIT": "1"},
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )

    assert result.stdout.splitlines()[-1] == str([loaded])


@pytest.mark.usefixtures("unmeasured")
def test_numba_loads_no_coverage(tmp_path: Path) -> None:
    pytest.importorskip("numba")
    script = tmp_path / "trial.py"
    script.write_text(
        "import sys\nimport sdlc_cli.plan.compiled\nprint('numba' in sys.modules)\n"
        "print('coverage' in sys.modules)\nimport coverage\n"
    )

    assert run(tmp_path).split() == ["True", "False"]
