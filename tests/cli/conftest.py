"""`sdlc deploy` in a small repository: the command, its JSON, and what it made."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Tree = Callable[..., Path]
Done = subprocess.CompletedProcess[str]
CONFIG = f"""\
version: 1
app: shop
owner: shop-team
image: {{repository: registry.example.com/shop, tag: 1.2.0, digest: "sha256:{"a" * 64}"}}
build:
  base: {{repository: python, tag: 3.12-slim, digest: "sha256:{"c" * 64}"}}
  command: [python, -m, shop]
resources:
  requests: {{cpu: 250m, memory: 256Mi}}
  limits: {{cpu: 1, memory: 512Mi}}
config: {{LOG_LEVEL: INFO}}
environments:
  dev: {{replicas: 1}}
  staging: {{replicas: 2}}
  prod: {{replicas: 5}}
"""


def _sdlc(*words: str | Path, cwd: Path, **environ: str) -> Done:
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("SDLC_", "LC_"))}
    return subprocess.run(
        [sys.executable, "-m", "sdlc_cli", *map(str, words)],
        cwd=cwd,
        env=clean
        | {"LANG": "C.UTF-8", "COLUMNS": "100", "SDLC_CACHE_DIR": str(cwd.parent / "cache")}
        | {"HOME": str(cwd.parent / "home")}
        | environ,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="session")
def deploy_yaml() -> str:
    """A deploy.yaml of three environments."""
    return CONFIG


@pytest.fixture(scope="session")
def sdlc() -> Callable[..., Done]:
    """`sdlc("deploy", "drift", cwd=root, TZ="UTC")` is a run of the real program."""
    return _sdlc


@pytest.fixture(scope="session")
def deploy() -> Callable[..., Done]:
    """`deploy("drift", cwd=root)` runs `sdlc deploy drift`."""

    def run(*words: str | Path, cwd: Path, **environ: str) -> Done:
        return _sdlc("deploy", *words, cwd=cwd, **environ)

    return run


@pytest.fixture(scope="session")
def result(deploy: Callable[..., Done]) -> Callable[..., dict[str, Any]]:
    """`result("drift", cwd=root, code=1)` is its JSON."""

    def run(*words: str | Path, cwd: Path, code: int = 0) -> dict[str, Any]:
        done = deploy(*words, "--format", "json", cwd=cwd)
        assert done.returncode == code, done.stdout + done.stderr
        answer: dict[str, Any] = json.loads(done.stdout)
        return answer

    return run


@pytest.fixture(scope="session")
def files() -> Callable[[Path], dict[str, str]]:
    """`files(root)` is the text of each file by its path."""

    def read(root: Path) -> dict[str, str]:
        return {
            str(path.relative_to(root)): path.read_text()
            for path in sorted(root.rglob("*"))
            if path.is_file() and ".git/" not in str(path)
        }

    return read


@pytest.fixture
def shop(tree: Tree) -> Path:
    """A repository with a deploy.yaml of three environments."""
    return tree({"deploy.yaml": CONFIG, "src/shop.py": "x = 1\n"}, git=True)


@pytest.fixture(scope="module")
def once(tmp_path_factory: pytest.TempPathFactory, deploy: Callable[..., Done]) -> Path:
    """What a render of all environments makes."""
    root = tmp_path_factory.mktemp("once")
    (root / "deploy.yaml").write_text(CONFIG)
    done = deploy("render", "--all", cwd=root)
    assert done.returncode == 0, done.stderr
    return root


@pytest.fixture
def rendered(shop: Path, once: Path) -> Path:
    """The repository after a render of all environments."""
    shutil.copytree(once, shop, dirs_exist_ok=True)
    return shop
