"""The page in a real browser: its script runs, nobody else's does; its colours can be read."""

import html
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from sdlc_cli.plan.report import Sheet, load, page

Sheets = dict[str, Callable[[], Sheet]]
CSS = Path(page.__file__).parent / "templates" / "report.css"
COLOR = re.compile(r"--([a-z-]+): (#[0-9a-f]{6})")


@pytest.fixture
def shown(browsed: Callable[[str, str], str]) -> Callable[[Sheet, str], str]:
    """`shown(sheet, "who=ana")` is the page's tree once its script has run."""
    return lambda sheet, fragment: browsed(load("html").render(sheet), fragment)


def rows(tree: str) -> list[str]:
    """The names in the order in which the page shows them."""
    names = re.search(r'<ol id="names">(.*?)</ol>', tree, re.DOTALL)
    assert names is not None
    items = re.findall(r"<li( hidden=\"\")?><button[^>]*>(.*?)</button></li>", names[1])
    return [html.unescape(name).split()[0] for hidden, name in items if not hidden]


def test_all_tasks_show_and_may_be_ordered(
    sheets: Sheets, shown: Callable[[Sheet, str], str]
) -> None:
    sheet = sheets["answers"]()

    tree = shown(sheet, "order=slack&whole=&zoom=4")

    assert len(rows(tree)) == 10
    assert rows(tree)[-3:] == ["build", "load", "evaluate"], "those with the most slack"
    assert 'class="canvas near" style="width: 400%;"' in tree
    assert tree.count("<text") == 8, "four days on either axis"
    assert "10 of 10 shown" in tree


def test_a_filter_leaves_what_fits(sheets: Sheets, shown: Callable[[Sheet, str], str]) -> None:
    tree = shown(sheets["plan"](), "who=ana&critical=&search=s")

    assert rows(tree) == ["design", "docs", "schema", "client"]
    assert "4 of 10 shown" in tree
    heights = re.findall(r'<svg class="bars" width="100%" height="(\d+)"', tree)
    assert set(heights) == {"120"}


def test_a_chosen_task_tells_why(sheets: Sheets, shown: Callable[[Sheet, str], str]) -> None:
    tree = shown(sheets["plan"](), "task=4")

    detail = tree.partition('id="detail"')[2]
    assert "<h3>schema</h3>" in detail
    assert "ana is taken by docs until Tue 08-04 12:00" in detail
    assert '<button type="button">ana from docs</button>' in detail
    assert 'class="hand resource"' in tree


def test_a_hostile_name_is_only_text(sheets: Sheets, shown: Callable[[Sheet, str], str]) -> None:
    tree = shown(sheets["hostile"](), "task=2&search=octocat")

    assert len(rows(tree)) == 2
    assert "<script>alert" not in tree
    assert "&lt;script&gt;alert('x')&lt;/script&gt;" in tree.partition('id="detail"')[2]


def test_a_plan_of_nothing_has_a_page(sheets: Sheets) -> None:
    text = load("html").render(sheets["empty"]())

    assert "<script" not in text
    assert 'class="gantt"' not in text


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
def test_text_and_bars_stand_out(scheme: int) -> None:
    blocks = CSS.read_text(encoding="utf-8").split("prefers-color-scheme: dark")
    colors = dict(COLOR.findall(blocks[scheme]))
    pairs = [(name, ground) for name in ("text", "soft") for ground in ("card", "page")]
    pairs += [("passed", "page"), ("failed", "page"), ("warn", "warn-bg"), ("text", "pick")]
    poor = {p: round(_contrast(colors[p[0]], colors[p[1]]), 2) for p in pairs}
    bars = [name for name in colors if name.startswith("bar")]

    # WCAG 2.2: 1.4.3 wants 4.5 to 1 for text, 1.4.11 wants 3 to 1 for drawings.
    assert {p: c for p, c in poor.items() if c < 4.5} == {}
    assert [name for name in bars if _contrast(colors[name], colors["card"]) < 3] == []
    assert len(bars) == 4


def _contrast(one: str, other: str) -> float:
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _luminance(color: str) -> float:
    parts = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
