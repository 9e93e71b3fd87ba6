"""Finds the Python environment of the project under judgement, which is seldom our own.

All of this runs programs that the repository chooses: call it only where gates.yaml allows it.
"""

import os
import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from sdlc_cli.core import proc
from sdlc_cli.core.errors import WorkError
from sdlc_cli.core.i18n import msg

_PYTHONS = ("python", "python3")
_FOLDERS = (".venv", "venv")
_SYNC_S = 600.0  # for uv, which may have to install the project first
_ASK_S = 60.0
# Variables that would point the project's interpreter at another one's files.
_FOREIGN = ("PYTHONHOME", "__PYVENV_LAUNCHER__", "VIRTUAL_ENV", "PYTHONEXECUTABLE")


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """An interpreter, the folder of its programs, and what to call it.

    `root` is set for a virtual or conda environment.
    """

    python: Path
    bin: Path
    label: str
    root: Path | None = None

    def variables(
        self, environ: Mapping[str, str], extra: Mapping[str, str] | None = None
    ) -> dict[str, str]:
        """`environ` as a child in this environment sees it, then `extra` on top."""
        variables = {name: value for name, value in environ.items() if name not in _FOREIGN}
        path = environ.get("PATH") or os.defpath
        variables["PATH"] = f"{self.bin}{os.pathsep}{path}"
        if self.root and (self.root / "pyvenv.cfg").is_file():
            variables["VIRTUAL_ENV"] = str(self.root)
        return variables | dict(extra or {})

    def command(self, words: Sequence[str]) -> tuple[str, ...]:
        """`words` with a leading `python` or `python3` made this interpreter."""
        if words and words[0] in _PYTHONS:
            return (str(self.python), *words[1:])
        return tuple(words)

    def has(self, module: str, *, cwd: Path, environ: Mapping[str, str]) -> bool:
        """Whether `module` can be imported from `cwd`; nothing of it is run but its parents."""
        code = "import importlib.util, sys; sys.exit(importlib.util.find_spec(sys.argv[1]) is None)"
        done = proc.run(
            [str(self.python), "-c", code, module],
            cwd=cwd,
            environment=self.variables(environ),
            timeout=_ASK_S,
        )
        return done.code == 0


def resolve(
    name: str, base: Path, environ: Mapping[str, str], *, own: Path | None = None
) -> Environment:
    """The environment called `name`; paths are relative to `base`.

    `auto` takes the first there is of: the active environment, `.venv` or `venv` in `base`, uv
    (with a uv.lock in `base` and uv installed), the first Python on PATH. `own` (by default
    where we are installed) is passed over when pipx, uv or pre-commit made it just for us: the
    project is not in it. Raises WorkError naming what was tried.
    """
    own = own or Path(sys.prefix)
    if name == "auto":
        return _auto(base, environ, own)
    if name == "active":
        found = _active(environ, None)
        if found:
            return found
        raise _missing(
            msg("no Python environment is active: neither VIRTUAL_ENV nor CONDA_PREFIX names one")
        )
    if name == "uv":
        return _uv(base, environ)
    return _named(name, base)


def _auto(base: Path, environ: Mapping[str, str], own: Path) -> Environment:
    found = _active(environ, own)
    for folder in _FOLDERS:
        found = found or _folder(base / folder, folder)
    if found:
        return found
    if (base / "uv.lock").is_file() and shutil.which("uv", path=environ.get("PATH")):
        return _uv(base, environ)
    found = _on_path(environ, own)
    if found:
        return found
    raise _missing(
        msg(
            "no Python environment of the project was found. Tried: the active one, {folders} in"
            " {base}, uv.lock, and python3 and python on PATH",
            folders=" and ".join(_FOLDERS),
            base=str(base),
        )
    )


def _active(environ: Mapping[str, str], own: Path | None) -> Environment | None:
    """What VIRTUAL_ENV or CONDA_PREFIX names; conda's base is where conda itself lives."""
    virtual = environ.get("VIRTUAL_ENV", "")
    conda = environ.get("CONDA_PREFIX", "")
    if own and environ.get("CONDA_DEFAULT_ENV") == "base":
        conda = ""
    for folder in (virtual, conda):
        if not folder or (own and _same(Path(folder), own) and _is_private(own)):
            continue
        found = _folder(Path(folder), folder)
        if found:
            return found
    return None


def _named(name: str, base: Path) -> Environment:
    path = base / Path(name).expanduser()
    found = _folder(path, name)
    if found:
        return found
    if path.is_file() and os.access(path, os.X_OK):
        path = path.absolute()  # never resolved: a link in an environment is what makes it one
        return _folder(path.parent.parent, name, path) or Environment(
            python=path, bin=path.parent, label=name
        )
    raise _missing(
        msg(
            "{name} is neither a Python environment nor an interpreter: looked at {path}",
            name=name,
            path=str(path),
        )
    )


def _folder(folder: Path, label: str, python: Path | None = None) -> Environment | None:
    """The virtual or conda environment in `folder`, if one is there."""
    folder = folder.absolute()
    is_one = (folder / "pyvenv.cfg").is_file() or (folder / "conda-meta").is_dir()
    for candidate in [python] if python else [folder / "bin" / name for name in _PYTHONS]:
        if is_one and candidate and os.access(candidate, os.X_OK):
            return Environment(python=candidate, bin=folder / "bin", label=label, root=folder)
    return None


def _uv(base: Path, environ: Mapping[str, str]) -> Environment:
    """The environment that `uv run` uses in `base`; uv makes it, or brings it up to date."""
    uv = shutil.which("uv", path=environ.get("PATH"))
    if not uv:
        raise _missing(msg("the program uv was not found on PATH"))
    code = "import sys; print(sys.executable); print(sys.prefix)"
    variables = {key: value for key, value in environ.items() if key not in _FOREIGN}
    done = proc.run(
        [uv, "run", "python", "-c", code], cwd=base, environment=variables, timeout=_SYNC_S
    )
    lines = done.stdout.splitlines()
    if done.code != 0 or len(lines) < 2:
        raise WorkError(
            msg("uv could not make the project's environment: {why}", why=done.last_lines(3)),
            hint=msg("run 'uv sync' and see what it says"),
        )
    python, root = Path(lines[-2]), Path(lines[-1])
    return _folder(root, "uv", python) or Environment(python=python, bin=python.parent, label="uv")


def _on_path(environ: Mapping[str, str], own: Path) -> Environment | None:
    """The first Python on PATH that has a chance to hold the project."""
    for folder in (environ.get("PATH") or os.defpath).split(os.pathsep):
        for name in ("python3", "python"):
            python = Path(folder) / name
            if not folder or not python.is_file() or not os.access(python, os.X_OK):
                continue
            if _same(python.parent.parent, own) and _is_private(own):
                continue
            python = python.absolute()
            return _folder(python.parent.parent, str(python), python) or Environment(
                python=python, bin=python.parent, label=str(python)
            )
    return None


def _is_private(own: Path) -> bool:
    """Whether pipx, `uv tool`, uvx or pre-commit made the environment `own` for us alone."""
    marks = ("pipx_metadata.json", "uv-receipt.toml")
    return any((own / mark).is_file() for mark in marks) or any(
        part.startswith(("archive-v", "environments-v", "py_env-")) for part in own.parts
    )


def _same(one: Path, other: Path) -> bool:
    try:
        return one.samefile(other)
    except OSError:
        return False


def _missing(message: str) -> WorkError:
    return WorkError(
        message,
        hint=msg(
            "make one (python3 -m venv .venv) and install the project in it, or name one with"
            " 'python:' in gates.yaml"
        ),
    )
