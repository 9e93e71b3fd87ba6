"""Past states of a repository, one after the other in one scratch folder.

Files come out of git's object store byte for byte: no filter, hook, attribute or checkout of the
repository's takes part, and nothing of it is run. A file that two neighbouring states share is
written once.
"""

import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from subprocess import CompletedProcess, TimeoutExpired

from sdlc_cli.core import git
from sdlc_cli.core.errors import NothingToDo, WorkError
from sdlc_cli.core.i18n import msg

TIMEOUT_S = 300.0  # for git to list or read one state
LARGEST = 50_000_000  # bytes; of a larger file only the size is real
_AT_ONCE = 50_000_000  # bytes asked of git at one time
_LINK, _MODULE = "120000", "160000"


@dataclass(frozen=True, slots=True, kw_only=True)
class Commit:
    """A commit: its full and short id, its time (ISO 8601) and the first line of its message."""

    id: str
    short: str
    date: str
    subject: str


@dataclass(frozen=True, slots=True)
class _Entry:
    mode: str
    id: str
    size: int


def commits(root: Path, count: int) -> tuple[Commit, ...]:
    """The last `count` commits that HEAD leads to by first parents, the newest first.

    Raises NothingToDo when there is none, WorkError where git cannot tell.
    """
    if not os.path.lexists(root / ".git"):
        raise WorkError(
            msg("{path} is in no git repository, so it has no past", path=str(root)),
            hint=msg("run it in a clone"),
        )
    head = _ask(root, "rev-parse", "--verify", "--quiet", "HEAD^{commit}")
    if head.returncode:
        raise NothingToDo(msg("the repository has no commit yet"), hint=msg("commit first"))
    # Plumbing: `log` could be told by the repository's configuration to run a program.
    words = ("rev-list", "--first-parent", f"--max-count={count}", "--encoding=UTF-8")
    done = _said(_ask(root, *words, "--format=%h%x00%cI%x00%s", head.stdout.decode().strip()))
    lines = done.decode("utf-8", "replace").split("\n")
    found: list[Commit] = []
    for first, second in zip(lines[::2], lines[1::2], strict=False):
        short, date, subject = second.split("\0", 2)
        name = first.removeprefix("commit ")
        found.append(Commit(id=name, short=short, date=date, subject=subject))
    return tuple(found)


class Past:
    """A folder that shows one state at a time; made by `opened`."""

    def __init__(self, root: Path, folder: Path) -> None:
        self.folder = folder
        self._root = root
        self._there: dict[str, _Entry] = {}
        # All files get one time, so that no report seems older than the code it describes.
        self._time = folder.stat().st_mtime_ns

    def show(self, commit: Commit) -> frozenset[str]:
        """Make the folder hold `commit`; the paths of its files. Raises WorkError."""
        listed = _said(_ask(self._root, "ls-tree", "-r", "-z", "-l", "--full-tree", commit.id))
        wanted = _entries(listed)
        gone = [path for path, one in self._there.items() if wanted.get(path) != one]
        for path in gone:
            self._remove(path)
        new = {path: one for path, one in wanted.items() if path not in self._there}
        try:
            self._write(new)
            self._index(wanted, sha256=len(commit.id) == 64)
        except OSError as error:
            why = error.strerror or str(error)
            raise WorkError(
                msg("a past state cannot be written: {why}", why=why),
                hint=msg("TMPDIR names another place for it"),
            ) from error
        return frozenset(wanted)

    def _remove(self, path: str) -> None:
        del self._there[path]
        place = self.folder / path
        with suppress(OSError):
            if place.is_dir() and not place.is_symlink():
                place.rmdir()
            else:
                place.unlink()
        for parent in place.parents:
            if parent == self.folder:
                break
            try:
                parent.rmdir()
            except OSError:  # something else is in it
                break

    def _write(self, new: Mapping[str, _Entry]) -> None:
        links = {path: one for path, one in new.items() if one.mode == _LINK}
        plain = {path: one for path, one in new.items() if one.mode not in (_LINK, _MODULE)}
        for path in new:
            (self.folder / path).parent.mkdir(parents=True, exist_ok=True)
        for path, one in new.items():
            if one.mode == _MODULE:
                (self.folder / path).mkdir(exist_ok=True)
            elif one.size > LARGEST and path in plain:
                with open(self.folder / path, "wb") as file:
                    file.truncate(one.size)
        small = {path: one for path, one in (plain | links).items() if one.size <= LARGEST}
        for path, data in _contents(self._root, small):
            place = self.folder / path
            if path in links:
                with suppress(ValueError):  # NUL bytes
                    os.symlink(data, os.fsencode(place))
                continue
            place.write_bytes(data)
        for path in plain:
            os.utime(self.folder / path, ns=(self._time, self._time))
        self._there.update(new)

    def _index(self, wanted: Mapping[str, _Entry], *, sha256: bool) -> None:
        """Let git know what is tracked: then no ignore rule hides a file that is."""
        repository = self.folder / ".git"
        where = {"GIT_DIR": str(repository)}
        if not repository.exists():
            form = "--object-format=sha256" if sha256 else "--object-format=sha1"
            git.ask(self.folder, "init", "--quiet", "--template=", form, extra=where)
        with suppress(FileNotFoundError):
            (repository / "index").unlink()
        rows = [os.fsencode(f"{one.mode} {one.id}\t{path}") + b"\0" for path, one in wanted.items()]
        words = ("update-index", "-z", "--index-info")
        try:
            done = git.ask(self.folder, *words, data=b"".join(rows), extra=where)
        except TimeoutExpired:
            done = None
        if done is None or done.returncode:  # without it, files are found by walking
            shutil.rmtree(repository, ignore_errors=True)


@contextmanager
def opened(root: Path) -> Iterator[Past]:
    """A scratch folder for states of the repository at `root`, removed at the end."""
    try:
        made = tempfile.TemporaryDirectory(prefix="sdlc-past-", ignore_cleanup_errors=True)
    except OSError as error:
        raise WorkError(
            msg("no scratch folder can be made: {why}", why=error.strerror or str(error)),
            hint=msg("TMPDIR names another place for it"),
        ) from error
    with made as name:
        folder = Path(os.path.realpath(name)) / (root.name or "root")
        folder.mkdir()
        yield Past(root, folder)


def _entries(listed: bytes) -> dict[str, _Entry]:
    """Path -> what is there. Names that could lead out of the folder are left out."""
    found: dict[str, _Entry] = {}
    for row in listed.split(b"\0"):
        about, tab, name = row.partition(b"\t")
        words = about.decode("ascii").split()
        path = os.fsdecode(name)
        if not tab or any(_is_odd(part) for part in path.split("/")):
            continue
        size = int(words[3]) if words[3].isdigit() else 0
        found[path] = _Entry(words[0], words[2], size)
    # A made-up tree may hold `a`, a link, beside `a/b`: writing one would go through the other.
    return {path: one for path, one in found.items() if not _is_under_another(path, found)}


def _is_odd(part: str) -> bool:
    return part in ("", ".", "..") or part.casefold() == ".git"


def _is_under_another(path: str, found: Mapping[str, _Entry]) -> bool:
    at = path.rfind("/")
    while at > 0:
        if path[:at] in found:
            return True
        at = path.rfind("/", 0, at)
    return False


def _contents(root: Path, wanted: Mapping[str, _Entry]) -> Iterator[tuple[str, bytes]]:
    """Plain files first, links last. Raises WorkError where an object is not there."""
    paths = sorted(wanted, key=lambda path: wanted[path].mode == _LINK)
    while paths:
        size = 0
        now: list[str] = []
        while paths and (not now or size + wanted[paths[0]].size <= _AT_ONCE):
            size += wanted[paths[0]].size
            now.append(paths.pop(0))
        asked = "".join(f"{wanted[path].id}\n" for path in now).encode()
        said = _said(_ask(root, "cat-file", "--batch", data=asked))
        at = 0
        for path in now:
            end = said.index(b"\n", at)
            words = said[at:end].split()
            if len(words) != 3:
                raise WorkError(
                    msg("git has not all files of the past: {path} is missing", path=path),
                    hint="git fetch --unshallow --refetch",
                )
            at = end + 1 + int(words[2])
            yield path, said[end + 1 : at]
            at += 1


def _ask(root: Path, *words: str, data: bytes = b"") -> CompletedProcess[bytes]:
    try:
        return git.ask(root, *words, data=data, timeout=TIMEOUT_S)
    except OSError as error:
        raise WorkError(
            msg("git could not be started: {why}", why=error.strerror or str(error)),
            hint=msg("install git"),
        ) from error
    except TimeoutExpired as error:
        raise WorkError(msg("git did not answer within {n:g} s", n=TIMEOUT_S)) from error


def _said(done: CompletedProcess[bytes]) -> bytes:
    if done.returncode:
        why = done.stderr.decode("utf-8", "replace").strip().removeprefix("fatal: ")
        raise WorkError(msg("git could not tell the past: {why}", why=why))
    return done.stdout
