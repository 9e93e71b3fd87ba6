"""Asks git, also in repositories that nobody vouches for: nothing that they name is ever run."""

import errno
import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

from sdlc_cli.core.regular import read_regular

TIMEOUT_S = 60.0

# What a repository's own configuration could make git run, switched off: the file system monitor
# and hooks by configuration, and, for a partial clone, the fetch of missing objects, whose
# transport may be any command (git-config(1), gitprotocols). Filters: see `without_filters`.
_OPTIONS = (
    "--no-pager", "--literal-pathspecs", "--no-optional-locks",
    "-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null",
    "-c", "safe.bareRepository=explicit", "-c", "protocol.allow=never",
)  # fmt: skip
_ENVIRONMENT = {
    "GIT_ALLOW_PROTOCOL": "none",  # outranks protocol.* of the repository's configuration
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_OPTIONAL_LOCKS": "0",
    "LC_ALL": "C",
}

_asked_about: set[Path] = set()


def ask(
    root: Path,
    *words: str,
    data: bytes = b"",
    extra: Mapping[str, str] | None = None,
    timeout: float = TIMEOUT_S,
) -> subprocess.CompletedProcess[bytes]:
    """What `git WORDS` says in the repository whose top folder is `root`, and in no other.

    `data` is its standard input, `extra` more environment variables. The exit code is the
    caller's to look at. Raises OSError (there is no git) and subprocess.TimeoutExpired.
    """
    folders = trusted_path(root)
    program = shutil.which("git", path=folders)
    if program is None:
        raise FileNotFoundError(errno.ENOENT, "there is no git on PATH outside the repository")
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("GIT_") or name.startswith("GIT_CONFIG")
    }
    limits = {
        # Without them a broken .git would let git take a repository further up, or the
        # configuration name a work tree elsewhere.
        "GIT_CEILING_DIRECTORIES": str(root.parent),
        "GIT_WORK_TREE": str(root),
    }
    return subprocess.run(
        (program, *_OPTIONS, *words),
        cwd=root,
        env=kept | _ENVIRONMENT | limits | {"PATH": folders} | dict(extra or {}),
        input=data,
        capture_output=True,
        timeout=timeout,
        check=False,
    )


def trusted_path(root: Path, environ: Mapping[str, str] = os.environ) -> str:
    """PATH without the folders that are relative or lie in the repository at `root`.

    Through these a repository could have a program of its own run in the place of git. Symlinks
    count by where they lead; a worktree's repository counts as `root` too, and so does every
    root that was asked about before, whose files a scratch folder may hold.
    """
    _asked_about.update((root, Path(os.path.realpath(root)), *_main_tree(root)))
    kept = [
        folder
        for folder in environ.get("PATH", os.defpath).split(os.pathsep)
        if os.path.isabs(folder) and not any(_leads_into(folder, one) for one in _asked_about)
    ]
    return os.pathsep.join(kept) or os.devnull  # an empty PATH would mean the current folder


def _leads_into(folder: str, root: Path) -> bool:
    """True when `folder`, or a git in it, lies in `root`."""
    places = (folder, os.path.realpath(folder), os.path.realpath(os.path.join(folder, "git")))
    return any(Path(os.path.abspath(place)).is_relative_to(root) for place in places)


def _main_tree(root: Path) -> tuple[Path, ...]:
    """The folder whose repository `root` is a worktree or submodule of, if it is one."""
    try:
        mark = read_regular(root / ".git", 10_000) or b""
    except OSError:
        return ()
    place = Path(os.path.realpath(root / os.fsdecode(mark.removeprefix(b"gitdir:").strip())))
    if place.parent.name in ("worktrees", "modules") and place.parent.parent.name == ".git":
        return (place.parents[2],)
    return ()


def without_filters(root: Path) -> dict[str, str]:
    """Environment (for `ask`'s `extra`) that disarms the filters of the repository's own config.

    Comparing with the working tree runs `filter.NAME.clean` or `.process` on changed files. The
    user's own configuration is trusted, the repository's is not. Raises as `ask` does, and
    OSError for a git older than 2.26.
    """
    found = ask(root, "config", "--show-scope", "--name-only", "-z", "--get-regexp", r"^filter\.")
    if found.returncode not in (0, 1):  # 1: there are none
        raise OSError("git cannot list its filters; 2.26 is the oldest that can")
    words = found.stdout.split(b"\0")
    names = {
        os.fsdecode(name).rpartition(".")[0]
        for scope, name in zip(words[::2], words[1::2], strict=False)
        if scope in (b"local", b"worktree")
    }
    count = os.environ.get("GIT_CONFIG_COUNT", "")
    at = int(count) if count.isdecimal() else 0
    environment: dict[str, str] = {}
    for name in sorted(names):
        for key, value in (("clean", ""), ("smudge", ""), ("process", ""), ("required", "false")):
            environment[f"GIT_CONFIG_KEY_{at}"] = f"{name}.{key}"
            environment[f"GIT_CONFIG_VALUE_{at}"] = value
            at += 1
    return environment | {"GIT_CONFIG_COUNT": str(at)} if environment else {}
