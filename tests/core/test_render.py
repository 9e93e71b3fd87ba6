"""One table, printed in every form."""

import csv
import io
import json
from decimal import Decimal

import pytest

from sdlc_cli.core import render, terminal
from sdlc_cli.core.table import Column, Table

TABLE = Table(
    title="Costs <1>",
    columns=(
        Column(key="model", title="Model"),
        Column(key="calls", title="Calls", kind="number"),
        Column(key="cost_usd", title="Cost", kind="number", decimals=2),
    ),
    rows=(("a|b <i>", 12_345, Decimal("0.123")), ("=1+1", None, float("nan"))),
)


def test_markdown_escapes_cells_and_aligns_numbers() -> None:
    assert render.markdown(TABLE) == (
        "| Model | Calls | Cost |\n"
        "| --- | --: | --: |\n"
        "| a&#124;b &#60;i&#62; | 12,345 | 0.12 |\n"
        "| =1+1 | - | nan |\n"
    )


def test_html_escapes_cells_and_title() -> None:
    page = render.html(TABLE)

    assert "<caption>Costs &lt;1&gt;</caption>" in page
    assert '<td class="text">a|b &lt;i&gt;</td><td class="number">12,345</td>' in page


def test_csv_holds_whole_numbers_and_no_formula() -> None:
    rows = list(csv.reader(io.StringIO(render.csv(TABLE))))

    assert rows == [
        ["model", "calls", "cost_usd"],
        ["a|b <i>", "12345", "0.123"],
        ["'=1+1", "", "nan"],
    ]


def test_json_keeps_money_exact_and_has_no_nan() -> None:
    assert json.loads(render.json(TABLE)) == [
        {"model": "a|b <i>", "calls": 12345, "cost_usd": "0.123"},
        {"model": "=1+1", "calls": None, "cost_usd": None},
    ]


def test_machines_never_get_an_exponent() -> None:
    column = Column(key="cost_usd", title="Cost", kind="number")
    table = Table(columns=(column,), rows=((Decimal("0.000000000001"),), (Decimal("1E+3"),)))

    assert render.csv(table) == "cost_usd\n0.000000000001\n1000\n"
    assert [row["cost_usd"] for row in json.loads(render.json(table))] == ["0.000000000001", "1000"]


@pytest.mark.parametrize("width", [24, 80])
def test_a_terminal_gets_a_grid_that_fits(width: int) -> None:
    text = terminal.paint(
        [terminal.grid(TABLE, encoding="ascii")], width=width, color=False, encoding="ascii"
    )

    assert max(map(len, text.split("\n"))) <= width
    assert text.isascii()
    assert "12,345" in text


def test_columns_can_be_left_out() -> None:
    assert TABLE.without({"calls"}).rows[0] == ("a|b <i>", Decimal("0.123"))


def test_a_row_of_another_length_is_refused() -> None:
    with pytest.raises(ValueError, match="2 cells in a table of 1 columns"):
        Table(columns=(Column(key="a", title="A"),), rows=((1, 2),))
