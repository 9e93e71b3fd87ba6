"""The HTML page: self-contained, escaped, readable, with its charts."""

import base64
import hashlib
import os
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import pytest

from sdlc_cli.core import i18n
from sdlc_cli.cost.report import Sheet, charts, page

Sheets = dict[str, Callable[[], Sheet]]
CSS = Path(page.__file__).parent / "templates" / "report.css"
COLOR = re.compile(r"--([a-z-]+): (#[0-9a-f]{6})")
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--disable-dev-shm-usage",
)  # fmt: skip


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


def test_charts_are_drawings_that_can_be_read_out(sheets: Sheets) -> None:
    shown = page.render(sheets["realistic"]())
    drawing = ElementTree.fromstring(re.findall(r'<svg class="chart".*?</svg>', shown, re.S)[0])

    assert drawing.get("role") == "img"
    assert drawing.get("aria-label") == "Cost of each day"
    assert len(drawing.findall("rect")) == 3
    assert "highest $12.9825 on 2026-11-03" in (drawing.findtext("desc") or "")


def test_a_year_of_days_is_drawn_with_few_bars(sheets: Sheets) -> None:
    shown = page.render(sheets["large"]())

    assert 60 < shown.count('<rect class="bar" x=') <= 120


@pytest.mark.parametrize("values", [[0.0], [1.0], [1e-9, 2e-9], [3, 1e9], [0.1] * 50])
def test_no_bar_leaves_its_chart(values: list[float]) -> None:
    bars = [charts.Bar(str(i), value, "x") for i, value in enumerate(values)]
    drawing = ElementTree.fromstring(charts.columns(bars, title="t", about="a"))

    for bar in drawing.findall("rect"):
        top, height = float(bar.attrib["y"]), float(bar.attrib["height"])
        assert 0 <= top <= top + height <= charts.HEIGHT


def test_hostile_labels_stay_text_in_a_chart() -> None:
    bars = [charts.Bar("<a>", 1, '"&<script>')]
    drawing = ElementTree.fromstring(charts.columns(bars, title='"><script>', about="</desc>"))

    assert drawing.findtext("rect/title") == '"&<script>'
    assert drawing.findall("script") == []


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
def test_text_is_readable_on_its_ground(scheme: int) -> None:
    blocks = CSS.read_text(encoding="utf-8").split("prefers-color-scheme: dark")
    colors = dict(COLOR.findall(blocks[scheme]))
    pairs = [(name, ground) for name in ("text", "soft") for ground in ("card", "page")]
    pairs.append(("warn", "warn-bg"))
    poor = {pair: round(_contrast(colors[pair[0]], colors[pair[1]]), 2) for pair in pairs}
    drawn = _contrast(colors["bar"], colors["card"])

    # WCAG 2.2: 1.4.3 wants 4.5 to 1 for text, 1.4.11 wants 3 to 1 for drawings.
    assert {pair: ratio for pair, ratio in poor.items() if ratio < 4.5} == {}
    assert drawn >= 3


def _contrast(one: str, other: str) -> float:
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _luminance(color: str) -> float:
    parts = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_hostile_names_stay_text_in_a_browser(sheets: Sheets, tmp_path: Path) -> None:
    browser = next((found for name in BROWSERS if (found := shutil.which(name))), None)
    if browser is None:
        pytest.skip("no Chromium here")
    file = tmp_path / "report.html"
    file.write_text(page.render(sheets["hostile"]()), encoding="utf-8")

    done = subprocess.run(
        [browser, *FLAGS, f"--user-data-dir={tmp_path / 'b'}", "--dump-dom", file.as_uri()],
        capture_output=True,
        timeout=120,
        check=False,
        env={**os.environ, "HOME": str(tmp_path)},
    )

    tree = done.stdout.decode("utf-8", "replace")
    assert "</html>" in tree, done.stderr.decode("utf-8", "replace")[-2000:]
    assert re.findall(r"<(script|b|a href=\"j)\b", tree) == ["b"]  # ours, in the head line
    assert "&lt;script&gt;alert('x')&lt;/script&gt;" in tree
