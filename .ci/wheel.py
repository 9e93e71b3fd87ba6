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
# These need the extra, which is installed after the others have passed without it.
SERVE = ("test_plain.py", "test_otlp.py", "test_checkpoint.py")


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
        failed = tested(python, work, [work / "tests" / folder for folder in FOLDERS])
        if failed:
            return failed
        extra = f"{wheel}[serve]"
        subprocess.run([python, "-m", "pip", "install", "-q", extra], check=True)
        return tested(python, work, [work / "tests" / "serve" / name for name in SERVE])


def tested(python: Path, work: Path, places: list[Path]) -> int:
    """Runs tests by this Python; 0 when every one passed."""
    words = ["-q", "-n", "2", "-p", "no:cacheprovider", "-m", "not dev and not slow"]
    return subprocess.run(
        [str(python), "-m", "pytest", *words, *map(str, places)],
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
