"""docs/deploy-rules.md lists every rule as the code has it. `pytest --accept` writes it anew."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from sdlc_cli.deploy import rules

PAGE = Path(__file__).parents[3] / "docs" / "deploy-rules.md"
AREAS: Mapping[str, str] = {
    "file": "Files",
    "k8s": "Kubernetes",
    "docker": "Dockerfiles",
    "compose": "Compose files",
    "actions": "GitHub Actions",
    "tf": "Terraform",
    "mon": "Monitoring",
    "cross": "What files say of each other",
}
MARK = "<!-- Below: one table for each area. `pytest tests/deploy/rules --accept` writes them. -->"


def tables() -> str:
    """The part of the page behind the mark."""
    parts: list[str] = []
    for area, title in AREAS.items():
        rows = [
            f"| `{rule.id}` | {rule.severity} | {_cell(rule.title)} | {_cell(rule.fix)} |"
            f" {', '.join(rule.same_as)} |"
            for rule in rules.every().values()
            if rule.area == area
        ]
        head = "| rule | severity | what it finds | what to do | elsewhere |\n|---|---|---|---|---|"
        parts.append("\n".join([f"## {title}", "", head, *rows]))
    return "\n\n".join(parts) + "\n"


def _cell(text: str) -> str:
    return str(text).replace("|", "\\|")


def test_the_page_lists_every_rule_as_it_is(request: pytest.FixtureRequest) -> None:
    before, _mark, after = PAGE.read_text(encoding="utf-8").partition(MARK)
    if request.config.getoption("--accept"):
        PAGE.write_text(f"{before}{MARK}\n\n{tables()}", encoding="utf-8")
        return

    assert after.strip() == tables().strip(), "run pytest tests/deploy/rules --accept"


def test_every_area_has_a_table() -> None:
    assert {rule.area for rule in rules.every().values()} == set(AREAS)


def test_the_page_counts_the_rules() -> None:
    assert f"{len(rules.every())} rules" in PAGE.read_text(encoding="utf-8")
