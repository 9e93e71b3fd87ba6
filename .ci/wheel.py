"""Build the wheel and run the tests on it: no source tree, nothing beside it but pytest and xdist.

Run: python .ci/wheel.py
"""

import os
import shutil
import subprocess
import sys
import tempfile
import venv
import zipfile
from pathlib import Path

ROOT = Path(__file__).parent.parent
# These need what only developers have (schemas, linters, a browser) or the source tree itself.
FOLDERS = ("core", "gate", "cost", "deploy", "cli")


def main() -> int:
    """0 when every test passed."""
    with tempfile.TemporaryDirectory() as scratch:
        work = Path(scratch)
        subprocess.run(
            [sys.executable, "-m", "build", "--wheel", "--outdir", work, ROOT],
            check=True,
            stdout=subprocess.DEVNULL,
        )
        (wheel,) = work.glob("*.whl")
        with zipfile.ZipFile(wheel) as packed:
            if not any(name.endswith(".so") for name in packed.namelist()):
                sys.exit("the reader of large logs was not compiled")
        venv.create(work / "venv", with_pip=True)
        python = work / "venv" / "bin" / "python"
        subprocess.run(
            [python, "-m", "pip", "install", "-q", wheel, "pytest", "pytest-xdist"], check=True
        )
        shutil.copy(ROOT / "pyproject.toml", work)
        for folder in ("tests", "examples", "docs"):
            shutil.copytree(ROOT / folder, work / folder)
        folders = [str(work / "tests" / folder) for folder in FOLDERS]
        words = ["-q", "-n", "2", "-p", "no:cacheprovider", "-m", "not dev and not slow"]
        return subprocess.run(
            [str(python), "-m", "pytest", *words, *folders],
            cwd=work,
            env={
                **{k: v for k, v in os.environ.items() if k != "SDLC_TEST_REQUIRE_ALL"},
                "SDLC_TEST_WHEEL": "1",
                "PATH": f"{python.parent}{os.pathsep}{os.environ['PATH']}",
            },
            check=False,
        ).returncode


if __name__ == "__main__":
    sys.exit(main())
