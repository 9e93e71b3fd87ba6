"""Real libraries make real calls against a fake provider and export to the real service.

The environment they need is installed by `.ci/clients.py`; `SDLC_TEST_CLIENTS` names its folder.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent / "clients"
ROOT = Path(__file__).parents[2]
CANARY = "CANARY-51c0de"
# One answer: 176 x 2.50 + 1024 x 1.25 + 340 x 10 dollars for a million; 176 x 3 + 1024 x 0.30
# + 512 x 3.75 + 340 x 15 of Anthropic's.
OPENAI, ANTHROPIC = Decimal("0.00512"), Decimal("0.0078552")

pytestmark = pytest.mark.dev


@pytest.fixture(scope="module")
def python() -> str:
    """The interpreter of the clients' environment."""
    folder = os.environ.get("SDLC_TEST_CLIENTS")
    if not folder:
        words = [sys.executable, str(ROOT / ".ci" / "clients.py"), "--where"]
        folder = subprocess.run(words, capture_output=True, text=True, check=True).stdout.strip()
    found = Path(folder) / "env" / "bin" / "python"
    if not found.exists():
        pytest.skip("the clients are not installed: python3 .ci/clients.py")
    return str(found)


@pytest.fixture(scope="module")
def provider() -> Iterator[str]:
    """The address of a fake provider, a process of its own."""
    process = subprocess.Popen(
        [sys.executable, str(HERE / "provider.py")],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout
    assert process.stdin
    yield process.stdout.readline().strip()
    process.stdin.close()
    process.wait(10)
    process.stdout.close()


def call(python: str, client: str, provider: str, service: Any) -> None:
    address = f"http://127.0.0.1:{service.port}"
    done = subprocess.run(
        [python, str(HERE / "call.py"), client, provider, address, CANARY],
        capture_output=True, text=True, timeout=300, check=False,
        env={name: value for name, value in os.environ.items() if "proxy" not in name.lower()},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


def test_every_library_is_counted_once_with_the_right_tokens_and_dollars(
    start: Any, tmp_path: Path, python: str, provider: str
) -> None:
    service = start(tmp_path, "--rate-limit", "0", "--cache-seconds", "0")

    call(python, "all", provider, service)

    report = service.get("/api/v1/cost/report?by=provider").data
    found = {group["keys"]["provider"]: group for group in report["groups"]}
    anthropic, openai = found["anthropic"], found["openai"]
    assert (anthropic["calls"], openai["calls"]) == (8, 10)
    assert Decimal(anthropic["cost_usd"]) == 8 * ANTHROPIC
    assert Decimal(openai["cost_usd"]) == 10 * OPENAI
    assert (anthropic["cache_read_tokens"], anthropic["cache_write_tokens"]) == (8192, 4096)
    assert openai["cache_read_tokens"] == 10 * 1024
    assert openai["output_tokens"] == 3400
    assert report["rejected_count"] == 0
    service.stop()
    kept = b"".join(file.read_bytes() for file in tmp_path.iterdir() if file.is_file())
    assert CANARY.encode() not in kept
    assert CANARY not in json.dumps(service.log)


def test_schemathesis_finds_no_5xx(start: Any, tmp_path: Path, python: str) -> None:
    service = start(tmp_path, "--rate-limit", "0")
    program = Path(python).with_name("schemathesis")
    address = f"http://127.0.0.1:{service.port}/api/v1/openapi.json"

    done = subprocess.run(
        [program, "run", address, "--checks", "not_a_server_error", "--max-examples", "40",
         "--exclude-path", "/api/v1/quantum/demo", "--seed", "1", "--no-color",
         "--generation-database", "none"],
        cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False,
        env={**os.environ, "SCHEMATHESIS_HOOKS": ""},
    )  # fmt: skip

    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-2000:]
    assert service.process.poll() is None
    assert not [line for line in service.log if line["event"] == "bug"]
