"""The published schemas of the cost job: they hold what the loader takes."""

import json

import pytest
from jsonschema import Draft202012Validator

from sdlc_cli.core import config as core_config
from sdlc_cli.core.errors import ConfigError
from sdlc_cli.cost.config import CostFile
from sdlc_cli.cost.schema import SCHEMAS, get

COST = Draft202012Validator(get("cost"))


@pytest.mark.parametrize("name", SCHEMAS)
def test_a_schema_is_a_schema_and_names_no_address_of_ours(name: str) -> None:
    schema = get(name)

    Draft202012Validator.check_schema(schema)
    assert "$id" not in schema


def test_every_section_is_described_and_nothing_that_is_filled_in_is_listed() -> None:
    schema = get("cost")

    assert set(schema["$defs"]) > {"PriceEntry", "Rule", "Budget", "Ladder", "Columns", "Privacy"}
    assert [name for name, part in schema["$defs"].items() if not part.get("description")] == []
    assert "place" not in schema["$defs"]["PriceEntry"]["properties"]
    assert schema["$defs"]["Budget"]["properties"]["warn_at"]["default"] == "80%"


@pytest.mark.parametrize(
    ("written", "good"),
    [
        ({"prices": [{"model": "m", "input": 2.5, "output": 0}]}, True),
        ({"prices": [{"model": "m", "discount": "10%", "valid_from": "2026-01-31"}]}, True),
        ({"budgets": [{"name": "a", "limit_usd": 5, "warn_at": "${AT:-80%}"}]}, True),
        ({"prices": [{"model": "m", "input": "2.5", "output": 0}]}, False),
        ({"prices": [{"model": "m", "discount": 0.1}]}, False),
        ({"prices": [{"model": "m", "free": True, "valid_from": "31.1.2026"}]}, False),
        ({"budgets": [{"name": "a", "limit_usd": -1}]}, False),
        ({"budgets": [{"limit_usd": 1}]}, False),
        ({"sorces": []}, False),
    ],
)
def test_the_schema_and_the_loader_agree(written: dict[str, object], good: bool) -> None:
    document = {"version": 1, **written}
    try:
        core_config.read(json.dumps(document), "cost.yaml", CostFile, {})
    except ConfigError:
        loaded = False
    else:
        loaded = True

    assert (COST.is_valid(document), loaded) == (good, good)
