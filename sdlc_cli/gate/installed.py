"""Which packages are installed beside us, read from folder names.

`importlib.metadata` knows as much and loads the parts of `email` for it: some 40 ms, a tenth of
what a run over unchanged files may take. It answers wherever the folders do not.
"""

import os
import re
import sys
from collections.abc import Iterator, Sequence
from contextlib import suppress
from functools import cache

_RUNS = re.compile(r"[-_.]+")
_INFO = ".dist-info"


def version(name: str) -> str:
    """The installed version of the package, "" without one."""
    folder = _folders().get(_normal(name))
    if folder is not None:
        return folder[1]
    from importlib import metadata

    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return ""


def naming(words: bytes) -> Iterator[tuple[str, str]]:
    """Name and version of each package whose entry points hold `words`."""
    for name, (folder, number) in _folders().items():
        try:
            with open(os.path.join(folder, "entry_points.txt"), "rb", buffering=0) as file:
                points = file.read()
        except OSError:
            continue
        if words in points:
            yield name, number


@cache
def _folders() -> dict[str, tuple[str, str]]:
    """By name: the folder that tells of the package, and the version; the first on the path."""
    return folders(sys.path)


def folders(path: Sequence[str]) -> dict[str, tuple[str, str]]:
    """As `_folders`, for any search path."""
    found: dict[str, tuple[str, str]] = {}
    for place in path:
        with suppress(OSError):
            for entry in os.listdir(place or "."):
                if entry.endswith(_INFO):
                    name, _, number = entry.removesuffix(_INFO).partition("-")
                    found.setdefault(_normal(name), (os.path.join(place, entry), number))
    return found


def _normal(name: str) -> str:
    return _RUNS.sub("-", name).lower()
