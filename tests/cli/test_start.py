"""`sdlc init`, `doctor` and `schema`, through the real app."""

import json
import os
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

from sdlc_cli.cli import doctor, schemas
from sdlc_cli.cost.engine import scan
from sdlc_cli.cost.engine.native import build

Tree = Callable[..., Path]

SDLC = (sys.executable, "-m", "sdlc_cli")
ROOT = Path(__file__).parents[2]


def sdlc(*words: str, cwd: Path, **environ: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*SDLC, *words],
        capture_output=True,
        text=True,
        check=False,
        cwd=cwd,
        env=os.environ | {"SDLC_CACHE_DIR": str(cwd / "cache"), "COLUMNS": "80"} | environ,
    )


def test_init_writes_a_file_and_says_what_comes_next(tree: Tree) -> None:
    root = tree({"a.py": "x = 1\n"})

    done = sdlc("init", cwd=root)

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == [
        "wrote gates.yaml",
        "gates: syntax, security, secrets, maintainability",
        "next: sdlc gate run",
    ]
    assert (root / "gates.yaml").is_file()


def test_init_twice_keeps_the_first_file(tree: Tree) -> None:
    root = tree({"gates.yaml": "mine\n"})

    done = sdlc("init", cwd=root)

    assert (done.returncode, done.stdout) == (2, "")
    assert "gates.yaml exists already" in done.stderr
    assert (root / "gates.yaml").read_text() == "mine\n"


def test_the_tables_of_doctor_hold_the_packages_of_the_project() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    own = "python_version < '3.14'" if sys.version_info >= (3, 14) else "\0"
    declared = {(_name(line), "") for line in project["dependencies"] if own not in line}
    for extra in extras.keys() - {"all", "dev"}:
        declared |= {(_name(line), extra) for line in extras[extra]}

    assert {(name, extra) for name, _module, extra, _gives in doctor.packages()} == declared


def _name(requirement: str) -> str:
    import re

    match = re.match(r"[A-Za-z0-9_.-]+", requirement)
    assert match
    return match[0].lower()


def test_doctor_tells_machines_the_same_in_every_language(tmp_path: Path) -> None:
    english = sdlc("doctor", "--format", "json", cwd=tmp_path)
    pseudo = sdlc("doctor", "--format", "json", cwd=tmp_path, SDLC_LANG="en-XA")

    found = json.loads(english.stdout)
    assert english.returncode == 0, english.stdout
    assert found["schema_version"] == doctor.SCHEMA_VERSION
    assert found["ok"] is True
    assert found["cache_writable"] is True
    assert found["python"] in [i["version"] for i in found["interpreters"]]
    assert json.loads(pseudo.stdout) | {"language": "en"} == found | {"language": "en"}


@pytest.mark.parametrize(
    ("problem", "version", "extra", "exit_code", "says"),
    [
        pytest.param("", "1.0", "", 0, "All that every command needs is here.", id="well"),
        pytest.param("ImportError: x", "", "", 3, "Missing or broken: typer.", id="missing"),
        pytest.param("ImportError: x", "1.0", "", 3, "Missing or broken: typer.", id="broken"),
        pytest.param("not installed", "", "plan", 0, "install sdlc-cli[plan]", id="extra"),
    ],
)
def test_only_what_every_command_needs_can_fail_doctor(
    problem: str, version: str, extra: str, exit_code: int, says: str
) -> None:
    part = doctor.Part(name="typer", version=version, gives="x", extra=extra, problem=problem)
    found = doctor.Examination(
        version="1",
        python="3.11.0",
        executable="python",
        platform="any",
        packages=(part,),
        interpreters=(),
        programs=(),
        cache="",
        cache_writable=False,
        language="en",
        encoding="utf-8",
    )

    assert found.exit_code == exit_code
    assert says in doctor.as_text(found, 100)
    assert json.loads(doctor.as_json(found))["ok"] is (exit_code == 0)


@pytest.mark.parametrize("there", ["compiled", "not compiled", "cannot be loaded"])
def test_doctor_tells_whether_the_reader_of_logs_was_compiled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, there: str
) -> None:
    file = build.compiled(tmp_path) if there == "compiled" else tmp_path / "scan.so"
    if file is None:
        pytest.skip("there is no C compiler")
    if there == "cannot be loaded":
        file.write_text("no library")
    for place in (scan, build):
        monkeypatch.setattr(place, "library", lambda: file)
    scan.loaded.cache_clear()

    found = doctor.examine()
    told = " ".join(doctor.as_text(found, 200).split())
    scan.loaded.cache_clear()

    (part,) = json.loads(doctor.as_json(found))["compiled"]
    assert part["name"] == "log reader"
    assert part["problem"] == ("" if there == "compiled" else there)
    fast = "log reader compiled large usage logs, read fast All that"
    slow = "DuckDB does it instead, to the same figures in about twice the time"
    assert (fast in told, slow in told) == (there == "compiled", there != "compiled")
    assert found.exit_code == 0


@pytest.mark.parametrize("width", ["30", "40", "60", "80", "120"])
def test_doctor_fits_the_terminal(width: str, tmp_path: Path) -> None:
    done = sdlc("doctor", cwd=tmp_path, COLUMNS=width)

    lines = done.stdout.splitlines()
    prose = [line for line in lines if max(map(len, line.split()), default=0) < 25]
    assert len(prose) > 20
    assert all(line == line.rstrip() for line in lines)
    assert max(map(len, prose)) <= int(width)


@pytest.mark.parametrize("name", schemas.NAMES)
def test_a_schema_is_printed_as_json(name: str, tmp_path: Path) -> None:
    import jsonschema

    done = sdlc("schema", name, cwd=tmp_path)

    assert (done.returncode, done.stderr) == (0, "")
    jsonschema.Draft202012Validator.check_schema(json.loads(done.stdout))


def test_without_a_name_the_schemas_are_listed(tmp_path: Path) -> None:
    done = sdlc("schema", cwd=tmp_path)

    assert [line.split()[0] for line in done.stdout.splitlines()] == list(schemas.NAMES)
    assert set(schemas.lines()) == set(schemas.NAMES)


def test_a_result_can_go_to_a_file(tmp_path: Path) -> None:
    done = sdlc("schema", "gates", "--output", "gates.json", cwd=tmp_path)

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "wrote gates.json\n")
    assert json.loads((tmp_path / "gates.json").read_text())
