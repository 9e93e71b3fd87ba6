"""Every JSON result of `sdlc cost` fits the schema that `sdlc schema` prints of it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from sdlc_cli.cost.schema import SCHEMAS

jsonschema = pytest.importorskip("jsonschema")
EXAMPLES = Path(__file__).parents[2] / "examples" / "cost"
START = 1_767_225_600  # 2026-01-01T00:00:00Z
CONFIG = """\
version: 1
prices: [{model: house-1, input: 1, output: 1}]
budgets:
  - {name: all, limit_usd: 0.05}
  - {name: none, project: nobody, limit_usd: 1}
  - {name: tags, tag: {env: prod}, limit_usd: 0, period: total}
route: {ladders: {chat: {primary: gpt-4o, fallback: gpt-4o-mini, swap_at: 50%}}}
"""


def call(n: int) -> str:
    day = START + n // 3 * 86_400 + n
    model = ("gpt-4o", "claude-sonnet-4-5", "house-1", "nobody-knows")[n % 4]
    usage = {"prompt_tokens": 3_000, "completion_tokens": 100}
    body = {"id": f"chatcmpl-{n}", "object": "chat.completion", "created": day, "model": model}
    if n % 11:
        body["usage"] = usage
    request = {"messages": [{"role": "system", "content": "s" * 9_000}, f"question {n % 5}"]}
    return json.dumps({"ts": day, "project": "shop", "request": request, "response": body})


CASES = {
    "cost-report": [["report", "log.jsonl", "--by", "day"], ["report", "log.jsonl", "bad.jsonl"]],
    "cost-budget": [
        ["budget", "log.jsonl", "--as-of", "2026-01-20"],
        ["budget", "log.jsonl", "--as-of", "2026-01-20", "--forecast"],
        ["budget", "log.jsonl", "--as-of", "2027-01-20"],
    ],
    "cost-forecast": [
        ["forecast", "log.jsonl", "--as-of", "2026-02-01", "--days", "9"],
        ["forecast", "log.jsonl", "--as-of", "2026-01-03"],
    ],
    "cost-whatif": [
        ["whatif", "log.jsonl", "--model", "gpt-4o=gpt-4o-mini", "--batch"],
        ["whatif", "log.jsonl", "--cache-prefixes"],
    ],
    "cost-advise": [["advise", "log.jsonl"]],
    "cost-cache": [["cache", "log.jsonl"], ["cache", "log.jsonl", "--ttl", "1h", "--size", "2"]],
    "cost-reconcile": [
        ["reconcile", f"{EXAMPLES}/{name}-{kind}.json", f"{EXAMPLES}/{name}-usage.json"]
        for name in ("openai", "anthropic")
        for kind in ("costs", "usage")
    ],
    "cost-route": [
        ["route", "log.jsonl", "--model", "chat", "--as-of", "2026-01-20", "--replay"],
        ["route", "log.jsonl", "--model", "chat", "--as-of", "2026-01-01"],
    ],
    "cost-prices": [["prices", "*sonnet*"], ["prices", "deepseek*"], ["prices", "house-1"]],
    "cost-load": [["load", "sqlite:///usage.db", "log.jsonl", "bad.jsonl"]],
    "cost-explain": [
        ["explain", f"chatcmpl-{n}", "log.jsonl"] for n in (1, 2, 3, 11)
    ],
}  # fmt: skip


@pytest.fixture
def place(tmp_path: Path) -> Path:
    (tmp_path / "log.jsonl").write_text("\n".join(map(call, range(93))))
    (tmp_path / "bad.jsonl").write_text(call(200) + "\n{\n")
    (tmp_path / "cost.yaml").write_text(CONFIG)
    return tmp_path


def run(words: list[str], cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "sdlc_cli", "-q", *words],
        cwd=cwd,
        env={**os.environ, "SDLC_CACHE_DIR": str(cwd / "cache"), "SDLC_LANG": "en"},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("name", CASES)
def test_a_result_fits_its_schema(name: str, place: Path) -> None:
    schema = json.loads(run(["schema", name], place).stdout)
    checker = jsonschema.Draft202012Validator(schema)

    for words in CASES[name]:
        done = run(["cost", *words, "--format", "json"], place)
        assert done.stdout, done.stderr
        wrong = [
            f"{e.json_path}: {e.message}" for e in checker.iter_errors(json.loads(done.stdout))
        ]
        assert wrong == [], words


def test_every_result_of_cost_has_a_schema() -> None:
    assert set(CASES) == set(SCHEMAS) - {"cost"}
