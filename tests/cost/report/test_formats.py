"""What each form of the report promises, beyond how it looks."""

import csv
import io
import json
import re
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from sdlc_cli.core import i18n
from sdlc_cli.core.columns import columns
from sdlc_cli.core.view import View
from sdlc_cli.cost.model import PICO, Amounts, Group
from sdlc_cli.cost.report import FORMATS, Sheet, focus, load, summary, tables, text

Sheets = dict[str, Callable[[], Sheet]]
NAMES = ["realistic", "hostile", "empty", "tiny", "large"]
# ECMA-48 escape sequences begin with ESC or with U+009B.
ESCAPES = re.compile("[\x1b\x9b\x00\u202e]")


def records(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("name", NAMES)
def test_every_report_can_be_shown_in_every_form(form: str, name: str, sheets: Sheets) -> None:
    made = load(form).render(sheets[name]())

    assert made.endswith("\n")
    made.encode()


@pytest.mark.parametrize("form", FORMATS)
def test_no_name_reaches_the_terminal_as_a_command(form: str, sheets: Sheets) -> None:
    assert not ESCAPES.search(load(form).render(sheets["hostile"]()))


@pytest.mark.parametrize("form", ["csv", "focus"])
def test_no_cell_of_a_spreadsheet_is_a_formula(form: str, sheets: Sheets) -> None:
    rows = list(csv.reader(io.StringIO(load(form).render(sheets["hostile"]()))))

    assert len(rows) == 3
    assert {len(row) for row in rows} == {len(rows[0])}
    assert [cell for row in rows for cell in row if cell[:1] in ("=", "+", "@", "\t", "\r")] == []


@pytest.mark.parametrize("name", NAMES)
def test_json_fits_its_schema(name: str, sheets: Sheets) -> None:
    jsonschema = pytest.importorskip("jsonschema")
    from sdlc_cli.cost.schema import get

    body = json.loads(load("json").render(sheets[name]()))

    jsonschema.Draft202012Validator(get("cost-report")).validate(body)


def test_json_keeps_names_and_money_exactly(sheets: Sheets, hostile_text: str) -> None:
    body: dict[str, Any] = json.loads(load("json").render(sheets["hostile"]()))
    (named,) = [group for group in body["groups"] if "project" in group["keys"]]

    assert named["keys"]["project"] == hostile_text.replace("\udcff", "\\xff")
    assert json.loads(load("json").render(sheets["tiny"]()))["totals"]["cost_usd"] == (
        "0.000000000001"
    )


def test_json_is_never_translated(sheets: Sheets) -> None:
    plain = load("json").render(sheets["realistic"]())
    i18n.use("en-XA")
    try:
        assert load("json").render(sheets["realistic"]()) == plain
        assert load("csv").render(sheets["realistic"]()).startswith("day,model,calls,")
    finally:
        i18n.use("en")


def test_csv_adds_up_to_the_total(sheets: Sheets) -> None:
    sheet = sheets["realistic"]()
    rows = records(load("csv").render(sheet))

    assert sum(Decimal(row["cost_usd"]) for row in rows) == Decimal("17.719450000001")
    assert not any("e" in row["cost_usd"].lower() for row in rows)


def test_focus_adds_up_and_has_the_columns_that_must_be(sheets: Sheets) -> None:
    rows = records(focus.render(sheets["realistic"]()))
    # Mandatory in FOCUS 1.2.
    must = {
        "BilledCost", "BillingAccountId", "BillingAccountName", "BillingCurrency",
        "BillingPeriodEnd", "BillingPeriodStart", "ChargeCategory", "ChargeClass",
        "ChargeDescription", "ChargePeriodEnd", "ChargePeriodStart", "ContractedCost",
        "EffectiveCost", "InvoiceIssuerName", "ListCost", "PricingQuantity", "PricingUnit",
        "ProviderName", "PublisherName", "ServiceCategory", "ServiceName",
    }  # fmt: skip

    assert sum(Decimal(row["BilledCost"]) for row in rows) == Decimal("17.719450000001")
    assert must <= set(rows[0])
    assert {name for name in rows[0] if name not in must and name.startswith("x_")} == {
        name for name in rows[0] if name[0].islower()
    }


def test_focus_days_are_those_of_the_zone(sheets: Sheets) -> None:
    sheet = sheets["tiny"]()
    (row,) = records(focus.render(sheet))

    # Kiritimati is 14 hours ahead of UTC.
    assert row["ChargePeriodStart"] == "2026-10-31T10:00:00Z"
    assert row["ChargePeriodEnd"] == "2026-11-01T10:00:00Z"
    assert row["BillingPeriodStart"] == "2026-10-31T10:00:00Z"
    assert row["BillingPeriodEnd"] == "2026-11-30T10:00:00Z"


@pytest.mark.parametrize("width", [24, 40, 60, 80, 120, 300])
@pytest.mark.parametrize("name", NAMES)
def test_no_line_is_wider_than_the_terminal(name: str, width: int, sheets: Sheets) -> None:
    shown = text.render(sheets[name](), View(width=width))

    assert max(map(columns, shown.split("\n"))) <= width


def test_wide_letters_count_double(sheets: Sheets) -> None:
    made = sheets["realistic"]()
    groups = tuple(
        replace(group, keys={**group.keys, "model": "東京のとても長いモデルの名前です" * 4})
        for group in made.report.groups
    )
    i18n.use("ja")
    try:
        shown = text.render(
            replace(made, report=replace(made.report, groups=groups)), View(width=70)
        )
    finally:
        i18n.use("en")

    assert max(map(columns, shown.split("\n"))) <= 70


def test_a_plain_encoding_gets_plain_letters(sheets: Sheets) -> None:
    shown = text.render(sheets["realistic"](), View(encoding="ascii", width=80))

    assert shown.isascii()
    assert "#" in shown


def test_colour_only_where_it_is_wanted(sheets: Sheets) -> None:
    assert "\x1b[" in text.render(sheets["realistic"](), View(color=True))
    assert "\x1b[" not in text.render(sheets["realistic"](), View())


def test_many_groups_are_cut_and_the_rest_is_counted(sheets: Sheets) -> None:
    shown = text.render(sheets["large"]())

    assert "user-1000" in shown
    assert "940 more groups: --verbose" in shown
    assert "user-0001" in text.render(sheets["large"](), View(verbose=True))


@pytest.mark.parametrize(
    ("values", "width", "line"),
    [
        ([0, 0, 0], 10, "▁▁▁"),
        ([0, 1, 100], 10, "▁▂█"),
        ([1, 1, 1, 1], 2, "██"),
        ([2, 2, 2, 2, 2], 3, "███"),
        ([], 10, ""),
    ],
)
def test_a_sparkline_fits_and_hides_nothing(values: list[int], width: int, line: str) -> None:
    assert text.sparkline(values, width) == line


@pytest.mark.parametrize(
    ("share", "shown"),
    [
        (0, "0%"),
        (1, "100%"),
        (0.9999, "99.9%"),
        (0.00001, "0.1%"),
        (0.5, "50.0%"),
        (0.123, "12.3%"),
    ],
)
def test_a_share_is_all_or_nothing_only_when_it_is(share: float, shown: str) -> None:
    assert summary.percent(share) == shown


@pytest.mark.parametrize(
    ("pico", "shown"),
    [
        (0, "0.00"),
        (1_522_500_000_000, "1.5225"),
        (123_456 * PICO // 100, "1,234.56"),
        (3_000_000, "0.00000300"),
    ],
)
def test_money_for_people_has_as_many_decimals_as_it_needs(pico: int, shown: str) -> None:
    assert summary.people(pico) == shown


def test_what_no_price_is_known_of_is_no_zero(sheets: Sheets) -> None:
    table = tables.groups(sheets["realistic"]().report, people=True)
    cost = [column.key for column in table.columns].index("cost_usd")

    assert [row[cost] for row in table.rows if row[1] == "house-model"] == [None]


def test_a_report_by_day_tells_each_day_that_lies_between(sheets: Sheets) -> None:
    one = Amounts(pico=3)
    groups = [
        Group(keys={"day": day, "model": model}, amounts=one)
        for day, model in (("2026-11-01", "a"), ("2026-11-01", "b"), ("2026-11-03", "a"), ("", "a"))
    ]
    report = replace(sheets["empty"]().report, groups=tuple(groups), by=("day", "model"))

    assert [(day.isoformat(), pico) for day, pico in summary.days(report)] == [
        ("2026-11-01", 6),
        ("2026-11-02", 0),
        ("2026-11-03", 3),
    ]
    assert summary.days(replace(report, groups=())) == ()


def test_a_report_without_groups_still_tells_its_total(sheets: Sheets) -> None:
    report = replace(sheets["realistic"]().report, by=(), groups=())

    assert "$17.7195 for 497 calls" in text.render(Sheet(report=report))


def test_without_calls_nothing_is_said_to_be_priced(sheets: Sheets) -> None:
    report = replace(sheets["empty"]().report, totals=Amounts(), since=None, until=None)

    shown = text.render(Sheet(report=report))

    assert "$0.00 for 0 calls, without times" in shown
    assert "100%" not in shown
