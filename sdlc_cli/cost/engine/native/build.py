"""Compiles the reader of lines beside this file, for the machine that it is to run on.

It is plain C behind a few functions: no header of Python's, so one file serves all versions.

    python -m sdlc_cli.cost.engine.native.build
"""

import os
import shlex
import subprocess
import sys
import sysconfig
from collections.abc import Sequence
from hashlib import blake2b
from pathlib import Path

HERE = Path(__file__).parent
SOURCES = ("columns.h", "fields.h", "json.h", "rows.h", "scan.c")
FLAGS = ("-std=gnu11", "-O2", "-fPIC", "-shared", "-fvisibility=hidden", "-Wall", "-Wextra")


def library(folder: Path = HERE) -> Path:
    """Where the reader is, once it was compiled of the sources as they are now."""
    digest = blake2b(digest_size=8)
    for name in SOURCES:
        digest.update((HERE / name).read_bytes())
    return folder / f"scan-{digest.hexdigest()}.so"


def compiled(folder: Path = HERE, flags: Sequence[str] = ()) -> Path | None:
    """Compiles the reader, and lets go of older ones; None where there is no compiler."""
    compiler = os.environ.get("CC") or sysconfig.get_config_var("CC") or "cc"
    made = library(folder)
    fresh = made.with_suffix(f".{os.getpid()}")
    words = [*shlex.split(compiler), *FLAGS, *flags, "-o", str(fresh), str(HERE / "scan.c")]
    try:
        done = subprocess.run(words, check=False)
    except OSError:
        return None
    if done.returncode:
        return None
    for old in folder.glob("scan-*.so"):
        old.unlink()
    return fresh.rename(made)


if __name__ == "__main__":
    sys.exit(compiled() is None)
