"""Every JSON result fits its schema, and tasks.yaml has one."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from sdlc_cli.plan.schema import SCHEMAS, get

jsonschema = pytest.importorskip("jsonschema")
GOLDEN = Path(__file__).parents[1] / "golden" / "plan"
EXAMPLES = Path(__file__).parents[2] / "examples" / "plan"


def check(name: str, document: Any) -> None:
    validator = jsonschema.validators.validator_for(get(name))
    validator.check_schema(get(name))
    validator(get(name), format_checker=jsonschema.FormatChecker()).validate(document)


@pytest.mark.parametrize("name", ["plan", "answers", "hostile"])
def test_a_result_fits(name: str) -> None:
    check("plan-report", json.loads((GOLDEN / f"{name}.json").read_text(encoding="utf-8")))


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.yaml")), ids=lambda path: path.name)
def test_an_example_fits(path: Path) -> None:
    text = path.read_text(encoding="utf-8")

    check("tasks", json.loads(json.dumps(yaml.safe_load(text), default=str)))


def test_every_schema_says_what_it_is() -> None:
    assert [get(name)["title"] for name in SCHEMAS] == ["tasks.yaml", "The result of sdlc plan"]
