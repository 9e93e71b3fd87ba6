"""States of a repository, each checked out in a folder of its own, all removed again."""

import contextlib
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

from sdlc_cli.core import git
from sdlc_cli.core.errors import WorkError
from sdlc_cli.core.i18n import msg
from sdlc_cli.gate import evidence, merge_base, scratch

TIMEOUT_S = 600.0  # for checking out one state
# `git stash create` makes a commit, which needs an author.
_AUTHOR = ("-c", "user.name=sdlc", "-c", "user.email=sdlc@localhost", "-c", "commit.gpgSign=false")


class Worktrees:
    """Checks out states of the repository at `root`; made by `opened`."""

    def __init__(self, root: Path, folder: Path) -> None:
        self._root = root
        self._folder = folder
        self._filters = git.without_filters(root)
        self.made: list[Path] = []

    def add(self, commit: str, name: str) -> Path:
        """The state `commit` in a folder called `name`. Raises WorkError."""
        path = self._folder / name
        self.made.append(path)  # first: git may leave half of it behind
        words = ("worktree", "add", "--quiet", "--force", "--detach", str(path), commit)
        _said(self._root, *words, extra=self._filters)
        return path

    def apply(self, path: Path, patch: Path) -> None:
        """Change the files in the worktree `path` as `patch` (a diff) says. Raises WorkError."""
        try:
            data = evidence.read(patch, patch.name)
        except OSError as error:
            raise WorkError(
                msg("the patch {file} cannot be read: {why}", file=patch.name,
                    why=error.strerror or str(error))
            ) from error  # fmt: skip
        done = git.ask(path, "apply", "--whitespace=nowarn", "-", data=data, timeout=TIMEOUT_S)
        if done.returncode:
            raise WorkError(
                msg("the patch {file} does not apply: {why}", file=patch.name,
                    why=merge_base.said(done.stderr)),
                hint=msg("make it with 'git diff' against the commit that is measured"),
            )  # fmt: skip

    def remove(self) -> None:
        """Take all of them away, and what git noted about them."""
        for path in self.made:
            scratch.remove(path)  # first: git gives up where a folder is read-only
            with contextlib.suppress(OSError, subprocess.TimeoutExpired):
                git.ask(self._root, "worktree", "remove", "--force", "--force", str(path))


@contextlib.contextmanager
def opened(root: Path) -> Iterator[Worktrees]:
    """A place for worktrees of the repository at `root`, removed with all in it at the end."""
    with tempfile.TemporaryDirectory(prefix="sdlc-", ignore_cleanup_errors=True) as folder:
        trees = Worktrees(root, Path(folder).resolve())
        try:
            yield trees
        finally:
            trees.remove()


def present(root: Path) -> str:
    """A commit that holds HEAD and the uncommitted changes of tracked files.

    The working tree, the index and the stash list stay as they are; files that were never added
    are not part of it (see `unknown_files`).
    """
    words = (*_AUTHOR, "stash", "create")
    made = _said(root, *words, extra=git.without_filters(root))
    return made or _said(root, "rev-parse", "HEAD")


def unknown_files(root: Path) -> int:
    """How many files git neither tracks nor ignores."""
    listed = _said(root, "ls-files", "-z", "--others", "--exclude-standard")
    return sum(1 for name in listed.split("\0") if name)


def same(root: Path, one: str, other: str) -> bool:
    """Whether two commits hold the same files."""
    tree, another = (_said(root, "rev-parse", f"{commit}^{{tree}}") for commit in (one, other))
    return tree == another


def tracked(root: Path, commit: str) -> list[str]:
    """The paths of all files in the commit."""
    listed = _said(root, "ls-tree", "-r", "-z", "--name-only", "--full-tree", commit)
    return [name for name in listed.split("\0") if name]


def _said(root: Path, *words: str, extra: dict[str, str] | None = None) -> str:
    """What git prints. Raises WorkError when it refuses."""
    command = next(word for word in words if not word.startswith("-") and "=" not in word)
    try:
        done = git.ask(root, *words, extra=extra, timeout=TIMEOUT_S)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise WorkError(
            msg("git {command} could not be run: {why}", command=command, why=str(error))
        ) from error
    if done.returncode:
        raise WorkError(
            msg("git {command} failed: {why}", command=command,
                why=merge_base.said(done.stderr))
        )  # fmt: skip
    return done.stdout.decode("utf-8", "surrogateescape").strip("\n")
