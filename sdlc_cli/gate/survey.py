"""What a repository has that gates could judge: tests, coverage, locks, benchmarks."""

import os
import re
import tomllib
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from sdlc_cli.core.files import read_within

COVERAGE_REPORTS = ("coverage.xml", "coverage.json", "coverage.lcov", "lcov.info")
AUDIT_REPORTS = ("pip-audit.json", "osv.json")
LOCKS = ("uv.lock", "poetry.lock", "pdm.lock", "requirements.txt", "Pipfile.lock")
FOREIGN = ("vendor", "third_party", "node_modules")  # folders of other people's code
_TEST_FOLDERS = ("tests", "test")
_SETTINGS = ("pyproject.toml", "setup.cfg", "tox.ini", "pytest.ini", "noxfile.py", "Pipfile")
_TEST_EXTRAS = ("test", "tests", "testing", "dev")
_MAX_BYTES = 1_000_000  # of a settings file; nobody writes longer ones
# A test outside of a class: unittest would not find it.
_PYTEST = re.compile(r"^(?:import pytest\b|from pytest\b|(?:async )?def test_\w*\()", re.MULTILINE)
_MAX_TESTS = 200  # test files that are read
_MAX_FILES = 20_000  # looked at for a Python file before giving up


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """The answers; an empty one means: not there."""

    python: bool
    installable: bool
    tests: str
    pytest: bool
    pytest_named: bool  # in the settings, so that installing the project installs it too
    pytest_cov: bool
    coverage_config: bool
    coverage_report: str
    audit_report: str
    lock: str
    benchmarks: str
    foreign: tuple[str, ...]
    extra: str  # the extra that holds what the tests need
    python_version: str  # the oldest that the project declares, as 3.11


def survey(root: Path) -> Survey:
    """Look at the repository in `root`. Reads a few known files, runs nothing."""
    project = _project(root)
    settings = "\n".join(_text(root, name) for name in (*_SETTINGS, *_requirements(root)))
    tests = next((n for n in _TEST_FOLDERS if _has_python(root / n, test=True)), "")
    extras = _table(project.get("optional-dependencies"))
    coverage = ".coveragerc", "[tool.coverage", "[coverage:run]"
    return Survey(
        python=_has_python(root),
        installable="name" in project or (root / "setup.py").is_file(),
        tests=tests or ("." if list(root.glob("test_*.py")) else ""),
        pytest_named="pytest" in settings,
        pytest="pytest" in settings or _only_pytest_runs(root, tests),
        pytest_cov="pytest-cov" in settings,
        coverage_config=(root / coverage[0]).is_file() or any(c in settings for c in coverage[1:]),
        coverage_report=_first(root, COVERAGE_REPORTS),
        audit_report=_first(root, AUDIT_REPORTS),
        lock=_first(root, LOCKS),
        benchmarks="benchmarks" if (root / "benchmarks").is_dir() else "",
        foreign=tuple(name for name in FOREIGN if (root / name).is_dir()),
        extra=next((name for name in _TEST_EXTRAS if name in extras), ""),
        python_version=_oldest(project.get("requires-python")),
    )


def _project(root: Path) -> dict[str, object]:
    try:
        whole = tomllib.loads(_text(root, "pyproject.toml"))
    except tomllib.TOMLDecodeError:
        return {}  # the syntax gate will tell where it is broken
    return _table(whole.get("project"))


def _table(value: object) -> dict[str, object]:
    return value if isinstance(value, dict) else {}


def _oldest(declared: object) -> str:
    match = re.search(r">=\s*(3\.\d+)", declared) if isinstance(declared, str) else None
    return match[1] if match else ""


def _requirements(root: Path) -> list[str]:
    found = sorted([*root.glob("*requirements*.txt"), *root.glob("requirements/*.txt")])
    return [str(path.relative_to(root)) for path in found[:20]]


def _first(root: Path, names: tuple[str, ...]) -> str:
    return next((name for name in names if (root / name).is_file()), "")


def _text(root: Path, name: str) -> str:
    try:
        return read_within(root / name, root, _MAX_BYTES).decode("utf-8-sig", "replace")
    except OSError:
        return ""


def _only_pytest_runs(root: Path, tests: str) -> bool:
    """True when a file of the tests imports pytest or holds a test that is a plain function."""
    files = (root / tests).rglob("*.py") if tests else root.glob("*.py")
    named = (f for f in files if f.name.startswith("test_") or f.name.endswith("_test.py"))
    return any(_PYTEST.search(_text(root, str(file))) for file in islice(named, _MAX_TESTS))


def _has_python(folder: Path, *, test: bool = False) -> bool:
    """True when a Python file lies below; with `test`, one that pytest would collect."""
    seen = 0
    for _place, folders, files in os.walk(folder):
        folders[:] = sorted(f for f in folders if not f.startswith(".") and f not in FOREIGN)
        for name in files:
            seen += 1
            tests = name.startswith("test_") or name.endswith("_test.py")
            if name.endswith(".py") and (tests or not test):
                return True
        if seen > _MAX_FILES:
            return False
    return False
