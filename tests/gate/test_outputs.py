"""Our own reports are left out of what is judged, and nothing else is."""

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

from sdlc_cli.gate import outputs
from sdlc_cli.gate.source import Project

Tree = Callable[..., Path]
SHARD = json.dumps({"schema_version": 1, "shard": {"schema_version": 1, "index": 1}}, indent=1)
OTHER = json.dumps({"schema_version": 1, "shard": {"name": "a piece"}})


def left(root: Path, *written: str, sharded: bool = False) -> list[str]:
    files = sorted(
        path.relative_to(root).as_posix()
        for path in root.rglob("*")
        if ".git" not in path.parts and not path.is_dir()
    )
    project = Project(root=root, base=root, files=tuple(files))
    return list(outputs.left_out(project, written, sharded=sharded).files)


def test_what_this_run_writes_is_left_out_however_it_is_named(tree: Tree, tmp_path: Path) -> None:
    root = tree({"a.py": "", "out/x.json": "", "b.sarif": ""})
    (tmp_path / "link").symlink_to(root)

    written = (str(root / "out/../b.sarif"), str(tmp_path / "link/out/x.json"), "/dev/stdout")

    assert left(root, *written) == ["a.py"]


def test_reports_of_other_shards_are_known_by_their_beginning(tree: Tree) -> None:
    root = tree({"a.py": "", "tracked.json": SHARD}, git=True)
    (root / "part1").write_text(SHARD)
    (root / "other.json").write_text(OTHER)
    (root / "short.json").write_text("{")
    os.mkfifo(root / "pipe.json")
    everything = ["a.py", "other.json", "part1", "pipe.json", "short.json", "tracked.json"]

    assert left(root) == everything
    assert left(root, sharded=True) == [name for name in everything if name != "part1"]


def test_without_git_only_json_files_are_looked_into(tree: Tree) -> None:
    root = tree({"a.py": SHARD, "part.json": SHARD})

    assert left(root, sharded=True) == ["a.py"]


def test_a_repository_that_git_cannot_read_is_no_obstacle(tree: Tree) -> None:
    root = tree({"part.json": SHARD, "a.py": ""}, git=True)
    subprocess.run(["git", "rm", "-q", "--cached", "part.json"], cwd=root, check=True)
    (root / ".git/HEAD").write_text("broken")

    assert left(root, sharded=True) == ["a.py"]
