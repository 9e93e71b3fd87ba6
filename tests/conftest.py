"""Shared by all tests: golden files, and small projects to run on."""

import os
import re
import shutil
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

try:
    from hypothesis import HealthCheck, settings
except ImportError:  # on the built wheel; the files that need it are left out below
    pass
else:  # machines are shared: how long an example takes says nothing about the code
    settings.register_profile("shared", deadline=None, suppress_health_check=[HealthCheck.too_slow])
    settings.load_profile("shared")

# A shell's background job ignores Ctrl-C, one under nohup the end of its terminal, and so would
# every program that a test starts.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
    signal.signal(signal.SIGHUP, signal.SIG_DFL)

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
BROWSER_FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--disable-dev-shm-usage",
)  # fmt: skip
GOLDEN = Path(__file__).parent / "golden"
REQUIRE_ALL = os.environ.get("SDLC_TEST_REQUIRE_ALL") == "1"
# Set by .ci/wheel.py, which has no development dependency: files that import one are left out.
ON_WHEEL = os.environ.get("SDLC_TEST_WHEEL") == "1"
_IMPORTS_DEV = re.compile(
    r"^ *(?:from|import) (?:hypothesis|jsonschema|lxml|babel|genai_prices)\b|\"-m\", \"coverage\"",
    re.M,
)


def pytest_ignore_collect(collection_path: Path) -> bool | None:
    """On the built wheel, only what needs nothing but pytest."""
    if not ON_WHEEL or collection_path.suffix != ".py":
        return None
    return bool(_IMPORTS_DEV.search(collection_path.read_text(encoding="utf-8"))) or None


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--accept", action="store_true", help="rewrite the golden files")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> object:
    """With SDLC_TEST_REQUIRE_ALL=1 a skipped test is a failed one: CI must see everything."""
    report = yield
    if REQUIRE_ALL and report.skipped and not hasattr(report, "wasxfail"):  # type: ignore[attr-defined]
        report.outcome = "failed"  # type: ignore[attr-defined]
    return report


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Callable[[str, str], None]:
    """`golden("gate.md", text)` holds `text` against tests/golden/gate.md; --accept rewrites."""

    def check(name: str, text: str) -> None:
        path = GOLDEN / name
        if request.config.getoption("--accept"):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8", newline="")
        assert path.exists(), f"no golden file {name}: run pytest --accept and review it"
        assert text == path.read_text(encoding="utf-8"), f"differs from tests/golden/{name}"

    return check


Tree = Callable[..., Path]


@pytest.fixture
def unmeasured(monkeypatch: pytest.MonkeyPatch) -> None:
    """Programs that the test starts run without coverage, which loads, counts and prints too."""
    for name in os.environ:
        if name.startswith("COVERAGE_"):
            monkeypatch.delenv(name)


@pytest.fixture
def browsed(tmp_path: Path) -> Callable[[str, str], str]:
    """`browsed(page, "severity=high")` gives a page's tree once its script has run in Chromium."""
    browser = next((found for name in BROWSERS if (found := shutil.which(name))), None)
    if browser is None:
        pytest.skip("no Chromium here")

    def dump(page: str, fragment: str = "") -> str:
        path = tmp_path / "page.html"
        path.write_text(page, encoding="utf-8")
        done = subprocess.run(
            [browser, *BROWSER_FLAGS, f"--user-data-dir={tmp_path / 'browser'}", "--dump-dom",
             f"{path.as_uri()}#{fragment}"],
            capture_output=True,
            timeout=120,
            check=False,
            env={**os.environ, "HOME": str(tmp_path)},
        )  # fmt: skip
        tree = done.stdout.decode("utf-8", "replace")
        assert "</html>" in tree, done.stderr.decode("utf-8", "replace")[-2000:]
        return tree

    return dump


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    """`tree({"app.py": "x = 1\\n"}, git=True)` writes a small project and returns its folder."""

    def build(files: dict[str, str | bytes], *, git: bool = False) -> Path:
        root = tmp_path / "project"
        root.mkdir(exist_ok=True)
        for name, content in files.items():
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content.encode() if isinstance(content, str) else content)
        if git:
            quiet = {"cwd": root, "check": True, "capture_output": True}
            subprocess.run(["git", "init", "-q", "-b", "main"], **quiet)  # type: ignore[call-overload]
            subprocess.run(["git", "add", "-A"], **quiet)  # type: ignore[call-overload]
            subprocess.run(  # type: ignore[call-overload]
                ["git", "-c", "user.name=t", "-c", "user.email=t@t", "commit", "-qm", "start"],
                **quiet,
            )
        return root

    return build
