import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from sdlc_cli.core.errors import WorkError
from sdlc_cli.gate.scratch import changed, copied, imports_from

Tree = Callable[..., Path]


def test_the_copy_holds_the_same_files_with_their_times_and_is_removed(tree: Tree) -> None:
    root = tree({"a.py": "x = 1\n", "deep/b/run.sh": "#!/bin/sh\n"}, git=True)
    (root / "deep/b/run.sh").chmod(0o755)
    os.utime(root / "a.py", (1, 1))

    with copied(root) as scratch:
        copy = scratch.root
        assert (copy / "a.py").read_text() == "x = 1\n"
        assert (copy / "a.py").stat().st_mtime == 1
        assert os.access(copy / "deep/b/run.sh", os.X_OK)
        log = subprocess.run(["git", "log", "-1"], cwd=copy, capture_output=True, check=True)
        assert b"start" in log.stdout
        assert copy.name == root.name
        (copy / "shut").mkdir(mode=0o500)

    assert not copy.parent.exists()


def test_the_copy_is_removed_after_an_error(tree: Tree) -> None:
    places: list[Path] = []
    root = tree({"a": ""})

    def crash() -> None:
        with copied(root) as scratch:
            places.append(scratch.root)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        crash()

    assert not places[0].parent.exists()


def test_caches_stay_behind_and_environments_are_linked(tree: Tree) -> None:
    root = tree({"env/pyvenv.cfg": "", "env/lib/x.py": "", "__pycache__/a.pyc": "", "a.py": ""})

    with copied(root) as scratch:
        assert (scratch.root / "env").is_symlink()
        assert (scratch.root / "env/lib/x.py").exists()
        assert not (scratch.root / "__pycache__").exists()

    assert (root / "env/lib/x.py").exists()


def test_links_stay_links_and_none_leads_back_into_the_project(tree: Tree, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    root = tree({"data/a.txt": "1"})
    for name, target in {
        "relative": "data/a.txt",
        "absolute": str(root / "data/a.txt"),
        "away": "../outside",
        "away-absolute": str(outside),
        "loop": "loop",
        "broken": "nothing",
    }.items():
        (root / name).symlink_to(target)

    with copied(root) as scratch:
        copy = scratch.root
        assert all((copy / name).is_symlink() for name in ("relative", "absolute", "loop"))
        assert (copy / "relative").resolve() == copy / "data/a.txt"
        assert (copy / "absolute").resolve() == copy / "data/a.txt"
        assert (copy / "away").resolve() == outside.resolve()
        assert (copy / "away-absolute").resolve() == outside.resolve()
        assert os.readlink(copy / "loop") == "loop"

    assert outside.exists()


def test_pipes_are_left_out(tree: Tree) -> None:
    root = tree({"a.py": ""})
    os.mkfifo(root / "pipe")

    with copied(root) as scratch:
        assert sorted(p.name for p in scratch.root.iterdir()) == ["a.py"]


def test_a_worktrees_link_to_its_repository_is_not_copied(tree: Tree) -> None:
    root = tree({".git": "gitdir: /elsewhere\n", "a.py": ""})

    with copied(root) as scratch:
        assert (scratch.root / ".git").is_dir()
        where = ["git", "rev-parse", "--show-toplevel"]
        done = subprocess.run(where, cwd=scratch.root, capture_output=True, check=True, text=True)
        assert Path(done.stdout.strip()) == scratch.root
        assert any("git history" in note for note in scratch.notes)


def test_too_large_a_project_is_refused_with_what_is_large(tree: Tree) -> None:
    root = tree({"data/big.bin": b"x" * 2_000_000, "a.py": ""})

    with pytest.raises(WorkError, match="too large to copy: 2 MB in 2 files, most in data"):  # noqa: SIM117
        with copied(root, largest=1_000_000):
            pass


def test_changes_are_taken_back_to_the_last_byte_and_time(tree: Tree) -> None:
    root = tree({"a.py": "old", "b.py": "kept"})
    os.utime(root / "a.py", (7, 7))

    with changed(root, {"a.py": b"new", "b.py": None, "x/y/c.py": b"1"}):
        assert (root / "a.py").read_text() == "new"
        assert not (root / "b.py").exists()
        assert (root / "x/y/c.py").exists()

    assert sorted(p.name for p in root.rglob("*")) == ["a.py", "b.py"]
    assert ((root / "a.py").read_text(), (root / "a.py").stat().st_mtime) == ("old", 7)


def test_nothing_is_written_through_a_link(tree: Tree, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    root = tree({"a.py": ""})
    (root / "away").symlink_to(outside)

    with pytest.raises(WorkError, match="symbolic link"), changed(root, {"away/a.py": b""}):
        pass

    assert list(outside.iterdir()) == []


@pytest.mark.parametrize("before", [None, "/other"])
def test_the_copys_code_comes_before_any_other(
    tree: Tree, monkeypatch: pytest.MonkeyPatch, before: str | None
) -> None:
    monkeypatch.delenv("PYTHONPATH", raising=False)
    if before:
        monkeypatch.setenv("PYTHONPATH", before)
    root = tree({"src/a.py": ""})

    with imports_from(root):
        folders = os.environ["PYTHONPATH"].split(os.pathsep)

    assert folders == [str(root), str(root / "src"), *([before] if before else [])]
    assert os.environ.get("PYTHONPATH") == before


def test_what_is_no_file_is_not_written_over_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.py")

    with (
        pytest.raises(WorkError, match=r"pipe\.py is no regular file"),
        changed(tmp_path, {"pipe.py": b"x = 1\n"}),
    ):
        pass
