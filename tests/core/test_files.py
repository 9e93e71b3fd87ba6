"""Files are found as git finds them, and written whole or not at all."""

import os
import socket
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from sdlc_cli.core.errors import WorkError
from sdlc_cli.core.files import (
    cache_dir,
    find_upward,
    repository_root,
    write_atomic,
)
from sdlc_cli.core.git import trusted_path
from sdlc_cli.core.listing import listing

Tree = Callable[..., Path]

TRICKY = {
    ".gitignore": "*.log\n!keep.log\nbuild/\n/top.txt\n*.tmp\r\nsub/*\n!sub/kept.py\n",
    "a.py": "",
    "a.log": "",
    "keep.log": "",
    "build/x.py": "",
    "deep/build/x.py": "",
    "deep/build.py": "",
    "top.txt": "",
    "deep/top.txt": "",
    "x.tmp": "",
    "sub/kept.py": "",
    "sub/gone.py": "",
    "deep/.gitignore": "!*.log\n*.py\n!build.py\n",
    "deep/b.log": "",
    "deep/c.py": "",
    "deep/er/.gitignore": "*\n!*/\n!*.py\n",
    "deep/er/est/x.txt": "",
    "deep/er/est/x.py": "",
    "node_modules/m.js": "",
    "__pycache__/a.pyc": "",
    "env/pyvenv.cfg": "",
    "env/lib/x.py": "",
    "with\nnewline.py": "",
    "café.py": "",
    "excluded_by_info.py": "",
}


def git(root: Path, *words: str) -> None:
    command = ["git", "-c", "user.name=t", "-c", "user.email=t@t", *words]
    subprocess.run(command, cwd=root, check=True, capture_output=True)


def tricky(tree: Tree) -> Path:
    root = tree(TRICKY)
    git(root, "init", "-q")
    (root / ".git/info/exclude").write_text("excluded_by_info.py\n")
    (root / "link.py").symlink_to("a.py")
    (root / "folder_link").symlink_to("deep")
    return root


def test_our_own_walk_lists_what_git_lists(tree: Tree) -> None:
    root = tricky(tree)

    ours = listing(root, use_git=False)

    assert ours == listing(root)
    assert ours.files == (
        ".gitignore",
        "a.py",
        "café.py",
        "deep/.gitignore",
        "deep/b.log",
        "deep/build.py",
        "deep/er/est/x.py",
        "deep/top.txt",
        "keep.log",
        "sub/kept.py",
        "with\nnewline.py",
    )


@pytest.mark.skipif(sys.platform == "darwin", reason="macOS refuses names that are not UTF-8")
def test_a_name_that_is_not_utf8_is_kept(tree: Tree) -> None:
    root = tree({"a.py": ""}, git=True)
    Path(os.fsdecode(os.fsencode(root) + b"/b\xff.py")).touch()

    assert listing(root).files == ("a.py", "b\udcff.py")
    assert listing(root, use_git=False) == listing(root)


def test_a_tracked_file_counts_though_an_ignore_rule_names_it(tree: Tree) -> None:
    root = tree({"a.log": "", "b.log": ""})
    git(root, "init", "-q")
    git(root, "add", "a.log")
    (root / ".gitignore").write_text("*.log\n")

    assert listing(root).files == (".gitignore", "a.log")


def test_what_git_tracks_counts_whatever_its_folder_is(tree: Tree) -> None:
    names = ("app/a.py", "app/pyvenv.cfg", "node_modules/b.py", "__pycache__/c.py", "own/d.py")
    root = tree(dict.fromkeys(names, ""), git=True)
    for name in ("app/new.py", "node_modules/new.py"):
        (root / name).touch()
    git(root, "init", "-q", "own")

    assert listing(root).files == tuple(sorted(names))
    assert listing(root, use_git=False).files == ()


def test_an_untracked_folder_with_a_git_file_is_listed_as_skipped(tree: Tree) -> None:
    root = tree({"a.py": ""}, git=True)
    (root / "pkg").mkdir()
    (root / "pkg/.git").touch()
    (root / "pkg/b.py").touch()

    assert listing(root).files == ("a.py",)
    assert dict(listing(root).skipped) == {
        "pkg": "another repository (a submodule?), not looked into"
    }
    assert listing(root, [], ["pkg/"]).skipped == ()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may give a folder to another owner")
def test_that_git_refuses_somebody_elses_repository_is_told(
    tree: Tree, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = tree({"a.py": "", "b.log": "", ".gitignore": ""}, git=True)
    (root / ".gitignore").write_text("*.log\n")
    for path in (root, root / ".git"):
        os.chown(path, 65534, 65534)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("GIT_CONFIG_SYSTEM", "/dev/null")

    ((place, reason),) = listing(root).skipped

    assert place == ".git"
    assert f"git config --global --add safe.directory {root}" in reason


def test_a_file_that_is_tracked_but_deleted_is_no_file(tree: Tree) -> None:
    root = tree({"a.py": "", "b.py": ""}, git=True)
    (root / "b.py").unlink()

    assert listing(root).files == ("a.py",)
    assert listing(root).skipped == ()


@pytest.mark.parametrize("use_git", [True, False])
def test_what_is_no_file_of_the_tree_is_skipped_with_its_reason(tree: Tree, use_git: bool) -> None:
    root = tree({"a.py": "", "inner/b.py": ""}, git=True)
    (root / "twice.py").symlink_to("a.py")
    (root / "out.py").symlink_to("/etc/hostname")
    (root / "round").symlink_to("trip")
    (root / "trip").symlink_to("round")
    (root / "nothing").symlink_to("nowhere")
    (root / "folder").symlink_to("inner")
    os.mkfifo(root / "pipe")
    git(root, "init", "-q", "other")

    found = listing(root, use_git=use_git)

    assert found.files == ("a.py", "inner/b.py")
    assert dict(found.skipped) == {
        "folder": "a symlink to a folder, not followed",
        "nothing": "a symlink to nothing",
        "other": "another repository (a submodule?), not looked into",
        "out.py": "a symlink out of the tree",
        "pipe": "a named pipe, not a file",
        "round": "a symlink that leads nowhere: it is part of a loop or may not be read",
        "trip": "a symlink that leads nowhere: it is part of a loop or may not be read",
    }


def test_a_socket_is_skipped(tree: Tree, monkeypatch: pytest.MonkeyPatch) -> None:
    root = tree({"a.py": ""})
    monkeypatch.chdir(root)  # a socket's address holds about a hundred characters
    with socket.socket(socket.AF_UNIX) as plug:
        plug.bind("plug")

    assert listing(root).skipped == (("plug", "a socket, not a file"),)


def test_a_folder_that_became_a_symlink_is_not_followed(tree: Tree, tmp_path: Path) -> None:
    root = tree({"pkg/a.py": ""}, git=True)
    (root / "pkg").rename(tmp_path / "elsewhere")
    (root / "pkg").symlink_to(tmp_path / "elsewhere")

    assert listing(root).files == ()


def test_the_repository_cannot_make_git_run_anything(tree: Tree, tmp_path: Path) -> None:
    root = tree({"a.py": ""}, git=True)
    touch = tmp_path / "touch.sh"
    touch.write_text(f"#!/bin/sh\ntouch {tmp_path}/executed\n")
    touch.chmod(0o755)
    for key in ("core.fsmonitor", "core.pager", "pager.ls-files", "core.sshCommand"):
        git(root, "config", key, str(touch))
    git(root, "config", "alias.ls-files", f"!{touch}")
    (root / ".git/hooks/post-index-change").symlink_to(touch)
    (tmp_path / "executed").unlink(missing_ok=True)

    assert listing(root).files == ("a.py",)
    assert not (tmp_path / "executed").exists()


@pytest.mark.parametrize("entry", ["bin", ".", "{root}/bin", "{link}"])
def test_a_git_of_the_repository_is_never_run(
    tree: Tree, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, entry: str
) -> None:
    script = f"#!/bin/sh\ntouch {tmp_path}/executed\n"
    root = tree({"a.py": "", "bin/git": script, "git": script}, git=True)
    for name in ("bin/git", "git"):
        (root / name).chmod(0o755)
    (tmp_path / "link").symlink_to(root / "bin")
    first = entry.format(root=root, link=tmp_path / "link")
    monkeypatch.setenv("PATH", f"{first}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.chdir(root)

    assert listing(root).files == ("a.py", "bin/git", "git")
    assert not (tmp_path / "executed").exists()


def test_a_git_of_the_main_tree_is_not_run_for_its_worktree(tree: Tree, tmp_path: Path) -> None:
    root = tree({"a.py": ""}, git=True)
    git(root, "worktree", "add", "-q", str(tmp_path / "other"))
    environ = {"PATH": f"{root}/bin{os.pathsep}/usr/bin"}

    assert trusted_path(tmp_path / "other", environ) == "/usr/bin"


def test_the_repository_cannot_name_a_work_tree_elsewhere(tree: Tree, tmp_path: Path) -> None:
    root = tree({"a.py": ""}, git=True)
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside/secret.py").touch()
    git(root, "config", "core.worktree", str(tmp_path / "outside"))

    assert listing(root).files == ("a.py",)


def test_variables_of_a_calling_git_do_not_mislead(
    tree: Tree, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = tree({"a.py": ""}, git=True)
    monkeypatch.setenv("GIT_DIR", "/nonexistent")
    monkeypatch.setenv("GIT_INDEX_FILE", "/nonexistent")

    assert listing(root).files == ("a.py",)


@pytest.mark.parametrize("broken", ["no git on PATH", "a .git that is none"])
def test_without_git_s_help_the_files_are_the_same(
    tree: Tree, monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    root = tricky(tree)
    expected = listing(root)
    if broken == "no git on PATH":
        monkeypatch.setenv("PATH", "/nonexistent")
    else:
        (root / ".git/config").write_text("[core\n")

    assert listing(root) == expected


@pytest.mark.parametrize(
    ("paths", "exclude", "files"),
    [
        pytest.param(["pkg"], [], ("pkg/a.py", "pkg/sub/b.py"), id="a folder"),
        pytest.param(["pkg/a.py"], [], ("pkg/a.py",), id="a file"),
        pytest.param(["ignored.log"], [], ("ignored.log",), id="a file by name, though ignored"),
        pytest.param(["pkg/sub", "c.py"], [], ("c.py", "pkg/sub/b.py"), id="two"),
        pytest.param([".", "pkg"], ["pkg/"], (".gitignore", "c.py"), id="all but a folder"),
        pytest.param([], ["*.py", "!c.py"], (".gitignore", "c.py"), id="gitignore words"),
        pytest.param(["pk"], [], (), id="no part of a name"),
    ],
)
@pytest.mark.parametrize("use_git", [True, False])
def test_paths_limit_and_exclude_leaves_out(
    tree: Tree, paths: list[str], exclude: list[str], files: tuple[str, ...], use_git: bool
) -> None:
    content = {"pkg/a.py": "", "pkg/sub/b.py": "", "c.py": "", "ignored.log": ""}
    root = tree({**content, ".gitignore": "*.log\n"}, git=True)

    assert listing(root, paths, exclude, use_git=use_git).files == files


def test_exclude_is_relative_to_its_base(tree: Tree) -> None:
    root = tree({"pkg/a.py": "", "a.py": ""})

    assert listing(root, [], ["/a.py"], exclude_base="pkg").files == ("a.py",)


def test_a_very_deep_tree_is_listed(tmp_path: Path) -> None:
    deep = tmp_path / "/".join(["d"] * 600)
    subprocess.run(["mkdir", "-p", str(deep)], check=True)  # pathlib recurses, and gives up
    (deep / "x.py").touch()
    git(tmp_path, "init", "-q")

    assert len(listing(tmp_path).files) == 1
    assert listing(tmp_path, use_git=False) == listing(tmp_path)


def test_the_root_is_the_nearest_repository(tree: Tree, tmp_path: Path) -> None:
    root = tree({"pkg/a.py": ""}, git=True)
    loose = tmp_path / "loose"
    loose.mkdir()
    (loose / "b.py").touch()

    assert repository_root(root / "pkg/a.py") == root
    assert repository_root(loose / "b.py") == loose
    assert repository_root(loose) == loose


def test_a_file_is_looked_for_upward_as_far_as_the_root(tree: Tree, tmp_path: Path) -> None:
    root = tree({"pkg/sub/a.py": "", "pkg/gates.yaml": ""})
    (tmp_path / "above.yaml").touch()

    assert find_upward("gates.yaml", root / "pkg/sub", root) == root / "pkg/gates.yaml"
    assert find_upward("above.yaml", root / "pkg", root) is None


@pytest.mark.parametrize(
    ("environ", "place"),
    [
        pytest.param({"SDLC_CACHE_DIR": "x/named"}, "named", id="named"),
        pytest.param({"XDG_CACHE_HOME": "x/xdg"}, "xdg/sdlc", id="XDG"),
        pytest.param({"HOME": "x"}, None, id="home"),
    ],
)
def test_the_cache_folder_is_where_the_environment_says(
    tmp_path: Path, environ: dict[str, str], place: str | None
) -> None:
    full = {name: value.replace("x", str(tmp_path), 1) for name, value in environ.items()}
    usual = "Library/Caches/sdlc" if sys.platform == "darwin" else ".cache/sdlc"

    folder = cache_dir(full)

    assert folder == tmp_path / (place or usual)
    assert folder.is_dir()


def test_without_a_home_there_is_no_cache_folder(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    assert cache_dir({}) is None
    assert cache_dir({"SDLC_CACHE_DIR": str(tmp_path / "file" / "x")}) is None


def test_a_file_is_replaced_whole_and_keeps_its_permissions(tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    path.write_text("old")
    path.chmod(0o640)
    link = tmp_path / "link"
    link.symlink_to(path)

    write_atomic(link, "new \udcff é\r\n")

    assert path.read_bytes() == "new \\udcff é\r\n".encode()
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert link.is_symlink()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["link", "report.json"]


def test_a_file_that_cannot_be_written_says_why(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(WorkError, match=r"cannot write .*: (File exists|Not a directory)"):
        write_atomic(tmp_path / "file" / "report", b"x")


def test_the_folders_above_a_file_are_made(tmp_path: Path) -> None:
    write_atomic(tmp_path / "new" / "folder" / "report", b"x")

    assert (tmp_path / "new" / "folder" / "report").read_bytes() == b"x"


def test_a_device_is_written_in_place() -> None:
    write_atomic(Path("/dev/null"), "x")

    assert stat.S_ISCHR(os.stat("/dev/null").st_mode)
