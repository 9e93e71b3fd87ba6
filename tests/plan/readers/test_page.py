"""The page of tasks.yaml names every key and every format, and its examples can be read."""

import re
from pathlib import Path

import pytest
from msgspec import Struct

from sdlc_cli.plan import options
from sdlc_cli.plan.readers import FORMATS, table, tasks_yaml

PAGE = (Path(__file__).parents[3] / "docs" / "plan-yaml.md").read_text(encoding="utf-8")
PARTS = [one for one in vars(options).values()
         if isinstance(one, type) and issubclass(one, Struct) and one.__module__ == options.__name__
         and not one.__name__.startswith("_")]  # fmt: skip


@pytest.mark.parametrize("part", PARTS, ids=lambda part: part.__name__)
def test_every_key_is_on_the_page(part: type[Struct]) -> None:
    words = set(re.findall(r"[a-z0-9_]+", PAGE))

    assert set(part.__struct_fields__) - {"place"} <= words


@pytest.mark.parametrize("block", re.findall(r"```yaml\n(.*?)```", PAGE, re.S))
def test_the_examples_can_be_read(block: str) -> None:
    assert tasks_yaml.read(block, "page", {}).tasks


def test_every_format_and_column_is_on_the_page() -> None:
    assert [name for name in FORMATS if f"| `{name}` |" not in PAGE] == []
    assert [name for name in table.COLUMNS if name != "id" and f"`{name}`" not in PAGE] == []
