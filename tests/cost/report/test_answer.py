"""Headline, tables and notes of the other commands, in every form."""

import json

import pytest

from sdlc_cli.core.columns import columns
from sdlc_cli.core.i18n import msg
from sdlc_cli.core.table import Column, Table
from sdlc_cli.core.view import View
from sdlc_cli.cost.model import Rejection
from sdlc_cli.cost.report import rejects
from sdlc_cli.cost.report.answer import Answer, render

HOSTILE = "=cmd() <script> [red]x[/red] \x1b[31m | `a`\r\nnext \u202e \x9b"
TABLE = Table(
    title=HOSTILE,
    columns=(
        Column(key="name", title="Name"),
        Column(key="why", title="Why"),
        Column(key="cost_usd", title="Cost $", kind="number", decimals=2),
    ),
    rows=(
        (HOSTILE, "a sentence of quite some words that has to be broken " * 3, 1.5),
        ("b", "", None),
    ),
)
ANSWER = Answer(headline=HOSTILE, tables=(TABLE,), notes=(HOSTILE,), document={"name": HOSTILE})


@pytest.mark.parametrize("form", ["table", "markdown", "csv", "json"])
def test_a_name_is_harmless_in_every_form(form: str) -> None:
    made = render(ANSWER, form)

    assert not {"\x1b", "\x9b", "\u202e", "\r"} & set(made)


def test_json_means_what_it_was_given() -> None:
    assert json.loads(render(ANSWER, "json")) == {"name": HOSTILE}


def test_markdown_keeps_its_tables_whole() -> None:
    lines = render(ANSWER, "markdown").splitlines()

    assert [line.count(" | ") for line in lines if line.startswith("| ")] == [2, 2, 2, 2]
    assert "<script>" not in "".join(lines)


@pytest.mark.parametrize("width", [24, 40, 80, 120])
def test_no_line_is_wider_than_the_terminal(width: int) -> None:
    shown = render(ANSWER, "table", View(width=width))

    assert max(map(columns, shown.split("\n"))) <= width
    assert "1.50" in shown


def test_without_a_table_csv_is_empty() -> None:
    assert render(Answer(headline="x", document={}), "csv") == ""


def test_a_rejected_record_is_a_line_of_json() -> None:
    one = Rejection(path="a\udcff.jsonl", line=3, reason=msg("no key {key}", key=HOSTILE))

    written = rejects.line(one)

    assert written.isascii()
    assert json.loads(written) == {
        "path": "a\\xff.jsonl",
        "line": 3,
        "reason": f"no key {HOSTILE}",
    }
