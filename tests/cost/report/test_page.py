"""The HTML page: self-contained, escaped, readable, with its charts."""

import base64
import hashlib
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest

from sdlc_cli.core import charts, i18n
from sdlc_cli.core.charts import Bar, Chart, Part
from sdlc_cli.cost.model import PICO, Amounts, Group
from sdlc_cli.cost.report import Sheet, bars, page

Sheets = dict[str, Callable[[], Sheet]]
CSS = Path(page.__file__).parent / "templates" / "report.css"
COLOR = re.compile(r"--([a-z-]+): (#[0-9a-f]{6})")
DRAWN = {"bar", *(f"part-{letter}" for letter in "bcdefg")}


@pytest.fixture(params=["plain", "vega"])
def drawer(request: pytest.FixtureRequest) -> str:
    """The page's charts are drawn once by each."""
    if request.param == "plain":
        request.getfixturevalue("plain")
    elif not charts.installed():
        pytest.skip("the extra charts is not installed")
    return str(request.param)


@pytest.mark.usefixtures("drawer")
@pytest.mark.parametrize("name", ["realistic", "hostile", "large", "empty"])
def test_the_page_asks_for_nothing(sheets: Sheets, name: str) -> None:
    shown = page.render(sheets[name]())

    assert "default-src 'none'" in shown
    assert not re.search(r"<(?:img|link|iframe|object|embed|base|script)\b|\bsrc=|url\(", shown)
    assert not re.search(r'\s(?:style|on\w+)="', shown)


def test_the_policy_names_the_hash_of_the_style(sheets: Sheets) -> None:
    shown = page.render(sheets["realistic"]())
    inside = shown.partition("<style>")[2].partition("</style>")[0]
    digest = base64.b64encode(hashlib.sha256(inside.encode()).digest()).decode()

    assert f"style-src 'sha256-{digest}'" in shown


def test_the_page_speaks_the_language_that_it_names(sheets: Sheets) -> None:
    i18n.use("de")
    try:
        assert '<html lang="de">' in page.render(sheets["realistic"]())
    finally:
        i18n.use("en")


def test_charts_are_drawings_that_can_be_read_out(sheets: Sheets, drawer: str) -> None:
    drawing = _drawing(page.render(sheets["realistic"]()))

    assert drawing.get("role") == "img"
    assert drawing.get("aria-label") == "Cost of each day"
    assert "highest $12.9825 on 2026-11-03" in (drawing.findtext("desc") or "")
    told = [title.text for title in drawing.iter("title")]
    if drawer == "plain":
        assert told == ["2026-11-01: $2.3350", "2026-11-02: $2.4020", "2026-11-03: $12.9825"]
    else:
        assert told == [
            "2026-11-01, claude-sonnet-4-5: $1.5225",
            "2026-11-01, gpt-4o: $0.8124",
            "2026-11-02, gpt-4o: $2.4020",
            "2026-11-03, claude-sonnet-4-5: $12.9825",
        ]


def test_a_drawing_holds_no_color_and_no_letters_of_its_own(sheets: Sheets, drawer: str) -> None:
    drawing = _drawing(page.render(sheets["realistic"]()))
    told = {name for element in drawing.iter() for name in element.attrib}
    colors = {element.get("fill") for element in drawing.iter()} - {None, "none"}

    assert not told & {"style", "stroke", "font-family", "font-size", "href", "id"}
    assert colors == set()
    assert {"tick", "grid"} <= {element.get("class") for element in drawing.iter()}


def test_the_legend_names_what_costs_most_first(sheets: Sheets, drawer: str) -> None:
    shown = page.render(sheets["realistic"]())
    legend = re.findall(r'class="bar-(\d)".*?</svg>(.*?)</li>', shown)

    if drawer == "plain":
        assert legend == []
    else:
        assert legend == [("0", "claude-sonnet-4-5"), ("1", "gpt-4o")]


def test_more_parts_than_colors_are_added_up(sheets: Sheets) -> None:
    if not charts.installed():
        pytest.skip("the extra charts is not installed")
    many = tuple(
        Group(keys={"day": day, "model": f"m{n}"}, amounts=Amounts(calls=1, pico=n * PICO))
        for day in ("2026-11-01", "2026-11-02")
        for n in range(1, 10)
    )
    sheet = replace(sheets["realistic"](), by_day=many)
    shown = page.render(sheet)

    legend = re.findall(r'class="bar-(\d)".*?</svg>(.*?)</li>', shown)
    assert [name for _, name in legend] == ["m9", "m8", "m7", "m6", "m5", "m4", "all others"]
    assert "2026-11-02, all others: $6.0000" in shown


def test_a_year_of_days_is_drawn_with_few_bars(sheets: Sheets, drawer: str) -> None:
    drawing = _drawing(page.render(sheets["large"]()))

    assert drawer
    assert 60 < sum("bar" in (e.get("class") or "").split() for e in drawing.iter()) <= 120


def _drawing(shown: str) -> ElementTree.Element:
    return ElementTree.fromstring(re.findall(r'<svg class="chart".*?</svg>', shown, re.S)[0])


def _chart(*values: float, word: str = "x") -> Chart:
    made = (
        Bar(label=f"{i}", text=word, parts=(Part(value, word),)) for i, value in enumerate(values)
    )
    return Chart(title=word, about=word, bars=tuple(made))


@pytest.mark.parametrize("values", [[0.0], [1.0], [1e-9, 2e-9], [3, 1e9], [0.1] * 50])
def test_no_bar_leaves_its_chart(values: list[float]) -> None:
    drawing = ElementTree.fromstring(bars.svg(_chart(*values)))

    for bar in drawing.findall("rect"):
        top, height = float(bar.attrib["y"]), float(bar.attrib["height"])
        assert 0 <= top <= top + height <= bars.HEIGHT


def test_hostile_labels_stay_text_in_a_chart(drawer: str) -> None:
    word = "\"]]>'</desc><script>alert(datum)</script>"
    draw = bars.svg if drawer == "plain" else charts.svg
    drawing = ElementTree.fromstring(draw(_chart(1, 2, word=word)))

    assert [title.text for title in drawing.iter("title")] == [word, word]
    assert (drawing.get("aria-label"), drawing.findtext("desc")) == (word, word)
    assert list(drawing.iter("script")) == []


def test_nothing_of_a_log_goes_through_vega(monkeypatch: pytest.MonkeyPatch) -> None:
    if not charts.installed():
        pytest.skip("the extra charts is not installed")
    import vl_convert

    seen: list[str] = []
    real = vl_convert.vegalite_to_svg

    def spied(specification: dict[str, object]) -> str:
        seen.append(repr(specification))
        return real(specification)

    monkeypatch.setattr(vl_convert, "vegalite_to_svg", spied)
    drawn = charts.svg(_chart(1, word="secret-name"))

    assert "secret-name" in drawn
    assert len(seen) == 1
    assert "secret-name" not in seen[0]


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
def test_text_is_readable_on_its_ground(scheme: int) -> None:
    blocks = CSS.read_text(encoding="utf-8").split("prefers-color-scheme: dark")
    colors = dict(COLOR.findall(blocks[scheme]))
    pairs = [(name, ground) for name in ("text", "soft") for ground in ("card", "page")]
    pairs.append(("warn", "warn-bg"))
    poor = {pair: round(_contrast(colors[pair[0]], colors[pair[1]]), 2) for pair in pairs}
    drawn = {name: _contrast(colors[name], colors["card"]) for name in colors if name in DRAWN}

    # WCAG 2.2: 1.4.3 wants 4.5 to 1 for text, 1.4.11 wants 3 to 1 for drawings.
    assert {pair: ratio for pair, ratio in poor.items() if ratio < 4.5} == {}
    assert {name for name, ratio in drawn.items() if ratio >= 3} == DRAWN


def _contrast(one: str, other: str) -> float:
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _luminance(color: str) -> float:
    parts = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_hostile_names_stay_text_in_a_browser(
    sheets: Sheets, browsed: Callable[[str], str]
) -> None:
    tree = browsed(page.render(sheets["hostile"]()))

    assert re.findall(r"<(script|b|a href=\"j)\b", tree) == ["b"]  # ours, in the head line
    assert "&lt;script&gt;alert('x')&lt;/script&gt;" in tree
