"""Compiles the readers beside this file, for the machine that they are to run on.

They are plain C behind a few functions: no header of Python's, so one file serves all versions.
`scan.c` reads lines of logs, `otlp.c` what the service receives.

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
SOURCES = ("columns.h", "fields.h", "json.h", "otlp.c", "rows.h", "scan.c")
FLAGS = ("-std=gnu11", "-O2", "-fPIC", "-shared", "-fvisibility=hidden", "-Wall", "-Wextra")


def library(folder: Path = HERE) -> Path:
    """Where the readers are, once they were compiled of the sources as they are now."""
    digest = blake2b(digest_size=8)
    for name in SOURCES:
        digest.update((HERE / name).read_bytes())
    return folder / f"scan-{digest.hexdigest()}.so"


def compiled(folder: Path = HERE, flags: Sequence[str] = ()) -> Path | None:
    """Compiles the readers, and lets go of older ones; None where there is no compiler."""
    compiler = os.environ.get("CC") or sysconfig.get_config_var("CC") or "cc"
    made = library(folder)
    fresh = made.with_suffix(f".{os.getpid()}")
    units = [str(HERE / name) for name in SOURCES if name.endswith(".c")]
    words = [*shlex.split(compiler), *FLAGS, *flags, "-o", str(fresh), *units]
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
