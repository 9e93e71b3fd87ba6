"""Any project is written as a tasks.yaml that reads back to the same project."""

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Struct

from sdlc_cli.core import config
from sdlc_cli.plan import readers
from sdlc_cli.plan.model import Project
from sdlc_cli.plan.readers import tasks_yaml
from sdlc_cli.plan.readers.emit import block
from tests.plan.projects import projects

EXAMPLES = Path(__file__).parents[3] / "examples" / "plan"


def bare(project: Project) -> Project:
    """Without what a file does not hold: where it stood."""
    return replace(project, source="", tasks=tuple(replace(task, line=0) for task in project.tasks))


@given(projects(any_names=True))
def test_what_is_written_reads_back(project: Project) -> None:
    text = tasks_yaml.write(project)

    assert bare(tasks_yaml.read(text, "tasks.yaml", {})) == bare(project), text


@pytest.mark.parametrize("name", ["tasks.yaml", "fifty.yaml"])
def test_the_examples_are_written_and_read_back(name: str) -> None:
    project = readers.load(EXAMPLES / name)
    text = tasks_yaml.write(project)

    assert bare(tasks_yaml.read(text, name)) == bare(project)
    assert max(map(len, text.splitlines())) <= 100


@given(st.text(st.characters(codec="utf-8", exclude_characters="\0")))
def test_any_text_is_quoted_so_that_it_reads_back(text: str) -> None:
    class File(Struct):
        value: str
        many: list[str]

    written = "\n".join([*block("value", text), *block("many", [text, text])])

    assert config.read(written, "f", File, {}) == File(text, [text, text])
