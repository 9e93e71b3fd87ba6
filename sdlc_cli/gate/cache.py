"""What the file engines saw, by content: one bounded file that is never an error.

The key of a row is a digest of the gates, their options, the versions of the tools, the tools' own
configuration files, the path and the content of the file. Whatever is wrong with the cache file
(damaged, locked, read-only, of another version), the run goes on as if it were empty.
"""

import hashlib
import json
import os
import sqlite3
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TypedDict

import msgspec

from sdlc_cli import __version__
from sdlc_cli.core.files import cache_dir, read_within
from sdlc_cli.core.printable import encodable
from sdlc_cli.gate import carried, installed
from sdlc_cli.gate.config import Gate
from sdlc_cli.gate.model import Outcome
from sdlc_cli.gate.source import MAX_BYTES, Project

FORMAT = 2  # of the file; another number means another file name
MOST_BYTES = 100_000_000  # beyond it the rows that were not used for longest go
MOST_ROW = 1_000_000  # bytes; a larger result is not worth keeping
MOST_ROOTS = 20  # whose stamps are kept, and sets of rows; about 100 and 400 bytes a file
WHOLE_FROM = 200  # keys; to find fewer takes no time to speak of
AT_ONCE = 500  # keys in one question; SQLite allows 999 variables
# What decides besides the file itself. The docs gate follows links into other files.
NEVER = frozenset({"docs"})
TOOLS = ("bandit", "radon", "PyYAML")
CONFIGS = ("pyproject.toml", "setup.cfg", "tox.ini", ".bandit", "bandit.yaml", "bandit.yml")

_SCHEMA = """
CREATE TABLE IF NOT EXISTS seen (
  key BLOB PRIMARY KEY, value BLOB NOT NULL, used INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS stamps (
  root BLOB PRIMARY KEY, value BLOB NOT NULL, used INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS wholes (
  keys BLOB PRIMARY KEY, value BLOB NOT NULL, used INTEGER NOT NULL
)
"""

Key = bytes
Stamped = tuple[int, int, int, int, int, bytes]  # the five of `gate.stamps`, and the SHA-256


class Results(msgspec.Struct, frozen=True, array_like=True, kw_only=True):
    """What is known of a file: how many lines it has, and what each gate that judges it saw."""

    lines: int
    seen: dict[str, Outcome]


class Cache:
    """Results of file engines. Without a file (`None`) it holds nothing and keeps nothing."""

    def __init__(self, file: Path | None, day: int) -> None:
        self._file = file
        self._day = day  # rows are marked with the day of their last use, days since 1970
        self._asked: Sequence[Key] = ()  # what was looked for together last
        self._rows: dict[Key, bytes] = {}  # and what of it is known

    def find(self, keys: Sequence[Key]) -> dict[Key, Results]:
        """What is known of these files."""
        rows: dict[Key, bytes] = {}  # stays so where the file turns out to be damaged
        whole: dict[Key, bytes] = {}
        with self._open() as db:
            if db is not None:
                whole = self._whole(db, keys)
                rows = whole or self._each(db, keys)
        found: dict[Key, Results] = {}
        met: dict[bytes, Results] = {}  # most files are like another: without a finding
        for key, value in rows.items():
            results = met.get(value)
            if results is None:
                try:
                    results = met[value] = _decoded(value)
                except (ValueError, msgspec.MsgspecError):
                    continue
            found[key] = results
        if not whole:
            self._asked, self._rows = keys, {key: rows[key] for key in found}
            self._keep_whole()
        return found

    def _each(self, db: sqlite3.Connection, keys: Sequence[Key]) -> dict[Key, bytes]:
        rows: dict[Key, bytes] = {}
        for some in _chunks(keys):
            marks = ",".join("?" * len(some))
            query = f"SELECT key, value, used FROM seen WHERE key IN ({marks})"  # nosec B608 - question marks only
            found = db.execute(query, some).fetchall()
            rows.update((key, value) for key, value, _used in found)
            db.executemany(
                "UPDATE seen SET used = ? WHERE key = ?",
                [(self._day, key) for key, _value, used in found if used < self._day],
            )
        return rows

    def _whole(self, db: sqlite3.Connection, keys: Sequence[Key]) -> dict[Key, bytes]:
        """The rows as they were found together earlier today; a day later they count as unused."""
        if len(keys) >= WHOLE_FROM:
            query = "SELECT value FROM wholes WHERE keys = ? AND used = ?"
            for (value,) in db.execute(query, (_joint(keys), self._day)):
                with suppress(msgspec.MsgspecError, ValueError):
                    return dict(zip(keys, _WHOLE.decode(value), strict=True))
        return {}

    def _keep_whole(self) -> None:
        if len(self._asked) >= WHOLE_FROM and all(key in self._rows for key in self._asked):
            value = msgspec.msgpack.encode([self._rows[key] for key in self._asked])
            self._replace("wholes", _joint(self._asked), value)

    def _replace(self, table: str, key: bytes, value: bytes) -> None:
        """Keep one row; of all rows of such a table only the newest stay."""
        keep = f"INSERT OR REPLACE INTO {table} VALUES (?, ?, ?)"  # nosec B608 - a name of ours
        newest = f"SELECT rowid FROM {table} ORDER BY rowid DESC LIMIT {MOST_ROOTS}"  # nosec B608 - the same
        with self._open() as db:
            if db is not None:
                db.execute(keep, (key, value, self._day))
                db.execute(f"DELETE FROM {table} WHERE rowid NOT IN ({newest})")  # nosec B608 - the same
                _shrink(db)

    def keep(self, results: Iterable[tuple[Key, Results]]) -> None:
        """Remember what was seen; the oldest goes when the file grows beyond its bound."""
        rows = [(key, _encoded(seen), self._day) for key, seen in results]
        rows = [row for row in rows if len(row[1]) <= MOST_ROW]
        with self._open() as db:
            if db is None or not rows:
                return
            db.executemany("INSERT OR REPLACE INTO seen VALUES (?, ?, ?)", rows)
            _shrink(db)
        self._rows |= {key: value for key, value, _day in rows}
        self._keep_whole()

    def stamps(self, root: Path) -> dict[str, Stamped]:
        """The stamps of the files below `root`, by path."""
        with self._open() as db, suppress(msgspec.MsgspecError):
            if db is not None:
                query = "SELECT value FROM stamps WHERE root = ?"
                for (value,) in db.execute(query, (os.fsencode(root),)):
                    return _STAMPS.decode(value)
        return {}

    def stamp(self, root: Path, stamps: Mapping[str, Stamped]) -> None:
        """Remember these, and no others, below `root`. A name that is not UTF-8 is left out."""
        value = msgspec.msgpack.encode(
            {path: one for path, one in stamps.items() if path == encodable(path)}
        )
        self._replace("stamps", os.fsencode(root), value)

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection | None]:
        """The database in a transaction, or None where there is none to be had."""
        db = _connected(self._file) if self._file else None
        try:
            yield db
            if db is not None:
                db.commit()
        except sqlite3.DatabaseError as error:
            if self._file and _is_damage(error):
                _remove(self._file)
        finally:
            if db is not None:
                db.close()


def place(environ: Mapping[str, str] | None = None) -> Path | None:
    """The cache file, or None where there is no folder for it."""
    folder = cache_dir(environ) if environ is not None else cache_dir()
    return folder / f"gate-{FORMAT}.sqlite" if folder else None


def salt(project: Project, gates: Mapping[str, Gate]) -> bytes:
    """A digest of all that decides besides the file and its path."""
    made = hashlib.sha256()
    tools = map(installed.version, TOOLS)
    for word in (__version__, sys.version.split()[0], *tools, *_plugins()):
        made.update(f"{word}\n".encode())
    folders = {project.root, project.base}
    for path in sorted(folder / name for folder in folders for name in CONFIGS):
        made.update(_content(path, project.root))
    for name, gate in sorted(gates.items()):
        made.update(name.encode() + b"\n" + msgspec.json.encode(gate))
        named = getattr(gate, "config", "")
        made.update(_content(project.base / named, project.root) if named else b"")
    return made.digest()


def key(salt: bytes, path: str, content: bytes) -> Key:
    """The key of one file; `content` is its SHA-256."""
    return hashlib.sha256(salt + content + path.encode("utf-8", "surrogatepass")).digest()


def _connected(file: Path) -> sqlite3.Connection | None:
    for _attempt in range(2):
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            db = sqlite3.connect(file, timeout=5)
            db.execute("PRAGMA journal_mode=WAL")
            db.execute("PRAGMA synchronous=NORMAL")  # WAL keeps it whole when the process dies
            for table in _SCHEMA.split(";"):
                db.execute(table)
        except sqlite3.DatabaseError as error:
            if not _is_damage(error):
                return None  # locked or read-only
            _remove(file)
        except OSError:
            return None
        else:
            return db
    return None


def _is_damage(error: sqlite3.DatabaseError) -> bool:
    return not isinstance(error, sqlite3.OperationalError) or "malformed" in str(error)


def _remove(file: Path) -> None:
    for name in (file.name, f"{file.name}-wal", f"{file.name}-shm"):
        with suppress(OSError):
            file.with_name(name).unlink(missing_ok=True)


def _shrink(db: sqlite3.Connection) -> None:
    (pages,) = db.execute("PRAGMA page_count").fetchone()
    (page,) = db.execute("PRAGMA page_size").fetchone()
    (free,) = db.execute("PRAGMA freelist_count").fetchone()
    if (pages - free) * page > MOST_BYTES:
        (rows,) = db.execute("SELECT count(*) FROM seen").fetchone()
        db.execute(
            "DELETE FROM seen WHERE key IN (SELECT key FROM seen ORDER BY used LIMIT ?)",
            (rows // 2,),
        )
        db.execute("DELETE FROM stamps")
        db.execute("DELETE FROM wholes")


def _encoded(results: Results) -> bytes:
    plain = {name: carried.plain(outcome) for name, outcome in results.seen.items()}
    return json.dumps([results.lines, plain], separators=(",", ":")).encode()


def _decoded(value: bytes) -> Results:
    if carried.TEMPLATE not in value:
        return _DECODER.decode(value)
    lines, seen = _FROZEN.decode(value)
    for outcome in seen.values():
        if "skipped" in outcome:
            outcome["skipped"] = carried.thawed(outcome["skipped"])
        for finding in outcome.get("findings", ()):
            _thaw(finding)
    return Results(lines=lines, seen=msgspec.convert(seen, dict[str, Outcome]))


def _thaw(finding: dict[str, object]) -> None:
    for name, value in finding.items():
        if type(value) is dict and carried.is_sentence(value):
            finding[name] = carried.thawed(value)


class _Frozen(TypedDict, total=False):
    """An `Outcome` whose sentences are not made yet: they stand in the fields of findings."""

    findings: list[dict[str, object]]
    numbers: dict[str, float]
    skipped: object


_WHOLE = msgspec.msgpack.Decoder(list[bytes])
_STAMPS = msgspec.msgpack.Decoder(dict[str, Stamped])
_DECODER = msgspec.json.Decoder(Results)
_FROZEN = msgspec.json.Decoder(tuple[int, dict[str, _Frozen]])


def _joint(keys: Sequence[Key]) -> bytes:
    return hashlib.sha256(b"".join(keys)).digest()


def _chunks(keys: Sequence[Key]) -> Iterator[Sequence[Key]]:
    for start in range(0, len(keys), AT_ONCE):
        yield keys[start : start + AT_ONCE]


def _plugins() -> list[str]:
    """The packages that bring plug-ins for bandit, with their versions."""
    return sorted(" ".join(one) for one in installed.naming(b"bandit.plugins"))


def _content(path: Path, root: Path) -> bytes:
    try:
        return hashlib.sha256(read_within(path, root, MAX_BYTES)).digest()
    except OSError:
        return b"none"
