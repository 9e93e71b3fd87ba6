"""What a change consists of: its files and lines, between the merge base and the working tree."""

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal

from sdlc_cli.core import git
from sdlc_cli.core.errors import WorkError
from sdlc_cli.core.files import read_regular
from sdlc_cli.core.finding import Location
from sdlc_cli.core.i18n import msg
from sdlc_cli.gate import merge_base, patch
from sdlc_cli.gate.patch import Entry

ALL: Final = "all"
Lines = frozenset[int] | Literal["all"]

_MOST = 5_000_000  # bytes of a file that are looked through for old line ends
_LONE_CR = re.compile(rb"\r(?!\n)")
_SUBMODULE = "160000"
_NO_LINES: frozenset[int] = frozenset()
# Everything that the user's or the repository's configuration could change in the output is
# set. A rename is looked for among up to 1,000 files, git's own limit since 2.34.
_DIFF = (
    "-c", "diff.autoRefreshIndex=true", "-c", "core.quotePath=true",
    "diff", "--no-color", "--no-ext-diff", "--no-textconv", "--no-relative", "--full-index",
    "--ignore-submodules=dirty", "--submodule=short", "--diff-algorithm=myers", "-O/dev/null",
    "-M", "-l1000",
)  # fmt: skip
_RAW = ("--raw", "--numstat", "-z", "--no-abbrev")
_PATCH = ("--unified=0", "--inter-hunk-context=0", "--src-prefix=a/", "--dst-prefix=b/")


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """One change. Paths are relative to the repository's root, as in findings.

    `base` is the merge base's commit. `files` maps each path to the lines that were added or
    rewritten, `ALL` for a new file and for what has no lines (binary, submodule); a file that
    was only renamed, or got another mode, has none. `cuts` are the lines after which some were
    removed. `renamed` maps new paths to old ones, `blobs` paths to their content in the base.
    """

    base: str
    files: Mapping[str, Lines] = field(default_factory=dict)
    cuts: Mapping[str, frozenset[int]] = field(default_factory=dict)
    renamed: Mapping[str, str] = field(default_factory=dict)
    deleted: frozenset[str] = frozenset()
    blobs: Mapping[str, str] = field(default_factory=dict)

    @property
    def empty(self) -> bool:
        """True when the working tree is as the merge base."""
        return not self.files and not self.deleted

    def changed(self, path: str) -> bool:
        """True when the content of the file at `path` is not what it was."""
        return bool(self.files.get(path) or self.cuts.get(path))

    def has(self, path: str, line: int) -> bool:
        """True when this line was added or rewritten."""
        lines = self.files.get(path, _NO_LINES)
        return lines == ALL or line in lines

    def touches(self, location: Location) -> bool:
        """True when a line from `line` to `end_line` changed, or one between them was removed.

        A place without a line means the file; a place without a path is never touched.
        """
        lines = self.files.get(location.path, _NO_LINES)
        if lines == ALL:
            return True
        cuts = self.cuts.get(location.path, _NO_LINES)
        if not location.line:
            return bool(lines or cuts)
        last = max(location.line, location.end_line)
        return any(location.line <= int(line) <= last for line in lines) or any(
            location.line <= line < last for line in cuts
        )


def changes(root: Path, rev: str, environ: Mapping[str, str] = os.environ) -> Changes:
    """What changed in the repository at `root` since it left `rev`: committed, staged, or not.

    `rev` is a revision or `auto`, as `merge_base.find` takes it. Files that git neither tracks
    nor ignores are part of the change. Raises UsageError for a revision that is not there,
    WorkError where git cannot tell.
    """
    root = Path(os.path.realpath(root))
    with _told():
        base = merge_base.find(root, rev, environ)
        extra = git.without_filters(root)
        untracked = _untracked(root, extra)
        found = _entries(root, base, extra)
        if untracked and any(entry.status == "D" for entry in found):
            # A file that was moved and not yet added is followed too.
            with _index_with(root, untracked, extra) as more:
                found, lines = _entries(root, base, more), _lines(root, base, more)
        else:
            lines = _lines(root, base, extra)
    return _changes(root, base, found, lines, untracked)


def old_texts(root: Path, changes: Changes, paths: Collection[str]) -> dict[str, bytes]:
    """What the files at these (new) paths held in the merge base; new files are left out.

    Raises WorkError.
    """
    wanted = [(path, changes.blobs[path]) for path in paths if path in changes.blobs]
    if not wanted:
        return {}
    root = Path(os.path.realpath(root))
    with _told():
        asked = "".join(f"{blob}\n" for _, blob in wanted).encode("ascii")
        data = _must(root, {}, "cat-file", "--batch", data=asked)
    texts: dict[str, bytes] = {}
    at = 0
    for path, blob in wanted:
        end = data.index(b"\n", at)
        words = data[at:end].split(b" ")
        if words[-1] == b"missing":
            raise WorkError(
                msg("the base version of {path} is not in this clone", path=path),
                hint=f"git fetch --refetch --no-filter origin {blob}",
            )
        size = int(words[-1])
        texts[path] = data[end + 1 : end + 1 + size]
        at = end + 1 + size + 1
    return texts


@contextmanager
def _told() -> Iterator[None]:
    """Errors of starting git, as errors that a user can act on."""
    try:
        yield
    except FileNotFoundError as error:
        raise WorkError(
            msg("git is not installed, so nothing says what changed"),
            hint=msg("install git, or leave out --changed-since"),
        ) from error
    except OSError as error:
        why = error.strerror or str(error)
        raise WorkError(msg("git cannot be asked what changed: {why}", why=why)) from error
    except subprocess.TimeoutExpired as error:
        raise WorkError(
            msg("git took more than {n} seconds to compare", n=round(git.TIMEOUT_S)),
            hint=msg("leave out --changed-since"),
        ) from error


def _must(root: Path, extra: Mapping[str, str], *words: str, data: bytes = b"") -> bytes:
    done = git.ask(root, *words, data=data, extra=extra)
    if done.returncode:
        raise WorkError(
            msg("git cannot compare: {why}", why=merge_base.said(done.stderr)),
            hint=msg("check the clone with: git status; a partial clone may lack old versions"),
        )
    return done.stdout


def _untracked(root: Path, extra: Mapping[str, str]) -> set[str]:
    said = _must(root, extra, "ls-files", "-z", "--others", "--exclude-standard")
    names = (os.fsdecode(name) for name in said.split(b"\0") if name)
    return {name for name in names if not name.endswith("/")}  # those are other repositories


def _entries(root: Path, base: str, extra: Mapping[str, str]) -> list[Entry]:
    return patch.entries(_must(root, extra, *_DIFF, *_RAW, base, "--"))


def _lines(root: Path, base: str, extra: Mapping[str, str]) -> dict[str, patch.Lines]:
    return patch.lines(_must(root, extra, *_DIFF, *_PATCH, base, "--"))


@contextmanager
def _index_with(
    root: Path, untracked: Collection[str], extra: Mapping[str, str]
) -> Iterator[Mapping[str, str]]:
    """Environment with a copy of the index in which `untracked` are meant to be added."""
    index = _must(root, extra, "rev-parse", "--git-path", "index").removesuffix(b"\n")
    with tempfile.TemporaryDirectory(prefix="sdlc-index-") as folder:
        copy = Path(folder, "index")
        with suppress(FileNotFoundError):
            shutil.copyfile(root / os.fsdecode(index), copy)
        more = {**extra, "GIT_INDEX_FILE": str(copy)}
        _must(
            root, more, "add", "--intent-to-add", "--pathspec-from-file=-", "--pathspec-file-nul",
            data=b"\0".join(os.fsencode(path) for path in sorted(untracked)),
        )  # fmt: skip
        yield more


def _changes(
    root: Path,
    base: str,
    found: Collection[Entry],
    lines: Mapping[str, patch.Lines],
    untracked: Collection[str],
) -> Changes:
    files: dict[str, Lines] = dict.fromkeys(untracked, ALL)
    cuts: dict[str, frozenset[int]] = {}
    for entry in found:
        if entry.status == "D":
            continue
        if _is_whole(root, entry):
            files[entry.path] = ALL
            continue
        one = lines.get(entry.path)
        files[entry.path] = one.added if one else _NO_LINES
        if one and one.cut:
            cuts[entry.path] = one.cut
    return Changes(
        base=base,
        files=dict(sorted(files.items())),
        cuts=cuts,
        renamed={entry.path: entry.old_path for entry in found if entry.old_path},
        deleted=frozenset(entry.path for entry in found if entry.status == "D"),
        blobs={
            entry.path: entry.old_blob
            for entry in found
            if entry.status in "MR" and _SUBMODULE not in entry.modes
        },
    )


def _is_whole(root: Path, entry: Entry) -> bool:
    if entry.status not in "MR" or entry.binary or _SUBMODULE in entry.modes:
        return True
    # Python, and editors, end a line at a lone carriage return; git does not, and counts other
    # lines. To be on the safe side such a file counts as a whole.
    with suppress(OSError):
        return _LONE_CR.search(read_regular(root / entry.path, _MOST) or b"") is not None
    return False
