"""The examples of the page are run as they stand there, in a folder like a fresh clone."""

import json
import re
import shutil
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "serve.md"
_BLOCK = re.compile(r"<!-- run -->\n```sh\n(.*?)```\n(?:\n```text\n(.*?)```\n)?", re.DOTALL)


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def script(block: str, port: int) -> str:
    """The block, on a port of its own, waiting until the service answers."""
    words = block.replace(":4318", f":{port}").replace(
        "sdlc serve &", f"sdlc serve --port {port} &"
    )
    ready = f"http://localhost:{port}/health/ready"
    wait = f"for i in $(seq 200); do curl -sf {ready} > /dev/null && break; sleep 0.1; done\n"
    return words.replace(" &\n", f" 2> log.txt &\n{wait}", 1)


def blocks(page: Path) -> list[tuple[str, str]]:
    return _BLOCK.findall(page.read_text(encoding="utf-8"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    return tmp_path


def run(words: str, folder: Path) -> str:
    if not shutil.which("curl"):
        pytest.skip("curl is not installed")
    environ = {
        "PATH": f"{Path(sys.executable).parent}:/usr/local/bin:/usr/bin:/bin",
        "HOME": str(folder / "home"),
        "COLUMNS": "88",
        "LANG": "C.UTF-8",
    }
    text = f"set -e\ntrap 'kill $(jobs -p)' EXIT\n{words}"
    done = subprocess.run(
        ["bash", "-c", text], cwd=folder, env=environ, capture_output=True, text=True,
        timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_examples_of_the_page_run(folder: Path, request: pytest.FixtureRequest) -> None:
    found = blocks(PAGE)
    port = free_port()

    marks = "\necho ====\n".join(script(block, port) for block, _ in found)
    outputs = run(marks, folder).split("====\n")

    page = PAGE.read_text(encoding="utf-8")
    shown = "\n".join(line.rstrip() for line in outputs[0].splitlines()) + "\n"
    if request.config.getoption("--accept"):
        PAGE.write_text(page.replace(found[0][1], shown), encoding="utf-8")
    assert shown in PAGE.read_text(encoding="utf-8")
    report = json.loads(outputs[1])
    assert (report["status"], report["data"]["calls"]) == ("ok", 2)
    keys = json.loads(outputs[2])["keys"]
    assert [key["projects"] for key in keys] == [["shop"]]
    assert outputs[3].startswith("Dead letters: 0")


def test_the_readme_shows_what_it_prints(folder: Path, request: pytest.FixtureRequest) -> None:
    page = ROOT / "README.md"
    ((block, shown),) = blocks(page)
    assert shown

    real = run(script(block, free_port()), folder)

    real = "\n".join(line.rstrip() for line in real.splitlines()) + "\n"
    if request.config.getoption("--accept"):
        text = page.read_text(encoding="utf-8")
        page.write_text(text.replace(shown, real), encoding="utf-8")
    assert real in page.read_text(encoding="utf-8")


def test_the_example_has_what_its_page_says(folder: Path) -> None:
    words = (
        "cd examples/serve\n"
        "sdlc serve --store sqlite:///../../usage.db &\n"
        "curl -s -H 'Content-Type: application/json' -d @span.json http://localhost:4318/v1/traces\n"
        "echo ====\n"
        "curl -s http://localhost:4318/api/v1/budgets\n"
    )
    port = free_port()
    words = words.replace("sdlc serve --store", f"sdlc serve --port {port} --store")

    first, second = run(script(words, port), folder).split("====\n")

    assert json.loads(first) == {}
    names = [budget["name"] for budget in json.loads(second)["data"]["budgets"]]
    assert names == ["shop", "everything"]


def test_every_route_and_option_is_on_the_page(service: Any) -> None:
    page = PAGE.read_text(encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "sdlc_cli", "serve", "--help"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    routes = [*service.get("/api/v1/openapi.json").json["paths"], "/metrics"]
    missing = [route for route in routes if route not in page]
    options = re.findall(r"--[a-z-]+", done.stdout)

    assert missing == []
    assert {"--forward", "--trace-to", "--rate-limit", "--max-body"} <= set(options)
    assert [name for name in ("--forward", "--trace-to", "--rate-limit") if name not in page] == []
