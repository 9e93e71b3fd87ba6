"""Other interpreters are found without running the project, and survive what kills them."""

import os
import platform
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from sdlc_cli.gate import interpreters
from sdlc_cli.gate.interpreters import Interpreter, find, judge

Tree = Callable[..., Path]
OURS = f"3.{sys.version_info.minor}"


def our_own() -> Interpreter:
    return Interpreter(
        version=OURS, release=platform.python_version(), path=Path(sys.executable).resolve()
    )


def fake(path: Path, script: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path


def only_path(*folders: Path) -> dict[str, str]:
    return {"PATH": os.pathsep.join(map(str, folders)), "HOME": "/nonexistent"}


def test_an_interpreter_on_the_path_is_found_and_asked(tmp_path: Path, tree: Tree) -> None:
    fake(tmp_path / "bin/python3.98", "echo 3.98.7")

    found = find("3.98", tree({}), only_path(tmp_path / "bin"))

    assert found == Interpreter(version="3.98", release="3.98.7", path=tmp_path / "bin/python3.98")


@pytest.mark.parametrize("script", ["exit 1", "echo 3.97.0", "echo pyenv: not found >&2", "true"])
def test_one_that_does_not_answer_is_passed_over(tmp_path: Path, tree: Tree, script: str) -> None:
    fake(tmp_path / "broken/python3.98", script)
    good = fake(tmp_path / "good/python3.98", "echo 3.98.0")

    found = find("3.98", tree({}), only_path(tmp_path / "broken", good.parent))

    assert found is not None
    assert found.path == good


def test_pyenv_and_uv_folders_are_looked_into_newest_first(tmp_path: Path, tree: Tree) -> None:
    for release in ("3.98.2", "3.98.10"):
        fake(tmp_path / f".pyenv/versions/{release}/bin/python3.98", f"echo {release}")
    fake(tmp_path / ".local/share/uv/python/cpython-3.97.1-linux/bin/python3.97", "echo 3.97.1")
    environ = {"PATH": "", "HOME": str(tmp_path)}
    root = tree({})

    releases = [
        found.release if (found := find(v, root, environ)) else "" for v in ("3.98", "3.97")
    ]

    assert releases == ["3.98.10", "3.97.1"]


def test_an_interpreter_of_the_project_is_never_run(tmp_path: Path, tree: Tree) -> None:
    root = tree({})
    trap = fake(root / "bin/python3.98", f"touch {tmp_path}/executed; echo 3.98.0")
    (tmp_path / "links").mkdir()
    (tmp_path / "links/python3.98").symlink_to(trap)

    assert find("3.98", root, only_path(root / "bin", tmp_path / "links")) is None
    assert not (tmp_path / "executed").exists()


def test_all_files_are_judged_in_one_go(tree: Tree) -> None:
    root = tree({"good.py": "x = 1\n", "bad.py": "x = 1\nreturn\n", "latin.py": b"x = '\xe9'\n"})
    os.mkfifo(root / "pipe.py")
    (root / "deep.py").write_text("x = " + "-" * 50_000 + "1\n")

    judged = judge(
        our_own(), root, ["good.py", "bad.py", "latin.py", "gone.py", "pipe.py", "deep.py"]
    )

    assert judged.broken == ""
    assert set(judged.faults) == {"bad.py", "latin.py"}
    assert judged.faults["bad.py"].line == 2
    assert "outside function" in judged.faults["bad.py"].message
    assert judged.skipped == {
        "gone.py": f"Python {OURS} could not read it",
        "pipe.py": f"Python {OURS} could not read it",
        "deep.py": f"too large or nested too deeply for Python {OURS}",
    }


@pytest.mark.skipif(sys.platform == "darwin", reason="macOS refuses names that are not UTF-8")
def test_names_of_any_bytes_reach_the_interpreter(tree: Tree) -> None:
    root = tree({"a\nb.py": "return\n", "c\udcff.py": "return\n"})

    assert set(judge(our_own(), root, ["a\nb.py", "c\udcff.py"]).faults) == {
        "a\nb.py",
        "c\udcff.py",
    }


def dying_on(name: str, tmp_path: Path) -> Interpreter:
    """A Python that dies of files called `name`, as one with a bug in its parser would."""
    script = interpreters._CHILD.replace(
        "def judge(path):", f"def judge(path):\n    if {name!r} in path: os._exit(139)"
    )
    (tmp_path / "child.py").write_text(script)
    return Interpreter(
        version="3.98",
        release="3.98.0",
        path=fake(tmp_path / "python3.98", f'exec "{sys.executable}" {tmp_path}/child.py'),
    )


def test_a_file_that_kills_the_interpreter_costs_no_other_file_anything(
    tree: Tree, tmp_path: Path
) -> None:
    root = tree({"a.py": "return\n", "killer.py": "", "z.py": "return\n"})

    judged = judge(dying_on("killer", tmp_path), root, ["a.py", "killer.py", "z.py"])

    assert set(judged.faults) == {"a.py", "z.py"}
    assert judged.skipped == {"killer.py": "Python 3.98 died of it"}
    assert judged.broken == ""


def test_an_interpreter_that_keeps_dying_is_no_longer_believed(tree: Tree, tmp_path: Path) -> None:
    names = [f"killer{n}.py" for n in range(20)]
    root = tree(dict.fromkeys(names, ""))

    assert judge(dying_on("killer", tmp_path), root, names).broken == "Python 3.98 died 6 times"


def test_a_file_that_takes_for_ever_is_skipped(
    tree: Tree, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = tree({"a.py": ""})
    slow = fake(tmp_path / "python3.98", "exec sleep 60")
    monkeypatch.setattr(interpreters, "START_S", 0.2)

    judged = judge(Interpreter(version="3.98", release="3.98.0", path=slow), root, ["a.py"])

    assert judged.skipped == {"a.py": "Python 3.98 took too long"}
