"""Every format: as people get it, harmless whatever the names are, and without an end of input."""

import csv
import html
import io
import json
import re
from collections.abc import Callable
from xml.etree import ElementTree

import pytest

from sdlc_cli.core.columns import columns
from sdlc_cli.core.i18n import use
from sdlc_cli.core.view import View
from sdlc_cli.plan.report import FORMATS, Sheet, ical, load, mermaid

Sheets = dict[str, Callable[[], Sheet]]
Golden = Callable[[str, str], None]
SUFFIX = {"table": "txt", "markdown": "md", "mermaid": "mmd", "ical": "ics"}
SHEETS = ("plan", "answers", "hostile", "abstract", "many", "empty")


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("name", ["plan", "answers", "hostile"])
def test_what_users_get(sheets: Sheets, golden: Golden, name: str, form: str) -> None:
    text = load(form).render(sheets[name](), View(width=100))

    # a file is read with its line ends made one
    golden(f"plan/{name}.{SUFFIX.get(form, form)}", text.replace("\r\n", "\n"))


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("name", SHEETS)
def test_every_plan_is_printed_twice_alike(sheets: Sheets, name: str, form: str) -> None:
    once, again = (load(form).render(sheets[name]()) for _time in range(2))

    assert once == again
    assert once.endswith("\n")
    assert "\x1b" not in once
    assert "\x00" not in once
    assert "\u202e" not in once
    once.encode()


@pytest.mark.parametrize("width", [20, 40, 60, 80, 120, 200])
@pytest.mark.parametrize("name", SHEETS)
def test_text_keeps_to_the_terminal(sheets: Sheets, name: str, width: int) -> None:
    text = load("table").render(sheets[name](), View(width=width))

    assert max(map(columns, text.splitlines())) <= width


@pytest.mark.parametrize("name", SHEETS)
def test_text_is_in_the_letters_of_the_terminal(sheets: Sheets, name: str) -> None:
    text = load("table").render(sheets[name](), View(width=80, encoding="ascii"))

    assert text.isascii()
    assert "\\u2588" not in text, "bars are drawn with ASCII"


def test_colour_changes_nothing_but_colour(sheets: Sheets) -> None:
    plain = load("table").render(sheets["answers"](), View(width=100))
    coloured = load("table").render(sheets["answers"](), View(width=100, color=True))

    assert coloured != plain
    bare = re.sub(r"\x1b\[[0-9;]*m", "", coloured)
    assert [line.rstrip() for line in bare.splitlines()] == plain.splitlines()


def test_many_tasks_are_cut_unless_all_are_asked_for(sheets: Sheets) -> None:
    short = load("table").render(sheets["many"](), View(width=80))
    whole = load("table").render(sheets["many"](), View(width=80, verbose=True))

    assert "90 more tasks" in short
    assert "more tasks" not in whole
    assert len(whole.splitlines()) == len(short.splitlines()) + 89


def test_a_benchmark_shows_slots(sheets: Sheets) -> None:
    text = load("table").render(sheets["abstract"](), View(width=80))

    assert "Done after 6 slots" in text
    assert "1970" not in text


@pytest.mark.parametrize("name", SHEETS)
def test_csv_has_a_row_a_task(sheets: Sheets, name: str) -> None:
    sheet = sheets[name]()

    rows = list(csv.DictReader(io.StringIO(load("csv").render(sheet))))

    assert [int(row["finish"]) for row in rows] == [p.finish for p in sheet.schedule.placements]
    assert not any(str(cell)[:1] in "=+@" for row in rows for cell in row.values() if cell)


@pytest.mark.parametrize("name", SHEETS)
def test_json_is_json(sheets: Sheets, name: str) -> None:
    sheet = sheets[name]()

    document = json.loads(load("json").render(sheet))

    assert document["schema_version"] == 1
    assert document["makespan"] == sheet.schedule.makespan
    assert len(document["tasks"]) == len(sheet.project.tasks)


@pytest.mark.parametrize("name", SHEETS)
def test_svg_is_xml_without_script(sheets: Sheets, name: str) -> None:
    root = ElementTree.fromstring(load("svg").render(sheets[name]()))

    tags = {one.tag.rpartition("}")[2] for one in root.iter()}
    assert tags <= {"svg", "title", "style", "rect", "text", "line", "g", "path"}
    assert not any(
        name.startswith("on") or "href" in name for e in root.iter() for name in e.attrib
    )


@pytest.mark.parametrize("name", SHEETS)
def test_the_page_asks_for_nothing(sheets: Sheets, name: str) -> None:
    page = load("html").render(sheets[name]())

    assert "default-src 'none'" in page
    assert not re.search(r"<(?:img|link|iframe|object|embed|base)\b|\bsrc=|url\(|@import", page)
    assert not re.search(r'\s(?:style|on\w+)="', page)
    data = page.partition('id="data">')[2].partition("</script>")[0]
    assert "<" not in data
    assert page.count("<script") == page.count("</script>") <= 2


def test_markdown_notifies_nobody_and_breaks_no_table(sheets: Sheets) -> None:
    text = load("markdown").render(sheets["hostile"]())

    shown = html.unescape(text)
    assert "@octocat" not in text
    assert "<script" not in text
    assert "<script" in shown
    bars = {line.count("|") for line in text.splitlines() if line.startswith("|")}
    assert len(bars) <= 2


def test_ical_keeps_to_the_standard(sheets: Sheets) -> None:
    for name in SHEETS:
        sheet = sheets[name]()
        text = load("ical").render(sheet)

        assert text.replace("\r\n", "").count("\n") == 0
        lines = text.split("\r\n")
        assert max(len(line.encode()) for line in lines) <= 75
        unfolded = text.replace("\r\n ", "").split("\r\n")[:-1]
        assert all(re.match(r"[A-Z-]+:", line) for line in unfolded)
        assert unfolded.count("BEGIN:VEVENT") == len(sheet.project.tasks)
        assert all(
            re.fullmatch(r"DT(?:STAMP|START|END):\d{8}T\d{6}Z", line)
            for line in unfolded
            if line.startswith("DT")
        )
        uids = [line for line in unfolded if line.startswith("UID:")]
        assert len(set(uids)) == len(uids)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        pytest.param("a, b; c\\d", "a\\, b\\; c\\\\d", id="signs"),
        pytest.param("one\ntwo", "one\\ntwo", id="line"),
        pytest.param("x\r\nEND:VEVENT", "x\\\\r\\nEND:VEVENT", id="an attack"),
    ],
)
def test_ical_escapes(text: str, shown: str) -> None:
    assert ical.escaped(text) == shown


def test_ical_folds_between_letters() -> None:
    line = "SUMMARY:" + "設" * 40

    pieces = ical.folded(line).split("\r\n")

    assert all(len(piece.encode()) <= 75 for piece in pieces)
    assert pieces[0] + "".join(piece[1:] for piece in pieces[1:]) == line


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("Load: test; #1", "Load test 1"),
        ("section", "_ section"),
        ("end", "_ end"),
        ("%% comment", "comment"),
        ("<b>x</b>", "b x /b"),
        (":::", "_"),
    ],
)
def test_mermaid_reads_a_name_as_a_name(name: str, shown: str) -> None:
    assert mermaid.plain(name) == shown


def test_mermaid_tasks_are_one_line_each(sheets: Sheets) -> None:
    sheet = sheets["hostile"]()

    lines = load("mermaid").render(sheet).splitlines()

    tasks = [line for line in lines if line.startswith("    ")]
    assert len(tasks) == len(sheet.project.tasks)
    moment = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d"
    shape = rf"    [^:#;,%]+ :(?:\w+, )*t\d+, {moment}, {moment}"
    assert all(re.fullmatch(shape, line) for line in tasks)


@pytest.mark.parametrize("form", ["json", "csv", "ical"])
def test_machines_get_english(sheets: Sheets, form: str) -> None:
    try:
        use("en-XA")
        text = load(form).render(sheets["plan"]())
    finally:
        use("en")

    if form != "ical":  # people read its texts in their calendar
        assert text == load(form).render(sheets["plan"]())
    assert "BEGIN:VEVENT" in text or form != "ical"
