"""What questions about logs were answered with, for the same question about the same logs.

An answer is known by its SQL and by the parts it was worked out of. In the SQL stand the groups,
the zone of the days, the conditions, and from which time and size on a price holds; what the calls
of a group cost is worked out of the answer, each time anew. An answer that is not as it was written
is not used.
"""

import hashlib
import os
import zlib
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from sdlc_cli.core.errors import WorkError
from sdlc_cli.core.files import write_atomic
from sdlc_cli.cost.duck import duckdb
from sdlc_cli.cost.engine.table import listed, literal, quoted
from sdlc_cli.cost.model import COUNTS

SUFFIX = ".answer"
MOST = 400  # answers in a folder; of more, the older half goes
MOST_GROUPS = 100_000  # in an answer
# Sums of 128 bits, for which Parquet has no type: they are kept as text.
_WIDE = ("calls", "max_output", *COUNTS)


class Answers:
    """A folder of them."""

    def __init__(self, folder: Path, tmp: Path) -> None:
        self._folder = folder
        self._written = tmp / "answer"

    def find(self, con: duckdb.DuckDBPyConnection, question: str) -> int | None:
        """Makes the table `grouped` of the answer; the duplicates among the calls. None without."""
        for file, duplicates, crc in self._named(question):
            with suppress(OSError, duckdb.Error):
                if zlib.crc32(file.read_bytes()) != crc:
                    continue
                source = f"read_parquet({listed([file])})"
                told = con.execute(f"SELECT * FROM {source} LIMIT 0").description
                wide = [name for name, *_ in told if name in _WIDE]
                numbers = ", ".join(f"{quoted(n)}::HUGEINT AS {quoted(n)}" for n in wide)
                con.execute(
                    f"CREATE OR REPLACE TEMP TABLE grouped AS SELECT * REPLACE ({numbers}) "
                    f"FROM {source}"
                )
                os.utime(file)  # used: not the next to go
                return duplicates
        return None

    def keep(self, con: duckdb.DuckDBPyConnection, question: str, duplicates: int) -> None:
        """Keeps the table `grouped`. Not being able to is no failure."""
        told = con.execute("SELECT * FROM grouped LIMIT 0").description
        wide = [name for name, kind, *_ in told if str(kind) == "HUGEINT"]
        (groups,) = con.execute("SELECT count(*) FROM grouped").fetchone() or (0,)
        if groups > MOST_GROUPS or not set(wide) <= set(_WIDE):
            return
        texts = ", ".join(f"{quoted(n)}::VARCHAR AS {quoted(n)}" for n in wide)
        with suppress(OSError, WorkError, duckdb.Error):
            con.execute(
                f"COPY (SELECT * REPLACE ({texts}) FROM grouped) TO {literal(str(self._written))} "
                "(FORMAT parquet)"
            )
            data = self._written.read_bytes()
            self._folder.mkdir(exist_ok=True)
            name = f"{_digest(question)}-{duplicates}-{zlib.crc32(data):08x}{SUFFIX}"
            write_atomic(self._folder / name, data)
            self._evict()

    def _named(self, question: str) -> Iterator[tuple[Path, int, int]]:
        """The answers to a question, each with its duplicates and checksum."""
        digest = _digest(question)
        with suppress(OSError, ValueError):
            for name in os.listdir(self._folder):
                if name.startswith(digest) and name.endswith(SUFFIX):
                    _, duplicates, crc = name.removesuffix(SUFFIX).split("-")
                    yield self._folder / name, int(duplicates), int(crc, 16)

    def _evict(self) -> None:
        found = [entry for entry in os.scandir(self._folder) if entry.name.endswith(SUFFIX)]
        if len(found) > MOST:
            for entry in sorted(found, key=lambda each: each.stat().st_mtime)[: len(found) // 2]:
                with suppress(OSError):
                    os.unlink(entry)


def _digest(question: str) -> str:
    return hashlib.blake2b(question.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()
