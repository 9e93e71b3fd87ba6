"""A scratch copy of a project: good enough to run its gates in, and always removed again."""

import os
import shutil
import stat
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from sdlc_cli.core.errors import WorkError
from sdlc_cli.core.files import read_regular
from sdlc_cli.core.i18n import msg

LARGEST = 2_000_000_000  # bytes
MOST_FILES = 200_000
LARGEST_GIT = 200_000_000  # bytes of .git; a larger one is replaced by an empty repository
_CACHES = frozenset(
    [
        "__pycache__",
        ".mypy_cache",
        ".pytest_cache",
        ".ruff_cache",
        ".hypothesis",
        ".tox",
        ".nox",
        ".sdlc-cache",
    ]
)
_LINKED = frozenset(["node_modules"])  # like virtual environments: large, and only read


@dataclass(frozen=True, slots=True, kw_only=True)
class Scratch:
    """The copy's folder, and what differs from the original in a sentence each."""

    root: Path
    notes: tuple[str, ...]


@dataclass(slots=True)
class _Plan:
    """What is to be copied: found first, so that nothing is copied that is too large."""

    folders: list[str] = field(default_factory=list)
    files: list[str] = field(default_factory=list)
    links: list[str] = field(default_factory=list)
    linked: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    sizes: dict[str, int] = field(default_factory=dict)  # bytes by first folder


@contextmanager
def copied(root: Path, *, largest: int = LARGEST) -> Iterator[Scratch]:
    """A copy of `root` under the system's temporary folder, as long as the context is open.

    Caches stay behind; virtual environments and node_modules are linked; a symbolic link stays
    one, and points into the copy where it pointed into the project. Raises WorkError when the
    project has more than `largest` bytes or does not fit on the disk.
    """
    plan = _plan(root)
    _check_size(plan, largest)
    try:
        folder = Path(tempfile.mkdtemp(prefix="sdlc-drill-"))
    except OSError as error:
        raise _no_copy(error) from error
    try:
        copy = folder.resolve() / root.name
        try:
            notes = _copy(root, copy, plan)
        except OSError as error:
            raise _no_copy(error) from error
        yield Scratch(root=copy, notes=(*plan.notes, *notes))
    finally:
        remove(folder)


def _no_copy(error: OSError) -> WorkError:
    return WorkError(
        msg("the project could not be copied: {reason}", reason=error.strerror or str(error)),
        hint=msg("TMPDIR names another place for the copy"),
    )


def _plan(root: Path) -> _Plan:
    plan = _Plan()
    waiting = [""]
    while waiting:
        prefix = waiting.pop()
        try:
            entries = sorted(os.scandir(root / prefix), key=lambda entry: entry.name)
        except OSError as error:
            plan.notes.append(_left_out(prefix, error))
            continue
        waiting += [path for entry in entries if (path := _place(plan, root, prefix, entry))]
    return plan


def _place(plan: _Plan, root: Path, prefix: str, entry: os.DirEntry[str]) -> str:
    """Put the entry where it belongs; its path when it is a folder to look into, else ""."""
    path = f"{prefix}/{entry.name}" if prefix else entry.name
    if entry.is_symlink():
        plan.links.append(path)
    elif entry.is_file(follow_symlinks=False):
        _add(plan, entry, path)
    elif entry.is_dir(follow_symlinks=False):
        if _is_linked(entry):
            plan.linked.append(path)
        elif entry.name not in _CACHES and not _is_large_git(plan, root, path):
            plan.folders.append(path)
            return path
    return ""


def _is_linked(entry: os.DirEntry[str]) -> bool:
    return entry.name in _LINKED or os.path.isfile(os.path.join(entry.path, "pyvenv.cfg"))


def _is_large_git(plan: _Plan, root: Path, path: str) -> bool:
    if path != ".git":
        return False
    size = 0
    for folder, _, names in os.walk(root / path):
        for name in names:
            try:
                size += os.lstat(os.path.join(folder, name)).st_size
            except OSError:
                continue
    if size > LARGEST_GIT:
        plan.notes.append(msg("the copy has no git history: .git is too large to copy"))
    return size > LARGEST_GIT


def _add(plan: _Plan, entry: os.DirEntry[str], path: str) -> None:
    # A worktree's or submodule's .git is a file that leads back to the original's repository.
    if entry.name == ".git":
        plan.notes.append(msg("the copy has no git history: {path} is a link to it", path=path))
        return
    if not os.access(entry.path, os.R_OK):
        plan.notes.append(msg("left out of the copy, not readable: {path}", path=path))
        return
    plan.files.append(path)
    first = path.split("/", 1)[0]
    plan.sizes[first] = plan.sizes.get(first, 0) + entry.stat(follow_symlinks=False).st_size


def _left_out(path: str, error: OSError) -> str:
    return msg("left out of the copy, {reason}: {path}", path=path or ".", reason=error.strerror)


def _check_size(plan: _Plan, largest: int) -> None:
    size = sum(plan.sizes.values())
    if size > largest or len(plan.files) > MOST_FILES:
        first = max(plan.sizes, key=lambda name: (plan.sizes[name], name))
        raise WorkError(
            msg(
                "the project is too large to copy: {size} MB in {files} files, most in {path}",
                size=size // 1_000_000,
                files=len(plan.files),
                path=first,
            ),
            hint=msg("the drill copies at most {size} MB", size=largest // 1_000_000),
        )
    free = shutil.disk_usage(tempfile.gettempdir()).free
    if size > free:
        raise WorkError(
            msg(
                "no room for a copy of the project: {size} MB needed, {free} MB free",
                size=size // 1_000_000,
                free=free // 1_000_000,
            ),
            hint=msg("TMPDIR names another place for the copy"),
        )


def _copy(root: Path, copy: Path, plan: _Plan) -> list[str]:
    copy.mkdir()
    notes: list[str] = []
    for path in sorted(plan.folders):
        (copy / path).mkdir()
    for path in plan.files:
        try:
            shutil.copy2(root / path, copy / path, follow_symlinks=False)
        except FileNotFoundError as error:  # removed since we looked
            notes.append(_left_out(path, error))
    for path in plan.links:
        (copy / path).symlink_to(_pointing(root, copy, path))
    for path in plan.linked:
        (copy / path).symlink_to((root / path).absolute(), target_is_directory=True)
    if not (copy / ".git").exists() and (root / ".git").exists():
        _empty_repository(copy / ".git")
    return notes


def _pointing(root: Path, copy: Path, path: str) -> str:
    """Where the link at `path` is to point: into the copy rather than into the original."""
    target = os.readlink(root / path)
    place = os.path.normpath(os.path.join(root / path, os.pardir, target))
    inside = Path(place).is_relative_to(root)
    if os.path.isabs(target):
        return str(copy / Path(place).relative_to(root)) if inside else target
    return target if inside else place


def _empty_repository(folder: Path) -> None:
    """The least that git takes for a repository, so that the project's root is still found."""
    for name in ("objects", "refs/heads"):
        (folder / name).mkdir(parents=True)
    (folder / "HEAD").write_text("ref: refs/heads/main\n", encoding="ascii")
    (folder / "config").write_text("[core]\n\trepositoryformatversion = 0\n", encoding="ascii")


def remove(folder: Path) -> None:
    """Remove the copy, folders that tests made read-only included. Links are not followed."""
    for parent, names, _ in os.walk(folder):
        for name in [".", *names]:
            path = os.path.join(parent, name)
            if not os.path.islink(path):
                mode = stat.S_IMODE(os.lstat(path).st_mode)
                if mode & stat.S_IRWXU != stat.S_IRWXU:
                    os.chmod(path, mode | stat.S_IRWXU)
    shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def imports_from(root: Path) -> Iterator[None]:
    """While open, child processes import `root`'s code before any installed copy of it.

    An editable install in the project's environment would lead back to the original.
    """
    before: Mapping[str, str] = dict(os.environ)
    folders = [str(folder) for folder in (root, root / "src") if folder.is_dir()]
    os.environ["PYTHONPATH"] = os.pathsep.join([*folders, before.get("PYTHONPATH", "")]).rstrip(
        os.pathsep
    )
    try:
        yield
    finally:
        if "PYTHONPATH" in before:
            os.environ["PYTHONPATH"] = before["PYTHONPATH"]
        else:
            del os.environ["PYTHONPATH"]


@contextmanager
def changed(root: Path, change: Mapping[str, bytes | None]) -> Iterator[None]:
    """While open, the files in `change` hold these bytes, or are gone where it says None.

    All is taken back to the last byte and time. Raises WorkError for a path behind a link.
    """
    undo: list[Callable[[], None]] = []
    try:
        for name, content in change.items():
            path = root / name
            if any(
                part.is_symlink() for part in (path, *path.parents) if part.is_relative_to(root)
            ):
                raise WorkError(msg("{path} lies behind a symbolic link", path=name))
            undo += _prepare(root, path)
            if content is None:
                path.unlink()
            else:
                path.write_bytes(content)
        yield
    finally:
        for step in reversed(undo):
            step()


def _prepare(root: Path, path: Path) -> list[Callable[[], None]]:
    """Makes the folders of `path`; the steps that bring back what was there, last one first."""
    missing = [folder for folder in path.parents if not folder.exists()]
    path.parent.mkdir(parents=True, exist_ok=True)
    steps: list[Callable[[], None]] = [
        lambda folder=folder: _remove_empty(folder)  # type: ignore[misc]
        for folder in reversed(missing)
    ]
    if not path.exists():
        return [*steps, lambda: path.unlink(missing_ok=True)]
    status = path.stat()
    data = read_regular(path, status.st_size + 1)
    if data is None:
        raise WorkError(msg("{path} is no regular file", path=path.name))

    def restore() -> None:
        path.write_bytes(data)
        # Python tells a stale .pyc by time and size.
        os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))

    return [*steps, restore]


def _remove_empty(folder: Path) -> None:
    if folder.is_dir() and not any(folder.iterdir()):
        folder.rmdir()
