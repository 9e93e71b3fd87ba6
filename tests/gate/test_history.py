import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from sdlc_cli.core.errors import NothingToDo, WorkError
from sdlc_cli.core.listing import listing
from sdlc_cli.gate import history

Tree = Callable[..., Path]
WHO = ("-c", "user.name=t", "-c", "user.email=t@t")


def git(root: Path, *words: str, data: bytes = b"") -> str:
    done = subprocess.run(
        ["git", *WHO, *words], cwd=root, check=True, capture_output=True, input=data
    )
    return done.stdout.decode().strip()


def commit(root: Path, subject: str, files: dict[str, str | bytes | None]) -> None:
    for name, content in files.items():
        path = root / name
        if content is None:
            path.unlink()
            if not any(path.parent.iterdir()):
                path.parent.rmdir()
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    git(root, "add", "-A", "-f")
    git(root, "commit", "-qm", subject)


def content(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and ".git" not in path.relative_to(folder).parts
    }


def test_each_state_is_shown_byte_for_byte(tree: Tree) -> None:
    root = tree({"a.py": "1\n", "sub/deep/b.bin": b"\0\xff\r\n", "gone.py": "x\n"}, git=True)
    commit(root, "second: ünïcode", {"a.py": "2\n", "gone.py": None, "new/é.py": "3\n"})
    commit(root, "a folder for a file", {"sub/deep/b.bin": None, "sub/deep": "file\n"})

    past = history.commits(root, 10)
    assert [one.subject for one in past] == ["a folder for a file", "second: ünïcode", "start"]
    assert all(one.id.startswith(one.short) for one in past)
    with history.opened(root) as scratch:
        shown = []
        for one in (*past, past[0]):
            files = scratch.show(one)
            there = content(scratch.folder)
            assert files == set(there)
            assert listing(scratch.folder).files == tuple(sorted(there))
            shown.append(there)
        folder = scratch.folder

    assert shown[0] == shown[3] == {"a.py": b"2\n", "new/é.py": b"3\n", "sub/deep": b"file\n"}
    assert shown[1] == {"a.py": b"2\n", "new/é.py": b"3\n", "sub/deep/b.bin": b"\0\xff\r\n"}
    assert shown[2] == {"a.py": b"1\n", "gone.py": b"x\n", "sub/deep/b.bin": b"\0\xff\r\n"}
    assert not folder.exists()


def test_a_tracked_file_that_is_ignored_is_listed(tree: Tree) -> None:
    root = tree({"a.py": "1\n"}, git=True)
    commit(root, "ignored", {".gitignore": "*.gen.py\n", "x.gen.py": "1\n"})

    with history.opened(root) as scratch:
        scratch.show(history.commits(root, 1)[0])
        assert listing(scratch.folder).files == (".gitignore", "a.py", "x.gen.py")


def test_nothing_that_the_repository_names_is_run(tree: Tree, tmp_path: Path) -> None:
    root = tree({".gitattributes": "* filter=evil export-subst\n", "a.py": "$Format:%H$\n"},
                git=True)  # fmt: skip
    mark = tmp_path / "ran"
    for key in ("filter.evil.smudge", "gpg.program", "core.fsmonitor", "core.pager"):
        git(root, "config", key, f"touch {mark}")
    git(root, "config", "log.showSignature", "true")
    for hook in ("post-checkout", "post-index-change", "reference-transaction"):
        path = root / ".git" / "hooks" / hook
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"#!/bin/sh\ntouch {mark}\n")
        path.chmod(0o755)

    with history.opened(root) as scratch:
        scratch.show(history.commits(root, 1)[0])
        assert (scratch.folder / "a.py").read_text() == "$Format:%H$\n"

    assert not mark.exists()


def test_links_stay_links_and_lead_nobody_out(tree: Tree, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    root = tree({"a.py": "1\n"}, git=True)
    os.symlink(outside, root / "link")
    commit(root, "a link", {})
    # What git itself never writes: a link, and a file below it.
    blob = git(root, "hash-object", "-w", "--stdin", data=b"bad\n")
    target = git(root, "hash-object", "-w", "--stdin", data=os.fsencode(outside))
    inner = git(root, "mktree", data=f"100644 blob {blob}\tb.py\n".encode())
    rows = f"120000 blob {target}\tlink\n040000 tree {inner}\tlink\n"
    evil = git(root, "mktree", data=rows.encode())
    made = git(root, "commit-tree", evil, "-p", "HEAD", "-m", "evil")
    git(root, "update-ref", "HEAD", made)

    with history.opened(root) as scratch:
        for one in reversed(history.commits(root, 3)):
            scratch.show(one)
            assert (scratch.folder / "link").is_symlink() or one.subject == "start"

    assert list(outside.iterdir()) == []


@pytest.mark.parametrize("name", ["..", ".git", ".GIT", "."])
def test_a_name_that_leads_out_is_left_out(name: str) -> None:
    rows = f"100644 blob {'0' * 40}       1\t{name}/x\0".encode()
    rows += f"100644 blob {'0' * 40}       1\tgood\0".encode()

    assert set(history._entries(rows)) == {"good"}


def test_of_a_huge_file_only_the_size_is_real(tree: Tree, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history, "LARGEST", 10)
    root = tree({"big.csv": "x" * 11, "small.csv": "x" * 10}, git=True)

    with history.opened(root) as scratch:
        scratch.show(history.commits(root, 1)[0])
        assert content(scratch.folder) == {"big.csv": b"\0" * 11, "small.csv": b"x" * 10}


def test_much_is_asked_of_git_in_pieces(tree: Tree, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history, "_AT_ONCE", 15)
    files: dict[str, str | bytes] = {f"{n}.txt": f"{n}" * 10 for n in range(9)}
    root = tree(files, git=True)

    with history.opened(root) as scratch:
        scratch.show(history.commits(root, 1)[0])
        assert content(scratch.folder) == {k: str(v).encode() for k, v in files.items()}


def test_side_branches_play_no_part(tree: Tree) -> None:
    root = tree({"a.py": "1\n"}, git=True)
    git(root, "checkout", "-qb", "side")
    commit(root, "on the side", {"b.py": "1\n"})
    git(root, "checkout", "-q", "main")
    git(root, "merge", "-q", "--no-ff", "-m", "merged", "side")

    assert [one.subject for one in history.commits(root, 9)] == ["merged", "start"]
    assert [one.subject for one in history.commits(root, 1)] == ["merged"]


def test_no_past_is_told_apart(tree: Tree, tmp_path: Path) -> None:
    with pytest.raises(WorkError, match="no git repository"):
        history.commits(tree({"a.py": ""}), 3)

    git(tmp_path, "init", "-q", "empty")
    with pytest.raises(NothingToDo, match="no commit yet"):
        history.commits(tmp_path / "empty", 3)


def test_a_missing_object_is_an_error(tree: Tree) -> None:
    root = tree({"a.py": "1\n"}, git=True)
    blob = git(root, "rev-parse", "HEAD:a.py")
    (root / ".git/objects" / blob[:2] / blob[2:]).unlink()

    with history.opened(root) as scratch, pytest.raises(WorkError, match=r"a\.py is missing|tell"):
        scratch.show(history.commits(root, 1)[0])
