"""The gate budget: `sdlc cost budget` as a child process, each broken budget a finding."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from sdlc_cli.core.errors import WorkError
from sdlc_cli.gate import config
from sdlc_cli.gate.config import Budgets
from sdlc_cli.gate.engines import budget
from sdlc_cli.gate.model import Measurement
from sdlc_cli.gate.run import Selection, run
from sdlc_cli.gate.source import Project

Tree = Callable[..., Path]
COST = """
version: 1
sources: [calls.jsonl]
budgets:
  - {name: all, period: year, limit_usd: 1}
  - {name: shop, period: year, limit_usd: LIMIT, project: shop}
"""


def calls(count: int, *, model: str = "gpt-4o") -> str:
    """Calls of now: $0.0025 for a thousand tokens each."""
    now = datetime.now(UTC)
    return "".join(
        json.dumps({
            "ts": now.isoformat(),
            "project": "shop",
            "response": {
                "id": f"chatcmpl-{n}",
                "object": "chat.completion",
                "created": int(now.timestamp()),
                "model": model,
                "choices": [],
                "usage": {"prompt_tokens": 1000, "completion_tokens": 0, "total_tokens": 1000},
            },
        }) + "\n"
        for n in range(count)
    )  # fmt: skip


def judge(root: Path, **options: object) -> Measurement:
    gate = Budgets(**options)  # type: ignore[arg-type]
    return budget.check(Project(root=root, base=root, files=("calls.jsonl",)), "budget", gate)


def test_budgets_that_hold_have_all_points(tree: Tree) -> None:
    root = tree({"cost.yaml": COST.replace("LIMIT", "0.01"), "calls.jsonl": calls(2)})

    result = judge(root)

    assert (result.score, result.findings) == (100, ())
    assert result.metrics["budgets"] == 2


def test_a_broken_budget_is_a_finding_with_its_day_and_amounts(tree: Tree) -> None:
    root = tree({"cost.yaml": COST.replace("LIMIT", "0.004"), "calls.jsonl": calls(2)})

    result = judge(root, paths=("calls.jsonl",), config="cost.yaml")

    day = datetime.now(UTC).date().isoformat()
    assert result.score == 50
    assert [finding.rule for finding in result.findings] == ["budget-broken"]
    assert result.findings[0].message == (f"budget shop broke on {day}: $0.005 of $0.004 are spent")


@pytest.mark.parametrize(
    "files",
    [
        pytest.param({}, id="no cost.yaml"),
        pytest.param({"cost.yaml": COST.replace("LIMIT", "1")}, id="no log"),
        pytest.param(
            {"cost.yaml": COST.replace("LIMIT", "1"), "calls.jsonl": ""}, id="an empty log"
        ),
        pytest.param(
            {"cost.yaml": COST.replace("LIMIT", "x"), "calls.jsonl": calls(1)}, id="a bad cost.yaml"
        ),
    ],
)
def test_what_could_not_be_judged_is_an_error(tree: Tree, files: dict[str, str]) -> None:
    with pytest.raises(WorkError, match="could not be judged"):
        judge(tree({"app.py": "", **files}))


def test_a_run_fails_on_a_broken_budget(tree: Tree) -> None:
    gates = "version: 1\ngates:\n  budget:\n"
    root = tree({
        "gates.yaml": gates, "cost.yaml": COST.replace("LIMIT", "0.004"), "calls.jsonl": calls(2)
    })  # fmt: skip

    loaded = config.load(root / "gates.yaml", root, {})

    report = run(root, loaded, Selection(only=("budget",), cache=False), root=root)

    assert [result.status for result in report.results] == ["failed"]
    assert report.exit_code == 1
