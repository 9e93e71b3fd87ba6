"""The published schemas of the deploy job: they hold what the loader takes."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from sdlc_cli.core.errors import ConfigError
from sdlc_cli.deploy.config import load
from sdlc_cli.deploy.schema import SCHEMAS, get

DEPLOY = Draft202012Validator(get("deploy"))
SERVICE: dict[str, Any] = {
    "version": 1,
    "app": "answers",
    "owner": "team",
    "image": {"repository": "answers", "tag": "1.0"},
    "build": {"command": "answers --port 8080"},
    "resources": {
        "requests": {"cpu": "250m", "memory": "256Mi"},
        "limits": {"cpu": 1, "memory": "512Mi"},
    },
    "environments": {"dev": {}},
}


@pytest.mark.parametrize("name", SCHEMAS)
def test_a_schema_is_a_schema_and_names_no_address_of_ours(name: str) -> None:
    schema = get(name)

    Draft202012Validator.check_schema(schema)
    assert "$id" not in schema


def test_every_section_is_described_and_every_definition_used() -> None:
    schema = get("deploy")

    assert [name for name, part in schema["$defs"].items() if not part.get("description")] == []
    text = str(schema)
    assert [name for name in schema["$defs"] if f"'#/$defs/{name}'" not in text] == []


@pytest.mark.parametrize(
    ("changes", "good"),
    [
        ({}, True),
        ({"environments": {"dev": None}}, True),
        ({"environments": {"dev": {"replicas": 2, "metrics": None}}}, True),
        ({"environments": {"dev": {"config": {"A": None, "B": "x", "C": 1}}}}, True),
        ({"environments": {"dev": {"resources": {"limits": {"cpu": "2"}}}}}, True),
        ({"environments": {"dev": {"secrets": {"A": {"key": "a"}, "B": None}}}}, True),
        ({"environments": {"dev": {"pipeline": {"aws_region": "eu-west-1"}}}}, True),
        ({"metrics": None, "autoscaling": {"min": 1, "max": 2, "cpu": "70%"}}, True),
        ({"health": {"start_seconds": "2m"}, "longest_call_seconds": 90}, True),
        ({"secrets": {"A": {"key": "a/b"}}, "flags": {"new-router": False}}, True),
        ({"app": "Answers"}, False),
        ({"app": "a" * 41}, False),
        ({"environments": {}}, False),
        ({"environments": {"Dev": {}}}, False),
        ({"environments": {"dev": {"app": "x"}}}, False),
        ({"environments": {"dev": {"build": {"python": "3.13"}}}}, False),
        ({"environments": {"dev": {"replcias": 2}}}, False),
        ({"environments": {"dev": {"secrets": {"A": "postgres://u:p@h/d"}}}}, False),
        ({"secrets": {"A": "postgres://u:p@h/d"}}, False),
        ({"image": {"repository": "answers", "digest": "sha256:abc"}}, False),
        ({"cluster": {"kubernetes": 1.34}, "build": {"python": 3.12}}, True),
        ({"cluster": {"kubernetes": "1.2"}}, False),
        ({"cluster": {"kubernetes": 1.2}}, False),
        ({"cluster": {"provides": ["everything"]}}, False),
        ({"ports": {"http": 80}}, False),
        ({"replicas": 0}, False),
        ({"config": {"A": True}}, False),
        ({"health": {"live": "no-slash"}}, False),
        ({"version": 2}, False),
        ({"environments": {"dev": {"health": None}}}, False),
        ({"environments": {"dev": {"resources": {"limits": None}}}}, False),
        ({"environments": {"dev": {"config": None}}}, False),
        ({"environments": {"dev": {"pipeline": None}}}, False),
        ({"health": None, "environments": {"dev": {"resources": {"gpu": None}}}}, True),
    ],
)
def test_the_schema_and_the_loader_agree(
    tmp_path: Path, changes: dict[str, Any], good: bool
) -> None:
    document = {**SERVICE, **changes}
    file = tmp_path / "deploy.yaml"
    file.write_text(yaml.safe_dump(document), encoding="utf-8")
    try:
        load(file)
    except ConfigError:
        loaded = False
    else:
        loaded = True

    assert (DEPLOY.is_valid(document), loaded) == (good, good)


PAGE = (Path(__file__).parents[2] / "docs" / "deploy-yaml.md").read_text(encoding="utf-8")


def test_the_page_names_every_key() -> None:
    schema = get("deploy")
    parts = [schema, *(part for name, part in schema["$defs"].items() if "Override" not in name)]
    keys = {key for part in parts for key in part.get("properties", {})}

    assert len(keys) > 80
    prose = re.sub(r"```.*?```", "", PAGE, flags=re.DOTALL)
    named = set(re.findall(r"[a-z0-9_]+", " ".join(re.findall(r"`[^`]+`|\*\*\w+\*\*", prose))))
    assert keys - named == set()


def test_the_pages_example_can_be_loaded(tmp_path: Path) -> None:
    file = tmp_path / "deploy.yaml"
    (example,) = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    file.write_text(example, encoding="utf-8")

    dev, prod = load(file).specs

    assert (dev.config["LOG_LEVEL"], prod.config["LOG_LEVEL"]) == ("DEBUG", "INFO")
    assert (dev.resources.limits.memory, prod.resources.limits.memory) == (2**29, 2**30)
    assert prod.resources.limits.cpu == 1000
