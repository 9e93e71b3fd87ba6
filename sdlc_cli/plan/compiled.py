"""Compiles the kernels of a plan where numba is installed, and leaves them as they are elsewhere.

Machine code is kept in our cache folder, so that only the first plan pays for compiling. Without
a folder to write to (a read-only home) each run compiles anew and says nothing. What is compiled
has to mean the same to Python: whole numbers below 2^63, and no index below zero.
"""

import hashlib
import importlib
import os
import pickle
import shutil
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from sdlc_cli.core.files import cache_dir
from sdlc_cli.core.i18n import _


def _import() -> Any:
    """numba, and no coverage: numba would load that, a tenth of a start, to tell it of our code."""
    if "coverage" in sys.modules:
        return importlib.import_module("numba")
    sys.modules["coverage"] = None  # type: ignore[assignment]
    try:
        return importlib.import_module("numba")
    finally:
        del sys.modules["coverage"]


numba: Any
try:
    numba = _import()
except ImportError as error:
    numba = None
    _missing = str(error)
else:
    _missing = ""

_ALONE = threading.Lock()  # numba's settings are of the whole process
_BROKEN = (OSError, EOFError, ValueError, pickle.UnpicklingError)  # a cache that is of no use

F = TypeVar("F", bound=Callable[..., Any])


def engine() -> tuple[str, str]:
    """What kernels run on, "numba" or "python", and why it is Python."""
    if numba is None:
        if "No module named 'numba'" in _missing:
            return "python", _("numba is not installed: pip install 'sdlc-cli[plan]'")
        return "python", _("numba does not load: {why}").format(why=_missing)
    if numba.config.DISABLE_JIT:
        return "python", _("NUMBA_DISABLE_JIT is set")
    return "numba", ""


def given(array: Any) -> Any:
    """An array for compiled kernels; lists, which are quicker there, for those in Python."""
    return array if engine()[0] == "numba" else array.tolist()


def jit(function: F) -> F:
    """`function` as machine code, compiled at its first call, free of the interpreter's lock."""
    if numba is None or numba.config.DISABLE_JIT:
        return function
    compiled: Any = numba.njit(nogil=True, error_model="numpy", cache=_cached)(function)
    if _cached:
        _forgive(compiled._cache)
    return compiled  # type: ignore[no-any-return]


def light(function: F) -> F:
    """As `jit`, for much code at once: less is tried to make it quick, with the same success.

    It must not make arrays.
    """
    if numba is None or numba.config.DISABLE_JIT:
        return function
    lean: dict[str, Any] = {"cache": _cached, "_nrt": False}
    compiled: Any = numba.njit(nogil=True, error_model="numpy", **lean)(function)
    if _cached:
        _forgive(compiled._cache)
    whole = compiled.compile

    def compile_(signature: Any) -> Any:
        config = numba.config
        with _ALONE:
            before = config.OPT, config.LOOP_VECTORIZE, config.SLP_VECTORIZE
            config.OPT, config.LOOP_VECTORIZE, config.SLP_VECTORIZE = type(before[0])(1), 0, 0
            try:
                return whole(signature)
            finally:
                config.OPT, config.LOOP_VECTORIZE, config.SLP_VECTORIZE = before

    compiled.compile = compile_
    return compiled  # type: ignore[no-any-return]


def inner(function: F) -> F:
    """As `jit`, for what compiled functions call: kept as a part of those, and quicker to compile.

    It must not make arrays, and Python cannot call it.
    """
    if numba is None or numba.config.DISABLE_JIT:
        return function
    lean: dict[str, Any] = {"no_cfunc_wrapper": True, "no_cpython_wrapper": True, "_nrt": False}
    return numba.njit(nogil=True, error_model="numpy", **lean)(function)  # type: ignore[no-any-return]


def inlined(function: F) -> F:
    """As `inner`, for what is called in one place: compiled as a part of that."""
    if numba is None or numba.config.DISABLE_JIT:
        return function
    return numba.njit(nogil=True, error_model="numpy", inline="always")(function)  # type: ignore[no-any-return]


def _forgive(cache: Any) -> None:
    """A cache that breaks in use (a full disk, a folder that is gone) costs time, not the plan."""
    load, save = cache.load_overload, cache.save_overload

    def load_or_compile(*arguments: Any) -> Any:
        try:
            return load(*arguments)
        except _BROKEN:
            return None

    def save_if_possible(*arguments: Any) -> None:
        try:
            save(*arguments)
        except _BROKEN:
            return

    cache.load_overload, cache.save_overload = load_or_compile, save_if_possible


def _folder() -> Path | None:
    """Where machine code is kept, one folder for each installation and state of our sources.

    numba looks at the file of a function only, not at those of the functions that it calls.
    """
    place = cache_dir()
    if place is None:
        return None
    here = Path(__file__).parent
    try:
        states = [(p.name, p.stat()) for p in sorted(here.rglob("*.py"))]
        home = place / "plan" / _digest(str(here), sys.version)
        current = home / _digest(*(f"{name} {s.st_mtime_ns} {s.st_size}" for name, s in states))
        if not current.is_dir():
            for old in home.glob("*"):
                shutil.rmtree(old, ignore_errors=True)
            current.mkdir(parents=True, exist_ok=True)
    except OSError:
        return None
    return current if os.access(current, os.W_OK | os.X_OK) else None


def kept(module: str) -> bool:
    """Whether nothing of a module is left to compile: an earlier run kept it, or it is Python."""
    if engine()[0] != "numba":
        return True
    folder = Path(numba.config.CACHE_DIR) if _cached else None
    return folder is not None and any(folder.rglob(f"{module}.*.nbc"))


def _digest(*words: str) -> str:
    return hashlib.sha256("\n".join(words).encode()).hexdigest()[:16]


def _keep_code() -> bool:
    """Tell numba our folder, unless its user has named one."""
    if numba is None or numba.config.CACHE_DIR:
        return numba is not None
    folder = _folder()
    if folder is not None:
        numba.config.CACHE_DIR = str(folder)
    return folder is not None


_cached = _keep_code()
