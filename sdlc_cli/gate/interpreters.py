"""Python interpreters of other versions: find them, and have them compile a project's files."""

import json
import os
import re
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from sdlc_cli.core.i18n import msg
from sdlc_cli.gate.formats import Fault
from sdlc_cli.gate.source import MAX_BYTES

VERIFY_TIMEOUT_S = 20.0
DEATHS = 5  # of one interpreter, before it is no longer believed
START_S, FILE_S = 60.0, 0.25  # wall time a batch may take: to start, and for each file
MEMORY = 1_500_000_000  # bytes of address space of a child
# `-I -S`: nothing of the environment, the current folder or site-packages is loaded.
_ISOLATED = ("-I", "-S", "-X", "utf8", "-c")
_VERSION = "import sys; print('%d.%d.%d' % sys.version_info[:3])"

# Runs under any Python 3: no f-strings. One line of JSON a file, at once, so that the file that
# kills the interpreter is known.
_CHILD = """
import json, os, stat, sys, warnings
warnings.simplefilter("ignore")
work = json.load(sys.stdin)
try:
    import resource
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_AS, (work["memory"], work["memory"]))
except (ImportError, ValueError, OSError):
    pass

def read(path):
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW)
    try:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise OSError("not a regular file")
        with os.fdopen(handle, "rb", closefd=False) as file:
            return file.read(work["limit"])
    finally:
        os.close(handle)

def judge(path):
    try:
        compile(read(os.path.join(work["root"], path)), "file", "exec", 0, True)
    except SyntaxError as error:
        return ["syntax", str(error.msg), error.lineno or 0, error.offset or 0]
    except (RecursionError, MemoryError):
        return ["deep"]
    except OSError:
        return ["unreadable"]
    except (ValueError, OverflowError) as error:
        return ["syntax", str(error), 0, 0]
    return ["fine"]

for path in work["files"]:
    sys.stdout.write(json.dumps(judge(path)) + "\\n")
    sys.stdout.flush()
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Interpreter:
    """A Python that answered. `release` is its full version, as `3.12.1`."""

    version: str
    release: str
    path: Path


@dataclass(slots=True)
class Judged:
    """What one interpreter says: faults and skips by path; `broken` says why it is not believed."""

    faults: dict[str, Fault] = field(default_factory=dict)
    skipped: dict[str, str] = field(default_factory=dict)
    broken: str = ""


def find(version: str, root: Path, environ: Mapping[str, str] = os.environ) -> Interpreter | None:
    """An interpreter of `version` that runs, and does not lie in `root`.

    One that does would be the repository's own code, which is not ours to run.
    """
    tried: set[str] = set()
    for candidate in _candidates(version, environ):
        real = os.path.realpath(candidate)
        if real in tried or _inside(candidate, root) or _inside(real, root):
            continue
        tried.add(real)
        if os.path.isfile(real) and os.access(real, os.X_OK):
            release = _ask(candidate)
            if release.startswith(f"{version}."):
                return Interpreter(version=version, release=release, path=Path(candidate))
    return None


def _inside(path: str, root: Path) -> bool:
    return Path(os.path.abspath(path)).is_relative_to(root)


def _candidates(version: str, environ: Mapping[str, str]) -> Iterator[str]:
    name = f"python{version}"
    folders = [one for one in environ.get("PATH", "").split(os.pathsep) if os.path.isabs(one)]
    # pyenv's shims are scripts that look for a version to run, and may find none.
    yield from (os.path.join(one, name) for one in folders if not one.endswith("/shims"))
    home = environ.get("HOME", "")
    pyenv = environ.get("PYENV_ROOT") or os.path.join(home, ".pyenv")
    data = environ.get("XDG_DATA_HOME") or os.path.join(home, ".local", "share")
    uv = environ.get("UV_PYTHON_INSTALL_DIR") or os.path.join(data, "uv", "python")
    for folder, pattern in (
        (os.path.join(pyenv, "versions"), rf"{re.escape(version)}\.\d+"),
        (uv, rf"cpython-{re.escape(version)}\.\d+-.*"),
    ):
        yield from (os.path.join(one, "bin", name) for one in _newest_first(folder, pattern))
    for folder in ("/usr/local/bin", "/usr/bin", "/opt/homebrew/bin"):
        yield os.path.join(folder, name)
    yield f"/opt/homebrew/opt/python@{version}/bin/{name}"


def _newest_first(folder: str, pattern: str) -> list[str]:
    if not os.path.isabs(folder):
        return []
    try:
        names = [name for name in os.listdir(folder) if re.fullmatch(pattern, name)]
    except OSError:
        return []
    names.sort(key=lambda name: [int(part) for part in re.findall(r"\d+", name)], reverse=True)
    return [os.path.join(folder, name) for name in names]


def _ask(path: str) -> str:
    try:
        done = subprocess.run(
            [path, *_ISOLATED, _VERSION],
            cwd="/",
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=VERIFY_TIMEOUT_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.decode("ascii", "replace").strip() if done.returncode == 0 else ""


def judge(interpreter: Interpreter, root: Path, files: Sequence[str]) -> Judged:
    """Have `interpreter` compile `files`, relative to `root`; nothing of them is run.

    A file that kills it is skipped with that reason and the rest goes on without it.
    """
    judged = Judged()
    left, deaths = list(files), 0
    while left:
        answers, ending = _batch(interpreter, root, left)
        for path, answer in zip(left, answers, strict=False):
            _note(judged, interpreter, path, answer)
        left = left[len(answers) :]
        if not left:
            break
        deaths += 1
        if deaths > DEATHS or not ending:
            judged.broken = msg(
                "Python {version} died {n} times", version=interpreter.version, n=deaths
            )
            break
        judged.skipped[left.pop(0)] = ending
    return judged


def _batch(
    interpreter: Interpreter, root: Path, files: Sequence[str]
) -> tuple[list[list[object]], str]:
    """The answers that came, in order, and why no more did."""
    work = {"root": str(root), "files": files, "limit": MAX_BYTES + 1, "memory": MEMORY}
    with tempfile.TemporaryFile() as given, tempfile.TemporaryFile() as taken:
        given.write(json.dumps(work).encode("ascii"))
        given.seek(0)
        try:
            child = subprocess.Popen(
                [str(interpreter.path), *_ISOLATED, _CHILD],
                cwd="/",
                stdin=given,
                stdout=taken,
                stderr=subprocess.DEVNULL,
            )
        except OSError:
            return [], ""
        version = interpreter.version
        try:
            child.wait(START_S + FILE_S * len(files))
            ending = msg("Python {version} died of it", version=version)
        except subprocess.TimeoutExpired:
            ending = msg("Python {version} took too long", version=version)
        finally:
            child.kill()
            child.wait()
        taken.seek(0)
        lines = taken.read().split(b"\n")[:-1]
    return [json.loads(line) for line in lines], ending


def _note(judged: Judged, interpreter: Interpreter, path: str, answer: Sequence[object]) -> None:
    match answer:
        case ["syntax", str(message), int(line), int(column)]:
            judged.faults[path] = Fault(message=message, line=max(line, 0), column=max(column, 0))
        case ["deep"]:
            judged.skipped[path] = msg(
                "too large or nested too deeply for Python {version}", version=interpreter.version
            )
        case ["unreadable"]:
            judged.skipped[path] = msg(
                "Python {version} could not read it", version=interpreter.version
            )
