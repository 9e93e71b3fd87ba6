"""What PATH means: files, folders, globs and standard input -> the files to read."""

import glob
import gzip
import os
import re
import stat
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from io import BufferedIOBase
from pathlib import Path
from typing import IO, TYPE_CHECKING

from sdlc_cli.core.errors import NothingToDo, UsageError, WorkError
from sdlc_cli.core.i18n import msg
from sdlc_cli.cost.readers.codex import ARCHIVED, superseded

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

SUFFIXES = (".jsonl", ".json", ".ndjson", ".csv", ".parquet", ".log")
PACKED = (".gz", ".zst")
STDIN = "-"

_REMOTE = re.compile(r"[a-z][a-z0-9+.-]*://", re.IGNORECASE)
_PASSED_OVER = frozenset((".git", "node_modules", "__pycache__"))
_BLOCK = 2**20


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One file. `shown` is how reports name it, `file` what is opened."""

    shown: str
    file: Path
    size: int
    mtime_ns: int
    named: bool  # the user wrote this very path; one found in a folder may be something else

    @property
    def packed(self) -> str:
        """ "gz", "zst" or ""."""
        return _endings(str(self.file))[1]

    @property
    def suffix(self) -> str:
        """What the file is called after, compression aside: ".jsonl"."""
        return _endings(str(self.file))[0]


@lru_cache(maxsize=16)  # a file is asked about several times before the next one
def _endings(file: str) -> tuple[str, str]:
    """What a file is called after, and how it is packed; pathlib takes four times as long."""
    stem, suffix = os.path.splitext(file.lower())
    if suffix not in PACKED:
        return suffix, ""
    return os.path.splitext(stem)[1], suffix[1:]


class RealFolders(dict[str, str]):
    """Folders without links on the way, each looked up once: many files share one."""

    def __missing__(self, folder: str) -> str:
        self[folder] = os.path.realpath(folder)
        return self[folder]

    def of(self, file: Path) -> str:
        """The real path of a file that is no link itself."""
        folder, name = os.path.split(file)
        return os.path.join(self[folder], name)


def find(paths: Sequence[str], tmp: Path, stdin: IO[bytes] | None = None) -> tuple[Source, ...]:
    """The files that `paths` stand for, each once, in their order; a folder's sorted by name.

    Sessions of Codex that were archived and still lie among the live ones are left out.

    `-` is copied into `tmp` first. Raises UsageError for a path that does not exist or a store
    that cannot be read, NothingToDo where no file is left.
    """
    found: dict[str, Source] = {}
    folders = RealFolders()
    for path in paths:
        for source in _expanded(path, tmp, stdin):
            linked = os.path.islink(source.file)
            real = os.path.realpath(source.file) if linked else folders.of(source.file)
            found.setdefault(real, source)
    if not found:
        raise NothingToDo(
            msg("no usage log was found in {paths}", paths=", ".join(paths)),
            hint=msg("logs are files ending in {suffixes}", suffixes=" ".join(SUFFIXES)),
        )
    if not any(ARCHIVED in name for name in found):  # most often: to take paths apart takes time
        return tuple(found.values())
    old = superseded([Path(name) for name in found])
    return tuple(source for name, source in found.items() if Path(name) not in old)


def _expanded(path: str, tmp: Path, stdin: IO[bytes] | None) -> Iterator[Source]:
    if path == STDIN:
        yield _spooled(tmp, stdin)
    elif _REMOTE.match(path):
        from sdlc_cli.cost.engine import fetch

        for shown, file in fetch.fetched(path, tmp, _is_log):
            yield replace(_source(str(file), named=True), shown=shown)
    elif os.path.isdir(path):
        yield from _sources(_walk(path))
    elif os.path.exists(path):
        yield _source(path, named=True)
    elif glob.has_magic(path):
        matched = sorted(glob.glob(path, recursive=True))
        if not matched:
            raise UsageError(msg("no file matches {glob}", glob=path))
        for name in matched:
            yield from _sources(_walk(name)) if os.path.isdir(name) else _sources([name])
    else:
        raise UsageError(msg("there is no file or folder {path}", path=path or "''"))


def _sources(names: Iterable[str]) -> Iterator[Source]:
    for name in names:
        try:
            yield _source(name, named=False)
        except UsageError:  # gone meanwhile, or a link to nowhere
            continue


def _source(path: str, *, named: bool) -> Source:
    try:
        found = os.stat(path)
    except OSError as error:
        raise UsageError(
            msg("cannot read {path}: {why}", path=path, why=error.strerror or str(error))
        ) from None
    if not stat.S_ISREG(found.st_mode):
        raise UsageError(
            msg("{path} is not a regular file", path=path), hint="zcat log.gz | sdlc cost report -"
        )
    return Source(
        shown=path,
        file=Path(path),
        size=found.st_size,
        mtime_ns=found.st_mtime_ns,
        named=named,
    )


def _walk(folder: str) -> Iterator[str]:
    """Log files below a folder; links to folders are not followed, so there is no circle."""
    for here, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if name not in _PASSED_OVER)
        for name in sorted(files):
            if _is_log(name):
                yield os.path.join(here, name)


def _is_log(name: str) -> bool:
    plain = name.lower()
    for suffix in PACKED:
        plain = plain.removesuffix(suffix)
    return plain.endswith(SUFFIXES)


def _spooled(tmp: Path, stdin: IO[bytes] | None) -> Source:
    """Standard input as a file: it is read more than once, to tell its format and to explain."""
    stream = stdin or sys.stdin.buffer
    copy = tmp / "stdin"
    try:
        with open(copy, "wb") as file:
            while block := stream.read(_BLOCK):
                file.write(block)
    except OSError as error:
        why = error.strerror or str(error)
        raise WorkError(msg("cannot keep standard input: {why}", why=why)) from None
    with open(copy, "rb") as file:
        packed = packing(file.read(4))
    if packed:
        copy = copy.rename(copy.with_name(f"stdin.{packed}"))
    found = copy.stat()
    return Source(
        shown=STDIN, file=copy, size=found.st_size, mtime_ns=found.st_mtime_ns, named=True
    )


def packing(head: bytes) -> str:
    """How a stream is packed, by the first bytes of it: RFC 1952 and RFC 8878."""
    if head.startswith(b"\x1f\x8b"):
        return "gz"
    return "zst" if head.startswith(b"\x28\xb5\x2f\xfd") else ""


def opened(source: Source) -> BufferedIOBase:
    """The file's bytes, unpacked as they are read. Raises WorkError."""
    try:
        raw = open(source.file, "rb")  # noqa: SIM115 - the caller closes what it gets
    except OSError as error:
        why = error.strerror or str(error)
        raise WorkError(msg("cannot read {path}: {why}", path=source.shown, why=why)) from None
    packed = packing(raw.read(4))
    raw.seek(0)
    if packed == "gz":
        raw.close()  # a GzipFile closes only what it opened itself
        return _gunzip(source.file)
    return _unzstd(raw, source) if packed == "zst" else raw


def _gunzip(file: Path) -> BufferedIOBase:
    return gzip.GzipFile(file)


def _unzstd(raw: BufferedIOBase, source: Source) -> BufferedIOBase:
    import io

    try:
        if TYPE_CHECKING or sys.version_info < (3, 14):
            from backports import zstd
        else:
            from compression import zstd
    except ImportError:
        raise WorkError(
            msg("{path} is packed with zstd, which cannot be unpacked here", path=source.shown),
            hint="pip install backports.zstd",
        ) from None

    class Unpacked(io.RawIOBase):
        """What is in the file; damage is told as that of gzip is."""

        def __init__(self) -> None:
            self._stream = zstd.ZstdFile(raw)

        def readable(self) -> bool:
            return True

        def readinto(self, buffer: "WriteableBuffer") -> int:
            room = memoryview(buffer)
            try:
                data = self._stream.read1(len(room))  # what is there before a failure
            except zstd.ZstdError as error:
                raise gzip.BadGzipFile(str(error)) from None
            room[: len(data)] = data
            return len(data)

        def close(self) -> None:
            self._stream.close()
            raw.close()
            super().close()

    return io.BufferedReader(Unpacked(), _BLOCK)
