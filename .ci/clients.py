"""Install the libraries whose spans `sdlc serve` is tested with, once, into the cache folder.

Run: python3 .ci/clients.py [FOLDER | --where]

It prints the folder, an environment of its own: the libraries of OpenAI, Anthropic and LiteLLM,
their instrumentations, OpenTelemetry's exporter, and schemathesis. They take 350 MB and, with
packages that are in pip's cache, half a minute. What is there already is used again.
"""

import fcntl
import hashlib
import os
import platform
import shutil
import subprocess
import sys
import venv
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from sdlc_cli.core.files import cache_dir

PACKAGES = (
    "anthropic==2.14.0",
    "litellm==1.110.2",
    "openai==3.57.0",
    "openinference-instrumentation-anthropic==3.1.0",
    "openinference-instrumentation-openai==0.1.66",
    "opentelemetry-exporter-otlp-proto-http==1.45.2",
    "opentelemetry-instrumentation-anthropic==0.62.4",
    "opentelemetry-instrumentation-genai-anthropic==1.3b0",
    "opentelemetry-instrumentation-genai-openai==1.3b0",
    "opentelemetry-instrumentation-openai==0.62.4",
    "opentelemetry-sdk==1.45.2",
    "schemathesis==4.32.5",
)
_DONE = "complete"
_SECONDS = 900


def main() -> int:
    """Print the folder; 1 where it cannot be made. With `--where` nothing is installed."""
    if sys.argv[1:] == ["--where"]:
        sys.stdout.write(f"{place() or ''}\n")
        return 0
    folder = Path(sys.argv[1]).absolute() if len(sys.argv) > 1 else place()
    if folder is None:
        sys.stderr.write("there is no cache folder to install clients into\n")
        return 1
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / ".lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / _DONE).is_file():
            install(folder)
    sys.stdout.write(f"{folder}\n")
    return 0


def place() -> Path | None:
    """Where the clients of these versions lie; `SDLC_TEST_CLIENTS` names another folder."""
    if named := os.environ.get("SDLC_TEST_CLIENTS"):
        return Path(named).absolute()
    cache = cache_dir()
    if cache is None:
        return None
    words = (*PACKAGES, sys.version, platform.machine(), sys.platform)
    return cache / f"clients-{hashlib.sha256(repr(words).encode()).hexdigest()[:12]}"


def install(folder: Path) -> None:
    """Make the environment anew. Raises CalledProcessError."""
    shutil.rmtree(folder / "env", ignore_errors=True)
    venv.create(folder / "env", with_pip=True, symlinks=True)
    python = str(folder / "env" / "bin" / "python")
    words = [python, "-m", "pip", "install", "-q", *PACKAGES]
    subprocess.run(words, check=True, timeout=_SECONDS, stdin=subprocess.DEVNULL)
    (folder / _DONE).touch()


if __name__ == "__main__":
    sys.exit(main())
