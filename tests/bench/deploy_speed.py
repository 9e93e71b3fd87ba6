"""Compares the CPU time (user and system) of rendering with that of `kubectl kustomize`.

    python tests/bench/deploy_speed.py [--rounds N] [--checkers FOLDER] [--check]

All processes are started anew each time, by turns, so that a busy machine slows all of them; the
least time of each counts. The yardstick is four runs of `kubectl kustomize`, one for each
environment of examples/deploy/deploy.yaml. Held against it is one process that reads deploy.yaml
and renders the same objects: those of all four environments. Beside it stands the whole command,
which also renders the chart, Terraform, the pipeline and the monitoring, checks and writes them.
`--check` ends with 1 when a bound is broken.
"""

import argparse
import os
import resource
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).parents[2]
CONFIG = ROOT / "examples" / "deploy" / "deploy.yaml"
RENDERING = 0.6  # of four runs of kubectl kustomize over the same objects
SECONDS = 1.5  # of CPU, for rendering and checking all four environments
MANIFESTS = """
import sys
from pathlib import Path
from sdlc_cli.deploy import config, render

render.SETS = ("kubernetes",)
loaded = config.load(Path(sys.argv[1]), allow_placeholder=True)
for artifact in render.render(loaded.chosen(())):
    path = Path(sys.argv[2], artifact.path)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(artifact.text)
"""


def main() -> int:
    """0, or with --check 1 when a bound is broken."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--checkers", type=Path, default=None)
    parser.add_argument("--check", action="store_true")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
        os.environ |= {"SDLC_CACHE_DIR": f"{name}/cache", "CI": "1"}
        return measure(Path(name), asked.rounds, kubectl(asked.checkers), asked.check)


def kubectl(checkers: Path | None) -> str:
    """The program to compare with: that of .ci/checkers.py, else the one on PATH."""
    found = checkers / "bin" / "kubectl" if checkers else None
    return (
        str(found)
        if found and found.exists()
        else shutil.which("kubectl")
        or sys.exit("kubectl is not here: python3 .ci/checkers.py, then --checkers FOLDER")
    )


def measure(folder: Path, rounds: int, program: str, check: bool) -> int:
    """Print the ratios."""
    manifests, whole = folder / "manifests", folder / "whole"
    ours = [sys.executable, "-c", MANIFESTS, str(CONFIG), str(manifests)]
    command = [sys.executable, "-m", "sdlc_cli", "deploy", "render", "--all", "--config",
               str(CONFIG), "--allow-placeholder", "--out", str(whole)]  # fmt: skip
    spent([ours])
    environments = sorted(
        path for path in (manifests / "k8s").iterdir() if (path / "kustomization.yaml").exists()
    )
    kustomize = [[program, "kustomize", str(path)] for path in environments]
    runs: Mapping[str, Sequence[Sequence[str]]] = {
        f"kubectl kustomize, {len(kustomize)} times": kustomize,
        "the same objects, rendered": [ours],
        "sdlc deploy render --all": [command],
    }
    least = dict.fromkeys(runs, float("inf"))
    for _round in range(rounds):
        for name, commands in runs.items():
            shutil.rmtree(whole, ignore_errors=True)
            least[name] = min(least[name], spent(commands))
    yardstick, rendering, everything = least.values()
    files = {name: count(place) for name, place in (("rendered", manifests), ("whole", whole))}
    for name, seconds in least.items():
        print(f"{name:34} {seconds * 1000:7.0f} ms CPU")
    print(f"rendering {files['rendered']} files / kubectl kustomize: {rendering / yardstick:.2f}, "
          f"at most {RENDERING}")  # fmt: skip
    print(f"rendering, checking and writing {files['whole']} files: {everything:.2f} s CPU, "
          f"at most {SECONDS}")  # fmt: skip
    broken = rendering / yardstick > RENDERING or everything > SECONDS
    return int(check and broken)


def spent(commands: Sequence[Sequence[str]]) -> float:
    """User and system seconds of these processes, one after the other."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    for command in commands:
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def count(folder: Path) -> int:
    """How many files it holds."""
    return sum(path.is_file() for path in folder.rglob("*"))


if __name__ == "__main__":
    sys.exit(main())
