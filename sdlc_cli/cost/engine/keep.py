"""What was read of the logs, kept in the cache folder for the next time.

A file is known again by its path, size, time of change and the hashes of its beginning and end;
one that grew keeps what was read of it, and only its new lines are read. Parts are written under
names of their own and never changed; the lists of what is in them are replaced whole. So two runs
at once do not see each other's halves, nor those of one that was killed. A part that is not as it
was written is not used.
"""

import hashlib
import os
import secrets
import time
import zlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path

import msgspec

from sdlc_cli.core.errors import WorkError
from sdlc_cli.core.files import write_atomic
from sdlc_cli.cost.engine.sources import RealFolders, Source
from sdlc_cli.cost.engine.store import Part

MOST_BYTES = 4 * 2**30  # of all parts; the oldest go
_YOUNG = 3600  # seconds in which a part may be in use by another run
_EDGE = 4096  # bytes of a file's beginning and end that are compared
_BLOCK = 2**20


class Kept(msgspec.Struct, kw_only=True):
    """A part as it lies in the cache folder: what it is, and how to tell that it is whole."""

    columns: tuple[str, ...]
    pms: tuple[str, ...]
    first: int | None
    last: int | None
    numbered: bool
    flawed: bool
    odd: tuple[str, ...]
    bounds: list[tuple[int, int]]  # of each file in it the rows, from and to before
    size: int
    crc: int


class Member(msgspec.Struct, kw_only=True):
    """What was read of one file, and how to tell that it is still the same."""

    size: int
    mtime_ns: int
    head: str
    tail: str
    grows: bool  # it ended with a line, and its lines do not depend on those before
    form: str
    rows: int
    rejected: int
    places: list[tuple[str, int]]  # parts, and the file's number in each
    refused: list[str]


class Keep:
    """A folder of parts. Without a cache it is a temporary one that nobody looks into again."""

    def __init__(self, folder: Path, *, lasting: bool, setting: str = "") -> None:
        self.lasting = lasting
        self.folder = folder
        if lasting:
            self.folder = folder / "cost" / _version(setting)
        self.folder.mkdir(parents=True, exist_ok=True)
        self._folders = RealFolders()
        self._listed: dict[str, dict[str, Member]] = {}
        self._parts: dict[str, Kept | None] = {}

    def name(self, suffix: str) -> Path:
        """A new file name."""
        return self.folder / f"{secrets.token_hex(12)}{suffix}"

    def seal(self, part: Part, bounds: Sequence[tuple[int, int]]) -> str:
        """Keeps a part that was written; the name to find it by."""
        name = part.file.stem
        size, crc = _checked(part.file) if self.lasting else (0, 0)
        kept = Kept(
            columns=part.columns,
            pms=part.pms,
            first=part.first,
            last=part.last,
            numbered=part.numbered,
            flawed=part.flawed,
            odd=part.odd,
            bounds=list(bounds),
            size=size,
            crc=crc,
        )
        self._parts[name] = kept
        if self.lasting:
            write_atomic(self.folder / f"{name}.json", msgspec.json.encode(kept))
        return name

    def drop(self, part: Path) -> None:
        """Forgets a part that turned out to be of no use."""
        part.unlink(missing_ok=True)

    def find(self, source: Source) -> Member | None:
        """What was read of the file when it was as it is now, or shorter; None without it."""
        if not self.lasting:
            return None
        member = self._list(source).get(source.file.name)
        if member is None or not self._same(source, member):
            return None
        whole = all(self.kept(name) for name, _ in member.places)
        return member if whole and all((self.folder / r).exists() for r in member.refused) else None

    def _same(self, source: Source, member: Member) -> bool:
        if source.size < member.size or (source.size > member.size and not member.grows):
            return False
        if source.size == member.size and source.mtime_ns != member.mtime_ns:
            return False
        return edges(source.file, member.size)[:2] == (member.head, member.tail)

    def kept(self, name: str) -> Kept | None:
        """A part that is as it was written; None where it is not."""
        if name not in self._parts:
            self._parts[name] = self._looked_at(name)
        return self._parts[name]

    def _looked_at(self, name: str) -> Kept | None:
        file = self.folder / f"{name}.parquet"
        try:
            kept = msgspec.json.decode((self.folder / f"{name}.json").read_bytes(), type=Kept)
            if _checked(file) != (kept.size, kept.crc):
                return None
            os.utime(file)  # used: not the next to go
        except (OSError, msgspec.DecodeError):
            return None
        return kept

    def parts(self, places: Iterable[tuple[str, int]]) -> tuple[Part, ...]:
        """The parts of these places, in the order in which they come first."""
        used: dict[str, set[int]] = {}
        for name, number in places:
            used.setdefault(name, set()).add(number)
        return tuple(
            self._part(name, kept, numbers)
            for name, numbers in used.items()
            if (kept := self.kept(name))
        )

    def _part(self, name: str, kept: Kept, used: set[int]) -> Part:
        return Part(
            file=self.folder / f"{name}.parquet",
            columns=kept.columns,
            pms=kept.pms,
            first=kept.first,
            last=kept.last,
            numbered=kept.numbered,
            flawed=kept.flawed,
            odd=kept.odd,
            left=tuple(bound for n, bound in enumerate(kept.bounds) if n not in used),
        )

    def remember(self, members: Iterable[tuple[Source, Member]]) -> None:
        """Keeps what was read of files. Not being able to is no failure."""
        folders: dict[str, dict[str, Member]] = {}
        for source, member in members:
            folders.setdefault(self._home(source), {})[source.file.name] = member
        if not self.lasting or not folders:
            return
        with suppress(OSError, WorkError):
            for home, found in folders.items():
                listing = self._listing(home)
                write_atomic(listing, msgspec.json.encode(_read(listing) | found))
            self._evict()

    def _list(self, source: Source) -> dict[str, Member]:
        home = self._home(source)
        if home not in self._listed:
            self._listed[home] = _read(self._listing(home))
        return self._listed[home]

    def _home(self, source: Source) -> str:
        return self._folders[os.path.dirname(source.file)]

    def _listing(self, home: str) -> Path:
        digest = hashlib.blake2b(os.fsencode(home), digest_size=16).hexdigest()
        return self.folder / f"{digest}.files"

    def _evict(self) -> None:
        """Lets the oldest parts go, and those of other versions, once there are too many bytes."""
        now = time.time()
        found = sorted(_files(self.folder.parent))
        total = sum(size for _, size, _ in found)
        for changed, size, file in found:
            if total <= MOST_BYTES:
                return
            if now - changed > _YOUNG:
                file.unlink(missing_ok=True)
                total -= size


def _files(folder: Path) -> Iterator[tuple[float, int, Path]]:
    for here, _, names in os.walk(folder):
        for name in names:
            file = Path(here, name)
            with suppress(OSError):
                told = file.stat()
                yield told.st_mtime, told.st_size, file


def _read(listing: Path) -> dict[str, Member]:
    try:
        return msgspec.json.decode(listing.read_bytes(), type=dict[str, Member])
    except (OSError, msgspec.DecodeError):
        return {}


def edges(file: Path, size: int) -> tuple[str, str, bool]:
    """Hashes of the beginning and the end of a file's first `size` bytes; whether a line ends."""
    try:
        opened = os.open(file, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return "", "", False
    try:  # half the time of a stream, of which a folder of sessions may need thousands
        head = os.pread(opened, min(_EDGE, size), 0)
        tail = os.pread(opened, min(_EDGE, size), max(0, size - _EDGE))
    except OSError:
        return "", "", False
    finally:
        os.close(opened)
    return _digest(head), _digest(tail), tail.endswith(b"\n")


def _digest(data: bytes) -> str:
    return hashlib.blake2b(data, digest_size=12).hexdigest()


def _checked(file: Path) -> tuple[int, int]:
    """The size and the checksum of a file."""
    size = crc = 0
    with open(file, "rb") as stream:
        while block := stream.read(_BLOCK):
            size += len(block)
            crc = zlib.crc32(block, crc)
    return size, crc


def _version(setting: str) -> str:
    """Changes with the code that reads, with DuckDB, whose hashes are kept, and with settings."""
    from sdlc_cli.cost.duck import duckdb

    here = Path(__file__).parent
    told: list[str] = [duckdb.__version__, setting]
    for folder in (here, here / "native", here.parent / "readers"):
        for entry in sorted(os.scandir(folder), key=lambda each: each.name):
            if entry.name.endswith((".py", ".c", ".h")):
                found = entry.stat()
                told.append(f"{entry.name} {found.st_size} {found.st_mtime_ns}")
    return _digest("\n".join(told).encode())


def member_of(source: Source, *, lines: bool, **read: object) -> Member:
    """What is kept of a source that was read just now."""
    head, tail, ended = edges(source.file, source.size)
    grows = lines and ended
    told = {"size": source.size, "mtime_ns": source.mtime_ns, "head": head, "tail": tail}
    return Member(grows=grows, **told, **read)  # type: ignore[arg-type]
