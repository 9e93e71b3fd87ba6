"""Which files a project consists of: git's answer where there is one, else our own walk."""

import os
import stat
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from sdlc_cli.core import git
from sdlc_cli.core.i18n import msg
from sdlc_cli.core.ignore import Rules, rules, rules_in
from sdlc_cli.core.regular import read_regular

# Made by tools, never by people: left out unless git tracks what is in them.
LEFT_OUT = frozenset({
    ".git", ".hg", ".svn", ".bzr", "node_modules", "__pycache__", ".tox", ".nox", ".eggs",
    ".mypy_cache", ".ruff_cache", ".pytest_cache", ".hypothesis", ".pytype", ".ipynb_checkpoints",
})  # fmt: skip
VENV_MARK = "pyvenv.cfg"
IGNORE_FILE_LIMIT = 1_000_000  # bytes; a larger .gitignore is not one
Above = Sequence[tuple[str, Rules]]  # folders, a slash after each, and the rules they hold


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """Regular files, sorted, relative to the root, with `/`; and what was met and left, and why.

    Names that are not UTF-8 hold surrogates, as `os.fsdecode` makes them.
    """

    files: tuple[str, ...]
    skipped: tuple[tuple[str, str], ...] = ()


def listing(
    root: Path,
    paths: Sequence[str] = (),
    exclude: Iterable[str] = (),
    *,
    exclude_base: str = "",
    use_git: bool = True,
) -> Listing:
    """The files under `root` that are the project's own.

    Files that git tracks, whatever their folder is called, and those that no ignore rule names.
    Of the latter, and of all where git cannot be asked, a folder that holds another repository,
    a virtual environment or what tools left behind is passed over. Symlinks to folders are
    never followed. `paths` limits the answer to these files and folders; a file that is named
    there counts even when it is ignored. `exclude` are gitignore patterns relative to
    `exclude_base`, a folder relative to `root`.
    """
    root = Path(os.path.realpath(root))
    wanted = sorted({path.strip("/") for path in paths} - {".", ""})
    if len(wanted) < len({path.strip("/") or "." for path in paths}):
        wanted = []  # the root itself was asked for: no limit
    tree, whole = _Tree(root), _Tree(root, whole=True)
    answer = _from_git(root, wanted) if use_git else _Answer()
    names = answer.others if answer.given else _walk(tree, wanted)
    names.update(path for path in wanted if tree.is_file(path))
    names -= answer.tracked
    places = dict.fromkeys(names | tree.specials(names), tree)
    places |= dict.fromkeys(answer.tracked | whole.specials(answer.tracked), whole)
    found = _sift(root, places, rules(exclude), f"{exclude_base}/" if exclude_base else "")
    if not answer.refused:
        return found
    return replace(found, skipped=tuple(sorted((*found.skipped, (".git", answer.refused)))))


def _sift(root: Path, places: Mapping[str, "_Tree"], excluded: Rules, base: str) -> Listing:
    def is_excluded(name: str) -> bool:
        return name.startswith(base) and excluded.covers(name[len(base) :])

    files: set[str] = set()
    skipped: dict[str, str] = {}
    links: list[str] = []
    for name, tree in places.items():
        if is_excluded(name):
            continue
        kind = tree.kind(name)
        if kind == "file":
            files.add(name)
        elif kind == "link":
            links.append(name)
        elif kind in _REASONS:
            skipped[name] = _REASONS[kind]
    for name in links:
        if reason := _link_reason(root, name, files):
            skipped[name] = reason
    for tree in set(places.values()):
        # What is in a folder is excluded when the folder is.
        closed = tree.closed.items()
        skipped.update((name, why) for name, why in closed if not is_excluded(f"{name}/.git"))
    return Listing(files=tuple(sorted(files)), skipped=tuple(sorted(skipped.items())))


_REASONS: Mapping[str, str] = {
    "folder": msg("another repository (a submodule?), not looked into"),
    "pipe": msg("a named pipe, not a file"),
    "socket": msg("a socket, not a file"),
    "device": msg("a device, not a file"),
}


def _link_reason(root: Path, name: str, files: set[str]) -> str:
    """Why the symlink is not judged; empty when its target is, under its own name."""
    try:
        target = os.path.realpath(root / name, strict=True)
    except FileNotFoundError:
        return msg("a symlink to nothing")
    except OSError:
        return msg("a symlink that leads nowhere: it is part of a loop or may not be read")
    inside = os.path.relpath(target, root)
    if inside == ".." or inside.startswith("../"):
        return msg("a symlink out of the tree")
    if os.path.isdir(target):
        return msg("a symlink to a folder, not followed")
    return "" if inside in files else msg("a symlink to a file that is left out")


@dataclass(slots=True, eq=False)
class _Tree:
    """The real folders below `root`, each read once; no symlink is ever followed.

    `whole`: none is left out, as for what git tracks. `closed`: folders that were met and are
    not looked into, with the reason.
    """

    root: Path
    whole: bool = False
    closed: dict[str, str] = field(default_factory=dict)
    _folders: dict[str, dict[str, str]] = field(default_factory=dict)
    _own: dict[str, bool] = field(default_factory=dict)

    def entries(self, folder: str) -> dict[str, str]:
        """Name -> kind of what is in `folder`; nothing when it is no folder of the project's."""
        own = self._own.get(folder) or self.is_own(folder)
        return self._folders_of(folder) if own else {}

    def _read(self, folder: str) -> dict[str, str]:
        try:
            with os.scandir(os.path.join(self.root, folder)) as entries:
                return {
                    entry.name: "file" if entry.is_file(follow_symlinks=False) else _kind(entry)
                    for entry in entries
                }
        except FileNotFoundError:
            return {}
        except OSError as error:
            why = error.strerror or str(error)
            self.closed[folder or "."] = msg("the folder cannot be read: {why}", why=why)
            return {}

    def is_own(self, folder: str) -> bool:
        """True for a real folder all the way down that nothing here leaves out."""
        known = self._own.get(folder)  # only what lies in an own folder is ever asked about
        if known is not None or not folder:
            return known is not False
        parent = folder.rpartition("/")[0]
        if not parent or self._own.get(parent):
            return self._is_own_below_own(folder)
        at = 0
        while at < len(folder):  # from the top down, so that any depth will do
            at = folder.find("/", at + 1)
            at = len(folder) if at < 0 else at
            if not self._is_own_below_own(folder[:at]):
                return False
        return True

    def _is_own_below_own(self, folder: str) -> bool:
        known = self._own.get(folder)
        if known is None:
            parent, _, name = folder.rpartition("/")
            known = self.whole or name not in LEFT_OUT
            known = known and self._folders_of(parent).get(name) == "folder"
            if known and not self.whole:
                known = VENV_MARK not in self._folders_of(folder)
                if known and self.is_repository(folder):
                    known = False
                    self.closed[folder] = _REASONS["folder"]
            if not known:
                self._folders[folder] = {}
            self._own[folder] = known
        return known

    def _folders_of(self, folder: str) -> dict[str, str]:
        entries = self._folders.get(folder)
        if entries is None:
            entries = self._folders[folder] = self._read(folder)
        return entries

    def is_repository(self, folder: str) -> bool:
        """True when git would take `folder` for a repository of its own."""
        mark = self._folders.get(folder, {}).get(".git")
        return mark == "file" or (
            mark == "folder" and (self.root / folder / ".git" / "HEAD").is_file()
        )

    def kind(self, path: str) -> str:
        folder, _, name = path.rpartition("/")
        if name in LEFT_OUT and not self.whole:
            return ""
        kind = self.entries(folder).get(name, "")
        if kind != "folder" or self.whole:
            return kind
        return "folder" if VENV_MARK not in self._peek(path) else ""

    def _peek(self, folder: str) -> Iterable[str]:
        with suppress(OSError):
            return os.listdir(self.root / folder)
        return ()

    def is_file(self, path: str) -> bool:
        return self.kind(path) in ("file", "link", "pipe", "socket", "device")

    def specials(self, names: Iterable[str]) -> set[str]:
        """Pipes, sockets and devices beside `names`: git does not list them, a user asks."""
        folders = {name.rpartition("/")[0] for name in names}
        return {
            f"{folder}/{name}" if folder else name
            for folder in folders
            for name, kind in self.entries(folder).items()
            if kind in ("pipe", "socket", "device")
        }


def _kind(entry: os.DirEntry[str]) -> str:
    """What an entry is that is no regular file."""
    if entry.is_dir(follow_symlinks=False):
        return "folder"
    if entry.is_symlink():
        return "link"
    try:
        mode = entry.stat(follow_symlinks=False).st_mode
    except OSError:
        return ""
    if stat.S_ISFIFO(mode):
        return "pipe"
    return "socket" if stat.S_ISSOCK(mode) else "device"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Answer:
    """What git lists; nothing is `given` without a repository, or where git fails or refuses."""

    given: bool = False
    tracked: set[str] = field(default_factory=set)
    others: set[str] = field(default_factory=set)
    refused: str = ""


def _from_git(root: Path, paths: Sequence[str]) -> _Answer:
    if not os.path.lexists(root / ".git"):
        return _Answer()
    command = ("ls-files", "-z", "-t", "--cached", "--others", "--exclude-standard", "--", *paths)
    try:
        done = git.ask(root, *command)
    except (OSError, subprocess.TimeoutExpired):
        return _Answer()
    if b"dubious ownership" in done.stderr:
        return _Answer(
            refused=msg(
                "git refuses this repository of another owner, so tracked files that an ignore"
                " rule names are not found; run: git config --global --add safe.directory {root}",
                root=str(root),
            )
        )
    if done.returncode:
        return _Answer()
    answer = _Answer(given=True)
    for line in done.stdout.split(b"\0"):
        if line:  # a letter, a blank, the path
            name = os.fsdecode(line[2:].removesuffix(b"/"))
            (answer.others if line.startswith(b"?") else answer.tracked).add(name)
    return answer


def _walk(tree: _Tree, paths: Sequence[str]) -> set[str]:
    """What git would list of an untracked tree, by .gitignore files and .git/info/exclude."""
    top = _and_from([], "", tree.root / ".git" / "info" / "exclude")
    names: set[str] = set()
    todo: list[tuple[str, Above]] = [("", top)]
    while todo:
        folder, above = todo.pop()
        entries = tree.entries(folder)
        prefix = f"{folder}/" if folder else ""
        inherited = above
        if entries.get(".gitignore") == "file":
            inherited = _and_from(above, prefix, tree.root / prefix / ".gitignore")
        for name, kind in entries.items():
            path, is_folder = prefix + name, kind == "folder"
            if name in LEFT_OUT or (paths and not _is_near(path, paths)):
                continue
            if inherited and _ignored(inherited, path, is_folder):
                continue
            if is_folder and tree.is_own(path):
                todo.append((path, inherited))
            else:
                names.add(path)
    return names


def _is_near(path: str, limits: Sequence[str]) -> bool:
    """True when `path` is one of `limits`, in one, or on the way there."""
    return any(
        f"{path}/".startswith(f"{limit}/") or f"{limit}/".startswith(f"{path}/") for limit in limits
    )


def _and_from(above: Above, prefix: str, path: Path) -> Above:
    found = _ignore_file(path)
    return [*above, (prefix, found)] if found else above


def _ignored(above: Above, path: str, is_folder: bool) -> bool:
    for prefix, lines in reversed(above):
        decision = lines.decide(path[len(prefix) :], is_folder=is_folder)
        if decision is not None:
            return decision
    return False


def _ignore_file(path: Path) -> Rules:
    with suppress(OSError):
        return rules_in(read_regular(path, IGNORE_FILE_LIMIT) or b"")
    return Rules(())
