import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from sdlc_cli.core import proc
from sdlc_cli.core.errors import WorkError
from sdlc_cli.gate.environment import Environment, resolve

PYTHON = Path(sys.executable)
Make = Callable[[str], Path]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """A virtual environment, as far as finding it is concerned."""

    def build(name: str) -> Path:
        folder = tmp_path / name
        (folder / "bin").mkdir(parents=True)
        (folder / "pyvenv.cfg").write_text(f"home = {Path(sys.base_prefix) / 'bin'}\n")
        (folder / "bin" / "python").symlink_to(PYTHON.resolve())
        (folder / "bin" / "python3").symlink_to("python")
        return folder

    return build


def script(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)
    return path


def test_auto_takes_the_active_environment_first(make: Make, tmp_path: Path) -> None:
    active = make("elsewhere")
    make(".venv")

    found = resolve("auto", tmp_path, {"VIRTUAL_ENV": str(active)})

    assert found.python == active / "bin" / "python"
    assert found.root == active


@pytest.mark.parametrize("name", ["auto", ".venv"])
def test_the_environment_in_the_project_is_found(name: str, make: Make, tmp_path: Path) -> None:
    folder = make(".venv")
    make("venv")

    found = resolve(name, tmp_path, {"PATH": "", "VIRTUAL_ENV": str(tmp_path / "deleted")})

    assert (found.bin, found.label) == (folder / "bin", ".venv")


def test_auto_takes_venv_after_dot_venv(make: Make, tmp_path: Path) -> None:
    (tmp_path / ".venv").mkdir()  # empty: no environment
    folder = make("venv")

    assert resolve("auto", tmp_path, {"PATH": ""}).root == folder


def test_condas_base_does_not_hide_the_project(make: Make, tmp_path: Path) -> None:
    project, conda = make(".venv"), make("conda")
    environ = {"CONDA_PREFIX": str(conda), "PATH": ""}

    assert resolve("auto", tmp_path, environ).root == conda
    assert resolve("auto", tmp_path, environ | {"CONDA_DEFAULT_ENV": "base"}).root == project


@pytest.mark.parametrize("mark", ["pipx_metadata.json", "uv-receipt.toml"])
def test_our_private_environment_is_not_the_projects(mark: str, make: Make, tmp_path: Path) -> None:
    own, other = make("tool"), make("other")
    path = f"{own / 'bin'}:{other / 'bin'}"
    environ = {"VIRTUAL_ENV": str(own), "PATH": path}

    assert resolve("auto", tmp_path, environ, own=own).root == own
    (own / mark).touch()
    assert resolve("auto", tmp_path, environ, own=own).root == other


def test_uv_is_asked_when_there_is_a_lock(make: Make, tmp_path: Path) -> None:
    folder = make("made-by-uv")
    bin_ = tmp_path / "bin"
    script(bin_ / "uv", f'#!/bin/sh\nshift\nshift\nexec "{folder}/bin/python" "$@"\n')
    environ = {"PATH": f"{bin_}:/usr/bin:/bin"}

    assert resolve("uv", tmp_path, environ).root == folder
    (tmp_path / "uv.lock").touch()
    found = resolve("auto", tmp_path, environ)
    assert (found.root, found.label) == (folder, "uv")


def test_what_uv_says_is_shown_when_it_fails(tmp_path: Path) -> None:
    script(tmp_path / "bin" / "uv", "#!/bin/sh\necho 'no solution found' >&2\nexit 2\n")

    with pytest.raises(WorkError, match="no solution found"):
        resolve("uv", tmp_path, {"PATH": f"{tmp_path / 'bin'}:/usr/bin:/bin"})


def test_a_path_may_name_an_environment_or_an_interpreter(make: Make, tmp_path: Path) -> None:
    folder = make("env")
    plain = script(tmp_path / "tools" / "python3.11", "#!/bin/sh\n")

    assert resolve("env", tmp_path, {}).root == folder
    assert resolve("env/bin/python3", tmp_path, {}).root == folder
    assert resolve(str(folder), Path("/"), {}).root == folder
    found = resolve("tools/python3.11", tmp_path, {})
    assert (found.python, found.root) == (plain, None)


@pytest.mark.parametrize(
    ("name", "environ", "says"),
    [
        ("auto", {"PATH": "/nowhere"}, "Tried: the active one, .venv and venv"),
        ("active", {"VIRTUAL_ENV": "/nowhere"}, "no Python environment is active"),
        (".venv", {}, r"looked at .*\.venv"),
        ("uv", {"PATH": "/nowhere"}, "uv was not found"),
        ("no/such", {}, "neither a Python environment nor an interpreter"),
    ],
)
def test_what_was_tried_is_told(
    name: str, environ: dict[str, str], says: str, tmp_path: Path
) -> None:
    with pytest.raises(WorkError, match=says) as caught:
        resolve(name, tmp_path, environ)

    assert "python:" in caught.value.hint


def test_a_child_sees_the_environment(make: Make, tmp_path: Path) -> None:
    folder = make(".venv")
    found = resolve(".venv", tmp_path, {})
    environ = {"PATH": "/usr/bin:/bin", "PYTHONHOME": "/nowhere", "VIRTUAL_ENV": "/other"}
    code = "import sys, os; print(sys.prefix); print(os.environ['VIRTUAL_ENV'], os.environ['A'])"

    variables = found.variables(environ, {"A": "b"})
    done = proc.run(["python", "-c", code], cwd=tmp_path, environment=variables, timeout=60)

    assert done.stdout.split() == [str(folder), str(folder), "b"]
    assert variables["PATH"] == f"{folder / 'bin'}:/usr/bin:/bin"
    assert "PYTHONHOME" not in variables


def test_python_in_a_command_is_the_one_found() -> None:
    found = Environment(python=Path("/e/bin/python3.12"), bin=Path("/e/bin"), label="e")

    assert found.command(("python", "-m", "x")) == ("/e/bin/python3.12", "-m", "x")
    assert found.command(("pytest", "python")) == ("pytest", "python")
    assert found.command(()) == ()


def test_has_looks_for_a_module_without_importing_it(tmp_path: Path) -> None:
    (tmp_path / "loud.py").write_text("open('ran', 'w')\n")
    found = Environment(python=PYTHON, bin=PYTHON.parent, label="ours")

    assert found.has("loud", cwd=tmp_path, environ=os.environ)
    assert not found.has("no_such_module", cwd=tmp_path, environ=os.environ)
    assert not (tmp_path / "ran").exists()
