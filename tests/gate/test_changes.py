"""What a change consists of, asked of real git repositories."""

import json
import os
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from sdlc_cli.core.errors import SdlcError, UsageError, WorkError
from sdlc_cli.core.finding import Location
from sdlc_cli.gate.changes import ALL, Changes, changes, old_texts

Tree = Callable[..., Path]

NAMES = ("-c", "user.name=t", "-c", "user.email=t@t")


def line(*numbers: int) -> frozenset[int]:
    return frozenset(numbers)


def git(root: Path, *words: str) -> str:
    done = subprocess.run(
        ["git", *NAMES, "-c", "protocol.file.allow=always", *words],
        cwd=root, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def write(root: Path, files: Mapping[str, str | bytes]) -> None:
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)


def commit(root: Path, message: str = "more") -> str:
    git(root, "add", "-A")
    git(root, "commit", "-qm", message)
    return git(root, "rev-parse", "HEAD")


TEN = "".join(f"line {n}\n" for n in range(1, 11))


@pytest.fixture
def repo(tree: Tree) -> Path:
    """One commit on main, and a branch `work` at it."""
    root = tree({"a.py": TEN, "b.py": "b\n", "old/c.py": TEN}, git=True)
    git(root, "checkout", "-qb", "work")
    return root


def test_committed_staged_unstaged_and_untracked_lines_all_count(repo: Path) -> None:
    write(repo, {"a.py": TEN.replace("line 2\n", "two\n")})
    commit(repo)
    write(repo, {"b.py": "b\nstaged\n"})
    git(repo, "add", "b.py")
    write(repo, {"a.py": TEN.replace("line 2\n", "two\n") + "unstaged\n", "new.py": "x\n"})

    found = changes(repo, "main")

    assert found.files == {"a.py": line(2, 11), "b.py": line(2), "new.py": ALL}
    assert found.base == git(repo, "rev-parse", "main")
    assert not found.deleted
    assert not found.renamed


def test_commits_on_the_base_since_the_branch_left_it_are_no_part_of_the_change(
    repo: Path,
) -> None:
    write(repo, {"b.py": "mine\n"})
    commit(repo)
    git(repo, "checkout", "-q", "main")
    write(repo, {"a.py": "theirs\n"})
    commit(repo)
    git(repo, "checkout", "-q", "work")

    assert changes(repo, "main").files == {"b.py": line(1)}


def test_renames_are_followed_committed_or_only_made(repo: Path) -> None:
    git(repo, "mv", "a.py", "moved.py")
    commit(repo)
    os.rename(repo / "old/c.py", repo / "not added.py")
    write(repo, {"not added.py": TEN.replace("line 5\n", "five\n")})

    found = changes(repo, "main")

    assert found.files == {"moved.py": frozenset(), "not added.py": line(5)}
    assert found.renamed == {"moved.py": "a.py", "not added.py": "old/c.py"}
    assert git(repo, "status", "--porcelain").splitlines()[-1] == '?? "not added.py"'


def test_a_removed_line_lies_between_two_others(repo: Path) -> None:
    write(repo, {"a.py": TEN.replace("line 4\n", "")})

    found = changes(repo, "main")

    assert found.files == {"a.py": frozenset()}
    assert found.touches(Location(path="a.py", line=3, end_line=4))
    assert not found.touches(Location(path="a.py", line=3))
    assert not found.touches(Location(path="a.py", line=4, end_line=9))
    assert found.touches(Location(path="a.py"))


def test_deleted_files_modes_binaries_and_old_line_ends(repo: Path) -> None:
    write(repo, {"picture": b"\0\1", "mac.py": "a\rb\rc\n"})
    base = commit(repo)
    os.remove(repo / "b.py")
    (repo / "a.py").chmod(0o755)
    write(repo, {"picture": b"\0\2", "mac.py": "a\rb\rc\nd\n"})

    found = changes(repo, base)

    assert found.deleted == {"b.py"}
    assert found.files == {"a.py": frozenset(), "mac.py": ALL, "picture": ALL}
    assert not found.changed("a.py")
    assert not found.touches(Location(path="a.py"))


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("with space.py", id="space"),
        pytest.param("line\nbreak.py", id="line break"),
        pytest.param('quote"back\\slash\ttab.py', id="quotes"),
        pytest.param("ünï/日本.py", id="unicode"),
        pytest.param(os.fsdecode(b"not-utf8-\xff.py"), id="bytes"),
        pytest.param("-dash.py", id="dash"),
        pytest.param("+++ b/other.py", id="like a patch"),
    ],
)
def test_any_name_keeps_its_lines(repo: Path, name: str) -> None:
    write(repo, {name: TEN})
    base = commit(repo)
    write(repo, {name: TEN.replace("line 3\n", "+++ b/b.py\n@@ -1 +1 @@\n")})

    found = changes(repo, base)

    assert found.files == {name: line(3, 4)}
    assert old_texts(repo, found, [name]) == {name: TEN.encode()}


def test_the_users_and_the_repositorys_settings_change_nothing(repo: Path) -> None:
    for key, value in {
        "diff.noprefix": "true", "diff.mnemonicPrefix": "true", "diff.renames": "false",
        "diff.context": "5", "color.diff": "always", "diff.orderFile": "/nowhere",
        "core.quotePath": "false", "diff.relative": "true", "diff.autoRefreshIndex": "false",
        "diff.interHunkContext": "9", "diff.ignoreSubmodules": "all", "diff.algorithm": "patience",
    }.items():  # fmt: skip
        git(repo, "config", key, value)
    git(repo, "mv", "a.py", "moved.py")
    write(repo, {"moved.py": TEN.replace("line 3\n", "x\n")})
    os.utime(repo / "b.py")

    assert changes(repo, "main").files == {"moved.py": line(3)}


def test_nothing_that_a_repository_names_is_run(repo: Path, tmp_path: Path) -> None:
    mark = tmp_path / "was run"
    trap = f"sh -c 'touch \"{mark}\"; cat'"
    for key in (
        "filter.evil.clean", "filter.evil.process", "filter.evil.smudge", "diff.evil.command",
        "diff.evil.textconv", "diff.external", "core.fsmonitor", "core.pager",
        "filter.a=b.clean",
    ):  # fmt: skip
        git(repo, "config", key, trap)
    git(repo, "config", "filter.evil.required", "true")
    hook = repo / ".git/hooks/post-index-change"
    hook.write_text(f"#!/bin/sh\ntouch '{mark}'\n")
    hook.chmod(0o755)
    write(repo, {".gitattributes": "*.py filter=evil diff=evil\n", "a.py": TEN + "x\n"})
    os.rename(repo / "old/c.py", repo / "moved.py")

    found = changes(repo, "main")

    assert not mark.exists()
    assert found.files == {".gitattributes": ALL, "a.py": line(11), "moved.py": frozenset()}


def test_a_submodule_counts_as_one_changed_thing(repo: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    git(other, "init", "-qb", "main")
    write(other, {"x.py": "x\n"})
    commit(other)
    git(repo, "submodule", "--quiet", "add", str(other), "sub")
    base = commit(repo)
    write(repo / "sub", {"x.py": "y\n"})
    assert changes(repo, base).empty

    commit(repo / "sub")

    found = changes(repo, base)
    assert found.files == {"sub": ALL}
    assert old_texts(repo, found, ["sub"]) == {}


def test_an_unchanged_tree_is_an_empty_change(repo: Path) -> None:
    os.utime(repo / "a.py")

    found = changes(repo, "main")

    assert found.empty
    assert found == Changes(base=found.base)


def test_a_worktree_of_a_repository_will_do(repo: Path, tmp_path: Path) -> None:
    git(repo, "worktree", "add", "-q", str(tmp_path / "other"), "-b", "third")
    write(tmp_path / "other", {"b.py": "c\n"})

    assert changes(tmp_path / "other", "main").files == {"b.py": line(1)}


def test_conflicts_and_changed_kinds_count_as_whole_files(repo: Path) -> None:
    write(repo, {"a.py": "mine\n"})
    os.remove(repo / "b.py")
    (repo / "b.py").symlink_to("a.py")
    commit(repo)
    git(repo, "checkout", "-q", "main")
    write(repo, {"a.py": "theirs\n"})
    commit(repo)
    git(repo, "checkout", "-q", "work")
    merged = subprocess.run(
        ["git", *NAMES, "merge", "main"], cwd=repo, capture_output=True, check=False
    )
    assert merged.returncode

    found = changes(repo, "work~1")
    assert found.touches(Location(path="a.py", line=1))
    assert found.files["b.py"] == ALL


# Which commit is the base


@pytest.fixture
def clone(repo: Path, tmp_path: Path) -> Path:
    """A clone that has another commit on its branch `work`."""
    git(repo, "checkout", "-q", "main")
    where = tmp_path / "clone"
    git(tmp_path, "clone", "-q", f"file://{repo}", str(where))
    git(where, "checkout", "-qb", "work")
    write(where, {"b.py": "work\n"})
    commit(where)
    return where


@pytest.mark.parametrize(
    "environ",
    [
        pytest.param({}, id="the remote's default branch"),
        pytest.param({"GITHUB_BASE_REF": "main"}, id="GitHub"),
        pytest.param({"CI_MERGE_REQUEST_TARGET_BRANCH_NAME": "main"}, id="GitLab"),
    ],
)
def test_auto_finds_the_base(clone: Path, environ: dict[str, str]) -> None:
    assert changes(clone, "auto", environ).files == {"b.py": line(1)}


def test_auto_takes_gitlabs_commit(clone: Path) -> None:
    base = git(clone, "rev-parse", "HEAD")
    write(clone, {"a.py": "newest\n"})
    commit(clone)

    assert changes(clone, "auto", {"CI_MERGE_REQUEST_DIFF_BASE_SHA": base}).files == {
        "a.py": line(1)
    }


def test_auto_without_a_remote_takes_main(repo: Path) -> None:
    write(repo, {"b.py": "c\n"})

    assert changes(repo, "auto", {}).files == {"b.py": line(1)}


def pushed(clone: Path, tmp_path: Path, before: str) -> dict[str, dict[str, str]]:
    """What GitHub and GitLab say to a job after a push to `main`."""
    event = tmp_path / "event.json"
    event.write_text(json.dumps({"ref": "refs/heads/main", "before": before}))
    return {
        "GitHub": {"GITHUB_EVENT_NAME": "push", "GITHUB_EVENT_PATH": str(event)},
        "GitLab": {"CI_COMMIT_BEFORE_SHA": before},
    }


@pytest.mark.parametrize("ci", ["GitHub", "GitLab"])
class TestAPush:
    def test_to_the_default_branch_is_held_against_what_stood_there(
        self, clone: Path, tmp_path: Path, ci: str
    ) -> None:
        before = git(clone, "rev-parse", "main")
        git(clone, "checkout", "-q", "main")
        git(clone, "merge", "-q", "work")
        git(clone, "update-ref", "refs/remotes/origin/main", "main")

        found = changes(clone, "auto", pushed(clone, tmp_path, before)[ci])

        assert found.files == {"b.py": line(1)}

    def test_to_a_branch_is_held_against_the_default_one(
        self, clone: Path, tmp_path: Path, ci: str
    ) -> None:
        before = git(clone, "rev-parse", "HEAD")
        write(clone, {"a.py": "newest\n"})
        commit(clone)

        found = changes(clone, "auto", pushed(clone, tmp_path, before)[ci])

        assert set(found.files) == {"a.py", "b.py"}

    def test_that_made_the_branch_has_nothing_before_it(
        self, clone: Path, tmp_path: Path, ci: str
    ) -> None:
        git(clone, "checkout", "-q", "main")

        assert changes(clone, "auto", pushed(clone, tmp_path, "0" * 40)[ci]).files == {}

    def test_whose_past_is_not_in_the_clone_says_what_to_fetch(
        self, clone: Path, tmp_path: Path, ci: str
    ) -> None:
        git(clone, "checkout", "-q", "main")

        with pytest.raises(WorkError, match="which the push came after") as caught:
            changes(clone, "auto", pushed(clone, tmp_path, "1" * 40)[ci])

        assert caught.value.hint.startswith("git fetch")


@pytest.mark.parametrize("event", ["", "[]", "{", "{}"])
def test_an_event_that_says_nothing_is_passed_over(clone: Path, tmp_path: Path, event: str) -> None:
    git(clone, "checkout", "-q", "main")
    (tmp_path / "event.json").write_text(event)
    environ = {"GITHUB_EVENT_NAME": "push", "GITHUB_EVENT_PATH": str(tmp_path / "event.json")}

    assert changes(clone, "auto", environ).files == {}


def merge_ref(clone: Path, tmp_path: Path, depth: int) -> Path:
    """A checkout as GitHub makes it for a request: its merge, `depth` commits deep."""
    git(clone, "checkout", "-q", "main")
    git(clone, "merge", "-q", "--no-ff", "-m", "merge", "work")
    git(clone, "update-ref", "refs/pull/7/merge", "HEAD")
    where = tmp_path / f"runner{depth}"
    where.mkdir()
    git(where, "init", "-q")
    git(where, "remote", "add", "origin", f"file://{clone}")
    git(where, "fetch", "-q", f"--depth={depth}", "origin", "refs/pull/7/merge")
    git(where, "checkout", "-q", "--detach", "FETCH_HEAD")
    return where


PULL = {"GITHUB_BASE_REF": "main", "GITHUB_REF": "refs/pull/7/merge"}


def test_a_request_two_commits_deep_is_enough_on_github(clone: Path, tmp_path: Path) -> None:
    runner = merge_ref(clone, tmp_path, depth=2)

    assert changes(runner, "auto", PULL).files == {"b.py": line(1)}


def test_a_request_one_commit_deep_says_what_to_fetch(clone: Path, tmp_path: Path) -> None:
    runner = merge_ref(clone, tmp_path, depth=1)

    with pytest.raises(WorkError, match="origin/main is not in this clone") as caught:
        changes(runner, "auto", PULL)

    command = caught.value.hint.partition(" (")[0]
    assert command.startswith("git fetch --unshallow origin main:")
    git(runner, *command.split()[1:])
    assert changes(runner, "auto", {"GITHUB_BASE_REF": "main"}).base


def shallow(repo: Path, tmp_path: Path) -> Path:
    git(repo, "checkout", "-q", "main")
    for n in range(3):
        write(repo, {"b.py": f"{n}\n"})
        commit(repo)
    where = tmp_path / "shallow"
    git(tmp_path, "clone", "-q", "--depth=1", "--no-single-branch", f"file://{repo}", str(where))
    return where


def test_a_shallow_clone_without_the_merge_base_says_how_to_deepen_it(
    repo: Path, tmp_path: Path
) -> None:
    write(repo, {"a.py": "work\n"})
    commit(repo)
    where = shallow(repo, tmp_path)

    with pytest.raises(WorkError, match=r"shallow .* parted") as caught:
        changes(where, "origin/work")

    assert caught.value.hint.startswith("git fetch --unshallow origin")
    git(where, "fetch", "-q", "--unshallow", "origin")
    assert changes(where, "origin/work").files == {"b.py": line(1)}


def test_a_shallow_clone_of_one_branch_says_how_to_get_the_other(
    repo: Path, tmp_path: Path
) -> None:
    write(repo, {"b.py": "work\n"})
    commit(repo)
    where = tmp_path / "shallow"
    git(tmp_path, "clone", "-q", "--depth=1", "-b", "work", f"file://{repo}", str(where))

    with pytest.raises(WorkError, match=r"shallow .* origin/main") as caught:
        changes(where, "origin/main")

    command = caught.value.hint.partition(" (")[0]
    git(where, *command.split()[1:])
    assert "b.py" in changes(where, "origin/main").files


def unborn(root: Path) -> Path:
    folder = root / "unborn"
    folder.mkdir()
    git(folder, "init", "-q")
    return folder


def unrelated(root: Path) -> Path:
    git(root, "checkout", "-q", "--orphan", "island")
    write(root, {"a.py": "other\n"})
    commit(root)
    return root


def bare_folder(root: Path) -> Path:
    folder = root.parent / "nothing"
    folder.mkdir()
    return folder


def broken(root: Path) -> Path:
    folder = root.parent / "broken"
    folder.mkdir()
    (folder / ".git").write_text("gitdir: /nowhere\n")
    return folder


@pytest.mark.parametrize(
    ("make", "rev", "kind", "words", "hint"),
    [
        pytest.param(lambda r: r, "gone", UsageError, "no revision 'gone'", "fetch", id="missing"),
        pytest.param(lambda r: r, "--all", UsageError, "no revision", "fetch", id="an option"),
        pytest.param(lambda r: r, "", UsageError, "no revision", "fetch", id="empty"),
        pytest.param(unborn, "main", WorkError, "no commit yet", "commit", id="no commit"),
        pytest.param(unrelated, "main", WorkError, "unrelated", "made from", id="unrelated"),
        pytest.param(bare_folder, "main", WorkError, "no git", "clone", id="no repository"),
        pytest.param(broken, "main", WorkError, "cannot read", "status", id="broken"),
    ],
)
def test_what_git_cannot_tell_is_an_error_with_a_way_out(
    repo: Path,
    make: Callable[[Path], Path],
    rev: str,
    kind: type[SdlcError],
    words: str,
    hint: str,
) -> None:
    with pytest.raises(kind, match=words) as caught:
        changes(make(repo), rev)

    assert hint in caught.value.hint


def test_a_machine_without_git_is_told_so(repo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")

    with pytest.raises(WorkError, match="git is not installed"):
        changes(repo, "main")


def test_a_place_without_a_path_is_never_touched(repo: Path) -> None:
    write(repo, {"a.py": "x\n"})

    assert not changes(repo, "main").touches(Location())
