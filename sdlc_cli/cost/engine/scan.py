"""Lines of a shape as a compiled reader gives them: `native`, which an installation builds.

It holds every line against JSON's grammar, takes a few fields out, and marks what is not plainly
right as `odd`. DuckDB takes its rows as they are, by Arrow's C interface.
"""

import ctypes
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from sdlc_cli.cost.duck import duckdb
from sdlc_cli.cost.engine.native.build import library
from sdlc_cli.cost.engine.shapes import Kind, Shape, Sql, at, fields

MOST_FIELDS = 60
_BARE = (Kind.OBJECT, Kind.AMOUNT, Kind.ZERO, Kind.NEVER)  # of which no column is made
_VIEW = "scanned"


class _Field(ctypes.Structure):
    _fields_ = (
        ("key", ctypes.c_char_p),
        ("title", ctypes.c_char_p),
        ("kind", ctypes.c_int32),
        ("parent", ctypes.c_int32),
    )


@cache
def loaded() -> ctypes.CDLL | None:
    """The compiled reader; None where there is none."""
    try:
        found = ctypes.CDLL(str(library()))
    except OSError:
        return None
    found.sdlc_scan_open.restype = ctypes.c_void_p
    found.sdlc_scan_open.argtypes = (
        ctypes.POINTER(ctypes.c_char_p),
        ctypes.c_int64,
        ctypes.POINTER(_Field),
        ctypes.c_int32,
        ctypes.c_uint64,
        ctypes.c_uint64,
        ctypes.POINTER(ctypes.c_int32 * 3),
    )
    found.sdlc_scan_close.argtypes = (ctypes.c_void_p,)
    return found


def built() -> bool:
    """Whether there is a compiled reader."""
    return loaded() is not None


def reads(chosen: Shape) -> bool:
    """Whether there is one, and it takes as many fields."""
    return built() and len(list(fields(chosen.columns))) <= MOST_FIELDS


@contextmanager
def lines(con: duckdb.DuckDBPyConnection, files: Sequence[Path], chosen: Shape) -> Iterator[Sql]:
    """SQL of lines: their fields, `odd`, `src`, `line` and `repeats`. It holds in the context."""
    import duckdb as _package  # noqa: F401 - it gives its binding what reads Arrow streams

    native = loaded()
    assert native is not None
    stream = _Stream(native, files, chosen)
    con.register(_VIEW, stream)
    try:
        yield _selected(chosen)
    finally:
        con.unregister(_VIEW)
        stream.close()


def _selected(chosen: Shape) -> Sql:
    columns = [f"coalesce({leaf}, 0) AS {name}" for name, leaf in chosen.numbers.items()]
    columns += [
        f"coalesce({', '.join(map(at, names))}) AS {name}" for name, names in chosen.times.items()
    ]
    keep = f" WHERE odd OR {chosen.keep}" if chosen.keep else ""
    return f"SELECT {', '.join(['*', *columns])} FROM {_VIEW}{keep}"


class _Stream:
    """What DuckDB asks for Arrow streams of rows, each from the beginning."""

    def __init__(self, native: ctypes.CDLL, files: Sequence[Path], chosen: Shape) -> None:
        self._native = native
        self._files = (ctypes.c_char_p * len(files))(*(bytes(file) for file in files))
        named = list(fields(chosen.columns))
        places = {path: place for place, (path, _) in enumerate(named)}
        self._fields = (_Field * len(named))(
            *(_field(path, kind, places, chosen.there) for path, kind in named)
        )
        self._told = sum(1 << places[path] for path in chosen.told)
        self._usual = sum(1 << places[path] for path in chosen.usual)
        repeat = [places[path] for path in chosen.repeat] or [-1, -1, -1]
        self._repeat = (ctypes.c_int32 * 3)(*repeat)
        self._opened: list[int] = []

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        stream = self._native.sdlc_scan_open(
            self._files,
            len(self._files),
            self._fields,
            len(self._fields),
            self._told,
            self._usual,
            self._repeat,
        )
        if not stream:
            raise MemoryError
        self._opened.append(stream)
        return _capsule(stream, b"arrow_array_stream", None)

    def close(self) -> None:
        """Lets go of files and memory."""
        for stream in self._opened:
            self._native.sdlc_scan_close(stream)
        self._opened.clear()


def _field(path: str, kind: Kind, places: dict[str, int], there: Sequence[str]) -> _Field:
    parent, _, key = path.rpartition("/")
    title = path if kind not in _BARE else f"{path}/?" if path in there else ""
    return _Field(key.encode(), title.encode() or None, kind, places[parent] if parent else -1)


_capsule = ctypes.pythonapi.PyCapsule_New
_capsule.restype = ctypes.py_object
_capsule.argtypes = (ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p)
